//! Accounts: sessions, sign-ins by method, audit events, emails.

use std::collections::HashMap;
use std::sync::OnceLock;

use metrics::{Counter, Gauge};

use super::family::{Counters, Label as _, label};
use super::recorder::Recorder;

label! {
    SessionOperation = "operation" { Create = "create", Load = "load", Save = "save", Delete = "delete" }
}

label! {
    SessionOutcome = "outcome" { Redis = "redis", Database = "database", Absent = "absent", Error = "error" }
}

label! {
    Method = "method" {
        Password = "password",
        Totp = "totp",
        RecoveryCode = "recovery_code",
        RefreshToken = "refresh_token",
        ApiToken = "api_token",
        Sudo = "sudo",
    }
}

label! {
    MailOutcome = "outcome" { Sent = "sent", Postponed = "postponed", GivenUp = "given_up" }
}

label! { Attempt = "outcome" { Success = "success", Failure = "failure", Limited = "limited" } }

#[derive(Debug)]
pub struct Accounts {
    recorder: Recorder,
    /// Sessions that have not ended, over all nodes.
    pub sessions_active: Gauge,
    operations: Vec<Counters<SessionOutcome>>,
    attempts: Vec<Counters<Attempt>>,
    /// By action and outcome.
    audit: OnceLock<HashMap<[&'static str; 2], Counter>>,
    /// Mails that still have to go out, over all nodes.
    pub mails_waiting: Gauge,
    mails: Counters<MailOutcome>,
}

impl Accounts {
    pub(super) fn new(recorder: &Recorder) -> Self {
        let operations = |operation: &SessionOperation| {
            let help = "What was done with sessions, by where they were found.";
            Counters::new(recorder, "coffer_session_operations_total", help, &[operation.pair()])
        };
        let gauge = |name, help| recorder.gauge(name, help, &[]);
        let attempts = |method: &Method| {
            let help = "Attempts to get in, by what was shown.";
            Counters::new(recorder, "coffer_auth_attempts_total", help, &[method.pair()])
        };
        Self {
            recorder: recorder.clone(),
            sessions_active: gauge("coffer_sessions_active", "Sessions that have not ended, over all nodes."),
            operations: SessionOperation::ALL.iter().map(operations).collect(),
            attempts: Method::ALL.iter().map(attempts).collect(),
            audit: OnceLock::new(),
            mails_waiting: gauge("coffer_mails_waiting", "Mails that still have to go out, over all nodes."),
            mails: Counters::new(
                recorder,
                "coffer_mail_attempts_total",
                "Attempts to send a mail, by what became of it.",
                &[],
            ),
        }
    }

    pub fn session(&self, operation: SessionOperation, outcome: SessionOutcome) {
        self.operations[operation.index()].count(outcome);
    }

    pub fn attempt(&self, method: Method, success: bool) {
        self.attempts[method.index()].count(if success { Attempt::Success } else { Attempt::Failure });
    }

    pub fn attempt_limited(&self, method: Method) {
        self.attempts[method.index()].count(Attempt::Limited);
    }

    pub fn mail(&self, outcome: MailOutcome) {
        self.mails.count(outcome);
    }

    /// Puts every action at 0.
    pub fn declare_audit(&self, actions: impl Iterator<Item = &'static str>, outcomes: &[&'static str]) {
        let counter = |[action, outcome]: [&'static str; 2]| {
            let labels = [("action", action), ("outcome", outcome)];
            self.recorder.counter("coffer_audit_events_total", "Events written to the audit trail.", &labels)
        };
        self.audit.get_or_init(|| {
            let events = actions.flat_map(|action| outcomes.iter().map(move |outcome| [action, *outcome]));
            events.map(|event| (event, counter(event))).collect()
        });
    }

    pub fn audited(&self, action: &str, outcome: &str) {
        if let Some(event) = self.audit.get().and_then(|events| events.get(&[action, outcome])) {
            event.increment(1);
        }
    }
}
