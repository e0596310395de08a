//! The command `autoscaler`: one TLS provider, one runtime, one command.

use std::process::ExitCode;
use std::time::Duration;

use autoscaler::cli::{Cli, with_default_command};
use autoscaler::command;
use clap::Parser;

/// Threads that tick: more would not make a worker faster, and each has a stack.
const THREADS: usize = 2;

/// Script functions run on these threads too, and recurse.
const STACK_BYTES: usize = 4 * 1024 * 1024;

fn main() -> ExitCode {
    let cli = Cli::parse_from(with_default_command(std::env::args_os()));
    // Fails only where a provider is installed already, and this is the one place that installs one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_stack_size(STACK_BYTES)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return command::fail(format!("cannot start: {error}")),
    };
    let code = runtime.block_on(command::dispatch(cli));
    // A script thread that waits for the world is left behind.
    runtime.shutdown_timeout(Duration::from_millis(500));
    code
}
