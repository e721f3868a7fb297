//! Secrets that must be read again are sealed for one person: nobody else's row can hold them.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use uuid::Uuid;

pub struct Seal([u8; 32]);

impl Seal {
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The nonce, then the sealed text and its tag; `None` never happens with a key of 32 bytes.
    #[must_use]
    pub fn seal(&self, user: Uuid, nonce: [u8; NONCE_LEN], secret: &[u8]) -> Option<Vec<u8>> {
        let mut text = secret.to_vec();
        let key = self.key()?;
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(user.as_bytes()),
            &mut text,
        )
        .ok()?;
        Some([nonce.as_slice(), &text].concat())
    }

    /// `None` when it was sealed for somebody else or under another key, or is damaged.
    #[must_use]
    pub fn open(&self, user: Uuid, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut text = text.to_vec();
        let key = self.key()?;
        let opened =
            key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(user.as_bytes()), &mut text);
        opened.ok().map(|secret| secret.to_vec())
    }

    fn key(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&CHACHA20_POLY1305, &self.0).ok().map(LessSafeKey::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whom_it_was_sealed_for_can_open_it() {
        let (seal, ada, eve) = (Seal::new([1; 32]), Uuid::from_u128(1), Uuid::from_u128(2));
        let mut sealed = seal.seal(ada, [7; NONCE_LEN], b"secret").unwrap();
        assert_eq!(seal.open(ada, &sealed).as_deref(), Some(b"secret".as_slice()));
        assert_eq!(seal.open(eve, &sealed), None);
        assert_eq!(Seal::new([2; 32]).open(ada, &sealed), None);
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        sealed[NONCE_LEN] ^= 1;
        assert_eq!(seal.open(ada, &sealed), None);
        assert_eq!(seal.open(ada, b"short"), None);
    }
}
