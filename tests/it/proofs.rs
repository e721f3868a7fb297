//! What is granted for what was proved: every way in and every change, held against the one table.

use std::time::Duration;

use coffer::accounts::Proof;
use coffer::accounts::proof::{SessionGrant, SudoGrant};
use coffer::identity::{RequestMeta, Role};
use serde_json::json;

use crate::support::actor::Actor;
use crate::support::app::{App, Engine, PASSWORD};
use crate::support::authenticator::{Authenticator, SETUP};
use crate::support::on_both_engines;

const SESSION: &str = "__Host-coffer";
const NEW: &str = "staple orbit lantern";
const OFF: &str = "/settings/security/totp/off";
const CODES: &str = "/settings/security/recovery-codes";
const OTHERS: &str = "/settings/sessions/others/end";

/// How a person proves something.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    LogIn,
    InPlace,
    Sudo,
    ChangesPassword,
    LogInWithoutCode,
    LogInWithCode,
    InPlaceWithCode,
    SudoWithCode,
    LogInWithRecoveryCode,
    InPlaceWithRecoveryCode,
    SudoWithRecoveryCode,
    Registers,
    AcceptsInvitation,
    KeptDevice,
    ChangesPasswordWithoutCode,
    SetsUpApp,
    SetsUpAnotherApp,
    MakesRecoveryCodes,
    SwitchesOff,
    ConfirmsAddress,
    ResetsPassword,
}

use Way::*;

const WAYS: [Way; 21] = [
    LogIn,
    InPlace,
    Sudo,
    ChangesPassword,
    LogInWithoutCode,
    LogInWithCode,
    InPlaceWithCode,
    SudoWithCode,
    LogInWithRecoveryCode,
    InPlaceWithRecoveryCode,
    SudoWithRecoveryCode,
    Registers,
    AcceptsInvitation,
    KeptDevice,
    ChangesPasswordWithoutCode,
    SetsUpApp,
    SetsUpAnotherApp,
    MakesRecoveryCodes,
    SwitchesOff,
    ConfirmsAddress,
    ResetsPassword,
];

impl Way {
    fn proof(self) -> Proof {
        match self {
            LogIn | InPlace | Sudo | ChangesPassword => Proof::Password,
            LogInWithoutCode => Proof::PasswordWithoutCode,
            LogInWithCode | InPlaceWithCode | SudoWithCode => Proof::PasswordAndCode,
            LogInWithRecoveryCode | InPlaceWithRecoveryCode | SudoWithRecoveryCode => {
                Proof::PasswordAndRecoveryCode
            }
            Registers | AcceptsInvitation => Proof::NewAccount,
            KeptDevice => Proof::KeptDevice,
            ChangesPasswordWithoutCode => Proof::SessionAndPassword,
            SetsUpApp | SetsUpAnotherApp | MakesRecoveryCodes | SwitchesOff => Proof::SudoAndFactor,
            ConfirmsAddress => Proof::SessionAndAddressLink,
            ResetsPassword => Proof::ResetLink,
        }
    }

    fn has_factor(self) -> bool {
        let none = [LogIn, InPlace, Sudo, ChangesPassword, Registers, AcceptsInvitation, KeptDevice];
        !none.contains(&self) && ![SetsUpApp, ConfirmsAddress, ResetsPassword].contains(&self)
    }

    /// Whether it can be gone in a session that is in sudo mode, or not in it.
    fn is_open(self, in_sudo: bool) -> bool {
        match self {
            Sudo | SudoWithCode | SudoWithRecoveryCode => !in_sudo,
            SetsUpApp | SetsUpAnotherApp | MakesRecoveryCodes | SwitchesOff => in_sudo,
            _ => true,
        }
    }
}

/// A person with a browser that is logged in, and what they need to prove something.
struct Person {
    browser: Actor,
    phone: Option<Authenticator>,
    codes: Vec<String>,
    address_link: String,
    /// Already in the session, as it takes sudo mode to open the page.
    app_page: Option<Authenticator>,
}

impl Person {
    /// With four minutes of sudo mode left, or none.
    async fn new(app: &App, name: &str, way: Way, in_sudo: bool) -> Self {
        app.has_account(name, Role::Member).await;
        let browser = Actor::new(name, app);
        let form = [("login", name), ("password", PASSWORD), ("stay", "yes")];
        let form = if way == KeptDevice { &form[..] } else { &form[..2] };
        browser.post_form("/login", form).await.redirects_to("/resources");
        browser.learns_token().await;
        let (mut phone, mut codes) = (None, Vec::new());
        if way.has_factor() {
            let set_up = browser.sets_up_second_factor(app).await;
            (phone, codes) = (Some(set_up.0), set_up.1);
        }
        let mut address_link = String::new();
        if way == ConfirmsAddress {
            let to = format!("{name}@new.example");
            browser.post_form("/settings/email", &[("email", &to)]).await.is(303);
            address_link = app.letter_to(&to, "Confirm your new").await.link(app, "/verify-email/");
        }
        let is_set_up = matches!(way, SetsUpApp | SetsUpAnotherApp);
        let app_page =
            if is_set_up { Some(Authenticator::from_page(&browser.get(SETUP).await.ok())) } else { None };
        app.later(Duration::from_mins(if in_sudo { 6 } else { 11 }));
        Self { browser, phone, codes, address_link, app_page }
    }

    fn code(&self, app: &App, way: Way) -> String {
        match way.proof() {
            Proof::PasswordAndRecoveryCode => self.codes[0].clone(),
            _ => self.phone.as_ref().expect("an app").code(app.now()),
        }
    }

    /// Proves it; the browser in which that was done.
    async fn goes(&self, app: &App, way: Way) -> Actor {
        let (here, name) = (&self.browser, self.browser.name.as_str());
        let log_in = [("login", name), ("password", PASSWORD)];
        match way {
            LogIn | LogInWithoutCode => {
                let browser = here.without_cookies();
                browser.post_form("/login", &log_in).await.is(303);
                return browser;
            }
            LogInWithCode | LogInWithRecoveryCode => {
                let browser = here.without_cookies();
                browser.gives_password().await;
                browser.gives_code(&self.code(app, way)).await.redirects_to("/tags");
                return browser;
            }
            InPlace | InPlaceWithCode | InPlaceWithRecoveryCode => {
                here.copied_cookies().post_form("/logout", &[]).await.redirects_to("/login");
                let code = if way == InPlace { String::new() } else { self.code(app, way) };
                let answer =
                    [("signin_login", name), ("signin_password", PASSWORD), ("signin_code", code.as_str())];
                let note = [&[("title", "Typed"), ("kind", "note")][..], &answer].concat();
                here.post_form("/resources", &note).await.is(303);
            }
            Sudo | SudoWithCode | SudoWithRecoveryCode => {
                let code = if way == Sudo { String::new() } else { self.code(app, way) };
                let form = [("sudo_password", PASSWORD), ("sudo_code", code.as_str())];
                here.post_form("/sudo", &form).await.redirects_to("/resources");
            }
            Registers | AcceptsInvitation => return self.makes_account(app, way).await,
            KeptDevice => {
                here.sets_cookie(SESSION, "");
                here.get("/trash").await.ok();
            }
            ChangesPassword | ChangesPasswordWithoutCode => {
                let form = [("current_password", PASSWORD), ("password", NEW)];
                here.post_form("/settings/password", &form).await.redirects_to("/settings/security");
            }
            SetsUpApp | SetsUpAnotherApp => {
                let code = self.app_page.as_ref().expect("an app").code(app.now());
                here.post_form(SETUP, &[("code", &code)]).await.ok().has("h1", "recovery codes");
            }
            MakesRecoveryCodes => {
                here.post_form(CODES, &[]).await.ok().has("h1", "recovery codes");
            }
            SwitchesOff => {
                here.post_form(OFF, &[]).await.redirects_to("/settings/security");
            }
            ConfirmsAddress => {
                here.post_form(&self.address_link, &[]).await.redirects_to("/settings/profile");
            }
            ResetsPassword => {
                let browser = here.without_cookies();
                let address = format!("{name}@example.org");
                browser.post_form("/password/forgot", &[("email", &address)]).await.ok();
                let letter = app.letter_to(&address, "Choose a new password").await;
                let link = letter.link(app, "/password/reset/");
                browser.post_form(&link, &[("password", NEW)]).await.redirects_to("/login");
                return browser;
            }
        }
        here.clone()
    }

    async fn makes_account(&self, app: &App, way: Way) -> Actor {
        let name = format!("new-{}", self.browser.name);
        let email = format!("{name}@example.org");
        let form = [("email", email.as_str()), ("username", &name), ("password", PASSWORD)];
        let path = if way == Registers {
            "/register".to_owned()
        } else {
            let admin = app.admin(&format!("admin-{name}")).await;
            admin.post_form("/admin/invites", &[]).await.is(303);
            let page = admin.get("/admin/invites").await.ok();
            let link = page.attributes("input[readonly]", "value").remove(0);
            link.replace(&app.coffer.deps.public_url.address(), "")
        };
        let browser = self.browser.without_cookies();
        browser.post_form(&path, &form).await.redirects_to("/resources");
        browser
    }
}

async fn is_in_sudo(browser: &Actor) -> bool {
    browser.get(SETUP).await.status() == 200
}

on_both_engines!(every_way_grants_what_the_table_says, "--signup=open");
async fn every_way_grants_what_the_table_says(app: App) {
    assert!(Proof::ALL.iter().all(|proof| WAYS.iter().any(|way| way.proof() == *proof)), "all are walked");
    for (number, way) in WAYS.into_iter().enumerate() {
        for in_sudo in [false, true].into_iter().filter(|in_sudo| way.is_open(*in_sudo)) {
            let name = format!("person-{number}-{in_sudo}");
            let what = format!("{way:?} of {name}");
            let person = Person::new(&app, &name, way, in_sudo).await;
            assert_eq!(is_in_sudo(&person.browser).await, in_sudo, "{what}: before");
            let before = person.browser.cookie(SESSION);
            let browser = person.goes(&app, way).await;
            let grants = way.proof().grants();

            let is_new = browser.cookie(SESSION) != before;
            let session = (browser.is_signed_in().await, is_new);
            let in_between = browser.get("/login/second-factor").await.status() == 200;
            match grants.session {
                SessionGrant::Begins => assert_eq!(session, (true, true), "{what}"),
                SessionGrant::GoesOn => assert_eq!(session, (true, false), "{what}"),
                SessionGrant::CodePage | SessionGrant::No => assert!(!session.0, "{what}"),
            }
            assert_eq!(in_between, grants.session == SessionGrant::CodePage, "{what}");

            let now = match grants.sudo {
                SudoGrant::No => false,
                SudoGrant::Begins => true,
                SudoGrant::GoesOn => in_sudo,
            };
            assert_eq!(is_in_sudo(&browser).await, now, "{what}: after");
            app.later(Duration::from_mins(5));
            let later = grants.sudo == SudoGrant::Begins;
            assert_eq!(is_in_sudo(&browser).await, later, "{what}: five minutes after");
        }
    }
}

#[tokio::test]
async fn the_first_account_is_in_sudo_mode() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let token = app.coffer.accounts.begin_setup().await.expect("the database answers").expect("a token");
    let first = app.visitor();
    let form = [("email", "ada@example.org"), ("username", "ada"), ("password", PASSWORD)];
    first.post_form(&format!("/setup/{token}"), &form).await.redirects_to("/resources");
    assert!(is_in_sudo(&first).await);
    app.later(Duration::from_mins(11));
    assert!(!is_in_sudo(&first).await);
}

on_both_engines!(a_password_without_the_code_opens_nothing_that_reaches_far);
async fn a_password_without_the_code_opens_nothing_that_reaches_far(app: App) {
    let ada = app.admin("ada").await;
    ada.sets_up_second_factor(&app).await;
    app.later(Duration::from_mins(11));
    let form = [("current_password", PASSWORD), ("password", NEW)];
    ada.post_form("/settings/password", &form).await.redirects_to("/settings/security");
    ada.learns_token().await;
    let token = [("name", "mine"), ("resources_read", "on"), ("days", "7")];
    let sudo_alone = [("sudo_password", NEW)];
    for (path, form) in [
        (OFF, &[][..]),
        (CODES, &[]),
        ("/settings/tokens", &token),
        ("/settings/email", &[("email", "eve@example.org")]),
        ("/settings/data/delete", &[("username", "ada")]),
        ("/admin/invites", &[]),
    ] {
        ada.post_form(path, form).await.is(403).has("label[for='sudo_code']", "Code");
        ada.post_form(path, &[form, &sudo_alone].concat())
            .await
            .is(422)
            .has("label[for='sudo_code']", "Code");
    }
    ada.get("/settings/data/archive").await.redirects_to("/sudo?next=%2Fsettings%2Fdata%2Farchive");
    let draft = json!({ "name": "mine", "scopes": ["resources:read"] });
    ada.json(reqwest::Method::POST, "/api/v1/me/tokens", draft).await.is(403).problem("sudo_required");
}

/// How a factor is changed, with what is needed for it.
async fn changes_factor(app: &App, ada: &Actor, way: Way, person: &Person) {
    let there = Person {
        browser: ada.clone(),
        phone: None,
        codes: Vec::new(),
        address_link: person.address_link.clone(),
        app_page: match way {
            SetsUpApp | SetsUpAnotherApp => Some(Authenticator::from_page(&ada.get(SETUP).await.ok())),
            _ => None,
        },
    };
    there.goes(app, way).await;
}

/// Another browser of a person who may have an app, in sudo mode.
async fn another_browser(app: &App, person: &Person) -> Actor {
    let browser = person.browser.without_cookies();
    let Some(phone) = &person.phone else {
        browser.signs_in().await;
        return browser;
    };
    browser.gives_password().await;
    browser.gives_code(&phone.code(app.now())).await.redirects_to("/tags");
    browser.learns_token().await;
    browser
}

const CHANGES: [Way; 5] = [SetsUpApp, SetsUpAnotherApp, MakesRecoveryCodes, SwitchesOff, ConfirmsAddress];

on_both_engines!(a_changed_factor_ends_sudo_mode_everywhere_else);
async fn a_changed_factor_ends_sudo_mode_everywhere_else(app: App) {
    for (number, way) in CHANGES.into_iter().enumerate() {
        let person = Person::new(&app, &format!("person-{number}"), way, true).await;
        let elsewhere = another_browser(&app, &person).await;
        assert!(is_in_sudo(&elsewhere).await && is_in_sudo(&person.browser).await, "{way:?}");
        changes_factor(&app, &person.browser, way, &person).await;
        assert!(is_in_sudo(&person.browser).await, "{way:?}: here it goes on");
        assert!(elsewhere.is_signed_in().await && !is_in_sudo(&elsewhere).await, "{way:?}");
        elsewhere.post_form(CODES, &[]).await.is(403);
    }
}

on_both_engines!(to_end_other_sessions_is_offered_where_there_are_some);
async fn to_end_other_sessions_is_offered_where_there_are_some(app: App) {
    let offer = format!("form[action='{OTHERS}'] button");
    let ada = app.signed_in("ada").await;
    let sets_up = async || {
        let phone = Authenticator::from_page(&ada.get(SETUP).await.ok());
        ada.post_form(SETUP, &[("code", &phone.code(app.now()))]).await.ok()
    };
    let switches_off = async || {
        ada.post_form(OFF, &[]).await.redirects_to("/settings/security");
        ada.get("/settings/security").await.ok().has(".toast", "Two-step login is off")
    };
    sets_up().await.has_no(&offer);
    ada.post_form(CODES, &[]).await.ok().has_no(&offer);
    switches_off().await.has_no(&offer);
    let elsewhere = app.another_browser_of("ada").await;
    sets_up().await.has(&offer, "Log out other devices");
    ada.post_form(CODES, &[]).await.ok().has(&offer, "Log out other devices");
    switches_off().await.has(&format!(".toast {offer}"), "Log out other devices");
    ada.post_form("/settings/email", &[("email", "ada@new.example")]).await.is(303);
    let link = app.letter_to("ada@new.example", "Confirm your new").await.link(&app, "/verify-email/");
    ada.post_form(&link, &[]).await.redirects_to("/settings/profile");
    ada.get("/settings/profile").await.ok().has(&format!(".toast {offer}"), "Log out other devices");
    ada.post_form(OTHERS, &[]).await.redirects_to("/settings/sessions");
    assert!(ada.is_signed_in().await && !elsewhere.is_signed_in().await);
}

on_both_engines!(the_command_line_ends_sudo_mode_too);
async fn the_command_line_ends_sudo_mode_too(app: App) {
    let ada = app.signed_in("ada").await;
    ada.sets_up_second_factor(&app).await;
    assert!(is_in_sudo(&ada).await);
    let member = app.coffer.accounts.by_username("ada").await.expect("accounts").expect("ada");
    app.coffer.accounts.switch_off(&member, None, &RequestMeta::default()).await.expect("it is off");
    assert!(ada.is_signed_in().await && !is_in_sudo(&ada).await);
}

#[tokio::test]
async fn it_ends_at_once_on_every_node() {
    let app = App::with_redis(Engine::Postgres).await;
    let other = app.another_node().await;
    let ada = app.signed_in("ada").await;
    let elsewhere = app.another_browser_of("ada").await.at(&other);
    assert!(is_in_sudo(&elsewhere).await && is_in_sudo(&elsewhere).await);
    let (phone, _) = ada.sets_up_second_factor(&app).await;
    assert!(!is_in_sudo(&elsewhere).await && is_in_sudo(&ada.at(&other)).await);
    app.later(Duration::from_mins(1));
    let form = [("sudo_password", PASSWORD), ("sudo_code", &phone.code(app.now()))];
    elsewhere.learns_token().await;
    elsewhere.post_form("/sudo", &form).await.is(303);
    assert!(is_in_sudo(&elsewhere).await);
}
