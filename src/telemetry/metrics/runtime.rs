//! The process and its workers, as they are at the moment of each scrape.

use prometheus::{IntGauge, Opts};
use std::path::Path;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use tokio::runtime::{Handle, RuntimeMetrics};

use super::family::Family;
use crate::telemetry::logs::LogCollector;
use crate::telemetry::process::Process;
use crate::telemetry::timing::Timing;

const LAG_BUCKETS: [f64; 8] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5];

#[derive(Debug)]
pub struct Runtime {
    /// How late a timer woke: what a request waits for a worker.
    pub lag: Timing,
    disk_free: IntGauge,
    disk_size: IntGauge,
}

impl Runtime {
    /// Sets the gauges of the disk that holds the data.
    pub fn look_at_disk(&self, folder: &Path) {
        if let Ok(disk) = rustix::fs::statvfs(folder) {
            let bytes = |blocks: u64| i64::try_from(blocks.saturating_mul(disk.f_frsize)).unwrap_or(i64::MAX);
            self.disk_free.set(bytes(disk.f_bavail));
            self.disk_size.set(bytes(disk.f_blocks));
        }
    }

    pub(super) fn new(family: Family) -> Self {
        let build =
            family.gauges("coffer_build_info", "1, with the version of coffer as a label.", &["version"]);
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        family.collector(ProcessCollector::new());
        family.collector(LogCollector::new());
        if let Ok(handle) = Handle::try_current() {
            family.collector(WorkersCollector::new(handle.metrics()));
        }
        Self {
            disk_free: family
                .gauge("coffer_disk_free_bytes", "Free bytes of the disk with the data directory."),
            disk_size: family.gauge("coffer_disk_size_bytes", "Size of the disk with the data directory."),
            lag: family.timing(
                family.histogram(
                    "coffer_event_loop_lag_seconds",
                    "How late a timer woke, which is what a request waits for a worker.",
                    &LAG_BUCKETS,
                ),
                "lag",
                "loop",
            ),
        }
    }
}

/// A value that is read when somebody asks.
struct Reading {
    desc: Desc,
    counter: bool,
}

impl Reading {
    #[expect(clippy::expect_used, reason = "names and texts are constants of this file")]
    fn new(name: &str, help: &str) -> Self {
        let desc = Desc::new(name.to_owned(), help.to_owned(), Vec::new(), std::collections::HashMap::new());
        Self { desc: desc.expect("a family's name fits"), counter: name.ends_with("_total") }
    }

    fn family(&self, value: f64) -> Option<MetricFamily> {
        let opts = Opts::new(&self.desc.fq_name, &self.desc.help);
        if self.counter {
            let counter = prometheus::Counter::with_opts(opts).ok()?;
            counter.inc_by(value.max(0.0));
            return counter.collect().pop();
        }
        let gauge = prometheus::Gauge::with_opts(opts).ok()?;
        gauge.set(value);
        gauge.collect().pop()
    }
}

/// The families that Prometheus' own clients have for a process.
struct ProcessCollector([Reading; 7]);

impl ProcessCollector {
    fn new() -> Self {
        Self([
            Reading::new("process_cpu_seconds_total", "Total user and system CPU time spent in seconds."),
            Reading::new("process_resident_memory_bytes", "Resident memory size in bytes."),
            Reading::new("process_virtual_memory_bytes", "Virtual memory size in bytes."),
            Reading::new("process_threads", "Number of OS threads in the process."),
            Reading::new("process_open_fds", "Number of open file descriptors."),
            Reading::new("process_max_fds", "Maximum number of open file descriptors."),
            Reading::new(
                "process_start_time_seconds",
                "Start time of the process since unix epoch in seconds.",
            ),
        ])
    }
}

impl Collector for ProcessCollector {
    fn desc(&self) -> Vec<&Desc> {
        self.0.iter().map(|reading| &reading.desc).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let Some(process) = Process::read() else { return Vec::new() };
        let values = [
            process.cpu_seconds, process.resident_bytes, process.virtual_bytes, process.threads,
            process.open_fds, process.max_fds, process.started,
        ];
        self.0.iter().zip(values).filter_map(|(reading, value)| reading.family(value)).collect()
    }
}

struct WorkersCollector {
    metrics: RuntimeMetrics,
    readings: [Reading; 5],
}

impl WorkersCollector {
    fn new(metrics: RuntimeMetrics) -> Self {
        let readings = [
            Reading::new("tokio_workers", "Worker threads of the runtime."),
            Reading::new("tokio_alive_tasks", "Tasks that have not ended."),
            Reading::new("tokio_global_queue_depth", "Tasks that wait for any worker."),
            Reading::new("tokio_worker_busy_seconds_total", "Time that the workers were busy, summed."),
            Reading::new("tokio_worker_parks_total", "How often a worker ran out of work."),
        ];
        Self { metrics, readings }
    }
}

impl Collector for WorkersCollector {
    fn desc(&self) -> Vec<&Desc> {
        self.readings.iter().map(|reading| &reading.desc).collect()
    }

    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2⁵³")]
    fn collect(&self) -> Vec<MetricFamily> {
        let workers = self.metrics.num_workers();
        let busy: f64 = (0..workers).map(|n| self.metrics.worker_total_busy_duration(n).as_secs_f64()).sum();
        let parks: u64 = (0..workers).map(|n| self.metrics.worker_park_count(n)).sum();
        let values = [
            workers as f64,
            self.metrics.num_alive_tasks() as f64,
            self.metrics.global_queue_depth() as f64,
            busy,
            parks as f64,
        ];
        self.readings.iter().zip(values).filter_map(|(reading, value)| reading.family(value)).collect()
    }
}
