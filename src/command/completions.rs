//! `autoscaler completions SHELL`.

use std::io::Write;
use std::process::ExitCode;

use clap::CommandFactory;

use crate::cli::{Cli, CompletionsArgs};

/// Prints the completions of a shell on standard output.
#[must_use]
pub fn run(args: &CompletionsArgs) -> ExitCode {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "autoscaler", &mut text);
    super::written(std::io::stdout().write_all(&text))
}
