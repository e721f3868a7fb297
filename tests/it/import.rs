//! Bookmarks files: every link is new, already kept or refused, and the report says which.

use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

use coffer::identity::Role;
use coffer::resources::import::File;
use coffer::resources::import::choices::Choices;
use coffer::web::forms::encode;
use reqwest::Method;
use serde_json::{Value, json};

use crate::metrics_page::opens_the_file;
use crate::support::actor::Actor;
use crate::support::answer::Answer;
use crate::support::app::{App, Engine, Stopped};
use crate::support::on_both_engines;
use crate::support::wait::eventually;

const RAGGED: &[u8] = include_bytes!("../fixtures/bookmarks-ragged.html");
/// `<a` in the ragged file that are no comment and no title.
const RAGGED_LINKS: usize = 12;
const HEAD: &str = "<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<TITLE>Bookmarks</TITLE>\n<DL><p>\n";

/// New, already kept, refused.
fn tally(report: &Answer) -> [usize; 3] {
    let counts = report.texts(".tally dd");
    counts
        .iter()
        .map(|count| count.parse().expect("a count"))
        .collect::<Vec<_>>()
        .try_into()
        .expect("three counts")
}

async fn imports(actor: &Actor, file: &[u8]) -> Answer {
    let sent = actor.uploads("/import", "bookmarks.html", file, &[("visibility", "private")]).await.is(303);
    ended(actor, &sent.header("location")).await
}

/// The import's page once nothing of it goes on.
pub async fn ended(actor: &Actor, place: &str) -> Answer {
    let is_over = async || {
        let page = actor.get(place).await.ok();
        if page.attributes("progress", "value").is_empty() { Ok(page) } else { Err("it goes on") }
    };
    eventually(Duration::from_mins(1), is_over).await.expect("an end")
}

async fn find(actor: &Actor, url: &str) -> Value {
    let encoded = encode(url);
    actor.get(&format!("/api/v1/resources/lookup?url={encoded}")).await.ok().json()
}

/// 1,300 links: 1,200 addresses in ten folders, 50 of them written twice, and 50 that are no links.
fn large_file() -> String {
    let mut file = HEAD.to_owned();
    for folder in 0..10 {
        let _ = writeln!(file, "<DT><H3>Folder {folder}</H3><DL><p>");
        for n in 0..120 {
            let at = 1_600_000_000 + folder * 1_000 + n;
            let _ = writeln!(
                file,
                "<DT><A HREF=\"https://f{folder}.example/{n}\" ADD_DATE=\"{at}\" TAGS=\"t{}\">Link {folder}.{n}</A>",
                n % 7
            );
        }
        for n in 0..5 {
            let _ = writeln!(
                file,
                "<DT><A HREF=\"http://www.f{folder}.example/{n}/?utm_source=x\">Twin {folder}.{n}</A>"
            );
            let _ = writeln!(file, "<DT><A HREF=\"javascript:void({n})\">Bookmarklet {folder}.{n}</A>");
        }
        file.push_str("</DL><p>\n");
    }
    file + "</DL>\n"
}

on_both_engines!(a_ragged_file_is_accounted_for_to_its_last_link);
async fn a_ragged_file_is_accounted_for_to_its_last_link(app: App) {
    let owner = app.signed_in("owner").await;
    let report = imports(&owner, RAGGED).await.has("h1", "Bookmarks imported").has(".lede", "bookmarks.html");
    let [new, kept, refused] = tally(&report);
    assert_eq!((new + kept + refused, new, refused), (RAGGED_LINKS, 9, 3));
    let lines = report.texts(".ledger tbody tr td:first-child");
    assert_eq!(lines, ["8", "30", "31"]);
    report
        .has(".ledger", "“place:” addresses can’t be saved")
        .has(".ledger", "“javascript:”")
        .has(".ledger", "Enter the address");
    let again = imports(&owner, RAGGED).await.has("h1", "Nothing new to import");
    assert_eq!(tally(&again), [0, new, refused]);
    assert_eq!(again.attributes("details.block li a", "href").len(), new);
}

on_both_engines!(folders_dates_and_notes_are_kept);
async fn folders_dates_and_notes_are_kept(app: App) {
    let owner = app.signed_in("owner").await;
    imports(&owner, RAGGED).await;
    let tides = find(&owner, "https://tides.example/").await;
    assert_eq!(
        (&tides["title"], &tides["tags"]),
        (&json!("Tide tables & moon"), &json!(["harbour", "sea", "tables"]))
    );
    assert_eq!(tides["created_at"], "2023-11-14T22:13:23.000Z");
    assert_eq!(tides["body"], "High water,\nlow water\nand the moon.\n\nKept by hand — since 1998.");
    let rust = find(&owner, "https://rust.example/?a=1&b=2").await;
    assert_eq!(
        (&rust["tags"], &rust["created_at"]),
        (&json!(["Work/Rust <lang>"]), &json!("2023-11-14T22:13:25.000Z"))
    );
    let untitled = find(&owner, "https://untitled.example/").await;
    assert_eq!((&untitled["title"], &untitled["tags"]), (&json!("untitled.example"), &json!(["one", "two"])));
    owner
        .get("/resources?tag=work")
        .await
        .ok()
        .has(".entry-title", "Rust &amp; friends")
        .has(".entry-title", "After a folder");
    let revisions =
        owner.get(&format!("/api/v1/resources/{}/revisions", rust["id"].as_str().unwrap())).await.ok().json();
    assert_eq!(
        (&revisions["items"][0]["via"], &revisions["items"][0]["version"]),
        (&json!("import"), &json!(1))
    );
    assert_eq!(revisions["items"][0]["tags"], rust["tags"]);
}

on_both_engines!(thousands_of_links_come_in_at_once);
async fn thousands_of_links_come_in_at_once(app: App) {
    let owner = app.signed_in("owner").await;
    let file = large_file();
    let report = imports(&owner, file.as_bytes()).await;
    assert_eq!(tally(&report), [1_200, 50, 50]);
    assert_eq!(report.texts(".ledger tbody tr").len(), 50);
    let tags = owner.get("/api/v1/tags").await.ok().json();
    assert!(
        tags["items"].as_array().expect("items").contains(&json!({ "name": "Folder 3", "count": 120 })),
        "{tags}"
    );
    let newest = owner.get("/api/v1/resources?limit=1&sort=newest").await.ok().json();
    assert_eq!(
        (&newest["items"][0]["title"], &newest["items"][0]["created_at"]),
        (&json!("Link 9.119"), &json!("2020-09-13T14:58:39.000Z"))
    );
    owner.get("/api/v1/resources?q=%22link+7.77%22").await.ok().text_has("f7.example/77");
    let again = imports(&owner, file.as_bytes()).await;
    assert_eq!(tally(&again), [0, 1_250, 50]);
    again.text_has("The first 500 are shown");
}

on_both_engines!(what_is_kept_already_gets_new_tags_and_nothing_else);
async fn what_is_kept_already_gets_new_tags_and_nothing_else(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Mine", "url": "https://tides.example/", "tags": ["own"], "visibility": "public" })).await;
    let report = imports(&owner, RAGGED).await;
    assert_eq!(tally(&report), [8, 1, 3]);
    report
        .has(&format!("details a[href='{}']", entry.page()), "Tide tables & moon")
        .has("#kept li", "new tags: sea, tables, harbour");
    let kept = owner.get(&entry.api()).await.ok().json();
    assert_eq!(
        (&kept["title"], &kept["tags"], &kept["version"]),
        (&json!("Mine"), &json!(["harbour", "own", "sea", "tables"]), &json!(2))
    );
    assert_eq!((&kept["body"], &kept["visibility"]), (&json!(""), &json!("public")));
    owner.get("/resources?tag=harbour").await.ok().has(".entry-title", "Mine");
    let versions = owner.get(&format!("{}/revisions", entry.api())).await.ok().json();
    assert_eq!(
        (&versions["items"][0]["via"], &versions["items"][0]["tags"]),
        (&json!("import"), &kept["tags"])
    );
    let again = imports(&owner, RAGGED).await.has("#kept", "No new tags were added");
    assert_eq!(tally(&again), [0, 9, 3]);
    assert_eq!(owner.get(&entry.api()).await.ok().json()["version"], 2);
}

on_both_engines!(an_import_goes_to_ones_own_library_under_the_chosen_visibility);
async fn an_import_goes_to_ones_own_library_under_the_chosen_visibility(app: App) {
    let (owner, other) = (app.signed_in("owner").await, app.signed_in("other").await);
    let sent = owner.uploads("/import", "b.html", RAGGED, &[("visibility", "members")]).await.is(303);
    other.get("/resources").await.ok().has(".entry-title", "Tide tables & moon");
    app.visitor().get("/").await.redirects_to("/login");
    other.get(&sent.header("location")).await.error_page(404);
    assert_eq!(tally(&imports(&other, RAGGED).await), [9, 0, 3]);
}

on_both_engines!(what_is_no_bookmarks_file_is_refused_with_a_sentence);
async fn what_is_no_bookmarks_file_is_refused_with_a_sentence(app: App) {
    let owner = app.signed_in("owner").await;
    let damaged = format!("{HEAD}<DT><A {}>x</A>", "a=b ".repeat(2_000));
    for (file, sentence) in [
        (&b""[..], "empty"),
        (b"  \n", "empty"),
        (b"<!doctype html><p>A page", "It seems to be a web page"),
        (b"just text", "contains no bookmarks"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "It seems to be a picture"),
        (b"\0\x01\0\x02\0\x03\0\x04", "isn’t a text file"),
        (b"{\"roots\":{}}", "contains no bookmarks"),
        (damaged.as_bytes(), "damaged"),
    ] {
        let refused = owner.uploads("/import", "b.html", file, &[("visibility", "public")]).await.is(422);
        refused
            .has("#file-error", sentence)
            .has("#refused", "Nothing was imported")
            .holds("visibility", "public");
    }
    let refused = owner.uploads("/import", "b.html", RAGGED, &[("visibility", "everyone")]).await.is(422);
    refused.has("#visibility-error", "private, members or public");
    owner.post_form("/import", &[]).await.error_page(415);
    owner.get("/api/v1/resources").await.ok().text_has("\"items\":[]");
}

on_both_engines!(an_empty_tree_of_folders_is_no_error);
async fn an_empty_tree_of_folders_is_no_error(app: App) {
    let owner = app.signed_in("owner").await;
    let file = format!("{HEAD}<DT><H3>Empty</H3><DL><p></DL><p></DL>");
    assert_eq!(tally(&imports(&owner, file.as_bytes()).await), [0, 0, 0]);
}

on_both_engines!(odd_texts_in_a_file_do_not_stop_it);
async fn odd_texts_in_a_file_do_not_stop_it(app: App) {
    let owner = app.signed_in("owner").await;
    let (long, tags) = ("x".repeat(3_000), (0..80).map(|n| format!("t{n}")).collect::<Vec<_>>().join(","));
    let file = format!(
        "{HEAD}<DT><A HREF=\"https://1.example/\">{long}</A><DT><A HREF=\"https://2.example/\" TAGS=\"{long},{tags}\">Tags</A>\
         <DT><A HREF=\"https://3.example/{long}\">Too long</A><DT><A HREF=\"https://4.example/\" ADD_DATE=\"99999999999999999999\">Far ahead</A>\
         <DT><A HREF=\"https://5.example/\" ADD_DATE=\"-5\">Long ago</A><DT><A HREF=\"https://6.example/\" TAGS=\"\u{202e}a, b\u{1}c,,#\">Controls</A>\
         <DT><H3>{long}/a,b</H3><DL><A HREF=\"https://7.example/\">Deep</A></DL><DT><A HREF=\"https://8.example/\">\u{202e}&#0;&#xFFFF;</A></DL>"
    );
    let report = imports(&owner, file.as_bytes()).await;
    assert_eq!(tally(&report), [7, 0, 1]);
    report
        .has("#shortened", "title is longer")
        .has("#shortened", "Left out")
        .has("#shortened", "tag is longer");
    let cut = find(&owner, "https://1.example/").await;
    assert_eq!(cut["title"].as_str().map(|title| title.chars().count()), Some(500));
    assert!(
        cut["body"].as_str().is_some_and(|body| body.contains(&long)),
        "the whole title stays in the text"
    );
    assert_eq!(find(&owner, "https://2.example/").await["tags"].as_array().map(Vec::len), Some(50));
    owner.get("/resources").await.ok();
}

on_both_engines!(file_names_are_shown_and_harmless);
async fn file_names_are_shown_and_harmless(app: App) {
    let owner = app.signed_in("owner").await;
    for name in ["../../etc/passwd", "<script>alert(1)</script>.html", "x.exe", &"n".repeat(5_000)] {
        let sent = owner.uploads("/import", name, RAGGED, &[]).await.is(303);
        let report = owner.get(&sent.header("location")).await.ok();
        report.has(".lede", &name.chars().take(200).collect::<String>()).has_no("main script");
    }
}

on_both_engines!(two_imports_at_once_keep_each_address_once);
async fn two_imports_at_once_keep_each_address_once(app: App) {
    let owner = app.signed_in("owner").await;
    let file = large_file();
    let (one, two) = tokio::join!(imports(&owner, file.as_bytes()), imports(&owner, file.as_bytes()));
    assert_eq!(tally(&one)[0] + tally(&two)[0], 1_200);
    assert_eq!(tally(&one).iter().sum::<usize>() + tally(&two).iter().sum::<usize>(), 2_600);
}

/// `coffer` with these arguments: whether it succeeded, and what it said.
fn command(library: &Stopped, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coffer"));
    command.env_clear().current_dir(library.data_dir()).args(arguments).args(&library.settings);
    let output = command.output().expect("coffer runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

on_both_engines!(the_command_imports_a_file_too);
async fn the_command_imports_a_file_too(app: App) {
    app.has_account("owner", Role::Member).await;
    let library = app.stop().await;
    std::fs::write(library.data_dir().join("b.html"), RAGGED).expect("a file");
    let (done, said) = command(&library, &["import", "b.html"]);
    assert!(done && said.contains("9 new, 0 already saved, 3 skipped."), "{said}");
    assert!(said.contains("line 30: ") && said.contains("(Bookmarklet javascript:"), "{said}");
    let (done, said) = command(&library, &["import", "b.html", "--user", "owner", "--visibility", "public"]);
    assert!(done && said.contains("0 new, 9 already saved, 3 skipped."), "{said}");
    let (done, said) = command(&library, &["import", "b.html", "--user=owner", "--preview"]);
    assert!(done && said.contains("It makes 0 new tags.") && said.contains("  line 30: "), "{said}");
    std::fs::write(library.data_dir().join("c.html"), many_refused()).expect("a file");
    let (done, said) = command(&library, &["import", "c.html", "--user=owner", "--preview"]);
    assert!(done && said.contains("New tags: t0, t1,") && said.contains("  … and 10 more"), "{said}");
    assert!(
        said.contains("  line 23: ") && !said.contains("  line 24: ") && said.contains("  … and 5 more"),
        "{said}"
    );
    for (arguments, sentence) in [
        (["import", "b.html", "--user=nobody"], "There is no account nobody"),
        (["import", "absent.html", "--user=owner"], "Cannot read absent.html"),
        (["import", "secret.key", "--user=owner"], "contains no bookmarks"),
        (["import", "b.html", "--visibility=all"], "invalid value 'all'"),
    ] {
        let (done, said) = command(&library, &arguments);
        assert!(!done && said.contains(sentence), "{said}");
    }
}

/// 25 lines that are no links, from line 4, then a link with 60 tags in two rows.
fn many_refused() -> String {
    let tags = |from: usize| (from..from + 30).map(|n| format!("t{n}")).collect::<Vec<_>>().join(",");
    let link = |from| format!("<DT><A HREF=\"https://{from}.example/\" TAGS=\"{}\">x</A>\n", tags(from));
    format!("{HEAD}{}{}{}", "<DT><A HREF=\"javascript:x()\">No</A>\n".repeat(25), link(0), link(30))
}

/// A bookmarks file with these lines.
fn file_of(lines: &str) -> Vec<u8> {
    format!("{HEAD}{lines}\n</DL><p>\n").into_bytes()
}

on_both_engines!(an_address_in_two_folders_is_one_entry_with_both);
async fn an_address_in_two_folders_is_one_entry_with_both(app: App) {
    let owner = app.signed_in("owner").await;
    let file = file_of(
        "<DT><H3>History</H3><DL><p><DT><A HREF=\"https://lang.example/c\" ADD_DATE=\"1700000001\">C family</A></DL><p>
        <DT><H3>Programming</H3><DL><p><DT><A HREF=\"http://www.lang.example/c/\" TAGS=\"blue\" PRIVATE=\"1\">Other</A>
        <DD>only here
        <DT><A HREF=\"https://lang.example/d\" PRIVATE=\"0\">D</A></DL><p>",
    );
    let sent = owner.uploads("/import", "b.html", &file, &[("visibility", "public")]).await.is(303);
    let report =
        owner.get(&sent.header("location")).await.ok().has("#kept li", "new tags: Programming, blue");
    assert_eq!(tally(&report), [2, 1, 0]);
    let both = find(&owner, "https://lang.example/c").await;
    assert_eq!((&both["title"], &both["body"]), (&json!("C family"), &json!("only here")));
    assert_eq!(both["tags"], json!(["blue", "History", "Programming"]));
    assert_eq!(
        (&both["visibility"], &both["created_at"]),
        (&json!("private"), &json!("2023-11-14T22:13:21.000Z"))
    );
    assert_eq!(find(&owner, "https://lang.example/d").await["visibility"], "public");
    owner.get("/resources?tag=programming").await.ok().has(".entry-title", "C family");
}

on_both_engines!(names_of_folders_and_tags_lose_no_more_than_their_marks);
async fn names_of_folders_and_tags_lose_no_more_than_their_marks(app: App) {
    let owner = app.signed_in("owner").await;
    let mut lines = String::new();
    for (number, folder) in
        ["新闻，科技", "雷号、列表", "\u{200E}Favourites", "C\u{200B}D", "bell\u{7}x"].iter().enumerate()
    {
        let _ = writeln!(
            lines,
            "<DT><H3>{folder}</H3><DL><p><DT><A HREF=\"https://{number}.example/\">x</A></DL><p>"
        );
    }
    lines += "<DT><A HREF=\"https://5.example/\" TAGS=\"编程，设计,rust\" TOREAD=\"1\" LAST_MODIFIED=\"1710000000\" ADD_DATE=\"1700000000\">x</A>\n";
    for level in 0..20 {
        let _ = writeln!(lines, "<DT><H3>Level number {level}</H3><DL><p>");
    }
    lines += "<DT><A HREF=\"https://deep.example/\">x</A>\n";
    let report = imports(&owner, &file_of(&lines)).await.has("#shortened", "longer than 200 characters");
    assert_eq!(tally(&report), [7, 0, 0]);
    for (number, tag) in ["新闻 科技", "雷号 列表", "Favourites", "CD", "bellx"].iter().enumerate() {
        assert_eq!(find(&owner, &format!("https://{number}.example/")).await["tags"], json!([tag]));
    }
    let tagged = find(&owner, "https://5.example/").await;
    assert_eq!((&tagged["tags"], &tagged["unread"]), (&json!(["rust", "编程", "设计"]), &json!(true)));
    assert_eq!(tagged["created_at"], json!("2023-11-14T22:13:20.000Z"));
    assert!(tagged["updated_at"].as_str() > Some("2026-01-01"), "as it came in: {tagged}");
    let entry = find(&owner, "https://deep.example/").await;
    let path = entry["tags"][0].as_str().expect("a tag");
    assert!(
        path.starts_with("Level number 0/Level number 1/")
            && path.ends_with('…')
            && path.chars().count() <= 200,
        "{path}"
    );
    owner.get(&format!("/resources?tag={}", encode(path))).await.ok().has(".entry-title", "x");
    let page = format!("/api/v1/resources/{}", entry["id"].as_str().unwrap());
    let change = json!({ "title": "Still here", "tags": [path, "more"] });
    owner.json(reqwest::Method::PATCH, &page, change).if_match("*").await.ok();
}

on_both_engines!(descriptions_are_plain_text_and_notes_come_in_once);
async fn descriptions_are_plain_text_and_notes_come_in_once(app: App) {
    let owner = app.signed_in("owner").await;
    let file = file_of(
        "<DT><A HREF=\"https://1.example/\">One</A>
<DD>How to use Vec&lt;String&gt; and &lt;script&gt;
# 1 reason why
<DT><A HREF=\"https://2.example/\">The <script> element</A>
<DD>Shopping:
- fruit
  - apples
<DT><A HREF=\"/shaare/f6PbvA\" TAGS=\"travel\">Note: packing list</A>
<DD>- tent
<DT><A HREF=\"?WDWyig\">Note: old style</A>",
    );
    assert_eq!(tally(&imports(&owner, &file).await), [4, 0, 0]);
    let one = find(&owner, "https://1.example/").await;
    let page = owner.get(&format!("/resources/{}", one["id"].as_str().unwrap())).await.ok();
    page.has("main", "Vec<String> and <script>").has("main", "# 1 reason why");
    let two = find(&owner, "https://2.example/").await;
    assert_eq!(
        (&two["title"], &two["body"]),
        (&json!("The <script> element"), &json!("Shopping:\n- fruit\n  - apples"))
    );
    let list = owner.get("/api/v1/resources?q=packing").await.ok().json();
    assert_eq!((&list["items"][0]["kind"], &list["items"][0]["tags"]), (&json!("note"), &json!(["travel"])));
    assert_eq!(tally(&imports(&owner, &file).await), [0, 4, 0]);
}

on_both_engines!(a_guessed_encoding_is_told_and_can_be_chosen);
async fn a_guessed_encoding_is_told_and_can_be_chosen(app: App) {
    let owner = app.signed_in("owner").await;
    let lines = "<DT><A HREF=\"https://1.example/\">中华人民共和国新闻</A>\n<DT><A HREF=\"https://2.example/\">程序设计语言</A>";
    let gbk = encoding_rs::GBK.encode(lines).0.into_owned();
    let file = [HEAD.as_bytes(), &gbk, b"</DL>"].concat();
    let asked = owner.uploads("/import", "b.html", &file, &[("visibility", "members")]).await.is(422);
    let asked = asked.has("#charset-error", "It looks like GBK").has("select[name=charset]", "GBK");
    assert_eq!(asked.attributes("option[selected]", "value"), ["gbk"], "the guess need not be looked for");
    asked.has("#sample", "“中华人民共和国新闻”, “程序设计语言”");
    owner.uploads("/import", "b.html", &file, &[("charset", "klingon")]).await.is(422);
    owner.uploads("/import", "b.html", &file, &[("charset", "gb18030")]).await.is(303);
    assert_eq!(find(&owner, "https://2.example/").await["title"], "程序设计语言");
}

on_both_engines!(a_bookmarklet_is_told_what_it_is_however_long);
async fn a_bookmarklet_is_told_what_it_is_however_long(app: App) {
    let owner = app.signed_in("owner").await;
    let long = format!("javascript:(function(){{\n{}}})()", "alert(1);".repeat(500));
    let report = imports(&owner, &file_of(&format!("<DT><A HREF=\"{long}\">Clip</A>"))).await;
    report.has(".ledger", "coffer can’t save bookmarklets");
}

/// One link in a file that says nothing of its encoding.
fn gbk_file(url: &str) -> Vec<u8> {
    let line = format!("<DT><A HREF=\"{url}\">中华人民共和国新闻</A>");
    [HEAD.as_bytes(), &encoding_rs::GBK.encode(&line).0, b"</DL>"].concat()
}

on_both_engines!(the_command_reads_a_file_in_the_encoding_that_it_is_told);
async fn the_command_reads_a_file_in_the_encoding_that_it_is_told(app: App) {
    app.has_account("owner", Role::Member).await;
    let library = app.stop().await;
    for (name, url) in [("a.html", "https://a.example/"), ("b.html", "https://b.example/")] {
        std::fs::write(library.data_dir().join(name), gbk_file(url)).expect("a file");
    }
    for (arguments, sentence) in [
        (["import", "a.html", "--user=owner"], "It looks like GBK. Name the encoding with --charset"),
        (["import", "a.html", "--charset=klingon"], "invalid value 'klingon'"),
    ] {
        let (done, said) = command(&library, &arguments);
        assert!(!done && said.contains(sentence), "{said}");
    }
    for arguments in [["import", "a.html", "--charset=windows-1252"], ["import", "b.html", "--charset=GBK"]] {
        let (done, said) = command(&library, &arguments);
        assert!(done && said.contains("1 new"), "{said}");
    }
    let (_, said) = command(&library, &["export"]);
    assert!(said.contains("ÖÐ»ª") && said.contains("中华人民共和国新闻"), "each as it was told: {said}");
}

on_both_engines!(characters_that_could_not_be_read_are_told);
async fn characters_that_could_not_be_read_are_told(app: App) {
    let owner = app.signed_in("owner").await;
    let file = |broken: &[u8]| {
        let line = "<DT><A HREF=\"https://1.example/\">Žluťoučký kůň úpěl ďábelské ódy ".as_bytes();
        [HEAD.as_bytes(), line, broken, b"</A></DL>"].concat()
    };
    let report = imports(&owner, &file(b"\xff")).await;
    report.has("#unreadable", "1 character could not be read as UTF-8");
    assert_eq!(find(&owner, "https://1.example/").await["title"], "Žluťoučký kůň úpěl ďábelské ódy \u{fffd}");
    imports(&owner, &file(b"\xff \xfe")).await.has("#unreadable", "2 characters could not be read as UTF-8");
    imports(&owner, &file(b"")).await.has_no("#unreadable");

    let library = app.stop().await;
    std::fs::write(library.data_dir().join("b.html"), file(b"\xff")).expect("a file");
    let (done, said) = command(&library, &["import", "b.html"]);
    assert!(
        done && said
            .contains("1 character could not be read as UTF-8. To use a different encoding, add --charset"),
        "{said}"
    );
}

on_both_engines!(what_a_file_marks_as_private_stays_so_whatever_is_chosen);
async fn what_a_file_marks_as_private_stays_so_whatever_is_chosen(app: App) {
    let owner = app.signed_in("owner").await;
    for choice in ["private", "members", "public"] {
        let mut file = String::new();
        let flags = ["PRIVATE=\"1\"", "PRIVATE=\"true\"", "PRIVATE=YES", "PRIVATE", "PRIVATE=\"0\"", ""];
        for (place, flag) in flags.iter().enumerate() {
            let _ = writeln!(file, "<DT><A HREF=\"https://{choice}.example/{place}\" {flag}>{flag}</A>");
        }
        owner.uploads("/import", "b.html", &file_of(&file), &[("visibility", choice)]).await.is(303);
        for (place, flag) in flags.iter().enumerate() {
            let wanted = if place < 4 { "private" } else { choice };
            let found = find(&owner, &format!("https://{choice}.example/{place}")).await;
            assert_eq!(found["visibility"], wanted, "{flag} as {choice}");
        }
    }
    let public = app.visitor().get("/api/v1/resources").await.ok().json();
    assert_eq!(public["items"].as_array().map(Vec::len), Some(2), "{public}");
}

on_both_engines!(a_thousand_kept_links_get_new_tags_at_once);
async fn a_thousand_kept_links_get_new_tags_at_once(app: App) {
    let owner = app.signed_in("owner").await;
    let file = large_file();
    imports(&owner, file.as_bytes()).await;
    let again = imports(&owner, file.replace("TAGS=\"t", "TAGS=\"u").as_bytes()).await;
    again.has("#kept", "New tags were added to 1200 of them");
    for (n, tag) in [(0, "u0"), (6, "u6"), (119, "u0")] {
        let kept = find(&owner, &format!("https://f9.example/{n}")).await;
        assert_eq!((&kept["tags"][2], &kept["version"]), (&json!(tag), &json!(2)));
        let path = format!("/api/v1/resources/{}/revisions", kept["id"].as_str().expect("an id"));
        let versions = owner.get(&path).await.ok().json();
        assert_eq!(versions["items"].as_array().map(Vec::len), Some(2));
        assert_eq!(
            (&versions["items"][0]["tags"], &versions["items"][0]["via"]),
            (&kept["tags"], &json!("import"))
        );
    }
    let tags = owner.get("/api/v1/tags").await.ok().json();
    let count = |name: &str| {
        let tags = tags["items"].as_array().expect("tags").iter();
        tags.filter(|tag| tag["name"] == name).map(|tag| tag["count"].as_i64()).next().flatten()
    };
    assert_eq!((count("u0"), count("t0")), (Some(180), Some(180)), "{tags}");
}

#[tokio::test]
async fn a_file_of_more_links_than_come_in_at_once_is_refused() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let owner = app.signed_in("owner").await;
    let file = file_of(&"<DT><A HREF=x>\n".repeat(200_001));
    let refused = owner.uploads("/import", "b.html", &file, &[("visibility", "private")]).await.is(422);
    refused.has("#file-error", "This file has 200001 links; at most 200000 can be imported at once.");
}

on_both_engines!(a_kept_link_takes_as_many_new_tags_as_there_is_room_for);
async fn a_kept_link_takes_as_many_new_tags_as_there_is_room_for(app: App) {
    let owner = app.signed_in("owner").await;
    let tags: Vec<String> = (0..49).map(|n| format!("t{n}")).collect();
    owner.saves(json!({ "title": "Full", "url": "https://full.example/", "tags": tags })).await;
    let file = file_of("<DT><A HREF=\"https://full.example/\" TAGS=\"u1,u2\">Full</A>");
    imports(&owner, &file).await.has("#kept li", "new tags: u1").has("#shortened td", "Left out: u2");
    assert_eq!(find(&owner, "https://full.example/").await["tags"].as_array().map(Vec::len), Some(50));
}

on_both_engines!(tags_of_a_link_that_stands_in_the_file_twice_are_told_once);
async fn tags_of_a_link_that_stands_in_the_file_twice_are_told_once(app: App) {
    let owner = app.signed_in("owner").await;
    owner.saves(json!({ "title": "Kept", "url": "https://kept.example/" })).await;
    let twice = "<DT><A HREF=\"https://kept.example/\" TAGS=\"a\">One</A>\n<DT><A HREF=\"https://kept.example/\" TAGS=\"b\">Two</A>";
    let report = imports(&owner, &file_of(twice)).await;
    assert_eq!(tally(&report), [0, 2, 0]);
    report.has("#kept", "New tags were added to 1 of them").has("#kept li", "One · new tags: a, b");
}

on_both_engines!(a_note_in_the_trash_stays_there);
async fn a_note_in_the_trash_stays_there(app: App) {
    let owner = app.signed_in("owner").await;
    let file = file_of("<DT><A HREF=\"?Xy12ab\">A note</A>\n<DD>High water");
    for expected in [[1, 0, 0], [0, 1, 0]] {
        assert_eq!(tally(&imports(&owner, &file).await), expected);
    }
    let items = owner.get("/api/v1/resources").await.ok().json();
    let note = items["items"][0]["id"].as_str().expect("an id").to_owned();
    owner.post_form(&format!("/resources/{note}/trash"), &[]).await.redirects_to("/resources");
    let report = imports(&owner, &file).await;
    assert_eq!(tally(&report), [0, 0, 0]);
    report.has("#thrown-away h2", "1 link is already in your trash").has("#thrown-away a", "A note");
}

#[tokio::test]
async fn a_file_name_is_shown_without_what_nobody_sees() {
    let app = App::with(Engine::Sqlite, &[]).await;
    app.has_account("owner", Role::Member).await;
    let file = File { name: "b\u{7}\u{1b}[31m.html", bytes: RAGGED.into(), choices: Choices::default() };
    let imported = app.coffer.library.resources.import(&app.viewer("owner").await, file, |_, _| ()).await;
    assert_eq!(imported.expect("a report").1.file_name, "b[31m.html");
}

/// SQLite would plan by a library of one entry: tens of thousands of links would take minutes.
#[tokio::test]
async fn what_came_in_is_reckoned_with_at_once() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let owner = app.signed_in("owner").await;
    owner.saves(json!({ "title": "Alone", "tags": ["one"] })).await;
    app.coffer.db.refresh_statistics().await.expect("statistics");
    imports(&owner, large_file().as_bytes()).await;
    let mut file = opens_the_file(&app).await;
    let known = "SELECT stat FROM sqlite_stat1 WHERE tbl = 'resource_tags' AND idx IS NOT NULL";
    let known: Vec<String> = sqlx::query_scalar(known).fetch_all(&mut file).await.expect("statistics");
    let rows = known.iter().filter_map(|stat| stat.split(' ').next()?.parse::<u32>().ok());
    assert!(rows.min().is_some_and(|rows| rows > 500), "{known:?}");
}

const IMPORTS: &str = "/api/v1/imports";
const TWO_LINKS: &str = "<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<DL><p>\n\
    <DT><A HREF=\"https://known.example/\" TAGS=\"sea\">Known</A>\n\
    <DT><A HREF=\"https://new.example/\" TAGS=\"moon\">New</A>\n</DL><p>\n";

async fn previews(actor: &Actor, query: &str, file: &str) -> Answer {
    actor.sends(Method::POST, &format!("{IMPORTS}{query}"), "application/octet-stream", file).await
}

async fn titles_of(actor: &Actor) -> Vec<String> {
    let list = actor.get("/api/v1/resources?sort=title").await.ok().json();
    let items = list["items"].as_array().expect("items").iter();
    items.map(|item| item["title"].as_str().expect("a title").to_owned()).collect()
}

on_both_engines!(a_program_previews_commits_and_undoes_an_import);
async fn a_program_previews_commits_and_undoes_an_import(app: App) {
    let (owner, other) = (app.signed_in("owner").await, app.signed_in("other").await);
    let known =
        owner.saves(json!({ "url": "https://known.example/", "title": "Known", "tags": ["old"] })).await;
    let before = owner.get(&known.api()).await.ok().json();
    let preview = previews(&owner, "?name=mine.html&visibility=members", TWO_LINKS).await.is(201);
    let (place, preview) = (preview.header("location"), preview.json());
    let counts = |import: &Value| {
        let report = &import["report"];
        ["new", "duplicate", "merged"].map(|name| report[name].as_u64().expect("a count"))
    };
    assert_eq!((preview["state"].as_str(), counts(&preview)), (Some("previewed"), [1, 1, 1]));
    assert_eq!(preview["report"]["file_name"], "mine.html");
    assert_eq!(preview["report"]["duplicates"][0]["added"], json!(["sea"]));
    assert_eq!(
        (titles_of(&owner).await, owner.get(&known.api()).await.ok().json()),
        (vec!["Known".to_owned()], before.clone())
    );
    other.get(&place).await.is(404);
    other.json_free(Method::POST, &format!("{place}/commit")).await.is(404);
    owner.json_free(Method::POST, &format!("{place}/undo")).await.is(409).problem("wrong_state");

    let done = owner.json_free(Method::POST, &format!("{place}/commit")).await.ok().json();
    assert_eq!((done["state"].as_str(), counts(&done)), (Some("committed"), [1, 1, 1]));
    assert_eq!(titles_of(&owner).await, ["Known", "New"]);
    assert_eq!(owner.get(&known.api()).await.ok().json()["tags"], json!(["old", "sea"]));
    owner.json_free(Method::POST, &format!("{place}/commit")).await.is(409).problem("wrong_state");

    let undone = owner.json_free(Method::POST, &format!("{place}/undo")).await.ok().json();
    assert_eq!((&undone["state"], &undone["kept"]), (&json!("undone"), &json!([])));
    assert_eq!(titles_of(&owner).await, ["Known"]);
    assert_eq!(owner.get(&known.api()).await.ok().json()["tags"], before["tags"]);
    let tags = owner.get("/api/v1/tags").await.ok().json();
    assert_eq!(tags["items"].as_array().map(Vec::len), Some(1), "{tags}");
    owner.json_free(Method::POST, &format!("{place}/undo")).await.is(409).problem("wrong_state");
    let again = previews(&owner, "", TWO_LINKS).await.is(201).json();
    assert_eq!(counts(&again), [1, 1, 1], "the file can come in again");
}

on_both_engines!(an_undo_leaves_what_was_changed_since);
async fn an_undo_leaves_what_was_changed_since(app: App) {
    let owner = app.signed_in("owner").await;
    let known =
        owner.saves(json!({ "url": "https://known.example/", "title": "Known", "tags": ["old"] })).await;
    let import = previews(&owner, "", TWO_LINKS).await.is(201).header("location");
    owner.json_free(Method::POST, &format!("{import}/commit")).await.ok();
    let new = owner.get("/api/v1/resources/lookup?url=https://new.example/").await.ok().json();
    for entry in [new["id"].as_str().expect("an id"), &known.id] {
        let path = format!("/api/v1/resources/{entry}");
        owner.json(Method::PATCH, &path, json!({ "body": "Mine now" })).if_match("*").await.ok();
    }
    let undone = owner.json_free(Method::POST, &format!("{import}/undo")).await.ok().json();
    let kept = undone["kept"].as_array().expect("entries").iter().map(|entry| entry["title"].clone());
    assert_eq!(kept.collect::<Vec<_>>(), ["Known", "New"]);
    assert_eq!(titles_of(&owner).await, ["Known", "New"]);
    let page = owner.get(&import.replace("/api/v1/imports", "/import")).await.ok();
    page.has("h1", "Import undone").has("#stayed a", "New");
}

on_both_engines!(an_import_is_open_for_thirty_days);
async fn an_import_is_open_for_thirty_days(app: App) {
    let owner = app.signed_in("owner").await;
    let done = previews(&owner, "", TWO_LINKS).await.is(201).header("location");
    owner.json_free(Method::POST, &format!("{done}/commit")).await.ok();
    let waiting = previews(&owner, "", TWO_LINKS).await.is(201).header("location");
    app.later(Duration::from_hours(31 * 24));
    app.coffer.library.resources.forget_previews().await.expect("forgotten");
    let owner = app.another_browser_of("owner").await;
    owner.json_free(Method::POST, &format!("{done}/undo")).await.is(409).problem("wrong_state");
    owner.get(&waiting).await.is(404);
    let refused = owner.json_free(Method::POST, &format!("{done}/commit")).await.is(409);
    assert_eq!(refused.json()["detail"], "This import is committed already.");
}

on_both_engines!(a_file_that_is_none_is_refused_over_the_api);
async fn a_file_that_is_none_is_refused_over_the_api(app: App) {
    let owner = app.signed_in("owner").await;
    previews(&owner, "", "").await.invalid("file");
    previews(&owner, "", "no bookmarks at all").await.invalid("file");
    previews(&owner, "?visibility=all", TWO_LINKS).await.invalid("visibility");
    previews(&owner, "?charset=klingon", TWO_LINKS).await.invalid("charset");
    previews(&owner, &format!("?name={}", "n".repeat(201)), TWO_LINKS).await.invalid("name");
    app.visitor().sends(Method::POST, IMPORTS, "text/html", TWO_LINKS).await.is(401);
}

on_both_engines!(the_page_previews_and_undoes_too);
async fn the_page_previews_and_undoes_too(app: App) {
    let owner = app.signed_in("owner").await;
    let sent =
        owner.uploads("/import", "mine.html", TWO_LINKS.as_bytes(), &[("step", "preview")]).await.is(303);
    let place = sent.header("location");
    owner.get(&place).await.ok().has("h1", "Nothing imported yet");
    assert!(titles_of(&owner).await.is_empty());
    owner.post_form(&format!("{place}/commit"), &[]).await.redirects_to(&place);
    owner.get(&place).await.ok().has("h1", "Bookmarks imported");
    assert_eq!(titles_of(&owner).await, ["Known", "New"]);
    owner.post_form(&format!("{place}/undo"), &[]).await.redirects_to(&place);
    owner.get(&place).await.ok().has("h1", "Import undone").has_no("form[action$='/undo']");
    assert!(titles_of(&owner).await.is_empty());
}

on_both_engines!(an_export_in_json_comes_back_the_same);
async fn an_export_in_json_comes_back_the_same(app: App) {
    let (owner, other) = (app.signed_in("owner").await, app.signed_in("other").await);
    for draft in [
        json!({ "url": "https://tides.example/", "title": "Tides", "body": "*High* \\<water>", "tags": ["north sea", "a/b"],
            "visibility": "members", "pinned": true, "unread": true, "created_at": "2020-05-03T14:05:00.000Z" }),
        json!({ "title": "A thought", "body": "1. One", "visibility": "public", "created_at": "2021-05-03T14:05:00.000Z" }),
    ] {
        owner.saves(draft).await;
    }
    let gone = owner.saves(json!({ "title": "Thrown away" })).await;
    owner.json_free(Method::DELETE, &gone.api()).await.is(204);
    let export = owner.get("/api/v1/export?format=json").await.ok().bytes().to_vec();
    let export = String::from_utf8(export).expect("UTF-8");
    let preview = previews(&other, "?visibility=public", &export).await.is(201);
    let report = preview.json()["report"].clone();
    assert_eq!(
        (&report["new"], &report["new_in_trash"], &report["refused"]),
        (&json!(3), &json!(1), &json!(0))
    );
    other.json_free(Method::POST, &format!("{}/commit", preview.header("location"))).await.ok();
    let (before, after) = (whole(&owner).await, whole(&other).await);
    assert_eq!((before.len(), &before), (2, &after));
    other.get("/trash").await.ok().text_has("Thrown away");
}

/// What an entry says, by title.
async fn whole(actor: &Actor) -> Vec<Value> {
    const SAID: [&str; 9] =
        ["kind", "title", "url", "body", "tags", "visibility", "pinned", "unread", "created_at"];
    let list = actor.get("/api/v1/resources?mine=true&include=body&sort=title").await.ok().json();
    let items = list["items"].as_array().expect("items").iter();
    items.map(|item| SAID.iter().map(|name| item[name].clone()).collect()).collect()
}

on_both_engines!(a_table_comes_in_and_names_what_it_refuses);
async fn a_table_comes_in_and_names_what_it_refuses(app: App) {
    let owner = app.signed_in("owner").await;
    let table = "title,url,time_added,tags,status\r\nTides,https://tides.example/,1572048000,sea|work,archive\r\n\r\n\
        Nothing,,1572048000,,unread\r\nA script,javascript:tides(),1572048000,,unread\r\n";
    let report = imports(&owner, table.as_bytes()).await;
    assert_eq!(tally(&report), [1, 0, 2]);
    let skipped = report.texts("[aria-label='Skipped lines'] tbody td");
    assert_eq!((&skipped[0], &skipped[3]), (&"4".to_owned(), &"5".to_owned()));
    assert!(skipped[2] == "Nothing" && skipped[5] == "A scriptjavascript:tides()", "{skipped:?}");
    let found = find(&owner, "https://tides.example/").await;
    assert_eq!(
        (&found["tags"], &found["created_at"]),
        (&json!(["archived", "sea", "work"]), &json!("2019-10-26T00:00:00.000Z"))
    );
    let preview = previews(&owner, "", table).await.is(201).json();
    let refused = &preview["report"]["refusals"];
    assert_eq!((&refused[0]["line"], &refused[1]["address"]), (&json!(4), &json!("javascript:tides()")));
}

on_both_engines!(a_preview_that_is_too_old_says_so);
async fn a_preview_that_is_too_old_says_so(app: App) {
    let owner = app.signed_in("owner").await;
    let waiting = previews(&owner, "", TWO_LINKS).await.is(201).header("location");
    let page = waiting.replace("/api/v1/imports", "/import");
    owner.get(&page).await.ok().has(".lede", "This is what the import will do.");
    app.later(Duration::from_hours(31 * 24));
    let owner = app.another_browser_of("owner").await;
    let old = owner.get(&page).await.ok().has(".lede", "older than 30 days").lacks("what the import will do");
    old.has_no("form[action$='/commit']").has("a[href='/import']", "Import another file");
    let refused = owner.json_free(Method::POST, &format!("{waiting}/commit")).await.is(409);
    assert_eq!(
        refused.json()["detail"],
        "This preview is older than 30 days. Preview the file again to commit it."
    );
}

on_both_engines!(columns_that_are_not_there_are_refused);
async fn columns_that_are_not_there_are_refused(app: App) {
    let owner = app.signed_in("owner").await;
    let table = "title,url\nTides,https://tides.example/\n";
    for columns in ["address:99", "address:2", "address:0,title:0", "address:0,address:1", "address:x"] {
        previews(&owner, &format!("?columns={columns}"), table).await.invalid("columns");
    }
    previews(&owner, "?columns=address:1,title:0", table).await.is(201);
    let sent = owner.uploads("/import", "a.csv", table.as_bytes(), &[("step", "preview")]).await.is(303);
    let place = sent.header("location");
    let fields = [("visibility", "private"), ("column-address", "1"), ("column-title", "1")];
    let refused = owner.post_form(&format!("{place}/preview"), &fields).await.is(422);
    refused.has("#columns-error", "can’t be address and title");
    let fields = [("visibility", "private"), ("column-address", "1"), ("column-title", "0")];
    owner.post_form(&format!("{place}/preview"), &fields).await.redirects_to(&place);
}

on_both_engines!(what_a_kept_entry_does_not_take_is_told);
async fn what_a_kept_entry_does_not_take_is_told(app: App) {
    let owner = app.signed_in("owner").await;
    owner
        .saves(json!({ "title": "Tides", "url": "https://tides.example/", "body": "Mine, and theirs" }))
        .await;
    let file = |marks: &str, notes: &str| {
        file_of(&format!("<DT><A HREF=\"https://tides.example/\" {marks}>Tides</A>\n<DD>{notes}\n"))
    };
    let told = imports(&owner, &file("TOREAD=\"1\"", "Others")).await;
    told.has("#shortened td", "Its notes and unread mark were left out: you have this link already");
    let told = imports(&owner, &file("DATA-IMPORTANT=\"true\"", "theirs")).await;
    told.has("#shortened td", "Its pin was left out");
    imports(&owner, &file("", "theirs")).await.has_no("#shortened");
    let kept = find(&owner, "https://tides.example/").await;
    assert_eq!(
        (&kept["body"], &kept["unread"], &kept["pinned"]),
        (&json!("Mine, and theirs"), &json!(false), &json!(false))
    );
}

on_both_engines!(notes_of_one_address_come_in_together);
async fn notes_of_one_address_come_in_together(app: App) {
    let owner = app.signed_in("owner").await;
    let table = "title,url,note,favorite,unread\nTides,https://tides.example/,High,,\nTides,http://www.tides.example/,Low,1,1\n";
    assert_eq!(tally(&imports(&owner, table.as_bytes()).await), [1, 1, 0]);
    let kept = find(&owner, "https://tides.example/").await;
    assert_eq!(
        (&kept["body"], &kept["pinned"], &kept["unread"]),
        (&json!("High\n\nLow"), &json!(true), &json!(true))
    );
    imports(&owner, table.as_bytes()).await.has_no("#shortened");
}

// Also where the equal ones come in by different steps.
on_both_engines!(equal_notes_of_an_export_stay_two_and_come_in_once);
async fn equal_notes_of_an_export_stay_two_and_come_in_once(app: App) {
    let owner = app.signed_in("owner").await;
    let note = |number: usize, marks: &str| {
        format!(
            "{{\"kind\":\"note\",\"title\":\"Note {number}\",\"body\":\"x\",{marks}\"visibility\":\"private\"}}"
        )
    };
    let many = (1..250).map(|number| note(number, ""));
    let all: Vec<String> =
        std::iter::once(note(0, "\"tags\":[\"one\"],\"created_at\":\"2020-05-03T14:05:00.000Z\","))
            .chain(many)
            .chain([note(
                0,
                "\"pinned\":true,\"tags\":[\"two\"],\"created_at\":\"2021-05-03T14:05:00.000Z\",",
            )])
            .collect();
    let file = format!("{{\"exported_at\": \"x\", \"resources\": [{}]}}", all.join(","));
    assert_eq!(tally(&imports(&owner, file.as_bytes()).await), [251, 0, 0]);
    let equal = owner.get("/api/v1/resources?q=%22Note+0%22").await.ok().json();
    let tags: Vec<_> =
        equal["items"].as_array().expect("items").iter().map(|item| item["tags"].clone()).collect();
    assert!(tags.contains(&json!(["one"])) && tags.contains(&json!(["two"])), "{equal}");
    let again = imports(&owner, file.as_bytes()).await.has_no("#shortened");
    assert_eq!(tally(&again), [0, 251, 0]);
    let once_more = imports(
        &owner,
        file.replacen("\"resources\": [", &format!("\"resources\": [{},", note(0, "")), 1).as_bytes(),
    )
    .await;
    assert_eq!(tally(&once_more), [1, 251, 0]);
}

on_both_engines!(a_collection_that_is_not_public_stays_private);
async fn a_collection_that_is_not_public_stays_private(app: App) {
    let owner = app.signed_in("owner").await;
    let file = r#"{"collections":[{"id":1,"name":"Sea","isPublic":false,"links":[{"id":7,"name":"A","url":"https://a.example/"}]},
        {"id":2,"name":"North","parentId":1,"isPublic":true,"links":[{"id":8,"name":"B","url":"https://b.example/"}]}],
        "pinnedLinks":[{"id":8}]}"#;
    owner.uploads("/import", "b.json", file.as_bytes(), &[("visibility", "public")]).await.is(303);
    let (one, other) = (find(&owner, "https://a.example/").await, find(&owner, "https://b.example/").await);
    assert_eq!((&one["visibility"], &other["visibility"]), (&json!("private"), &json!("public")));
    assert_eq!((&other["tags"], &other["pinned"]), (&json!(["Sea/North"]), &json!(true)));
}

on_both_engines!(states_of_instapaper_are_no_tags_whatever_becomes_of_folders);
async fn states_of_instapaper_are_no_tags_whatever_becomes_of_folders(app: App) {
    let list = |name: &str| {
        format!("<h1>{name}</h1><ol><li><a href=\"https://{}.example/\">x</a></li></ol>", name.to_lowercase())
    };
    let lists = ["Unread", "Archive", "Starred", "Recipes"].map(list).concat();
    let file = format!(
        "<!DOCTYPE html><html><head><title>Instapaper: Export</title></head><body>{lists}</body></html>"
    );
    for (person, folders, recipes) in [("one", "tags", json!(["Recipes"])), ("two", "out", json!([]))] {
        let owner = app.signed_in(person).await;
        owner.uploads("/import", "b.html", file.as_bytes(), &[("folders", folders)]).await.is(303);
        let unread = find(&owner, "https://unread.example/").await;
        assert_eq!((&unread["unread"], &unread["tags"]), (&json!(true), &json!([])));
        assert_eq!(find(&owner, "https://archive.example/").await["tags"], json!(["archived"]));
        let starred = find(&owner, "https://starred.example/").await;
        assert_eq!((&starred["pinned"], &starred["tags"]), (&json!(true), &json!([])));
        assert_eq!(find(&owner, "https://recipes.example/").await["tags"], recipes);
    }
}

on_both_engines!(a_file_without_an_ending_can_be_chosen);
async fn a_file_without_an_ending_can_be_chosen(app: App) {
    let owner = app.signed_in("owner").await;
    let page = owner
        .get("/import")
        .await
        .ok()
        .has("#file-help", "Reading positions and copies of pages are left out");
    assert!(page.attributes("input[type=file]", "accept").is_empty(), "Chrome’s file has no ending");
}
