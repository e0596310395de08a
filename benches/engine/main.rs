//! Owns the measurements of `docs/performance.md`: `cargo bench` runs them all in a short form. It judges
//! nothing: goals stand beside the figures, and only a measurement that breaks ends it.
//!
//! ```text
//! cargo bench                          all of them, about two minutes
//! cargo bench -- --full                with more and longer rounds
//! cargo bench -- cost process          some of them
//! ```
//!
//! Servers run in a process of their own (this program, called with `serve`), so that their CPU time is
//! not counted.

// Counts and times are far below what a float holds exactly.
#![allow(clippy::cast_precision_loss)]

mod bare;
mod cost;
mod decisions;
mod lateness;
mod process;
mod router;
mod script;
mod server;
mod simulate;
mod state;
mod table;
mod worker;

use std::process::ExitCode;

/// How thoroughly is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A minute or two in all.
    Short,
    /// More and longer rounds.
    Full,
}

impl Form {
    /// One of two values.
    pub fn pick<T>(self, short: T, full: T) -> T {
        if self == Self::Full { full } else { short }
    }
}

/// The measurements, by name.
const NAMES: &[&str] = &["cost", "lateness", "process", "decisions", "script", "simulate", "state", "router"];

fn main() -> ExitCode {
    // cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.first().is_some_and(|argument| argument == "serve") {
        server::serve();
        return ExitCode::SUCCESS;
    }
    let form = if arguments.iter().any(|argument| argument == "--full") { Form::Full } else { Form::Short };
    let chosen: Vec<&str> = arguments.iter().map(String::as_str).filter(|name| *name != "--full").collect();
    if let Some(unknown) = chosen.iter().find(|name| !NAMES.contains(name)) {
        eprintln!("no measurement is called `{unknown}`; there are {}, and `--full`", NAMES.join(", "));
        return ExitCode::from(2);
    }
    autoscaler::net::install_tls();
    // As `main` of the worker builds it.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("this machine can start threads");
    println!("{} cores, {}", std::thread::available_parallelism().map_or(0, usize::from), std::env::consts::ARCH);
    for name in NAMES.iter().filter(|name| chosen.is_empty() || chosen.contains(name)) {
        println!("\n== {name}");
        runtime.block_on(async {
            match *name {
                "cost" => cost::measure(form).await,
                "lateness" => lateness::measure(form).await,
                "process" => process::measure(form).await,
                "script" => script::measure(form).await,
                "simulate" => simulate::measure(form),
                "state" => state::measure(form).await,
                "router" => router::measure(form),
                _ => decisions::measure(form).await,
            }
        });
    }
    ExitCode::SUCCESS
}
