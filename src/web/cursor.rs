//! Cursors for keyset paging: where the last page ended, signed so that only ours are accepted.

use data_encoding::BASE64URL_NOPAD;
use hmac::Mac as _;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::keys::mac;

const TAG: usize = 16;

#[derive(Clone)]
pub struct CursorKey([u8; 32]);

impl CursorKey {
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The position as an opaque, URL-safe text.
    pub fn seal(&self, position: &impl Serialize) -> String {
        let mut bytes = serde_json::to_vec(position).unwrap_or_default();
        bytes.extend_from_slice(&self.tag(&bytes));
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// Fails for what [`CursorKey::seal`] did not make for this kind of position.
    pub fn open<T: DeserializeOwned>(&self, text: &str) -> Result<T> {
        let bytes = decode(text).ok_or(Error::BadCursor)?;
        let (position, tag) = bytes.split_at(bytes.len() - TAG);
        if !bool::from(subtle::ConstantTimeEq::ct_eq(&self.tag(position)[..], tag)) {
            return Err(Error::BadCursor);
        }
        serde_json::from_slice(position).map_err(|_| Error::BadCursor)
    }

    /// What a cursor under any key says, unproved: it can tell only what kind of cursor that was.
    pub fn peek<T: DeserializeOwned>(text: &str) -> Option<T> {
        let bytes = decode(text)?;
        serde_json::from_slice(&bytes[..bytes.len() - TAG]).ok()
    }

    fn tag(&self, position: &[u8]) -> [u8; TAG] {
        let mut mac = mac(&self.0);
        mac.update(position);
        let mut tag = [0; TAG];
        tag.copy_from_slice(&mac.finalize().into_bytes()[..TAG]);
        tag
    }
}

/// At least as long as a tag.
fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64URL_NOPAD.decode(text.as_bytes()).ok().filter(|bytes| bytes.len() >= TAG)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn comes_back_as_it_went(position: (i64, String)) {
            let key = CursorKey::new([7; 32]);
            prop_assert_eq!(key.open::<(i64, String)>(&key.seal(&position)).unwrap(), position);
        }

        #[test]
        fn accepts_nothing_else(text: String) {
            prop_assert!(CursorKey::new([7; 32]).open::<i64>(&text).is_err());
        }
    }

    #[test]
    fn another_key_does_not_open_it() {
        let sealed = CursorKey::new([1; 32]).seal(&5);
        assert!(CursorKey::new([2; 32]).open::<i64>(&sealed).is_err());
        assert_eq!(CursorKey::peek::<i64>(&sealed), Some(5));
        assert_eq!(CursorKey::peek::<i64>("nonsense"), None);
    }
}
