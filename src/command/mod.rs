//! Owns the commands, one file each: wiring only. What they do lives in the rooms of the crate.

pub mod check;
pub mod compare;
pub mod completions;
pub mod demo;
pub mod doctor;
pub mod draw;
pub mod explain;
pub mod export;
mod from_state;
mod gate;
mod generation;
pub mod github;
mod heartbeat;
pub mod history;
pub mod import;
pub mod init;
mod junit;
mod lever;
pub mod man;
pub mod once;
pub mod pin;
mod properties;
pub mod push;
mod records;
pub mod reference;
pub mod replay;
pub mod run;
pub mod sarif;
pub mod simulate;
mod simulated;
mod status;
pub mod test;
mod verdicts;
mod worker;

use std::process::ExitCode;
use std::sync::Arc;

use crate::cli::{Cli, Command, LogArgs, ReachArgs};
use crate::host::Host;
use crate::pipeline::PipelineSpec;
use crate::reach::Bounds;
use crate::script::Environment;
use crate::worker::{Actor, Loading, Options, Supervisor};

/// The exit code of a script or a run that failed.
pub const FAILED: u8 = 1;

/// Does what the command line says.
pub async fn dispatch(cli: Cli) -> ExitCode {
    match cli.command {
        Command::Run(args) => run::run(args).await,
        Command::Check(args) => check::run(&args),
        Command::Once(args) => once::run(args).await,
        Command::Doctor(args) => doctor::run(args).await,
        Command::Records(args) => export::run(args).await,
        Command::Reference(args) => reference::run(&args),
        Command::Definitions(args) => reference::define(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
        Command::Explain(args) => explain::run(args).await,
        Command::History(args) => history::run(args).await,
        Command::Pin(args) => pin::run(args).await,
        Command::Push(args) => push::run(args).await,
        Command::Test(args) => test::run(args).await,
        Command::Simulate(args) => simulate::run(*args).await,
        Command::Compare(args) => compare::run(args).await,
        Command::Replay(args) => replay::run(args).await,
        Command::Gate(args) => gate::run(args).await,
        Command::Init(args) => init::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Demo(args) => demo::run(args).await,
        Command::Heartbeat(args) => heartbeat::run(args).await,
        Command::Status(args) => status::run(&args).await,
        Command::Pause(args) => lever::pause(args).await,
        Command::Resume(args) => lever::resume(args).await,
        Command::Set(args) => lever::set(args).await,
        Command::ScaleIn(args) => lever::scale_in(args).await,
        Command::ScaleOut(args) => lever::scale_out(args).await,
        Command::Rollback(args) => generation::rollback(args).await,
        Command::Try(args) => generation::try_script(args).await,
    }
}

/// The exit code of wrong usage.
pub const USAGE: u8 = 2;

/// Why a command ends without its answer.
enum Fault {
    /// What was typed is wrong.
    Usage(String),
    /// What it was about is.
    Failed(String),
}

impl From<String> for Fault {
    fn from(why: String) -> Self {
        Self::Failed(why)
    }
}

impl Fault {
    /// Says so, and gives the exit code.
    fn end(self) -> ExitCode {
        match self {
            Self::Usage(why) => {
                fail(why);
                ExitCode::from(USAGE)
            }
            Self::Failed(why) => fail(why),
        }
    }
}

/// The exit code of a command that has written its answer: a reader that has seen enough (`| head`) is no
/// fault.
fn written(result: std::io::Result<()>) -> ExitCode {
    match result {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            fail(format!("standard output takes no more: {error}"))
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Starts the log.
///
/// # Errors
/// The exit code, where `--log` cannot be read: that is said.
fn start_log(args: &LogArgs) -> Result<(), ExitCode> {
    crate::log::start(args).map_err(|error| {
        fail(error);
        ExitCode::from(USAGE)
    })
}

/// Prints `message` as an error on standard error and gives the exit code for it.
pub fn fail(message: impl std::fmt::Display) -> ExitCode {
    let style = anstyle::Style::new().bold().fg_color(Some(anstyle::AnsiColor::Red.into()));
    anstream::eprintln!("{style}error{style:#}: {}", crate::secret::scrub(&message.to_string()));
    ExitCode::from(FAILED)
}

/// Prints `message` on standard error, beside an answer that it belongs to.
pub fn warn(message: impl std::fmt::Display) {
    let style = anstyle::Style::new().bold().fg_color(Some(anstyle::AnsiColor::Yellow.into()));
    anstream::eprintln!("{style}warning{style:#}: {}", crate::secret::scrub(&message.to_string()));
}

/// The pipelines that `--only` selects.
///
/// # Errors
/// When there are none. A name that matches nothing beside others that do is a warning in the log.
fn selected(worker: &Supervisor) -> Result<Vec<Arc<PipelineSpec>>, String> {
    let specs = worker.specs();
    let of_unit = |unit: &'_ crate::worker::Unit| -> Vec<(Arc<str>, Option<String>)> {
        let all = unit.generation.specs.iter().map(|spec| &spec.name).chain(&unit.generation.left_out);
        all.map(|name| (Arc::clone(name), unit.source.unit.as_deref().map(str::to_owned))).collect()
    };
    let names: Vec<_> = worker.units().iter().flat_map(of_unit).collect();
    let names: Vec<_> = names.iter().map(|(name, unit)| (&**name, unit.as_deref())).collect();
    for pattern in worker.options().unmatched(&names) {
        let all: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        let said = format!("`--only {pattern}` matches no pipeline; the script has {}", all.join(", "));
        if specs.is_empty() {
            return Err(said);
        }
        tracing::warn!("{said}");
    }
    Ok(specs)
}

/// The variables of this process and of the one that started it, and what the command line bounds.
#[derive(Clone, Debug, Default)]
struct ProcessEnvironment {
    bounds: Bounds,
    host: Option<Arc<Host>>,
}

impl Environment for ProcessEnvironment {
    fn variable(&self, name: &str) -> Option<String> {
        let given = self.host.as_ref().and_then(|host| host.variable(name)).map(str::to_owned);
        // An empty variable is one that was forgotten.
        given.or_else(|| std::env::var(name).ok()).filter(|value| !value.is_empty())
    }

    fn bounds(&self) -> &Bounds {
        &self.bounds
    }
}

/// What loading scripts needs, for a command with `options`.
fn loading(options: Options, reach: &ReachArgs) -> Loading {
    Loading {
        options: Arc::new(options),
        environment: Arc::new(ProcessEnvironment { bounds: reach.bounds(), host: None }),
        actor: Actor::from_environment(),
        zone: local_zone(),
    }
}

/// The machine's own zone; UTC where it cannot be told.
fn local_zone() -> chrono_tz::Tz {
    let name = std::env::var("TZ").ok().filter(|name| !name.is_empty());
    let name = name.or_else(|| iana_time_zone::get_timezone().ok());
    name.and_then(|name| name.trim_start_matches(':').parse().ok()).unwrap_or(chrono_tz::UTC)
}
