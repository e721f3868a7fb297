//! Accounts and their trail, from the command line.

use std::io::{BufRead as _, IsTerminal as _};

use super::{open, open_or_make, sentence};
use crate::accounts::people::{By, Change, Person};
use crate::accounts::{NewAccount, Role};
use crate::app::App;
use crate::cli::{Named, UserAction};
use crate::config::Config;
use crate::web::origin::Origin;

pub async fn run(action: UserAction) -> Result<(), String> {
    match action {
        UserAction::Create { username, email, role, config } => create(username, email, role, *config).await,
        UserAction::List { config } => list(*config).await,
        UserAction::Disable(named) => {
            let change = Change { disabled: Some(true), ..Change::default() };
            change_one(&named.username, named.config, change, "is disabled and logged out everywhere").await
        }
        UserAction::Enable(named) => {
            let change = Change { disabled: Some(false), ..Change::default() };
            change_one(&named.username, named.config, change, "may log in again").await
        }
        UserAction::Role { username, role, config } => {
            let change = Change { role: Some(role), ..Change::default() };
            change_one(&username, *config, change, &format!("is {} now", role.as_str())).await
        }
        UserAction::ResetLink(named) => reset_link(named).await,
        UserAction::SecondFactorOff(named) => second_factor_off(named).await,
    }
}

/// # Errors
/// A sentence that names the first event that is not as it was written.
pub async fn verify(config: Config) -> Result<(), String> {
    let app = open(config).await?;
    let verified = app.trail.verify().await.map_err(|e| sentence(&e))?;
    app.close().await;
    if let Some(fault) = verified.fault {
        return Err(format!(
            "The audit trail is broken: {fault}. The {} events before stand. Somebody has written to the database past coffer, or COFFER_SECRET_KEY is another one; compare with a backup.",
            verified.events
        ));
    }
    println!(
        "The audit trail is unbroken: {} events, the last one’s seal begins with {}.",
        verified.events, verified.last_hash
    );
    if verified.unkeyed > 0 {
        println!(
            "The key of the first {} is lost: that they stand in their order was checked, not what they say.",
            verified.unkeyed
        );
    }
    Ok(())
}

async fn create(username: String, email: String, role: Role, config: Config) -> Result<(), String> {
    let app = open_or_make(config).await?;
    let password = read_password()?;
    let new = NewAccount { email, username, display_name: String::new(), password };
    let member = app.accounts.create(&new, role).await.map_err(|e| sentence(&e))?;
    println!("{} is ready, as {}.", member.username, member.role.as_str());
    app.close().await;
    Ok(())
}

async fn list(config: Config) -> Result<(), String> {
    let app = open(config).await?;
    for person in app.people.all().await.map_err(|e| sentence(&e))? {
        let state = if person.is_disabled() { "\tdisabled" } else { "" };
        println!("{}\t{}\t{}{state}", person.username, person.role.as_str(), person.email);
    }
    app.close().await;
    Ok(())
}

async fn change_one(username: &str, config: Config, change: Change, said: &str) -> Result<(), String> {
    let app = open(config).await?;
    let person = find(&app, username).await?;
    let changed = app.people.change(By::Operator, person.id, change, &Origin::default()).await;
    println!("{} {said}.", changed.map_err(|e| sentence(&e))?.username);
    app.close().await;
    Ok(())
}

async fn reset_link(named: Named) -> Result<(), String> {
    let app = open(named.config).await?;
    let person = find(&app, &named.username).await?;
    let token = app.people.reset_link(By::Operator, person.id, &Origin::default()).await;
    println!("{}/password/reset/{}", app.deps.public_url.origin(), token.map_err(|e| sentence(&e))?);
    app.close().await;
    Ok(())
}

async fn find(app: &App, username: &str) -> Result<Person, String> {
    let found = app.people.by_username(username).await.map_err(|e| sentence(&e))?;
    found.ok_or_else(|| format!("There is no account {username}. `coffer user list` shows them all."))
}

fn read_password() -> Result<String, String> {
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password("Password (at least 12 characters): ")
            .map_err(|e| format!("Cannot read the password: {e}."));
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|e| format!("Cannot read the password: {e}."))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

async fn second_factor_off(named: Named) -> Result<(), String> {
    let app = open(named.config).await?;
    let person = find(&app, &named.username).await?;
    let member = app.accounts.by_username(&person.username).await.map_err(|e| sentence(&e))?;
    let member = member.filter(|member| member.second_factor);
    let Some(member) = member else {
        return Err(format!("{} has no two-step login that could be switched off.", person.username));
    };
    app.accounts.switch_off(&member, None, &Origin::default()).await.map_err(|e| sentence(&e))?;
    println!("{} logs in with the password alone now, and is told so by letter.", member.username);
    app.close().await;
    Ok(())
}
