//! Links of a file that lie in the trash: an import does not bring back what was thrown away.

use std::collections::HashMap;

use uuid::Uuid;

use super::prepare::Prepared;
use super::report::Duplicate;
use super::{Ready, store};
use crate::cache::Write;
use crate::resources::draft::url_key;

impl Prepared {
    /// Takes out what the owner's trash holds, the file's repetitions of it included.
    pub async fn without_thrown_away(&mut self, tx: &mut Write, owner: Uuid) -> sqlx::Result<Vec<Duplicate>> {
        let addresses: HashMap<Vec<u8>, Uuid> = store::addresses_in_trash(tx, owner)
            .await?
            .into_iter()
            .map(|held| (held.url_key, held.id))
            .collect();
        let has_notes = store::has_notes_in_trash(tx, owner).await?;
        if addresses.is_empty() && !has_notes {
            return Ok(Vec::new());
        }
        let (mut kept, mut thrown) = (Vec::with_capacity(self.ready.len()), Vec::new());
        let mut held_by: HashMap<Uuid, Uuid> = HashMap::new();
        for ready in std::mem::take(&mut self.ready) {
            let held = match &ready.checked.url {
                Some(url) => addresses.get(&url_key(url)).copied(),
                None if has_notes => store::same_note_in_trash(tx, owner, &ready.checked).await?,
                None => None,
            };
            match held {
                None => kept.push(ready),
                Some(id) => {
                    held_by.insert(ready.id, id);
                    thrown.push(report(ready, id));
                }
            }
        }
        self.ready = kept;
        let is_thrown =
            |twin: &mut Duplicate| twin.existing.is_some_and(|first| held_by.contains_key(&first));
        thrown.extend(self.duplicates.extract_if(.., is_thrown).map(|twin| Duplicate {
            existing: twin.existing.and_then(|first| held_by.get(&first).copied()),
            added: Vec::new(),
            ..twin
        }));
        Ok(thrown)
    }
}

fn report(ready: Ready, existing: Uuid) -> Duplicate {
    let added = Vec::new();
    Duplicate { line: ready.line, title: ready.checked.title, existing: Some(existing), added }
}
