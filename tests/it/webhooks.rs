//! Webhooks against a real server: signed, sent again until they are taken, once each, and only where they may go.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use parking_lot::Mutex;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::keys::Left;
use crate::support::actor::Actor;
use crate::support::app::{App, Engine};
use crate::support::on_both_engines;
use crate::support::wait::eventually;

const HOOKS: &str = "/api/v1/me/webhooks";
/// Shorter than coffer waits for an answer.
const AT_ONCE: Duration = Duration::from_secs(4);
/// Other tests open no address.
const FETCHES: &str = "--fetch=on";
const ALLOWED: &str = "--fetch-allow=127.0.0.1";

/// A delivery as it arrived.
#[derive(Clone, Debug)]
struct Arrived {
    head: String,
    body: String,
}

impl Arrived {
    fn header(&self, name: &str) -> &str {
        let prefix = format!("{name}: ");
        self.head.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_default()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    fn is_signed_with(&self, secret: &str) -> bool {
        let key = BASE64.decode(secret.strip_prefix("whsec_").expect("a secret").as_bytes()).expect("base64");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("any length will do");
        let (id, time) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        mac.update(format!("{id}.{time}.{}", self.body).as_bytes());
        self.header("webhook-signature") == format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()))
    }
}

/// A person's server, which answers with one status until it is told another, and may keep its answers back.
struct Receiver {
    url: String,
    status: Arc<Mutex<u16>>,
    keeps_back: watch::Sender<bool>,
    arrived: Arc<Mutex<Vec<Arrived>>>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let (status, arrived) = (Arc::new(Mutex::new(204)), Arc::new(Mutex::new(Vec::new())));
        let (answers, seen) = (status.clone(), arrived.clone());
        let (keeps_back, mut is_kept_back) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let status = *answers.lock();
                take(stream, status, &seen, &mut is_kept_back).await;
            }
        });
        Self { url, status, keeps_back, arrived }
    }

    fn keeps_answers_back(&self, does: bool) {
        self.keeps_back.send_replace(does);
    }

    fn answers(&self, status: u16) {
        *self.status.lock() = status;
    }

    fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().clone()
    }
}

async fn take(
    mut stream: TcpStream,
    status: u16,
    seen: &Mutex<Vec<Arrived>>,
    is_kept_back: &mut watch::Receiver<bool>,
) {
    let mut bytes = Vec::new();
    let request = loop {
        stream.read_buf(&mut bytes).await.expect("a request");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= length.map_or(0, |length| length.parse().expect("a number")) {
            break Arrived { head: head.to_owned(), body: body.to_owned() };
        }
    };
    seen.lock().push(request);
    let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    // Its sender is gone when the test is over.
    let _ = is_kept_back.wait_for(|is_kept_back| !is_kept_back).await;
    // Who has waited for too long is gone.
    let _ = stream.write_all(answer.as_bytes()).await;
}

/// The webhook's secret and its address in the API.
async fn adds_hook(owner: &Actor, url: &str) -> (String, String) {
    let made = owner.json(Method::POST, HOOKS, json!({ "url": url })).await.is(201);
    (made.json()["secret"].as_str().expect("a secret").to_owned(), made.header("location"))
}

async fn log(owner: &Actor, hook: &str) -> Vec<Value> {
    let list = owner.get(&format!("{hook}/deliveries")).await.ok().json();
    list["items"].as_array().expect("items").clone()
}

async fn delivers(app: &App) {
    app.coffer.library.webhooks.deliver_due().await.expect("the queue can be read");
}

#[tokio::test]
async fn a_change_is_told_and_signed_on_sqlite() {
    a_change_is_told_and_signed(App::with(Engine::Sqlite, &[FETCHES, ALLOWED]).await).await;
}

#[tokio::test]
async fn a_change_is_told_and_signed_on_postgres() {
    a_change_is_told_and_signed(App::with(Engine::Postgres, &[FETCHES, ALLOWED]).await).await;
}

async fn a_change_is_told_and_signed(app: App) {
    let (owner, other) = (app.signed_in("owner").await, app.signed_in("other").await);
    owner.saves(json!({ "title": "Before the webhook" })).await;
    let server = Receiver::start().await;
    let (secret, hook) = adds_hook(&owner, &server.url).await;
    let tide = owner.saves(json!({ "title": "Tide", "body": "A long text", "tags": ["sea"] })).await;
    let gone = owner.saves(json!({ "title": "Gone" })).await;
    owner.json_free(Method::DELETE, &gone.api()).await.is(204);
    owner.json_free(Method::DELETE, &format!("/api/v1/trash/{}", gone.id)).await.is(204);
    other.saves(json!({ "title": "Not yours", "visibility": "public" })).await;
    delivers(&app).await;
    let arrived = server.arrived();
    assert_eq!(arrived.len(), 1, "what happened at once comes at once");
    assert!(arrived[0].is_signed_with(&secret) && arrived[0].header("content-type") == "application/json");
    let told = arrived[0].json();
    assert_eq!(told["type"], "resources.changed");
    let items = told["items"].as_array().expect("items");
    let seen: Vec<_> = items.iter().map(|item| (&item["id"], &item["deleted"])).collect();
    assert_eq!(seen, [(&json!(tide.id), &json!(false)), (&json!(gone.id), &json!(true))]);
    assert_eq!(
        (&items[0]["resource"]["title"], &items[0]["resource"]["tags"]),
        (&json!("Tide"), &json!(["sea"]))
    );
    assert_eq!((items[0]["resource"].get("body"), &items[1]["resource"]), (None, &Value::Null));
    delivers(&app).await;
    assert_eq!(server.arrived().len(), 1, "once");
    let entry = log(&owner, &hook).await.remove(0);
    assert_eq!(
        (&entry["state"], &entry["status"], &entry["attempts"]),
        (&json!("delivered"), &json!(204), &json!(1))
    );
    other.get(&format!("{hook}/deliveries")).await.is(404);

    let id = entry["id"].as_str().expect("an id");
    let replay = format!("/api/v1/me/deliveries/{id}/replay");
    other.json_free(Method::POST, &replay).await.is(404);
    owner.json_free(Method::POST, &replay).await.is(202);
    delivers(&app).await;
    let again = server.arrived();
    assert_eq!((again.len(), again[1].header("webhook-id"), &again[1].body), (2, id, &again[0].body));
    owner.json_free(Method::DELETE, &hook).await.is(204);
    tide_changes(&owner, &tide.api()).await;
    delivers(&app).await;
    assert_eq!(server.arrived().len(), 2);
}

async fn tide_changes(owner: &Actor, path: &str) {
    owner.json(Method::PATCH, path, json!({ "title": "Tides" })).if_match("*").await.ok();
}

#[tokio::test]
async fn a_delivery_comes_again_until_it_is_taken_on_sqlite() {
    a_delivery_comes_again_until_it_is_taken(App::with(Engine::Sqlite, &[FETCHES, ALLOWED]).await).await;
}

#[tokio::test]
async fn a_delivery_comes_again_until_it_is_taken_on_postgres() {
    a_delivery_comes_again_until_it_is_taken(App::with(Engine::Postgres, &[FETCHES, ALLOWED]).await).await;
}

async fn a_delivery_comes_again_until_it_is_taken(app: App) {
    let owner = app.signed_in("owner").await;
    let server = Receiver::start().await;
    let (_, hook) = adds_hook(&owner, &server.url).await;
    owner.saves(json!({ "title": "Tide" })).await;
    server.answers(500);
    for (attempts, pause) in [(1, 61), (2, 121), (3, 241)] {
        delivers(&app).await;
        delivers(&app).await;
        let entry = log(&owner, &hook).await.remove(0);
        assert_eq!((&entry["attempts"], server.arrived().len()), (&json!(attempts), attempts));
        assert_eq!(
            (&entry["state"], &entry["error"]),
            (&json!("waiting"), &json!("The server answered 500."))
        );
        app.later(Duration::from_secs(pause));
    }
    server.answers(302);
    delivers(&app).await;
    assert_eq!(log(&owner, &hook).await[0]["status"], 302, "a redirect is not followed");
    server.answers(200);
    app.later(Duration::from_mins(9));
    delivers(&app).await;
    let entry = log(&owner, &hook).await.remove(0);
    assert_eq!((&entry["state"], &entry["error"]), (&json!("delivered"), &Value::Null));
    let ids: Vec<_> = server.arrived().iter().map(|one| one.header("webhook-id").to_owned()).collect();
    assert!(ids.len() == 5 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");

    server.answers(503);
    owner.saves(json!({ "title": "Moon" })).await;
    delivers(&app).await;
    app.later(Duration::from_hours(3 * 24));
    delivers(&app).await;
    let owner = app.another_browser_of("owner").await;
    assert_eq!(log(&owner, &hook).await[0]["state"], "given_up");
    app.later(Duration::from_hours(30 * 24));
    app.coffer.library.webhooks.forget_old().await.expect("forgotten");
    let owner = app.another_browser_of("owner").await;
    assert!(log(&owner, &hook).await.is_empty());
}

on_both_engines!(a_disabled_account_is_told_nothing, "--fetch=on", "--fetch-allow=127.0.0.1");
async fn a_disabled_account_is_told_nothing(app: App) {
    let (admin, eve) = (app.admin("root").await, app.signed_in("eve").await);
    let server = Receiver::start().await;
    adds_hook(&eve, &server.url).await;
    server.answers(500);
    eve.saves(json!({ "title": "A delivery that waits" })).await;
    delivers(&app).await;
    eve.saves(json!({ "title": "A change that none was told of" })).await;
    let user = format!("/api/v1/admin/users/{}", app.viewer("eve").await.id().expect("an account"));
    admin.json(Method::PATCH, &user, json!({ "disabled": true })).await.ok();
    app.later(Duration::from_secs(61));
    delivers(&app).await;
    assert_eq!(server.arrived().len(), 1);
    admin.json(Method::PATCH, &user, json!({ "disabled": false })).await.ok();
    server.answers(204);
    delivers(&app).await;
    assert_eq!(server.arrived().len(), 3, "what waited comes once the account is back");
}

on_both_engines!(a_changed_key_keeps_webhooks_and_a_lost_one_says_how_many_go, "--fetch=on");
async fn a_changed_key_keeps_webhooks_and_a_lost_one_says_how_many_go(app: App) {
    let eve = app.signed_in("eve").await;
    adds_hook(&eve, "https://hooks.example/").await;
    let left = Left::of(app).await;
    assert!(left.done(&["key", "rotate"]).contains(" 1 webhooks,"));
    std::fs::remove_file(left.file("secret.key")).expect("the key is lost");
    let said = left.done(&["key", "rotate", "--lost"]);
    assert!(said.contains("could not be decrypted: 0 queued emails, 1 webhooks. Ask"), "{said}");
}

on_both_engines!(a_slow_receiver_holds_up_no_others, "--fetch=on", "--fetch-allow=127.0.0.1");
async fn a_slow_receiver_holds_up_no_others(app: App) {
    let (ada, eve) = (app.signed_in("ada").await, app.signed_in("eve").await);
    let (slow, quick) = (Receiver::start().await, Receiver::start().await);
    let (_, hook) = adds_hook(&eve, &quick.url).await;
    eve.saves(json!({ "title": "Tide" })).await;
    delivers(&app).await;
    let first = log(&eve, &hook).await[0]["id"].as_str().expect("an id").to_owned();
    slow.keeps_answers_back(true);
    for _ in 0..9 {
        adds_hook(&ada, &slow.url).await;
    }
    ada.saves(json!({ "title": "Ebb" })).await;
    let webhooks = app.coffer.library.webhooks.clone();
    let delivering = tokio::spawn(async move { webhooks.deliver_due().await });
    let has = async |server: &Receiver, count: usize| {
        let arrived = server.arrived().len();
        if arrived == count { Ok(()) } else { Err(arrived) }
    };
    eventually(AT_ONCE, async || has(&slow, 1).await).await.expect("one that is not answered");
    eve.saves(json!({ "title": "Moon" })).await;
    eve.json_free(Method::POST, &format!("/api/v1/me/deliveries/{first}/replay")).await.is(202);
    eventually(AT_ONCE, async || has(&quick, 3).await).await.expect("the replay, and what came meanwhile");
    slow.keeps_answers_back(false);
    let delivered = timeout(Duration::from_mins(1), delivering).await.expect("it ends");
    delivered.expect("no panic").expect("the queue can be read");
}

/// Two nodes at once: each delivery is made once and sent once.
#[tokio::test]
async fn nodes_share_the_work() {
    let app = App::with(Engine::Postgres, &[FETCHES, ALLOWED]).await;
    let other = app.another_node().await;
    let owner = app.signed_in("owner").await;
    let server = Receiver::start().await;
    adds_hook(&owner, &server.url).await;
    for round in 1..=10 {
        owner.saves(json!({ "title": format!("Tide {round}") })).await;
        let (here, there) = tokio::join!(
            app.coffer.library.webhooks.deliver_due(),
            other.coffer.library.webhooks.deliver_due()
        );
        here.and(there).expect("the queue can be read");
        assert_eq!(server.arrived().len(), round);
    }
    other.stop().await;
}

on_both_engines!(a_webhook_goes_to_no_private_address, "--fetch=on");
async fn a_webhook_goes_to_no_private_address(app: App) {
    let owner = app.signed_in("owner").await;
    let server = Receiver::start().await;
    let (_, hook) = adds_hook(&owner, &server.url).await;
    owner.saves(json!({ "title": "Tide" })).await;
    delivers(&app).await;
    let entry = log(&owner, &hook).await.remove(0);
    assert_eq!(entry["error"], "The address is in a private or reserved network.");
    assert!(server.arrived().is_empty());
    for bad in ["", "ftp://example.org/", "https://ada:secret@example.org/", "nonsense"] {
        owner.json(Method::POST, HOOKS, json!({ "url": bad })).await.invalid("url");
    }
}

#[tokio::test]
async fn webhooks_can_be_switched_off() {
    let app = App::with(Engine::Sqlite, &[ALLOWED, "--fetch=off"]).await;
    let owner = app.signed_in("owner").await;
    owner
        .json(Method::POST, HOOKS, json!({ "url": "https://example.org/" }))
        .await
        .is(403)
        .problem("forbidden");
    owner.get("/settings/webhooks").await.ok().text_has("Webhooks are switched off here");
}

#[tokio::test]
async fn the_page_adds_shows_replays_and_deletes() {
    let app = App::with(Engine::Sqlite, &[FETCHES, ALLOWED]).await;
    let owner = app.signed_in("owner").await;
    let server = Receiver::start().await;
    owner.post_form("/settings/webhooks", &[("url", "nonsense")]).await.is(422).holds("url", "nonsense");
    owner.post_form("/settings/webhooks", &[("url", &server.url)]).await.redirects_to("/settings/webhooks");
    let page = owner.get("/settings/webhooks").await.ok().has(".holdings h2", &server.url);
    assert!(page.attributes("#secret", "value")[0].starts_with("whsec_"));
    owner.get("/settings/webhooks").await.ok().has_no("#secret");
    owner.saves(json!({ "title": "Tide" })).await;
    delivers(&app).await;
    let log = page.attributes(".holdings a", "href").remove(0);
    let shown = owner.get(&log).await.ok().has(".badge", "Delivered");
    let replay = shown.attributes(".holdings form", "action").remove(0);
    owner.post_form(&replay, &[]).await.redirects_to(&log);
    owner.get(&log).await.ok().has(".badge", "Waiting");
    let delete = page.attributes(".holdings form", "action").remove(0);
    owner.post_form(&delete, &[]).await.redirects_to("/settings/webhooks");
    owner.get("/settings/webhooks").await.ok().text_has("You have no webhooks yet");
}
