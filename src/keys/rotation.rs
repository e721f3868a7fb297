//! Replaces the master key: reseals every secret, and continues the audit log under the new key from its last hash.

use std::path::PathBuf;

use super::retired::{Known, Retired, RetiredKeys};
use super::store::{self, Row};
use super::{KeyId, KeySource, Keys, path};
use crate::db::Tx;
use crate::sealer::Sealer;
use crate::system::System;

pub struct Rotation<'a> {
    pub context: &'a System,
    /// The id of the old key.
    pub owner: KeyId,
    /// `None` if it is lost.
    pub old: Option<&'a Keys>,
    pub new: &'a Keys,
}

/// How many secrets of a kind were sealed for the new key.
#[derive(Debug, Default)]
pub struct Resealed {
    pub kept: usize,
    /// They could not be opened.
    pub lost: usize,
}

/// The file of a new key until the database belongs to it.
pub fn waiting(source: KeySource<'_>) -> PathBuf {
    path(source).with_extension("key.new")
}

impl Rotation<'_> {
    /// `None` if the secret can't be opened.
    pub fn reseal(&self, purpose: &str, place: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let opened = Sealer::new(self.old?.derive(purpose)).open(place, sealed)?;
        Sealer::new(self.new.derive(purpose)).seal(place, self.context, &opened)
    }

    /// Keeps the derived keys that are still needed.
    pub async fn retire(&self, tx: &mut Tx, last_event: i64) -> sqlx::Result<()> {
        let new = RetiredKeys::new(self.new);
        for row in store::retired_in(tx).await? {
            let row = match self.old.map_or(Known::Lost, |old| RetiredKeys::new(old).open(&row)) {
                Known::Keys(keys) => new.seal(self.context, row, &keys),
                Known::Lost => Some(Row { sealed: None, ..row }),
                // The verification of the audit log will report it.
                Known::Unreadable => None,
            };
            if let Some(row) = row {
                store::put_retired(tx, &row).await?;
            }
        }
        let row = Row { key_id: self.owner.as_bytes().to_vec(), audit_until: last_event, sealed: None };
        let sealed = match self.old {
            Some(old) => new.seal(self.context, row.clone(), &Retired::from_keys(old)),
            None => None,
        };
        store::put_retired(tx, &sealed.unwrap_or(row)).await
    }
}
