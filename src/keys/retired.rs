//! Keys derived from earlier master keys, to verify the audit log and the recovery codes of their time.

use super::store::{self, Row};
use super::{AUDIT, Keys, RECOVERY_CODES};
use crate::db::Db;
use crate::sealer::Sealer;
use crate::system::System;

pub struct Retired {
    pub audit: [u8; 32],
    pub recovery_codes: [u8; 32],
}

pub enum Known {
    Keys(Retired),
    /// The master key was lost before the rotation.
    Lost,
    /// Sealed under another key or for another row, or damaged.
    Unreadable,
}

/// The events up to and including `until`, after those of the previous era.
pub struct Era {
    pub until: i64,
    pub key: Known,
}

/// Opens and seals them under the current key.
#[derive(Clone)]
pub struct RetiredKeys(Sealer);

impl Retired {
    pub fn from_keys(keys: &Keys) -> Self {
        Self { audit: keys.derive(AUDIT), recovery_codes: keys.derive(RECOVERY_CODES) }
    }
}

impl RetiredKeys {
    pub fn new(keys: &Keys) -> Self {
        Self(Sealer::new(keys.derive("retired keys")))
    }

    /// The oldest first.
    pub async fn eras(&self, db: &Db) -> sqlx::Result<Vec<Era>> {
        let rows = store::retired(db).await?;
        Ok(rows.iter().map(|row| Era { until: row.audit_until, key: self.open(row) }).collect())
    }

    pub fn open(&self, row: &Row) -> Known {
        let Some(sealed) = &row.sealed else { return Known::Lost };
        let opened = self.0.open(&place(row), sealed);
        opened.and_then(|bytes| from_bytes(&bytes)).map_or(Known::Unreadable, Known::Keys)
    }

    pub fn seal(&self, context: &System, row: Row, keys: &Retired) -> Option<Row> {
        let sealed = self.0.seal(&place(&row), context, &[keys.audit, keys.recovery_codes].concat())?;
        Some(Row { sealed: Some(sealed), ..row })
    }
}

fn place(row: &Row) -> Vec<u8> {
    [row.key_id.as_slice(), &row.audit_until.to_be_bytes()].concat()
}

fn from_bytes(bytes: &[u8]) -> Option<Retired> {
    let (audit, recovery_codes) = bytes.split_first_chunk()?;
    Some(Retired { audit: *audit, recovery_codes: recovery_codes.try_into().ok()? })
}
