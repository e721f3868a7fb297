//! Command line → configuration → command.

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
    match commands::run(invocation) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("coffer: {sentence}");
            ExitCode::FAILURE
        }
    }
}
