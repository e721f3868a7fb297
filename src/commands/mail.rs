//! `coffer mail test`: one letter, now, and what the mail server says to it.

use std::net::{Ipv4Addr, SocketAddr};

use crate::cli::args::MailAction;
use crate::config::Config;
use crate::context::Context;
use crate::mail;
use crate::web::site::Site;

pub async fn run(action: MailAction, config: Config) -> Result<(), String> {
    let MailAction::Test { address } = action;
    let site = Site::new(config.base_url.as_ref(), SocketAddr::from((Ipv4Addr::LOCALHOST, config.port)))?;
    let sent = mail::send_test(&config, &site, &Context::system(), &address).await;
    sent.map_err(|reason| {
        format!("The letter did not go out: {reason}. Check COFFER_SMTP_URL and COFFER_MAIL_FROM.")
    })?;
    match config.mail.smtp_url {
        Some(_) => {
            println!("The mail server took the letter to {address}. See that it arrives, and not as spam.");
        }
        None => println!(
            "There is no mail server: the letter is a file in {}. COFFER_SMTP_URL sends letters.",
            config.data_dir.join("mail").display()
        ),
    }
    Ok(())
}
