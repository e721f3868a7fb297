//! Forms that were opened before the title of a page came in: saving them is no conflict.

use super::draft::one_line;
use super::{Change, Precondition, Resource, Resources, Revision, Via, store};
use crate::error::Result;

/// A change, and what it must find.
pub(super) struct Expected {
    pub precondition: Precondition,
    pub change: Change,
}

impl Resources {
    /// Where fetching alone has saved since the form was opened, what the form left as it was stays as it is now.
    pub(super) async fn allow_late_title(&self, current: &Resource, expected: Expected) -> Result<Expected> {
        let Precondition::Version(opened) = expected.precondition else { return Ok(expected) };
        if opened + 1 != current.version {
            return Ok(expected);
        }
        let last = store::revision(&self.db, current.id, current.version).await?;
        let base = store::revision(&self.db, current.id, opened).await?;
        match (last, base) {
            (Some(Revision { via: Via::Fetch, .. }), Some(base)) => Ok(Expected {
                precondition: Precondition::Version(current.version),
                change: without_unchanged(expected.change, &base),
            }),
            _ => Ok(expected),
        }
    }
}

fn without_unchanged(change: Change, base: &Revision) -> Change {
    // Browsers send lines with CRLF.
    let is_new_body = |body: &String| body.replace("\r\n", "\n").trim_end() != base.body.trim_end();
    Change {
        title: change.title.filter(|title| one_line(title) != base.title),
        body: change.body.filter(is_new_body),
        ..change
    }
}
