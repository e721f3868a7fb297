//! `coffer user`: accounts, for the operator.

use super::sentence;
use super::work::{Doer, Out, say};
use crate::accounts::NewAccount;
use crate::accounts::people::{By, Change, Person};
use crate::accounts::policy::Signup;
use crate::app::App;
use crate::cli::args::UserAction;
use crate::error::Result as Outcome;
use crate::identity::RequestMeta;

pub async fn run(
    app: &App,
    action: UserAction,
    password: Option<String>,
    mut out: Out,
    doer: Doer,
) -> Result<(), String> {
    match action {
        UserAction::Create { username, email, role } => {
            let password = password.unwrap_or_default();
            let new = NewAccount { email, username, display_name: String::new(), password };
            let member = told(app.accounts.create(&new, role).await)?;
            say(&mut out, format_args!("Created {} as {}.", member.username, member.role.as_str()))
        }
        UserAction::List => list(app, out).await,
        UserAction::Disable(named) => {
            let change = Change { disabled: Some(true), ..Change::default() };
            change_one(app, &named.username, change, "is now disabled and logged out everywhere", out).await
        }
        UserAction::Enable(named) => {
            let change = Change { disabled: Some(false), ..Change::default() };
            change_one(app, &named.username, change, "can log in again", out).await
        }
        UserAction::Role { username, role } => {
            let change = Change { role: Some(role), ..Change::default() };
            change_one(app, &username, change, &format!("is now {}", role.as_str()), out).await
        }
        UserAction::ResetLink(named) => {
            let person = find(app, &named.username).await?;
            let token = told(app.people.reset_link(By::Operator, person.id, &RequestMeta::default()).await)?;
            say(&mut out, format_args!("{}/password/reset/{token}", app.deps.public_url.address()))
        }
        UserAction::SecondFactorOff(named) => second_factor_off(app, &named.username, out).await,
        UserAction::Unlock(named) => unlock(app, &named.username, out, doer).await,
        UserAction::Invite => invite(app, out).await,
    }
}

async fn list(app: &App, mut out: Out) -> Result<(), String> {
    for person in told(app.people.all().await)? {
        let state = if person.is_disabled() { "\tdisabled" } else { "" };
        let (name, role, email) = (&person.username, person.role.as_str(), &person.email);
        say(&mut out, format_args!("{name}\t{role}\t{email}{state}"))?;
    }
    Ok(())
}

async fn change_one(app: &App, name: &str, change: Change, now: &str, mut out: Out) -> Result<(), String> {
    let person = find(app, name).await?;
    let changed = told(app.people.change(By::Operator, person.id, change, &RequestMeta::default()).await)?;
    say(&mut out, format_args!("{} {now}.", changed.username))
}

async fn second_factor_off(app: &App, name: &str, mut out: Out) -> Result<(), String> {
    let person = find(app, name).await?;
    let member = told(app.accounts.by_username(&person.username).await)?;
    let Some(member) = member.filter(|member| member.second_factor) else {
        return Err(format!("{} doesn't use two-step login.", person.username));
    };
    told(app.accounts.switch_off(&member, None, &RequestMeta::default()).await)?;
    say(&mut out, format_args!("Two-step login is off for {}. They are notified by email.", member.username))
}

async fn unlock(app: &App, name: &str, mut out: Out, doer: Doer) -> Result<(), String> {
    let person = find(app, name).await?;
    told(app.limits.unlock(By::Operator, person.id, &RequestMeta::default()).await)?;
    if doer == Doer::Command && app.redis.is_none() && app.db.name() == "postgres" {
        return Err(format!(
            "Without Redis, each coffer keeps its limits in memory, and none is running in {}. Run this where coffer runs, as its user.",
            app.config.data_dir.display()
        ));
    }
    say(&mut out, format_args!("{} is unblocked.", person.username))
}

async fn invite(app: &App, mut out: Out) -> Result<(), String> {
    if app.config.accounts.signup == Signup::Closed {
        return Err("COFFER_SIGNUP is closed, so invitations don't work. Set it to invite.".to_owned());
    }
    let token = told(app.people.invite(By::Operator, &RequestMeta::default()).await)?;
    say(&mut out, format_args!("{}/invite/{token}", app.deps.public_url.address()))
}

async fn find(app: &App, username: &str) -> Result<Person, String> {
    let found = told(app.people.by_username(username).await)?;
    found.ok_or_else(|| format!("There is no account {username}. `coffer user list` shows them all."))
}

fn told<T>(outcome: Outcome<T>) -> Result<T, String> {
    outcome.map_err(|e| sentence(&e))
}
