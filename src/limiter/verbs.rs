//! The limiter's verbs for the slices: may this log-in, registration, email or token request go on?

use std::net::IpAddr;

use uuid::Uuid;

use super::gcra::Quota;
use super::policy::Policy;
use super::verdict::{QuotaStatus, Refusal, Verdict};
use super::{Limiter, Reservation, Target};

/// In one share of a refused address.
const LOOK_UPS: Quota = Quota::Rate { burst: 10, count: 60, period: 60_000_000 };
/// No policy has this index.
const LOOK_UPS_INDEX: u8 = u8::MAX;

#[derive(Clone, Copy, Debug)]
pub struct LoginAttempt<'a> {
    pub address: IpAddr,
    /// Normalised, whether or not the account exists.
    pub account: &'a str,
    /// The secret of a browser that has signed in to this account before.
    pub device: Option<&'a [u8]>,
}

impl Limiter {
    pub async fn request(&self, policy: Policy, address: IpAddr) -> Verdict {
        self.check(&self.by_address(policy, address)).await
    }

    /// The refusal that a request would get, as far as this node knows.
    pub fn known_refusal_of(&self, policy: Policy, address: IpAddr) -> Option<Verdict> {
        self.remembered(&self.by_address(policy, address))
    }

    fn by_address(&self, policy: Policy, address: IpAddr) -> Vec<Target> {
        let now = self.0.context.now();
        let keys = self.keyring();
        let mut targets = vec![Target { policy, key: keys.address(address, now) }];
        let network = keys.network(address, now).map(|key| Target { policy: Policy::Network, key });
        targets.extend(network);
        targets
    }

    /// Reserves an attempt before the password is verified: otherwise many passwords could be tried at the same time.
    /// `refund` gives it back after a success. A known browser has an allowance of its own, so that other people's
    /// attempts can't lock its user out.
    pub async fn login(&self, attempt: LoginAttempt<'_>) -> Result<Reservation, Refusal> {
        let now = self.0.context.now();
        let keys = self.keyring();
        let account = keys.account(attempt.account, now);
        if let Some(device) = attempt.device {
            let device = keys.device(device, attempt.account, now);
            let reserved = self.reserve(&[Target { policy: Policy::LoginDevice, key: device }]).await;
            return reserved.inspect_err(|_| self.0.blocked.tried(device, account.today));
        }
        let address = keys.address(attempt.address, now);
        let pair = keys.pair(address, account, now);
        // The account comes last, so that a cluster can give back exactly what the other slots took.
        let targets = [
            Target { policy: Policy::LoginAddress, key: address },
            Target { policy: Policy::LoginAccounts, key: address },
            Target { policy: Policy::LoginSeen, key: pair },
            Target { policy: Policy::LoginPair, key: pair },
            Target { policy: Policy::LoginAccount, key: account },
        ];
        let reserved = self.reserve(&targets).await;
        reserved.inspect_err(|_| self.0.blocked.tried(pair, account.today))
    }

    pub async fn register(&self, address: IpAddr, email: &str) -> Result<(), Refusal> {
        let policies = [Policy::RegisterAddress, Policy::RegisterEmail, Policy::RegisterNetwork];
        self.reserve(&self.by_email(policies, address, email)).await.map(drop)
    }

    pub async fn reset(&self, address: IpAddr, email: &str) -> Result<(), Refusal> {
        let policies = [Policy::ResetAddress, Policy::ResetEmail, Policy::ResetNetwork];
        self.reserve(&self.by_email(policies, address, email)).await.map(drop)
    }

    pub async fn email(&self, account: Uuid, email: &str) -> Result<(), Refusal> {
        let (keys, now) = (self.keyring(), self.0.context.now());
        let account = keys.member(account.as_bytes(), now);
        let targets = [
            Target { policy: Policy::LetterAccount, key: account },
            Target { policy: Policy::LetterEmail, key: keys.email(email, now) },
        ];
        self.reserve(&targets).await.map(drop)
    }

    pub async fn attempt(&self, policy: Policy, account: Uuid) -> Result<Reservation, Refusal> {
        let key = self.keyring().member(account.as_bytes(), self.0.context.now());
        self.reserve(&[Target { policy, key }]).await
    }

    pub async fn token(&self, id: &[u8]) -> Verdict {
        self.check(&[Target { policy: Policy::Token, key: self.keyring().token(id, self.0.context.now()) }])
            .await
    }

    pub async fn session(&self, id: &[u8]) -> Verdict {
        self.check(&[Target {
            policy: Policy::Session,
            key: self.keyring().session(id, self.0.context.now()),
        }])
        .await
    }

    /// Whether a refused address may have a token or session looked up. This node counts alone, so a guess costs
    /// almost nothing. Each `share` has its own count: an attacker does not know which share has a good token.
    pub fn may_look_up(&self, address: IpAddr, share: u8) -> bool {
        let (keys, now) = (self.keyring(), self.0.context.now());
        let client = keys.pair(keys.address(address, now), keys.token(&[share], now), now);
        let key = client.today.cell_key(LOOK_UPS_INDEX);
        self.0.table.update(key, |state| {
            let decision = LOOK_UPS.decide(state, self.now());
            (decision.state, decision.allowed)
        })
    }

    pub async fn admin(&self, session: &[u8]) -> Result<Vec<QuotaStatus>, Refusal> {
        let key = self.keyring().session(session, self.0.context.now());
        let verdict = self.check(&[Target { policy: Policy::Admin, key }]).await;
        self.refusal(&verdict).map_or_else(|| Ok(verdict.quota_statuses().collect()), Err)
    }

    pub async fn reserve(&self, targets: &[Target]) -> Result<Reservation, Refusal> {
        let verdict = self.check(targets).await;
        match self.refusal(&verdict) {
            Some(refusal) => Err(refusal),
            None => Ok(self.reservation(&verdict)),
        }
    }

    pub fn refusal(&self, verdict: &Verdict) -> Option<Refusal> {
        verdict.refusal(|| u64::from_le_bytes(self.0.context.random()))
    }

    fn by_email(&self, policies: [Policy; 3], address: IpAddr, email: &str) -> Vec<Target> {
        let now = self.0.context.now();
        let keys = self.keyring();
        let [by_address, by_email, by_network] = policies;
        let mut targets = vec![
            Target { policy: by_address, key: keys.address(address, now) },
            Target { policy: by_email, key: keys.email(email, now) },
        ];
        targets.extend(keys.network(address, now).map(|key| Target { policy: by_network, key }));
        targets
    }
}
