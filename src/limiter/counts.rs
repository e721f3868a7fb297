//! What each policy did, since this process started.

use std::ops::Add;

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Count {
    pub allowed: u64,
    pub refused: u64,
    /// Would have been refused, but the policy only counts.
    pub shadow: u64,
    /// Allowed, with less than a tenth left.
    pub near: u64,
}

impl Add for Count {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            allowed: self.allowed + other.allowed,
            refused: self.refused + other.refused,
            shadow: self.shadow + other.shadow,
            near: self.near + other.near,
        }
    }
}
