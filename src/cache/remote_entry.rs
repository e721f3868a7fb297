//! An entry as Redis stores it: a header, an HMAC over its key, header and payload, and the payload. Others may
//! write to the same Redis, so an entry that is not authentic to the last bit is a miss, not an error.

use std::io::{self, Read as _, Write as _};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use ring::hmac;
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

const MAGIC: &[u8; 4] = b"cfe1";
const HEADER: usize = 4 + 2 + 1 + 8 + 4 + 4 + 4 + 16 + 1;
const TAG: usize = 16;
/// Larger values don't go to Redis.
pub const MAX_PAYLOAD: usize = 256 << 10;
const COMPRESS_FROM: usize = 1 << 10;
/// About as small and as fast as zstd at its level 1.
const LEVEL: u32 = 2;
const COMPRESSED: u8 = 1;
const NEGATIVE: u8 = 2;

/// Random, and compared for equality only.
pub type Generation = [u8; 8];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteEntry {
    pub schema: u16,
    /// In microseconds of Redis' clock.
    pub created: i64,
    pub soft_ms: u32,
    pub hard_ms: u32,
    pub load_us: u32,
    pub audience: Uuid,
    /// Of its scopes, in their order, from before the load.
    pub generations: Vec<Generation>,
    /// `None`: the database has no such row.
    pub payload: Option<Vec<u8>>,
}

impl RemoteEntry {
    pub fn seal(&self, key: &hmac::Key, name: &str) -> Option<Vec<u8>> {
        let plain = self.payload.as_deref().unwrap_or_default();
        if plain.len() > MAX_PAYLOAD {
            return None;
        }
        let compressed = (plain.len() > COMPRESS_FROM).then(|| compress(plain).ok()).flatten();
        let flags = if compressed.is_some() { COMPRESSED } else { 0 }
            | if self.payload.is_none() { NEGATIVE } else { 0 };
        let payload = compressed.as_deref().unwrap_or(plain);
        let mut sealed = Vec::with_capacity(HEADER + 8 * self.generations.len() + 4 + TAG + payload.len());
        sealed.extend_from_slice(MAGIC);
        sealed.extend_from_slice(&self.schema.to_le_bytes());
        sealed.push(flags);
        sealed.extend_from_slice(&self.created.to_le_bytes());
        for number in [self.soft_ms, self.hard_ms, self.load_us] {
            sealed.extend_from_slice(&number.to_le_bytes());
        }
        sealed.extend_from_slice(self.audience.as_bytes());
        sealed.push(u8::try_from(self.generations.len()).ok()?);
        self.generations.iter().for_each(|generation| sealed.extend_from_slice(generation));
        sealed.extend_from_slice(&u32::try_from(plain.len()).ok()?.to_le_bytes());
        let tag = checksum(key, name, &sealed, payload);
        sealed.extend_from_slice(&tag);
        sealed.extend_from_slice(payload);
        Some(sealed)
    }

    /// `None` unless it was sealed with this HMAC key under this name.
    pub fn open(key: &hmac::Key, name: &str, sealed: &[u8]) -> Option<Self> {
        let count = usize::from(*sealed.get(HEADER - 1)?);
        let (header, rest) = sealed.split_at_checked(HEADER + 8 * count + 4)?;
        let (tag, payload) = rest.split_at_checked(TAG)?;
        if !header.starts_with(MAGIC) || !bool::from(checksum(key, name, header, payload).ct_eq(tag)) {
            return None;
        }
        let (flags, length) = (header[6], number(header, header.len() - 4)?);
        let generations = header[HEADER..HEADER + 8 * count].chunks_exact(8);
        let plain = decompress(flags, payload, usize::try_from(length).ok()?)?;
        Some(Self {
            schema: u16::from_le_bytes(header[4..6].try_into().ok()?),
            created: i64::from_le_bytes(header[7..15].try_into().ok()?),
            soft_ms: number(header, 15)?,
            hard_ms: number(header, 19)?,
            load_us: number(header, 23)?,
            audience: Uuid::from_slice(&header[27..43]).ok()?,
            generations: generations.map(Generation::try_from).collect::<Result<_, _>>().ok()?,
            payload: (flags & NEGATIVE == 0).then_some(plain),
        })
    }
}

fn compress(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut compressed = DeflateEncoder::new(Vec::with_capacity(plain.len() / 2), Compression::new(LEVEL));
    compressed.write_all(plain)?;
    compressed.finish()
}

/// Reads no further than the announced length, so that a small payload can't fill the memory.
fn decompress(flags: u8, payload: &[u8], length: usize) -> Option<Vec<u8>> {
    if length > MAX_PAYLOAD {
        return None;
    }
    let plain = if flags & COMPRESSED == 0 {
        payload.to_vec()
    } else {
        let (mut plain, limit) = (Vec::with_capacity(length), u64::try_from(length).ok()? + 1);
        DeflateDecoder::new(payload).take(limit).read_to_end(&mut plain).ok()?;
        plain
    };
    Some(plain).filter(|plain| plain.len() == length)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Covers the name, so that an entry moved to another key is not authentic.
fn checksum(key: &hmac::Key, name: &str, header: &[u8], payload: &[u8]) -> [u8; TAG] {
    let mut context = hmac::Context::with_key(key);
    context.update(&(name.len() as u64).to_le_bytes());
    for part in [name.as_bytes(), header, payload] {
        context.update(part);
    }
    let mut tag = [0; TAG];
    tag.copy_from_slice(&context.sign().as_ref()[..TAG]);
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &[7; 32])
    }

    fn entry(payload: Option<Vec<u8>>) -> RemoteEntry {
        RemoteEntry {
            schema: 3,
            created: 1_700_000_000_000_000,
            soft_ms: 60_000,
            hard_ms: 600_000,
            load_us: 450,
            audience: Uuid::from_u128(9),
            generations: vec![[1; 8], [2; 8]],
            payload,
        }
    }

    #[test]
    fn what_was_sealed_opens_whatever_its_size() {
        for payload in [
            None,
            Some(vec![]),
            Some(b"short".to_vec()),
            Some(vec![b'x'; 100_000]),
            Some(vec![0; MAX_PAYLOAD]),
        ] {
            let entry = entry(payload);
            let sealed = entry.seal(&key(), "e:1").expect("not too large");
            assert_eq!(RemoteEntry::open(&key(), "e:1", &sealed), Some(entry));
            assert!(sealed.len() < 2048, "zeros and x's are small when compressed");
        }
        assert_eq!(entry(Some(vec![0; MAX_PAYLOAD + 1])).seal(&key(), "e:1"), None);
    }

    #[test]
    fn every_changed_bit_every_cut_and_another_name_or_key_is_a_miss() {
        let sealed = entry(Some(b"a few words".to_vec())).seal(&key(), "e:1").expect("not too large");
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(RemoteEntry::open(&key(), "e:1", &changed), None, "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert_eq!(RemoteEntry::open(&key(), "e:1", &sealed[..length]), None, "cut to {length}");
        }
        assert_eq!(RemoteEntry::open(&key(), "e:2", &sealed), None);
        assert_eq!(RemoteEntry::open(&hmac::Key::new(hmac::HMAC_SHA256, &[8; 32]), "e:1", &sealed), None);
        assert_eq!(RemoteEntry::open(&key(), "e:1", &[sealed.as_slice(), b"more"].concat()), None);
    }

    /// Authentic, so that only the limit on its size protects the memory.
    #[test]
    fn a_bomb_does_not_go_off() {
        let bomb = compress(&vec![0; 64 << 20]).expect("it compresses");
        for announced in [10_u32, 64 << 20] {
            let sealed = entry(Some(b"a few words".to_vec())).seal(&key(), "e:1").expect("not too large");
            let mut header = sealed[..HEADER + 16].to_vec();
            header[6] = COMPRESSED;
            header.extend_from_slice(&announced.to_le_bytes());
            let tag = checksum(&key(), "e:1", &header, &bomb);
            assert_eq!(RemoteEntry::open(&key(), "e:1", &[&header, &tag[..], &bomb].concat()), None);
        }
    }
}
