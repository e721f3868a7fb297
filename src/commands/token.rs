//! `coffer token`: API tokens for the operator.

use super::work::{Out, say};
use super::{owner, sentence};
use crate::app::App;
use crate::cli::args::TokenAction;
use crate::identity::RequestMeta;
use crate::tokens::NewToken;

pub async fn run(app: &App, action: TokenAction, mut out: Out) -> Result<(), String> {
    match action {
        TokenAction::Create { name, scopes, days, user } => {
            let owner = owner(app, user.as_deref()).await?;
            let new = NewToken { name, scopes, days };
            let made = app.tokens.make(&owner, &new, None, &RequestMeta::default()).await;
            say(&mut out, made.map_err(|e| sentence(&e))?.secret)
        }
        TokenAction::List { user } => list(app, user.as_deref(), out).await,
        TokenAction::Revoke { id, user } => {
            let owner = owner(app, user.as_deref()).await?;
            app.tokens.revoke(&owner, id, &RequestMeta::default()).await.map_err(|_| {
                format!("{} has no token {id}. `coffer token list` shows them all.", owner.username)
            })?;
            say(&mut out, "Token revoked.")
        }
    }
}

async fn list(app: &App, user: Option<&str>, mut out: Out) -> Result<(), String> {
    let owner = owner(app, user).await?;
    for token in app.tokens.list(&owner).await.map_err(|e| sentence(&e))? {
        let last_used =
            token.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("used {}", at.moment()));
        let (id, name, scopes, until) = (token.id, token.name, token.scopes, token.expires_at.day());
        say(&mut out, format_args!("{id}\t{name}\t{scopes}\tuntil {until}\t{last_used}"))?;
    }
    Ok(())
}
