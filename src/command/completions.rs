//! `autoscaler completions SHELL`.

use std::process::ExitCode;

use clap::CommandFactory;

use crate::cli::{Cli, CompletionsArgs};

/// Prints the completions of a shell on standard output.
#[must_use]
pub fn run(args: &CompletionsArgs) -> ExitCode {
    clap_complete::generate(args.shell, &mut Cli::command(), "autoscaler", &mut std::io::stdout());
    ExitCode::SUCCESS
}
