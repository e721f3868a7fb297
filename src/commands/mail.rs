//! `coffer mail test`: sends one email now, and prints the mail server's answer.

use std::net::{Ipv4Addr, SocketAddr};

use crate::cli::args::MailAction;
use crate::config::Config;
use crate::mail;
use crate::public_url::PublicUrl;
use crate::system::System;

pub async fn run(action: MailAction, config: Config) -> Result<(), String> {
    let MailAction::Test { address } = action;
    if !mail::can_send_to(&address) {
        return Err(format!("{address} is not an email address."));
    }
    let site =
        PublicUrl::new(config.base_url.as_ref(), SocketAddr::from((Ipv4Addr::LOCALHOST, config.port)))?;
    let sent = mail::send_test(&config.mail, &config.data_dir, &site, &System::real(), &address).await;
    sent.map_err(|reason| {
        format!("The email could not be sent: {reason}. Check COFFER_SMTP_URL and COFFER_MAIL_FROM.")
    })?;
    match config.mail.smtp_url {
        Some(_) => {
            println!(
                "The mail server accepted the email to {address}. Check that it arrives and is not marked as spam."
            );
        }
        None => println!(
            "No mail server is configured, so the email was written to a file in {}. To send email, set COFFER_SMTP_URL.",
            config.data_dir.join("mail").display()
        ),
    }
    Ok(())
}
