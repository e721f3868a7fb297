//! The tokens that come from another one, by a keyed hash.

use hmac::Mac as _;

use crate::keys::mac;
use crate::tokens::format::Prefix;

#[derive(Clone)]
pub struct DerivationKey(pub [u8; 32]);

impl DerivationKey {
    pub fn child(&self, token: &str) -> String {
        Prefix::Refresh.write(&self.hash(b"child", token))
    }

    pub fn access_token(&self, token: &str) -> String {
        Prefix::Access.write(&self.hash(b"access", token))
    }

    pub fn personal(&self, token: &str) -> String {
        Prefix::Personal.write(&self.hash(b"personal", token))
    }

    fn hash(&self, purpose: &[u8], token: &str) -> [u8; 32] {
        let mut mac = mac(&self.0);
        mac.update(purpose);
        mac.update(token.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for DerivationKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DerivationKey")
    }
}
