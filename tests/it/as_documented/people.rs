//! The people of the walk: how they get in, and how they are helped.

use coffer::system::System;
use reqwest::Method;

use super::tour::Tour;
use crate::support::actor::Actor;
use crate::support::answer::Answer;
use crate::support::app::PASSWORD;
use crate::support::authenticator::{Authenticator, SETUP};

const NEW_PASSWORD: &str = "staple orbit lantern";

/// The path of the link in this text that begins like this.
#[track_caller]
fn link(text: &str, begin: &str) -> String {
    let mut words = text.split_whitespace();
    let link =
        words.find(|word| word.contains(begin)).unwrap_or_else(|| panic!("a link to {begin} in {text}"));
    link[link.find(begin).expect("it is there")..].to_owned()
}

impl Tour {
    /// Ada by the setup link, Bob by an invitation, Carol by a command. Ada's browser.
    pub async fn has_people(&self) -> Actor {
        let said = self.first.follows(&["install#The first account"]).await;
        let form = [("email", "ada@example.org"), ("username", "ada"), ("password", PASSWORD)];
        let ada = self.visitor("ada");
        ada.post_form(&link(&said, "/setup/"), &form).await.redirects_to("/resources");
        ada.learns_token().await;
        let said = self.commands(&["install#An account without a browser", "install#Invite others"]).await;
        let form = [("email", "bob@example.org"), ("username", "bob"), ("password", PASSWORD)];
        self.visitor("bob").post_form(&link(&said, "/invite/"), &form).await.redirects_to("/resources");
        self.visitor("carol").signs_in().await;
        ada
    }

    /// A phone and a password are lost, and an account waits after many guesses. Ada's new browser.
    pub async fn helps_people(&self, ada: &Actor) -> Actor {
        let phone = Authenticator::from_page(&ada.get(SETUP).await.ok());
        ada.post_form(SETUP, &[("code", &phone.code(System::real().now()))]).await.ok();
        self.visitor("ada").gives_password().await;
        self.commands(&["troubleshooting#A lost phone or second factor"]).await;
        self.visitor("ada").signs_in().await;
        let said = self.commands(&["troubleshooting#A lost or forgotten password"]).await;
        let form = [("password", NEW_PASSWORD)];
        self.visitor("ada").post_form(&link(&said, "/password/reset/"), &form).await.redirects_to("/login");
        while self.tries("a wrong password").await.status() != 429 {}
        assert_eq!(self.tries(NEW_PASSWORD).await.status(), 429);
        self.commands(&["troubleshooting#Locked out: too many attempts"]).await;
        self.logs_in().await
    }

    pub async fn changes_roles(&self) {
        self.commands(&[
            "troubleshooting#There is no admin any more",
            "howto#Make a user an admin",
            "howto#Disable or delete a user",
        ])
        .await;
        let bob = [("login", "bob"), ("password", PASSWORD)];
        assert_ne!(self.visitor("bob").post_form("/login", &bob).await.status(), 303, "he is disabled");
    }

    async fn tries(&self, password: &str) -> Answer {
        self.visitor("ada").post_form("/login", &[("login", "ada"), ("password", password)]).await
    }

    /// Ada with her new password.
    pub async fn logs_in(&self) -> Actor {
        let ada = self.visitor("ada");
        let form = [("login", "ada"), ("password", NEW_PASSWORD)];
        ada.post_form("/login", &form).await.redirects_to("/resources");
        ada.learns_token().await;
        ada
    }
}

/// How many entries she keeps.
pub async fn kept(ada: &Actor) -> usize {
    let mut found = 0;
    let mut page = ada.json_free(Method::GET, "/api/v1/resources?limit=100").await.ok().json();
    loop {
        found += page["items"].as_array().expect("a list").len();
        let Some(cursor) = page["next_cursor"].as_str().map(str::to_owned) else { return found };
        page = ada.get(&format!("/api/v1/resources?limit=100&cursor={cursor}")).await.ok().json();
    }
}
