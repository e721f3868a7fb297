//! Mail: letters are queued in the transaction of what they tell of, and sent in the background.

mod letter;
mod store;

pub use self::letter::Letter;
use crate::context::Context;
use crate::db::Tx;
use crate::error::Result;

/// Takes letters; cheap to clone.
#[derive(Clone, Debug)]
pub struct Mail {
    context: Context,
}

impl Mail {
    #[must_use]
    pub fn new(context: Context) -> Self {
        Self { context }
    }

    /// Queues a letter to an address; it goes out once the transaction is committed.
    pub async fn queue(&self, tx: &mut Tx, to: &str, letter: &Letter) -> Result<()> {
        let written = letter.write()?;
        Ok(store::insert(tx, self.context.new_id(), to, &written, self.context.now()).await?)
    }
}
