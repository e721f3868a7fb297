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
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| Error::BadCursor)?;
        let (position, tag) =
            bytes.split_at_checked(bytes.len().saturating_sub(TAG)).ok_or(Error::BadCursor)?;
        if !bool::from(subtle::ConstantTimeEq::ct_eq(&self.tag(position)[..], tag)) {
            return Err(Error::BadCursor);
        }
        serde_json::from_slice(position).map_err(|_| Error::BadCursor)
    }

    fn tag(&self, position: &[u8]) -> [u8; TAG] {
        let mut mac = mac(&self.0);
        mac.update(position);
        let mut tag = [0; TAG];
        tag.copy_from_slice(&mac.finalize().into_bytes()[..TAG]);
        tag
    }
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
    }
}
