//! Argon2id (RFC 9106) in PHC strings, on memory that one hash leaves to the next.

use argon2::password_hash::Result;
use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};

/// The blocks that a hash works on, 1 KiB each. They grow to the largest hash that was made on them.
#[derive(Default)]
pub struct Memory(Vec<Block>);

impl Memory {
    /// Returns the PHC string. Fails when the parameters or the salt, of 8 to 48 bytes, don't fit the format.
    pub fn hash(&mut self, password: &str, salt: &[u8], params: &Params) -> Result<String> {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: params.try_into()?,
            salt: Some(Salt::new(salt)?),
            hash: Some(self.output(&argon2, password, salt)?),
        };
        Ok(hash.to_string())
    }

    /// By the parameters that `stored` has, in constant time. Fails when it is not a PHC string of Argon2.
    pub fn verify(&mut self, password: &str, stored: &str) -> Result<bool> {
        let stored = PasswordHash::new(stored)?;
        let (Some(salt), Some(expected)) = (stored.salt, stored.hash) else { return Ok(false) };
        let algorithm = Algorithm::try_from(stored.algorithm.as_str())?;
        let version = stored.version.map_or(Ok(Version::default()), Version::try_from)?;
        let argon2 = Argon2::new(algorithm, version, Params::try_from(&stored)?);
        Ok(self.output(&argon2, password, &salt)? == expected)
    }

    fn output(&mut self, argon2: &Argon2<'_>, password: &str, salt: &[u8]) -> Result<Output> {
        let blocks = argon2.params().block_count();
        if self.0.len() < blocks {
            self.0.resize(blocks, Block::new());
        }
        let mut output = [0; Output::MAX_LENGTH];
        let output = &mut output[..argon2.params().output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN)];
        argon2.hash_password_into_with_memory(password.as_bytes(), salt, output, &mut self.0[..blocks])?;
        Ok(Output::new(output)?)
    }
}
