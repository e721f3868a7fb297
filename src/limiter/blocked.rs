//! Who is refused most, for administrators: the space-saving algorithm (Metwally et al. 2005) in a fixed list.

use parking_lot::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};

use super::gcra::Micros;
use super::key::{Id, Key};
use super::policy::Policy;

const KEPT: usize = 64;

/// A client who was refused.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Blocked {
    pub policy: Policy,
    pub key: Key,
    /// At most so many: who takes another's place in the full list takes over that one's count.
    pub refusals: u64,
    /// Until when there is nothing more to be had.
    pub until: Micros,
    /// The policy only counts.
    pub shadow: bool,
    /// The account that was tried, where the policy counts something else beside it.
    #[serde(default)]
    pub account: Option<Id>,
}

impl Blocked {
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.policy == other.policy && self.key.today == other.key.today
    }

    /// The same client at another node.
    pub fn join(&mut self, other: &Self) {
        self.refusals += other.refusals;
        self.until = self.until.max(other.until);
        self.shadow &= other.shadow;
        self.account = self.account.or(other.account);
    }
}

#[derive(Debug, Default)]
pub struct BlockedList(Mutex<Vec<Blocked>>);

impl BlockedList {
    pub fn note(&self, policy: Policy, key: Key, until: Micros, shadow: bool) {
        let mut list = self.list();
        let (refusals, account) =
            match list.iter().position(|b| b.policy == policy && b.key.today == key.today) {
                Some(at) => {
                    let known = list.swap_remove(at);
                    (known.refusals, known.account)
                }
                None if list.len() < KEPT => (0, None),
                None => {
                    let least = (0..list.len()).min_by_key(|at| list[*at].refusals).unwrap_or(0);
                    (list.swap_remove(least).refusals, None)
                }
            };
        list.push(Blocked { policy, key, refusals: refusals + 1, until, shadow, account });
    }

    /// Notes which account a client who is refused has tried.
    pub fn tried(&self, key: Key, account: Id) {
        for blocked in self.list().iter_mut().filter(|blocked| blocked.key.today == key.today) {
            blocked.account = Some(account);
        }
    }

    #[must_use]
    pub fn who_tried(&self, account: Id) -> Vec<Key> {
        let list = self.list();
        list.iter().filter(|blocked| blocked.account == Some(account)).map(|blocked| blocked.key).collect()
    }

    /// Those who are blocked at `now`, the most refused first.
    #[must_use]
    pub fn top(&self, now: Micros) -> Vec<Blocked> {
        let mut top: Vec<Blocked> = self.list().iter().filter(|b| b.until > now).cloned().collect();
        top.sort_by_key(|blocked| std::cmp::Reverse(blocked.refusals));
        top
    }

    pub fn forget(&self, id: Id) {
        self.list().retain(|blocked| blocked.key.ids().all(|known| known != id));
    }

    fn list(&self) -> MutexGuard<'_, Vec<Blocked>> {
        self.0.lock()
    }
}
