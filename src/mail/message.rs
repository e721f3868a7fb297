//! A queued email as a MIME message (RFC 5322, RFC 2046 alternatives, RFC 3834 for automatic messages).

use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};
use url::Host;

use super::email::RenderedEmail;
use super::store::ClaimedEmail;

/// The sender of all emails.
#[derive(Debug)]
pub struct Envelope {
    from: Mailbox,
    /// For Message-IDs.
    host: String,
}

/// Tells out-of-office programs not to answer (RFC 3834 § 5).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Envelope {
    pub fn new(from: Option<&str>, host: String) -> Result<Self, String> {
        let from = from.map_or_else(|| format!("coffer <coffer@{host}>"), str::to_owned);
        let from = from.parse().map_err(|_| {
            format!("COFFER_MAIL_FROM: {from:?} is not a valid sender. Use an address such as coffer@example.org or Coffer <coffer@example.org>.")
        })?;
        Ok(Self { from, host })
    }

    /// Addresses are parsed and headers encoded, so no value can start a header of its own.
    pub fn message(
        &self,
        email: &ClaimedEmail,
        written: &RenderedEmail,
    ) -> Result<Message, lettre::error::Error> {
        let to = recipient(&email.recipient).ok_or(lettre::error::Error::MissingTo)?;
        Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(&*written.subject)
            .date(email.created_at.datetime().into())
            .message_id(Some(format!("<{}@{}>", email.id, self.host)))
            .header(AutoSubmitted)
            .multipart(alternatives(written))
    }
}

/// The address as every mail server accepts it, the domain in ASCII (RFC 5890). `None` if coffer can't send to it: it
/// is invalid, has an address literal or number as the domain, or needs SMTPUTF8.
pub fn recipient(address: &str) -> Option<Mailbox> {
    let (local, domain) = address.rsplit_once('@')?;
    let Host::Domain(domain) = Host::parse(domain).ok().filter(|_| !domain.contains('%'))? else {
        return None;
    };
    let mailbox = Mailbox::new(None, Address::new(local, domain).ok().filter(|_| local.is_ascii())?);
    // lettre parses the envelope from the header.
    mailbox.to_string().parse().is_ok_and(|read: Mailbox| read == mailbox).then_some(mailbox)
}

fn alternatives(written: &RenderedEmail) -> MultiPart {
    use lettre::message::SinglePart;
    let part = |kind, text: &str| SinglePart::builder().header(kind).body(text.to_owned());
    MultiPart::alternative()
        .singlepart(part(ContentType::TEXT_PLAIN, &written.plain))
        .singlepart(part(ContentType::TEXT_HTML, &written.html))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timestamp::Timestamp;

    fn email(recipient: &str) -> ClaimedEmail {
        ClaimedEmail {
            id: uuid::Uuid::from_u128(7),
            recipient: recipient.to_owned(),
            sealed: Vec::new(),
            created_at: Timestamp::from_seconds(1_800_000_000).unwrap(),
            attempts: 1,
        }
    }

    fn written() -> RenderedEmail {
        RenderedEmail {
            subject: "Subject\r\nBcc: eve@example.org".into(),
            plain: "Öffne https://example.org/x".to_owned(),
            html: "<p>Öffne</p>".to_owned(),
        }
    }

    #[test]
    fn a_letter_has_what_machines_look_for() {
        let envelope = Envelope::new(None, "links.example.org".to_owned()).unwrap();
        let text =
            String::from_utf8(envelope.message(&email("ada@example.org"), &written()).unwrap().formatted())
                .unwrap();
        for line in [
            "From: coffer <coffer@links.example.org>",
            "To: ada@example.org",
            "Message-ID: <00000000-0000-0000-0000-000000000007@links.example.org>",
            "Auto-Submitted: auto-generated",
            "Date: Fri, 15 Jan 2027 08:00:00 +0000",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Type: text/html; charset=utf-8",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }

    #[test]
    fn no_value_begins_a_header_of_its_own() {
        let envelope = Envelope::new(Some("coffer@example.org"), "example.org".to_owned()).unwrap();
        let text =
            String::from_utf8(envelope.message(&email("ada@example.org"), &written()).unwrap().formatted())
                .unwrap();
        assert!(!text.lines().any(|line| line.starts_with("Bcc:")), "{text}");
        for bad in ["ada@example.org\r\nBcc: eve@example.org", "a@b, c@d", "", "ada@example.org\0"] {
            assert!(envelope.message(&email(bad), &written()).is_err(), "{bad:?}");
        }
        assert!(Envelope::new(Some("a@b\r\nBcc: c@d"), "example.org".to_owned()).is_err());
    }

    #[test]
    fn a_letter_can_be_sent_to_every_address_that_is_taken() {
        let envelope = Envelope::new(None, "example.org".to_owned()).unwrap();
        for (address, to) in [
            ("ada@example.org", "ada@example.org"),
            ("ada@localhost", "ada@localhost"),
            ("o'neil+tag_1/x=y@sub.example.org", "o'neil+tag_1/x=y@sub.example.org"),
            ("ada@müller.example", "ada@xn--mller-kva.example"),
            ("ada@EXAMPLE.org", "ada@example.org"),
            ("1@2.example", "1@2.example"),
        ] {
            assert_eq!(recipient(address).map(|to| to.to_string()).as_deref(), Some(to));
            let message = envelope.message(&email(address), &written()).unwrap();
            assert!(message.envelope().to().iter().all(|to| to.to_string().is_ascii()), "{address}");
        }
        for bad in [
            "a@[127.0.0.1]", "a@[IPv6:::1]", "a@[::1]", "a@::1", "a@127.0.0.1", "a@127.1", "a@2130706433",
            "a@0x7f.1", "a@１２７.0.0.1", "jürgen@example.org", "愛@example.org", "a@ex%61mple.org",
            "a@exa mple.org", "a@example..org", "a@-example.org", ".a@example.org", "a..b@example.org",
            "a.@example.org", "a@b@example.org", "a,b@example.org", "a@example.org:25", "a@example.org/x",
            "a@example.org>", "Ada <ada@example.org>", "(comment)a@example.org", "@example.org", "a@",
        ] {
            assert_eq!(recipient(bad), None, "{bad}");
        }
    }
}
