//! Compares the tags' counts with the library, and repairs them.

use super::Finding::{self, Failure, Fine};
use crate::cache::{Scope, outbox};
use crate::db::{Db, Opening};
use crate::resources::store::tags::{count_miscounted, recount};
use crate::system::System;

pub async fn check(db: &Db) -> Finding {
    let counted = async { count_miscounted(&mut db.begin_reading().await?).await };
    match counted.await {
        Ok(0) => Fine("their counts match the library".to_owned()),
        Ok(wrong) => Failure(format!("{} a wrong count. Run: coffer doctor --repair", has(wrong))),
        Err(error) => Failure(format!("cannot be counted: {error}")),
    }
}

/// Also invalidates what running nodes remember of the tags.
pub async fn repair(url: &str) -> Result<String, String> {
    let db = Db::open_as(url, 1, Opening::Existing).await.map_err(|e| e.to_string())?;
    let repaired = async {
        let (context, mut tx) = (System::real(), db.begin_bulk().await?);
        let wrong = recount(&mut tx).await?;
        if wrong > 0 {
            outbox::insert(&mut tx, context.new_id(), &[Scope::All], context.now()).await?;
        }
        tx.commit().await.map(|()| wrong)
    };
    let repaired = repaired.await.map_err(|error: sqlx::Error| error.to_string());
    db.close().await;
    match repaired? {
        0 => Ok("nothing to repair: their counts match the library".to_owned()),
        wrong => Ok(format!("{} had a wrong count, now fixed", tags(wrong))),
    }
}

fn has(wrong: i64) -> String {
    if wrong == 1 { "1 tag has".to_owned() } else { format!("{wrong} tags have") }
}

fn tags(wrong: u64) -> String {
    if wrong == 1 { "1 tag".to_owned() } else { format!("{wrong} tags") }
}
