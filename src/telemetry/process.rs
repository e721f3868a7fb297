//! What the system says of this process; nothing on systems without `/proc`.

use std::fs;

/// All in base units: seconds and bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Process {
    pub cpu_seconds: f64,
    pub resident_bytes: f64,
    pub virtual_bytes: f64,
    pub threads: f64,
    pub open_fds: f64,
    pub max_fds: f64,
    /// Seconds since 1970.
    pub started: f64,
}

impl Process {
    pub fn read() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        // The name of the program may hold anything, so the fields are counted from its end (proc(5)).
        let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split_ascii_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
        let ticks = real(rustix::param::clock_ticks_per_second());
        Some(Self {
            cpu_seconds: (field(14)? + field(15)?) / ticks,
            resident_bytes: field(24)? * real(rustix::param::page_size() as u64),
            virtual_bytes: field(23)?,
            threads: field(20)?,
            open_fds: real(fs::read_dir("/proc/self/fd").ok()?.count() as u64),
            max_fds: max_fds()?,
            started: boot_time()? + field(22)? / ticks,
        })
    }
}

fn max_fds() -> Option<f64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files")?.split_ascii_whitespace().next()?.parse().ok())
}

fn boot_time() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2⁵³")]
fn real(count: u64) -> f64 {
    count as f64
}
