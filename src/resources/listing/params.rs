//! The parameters of a list as they are sent, and their checks.

use std::time::Duration;

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{MOST, PAGE, Search, Sort, fits};
use crate::error::{Code, Error, Result};
use crate::identity::Viewer;
use crate::resources::query::{self, Criterion, Filter, Query};
use crate::resources::visibility::Partition;
use crate::resources::{Kind, tag};
use crate::timestamp::Timestamp;
use crate::web::cursor::CursorKey;

/// Where entries are.
#[cfg_attr(
    not(feature = "test-internals"),
    expect(dead_code, reason = "only the API's description names them")
)]
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum State {
    Active,
    Trash,
    All,
}

/// What a list can include.
#[cfg_attr(
    not(feature = "test-internals"),
    expect(dead_code, reason = "only the API's description names them")
)]
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum Include {
    Body,
}

/// The parameters as the address bar or an API client sends them; each may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// What to find: `tide harbour` both words, `"tide tables"` a phrase, `-moon` without a word, `tide or moon` either
    /// word; `tag:work` this tag and those below it, `site:example.org` a site, `site:example.org/docs` a part of it,
    /// `url:install` an address that contains this, `title:tide` a title with a word that begins like this, `by:ada` a person's, `by:me` your
    /// own, `kind:note` or `kind:link`, `has:notes` with a text, `is:pinned` and `is:unread` for your own, `is:untagged`, `is:broken`, `is:public`,
    /// `is:members`, `is:private` (or `visibility:public` and so on), `before:2026-01-01` and `after:2025-06` by when it was saved (a day, month
    /// or year). A `-` before a filter excludes.
    /// Another `word:` is 400 `bad_query`; put it in quotes to search for it.
    #[param(max_length = 1000)]
    pub q: String,
    /// Only this tag and the tags below it.
    #[param(max_length = 200)]
    pub tag: String,
    /// `link` or `note`.
    #[param(value_type = Option<Kind>)]
    pub kind: String,
    /// `true`: only pinned entries; `false`: only the others.
    #[param(value_type = Option<bool>)]
    pub pinned: String,
    /// `newest` (the default), `oldest`, `changed`, `title`, or `relevance` (the default with `q`), which ranks the latest 300 and lists older ones after them.
    #[param(value_type = Option<Sort>)]
    pub sort: String,
    /// `true`: only your own entries. A request without a valid token then gets 401 instead of an empty list.
    #[param(value_type = Option<bool>)]
    pub mine: String,
    /// For your own entries: `active` (the default, not in the trash), `trash` or `all`.
    #[param(value_type = Option<State>)]
    pub state: String,
    /// Only entries created after this time, for example 2026-05-03T14:05:00Z.
    #[param(value_type = Option<String>, format = DateTime)]
    pub created_after: String,
    /// Only entries changed after this time. Moves to and from the trash don't count here; `/resources/changes` tells them too.
    #[param(value_type = Option<String>, format = DateTime)]
    pub updated_after: String,
    /// `body`: include the full texts.
    #[param(value_type = Option<Include>)]
    pub include: String,
    /// `true`: include `total`, the number of results on all pages.
    #[param(value_type = Option<bool>)]
    pub count: String,
    /// The cursor from the previous page.
    #[param(pattern = "^[A-Za-z0-9_-]*$")]
    pub cursor: String,
    /// 1 to 200; default 50.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200)]
    pub limit: String,
}

impl ListParams {
    /// # Errors
    /// [`Error::BadQuery`] for the search, [`Error::BadCursor`], 400 `bad_parameter` for the rest.
    pub fn search(&self, cursors: &CursorKey) -> Result<Search> {
        let query = query::parse(&self.q)?;
        let sort = self.sort(&query)?;
        let after = match self.cursor.as_str() {
            "" => None,
            text => Some(cursors.open(text)?)
                .filter(|after| fits(after, sort))
                .map_or(Err(Error::BadCursor), |a| Ok(Some(a)))?,
        };
        let mut filters = query.filters.clone();
        filters.extend(self.filters()?);
        let with_body = one_of("include", &self.include, [("", false), ("body", true)])?;
        Ok(Search {
            query,
            filters,
            sort,
            after,
            limit: self.limit()?,
            below: None,
            partition: self.partition()?,
            with_body,
        })
    }

    /// The given order, or the default: by relevance if there are words to search for.
    pub fn sort(&self, query: &Query) -> Result<Sort> {
        let searching = query.is_ranked();
        match self.sort.as_str() {
            "" if searching => Ok(Sort::Relevance),
            "" => Ok(Sort::Newest),
            "relevance" if !searching => Ok(Sort::Newest),
            name => Sort::parse(name)
                .ok_or_else(|| bad("sort must be newest, oldest, changed, title or relevance")),
        }
    }

    /// Whose entries are asked for, and where they are.
    ///
    /// # Errors
    /// 400 `bad_parameter`.
    pub fn partition(&self) -> Result<Partition> {
        let own = flag("mine", &self.mine)?;
        let outside = if own { Partition::Own } else { Partition::Visible };
        one_of(
            "state",
            &self.state,
            [("", outside), ("active", outside), ("trash", Partition::Trash), ("all", Partition::Everything)],
        )
    }

    /// Whether the list is merged from the viewer's own and what is shared. With words one search ranks both together.
    pub(crate) fn is_in_parts(&self, viewer: &Viewer) -> Result<bool> {
        Ok(self.partition()? == Partition::Visible && viewer.id().is_some() && self.q.is_empty())
    }

    /// A person at the page can see that a word was searched for; a program can't.
    ///
    /// # Errors
    /// [`Error::BadQuery`].
    pub fn refuse_unknown_filters(&self) -> Result<()> {
        query::parse(&self.q)?
            .unknown_filter
            .map_or(Ok(()), |unknown| Err(query::QueryError::from(unknown).into()))
    }

    /// Whether to say how many there are.
    ///
    /// # Errors
    /// 400 `bad_parameter`.
    pub fn counts(&self) -> Result<bool> {
        flag("count", &self.count)
    }

    fn filters(&self) -> Result<Vec<Filter>> {
        let (mut criteria, mut others) = (Vec::new(), None);
        criteria.extend(time("created_after", &self.created_after)?.map(Criterion::CreatedAfter));
        criteria.extend(time("updated_after", &self.updated_after)?.map(Criterion::ChangedAfter));
        if !self.tag.is_empty() {
            let name = tag::parse_sent(&self.tag).map_err(|error| bad(&error.to_string()))?;
            criteria.push(Criterion::Tag(name.folded));
        }
        match self.kind.as_str() {
            "" => {}
            "link" => criteria.push(Criterion::Kind(Kind::Link)),
            "note" => criteria.push(Criterion::Kind(Kind::Note)),
            _ => return Err(bad("kind must be link or note")),
        }
        match self.pinned.as_str() {
            "" => {}
            "true" => criteria.push(Criterion::Pinned),
            "false" => others = Some(Filter { criterion: Criterion::Pinned, negated: true }),
            _ => return Err(bad("pinned must be true or false")),
        }
        let wanted = criteria.into_iter().map(|criterion| Filter { criterion, negated: false });
        Ok(wanted.chain(others).collect())
    }

    pub fn limit(&self) -> Result<i64> {
        match self.limit.as_str() {
            "" => Ok(PAGE),
            text => text
                .parse()
                .ok()
                .filter(|limit| (1..=MOST).contains(limit))
                .ok_or_else(|| bad("limit must be a number from 1 to 200")),
        }
    }
}

fn bad(message: &str) -> Error {
    Error::Malformed { code: Code::BadParameter, message: format!("{}.", message.trim_end_matches('.')) }
}

fn flag(name: &str, text: &str) -> Result<bool> {
    one_of(name, text, [("", false), ("false", false), ("true", true)])
}

fn one_of<T: Copy, const N: usize>(name: &str, text: &str, values: [(&str, T); N]) -> Result<T> {
    let found = values.iter().find(|(known, _)| *known == text).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let known: Vec<&str> =
            values.iter().map(|(known, _)| *known).filter(|known| !known.is_empty()).collect();
        bad(&format!("{name} must be {}", known.join(" or ")))
    })
}

/// The end of the millisecond, as answers tell no more than that of a time.
fn time(name: &str, text: &str) -> Result<Option<Timestamp>> {
    if text.is_empty() {
        return Ok(None);
    }
    let at = Timestamp::parse(text)
        .ok_or_else(|| bad(&format!("{name} must be a time, for example 2026-05-03T14:05:00.000Z")))?;
    Ok(Some(at.plus(Duration::from_micros(999))))
}
