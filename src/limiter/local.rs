//! The local tier: this node's table decides alone.

use super::Charge;
use super::batch::{Answer, Outcome, take};
use super::gcra::{Decision, Micros};
use super::key::Key;
use super::policy::Policy;
use super::table::Table;

/// What is remembered of each charge's client, also under yesterday's name.
#[must_use]
pub fn states(table: &Table, charges: &[Charge]) -> Vec<Micros> {
    charges.iter().map(|charge| state(table, charge.policy, charge.key)).collect()
}

/// What the policies would say to clients in these states.
#[must_use]
pub fn look(charges: &[Charge], states: &[Micros], now: Micros) -> Vec<Answer> {
    take(charges, states, now)
}

/// Takes a unit of every policy, or of none.
#[must_use]
pub fn decide(table: &Table, charges: &[Charge], now: Micros) -> Vec<Answer> {
    let mut answers = look(charges, &states(table, charges), now);
    for at in 0..charges.len() {
        let charge = &charges[at];
        match answers[at].outcome {
            Outcome::Taken => {
                let decision = take_one(table, charge, now);
                answers[at].decision = decision;
                if decision.allowed {
                    continue;
                }
                // Somebody was quicker since we looked.
                answers[at].outcome = Outcome::Refused;
                if !charge.ask.shadow {
                    give_back(table, &charges[..at], &mut answers[..at], now);
                    answers[at + 1..].iter_mut().for_each(Answer::spare);
                    break;
                }
            }
            Outcome::Refused => clamp(table, charge, now),
            Outcome::Spared => {}
        }
    }
    answers
}

/// After a clock was set back the shorter wait must be remembered, or it would never pass.
pub fn clamp(table: &Table, charge: &Charge, now: Micros) {
    let clamp = |state| (charge.ask.quota.clamp(state, now), ());
    table.update(charge.key.today.place(charge.policy as u8), clamp);
}

/// Remembers what Redis said.
pub fn remember(table: &Table, charge: &Charge, state: Micros) {
    table.update(charge.key.today.place(charge.policy as u8), |_| (state, ()));
}

pub fn refund(table: &Table, charge: &Charge, taken: Micros, now: Micros) {
    let quota = charge.ask.quota;
    table.update(charge.key.today.place(charge.policy as u8), |state| (quota.refund(state, taken, now), ()));
}

fn state(table: &Table, policy: Policy, key: Key) -> Micros {
    key.ids().map(|id| table.state(id.place(policy as u8))).max().unwrap_or(0)
}

fn take_one(table: &Table, charge: &Charge, now: Micros) -> Decision {
    let yesterday = charge.key.yesterday.map_or(0, |id| table.state(id.place(charge.policy as u8)));
    table.update(charge.key.today.place(charge.policy as u8), |state| {
        let decision = charge.ask.quota.decide(state.max(yesterday), now);
        (decision.state, decision)
    })
}

fn give_back(table: &Table, charges: &[Charge], answers: &mut [Answer], now: Micros) {
    for (charge, answer) in charges.iter().zip(answers) {
        if answer.outcome == Outcome::Taken {
            refund(table, charge, answer.decision.state, now);
            answer.spare();
        }
    }
}
