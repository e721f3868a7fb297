//! `coffer mail test`: one letter, and what the mail server says to it.

use std::fs;

use crate::startup::Place;
use crate::support::mail::MailServer;

const ADDRESS: &str = "you@example.org";
const TEST: [&str; 3] = ["mail", "test", ADDRESS];

#[tokio::test]
async fn a_letter_is_taken_or_the_server_says_why_not() {
    let (place, server) = (Place::new(), MailServer::start().await);
    let url = server.url();
    let settings = [("COFFER_SMTP_URL", url.as_str())];
    let said = place.done(&TEST, &settings);
    assert!(said.contains("The mail server accepted the email to you@example.org."), "{said}");
    assert_eq!(server.has(1).await[0].to, ADDRESS);
    let said = place.refusal(&["mail", "test", "refused@example.org"], &settings);
    assert!(
        said.contains("could not be sent") && said.contains("No mailbox refused@example.org here"),
        "{said}"
    );
    let said = place.refusal(&["mail", "test", "nobody"], &settings);
    assert!(said.contains("nobody"), "{said}");
    server.kill();
    let said = place.refusal(&TEST, &settings);
    assert!(said.contains("can't be reached") && said.contains("COFFER_SMTP_URL"), "{said}");
    assert!(!fs::exists(place.path("data/coffer.db")).expect("a folder"), "it needs no library");
}

#[tokio::test]
async fn a_wrong_password_is_named() {
    let (place, server) = (Place::new(), MailServer::secure("starttls", "IP:127.0.0.1").await);
    let authority = server.authority();
    let tried = |password: &str| {
        let url = server.secure_url("smtp", password);
        place.run(&TEST, &[("COFFER_SMTP_URL", url.as_str()), ("COFFER_SMTP_CA_FILE", authority.as_str())])
    };
    let output = tried("wrong");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("535"), "{said}");
    assert!(!said.contains("wrong@") && !said.contains(":wrong"), "the password is not shown: {said}");
    assert!(tried("p%40ss%20word").status.success());
    assert_eq!(server.has(1).await[0].to, ADDRESS);
}

#[test]
fn without_a_mail_server_it_is_a_file() {
    let place = Place::new();
    let said = place.done(&TEST, &[]);
    assert!(said.contains("the email was written to a file in data/mail"), "{said}");
    let letters = fs::read_dir(place.path("data/mail")).expect("a folder").flatten().count();
    assert_eq!(letters, 1);
}
