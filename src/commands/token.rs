//! `coffer token`: personal API tokens for whoever runs the site.

use super::{open, owner, sentence};
use crate::app::App;
use crate::cli::TokenAction;
use crate::tokens::NewToken;
use crate::web::origin::Origin;

pub async fn run(action: TokenAction) -> Result<(), String> {
    match action {
        TokenAction::Create { name, scopes, days, user, config } => {
            let app = open(*config).await?;
            let made = create(&app, user.as_deref(), NewToken { name, scopes, days }).await;
            app.close().await;
            println!("{}", made?);
            Ok(())
        }
        TokenAction::List { user, config } => {
            let app = open(*config).await?;
            let listed = list(&app, user.as_deref()).await;
            app.close().await;
            listed
        }
        TokenAction::Revoke { id, user, config } => {
            let app = open(*config).await?;
            let owner = owner(&app, user.as_deref()).await?;
            let revoked = app.tokens.revoke(&owner, id, &Origin::default()).await;
            app.close().await;
            revoked.map_err(|_| {
                format!("{} has no token {id}. `coffer token list` shows them all.", owner.username)
            })?;
            println!("The token is revoked.");
            Ok(())
        }
    }
}

async fn create(app: &App, user: Option<&str>, new: NewToken) -> Result<String, String> {
    let owner = owner(app, user).await?;
    let made = app.tokens.make(&owner, &new, None, &Origin::default()).await;
    Ok(made.map_err(|e| sentence(&e))?.secret)
}

async fn list(app: &App, user: Option<&str>) -> Result<(), String> {
    let owner = owner(app, user).await?;
    for token in app.tokens.of(&owner).await.map_err(|e| sentence(&e))? {
        let last_used =
            token.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("used {}", at.moment()));
        println!(
            "{}\t{}\t{}\tuntil {}\t{last_used}",
            token.id,
            token.name,
            token.scopes,
            token.expires_at.day()
        );
    }
    Ok(())
}
