//! What can be recorded. Each slice declares its own actions beside its verbs.

use super::Outcome;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    name: &'static str,
    done: &'static str,
    refused: &'static str,
    target: &'static str,
}

pub const ACCOUNT: &str = "account";

pub const KEY_ROTATE: Action = Action::new("key.rotate", "Changed the secret key").with_target("old key");
pub const KEY_LOST: Action = Action::new("key.lost", "Replaced a lost secret key").with_target("lost key");

pub const ALL: &[Action] = &[KEY_ROTATE, KEY_LOST];

impl Action {
    /// The name is what rows hold; the description is for people. The target is an account.
    pub const fn new(name: &'static str, description: &'static str) -> Self {
        Self { name, done: description, refused: description, target: ACCOUNT }
    }

    /// What its target is, if not an account: `API token`.
    pub const fn with_target(self, noun: &'static str) -> Self {
        Self { target: noun, ..self }
    }

    pub const fn or_refused(self, description: &'static str) -> Self {
        Self { refused: description, ..self }
    }

    pub const fn as_str(self) -> &'static str {
        self.name
    }

    pub const fn target(self) -> &'static str {
        self.target
    }

    pub const fn description(self, outcome: Outcome) -> &'static str {
        match outcome {
            Outcome::Done => self.done,
            Outcome::Refused => self.refused,
        }
    }
}
