//! Two-step login: codes that work once, recovery codes, a session in between that reaches nothing, and sites that
//! require it.

use std::future::IntoFuture as _;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::startup::Place;
use crate::support::actor::Actor;
use crate::support::app::{App, PASSWORD};
use crate::support::authenticator::{Authenticator, SETUP};
use crate::support::on_both_engines;

const COOKIE: &str = "__Host-coffer";
const STEP: Duration = Duration::from_secs(30);

/// Ada has two-step login; the code that switched it on is some steps old.
async fn ada_with_a_phone(app: &App) -> (Actor, Authenticator, Vec<String>) {
    let ada = app.signed_in("ada").await;
    let (phone, codes) = ada.sets_up_second_factor(app).await;
    app.later(3 * STEP);
    (ada, phone, codes)
}

/// Another browser of hers, which has sent the password.
async fn half_in(app: &App) -> Actor {
    let ada = Actor::new("ada", app);
    ada.gives_password().await;
    ada
}

on_both_engines!(a_code_from_the_app_completes_the_login);
async fn a_code_from_the_app_completes_the_login(app: App) {
    let (_, phone, _) = ada_with_a_phone(&app).await;
    let ada = half_in(&app).await;
    ada.get("/login/second-factor").await.ok().has("h1", "Enter your code");
    let between = ada.copied_cookies();
    let code = phone.code(app.now());
    ada.gives_code(&format!(" {} {} ", &code[..3], &code[3..])).await.redirects_to("/tags");
    assert!(ada.is_signed_in().await && !between.is_signed_in().await);
    assert_ne!(ada.cookie(COOKIE), between.cookie(COOKIE), "a new id");
    between.get("/login/second-factor").await.redirects_to("/login");
}

on_both_engines!(setting_up_shows_picture_key_link_and_codes);
async fn setting_up_shows_picture_key_link_and_codes(app: App) {
    let ada = app.signed_in("ada").await;
    let page = ada.get(SETUP).await.ok().has("svg.qr path", "").has("h1", "Set up two-step login");
    let key = page.texts(".totp-key").concat();
    let link = page.attributes("a[href^='otpauth:']", "href").concat();
    assert!(link.contains(&key.replace(' ', "")) && link.contains(":ada?"), "{link}");
    assert_eq!(ada.get(SETUP).await.ok().texts(".totp-key").concat(), key, "the same after a reload");
    ada.post_form(SETUP, &[("code", "000000")])
        .await
        .is(422)
        .has("#code-error", "not the current code")
        .has(".totp-key", &key);
    let codes =
        ada.post_form(SETUP, &[("code", &Authenticator::from_page(&page).code(app.now()))]).await.ok();
    assert_eq!(codes.texts(".codes code").len(), 10);
    let file = codes.attributes("a[download]", "href").concat();
    assert!(
        file.starts_with("data:text/plain;")
            && file.contains(&codes.texts(".codes code")[9].replace('-', "%2D"))
    );
    ada.get("/settings/security").await.ok().text_has("You have 10 recovery codes left").lacks(&key);
}

on_both_engines!(a_code_works_once);
async fn a_code_works_once(app: App) {
    let (_, phone, _) = ada_with_a_phone(&app).await;
    let code = phone.code(app.now());
    half_in(&app).await.gives_code(&code).await.is(303);
    half_in(&app).await.gives_code(&code).await.is(422).has("#code-error", "already been used");
    app.later(STEP);
    half_in(&app).await.gives_code(&phone.code(app.now())).await.is(303);
}

on_both_engines!(the_code_that_switched_it_on_is_used_up);
async fn the_code_that_switched_it_on_is_used_up(app: App) {
    let ada = app.signed_in("ada").await;
    let at = app.now();
    let (phone, _) = ada.sets_up_second_factor(&app).await;
    half_in(&app).await.gives_code(&phone.code(at)).await.is(422);
}

on_both_engines!(of_two_who_send_one_code_at_once_one_is_in);
async fn of_two_who_send_one_code_at_once_one_is_in(app: App) {
    let (_, phone, _) = ada_with_a_phone(&app).await;
    let (one, two) = (half_in(&app).await, half_in(&app).await);
    let code = phone.code(app.now());
    let (one, two) = tokio::join!(one.gives_code(&code), two.gives_code(&code));
    let mut statuses = [one.status(), two.status()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 422]);
}

on_both_engines!(clocks_may_differ_by_one_step);
async fn clocks_may_differ_by_one_step(app: App) {
    let (_, phone, _) = ada_with_a_phone(&app).await;
    app.later(10 * STEP);
    // Early in a step, so that the requests below stay in it.
    let left = 30_000_000 - app.now().micros() % 30_000_000;
    app.later(Duration::from_micros(u64::try_from(left).unwrap()));
    let ada = half_in(&app).await;
    for wrong in [app.now().minus(2 * STEP), app.now().plus(2 * STEP)] {
        ada.gives_code(&phone.code(wrong)).await.is(422);
    }
    ada.gives_code(&phone.code(app.now().minus(STEP))).await.is(303);
    half_in(&app).await.gives_code(&phone.code(app.now().plus(STEP))).await.is(303);
    half_in(&app)
        .await
        .gives_code(&phone.code(app.now()))
        .await
        .is(422)
        .has("#code-error", "already been used");
}

on_both_engines!(a_recovery_code_works_once_however_it_is_typed);
async fn a_recovery_code_works_once_however_it_is_typed(app: App) {
    let (ada, _, codes) = ada_with_a_phone(&app).await;
    half_in(&app).await.gives_code(&codes[0].to_uppercase().replace('-', " ")).await.redirects_to("/tags");
    half_in(&app).await.gives_code(&codes[0]).await.is(422);
    let (one, two) = (half_in(&app).await, half_in(&app).await);
    let (one, two) = tokio::join!(one.gives_code(&codes[1]), two.gives_code(&codes[1]));
    assert_eq!(one.status() + two.status(), 303 + 422, "exactly one of two");
    ada.get("/settings/security").await.ok().text_has("You have 8 recovery codes left");
    app.has_account("eve", coffer::identity::Role::Member).await;
    for nothing in ["", "-", "aaaa-aaaa-aaaa-aaaa", "\0", "٣٣٣٣٣٣", &"9".repeat(100_000)] {
        half_in(&app).await.gives_code(nothing).await.is(422);
    }
}

on_both_engines!(new_recovery_codes_end_the_old_ones);
async fn new_recovery_codes_end_the_old_ones(app: App) {
    let (ada, _, old) = ada_with_a_phone(&app).await;
    let shown = ada.post_form("/settings/security/recovery-codes", &[]).await.ok();
    half_in(&app).await.gives_code(&old[0]).await.is(422);
    half_in(&app).await.gives_code(&shown.texts(".codes code")[0]).await.is(303);
}

on_both_engines!(five_wrong_codes_lead_back_to_the_password);
async fn five_wrong_codes_lead_back_to_the_password(app: App) {
    let (_, phone, _) = ada_with_a_phone(&app).await;
    let ada = half_in(&app).await;
    for _ in 0..4 {
        ada.gives_code("000000").await.is(422);
    }
    ada.gives_code("000000").await.redirects_to("/login");
    ada.get("/login").await.ok().has(".toast.error", "Too many wrong codes");
    ada.gives_code(&phone.code(app.now())).await.redirects_to("/login");
    assert!(!ada.is_signed_in().await);
}

on_both_engines!(guessing_on_with_the_password_does_not_help);
async fn guessing_on_with_the_password_does_not_help(app: App) {
    let (_, phone, codes) = ada_with_a_phone(&app).await;
    for _ in 0..2 {
        let eve = half_in(&app).await;
        for _ in 0..5 {
            eve.gives_code("000000").await;
        }
    }
    half_in(&app).await.gives_code(&phone.code(app.now())).await.is(422);
    half_in(&app).await.gives_code(&codes[0]).await.is(303);
    app.later(Duration::from_mins(16));
    half_in(&app).await.gives_code(&phone.code(app.now())).await.is(303);
}

on_both_engines!(the_second_step_waits_ten_minutes);
async fn the_second_step_waits_ten_minutes(app: App) {
    let (_, phone, _) = ada_with_a_phone(&app).await;
    let ada = half_in(&app).await;
    app.later(Duration::from_mins(11));
    ada.gives_code(&phone.code(app.now())).await.redirects_to("/login");
    ada.get("/login").await.ok().has(".toast.error", "took too long");
}

on_both_engines!(a_session_in_between_reaches_nothing);
async fn a_session_in_between_reaches_nothing(app: App) {
    let (ada, _, _) = ada_with_a_phone(&app).await;
    let mine = ada.saves(json!({ "title": "Mine" })).await;
    let half = half_in(&app).await;
    for path in
        ["/settings/security", "/settings/profile", "/trash", "/import", SETUP, "/sudo", "/resources/new"]
    {
        let answer = half.get(path).await.is(303);
        assert!(answer.header("location").starts_with("/login?next="), "{answer}");
    }
    for path in ["/api/v1/me", "/api/v1/resources/lookup?url=a.example"] {
        half.get(path).await.is(401);
    }
    half.get(&mine.page()).await.is(404);
    half.get(&mine.api()).await.is(404);
    for path in [
        "/resources",
        SETUP,
        "/settings/security/totp/off",
        "/settings/security/recovery-codes",
        "/sudo",
        "/settings/password",
    ] {
        half.post_form(path, &[("title", "x"), ("kind", "note"), ("sudo_password", PASSWORD)]).await.is(401);
    }
    half.json(Method::POST, "/api/v1/resources", json!({ "title": "x" })).await.is(401);
}

on_both_engines!(sudo_asks_for_a_code_too);
async fn sudo_asks_for_a_code_too(app: App) {
    let (ada, phone, _) = ada_with_a_phone(&app).await;
    app.later(Duration::from_mins(11));
    ada.get(SETUP).await.redirects_to("/sudo?next=%2Fsettings%2Fsecurity%2Ftotp");
    ada.get("/sudo?next=/tags").await.ok().has("label[for='sudo_code']", "Code");
    let code = phone.code(app.now());
    let off = "/settings/security/totp/off";
    for wrong in [
        vec![("sudo_password", PASSWORD)],
        vec![("sudo_password", "wrong horse battery"), ("sudo_code", &code)],
    ] {
        ada.post_form(off, &wrong).await.is(422).has("label[for='sudo_code']", "Code");
    }
    ada.post_form(off, &[("sudo_password", PASSWORD), ("sudo_code", &code)])
        .await
        .redirects_to("/settings/security");
    ada.get("/settings/security")
        .await
        .ok()
        .has("a[href='/settings/security/totp']", "Set up two-step login");
    app.another_browser_of("ada").await;
}

on_both_engines!(whoever_must_have_one_reaches_nothing_before, "--require-2fa=admins");
async fn whoever_must_have_one_reaches_nothing_before(app: App) {
    app.signed_in("member").await.get("/trash").await.ok();
    app.has_account("ada", coffer::identity::Role::Admin).await;
    let ada = Actor::new("ada", &app);
    ada.post_form("/login", &[("login", "ada"), ("password", PASSWORD)]).await.redirects_to("/resources");
    for path in
        ["/", "/resources", "/settings/security", "/settings/profile", "/admin/invites", "/trash", "/no/such"]
    {
        ada.get(path).await.redirects_to(SETUP);
    }
    for path in ["/api/v1/me", "/api/v1/resources", "/api/v1/tags"] {
        ada.get(path).await.is(403).problem("second_factor_required");
    }
    let page = ada.get(SETUP).await.ok().text_has("This site requires");
    let token = page.attributes("input[name='csrf']", "value")[0].clone();
    let as_her = |path: &'static str, fields: &[(&str, &str)]| {
        ada.post_form(path, fields).with_form_token(Some(&token)).into_future()
    };
    let note = as_her("/resources", &[("kind", "note"), ("title", "Typed")]).await;
    note.error_page(403).has("main textarea", "Typed");
    let code = Authenticator::from_page(&page).code(app.now());
    as_her(SETUP, &[("code", &code)]).await.ok().has("h1", "recovery codes");
    ada.get("/resources").await.ok();
    as_her("/settings/security/totp/off", &[]).await.is(403).text_has("can’t turn it off");
    as_her("/logout", &[]).await.redirects_to("/login");
}

on_both_engines!(the_secret_is_not_in_the_database_as_it_is);
async fn the_secret_is_not_in_the_database_as_it_is(app: App) {
    let ada = app.signed_in("ada").await;
    let key = ada.get(SETUP).await.ok().texts(".totp-key").concat().replace(' ', "");
    let secret = data_encoding::BASE32_NOPAD.decode(key.as_bytes()).unwrap();
    ada.sets_up_second_factor(&app).await;
    if app.engine == crate::support::app::Engine::Sqlite {
        for file in ["coffer.db", "coffer.db-wal"] {
            let stored = std::fs::read(app.data_dir().join(file)).unwrap();
            assert!(!stored.windows(20).any(|bytes| bytes == secret), "{file}");
            assert!(!stored.windows(key.len()).any(|bytes| bytes == key.as_bytes()), "{file}");
        }
    }
}

on_both_engines!(a_program_sends_its_code_with_the_password);
async fn a_program_sends_its_code_with_the_password(app: App) {
    let (_, phone, codes) = ada_with_a_phone(&app).await;
    let program = app.visitor();
    let asks = async |code: Option<&str>| {
        let mut credentials = json!({ "login": "ada", "password": PASSWORD });
        if let Some(code) = code {
            credentials["code"] = json!(code);
        }
        program.json(Method::POST, "/api/v1/auth/token", credentials).await
    };
    for none in [None, Some("")] {
        asks(none).await.is(401).problem("second_factor_required");
    }
    asks(Some("000000")).await.is(401).problem("wrong_code");
    let code = phone.code(app.now());
    asks(Some(&code)).await.ok();
    asks(Some(&code)).await.is(401).problem("code_used");
    asks(Some(&codes[0])).await.ok();
    asks(Some(&codes[0])).await.is(401).problem("code_used");
}

on_both_engines!(a_form_whose_session_is_over_asks_for_the_code_too);
async fn a_form_whose_session_is_over_asks_for_the_code_too(app: App) {
    let (ada, phone, _) = ada_with_a_phone(&app).await;
    ada.copied_cookies().post_form("/logout", &[]).await.redirects_to("/login");
    let note = [("kind", "note"), ("title", "Written for an hour")];
    ada.post_form("/resources", &note)
        .await
        .is(401)
        .has("h1", "Log in to continue")
        .has_no("[name='signin_code']");
    let with = |code: &'static str| {
        [note[0], note[1], ("signin_login", "ada"), ("signin_password", PASSWORD), ("signin_code", code)]
    };
    ada.post_form("/resources", &with("")[..4])
        .await
        .is(401)
        .has("label[for='code']", "Code")
        .holds("title", note[1].1);
    ada.post_form("/resources", &with("000000"))
        .await
        .is(401)
        .has("#login-error", "code is wrong or has already been used");
    assert!(!ada.is_signed_in().await);
    let code = phone.code(app.now());
    let fields = [
        note[0],
        note[1],
        ("signin_login", "ada"),
        ("signin_password", PASSWORD),
        ("signin_code", code.as_str()),
    ];
    ada.post_form("/resources", &fields).await.is(303);
    assert!(ada.is_signed_in().await);
}

on_both_engines!(a_device_stays_signed_in_only_after_the_code);
async fn a_device_stays_signed_in_only_after_the_code(app: App) {
    let (_, phone, _) = ada_with_a_phone(&app).await;
    let ada = Actor::new("ada", &app);
    let form = [("login", "ada"), ("password", PASSWORD), ("stay", "on")];
    ada.post_form("/login", &form).await.redirects_to("/login/second-factor");
    assert_eq!(ada.cookie("__Host-coffer-stay"), None);
    ada.gives_code(&phone.code(app.now())).await.redirects_to("/resources");
    assert!(ada.cookie("__Host-coffer-stay").is_some() && ada.is_signed_in().await);
}

on_both_engines!(who_has_lost_app_and_codes_is_let_in_by_whoever_runs_the_site);
async fn who_has_lost_app_and_codes_is_let_in_by_whoever_runs_the_site(app: App) {
    ada_with_a_phone(&app).await;
    let stopped = app.stop().await;
    let place = Place::new();
    let command = |name: &'static str| {
        let settings = stopped.settings.iter().map(String::as_str);
        ["user", "second-factor-off", name].into_iter().chain(settings).collect::<Vec<_>>()
    };
    assert!(place.done(&command("ada"), &[]).contains("Two-step login is off for ada"));
    let again = place.run(&command("ada"), &[]);
    assert!(
        !again.status.success()
            && String::from_utf8_lossy(&again.stderr).contains("doesn't use two-step login")
    );
}
