//! Letters: to a real mail server that dies, freezes and refuses, from one node or two, or into a folder.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use coffer::mail::{Email, MailHealth};
use coffer::serve::figures;
use serde_json::json;

use crate::support::app::{App, Engine, Node};
use crate::support::dump::Dump;
use crate::support::mail::MailServer;
use crate::support::on_both_engines;
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(20);

/// `name::sqlite` and `name::postgres`, each with a mail server of its own.
macro_rules! with_mail {
    ($name:ident) => {
        mod $name {
            use crate::support::app::{App, Engine};
            use crate::support::mail::MailServer;

            async fn with(engine: Engine) {
                let server = MailServer::start().await;
                let app = App::with(engine, &[&format!("--smtp-url={}", server.url())]).await;
                super::$name(app, server).await;
            }

            #[tokio::test]
            async fn sqlite() {
                with(Engine::Sqlite).await;
            }

            #[tokio::test]
            async fn postgres() {
                with(Engine::Postgres).await;
            }
        }
    };
}

async fn queue(node: &Node, to: &str) {
    let letter = Email::PasswordChanged { security: "https://example.org/settings/security".to_owned() };
    let mut tx = node.coffer.db.begin().await.expect("a transaction");
    node.coffer.mail.queue(&mut tx, to, &letter).await.expect("a letter");
    tx.commit().await.expect("it stays");
    node.coffer.mail.wake();
}

/// Waits until an attempt has failed.
async fn is_delayed(app: &App) {
    let failed = eventually(LIMIT, async || match app.coffer.mail.health() {
        MailHealth::Delayed => Ok(()),
        other => Err(format!("{other:?}")),
    });
    failed.await.unwrap_or_else(|error| panic!("{error}"));
}

with_mail!(a_letter_is_delivered_at_once);
async fn a_letter_is_delivered_at_once(app: App, server: MailServer) {
    queue(&app, "ada@example.org").await;
    let letter = server.has(1).await.remove(0);
    assert_eq!(
        (letter.to.as_str(), letter.subject.as_str()),
        ("ada@example.org", "Your password was changed")
    );
    letter.says("https://example.org/settings/security").says("your other devices");
    for header in ["From: coffer <coffer@localhost>", "Auto-Submitted: auto-generated", "MIME-Version: 1.0"] {
        assert!(letter.raw.contains(header), "{header} in\n{}", letter.raw);
    }
    app.all_is_sent().await;
    assert_eq!(app.coffer.mail.health(), MailHealth::Good);
}

/// What the metrics say of attempts.
fn attempts(app: &App, outcome: &str) -> f64 {
    app.scraped("coffer_mail_attempts_total", &[("outcome", outcome)])
}

on_both_engines!(mails_that_wait_are_on_the_metrics_page, "--smtp-url=smtp://127.0.0.1:1");
async fn mails_that_wait_are_on_the_metrics_page(app: App) {
    let admin = app.admin("root").await;
    queue(&app, "ada@example.org").await;
    let postponed = eventually(LIMIT, async || match attempts(&app, "postponed") {
        0.0 => Err("it was not tried"),
        _ => Ok(()),
    });
    postponed.await.unwrap_or_else(|error| panic!("{error}"));
    figures::ask(&app.coffer).await;
    assert!((app.scraped("coffer_mails_waiting", &[]) - 1.0).abs() < 0.1);
    figures::record(&app.coffer).await;
    app.later(Duration::from_secs(10));
    let page = admin.get("/admin/metrics").await.ok();
    page.has("#mails", "Sent: 0 · to be retried: 1 · failed: 0 · queued: 1");
    let report = admin.get("/api/v1/admin/metrics").await.ok().json();
    assert_eq!((&report["mails"]["waiting"], &report["mails"]["postponed"]), (&json!(1.0), &json!(1.0)));
    assert!(
        report["attention"].to_string().contains("Emails can’t be sent; 1 are queued"),
        "{}",
        report["attention"]
    );
}

with_mail!(letters_wait_for_a_server_that_is_down);
async fn letters_wait_for_a_server_that_is_down(app: App, server: MailServer) {
    server.kill();
    queue(&app, "ada@example.org").await;
    is_delayed(&app).await;
    queue(&app, "eve@example.org").await;
    server.restart().await;
    app.later(Duration::from_mins(3));
    app.coffer.mail.send_due().await.expect("the queue");
    assert!(attempts(&app, "postponed") >= 1.0);
    let mut to: Vec<_> = server.has(2).await.into_iter().map(|letter| letter.to).collect();
    to.sort_unstable();
    assert_eq!(to, ["ada@example.org", "eve@example.org"]);
    app.all_is_sent().await;
}

with_mail!(what_the_server_refuses_for_ever_is_not_tried_again);
async fn what_the_server_refuses_for_ever_is_not_tried_again(app: App, server: MailServer) {
    queue(&app, "refused@example.org").await;
    queue(&app, "not an address").await;
    queue(&app, "ada@example.org").await;
    server.has(1).await;
    app.all_is_sent().await;
    assert_eq!(app.coffer.mail.health(), MailHealth::Good, "others are not held up");
    assert_eq!((attempts(&app, "sent"), attempts(&app, "given_up")), (1.0, 2.0));
}

with_mail!(a_busy_mailbox_holds_nobody_else_up_and_is_given_up_one_day);
async fn a_busy_mailbox_holds_nobody_else_up_and_is_given_up_one_day(app: App, server: MailServer) {
    queue(&app, "later@example.org").await;
    queue(&app, "ada@example.org").await;
    server.has(1).await;
    let mut rounds = 0;
    while app.coffer.mail.waiting().await.expect("the queue") > 0 {
        rounds += 1;
        assert!(rounds < 20, "three days are over");
        app.later(Duration::from_hours(6));
        app.coffer.mail.send_due().await.expect("the queue");
    }
    assert!(rounds >= 12, "given up after {rounds} times six hours");
    assert_eq!(server.letters().len(), 1);
}

#[tokio::test]
async fn two_nodes_send_each_letter_once() {
    let server = MailServer::start().await;
    let app = App::with(Engine::Postgres, &[&format!("--smtp-url={}", server.url())]).await;
    let other = app.another_node().await;
    for n in 0..10 {
        queue(&app, &format!("a{n}@example.org")).await;
        queue(&other, &format!("b{n}@example.org")).await;
    }
    app.all_is_sent().await;
    let mut to: Vec<_> = server.has(20).await.into_iter().map(|letter| letter.to).collect();
    to.sort_unstable();
    to.dedup();
    assert_eq!(to.len(), 20);
}

#[tokio::test]
async fn a_letter_of_a_node_that_died_is_sent_by_another() {
    let server = MailServer::start().await;
    let app = App::with(Engine::Postgres, &[&format!("--smtp-url={}", server.url())]).await;
    server.freeze();
    queue(&app, "ada@example.org").await;
    let other = app.another_node().await;
    // The first node hangs on a letter that it has claimed; its lease ends.
    app.later(Duration::from_mins(3));
    server.thaw();
    other.coffer.mail.send_due().await.expect("the queue");
    app.all_is_sent().await;
    let letters = server.letters();
    assert!(!letters.is_empty() && letters.iter().all(|letter| letter.to == "ada@example.org"));
    let ids: Vec<_> = letters.iter().map(|letter| message_id(&letter.raw)).collect();
    assert!(ids.iter().all(|id| id == &ids[0]), "twice at most, under one name: {ids:?}");
}

fn message_id(raw: &str) -> String {
    raw.lines().find(|line| line.starts_with("Message-ID:")).expect("a Message-ID").to_owned()
}

on_both_engines!(without_a_server_letters_lie_in_a_folder_for_the_owner_alone);
async fn without_a_server_letters_lie_in_a_folder_for_the_owner_alone(app: App) {
    queue(&app, "ada@example.org").await;
    assert_eq!(app.letters_to("ada@example.org").await.len(), 1);
    let folder = app.data_dir().join("mail");
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let files: Vec<_> = std::fs::read_dir(&folder).expect("a folder").flatten().collect();
    assert_eq!((files.len(), mode(&files[0].path())), (1, 0o600));
    assert_eq!(app.coffer.mail.health(), MailHealth::Folder);
}

const SMTP_PASSWORD: &str = "p%40ss%20word";

async fn sends_to(server: &MailServer, url: String, authority: Option<String>) -> App {
    let mut settings = vec![format!("--smtp-url={url}")];
    settings.extend(authority.map(|file| format!("--smtp-ca-file={file}")));
    let settings: Vec<_> = settings.iter().map(String::as_str).collect();
    let app = App::with(Engine::Sqlite, &settings).await;
    assert!(server.letters().is_empty());
    queue(&app, "ada@example.org").await;
    app
}

#[tokio::test]
async fn letters_go_over_tls_with_the_name_and_password() {
    for (mode, scheme) in [("starttls", "smtp"), ("smtps", "smtps")] {
        let server = MailServer::secure(mode, "IP:127.0.0.1").await;
        let url = server.secure_url(scheme, SMTP_PASSWORD);
        let app = sends_to(&server, url, Some(server.authority())).await;
        assert_eq!(server.has(1).await[0].to, "ada@example.org", "{mode}");
        app.all_is_sent().await;
    }
}

#[tokio::test]
async fn no_letter_goes_to_a_server_that_may_be_another() {
    let stranger = MailServer::secure("smtps", "IP:127.0.0.1").await;
    let url = stranger.secure_url("smtps", SMTP_PASSWORD);
    is_refused(&stranger, url.clone(), None).await; // no one has heard of the authority
    let other = MailServer::secure("smtps", "DNS:mail.example.org").await;
    is_refused(&stranger, url, Some(other.authority())).await; // another one's
    let url = other.secure_url("smtps", SMTP_PASSWORD);
    is_refused(&other, url, Some(other.authority())).await; // a certificate for another name
}

#[tokio::test]
async fn no_letter_goes_without_encryption_or_with_a_wrong_password() {
    let secure = MailServer::secure("starttls", "IP:127.0.0.1").await;
    is_refused(&secure, secure.secure_url("smtp", "wrong"), Some(secure.authority())).await;
    let plain = MailServer::start().await;
    is_refused(&plain, plain.url(), Some(secure.authority())).await;
}

async fn is_refused(server: &MailServer, url: String, authority: Option<String>) {
    let app = sends_to(server, url, authority).await;
    is_delayed(&app).await;
    assert_eq!(app.coffer.mail.waiting().await.expect("the queue"), 1, "it waits");
    assert!(server.letters().is_empty());
}

on_both_engines!(a_waiting_letter_can_be_read_by_nobody, "--smtp-url=smtp://127.0.0.1:1");
async fn a_waiting_letter_can_be_read_by_nobody(app: App) {
    queue(&app, "ada@example.org").await;
    is_delayed(&app).await;
    let dump = Dump::of(&app.coffer.db).await;
    assert_eq!(dump.rows("mails").len(), 1);
    let hex = |text: &str| data_encoding::HEXLOWER.encode(text.as_bytes());
    for word in ["settings/security", "your other devices", "Your password was changed"] {
        assert!(!dump.text().contains(word) && !dump.text().contains(&hex(word)), "{word}");
    }
}

#[tokio::test]
async fn a_letter_under_a_lost_key_is_given_up() {
    let server = MailServer::start().await;
    let app = App::with(Engine::Postgres, &[&format!("--smtp-url={}", server.url())]).await;
    let mut tx = app.coffer.db.begin().await.expect("a transaction");
    let letter = Email::PasswordChanged { security: "https://example.org".to_owned() };
    app.coffer.mail.queue(&mut tx, "ada@example.org", &letter).await.expect("a letter");
    let coffer::db::Tx::Postgres(postgres) = &mut tx else { panic!("PostgreSQL") };
    let damaged = sqlx::query("UPDATE mails SET sealed = set_byte(sealed, 20, 255 - get_byte(sealed, 20))");
    damaged.execute(postgres.conn()).await.expect("another text");
    tx.commit().await.expect("it stays");
    queue(&app, "eve@example.org").await;
    app.all_is_sent().await;
    let to: Vec<_> = server.letters().into_iter().map(|letter| letter.to).collect();
    assert_eq!(to, ["eve@example.org"], "and holds nobody else up");
}
