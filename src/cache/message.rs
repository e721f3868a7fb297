//! The messages between nodes.

use super::scope::{Scope, join, split};

/// Tells a node's own messages from those of the others.
pub type Node = u64;

#[derive(Debug, PartialEq, Eq)]
pub enum Message {
    /// `round`: the subscription it was sent from; `at`: the sender's ticks.
    Heartbeat {
        from: Node,
        round: u64,
        at: i64,
    },
    Touched {
        from: Node,
        rows: Vec<i64>,
        scopes: Vec<Scope>,
    },
}

impl Message {
    pub fn encode(&self) -> String {
        match self {
            Self::Heartbeat { from, round, at } => format!("beat|{from}|{round}|{at}"),
            Self::Touched { from, rows, scopes } => {
                let rows = rows.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
                format!("touched|{from}|{rows}|{}", join(scopes))
            }
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(4, '|');
        let (kind, from) = (parts.next()?, parts.next()?.parse().ok()?);
        let (third, fourth) = (parts.next()?, parts.next()?);
        match kind {
            "beat" => Some(Self::Heartbeat { from, round: third.parse().ok()?, at: fourth.parse().ok()? }),
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
    fn messages_are_parsed_as_they_were_encoded() {
        let touched = Message::Touched { from: 5, rows: vec![7, 9], scopes: vec![Scope::Shared, Scope::All] };
        for message in [Message::Heartbeat { from: 1, round: 2, at: -3 }, touched] {
            assert_eq!(Message::parse(&message.encode()), Some(message));
        }
        for nonsense in ["", "beat", "beat|x|1|2", "touched|1||pub", "other|1|2|3"] {
            assert_eq!(Message::parse(nonsense), None, "{nonsense}");
        }
    }
}
