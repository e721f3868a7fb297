//! Lists: the viewer's shelves, each read along an index, merged into one page.

use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::db::{Db, Engine, Reader, Timestamp, Value, bind_all, on};
use crate::resources::listing::{Hit, Position, RANKED, Search, Sort, midnight};
use crate::resources::query::{self, Criterion};
use crate::resources::visibility::shelves;
use crate::resources::{Kind, TagCount, tag};
use crate::web::viewer::Viewer;

/// One hit more than the page holds, so that the caller sees whether there is a next page.
pub async fn page(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<Vec<Hit>> {
    let statement = statement(&db.read(), viewer, search);
    on!(db.read(), pool => bind_all!(sqlx::query_as(AssertSqlSafe(statement.sql)), statement.values).fetch_all(pool).await)
}

/// The statement that [`page`] runs, for `EXPLAIN`.
#[must_use]
pub fn statement(engine: &Reader<'_>, viewer: &Viewer, search: &Search) -> Statement {
    let mut statement = Statement::new(viewer);
    let filters = filters(&mut statement, search);
    let words = words(&mut statement, engine, search);
    let order = Order::of(search.sort);
    let after = after(&mut statement, search, order);
    let limit = statement.bind(Value::Int(search.limit + 1));
    let from_shelf = |shelf: &&str| match (&words, search.sort) {
        (Words::None, _) => format!(
            "SELECT r.id, {order} AS key FROM resources r WHERE {shelf}{filters}{after} ORDER BY {order} {dir}, r.id {dir} LIMIT {limit}",
            dir = order.direction(),
            order = order.column()
        ),
        (Words::Postgres(words), Sort::Relevance) => format!(
            "SELECT c.id, ts_rank(c.search, {words}) AS key FROM (SELECT r.id, r.search FROM resources r WHERE {shelf}{filters} AND r.search @@ {words} ORDER BY r.rid DESC LIMIT {RANKED}) c"
        ),
        (Words::Postgres(words), _) => format!(
            "SELECT r.id, {order} AS key FROM resources r WHERE {shelf}{filters}{after} AND r.search @@ {words} ORDER BY {order} {dir}, r.id {dir} LIMIT {limit}",
            dir = order.direction(),
            order = order.column()
        ),
        (Words::Sqlite { matching: Some(matching), without }, Sort::Relevance) => format!(
            "SELECT r.id, -bm25(resources_fts, 8.0, 4.0, 1.0) AS key FROM resources_fts f CROSS JOIN resources r ON r.rid = f.rowid WHERE resources_fts MATCH {matching} AND {shelf}{filters}{without} ORDER BY f.rowid DESC LIMIT {RANKED}"
        ),
        (Words::Sqlite { matching, without }, _) => {
            let with = matching.as_ref().map_or(String::new(), |m| {
                format!(" AND r.rid IN (SELECT rowid FROM resources_fts WHERE resources_fts MATCH {m})")
            });
            format!(
                "SELECT r.id, {order} AS key FROM resources r WHERE {shelf}{filters}{after}{with}{without} ORDER BY {order} {dir}, r.id {dir} LIMIT {limit}",
                dir = order.direction(),
                order = order.column()
            )
        }
    };
    let shelved: Vec<String> =
        shelves(viewer).iter().map(|shelf| format!("SELECT * FROM ({}) s", from_shelf(shelf))).collect();
    let offset = if let Some(Position::Rank(given)) = search.after { given } else { 0 };
    let offset = statement.bind(Value::Int(offset));
    let body = if matches!(words, Words::None) { "''" } else { "r.body" };
    statement.sql = format!(
        "SELECT r.id, r.owner_id, u.username AS owner_username, u.display_name AS owner_name, r.kind, r.title, r.title_key,
            r.url, r.summary, {body} AS body, r.visibility, r.pinned, r.version, r.created_at, r.updated_at, r.trashed_at,
            (SELECT string_agg(t.name, ',' ORDER BY t.folded) FROM resource_tags rt
                JOIN tags t ON t.id = rt.tag_id WHERE rt.resource_id = r.id) AS tags
        FROM (SELECT id, key FROM ({}) a ORDER BY key {dir}, id {dir} LIMIT {limit} OFFSET {offset}) p
        JOIN resources r ON r.id = p.id JOIN users u ON u.id = r.owner_id ORDER BY p.key {dir}, p.id {dir}",
        shelved.join(" UNION ALL "),
        dir = order.direction(),
    );
    statement
}

/// SQL put together from our own words only; what people typed is in the values.
pub struct Statement {
    pub sql: String,
    pub values: Vec<Value>,
}

impl Statement {
    fn new(viewer: &Viewer) -> Self {
        Self { sql: String::new(), values: vec![Value::Id(viewer.id().unwrap_or(Uuid::nil()))] }
    }

    /// The placeholder under which the value is bound.
    fn bind(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }
}

#[derive(Clone, Copy)]
enum Order {
    Created { ascending: bool },
    Updated,
    Title,
    Rank,
}

impl Order {
    fn of(sort: Sort) -> Self {
        match sort {
            Sort::Newest => Self::Created { ascending: false },
            Sort::Oldest => Self::Created { ascending: true },
            Sort::Changed => Self::Updated,
            Sort::Title => Self::Title,
            Sort::Relevance => Self::Rank,
        }
    }

    fn column(self) -> &'static str {
        match self {
            Self::Created { .. } | Self::Rank => "r.created_at",
            Self::Updated => "r.updated_at",
            Self::Title => "r.title_key",
        }
    }

    fn direction(self) -> &'static str {
        match self {
            Self::Created { ascending: true } | Self::Title => "ASC",
            _ => "DESC",
        }
    }
}

fn after(statement: &mut Statement, search: &Search, order: Order) -> String {
    let (key, id) = match &search.after {
        Some(Position::Time(_, micros, id)) => (Value::At(Timestamp::from_micros(*micros)), *id),
        Some(Position::Title(title, id)) => (Value::Text(title.clone()), *id),
        Some(Position::Rank(_)) | None => return String::new(),
    };
    let (key, id) = (statement.bind(key), statement.bind(Value::Id(id)));
    let beyond = if order.direction() == "ASC" { ">" } else { "<" };
    format!(" AND ({}, r.id) {beyond} ({key}, {id})", order.column())
}

fn filters(statement: &mut Statement, search: &Search) -> String {
    let mut sql = String::new();
    for filter in &search.filters {
        let condition = condition(statement, &filter.criterion);
        let not = if filter.negated { " NOT" } else { "" };
        sql.extend([" AND", not, " (", &condition, ")"]);
    }
    sql
}

fn condition(statement: &mut Statement, criterion: &Criterion) -> String {
    match criterion {
        Criterion::Tag(folded) => {
            let (low, high) = tag::range_of(folded);
            let [this, low, high] = [folded.clone(), low, high].map(|text| statement.bind(Value::Text(text)));
            format!(
                "r.id IN (SELECT rt.resource_id FROM tags t JOIN resource_tags rt ON rt.tag_id = t.id WHERE t.folded = {this} OR (t.folded >= {low} AND t.folded < {high}))"
            )
        }
        Criterion::Site(site) => {
            let [this, low, high] = [site.clone(), format!("{site}."), format!("{site}/")]
                .map(|text| statement.bind(Value::Text(text)));
            // '/' follows '.': the range holds every subdomain. A note has no site and is not on this one.
            format!("COALESCE(r.site = {this} OR (r.site >= {low} AND r.site < {high}), FALSE)")
        }
        Criterion::By(username) => {
            let name = statement.bind(Value::Text(username.clone()));
            format!("r.owner_id = (SELECT id FROM users WHERE username_key = {name})")
        }
        Criterion::Kind(Kind::Link) => "r.kind = 'link'".to_owned(),
        Criterion::Kind(Kind::Note) => "r.kind = 'note'".to_owned(),
        Criterion::Pinned => "r.pinned".to_owned(),
        Criterion::Visibility(visibility) => format!("r.visibility = '{}'", visibility.as_str()),
        Criterion::Before(date) => format!("r.created_at < {}", statement.bind(Value::At(midnight(*date)))),
        Criterion::After(date) => format!("r.created_at >= {}", statement.bind(Value::At(midnight(*date)))),
    }
}

/// The searched words in each engine's own language.
enum Words {
    None,
    Postgres(String),
    /// Placeholders of MATCH expressions; `without` is a finished condition.
    Sqlite {
        matching: Option<String>,
        without: String,
    },
}

fn words(statement: &mut Statement, engine: &Reader<'_>, search: &Search) -> Words {
    match engine {
        Engine::Postgres(_) => query::to_postgres(&search.query.text).map_or(Words::None, |text| {
            Words::Postgres(format!("to_tsquery('simple', {})", statement.bind(Value::Text(text))))
        }),
        Engine::Sqlite(_) => query::to_fts5(&search.query.text).map_or(Words::None, |fts| {
            let matching = fts.matching.map(|text| statement.bind(Value::Text(text)));
            let without = fts.excluding.map_or(String::new(), |text| {
                let excluded = statement.bind(Value::Text(text));
                format!(
                    " AND r.rid NOT IN (SELECT rowid FROM resources_fts WHERE resources_fts MATCH {excluded})"
                )
            });
            Words::Sqlite { matching, without }
        }),
    }
}

pub async fn any(db: &Db, viewer: &Viewer) -> sqlx::Result<bool> {
    let owner = viewer.id().unwrap_or(Uuid::nil());
    for shelf in shelves(viewer) {
        let sql = format!("SELECT 1 FROM resources r WHERE {shelf} LIMIT 1");
        let row: Option<(i32,)> = on!(db.read(), pool => sqlx::query_as(AssertSqlSafe(sql)).bind(owner).fetch_optional(pool).await?);
        if row.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Tags of different owners that fold to the same name count as one, under the first spelling.
pub async fn tags(db: &Db, viewer: &Viewer) -> sqlx::Result<Vec<TagCount>> {
    let owner = viewer.id().unwrap_or(Uuid::nil());
    let sql = tags_sql(viewer);
    on!(db.read(), pool => sqlx::query_as(AssertSqlSafe(sql)).bind(owner).fetch_all(pool).await)
}

/// The statement that [`tags`] runs, for `EXPLAIN`.
#[must_use]
pub fn tags_sql(viewer: &Viewer) -> String {
    let visible: Vec<String> = shelves(viewer).iter().map(|shelf| format!("({shelf})")).collect();
    format!(
        "SELECT MIN(t.name) AS name, COUNT(*) AS count FROM tags t
        JOIN resource_tags rt ON rt.tag_id = t.id JOIN resources r ON r.id = rt.resource_id
        WHERE {} GROUP BY t.folded ORDER BY t.folded",
        visible.join(" OR ")
    )
}
