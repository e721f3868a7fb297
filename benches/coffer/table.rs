//! Figures, and the table they end in.

use std::time::Duration;

#[derive(Default)]
pub struct Table(Vec<Row>);

struct Row {
    what: String,
    unit: &'static str,
    samples: Vec<f64>,
    goal: Option<Goal>,
}

#[derive(Clone, Copy)]
pub enum Goal {
    Median(f64),
    P95(f64),
}

impl Table {
    pub fn add(
        &mut self,
        what: impl Into<String>,
        unit: &'static str,
        samples: Vec<f64>,
        goal: Option<Goal>,
    ) {
        let row = Row { what: what.into(), unit, samples, goal };
        eprintln!("{}", row.line());
        self.0.push(row);
    }

    pub fn print(&self) {
        println!("\n{:<58} {:>10} {:>10} {:>6}  goal", "", "median", "p95", "n");
        self.0.iter().for_each(|row| println!("{}", row.line()));
    }
}

impl Row {
    fn line(&self) -> String {
        let (median, p95) = (at(&self.samples, 0.5), at(&self.samples, 0.95));
        let goal = match self.goal {
            None => String::new(),
            Some(Goal::Median(limit)) => verdict("median", limit, median, self.unit),
            Some(Goal::P95(limit)) => verdict("p95", limit, p95, self.unit),
        };
        let figure = |value: f64| format!("{value:.1} {}", self.unit);
        format!(
            "{:<58} {:>10} {:>10} {:>6}  {goal}",
            self.what,
            figure(median),
            figure(p95),
            self.samples.len()
        )
    }
}

fn verdict(which: &str, limit: f64, value: f64, unit: &str) -> String {
    format!("{which} < {limit} {unit}: {}", if value < limit { "met" } else { "MISSED" })
}

/// The quantile by the nearest rank.
pub fn at(samples: &[f64], quantile: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "few"
    )]
    let rank = (quantile * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

pub fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
