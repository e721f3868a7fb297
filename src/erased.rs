//! A shared value whose parts the compiler doesn't look into.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// An `Arc` whose type says that threads may share it. The compiler would prove it anew for each handler, part by part
/// (docs/decisions/releases.md).
pub struct Erased<T: 'static>(Arc<dyn Deref<Target = T> + Send + Sync>);

impl<T: Send + Sync> Erased<T> {
    pub fn new(value: T) -> Self {
        Self(Arc::new(Box::new(value)))
    }
}

impl<T> Deref for Erased<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Clone for Erased<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: fmt::Debug> fmt::Debug for Erased<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
