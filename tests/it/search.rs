//! The search language finds the same on both engines, and shows where.

use std::collections::BTreeSet;
use std::time::Duration;

use coffer::web::forms::encode;
use serde_json::json;

use crate::support::actor::Actor;
use crate::support::app::App;
use crate::support::on_both_engines;

/// A library whose entries are known by one letter, and the day on which `d` and later ones were saved.
async fn library(app: &App) -> (Actor, String) {
    let (owner, other) = (app.signed_in("owner").await, app.signed_in("other").await);
    owner
        .saves(json!({ "title": "a Tide tables", "url": "https://tides.example.org/leith", "tags": ["sea", "tables"],
            "body": "High water at **noon**, low water at six." }))
        .await;
    owner
        .saves(json!({ "title": "b Moon phases", "tags": ["sea/moon"], "body": "The tide follows the moon; see the table." }))
        .await;
    owner
        .saves(json!({ "title": "c Crème brûlée", "url": "https://www.recipes.example.com/creme", "tags": ["Recipes"],
            "body": "Sugar & cream, from the Straße." }))
        .await;
    app.later(Duration::from_hours(48));
    let day = app.now().rfc3339()[..10].to_owned();
    owner
        .saves(json!({ "title": "d 東京タワー", "tags": ["travel/japan"], "body": "A tower in Tokyo" }))
        .await;
    owner
        .saves(json!({ "title": "e Rust book", "url": "http://doc.rust-lang.org/book", "tags": ["work/rust"], "pinned": true, "unread": true,
            "visibility": "members", "body": "Ownership — don't panic! C++ compared" }))
        .await;
    owner
        .saves(json!({ "title": "f Shopping", "tags": ["work"], "visibility": "public", "body": "table salt, sea salt; `code_word`" }))
        .await;
    other.saves(json!({ "title": "g Someone's tide", "visibility": "public", "body": "x" })).await;
    (owner, day)
}

/// The letters of what was found.
async fn found(actor: &Actor, query: &str, more: &str) -> String {
    let list = actor.get(&format!("/api/v1/resources?q={}{more}", encode(query))).await.ok().json();
    let titles =
        list["items"].as_array().expect("items").iter().map(|item| item["title"].as_str().expect("a title"));
    let letters: BTreeSet<char> = titles.filter_map(|title| title.chars().next()).collect();
    letters.into_iter().collect()
}

on_both_engines!(words_and_phrases_find_what_they_name);
async fn words_and_phrases_find_what_they_name(app: App) {
    let (owner, _) = library(&app).await;
    for (query, letters) in [
        ("tide", "abg"),
        ("tide ", "abg"),
        ("TIDE", "abg"),
        ("tables ", "a"),
        ("table ", "bf"),
        ("table", "abf"),
        ("tab", "abf"),
        ("tab ", ""),
        ("tide tables", "a"),
        ("tables tide ", "a"),
        ("\"low water\"", "a"),
        ("\"water low\"", ""),
        ("“low water”", "a"),
        ("\"high water at noon\"", "a"),
        ("\"tide tab", ""),
        ("noon six", "a"),
        ("water water", "a"),
        ("\"tide\" \"moon\"", "b"),
        ("tide -moon", "ag"),
        ("-tide ", "cdef"),
        ("-tide -sugar", "def"),
        ("-\"low water\" tide", "bg"),
        ("moon or salt", "bf"),
        ("moon OR salt", "bf"),
        ("moon or salt table", "bf"),
        ("follows or ownership or sugar", "bce"),
        ("\"or\"", ""),
        ("sea", "abf"),
        ("own", "e"),
        ("own ", ""),
        ("c++ panic", "e"),
        ("don't", "e"),
        ("don’t", "e"),
        ("code_word", "f"),
        ("leith", "a"),
        ("rust-lang", "e"),
        ("salt sugar", ""),
        ("++", ""),
        ("", "abcdefg"),
    ] {
        assert_eq!(found(&owner, query, "").await, letters, "{query:?}");
        assert_eq!(found(&owner, query, "&sort=title").await, letters, "{query:?} by title");
    }
}

on_both_engines!(letters_of_every_script_are_folded_alike);
async fn letters_of_every_script_are_folded_alike(app: App) {
    let (owner, _) = library(&app).await;
    for (query, letters) in [
        ("creme", "c"),
        ("CRÈME BRÛLÉE", "c"),
        ("cre\u{300}me", "c"),
        ("brulee ", "c"),
        ("strasse", "c"),
        ("STRAẞE", "c"),
        ("東京", "d"),
        ("京東", ""),
        ("タワー", "d"),
        ("ﾀﾜｰ", "d"),
        ("東 ワ", "d"),
        ("ＴＯＫＹＯ", "d"),
    ] {
        assert_eq!(found(&owner, query, "").await, letters, "{query:?}");
    }
}

on_both_engines!(filters_find_what_they_name);
async fn filters_find_what_they_name(app: App) {
    let (owner, day) = library(&app).await;
    let (before, after) = (format!("before:{day}"), format!("after:{day}"));
    let together = format!("after:{day} kind:note sea");
    for (query, letters) in [
        ("tag:sea", "ab"),
        ("tag:SEA/Moon", "b"),
        ("tag:#sea", "ab"),
        ("tag:se", ""),
        ("tag:work", "ef"),
        ("-tag:work", "abcdg"),
        ("tag:\"travel/japan\"", "d"),
        ("tag:sea tag:tables", "a"),
        ("tag:sea -tag:tables", "b"),
        ("site:example.org", "a"),
        ("site:tides.example.org", "a"),
        ("site:https://tides.example.org/leith", "a"),
        ("site:https://tides.example.org/other", ""),
        ("site:recipes.example.com", "c"),
        ("site:EXAMPLE.com", "c"),
        ("site:ample.com", ""),
        ("-site:example.org", "bcdefg"),
        ("by:owner", "abcdef"),
        ("by:@Other", "g"),
        ("by:nobody", ""),
        ("-by:other", "abcdef"),
        ("kind:note", "bdfg"),
        ("kind:links", "ace"),
        ("-kind:note", "ace"),
        ("is:pinned", "e"),
        ("-is:pinned", "abcdfg"),
        ("is:unread", "e"),
        ("-is:unread", "abcdfg"),
        ("rust is:unread", "e"),
        ("tide -is:unread", "abg"),
        ("visibility:public", "fg"),
        ("visibility:members", "e"),
        ("-visibility:private", "efg"),
        ("is:public", "fg"),
        ("-is:private", "efg"),
        ("by:me", "abcdef"),
        ("-by:me", "g"),
        ("tide by:me", "ab"),
        ("title:tide", "ag"),
        ("title:pha", "b"),
        ("title:\"moon phases\"", "b"),
        ("title:\"phases moon\"", ""),
        ("title:moon tide", "b"),
        ("title:tower", ""),
        ("title:東京", "d"),
        ("title:brulee", "c"),
        ("-title:tide", "bcdef"),
        ("-title:tide sea", "bf"),
        ("url:LEITH", "a"),
        ("url:example", "ac"),
        ("url:/book rust", "e"),
        ("-url:example", "bdefg"),
        ("url:nothing", ""),
        ("has:notes", "abcdefg"),
        ("-has:notes", ""),
        ("after:2000", "abcdefg"),
        ("before:2000-06", ""),
        (before.as_str(), "abc"),
        (after.as_str(), "defg"),
        (together.as_str(), "f"),
        ("salt -tag:work", ""),
        ("tide tag:sea -moon", "a"),
        ("tide by:other", "g"),
        ("tide -by:other", "ab"),
        ("tide by:nobody", ""),
        ("tide -by:nobody", "abg"),
        ("-tide kind:link", "ce"),
    ] {
        assert_eq!(found(&owner, query, "").await, letters, "{query:?}");
        assert_eq!(found(&owner, query, "&sort=oldest").await, letters, "{query:?} from the oldest");
    }
}

on_both_engines!(a_change_is_found_at_once_and_the_old_text_no_more);
async fn a_change_is_found_at_once_and_the_old_text_no_more(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "a Heron", "body": "wader", "tags": ["bird"] })).await;
    let change = json!({ "title": "a Gannet", "body": "diver", "tags": ["seabird"] });
    owner.json(reqwest::Method::PATCH, &entry.api(), change).if_match("*").await.ok();
    for (query, letters) in
        [("gannet", "a"), ("diver", "a"), ("seabird", "a"), ("heron", ""), ("wader", ""), ("bird ", "")]
    {
        assert_eq!(found(&owner, query, "").await, letters, "{query}");
    }
    owner.json_free(reqwest::Method::DELETE, &entry.api()).await.is(204);
    assert_eq!(found(&owner, "gannet", "").await, "");
    owner.post_form(&format!("{}/delete", entry.page()), &[]).await.is(303);
    let again = owner.saves(json!({ "title": "a Gannet", "body": "another" })).await;
    assert_eq!(found(&owner, "gannet another", "").await, "a");
    owner.get(&again.page()).await.ok();
}

on_both_engines!(the_best_match_comes_first);
async fn the_best_match_comes_first(app: App) {
    let owner = app.signed_in("owner").await;
    owner.saves(json!({ "title": "In the title: harbour", "body": "and nothing else" })).await;
    app.later(Duration::from_secs(1));
    owner.saves(json!({ "title": "In the tags", "tags": ["harbour"], "body": "and nothing else" })).await;
    app.later(Duration::from_secs(1));
    owner.saves(json!({ "title": "In the text", "body": "somewhere a harbour and nothing else" })).await;
    let page = owner.get("/resources?q=harbour+").await.ok();
    assert_eq!(page.texts(".entry-title"), ["In the title: harbour", "In the tags", "In the text"]);
    assert_eq!(page.texts(".sieve [aria-current='true']"), ["All", "Best match"]);
}

on_both_engines!(matches_are_marked_where_they_stand);
async fn matches_are_marked_where_they_stand(app: App) {
    let owner = app.signed_in("owner").await;
    let body = format!("{} the **Tide** <turns> & {}", "before ".repeat(200), "after ".repeat(200));
    owner.saves(json!({ "title": "<i>Crème</i> & tide", "body": body })).await;
    let page = owner.get("/resources?q=creme+tid").await.ok();
    assert_eq!(
        page.inner_html(".entry-title a"),
        ["&lt;i&gt;<mark>Crème</mark>&lt;/i&gt; &amp; <mark>tide</mark>"]
    );
    let excerpt = page.texts(".entry-excerpt").concat();
    assert!(excerpt.starts_with('…') && excerpt.ends_with('…') && excerpt.chars().count() < 300, "{excerpt}");
    assert!(excerpt.contains("the Tide") && page.texts(".entry-excerpt mark") == ["Tide"], "{excerpt}");
    let unsearched = owner.get("/resources").await.ok();
    unsearched.has_no("mark").has(".entry-excerpt", "before before");
}

on_both_engines!(what_holds_no_word_finds_what_holds_it_or_nothing);
async fn what_holds_no_word_finds_what_holds_it_or_nothing(app: App) {
    let owner = app.signed_in("owner").await;
    owner.saves(json!({ "title": "a Crab 🦀 and flag 🇩🇪", "body": "x" })).await;
    owner.saves(json!({ "title": "b plain", "body": "arrows → and 👩\u{200D}💻, price €5" })).await;
    owner.saves(json!({ "title": "c tagged", "tags": ["⭐"], "body": "+++ front matter \"\"" })).await;
    for (query, letters) in [
        ("🦀", "a"),
        ("🇩🇪", "a"),
        ("🇪🇩", ""),
        ("👩\u{200D}💻", "b"),
        ("→", "b"),
        ("€", "b"),
        ("🦀 flag", "a"),
        ("🦀 plain", ""),
        ("🦀 or →", "ab"),
        ("-🦀", "bc"),
        ("plain -🦀", "b"),
        ("🐙", ""),
        ("+++", ""),
        ("\"\"", ""),
        ("\"", ""),
        ("-", ""),
        ("+++ front", "c"),
    ] {
        assert_eq!(found(&owner, query, "").await, letters, "{query:?}");
        assert_eq!(found(&owner, query, "&sort=title").await, letters, "{query:?} by title");
    }
    let page = owner.get("/resources?q=%2B%2B%2B").await.ok();
    page.has(".nothing", "contains no letters, digits or symbols").has_no(".entry");
}

on_both_engines!(words_with_their_signs_come_first);
async fn words_with_their_signs_come_first(app: App) {
    let owner = app.signed_in("owner").await;
    for (title, body) in [
        ("1", "Modern C++, templates"),
        ("2", "about C# and F#"),
        ("3", "runs on .NET"),
        ("4", "vitamin c, c, c, c"),
        ("5", "net net net, f f f"),
    ] {
        app.later(Duration::from_secs(1));
        owner.saves(json!({ "title": title, "body": body })).await;
    }
    for (query, order) in [
        ("c++", "1"),
        ("C++ ", "1"),
        ("\"c++\"", "1"),
        ("c# ", "2"),
        ("f#", "2"),
        (".net", "3"),
        ("c++ templates", "1"),
        ("c++ or net ", "5"),
    ] {
        let list = owner.get(&format!("/api/v1/resources?q={}", encode(query))).await.ok().json();
        assert_eq!(list["items"][0]["title"], order, "{query}");
    }
    // The others follow; without the word, nothing does.
    assert_eq!(found(&owner, "c++", "").await, "124");
    assert_eq!(found(&owner, "c -c++", "").await, "24");
    assert_eq!(found(&owner, "f# ", "").await, "25");
}

on_both_engines!(a_pasted_address_finds_the_entry);
async fn a_pasted_address_finds_the_entry(app: App) {
    let owner = app.signed_in("owner").await;
    owner.saves(json!({ "title": "a", "url": "http://plain.example/a/b/" })).await;
    owner.saves(json!({ "title": "b", "url": "https://www.other.example/x?b=1&a=%c3%a4#part" })).await;
    owner
        .saves(json!({ "title": "c", "body": "mentions https://plain.example/a/b and plain.example/a/bc" }))
        .await;
    app.later(Duration::from_secs(1));
    owner.saves(json!({ "title": "d", "url": "https://plain.example/" })).await;
    for (query, letters, first) in [
        ("https://plain.example/a/b", "ac", "a"),
        ("http://plain.example/a/b?utm_source=x", "ac", "a"),
        ("http://www.plain.example/a/b/", "ac", "a"),
        ("plain.example/a/b/", "ac", "a"),
        ("www.plain.example", "acd", "d"),
        ("https://other.example/x?a=ä&b=1#part", "b", "b"),
        ("other.example/x?a=%C3%A4&b=1#part:~:text=y", "b", "b"),
        ("https://plain.example/nowhere", "", ""),
        ("https://plain.example/a/b -https://other.example/x", "ac", "a"),
    ] {
        assert_eq!(found(&owner, query, "").await, letters, "{query}");
        assert_eq!(found(&owner, query, "&sort=newest").await, letters, "{query} newest first");
        let list = owner.get(&format!("/api/v1/resources?q={}", encode(query))).await.ok().json();
        assert_eq!(list["items"][0]["title"].as_str().unwrap_or_default(), first, "{query}");
    }
}

on_both_engines!(international_addresses_are_found_and_shown_decoded);
async fn international_addresses_are_found_and_shown_decoded(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "url": "https://пример.example/страница" })).await;
    owner.saves(json!({ "url": "https://de.wikipedia.example/wiki/Z%C3%BCrich_(Stadt)" })).await;
    owner.saves(json!({ "title": "Reise", "url": "https://münchen.example/straße" })).await;
    owner.saves(json!({ "title": "Trap", "url": "https://аррӏе.example/%E2%80%AEgpj.exe" })).await;
    for (query, title) in [
        ("пример", "пример.example/страница"),
        ("страница ", "пример.example/страница"),
        ("Zürich", "de.wikipedia.example/wiki/Zürich_(Stadt)"),
        ("münchen.example", "Reise"),
        ("xn--mnchen-3ya", "Reise"),
        ("strasse ", "Reise"),
        ("https://münchen.example/straße", "Reise"),
    ] {
        let list = owner.get(&format!("/api/v1/resources?q={}", encode(query))).await.ok().json();
        assert_eq!(list["items"][0]["title"], title, "{query}");
        assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "{query}");
    }
    let page = owner.get(&entry.page()).await.ok();
    let page = page.has("h1", "пример.example/страница").has(".source", "https://пример.example/страница");
    assert_eq!(
        page.attributes(".source a", "href")[0],
        "https://xn--e1afmkfd.example/%D1%81%D1%82%D1%80%D0%B0%D0%BD%D0%B8%D1%86%D0%B0"
    );
    let list = owner.get("/resources").await.ok();
    let list = list.has(".entry-source", "münchen.example").has(".entry-source", "xn--");
    assert!(!list.text().contains('\u{202E}'));
}

on_both_engines!(the_path_of_a_site_counts);
async fn the_path_of_a_site_counts(app: App) {
    let owner = app.signed_in("owner").await;
    for (title, url) in [
        ("a tide", "https://github.com/x"),
        ("b tide", "http://www.github.com/x/y?z=1"),
        ("c tide", "https://github.com:8443/x#z"),
        ("d tide", "https://github.com/xy"),
        ("e tide", "https://github.com/"),
        ("f tide", "https://gist.github.com/x?y"),
        ("g tide", "https://other.example/github.com/x"),
        ("h tide", "https://github.com/a/x"),
    ] {
        owner.saves(json!({ "title": title, "url": url })).await;
    }
    owner.saves(json!({ "title": "n tide", "body": "https://github.com/x" })).await;
    for (query, letters) in [
        ("site:github.com/x", "abcf"),
        ("site:github.com/x/", "abcf"),
        ("site:https://github.com/x/y", "b"),
        ("site:www.github.com/x", "b"),
        ("site:github.com", "abcdefh"),
        ("site:github.com/", "abcdefh"),
        ("site:github.com/X", ""),
        ("-site:github.com/x", "deghn"),
        ("tide site:github.com/x", "abcf"),
        ("tide -site:github.com/x", "deghn"),
        ("tide site:github.com -site:github.com/x", "deh"),
    ] {
        assert_eq!(found(&owner, query, "").await, letters, "{query}");
        assert_eq!(found(&owner, query, "&sort=title").await, letters, "{query} by title");
    }
}

on_both_engines!(sentences_and_unfinished_searches_are_words);
async fn sentences_and_unfinished_searches_are_words(app: App) {
    let owner = app.signed_in("owner").await;
    owner.saves(json!({ "title": "a Find: the needle" })).await;
    owner.saves(json!({ "title": "b Mind: the gap. Side: effects" })).await;
    owner.saves(json!({ "title": "c rock or roll" })).await;
    for (query, letters) in [
        ("Find: the needle", "a"),
        ("Mind: the gap", "b"),
        ("Side: effects", "b"),
        ("find:", "a"),
        ("rock or", "c"),
        ("rock or ", "c"),
        ("rock or needle", "ac"),
        ("or roll", "c"),
        ("or", "c"),
    ] {
        assert_eq!(found(&owner, query, "").await, letters, "{query:?}");
        owner.get(&format!("/resources?q={}", encode(query))).await.ok().has_no("#query-error.alarm");
    }
}

on_both_engines!(phrases_are_found_however_long_the_text_is);
async fn phrases_are_found_however_long_the_text_is(app: App) {
    let owner = app.signed_in("owner").await;
    let chinese = "中文的笔记是一个很长的文本，国家的人民在这里生活。".repeat(400);
    owner.saves(json!({ "title": "a", "body": format!("{chinese}最后提到量子纠缠与中国科学院。") })).await;
    let often = "龍.x ".repeat(255);
    owner.saves(json!({ "title": "b", "body": format!("{often} 龍鳳") })).await;
    let words = (0..16_383).map(|n| format!("w{}", n % 7_000)).collect::<Vec<_>>().join(" ");
    owner.saves(json!({ "title": "c", "body": format!("{words} needle haystack") })).await;
    owner.saves(json!({ "title": "d", "url": "https://end.example/a/b", "body": "中".repeat(17_000) })).await;
    owner.saves(json!({ "title": "e", "tags": ["needle"], "body": "haystack and low" })).await;
    for (query, letters) in [
        ("中国", "a"),
        ("国科", "a"),
        ("量子纠缠", "a"),
        ("国中", ""),
        ("龍鳳", "b"),
        ("鳳龍", ""),
        ("\"needle haystack\"", "c"),
        ("\"haystack needle\"", ""),
        ("needle-hay", "c"),
        ("end.example", "d"),
        ("\"end example a b\"", "d"),
        ("needle haystack", "ce"),
        ("haystack -\"needle haystack\"", "e"),
        ("\"needle haystack\" or 中国", "ac"),
        ("\"needle haystack\" or low", "ce"),
        ("-中国 -龍鳳", "cde"),
    ] {
        assert_eq!(found(&owner, query, "").await, letters, "{query}");
        assert_eq!(found(&owner, query, "&sort=title").await, letters, "{query} by title");
    }
}
