//! The process and its workers, as they are at the moment of each scrape.

use std::path::Path;

use metrics::{Counter, Gauge, Histogram};
use tokio::runtime::{Handle, RuntimeMetrics};

use super::family::real;
use super::recorder::{Durations, Recorder};
use crate::telemetry::logs::LogMeter;
use crate::telemetry::process::Process;

pub(super) const LAG: Durations = Durations {
    name: "coffer_event_loop_lag_seconds",
    help: "How late a timer woke, which is what a request waits for a worker.",
    buckets: &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5],
    kind: "lag loop",
    by: &[],
};

#[derive(Debug)]
pub struct Runtime {
    /// How late a timer woke: what a request waits for a worker.
    pub lag: Histogram,
    disk_free: Gauge,
    disk_size: Gauge,
    /// `None` on systems that don't tell.
    process: Option<ProcessMeter>,
    /// `None` outside a runtime.
    workers: Option<WorkersMeter>,
    log: LogMeter,
}

/// A counter with a fraction: the exporter's are whole numbers.
pub struct Fraction {
    pub name: &'static str,
    help: &'static str,
    pub value: f64,
}

impl Fraction {
    /// In Prometheus' text format.
    pub fn text(&self) -> String {
        let Self { name, help, value } = self;
        format!("# HELP {name} {help}\n# TYPE {name} counter\n{name} {value}\n\n")
    }
}

impl Runtime {
    pub(super) fn new(recorder: &Recorder) -> Self {
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        recorder.gauge("coffer_build_info", "1, with the version of coffer as a label.", &version).set(1.0);
        let gauge = |name, help| recorder.gauge(name, help, &[]);
        Self {
            lag: recorder.durations(&LAG, &[]),
            disk_free: gauge("coffer_disk_free_bytes", "Free bytes of the disk with the data directory."),
            disk_size: gauge("coffer_disk_size_bytes", "Size of the disk with the data directory."),
            process: Process::read().map(|_| ProcessMeter::new(recorder)),
            workers: Handle::try_current().ok().map(|handle| WorkersMeter::new(recorder, handle.metrics())),
            log: LogMeter::new(recorder),
        }
    }

    pub fn look_at_disk(&self, folder: &Path) {
        if let Ok(disk) = rustix::fs::statvfs(folder) {
            let bytes = |blocks: u64| real(blocks.saturating_mul(disk.f_frsize));
            self.disk_free.set(bytes(disk.f_bavail));
            self.disk_size.set(bytes(disk.f_blocks));
        }
    }

    /// Brings up to date what is counted elsewhere.
    pub(super) fn collect(&self) -> Vec<Fraction> {
        self.log.collect();
        let process = self.process.as_ref().and_then(ProcessMeter::collect);
        let workers = self.workers.as_ref().map(WorkersMeter::collect);
        process.into_iter().chain(workers).collect()
    }
}

/// The families that Prometheus' own clients have for a process.
#[derive(Debug)]
struct ProcessMeter([Gauge; 6]);

impl ProcessMeter {
    fn new(recorder: &Recorder) -> Self {
        let gauge = |name, help| recorder.gauge(name, help, &[]);
        Self([
            gauge("process_resident_memory_bytes", "Resident memory size in bytes."),
            gauge("process_virtual_memory_bytes", "Virtual memory size in bytes."),
            gauge("process_threads", "Number of OS threads in the process."),
            gauge("process_open_fds", "Number of open file descriptors."),
            gauge("process_max_fds", "Maximum number of open file descriptors."),
            gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds."),
        ])
    }

    fn collect(&self) -> Option<Fraction> {
        let process = Process::read()?;
        let values = [
            process.resident_bytes, process.virtual_bytes, process.threads, process.open_fds,
            process.max_fds, process.started,
        ];
        self.0.iter().zip(values).for_each(|(gauge, value)| gauge.set(value));
        Some(Fraction {
            name: "process_cpu_seconds_total",
            help: "Total user and system CPU time spent in seconds.",
            value: process.cpu_seconds,
        })
    }
}

#[derive(Debug)]
struct WorkersMeter {
    metrics: RuntimeMetrics,
    workers: Gauge,
    tasks: Gauge,
    queued: Gauge,
    parks: Counter,
}

impl WorkersMeter {
    fn new(recorder: &Recorder, metrics: RuntimeMetrics) -> Self {
        let gauge = |name, help| recorder.gauge(name, help, &[]);
        Self {
            metrics,
            workers: gauge("tokio_workers", "Worker threads of the runtime."),
            tasks: gauge("tokio_alive_tasks", "Tasks that have not ended."),
            queued: gauge("tokio_global_queue_depth", "Tasks that wait for any worker."),
            parks: recorder.counter("tokio_worker_parks_total", "How often a worker ran out of work.", &[]),
        }
    }

    fn collect(&self) -> Fraction {
        let Self { metrics, .. } = self;
        let count = |count: usize| real(count as u64);
        self.workers.set(count(metrics.num_workers()));
        self.tasks.set(count(metrics.num_alive_tasks()));
        self.queued.set(count(metrics.global_queue_depth()));
        let workers = 0..metrics.num_workers();
        self.parks.absolute(workers.clone().map(|n| metrics.worker_park_count(n)).sum());
        Fraction {
            name: "tokio_worker_busy_seconds_total",
            help: "Time that the workers were busy, summed.",
            value: workers.map(|n| metrics.worker_total_busy_duration(n).as_secs_f64()).sum(),
        }
    }
}
