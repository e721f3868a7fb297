//! Encrypts secrets that must be read again (ChaCha20-Poly1305, RFC 8439), each for one row or cookie.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::system::System;

#[derive(Clone)]
pub struct Sealer([u8; 32]);

impl Sealer {
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The nonce, the ciphertext and its tag. Never `None` with a key of 32 bytes.
    pub fn seal(&self, place: &[u8], context: &System, secret: &[u8]) -> Option<Vec<u8>> {
        // Random: of 2³² nonces two are equal with a probability of 2⁻³³ (the limit of NIST SP 800-38D § 8.3).
        let nonce: [u8; NONCE_LEN] = context.random();
        let mut text = secret.to_vec();
        let key = self.key()?;
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut text)
            .ok()?;
        Some([nonce.as_slice(), &text].concat())
    }

    /// `None` if it was sealed for another place or under another key, or is damaged.
    pub fn open(&self, place: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut text = text.to_vec();
        let key = self.key()?;
        let opened = key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(place), &mut text);
        opened.ok().map(|secret| secret.to_vec())
    }

    fn key(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&CHACHA20_POLY1305, &self.0).ok().map(LessSafeKey::new)
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_place_it_was_sealed_for_can_open_it() {
        let (seal, context) = (Sealer::new([1; 32]), System::real());
        let mut sealed = seal.seal(b"ada", &context, b"secret").unwrap();
        assert_eq!(seal.open(b"ada", &sealed).as_deref(), Some(b"secret".as_slice()));
        assert_eq!(seal.open(b"eve", &sealed), None);
        assert_eq!(Sealer::new([2; 32]).open(b"ada", &sealed), None);
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_ne!(seal.seal(b"ada", &context, b"secret").unwrap(), sealed, "a nonce of its own");
        sealed[NONCE_LEN] ^= 1;
        assert_eq!(seal.open(b"ada", &sealed), None);
        assert_eq!(seal.open(b"ada", b"short"), None);
    }
}
