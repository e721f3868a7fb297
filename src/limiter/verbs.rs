//! What the slices ask: may this login, registration, letter or token request go on?

use std::net::IpAddr;

use uuid::Uuid;

use super::gcra::Quota;
use super::key::Key;
use super::policy::Policy;
use super::verdict::{Refusal, Told, Verdict};
use super::{Limiter, Reservation};

/// Look-ups in one share of an address that is refused.
const LOOK_UPS: Quota = Quota::Rate { burst: 10, count: 60, period: 60_000_000 };
/// No policy's.
const LOOK_UPS_INDEX: u8 = u8::MAX;

/// Somebody tries to log in.
#[derive(Clone, Copy, Debug)]
pub struct LoginAttempt<'a> {
    pub address: IpAddr,
    /// Normalised, whether or not there is such an account.
    pub account: &'a str,
    /// The secret of a browser that has signed in to this account before.
    pub device: Option<&'a [u8]>,
}

impl Limiter {
    /// A request for a page or to the API, by address.
    pub async fn request(&self, policy: Policy, address: IpAddr) -> Verdict {
        self.check(&self.addressed(policy, address)).await
    }

    /// The refusal that a request would meet, as far as this node knows.
    #[must_use]
    pub fn known_refusal_of(&self, policy: Policy, address: IpAddr) -> Option<Verdict> {
        self.remembered(&self.addressed(policy, address))
    }

    fn addressed(&self, policy: Policy, address: IpAddr) -> Vec<(Policy, Key)> {
        let now = self.0.context.now();
        let keys = self.keyring();
        let mut asked = vec![(policy, keys.address(address, now))];
        asked.extend(keys.network(address, now).map(|network| (Policy::Network, network)));
        asked
    }

    /// Reserves an attempt before the password is verified, or many could be tried at the same time. After a
    /// success `refund` gives it back. A known browser has an allowance of its own, so that nobody is locked out
    /// by somebody else's attempts.
    ///
    /// # Errors
    /// Too many attempts.
    pub async fn login(&self, attempt: LoginAttempt<'_>) -> Result<Reservation, Refusal> {
        let now = self.0.context.now();
        let keys = self.keyring();
        let account = keys.account(attempt.account, now);
        if let Some(device) = attempt.device {
            let device = keys.device(device, attempt.account, now);
            let reserved = self.reserve(&[(Policy::LoginDevice, device)]).await;
            return reserved.inspect_err(|_| self.0.blocked.tried(device, account.today));
        }
        let address = keys.address(attempt.address, now);
        let pair = keys.pair(address, account, now);
        // The account is last: what a cluster has taken elsewhere can be given back exactly.
        let asked = [
            (Policy::LoginAddress, address),
            (Policy::LoginAccounts, address),
            (Policy::LoginSeen, pair),
            (Policy::LoginPair, pair),
            (Policy::LoginAccount, account),
        ];
        let reserved = self.reserve(&asked).await;
        reserved.inspect_err(|_| self.0.blocked.tried(pair, account.today))
    }

    /// Somebody wants a new account.
    ///
    /// # Errors
    /// Too many from there.
    pub async fn register(&self, address: IpAddr, email: &str) -> Result<(), Refusal> {
        let policies = [Policy::RegisterAddress, Policy::RegisterEmail, Policy::RegisterNetwork];
        self.reserve(&self.posted(policies, address, email)).await.map(drop)
    }

    /// Somebody wants a letter with a link for a new password.
    ///
    /// # Errors
    /// Too many from there, or to that address.
    pub async fn reset(&self, address: IpAddr, email: &str) -> Result<(), Refusal> {
        let policies = [Policy::ResetAddress, Policy::ResetEmail, Policy::ResetNetwork];
        self.reserve(&self.posted(policies, address, email)).await.map(drop)
    }

    /// Somebody who is logged in wants a letter to this address.
    ///
    /// # Errors
    /// Too many by that account, or to that address.
    pub async fn letter(&self, account: Uuid, email: &str) -> Result<(), Refusal> {
        let (keys, now) = (self.keyring(), self.0.context.now());
        let account = keys.member(account.as_bytes(), now);
        let asked = [(Policy::LetterAccount, account), (Policy::LetterEmail, keys.email(email, now))];
        self.reserve(&asked).await.map(drop)
    }

    /// Reserves an attempt of somebody whose account is known, as [`Self::login`] does.
    ///
    /// # Errors
    /// Too many attempts.
    pub async fn attempt(&self, policy: Policy, account: Uuid) -> Result<Reservation, Refusal> {
        let key = self.keyring().member(account.as_bytes(), self.0.context.now());
        self.reserve(&[(policy, key)]).await
    }

    /// A request with an API token.
    pub async fn token(&self, id: &[u8]) -> Verdict {
        self.check(&[(Policy::Token, self.keyring().token(id, self.0.context.now()))]).await
    }

    /// A request of a signed-in browser.
    pub async fn session(&self, id: &[u8]) -> Verdict {
        self.check(&[(Policy::Session, self.keyring().session(id, self.0.context.now()))]).await
    }

    /// Whether something that claims to be good may be looked up for an address that has used up its limit: a few
    /// may, as this node alone counts them, so that guesses cost next to nothing. Each `share` has its own few: who
    /// guesses does not know in which one a good token is.
    #[must_use]
    pub fn may_look_up(&self, address: IpAddr, share: u8) -> bool {
        let (keys, now) = (self.keyring(), self.0.context.now());
        let client = keys.pair(keys.address(address, now), keys.token(&[share], now), now);
        let place = client.today.place(LOOK_UPS_INDEX);
        self.0.table.update(place, |state| {
            let decision = LOOK_UPS.decide(state, self.now());
            (decision.state, decision.allowed)
        })
    }

    /// An administrator's request; what to tell of it.
    ///
    /// # Errors
    /// Too many in this session.
    pub async fn admin(&self, session: &[u8]) -> Result<Vec<Told>, Refusal> {
        let key = self.keyring().session(session, self.0.context.now());
        let verdict = self.check(&[(Policy::Admin, key)]).await;
        self.refusal(&verdict).map_or_else(|| Ok(verdict.told().collect()), Err)
    }

    /// Takes a unit of every policy, or says why not.
    ///
    /// # Errors
    /// Some policy refuses.
    pub async fn reserve(&self, asked: &[(Policy, Key)]) -> Result<Reservation, Refusal> {
        let verdict = self.check(asked).await;
        match self.refusal(&verdict) {
            Some(refusal) => Err(refusal),
            None => Ok(self.reservation(&verdict)),
        }
    }

    /// Why a request was refused, and when to come back.
    #[must_use]
    pub fn refusal(&self, verdict: &Verdict) -> Option<Refusal> {
        verdict.refusal(|| u64::from_le_bytes(self.0.context.random()))
    }

    fn posted(&self, policies: [Policy; 3], address: IpAddr, email: &str) -> Vec<(Policy, Key)> {
        let now = self.0.context.now();
        let keys = self.keyring();
        let mut asked =
            vec![(policies[0], keys.address(address, now)), (policies[1], keys.email(email, now))];
        asked.extend(keys.network(address, now).map(|network| (policies[2], network)));
        asked
    }
}
