//! Who gets in: sessions, sign-ins by method, what the audit trail writes down, the mails that are sent.

use prometheus::{IntCounterVec, IntGauge};

use super::family::{Counters, Family, Label as _, label};

label! {
    SessionOperation { Create = "create", Load = "load", Save = "save", Delete = "delete" }
}

label! {
    /// Where a session was found, or that it was not.
    SessionOutcome { Redis = "redis", Database = "database", Absent = "absent", Error = "error" }
}

label! {
    /// What somebody shows to get in.
    Method {
        Password = "password",
        Totp = "totp",
        RecoveryCode = "recovery_code",
        RefreshToken = "refresh_token",
        ApiToken = "api_token",
        Sudo = "sudo",
    }
}

label! {
    /// What became of an attempt to send a mail.
    MailOutcome { Sent = "sent", Postponed = "postponed", GivenUp = "given_up" }
}

label! { Attempt { Success = "success", Failure = "failure", Limited = "limited" } }

#[derive(Debug)]
pub struct Accounts {
    /// Sessions that have not ended, over all nodes.
    pub sessions_active: IntGauge,
    operations: Vec<Counters<SessionOutcome>>,
    attempts: Vec<Counters<Attempt>>,
    audit: IntCounterVec,
    /// Mails that still have to go out, over all nodes.
    pub mails_waiting: IntGauge,
    mails: Counters<MailOutcome>,
}

impl Accounts {
    pub(super) fn new(family: Family) -> Self {
        let operations = family.counters(
            "coffer_session_operations_total",
            "What was done with sessions, by where they were found.",
            &["operation", "outcome"],
        );
        let attempts = family.counters(
            "coffer_auth_attempts_total",
            "Attempts to get in, by what was shown.",
            &["method", "outcome"],
        );
        let mails = family.counters(
            "coffer_mail_attempts_total",
            "Attempts to send a mail, by what became of it.",
            &["outcome"],
        );
        let all = |operation: &SessionOperation| Counters::new(&operations, &[operation.as_str()]);
        Self {
            sessions_active: family
                .gauge("coffer_sessions_active", "Sessions that have not ended, over all nodes."),
            operations: SessionOperation::ALL.iter().map(all).collect(),
            attempts: Method::ALL.iter().map(|method| Counters::new(&attempts, &[method.as_str()])).collect(),
            audit: family.counters(
                "coffer_audit_events_total",
                "Events written to the audit trail.",
                &["action", "outcome"],
            ),
            mails_waiting: family
                .gauge("coffer_mails_waiting", "Mails that still have to go out, over all nodes."),
            mails: Counters::new(&mails, &[]),
        }
    }

    pub fn session(&self, operation: SessionOperation, outcome: SessionOutcome) {
        self.operations[operation.index()].count(outcome);
    }

    pub fn attempt(&self, method: Method, success: bool) {
        self.attempts[method.index()].count(if success { Attempt::Success } else { Attempt::Failure });
    }

    /// An attempt that was not even looked at: there were too many.
    pub fn attempt_limited(&self, method: Method) {
        self.attempts[method.index()].count(Attempt::Limited);
    }

    pub fn mail(&self, outcome: MailOutcome) {
        self.mails.count(outcome);
    }

    /// Puts every action at 0.
    pub fn declare_audit(&self, actions: &[&str], outcomes: &[&str]) {
        for action in actions {
            for outcome in outcomes {
                let _ = self.audit.with_label_values(&[*action, *outcome]);
            }
        }
    }

    pub fn audited(&self, action: &str, outcome: &str) {
        self.audit.with_label_values(&[action, outcome]).inc();
    }
}
