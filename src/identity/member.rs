//! A user.

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

/// A user, as the rest of coffer knows them.
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
    /// Rises with each change of a factor. It ends the sudo mode of before.
    pub factor_epoch: i64,
    pub verified: bool,
    /// A log-in needs a code besides the password.
    pub second_factor: bool,
}
