//! The whole audit log as JSON lines, which you can verify elsewhere with the key: the earlier keys, sealed, every event
//! with its hash, and the head.

use std::io::{self, BufRead, Write};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use super::store::{self, Row};
use super::verify::{Chain, Verified};
use super::{AUDIT, AuditLog};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::keys::retired::{Era, RetiredKeys};
use crate::keys::{self, KeyId, Keys};
use crate::timestamp::Timestamp;

const CHUNK: i64 = 1000;
const VERSION: u32 = 1;

#[derive(Deserialize, Serialize)]
struct First {
    coffer_audit: u32,
    key_id: Hex,
    retired: Vec<Retired>,
}

#[derive(Deserialize, Serialize)]
struct Retired {
    key_id: Hex,
    audit_until: i64,
    sealed: Option<Hex>,
}

#[derive(Deserialize, Serialize)]
struct Line {
    seq: i64,
    #[serde(serialize_with = "microseconds")]
    at: Timestamp,
    actor: Option<Uuid>,
    action: String,
    target: String,
    outcome: String,
    network: Option<Hex>,
    request_id: String,
    previous: Hex,
    hash: Hex,
}

/// In full precision, as the hash covers it.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde hands it over")]
fn microseconds<S: Serializer>(at: &Timestamp, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.rfc3339())
}

#[derive(Deserialize, Serialize)]
struct Last {
    last: i64,
    hash: Hex,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
struct Hex(Vec<u8>);

impl From<Hex> for String {
    fn from(hex: Hex) -> Self {
        HEXLOWER.encode(&hex.0)
    }
}

impl TryFrom<String> for Hex {
    type Error = data_encoding::DecodeError;

    fn try_from(text: String) -> std::result::Result<Self, Self::Error> {
        HEXLOWER.decode(text.as_bytes()).map(Self)
    }
}

impl From<Row> for Line {
    fn from(row: Row) -> Self {
        Self {
            seq: row.seq,
            at: row.at,
            actor: row.actor_id,
            action: row.action,
            target: row.target,
            outcome: row.outcome,
            network: row.network.map(Hex),
            request_id: row.request_id,
            previous: Hex(row.previous),
            hash: Hex(row.hash),
        }
    }
}

impl From<Line> for Row {
    fn from(line: Line) -> Self {
        Self {
            seq: line.seq,
            at: line.at,
            actor_id: line.actor,
            action: line.action,
            target: line.target,
            outcome: line.outcome,
            network: line.network.map(|hex| hex.0),
            request_id: line.request_id,
            previous: line.previous.0,
            hash: line.hash.0,
        }
    }
}

impl AuditLog {
    /// Writes the log without events that are appended meanwhile, and returns how many it wrote.
    pub async fn export(&self, db: &Db, out: &mut (dyn Write + Send)) -> Result<i64> {
        let store::Head { seq: last, hash } = store::head(db).await?;
        let retired = keys::store::retired(db).await?.into_iter().map(|row| Retired {
            key_id: Hex(row.key_id),
            audit_until: row.audit_until,
            sealed: row.sealed.map(Hex),
        });
        let key_id = Hex(self.key_id.as_bytes().to_vec());
        put(out, &First { coffer_audit: VERSION, key_id, retired: retired.collect() })?;
        let mut seq = 0;
        while seq < last {
            let rows = store::after(db, seq, CHUNK.min(last - seq)).await?;
            // The verification finds missing events.
            let Some(end) = rows.last().map(|row| row.seq) else { break };
            seq = end;
            for row in rows {
                put(out, &Line::from(row))?;
            }
        }
        put(out, &Last { last, hash: Hex(hash) })?;
        out.flush().map_err(|e| unwritten(&e))?;
        Ok(last)
    }
}

fn put(out: &mut (dyn Write + Send), line: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_vec(line).map_err(|e| unwritten(&e.into()))?;
    text.push(b'\n');
    out.write_all(&text).map_err(|e| unwritten(&e))
}

fn unwritten(error: &io::Error) -> Error {
    Error::Internal(format!("audit export: {error}"))
}

pub fn verify(text: impl BufRead, keys: &Keys) -> std::result::Result<Verified, String> {
    let mut lines = text.lines();
    let mut next = || match lines.next() {
        Some(Ok(line)) => Ok(line),
        Some(Err(error)) => Err(format!("Cannot read the file: {error}.")),
        None => Err("The file is incomplete.".to_owned()),
    };
    let first: First = serde_json::from_str(&next()?)
        .map_err(|_| "This file is not from `coffer audit export`.".to_owned())?;
    if KeyId::from_bytes(&first.key_id.0) != Some(keys.id()) {
        return Err(format!(
            "The trail was exported with the key {}, but the current key is {}. Set COFFER_SECRET_KEY to that key.",
            String::from(first.key_id),
            keys.id()
        ));
    }
    let mut chain = Chain::new(keys.derive(AUDIT), eras(first.retired, keys));
    loop {
        let line = next()?;
        if let Ok(last) = serde_json::from_str::<Last>(&line) {
            return Ok(chain.end(last.last, &last.hash.0));
        }
        let event: Line =
            serde_json::from_str(&line).map_err(|e| format!("A line is not an audit event: {e}."))?;
        if let Some(fault) = chain.next(event.into()) {
            return Ok(chain.verified(Some(fault)));
        }
    }
}

fn eras(retired: Vec<Retired>, keys: &Keys) -> Vec<Era> {
    let opens = RetiredKeys::new(keys);
    let era = |retired: Retired| {
        let (until, sealed) = (retired.audit_until, retired.sealed.map(|hex| hex.0));
        let row = keys::store::Row { key_id: retired.key_id.0, audit_until: until, sealed };
        Era { until, key: opens.open(&row) }
    };
    retired.into_iter().map(era).collect()
}
