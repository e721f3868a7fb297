//! The signature of a delivery, as the Standard Webhooks specification has it: HMAC-SHA-256 over id, time and body.

use axum::http::HeaderValue;
use data_encoding::BASE64;
use hmac::Mac as _;
use uuid::Uuid;

use crate::keys::mac;
use crate::timestamp::Timestamp;

pub const ID: &str = "webhook-id";
pub const TIME: &str = "webhook-timestamp";
pub const SIGNATURE: &str = "webhook-signature";
/// Of a secret, as its owner is given it.
pub const PREFIX: &str = "whsec_";

pub struct Signed {
    pub id: HeaderValue,
    pub time: HeaderValue,
    pub signature: HeaderValue,
}

/// `None` never comes of an id and a time.
pub fn sign(key: &[u8; 32], id: Uuid, now: Timestamp, body: &str) -> Option<Signed> {
    let (id, seconds) = (id.to_string(), (now.micros() / 1_000_000).to_string());
    let mut mac = mac(key);
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body.as_bytes());
    let signature = format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()));
    Some(Signed {
        id: HeaderValue::from_str(&id).ok()?,
        time: HeaderValue::from_str(&seconds).ok()?,
        signature: HeaderValue::from_str(&signature).ok()?,
    })
}
