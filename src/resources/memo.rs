//! What follows from the other fields of a value.

use std::sync::OnceLock;

/// Computed when it is first asked for. Two are always equal, since what they follow from is compared itself. A copy is
/// empty, since its fields may be changed.
#[derive(Debug)]
pub struct Memo<T>(OnceLock<T>);

impl<T: Clone> Memo<T> {
    pub fn get_or_compute(&self, compute: impl FnOnce() -> T) -> T {
        self.0.get_or_init(compute).clone()
    }
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T> Clone for Memo<T> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<T> PartialEq for Memo<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for Memo<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_computed_once_and_anew_for_a_copy() {
        let memo = Memo::default();
        assert_eq!([memo.get_or_compute(|| 1), memo.get_or_compute(|| 2)], [1, 1]);
        assert_eq!(memo.clone().get_or_compute(|| 2), 2);
        assert_eq!(memo, Memo::default());
    }
}
