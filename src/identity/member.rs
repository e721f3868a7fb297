//! A person with an account.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::named::named;

named! {
    #[derive(Deserialize, Serialize, ToSchema, ValueEnum)]
    #[serde(rename_all = "lowercase")]
    pub enum Role {
        Member = "member",
        Admin = "admin",
    }
}

/// A person with an account, as the rest of coffer knows them.
#[derive(Clone, Debug, Deserialize, Serialize, sqlx::FromRow)]
pub struct Member {
    pub id: Uuid,
    pub email: String,
    pub username: String,
    pub display_name: String,
    #[sqlx(try_from = "String")]
    pub role: Role,
    /// Sessions carry the epoch they began in; another epoch ends them all.
    pub auth_epoch: i64,
    /// Counts the changes of what they prove themselves by. Sudo mode of before the last one is over.
    pub factor_epoch: i64,
    /// The e-mail address was confirmed.
    pub verified: bool,
    /// A code is asked for besides the password.
    pub second_factor: bool,
}
