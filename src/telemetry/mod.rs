//! Seeing inside: logs, metrics, and the listener that Prometheus scrapes.

pub mod line;
pub mod logs;
pub mod loki;
pub mod metrics;
pub mod process;
pub mod recent;
pub mod request;
pub mod settings;
pub mod sketch;
