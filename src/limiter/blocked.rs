//! The clients refused most often, for administrators: the space-saving algorithm (Metwally et al. 2005).

use parking_lot::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};

use super::gcra::Micros;
use super::key::{ClientId, ClientKey};
use super::policy::Policy;

const CAPACITY: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Blocked {
    pub policy: Policy,
    pub key: ClientKey,
    /// An upper bound: a client that replaces another one in the full list also takes over its count.
    pub refusals: u64,
    /// When there is a unit again.
    pub until: Micros,
    pub shadow: bool,
    /// The account that was tried, where the policy counts something else beside it.
    #[serde(default)]
    pub account: Option<ClientId>,
}

impl Blocked {
    pub fn is_same(&self, other: &Self) -> bool {
        self.policy == other.policy && self.key.today == other.key.today
    }

    pub fn merge(&mut self, other: &Self) {
        self.refusals += other.refusals;
        self.until = self.until.max(other.until);
        self.shadow &= other.shadow;
        self.account = self.account.or(other.account);
    }
}

#[derive(Debug, Default)]
pub struct BlockedList(Mutex<Vec<Blocked>>);

impl BlockedList {
    pub fn record(&self, policy: Policy, key: ClientKey, until: Micros, shadow: bool) {
        let mut list = self.list();
        let (refusals, account) =
            match list.iter().position(|b| b.policy == policy && b.key.today == key.today) {
                Some(at) => {
                    let known = list.swap_remove(at);
                    (known.refusals, known.account)
                }
                None if list.len() < CAPACITY => (0, None),
                None => {
                    let least = (0..list.len()).min_by_key(|at| list[*at].refusals).unwrap_or(0);
                    (list.swap_remove(least).refusals, None)
                }
            };
        list.push(Blocked { policy, key, refusals: refusals + 1, until, shadow, account });
    }

    /// Notes which account a client who is refused has tried.
    pub fn tried(&self, key: ClientKey, account: ClientId) {
        for blocked in self.list().iter_mut().filter(|blocked| blocked.key.today == key.today) {
            blocked.account = Some(account);
        }
    }

    #[must_use]
    pub fn who_tried(&self, account: ClientId) -> Vec<ClientKey> {
        let list = self.list();
        list.iter().filter(|blocked| blocked.account == Some(account)).map(|blocked| blocked.key).collect()
    }

    /// The clients blocked at `now`, the most refused first.
    pub fn top(&self, now: Micros) -> Vec<Blocked> {
        let mut top: Vec<Blocked> = self.list().iter().filter(|b| b.until > now).cloned().collect();
        top.sort_by_key(|blocked| std::cmp::Reverse(blocked.refusals));
        top
    }

    pub fn forget(&self, id: ClientId) {
        self.list().retain(|blocked| blocked.key.ids().all(|known| known != id));
    }

    fn list(&self) -> MutexGuard<'_, Vec<Blocked>> {
        self.0.lock()
    }
}
