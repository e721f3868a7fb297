//! The scripts' keys, arguments and replies.

use fred::types::Value;

use super::Charge;
use super::batch::{Answer, Outcome};
use super::exact::Reply;
use super::gcra::Quota;
use super::key::{ClientId, ClientKey};
use super::policy::Policy;

pub fn spared(charges: &[Charge]) -> Vec<Answer> {
    let answer = |quota: Quota| Answer { outcome: Outcome::Spared, decision: quota.peek(0, 0) };
    charges.iter().map(|charge| answer(charge.check.quota)).collect()
}

pub fn slots(charges: &[Charge]) -> Vec<u16> {
    let mut slots: Vec<u16> = Vec::new();
    for charge in charges {
        if !slots.contains(&charge.key.slot) {
            slots.push(charge.key.slot);
        }
    }
    slots
}

/// The charges in one hash slot, and their positions among all.
pub struct Part {
    pub positions: Vec<usize>,
    pub charges: Vec<Charge>,
}

pub fn part_of(charges: &[Charge], slot: u16) -> Part {
    let positions: Vec<usize> = (0..charges.len()).filter(|at| charges[*at].key.slot == slot).collect();
    let within = |at: usize| positions.iter().position(|position| *position == at);
    let mut part: Vec<Charge> = positions.iter().map(|at| charges[*at]).collect();
    for charge in &mut part {
        charge.check.only_if_new = charge.check.only_if_new.and_then(within);
    }
    Part { positions, charges: part }
}

pub fn encode(installation: &str, requests: &[&[Charge]]) -> (Vec<String>, Vec<Value>) {
    let policies = requests.iter().map(|charges| charges.len()).sum::<usize>();
    let slot = requests.iter().flat_map(|charges| charges.iter()).next().map_or(0, |charge| charge.key.slot);
    let mut keys = Vec::with_capacity(policies * 2 + 1);
    keys.push(clock_name(installation, slot));
    let mut args = Vec::with_capacity(policies * 7 + requests.len());
    for charges in requests {
        args.push(number(charges.len() as u64));
        for charge in *charges {
            keys.extend(charge.key.ids().map(|id| name(installation, charge, id)));
            args.extend(arguments(charge));
        }
    }
    (keys, args)
}

fn arguments(charge: &Charge) -> [Value; 7] {
    let quota = charge.check.quota;
    let (kind, step, free) = match quota {
        Quota::Rate { .. } => ("rate", quota.cost(charge.check.units), 0),
        Quota::Backoff { free, .. } => ("backoff", quota.interval(), free),
        Quota::Mark { .. } => ("mark", quota.interval(), 0),
    };
    [
        number(charge.key.ids().count() as u64),
        kind.into(),
        number(step),
        number(quota.tolerance()),
        number(free.into()),
        number(charge.check.shadow.into()),
        number(charge.check.only_if_new.map_or(0, |at| at as u64 + 1)),
    ]
}

pub fn decode(numbers: &[i64], requests: &[&[Charge]]) -> Option<Vec<Reply>> {
    let mut numbers = numbers.iter().map(|number| u64::try_from(*number).unwrap_or(0));
    let now = numbers.next()?;
    let mut answer = |charge: &Charge| {
        let (outcome, state) = (numbers.next()?, numbers.next()?);
        let quota = charge.check.quota;
        Some(match outcome {
            0 => Answer { outcome: Outcome::Refused, decision: charge.check.decide(state, now) },
            1 => Answer { outcome: Outcome::Taken, decision: quota.peek(state, now) },
            _ => Answer { outcome: Outcome::Spared, decision: quota.peek(state, now) },
        })
    };
    let mut reply = |charges: &&[Charge]| {
        Some(Reply { now, answers: charges.iter().map(&mut answer).collect::<Option<_>>()? })
    };
    requests.iter().map(&mut reply).collect()
}

pub fn name(installation: &str, charge: &Charge, id: ClientId) -> String {
    named(installation, charge.key.slot, charge.policy, id)
}

/// All keys of a client, which are in one hash slot.
pub fn all_names(installation: &str, key: ClientKey) -> Vec<String> {
    key.ids().flat_map(|id| Policy::ALL.map(|policy| named(installation, key.slot, policy, id))).collect()
}

pub fn clock_name(installation: &str, slot: u16) -> String {
    format!("coffer:limit:{installation}:{{{slot:03x}}}:clock")
}

fn named(installation: &str, slot: u16, policy: Policy, id: ClientId) -> String {
    format!("coffer:limit:{installation}:{{{slot:03x}}}:{}:{}", policy.as_str(), id.hex())
}

pub fn number(number: u64) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}
