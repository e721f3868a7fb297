//! Seals all secrets again, for another master key.

use uuid::Uuid;

use crate::accounts::actions::SECOND_FACTOR_OFF;
use crate::accounts::factor;
use crate::audit::action::{KEY_LOST, KEY_ROTATE};
use crate::audit::{AuditLog, Event, Outcome};
use crate::db::Db;
use crate::identity::RequestMeta;
use crate::keys::rotation::{Resealed, Rotation};
use crate::keys::store;
use crate::mail;
use crate::telemetry::metrics::Metrics;
use crate::webhooks;

#[derive(Debug)]
pub struct Rotated {
    pub emails: Resealed,
    pub webhooks: Resealed,
    pub second_factors: usize,
    /// Users whose two-step login is switched off, as its secret is lost with the key.
    pub switched_off: Vec<Uuid>,
}

pub async fn run(rotation: &Rotation<'_>, db: &Db) -> sqlx::Result<Rotated> {
    let mut tx = db.begin().await?;
    let last_event = store::replace(&mut tx, rotation.new.id().as_bytes()).await?;
    let emails = mail::reseal(&mut tx, rotation).await?;
    let webhooks = webhooks::reseal(&mut tx, rotation).await?;
    let (second_factors, switched_off) = factor::reseal(&mut tx, rotation).await?;
    rotation.retire(&mut tx, last_event).await?;
    let audit = AuditLog::new(rotation.context.clone(), rotation.new, &Metrics::new(rotation.context), &[]);
    let action = if rotation.old.is_some() { KEY_ROTATE } else { KEY_LOST };
    let event = Event { action, actor: None, target: rotation.owner.to_string(), outcome: Outcome::Done };
    audit.record(&mut tx, &RequestMeta::default(), &event).await?;
    for user in &switched_off {
        let event = Event { actor: None, ..Event::own(SECOND_FACTOR_OFF, *user) };
        audit.record(&mut tx, &RequestMeta::default(), &event).await?;
    }
    tx.commit().await?;
    Ok(Rotated { emails, webhooks, second_factors, switched_off })
}
