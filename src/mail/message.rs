//! A queued letter as a MIME message (RFC 5322, RFC 2046 alternatives, RFC 3834 for machines' letters).

use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};

use super::letter::Written;
use super::store::Claimed;

/// Who the letters come from.
#[derive(Debug)]
pub struct Envelope {
    from: Mailbox,
    /// For Message-IDs.
    host: String,
}

/// Says that a program wrote this, so that out-of-office programs don't answer (RFC 3834 § 5).
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
    /// # Errors
    /// A sentence, when the sender is no address.
    pub fn new(from: Option<&str>, host: String) -> Result<Self, String> {
        let from = from.map_or_else(|| format!("coffer <coffer@{host}>"), str::to_owned);
        let from = from.parse().map_err(|_| {
            format!("COFFER_MAIL_FROM: {from:?} is no sender. Give an address, such as coffer@example.org or Coffer <coffer@example.org>.")
        })?;
        Ok(Self { from, host })
    }

    /// Addresses are parsed and every header is encoded, so no value can begin a line of its own.
    pub fn message(&self, letter: &Claimed, written: &Written) -> Result<Message, lettre::error::Error> {
        let to: Address = letter.recipient.parse().map_err(|_| lettre::error::Error::MissingTo)?;
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(&*written.subject)
            .date(letter.created_at.datetime().into())
            .message_id(Some(format!("<{}@{}>", letter.id, self.host)))
            .header(AutoSubmitted)
            .multipart(alternatives(written))
    }
}

fn alternatives(written: &Written) -> MultiPart {
    use lettre::message::SinglePart;
    let part = |kind, text: &str| SinglePart::builder().header(kind).body(text.to_owned());
    MultiPart::alternative()
        .singlepart(part(ContentType::TEXT_PLAIN, &written.plain))
        .singlepart(part(ContentType::TEXT_HTML, &written.html))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Timestamp;

    fn letter(recipient: &str) -> Claimed {
        Claimed {
            id: uuid::Uuid::from_u128(7),
            recipient: recipient.to_owned(),
            sealed: Vec::new(),
            created_at: Timestamp::from_seconds(1_800_000_000).unwrap(),
            attempts: 1,
        }
    }

    fn written() -> Written {
        Written {
            subject: "Subject\r\nBcc: eve@example.org".into(),
            plain: "Öffne https://example.org/x".to_owned(),
            html: "<p>Öffne</p>".to_owned(),
        }
    }

    #[test]
    fn a_letter_has_what_machines_look_for() {
        let envelope = Envelope::new(None, "links.example.org".to_owned()).unwrap();
        let text =
            String::from_utf8(envelope.message(&letter("ada@example.org"), &written()).unwrap().formatted())
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
            String::from_utf8(envelope.message(&letter("ada@example.org"), &written()).unwrap().formatted())
                .unwrap();
        assert!(!text.lines().any(|line| line.starts_with("Bcc:")), "{text}");
        for bad in ["ada@example.org\r\nBcc: eve@example.org", "a@b, c@d", "", "ada@example.org\0"] {
            assert!(envelope.message(&letter(bad), &written()).is_err(), "{bad:?}");
        }
        assert!(Envelope::new(Some("a@b\r\nBcc: c@d"), "example.org".to_owned()).is_err());
    }
}
