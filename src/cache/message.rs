//! What nodes tell each other on the channel.

use super::scope::{Scope, join, split};

/// Tells a node's own words from the others'.
pub type Node = u64;

#[derive(Debug, PartialEq, Eq)]
pub enum Message {
    /// That it hears itself: in which round of listening it spoke, and when in its own ticks.
    Beat { from: Node, round: u64, at: i64 },
    /// These rows of the outbox touch these scopes.
    Touched { from: Node, rows: Vec<i64>, scopes: Vec<Scope> },
}

impl Message {
    #[must_use]
    pub fn write(&self) -> String {
        match self {
            Self::Beat { from, round, at } => format!("beat|{from}|{round}|{at}"),
            Self::Touched { from, rows, scopes } => {
                let rows = rows.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
                format!("touched|{from}|{rows}|{}", join(scopes))
            }
        }
    }

    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(4, '|');
        let (word, from) = (parts.next()?, parts.next()?.parse().ok()?);
        let (third, fourth) = (parts.next()?, parts.next()?);
        match word {
            "beat" => Some(Self::Beat { from, round: third.parse().ok()?, at: fourth.parse().ok()? }),
            "touched" => {
                let rows = third.split(',').map(str::parse).collect::<Result<_, _>>().ok()?;
                Some(Self::Touched { from, rows, scopes: split(fourth) })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_as_they_were_written() {
        let touched = Message::Touched { from: 5, rows: vec![7, 9], scopes: vec![Scope::Shared, Scope::All] };
        for message in [Message::Beat { from: 1, round: 2, at: -3 }, touched] {
            assert_eq!(Message::read(&message.write()), Some(message));
        }
        for nonsense in ["", "beat", "beat|x|1|2", "touched|1||pub", "other|1|2|3"] {
            assert_eq!(Message::read(nonsense), None, "{nonsense}");
        }
    }
}
