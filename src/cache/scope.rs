//! Scopes: what a write touches and what an answer depends on.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// Bounds the memory: scopes share this many counters, which now and then causes a needless miss.
pub const STRIPES: usize = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Every answer depends on it. For writes that touch too much to name.
    All,
    /// Entries that others than their owner may see.
    Shared,
    User(Uuid),
    /// One row of another noun, under a lower-case letter that its slice declares, other than `u`.
    Noun(char, Uuid),
}

impl Scope {
    /// The index of the scope's counter, the same on every node.
    pub fn stripe(self) -> usize {
        let (salt, id) = match self {
            Self::All => (0, Uuid::nil()),
            Self::Shared => (1, Uuid::nil()),
            Self::User(id) => (2, id),
            Self::Noun(letter, id) => (u64::from(letter), id),
        };
        // The random half of a UUIDv7.
        let (_, low) = id.as_u64_pair();
        let salted = low.wrapping_add(u64::wrapping_mul(salt, 0xbf58_476d_1ce4_e5b9));
        let mixed = salted.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        usize::try_from(mixed).unwrap_or(0) % STRIPES
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Shared => f.write_str("pub"),
            Self::User(id) => write!(f, "u:{}", id.simple()),
            Self::Noun(letter, id) => write!(f, "{letter}:{}", id.simple()),
        }
    }
}

impl FromStr for Scope {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match (text, text.split_once(':')) {
            ("all", _) => Ok(Self::All),
            ("pub", _) => Ok(Self::Shared),
            (_, Some(("u", id))) => id.parse().map(Self::User).map_err(drop),
            (_, Some((noun, id))) => {
                let letter = noun.parse().ok().filter(char::is_ascii_lowercase).ok_or(())?;
                id.parse().map(|id| Self::Noun(letter, id)).map_err(drop)
            }
            _ => Err(()),
        }
    }
}

/// At most three scopes, besides [`Scope::All`].
#[derive(Clone, Copy, Debug)]
pub struct Scopes {
    named: [Scope; 4],
    count: usize,
}

impl Scopes {
    pub const fn one(scope: Scope) -> Self {
        Self { named: [Scope::All, scope, Scope::All, Scope::All], count: 2 }
    }

    pub const fn two(first: Scope, second: Scope) -> Self {
        Self { named: [Scope::All, first, second, Scope::All], count: 3 }
    }

    pub fn as_slice(&self) -> &[Scope] {
        &self.named[..self.count]
    }
}

/// The format of the outbox and of messages.
pub fn join(scopes: &[Scope]) -> String {
    scopes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// An unknown scope, as from another version of coffer, becomes `All`.
pub fn split(text: &str) -> Vec<Scope> {
    text.split(' ').map(|part| part.parse().unwrap_or(Scope::All)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_go_through_text_and_back() {
        let id = Uuid::from_u128(7);
        let all = [Scope::All, Scope::Shared, Scope::User(id), Scope::Noun('r', id), Scope::Noun('s', id)];
        assert_eq!(split(&join(&all)), all);
        assert_eq!(split("t:later tag:1 pub"), [Scope::All, Scope::All, Scope::Shared]);
    }
}
