//! Command line → configuration → telemetry → application → serve → graceful stop.

use std::process::ExitCode;

use coffer::cli::Cli;
use coffer::commands;
use coffer::environment::Variables;

fn main() -> ExitCode {
    let variables = match Variables::load(std::env::args_os()) {
        Ok(variables) => variables,
        Err(sentence) => {
            eprintln!("coffer: {sentence}");
            return ExitCode::FAILURE;
        }
    };
    let invocation = match Cli::from_args(std::env::args_os(), &variables) {
        Ok(invocation) => invocation,
        Err(error) => error.exit(),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("coffer: cannot start its worker threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(commands::run(invocation));
    // Does not wait for what hangs, such as a DNS lookup.
    runtime.shutdown_background();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("coffer: {sentence}");
            ExitCode::FAILURE
        }
    }
}
