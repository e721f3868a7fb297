"""Puts the books of this folder in the place of links and notes, in the copy of coffer's tree that is named.

docs/your-own-resource.md tells the same steps to people."""

import pathlib
import re
import shutil
import sys

HERE = pathlib.Path(__file__).parent / "books"
ROOT = pathlib.Path(sys.argv[1])
# What a test that remains doesn't speak of.
LIBRARY = re.compile(
    r"resources|/tags|/trash|/import|/capture|/u/|\bsaves\(|\bEntry\b|bookmark|seed|export|icons|schemathesis|insta::"
)


def path(name):
    return ROOT / name


def replace(name, *pairs):
    text = path(name).read_text()
    for old, new in pairs:
        if old not in text:
            sys.exit(f"adopt: {name} no longer has: {old}")
        text = text.replace(old, new)
    path(name).write_text(text)


def cut(name, begin, end):
    """Takes out what stands from `begin` to before `end`."""
    text = path(name).read_text()
    if begin not in text or end not in text[text.index(begin):]:
        sys.exit(f"adopt: {name} no longer goes from {begin!r} to {end!r}")
    start = text.index(begin)
    path(name).write_text(text[:start] + text[text.index(end, start):])


def take_away():
    for name in ["src/resources", "src/shares", "src/webhooks", "src/commands/library", "templates/resources", "templates/shares", "templates/export", "templates/import", "templates/public"]:
        shutil.rmtree(path(name))
    for name in ["src/commands/library.rs", "src/commands/export.rs", "src/doctor/tags.rs", "templates/settings/capture.html",
                 "templates/settings/webhooks.html", "templates/settings/deliveries.html", "templates/settings/shares.html"]:
        path(name).unlink()


def benches():
    shutil.rmtree(path("benches"))
    cut("Cargo.toml", "[[bench]]", "[profile.dev]")
    replace(".dockerignore", ("!benches\n", ""))
    replace("tests/it/installation.rs", (', "benches"', ""))


def migrations():
    for engine in ["postgres", "sqlite"]:
        folder = path("migrations") / engine
        first = f"migrations/{engine}/0001_library.sql"
        cut(first, "CREATE TABLE imports (", "CREATE TABLE audit_events (")
        for file in folder.iterdir():
            if file != path(first) and re.search(r"\b(resources\w*|tags|imports|webhooks|saved_searches|private_feeds)\b", file.read_text()):
                file.unlink()
        shutil.copy(HERE / f"{engine}.sql", folder / "1000_books.sql")


def put_in():
    noun = path("src/books")
    noun.mkdir()
    for name in ["mod.rs", "store.rs", "pages.rs", "api.rs"]:
        shutil.copy(HERE / name, noun)
    path("templates/books").mkdir()
    shutil.copy(HERE / "index.html", path("templates/books"))
    shutil.copy(HERE / "library.rs", path("src/app/library.rs"))
    shutil.copy(HERE / "test.rs", path("tests/it/books.rs"))


def wire():
    replace("src/lib.rs", ("        mod webhooks;\n", ""), ("        pub mod webhooks;\n", ""), ("        mod shares;\n", ""), ("        pub mod shares;\n", ""))
    replace("src/lib.rs", ("mod resources;", "mod books;"), ("[`resources`]", "[`books`]"))
    arm = """            Error::NotFound if self.uri.path().starts_with(shares::PATH) => Some(
                "If it was shared with you, the link may have expired or been revoked. Ask for a new one.",
            ),
"""
    replace("src/pipeline/error_response/page.rs", ("use crate::shares;\n", ""), (arm, ""))
    replace("src/web/page_context.rs", ('HOME: &str = "/resources"', 'HOME: &str = "/books"'))
    cut("templates/layout.html", '        <li><a href="/resources"', "      </ul>")
    replace("templates/layout.html", (
        '<nav class="tabs" aria-label="Main">\n      <ul>\n',
        '<nav class="tabs" aria-label="Main">\n      <ul>\n        <li><a href="/books">Books</a></li>\n',
    ))
    replace(
        "src/commands/rotation.rs",
        ("use crate::webhooks;\n", ""),
        ("    pub webhooks: Resealed,\n", ""),
        ("    let webhooks = webhooks::reseal(&mut tx, rotation).await?;\n", ""),
        ("emails, webhooks, second_factors", "emails, second_factors"),
    )
    replace(
        "src/commands/key.rs",
        ("emails, webhooks, second_factors", "emails, second_factors"),
        ("{} queued emails, {} webhooks, {second_factors}", "{} queued emails, {second_factors}"),
        ("emails.kept, webhooks.kept", "emails.kept"),
        ("emails.lost + webhooks.lost > 0", "emails.lost > 0"),
        ("{} queued emails, {} webhooks. Ask their owners to add their webhooks again.", "{} queued emails."),
        ("emails.lost, webhooks.lost", "emails.lost"),
    )
    cut("templates/settings/section_layout.html", '      <li><a href="/settings/webhooks"', '      <li><a href="/settings/activity"')
    cut("templates/settings/section_layout.html", '      <li><a href="/settings/capture"', '      <li><a href="/settings/tokens"')


def commands():
    cut("src/cli.rs", "    /// Import bookmarks: HTML of browsers", "    /// Bring the database schema")
    cut("src/cli.rs", "    /// Fill a library with sample", "    /// Print the OpenAPI document")
    cut("src/cli.rs", "    /// Export a library to a file", "}\n\nimpl Cli")
    replace("src/cli.rs", ("ExportArgs, ", ""), ("ImportArgs, ", ""), ("SeedArgs, ", ""))
    args = path("src/cli/args.rs").read_text()
    for name in ["ExportArgs", "ImportArgs", "SeedArgs"]:
        args = re.sub(r"\n#\[derive\([^\n]*\)\]\npub struct " + name + r" \{.*?\n\}\n", "\n", args, flags=re.S)
    args = re.sub(r"\n/// An encoding by one of its names.*?\n\}\n", "\n", args, flags=re.S)
    args = re.sub(r"use (crate::resources|encoding_rs)::[^\n]*\n", "", args)
    path("src/cli/args.rs").write_text(args)
    replace(
        "src/commands.rs",
        ("mod export;\n", ""),
        ("mod library;\n", ""),
        ("        Command::Import(args) => Box::pin(library::import(args, config)).await,\n", ""),
        ("        Command::Seed(args) => Box::pin(library::seed(args, config)).await,\n", ""),
    )
    replace(
        "src/commands/work.rs",
        ("export, ", ""),
        ("        Work::Export(args) => export::run(app, args, out).await,\n", ""),
        ("            Self::Export(args) => args.file.clone(),\n", ""),
    )
    doctor = path("src/doctor.rs").read_text()
    path("src/doctor.rs").write_text("".join(line for line in doctor.splitlines(True) if "tags" not in line))
    replace("src/commands/backup.rs", ('manifest.rows("resources")', 'manifest.rows("books")'))
    backup = path("src/backup/postgres.rs").read_text()
    backup = re.sub(r"(const TRIGGERS_O(?:FF|N): &str =\s*)\"[^\"]*\"", r'\1"SELECT 1"', backup)
    path("src/backup/postgres.rs").write_text(backup)


def tests():
    """Keeps what speaks of no link and no note, and of no test that does."""
    folder = path("tests/it")
    for file in folder.rglob("*.rs"):
        file.write_text(file.read_text().replace('"/resources"', '"/books"'))
    names = re.findall(r"^mod (\w+);$", (folder / "main.rs").read_text(), re.M)
    text = {}
    for name in names:
        file = folder / f"{name}.rs"
        files = [file] if file.exists() else list((folder / name).rglob("*.rs"))
        text[name] = "\n".join(file.read_text() for file in files)
    kept = {name for name in names if name == "support" or not LIBRARY.search(text[name])}
    while True:
        known = {name for name in kept if name == "support" or set(re.findall(r"crate::(\w+)", text[name])) <= kept}
        if known == kept:
            break
        kept = known
    main = folder / "main.rs"
    main.write_text(re.sub(r"^mod (\w+);\n", lambda m: m[0] if m[1] in kept else "", main.read_text(), flags=re.M) + "mod books;\n")
    print(f"adopt: {len(kept)} of {len(names)} modules of tests remain: {' '.join(sorted(kept))}")


for step in [take_away, benches, migrations, put_in, wire, commands, tests]:
    step()
