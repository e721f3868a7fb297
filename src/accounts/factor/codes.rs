//! Recovery codes: 80 bits each, in letters and digits that can't be mistaken for one another.

use data_encoding::BASE32_NOPAD;

pub const COUNT: usize = 10;
const BYTES: usize = 10;

/// As they are shown: `abcd-efgh-ijkl-mnop`.
pub fn written(random: [u8; COUNT * BYTES]) -> Vec<String> {
    let code = |bytes: &[u8]| {
        let text = BASE32_NOPAD.encode(bytes).to_ascii_lowercase();
        text.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-")
    };
    random.chunks(BYTES).map(code).collect()
}

/// Drops what only helps the eye, and turns the three digits that no code has into the letters they look like.
pub fn plain(typed: &str) -> String {
    let meant = |c: char| match c {
        '0' => 'O',
        '1' => 'I',
        '8' => 'B',
        other => other.to_ascii_uppercase(),
    };
    typed.chars().filter(|c| !c.is_whitespace() && *c != '-').take(64).map(meant).collect()
}

/// An app's code without the gap that apps show.
pub fn digits(typed: &str) -> String {
    let bare: String = typed.chars().filter(|c| !c.is_whitespace()).take(64).collect();
    if bare.bytes().all(|byte| byte.is_ascii_digit()) { bare } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let codes = written(std::array::from_fn(|n| u8::try_from(n).unwrap()));
        assert_eq!(codes.len(), COUNT);
        let code = &codes[3];
        assert!(
            code.len() == 19
                && code.chars().all(|c| c == '-' || "abcdefghijklmnopqrstuvwxyz234567".contains(c))
        );
        let wanted = plain(code);
        for typed in [code.to_uppercase(), code.replace('-', " "), code.replace('o', "0").replace('b', "8")] {
            assert_eq!(plain(&format!(" {typed} ")), wanted);
        }
    }
}
