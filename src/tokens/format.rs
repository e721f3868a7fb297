//! How tokens are written: a prefix, 256 random bits and a check sum, so that scanners for leaked secrets know
//! one without asking. `cof_[0-9A-Za-z]{49}`: 43 digits in base 62, then the CRC-32 of all before it in 6.

use crate::named::named;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SECRET_DIGITS: usize = 43;
const SUM_DIGITS: usize = 6;

named! {
    /// What a token is good for, by its first letters.
    pub enum Prefix {
        /// A personal token.
        Personal = "cof_",
        /// A program's short-lived access token.
        Access = "coa_",
        /// What renews an access token, or keeps a browser signed in.
        Refresh = "cor_",
    }
}

impl Prefix {
    pub fn write(self, secret: &[u8; 32]) -> String {
        let text = format!("{}{}", self.as_str(), digits(secret, SECRET_DIGITS));
        let sum = crc32fast::hash(text.as_bytes()).to_be_bytes();
        text + &digits(&sum, SUM_DIGITS)
    }

    /// Whether this is a token of the kind, by its looks alone.
    pub fn fits(self, token: &str) -> bool {
        let Some(body) = token.strip_prefix(self.as_str()) else { return false };
        if body.len() != SECRET_DIGITS + SUM_DIGITS || !body.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            return false;
        }
        let (text, sum) = token.split_at(token.len() - SUM_DIGITS);
        digits(&crc32fast::hash(text.as_bytes()).to_be_bytes(), SUM_DIGITS) == sum
    }
}

/// A big-endian number in base 62, with leading zeros.
fn digits(bytes: &[u8], count: usize) -> String {
    let mut number = bytes.to_vec();
    let mut written = vec![b'0'; count];
    for place in written.iter_mut().rev() {
        let mut rest = 0_u32;
        for byte in &mut number {
            let value = rest << 8 | u32::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            rest = value % 62;
        }
        *place = ALPHABET[rest as usize];
    }
    String::from_utf8(written).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_base_62() {
        assert_eq!(digits(&[0, 61], 3), "00z");
        assert_eq!(digits(&62_u32.to_be_bytes(), 6), "000010");
        assert_eq!(digits(&[255; 32], SECRET_DIGITS).len(), 43);
        assert_ne!(digits(&[255; 32], SECRET_DIGITS), digits(&[254; 32], SECRET_DIGITS));
    }

    #[test]
    fn a_token_is_known_by_its_looks() {
        let token = Prefix::Personal.write(&[7; 32]);
        assert_eq!(token.len(), 53);
        assert!(Prefix::Personal.fits(&token) && !Prefix::Access.fits(&token));
        let mistyped = token.replacen(&token[10..11], if &token[10..11] == "a" { "b" } else { "a" }, 1);
        assert!(!Prefix::Personal.fits(&mistyped));
        for bad in ["", "cof_", &token[..52], &format!("{token}0"), &token.replace("cof_", "coé_")] {
            assert!(!Prefix::Personal.fits(bad), "{bad}");
        }
    }
}
