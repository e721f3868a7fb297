//! The local tier: this node decides by its own table.

use super::Charge;
use super::batch::{Answer, Outcome, take};
use super::gcra::{Decision, Micros};
use super::key::ClientKey;
use super::policy::Policy;
use super::table::Table;

pub fn states(table: &Table, charges: &[Charge]) -> Vec<Micros> {
    charges.iter().map(|charge| state(table, charge.policy, charge.key)).collect()
}

pub fn peek(charges: &[Charge], states: &[Micros], now: Micros) -> Vec<Answer> {
    take(charges, states, now)
}

pub fn decide(table: &Table, charges: &[Charge], now: Micros) -> Vec<Answer> {
    let mut answers = peek(charges, &states(table, charges), now);
    for at in 0..charges.len() {
        let charge = &charges[at];
        match answers[at].outcome {
            Outcome::Taken => {
                let decision = take_one(table, charge, now);
                answers[at].decision = decision;
                if decision.allowed {
                    continue;
                }
                // Another thread has taken the unit meanwhile.
                answers[at].outcome = Outcome::Refused;
                if !charge.check.shadow {
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

/// Stores the shorter wait after a clock was set back. Otherwise the wait would never end.
pub fn clamp(table: &Table, charge: &Charge, now: Micros) {
    let clamp = |state| (charge.check.quota.clamp(state, now), ());
    table.update(charge.key.today.cell_key(charge.policy as u8), clamp);
}

pub fn remember(table: &Table, charge: &Charge, state: Micros) {
    table.update(charge.key.today.cell_key(charge.policy as u8), |_| (state, ()));
}

pub fn refund(table: &Table, charge: &Charge, taken: Micros, now: Micros) {
    let quota = charge.check.quota;
    table.update(charge.key.today.cell_key(charge.policy as u8), |state| {
        (quota.refund(state, taken, now), ())
    });
}

fn state(table: &Table, policy: Policy, key: ClientKey) -> Micros {
    key.ids().map(|id| table.state(id.cell_key(policy as u8))).max().unwrap_or(0)
}

fn take_one(table: &Table, charge: &Charge, now: Micros) -> Decision {
    let yesterday = charge.key.yesterday.map_or(0, |id| table.state(id.cell_key(charge.policy as u8)));
    table.update(charge.key.today.cell_key(charge.policy as u8), |state| {
        let decision = charge.check.decide(state.max(yesterday), now);
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
