//! Owns the command line: what can be typed, what it means and its help. It does nothing itself.

mod compare;
mod doctor;
mod export;
mod import;
mod operate;
mod records;
mod scripts;
mod shared;
mod simulate;
pub(crate) mod values;
mod work;

use std::ffi::OsString;

use clap::{CommandFactory, Parser, Subcommand};

pub use compare::CompareArgs;
pub use doctor::DoctorArgs;
pub use export::{ExportArgs, RecordedArgs, RecordedCommand};
pub use import::{ImportArgs, ImportForm};
pub use operate::{
    PauseArgs, ResumeArgs, RollbackArgs, SetArgs, StatusArgs, Switch, SwitchArgs, TryArgs, WhoseArgs, WhyArgs,
    WorkerArgs,
};
pub use records::{Direction, ExplainArgs, HistoryArgs, PinArgs, RecordsArgs, ReplayArgs};
pub use scripts::{
    CheckArgs, CheckFormat, CompletionsArgs, DefinitionsArgs, InitArgs, ManArgs, ReferenceArgs, Template, TestArgs,
    TestFormat,
};
pub use shared::{FindArgs, LogArgs, LogFormat, OnlyArg, ReachArgs, ScriptArg};
pub use simulate::{PresetArg, SimulateArgs};
pub use work::{DemoArgs, GateArgs, HeartbeatArgs, KeepArgs, OnceArgs, PushArgs, RunArgs};

/// The command line as parsed.
#[derive(Debug, Parser)]
#[command(
    name = "autoscaler",
    version,
    about = "Watches an app, decides how many dynos it needs, scales it, and tells people.",
    long_about = "Watches an app, decides how many dynos it needs, scales it, and tells people.\n\n\
        Its settings file is a Rhai script, which declares pipelines; each measures, decides, scales and notifies. \
        `autoscaler SCRIPT` is short for `autoscaler run SCRIPT`. Save the script and the running worker follows.",
    after_help = "New here? `autoscaler demo` scales an embedded app in front of you.",
    after_long_help = "First steps:\n  \
        autoscaler demo                           scale an embedded app in front of you\n  \
        autoscaler check scripts/autoscale.rhai   show a script with every default filled in\n  \
        autoscaler test scripts/autoscale.rhai    run the tests in it\n  \
        autoscaler once scripts/autoscale.rhai    one tick: measure and decide, without scaling\n  \
        autoscaler scripts/autoscale.rhai         run\n\n\
        Every flag can be given as an environment variable (shown in brackets by `autoscaler COMMAND --help`). \
        Secrets come from the environment only.\n\n\
        Exit codes: 0 fine, 1 the script or the run failed, 2 wrong usage.",
    propagate_version = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the worker until SIGINT or SIGTERM (the default: `autoscaler SCRIPT`)
    Run(RunArgs),
    /// Load a script and show every pipeline as resolved, reaching nothing
    Check(CheckArgs),
    /// One tick of every pipeline, its full record printed; scales only with --act
    Once(OnceArgs),
    /// Look for what will go wrong: keys, apps, sizes, URLs, queues, mail, clocks, state
    #[command(long_about = doctor::ABOUT)]
    Doctor(DoctorArgs),
    /// Tell why a pipeline scaled or did not, and what would have had to be different
    Explain(ExplainArgs),
    /// Show what a pipeline measured, decided and did
    History(HistoryArgs),
    /// Make a test of the script from what was recorded at some time
    Pin(PinArgs),
    /// Check, test, sign and publish a script for a worker that runs `state:`
    Push(PushArgs),
    /// Read what ticks have recorded
    Records(RecordedArgs),
    /// Run the tests that scripts hold, on a virtual clock, reaching nothing
    Test(TestArgs),
    /// What the very same script would do with a load: recorded or made up, in seconds
    Simulate(Box<SimulateArgs>),
    /// Simulate the policies that have names, with many settings, on many loads, and write tables about it
    Compare(CompareArgs),
    /// What a new script would have decided on what a running one has recorded
    Replay(ReplayArgs),
    /// Whether a script passes its own gate: what a worker asks in a process of its own
    #[command(hide = true)]
    Gate(GateArgs),
    /// Write a small script to begin with, with tests that pass
    Init(InitArgs),
    /// Turn the settings of heroku-web-autoscale or autoscalebot into a script
    #[command(long_about = import::ABOUT)]
    Import(ImportArgs),
    /// How a running worker and its pipelines stand
    Status(StatusArgs),
    /// Make a pipeline measure and hold, until it is resumed or for a time
    Pause(PauseArgs),
    /// Let go of a pause, and of a count that was set
    Resume(ResumeArgs),
    /// Hold a pipeline at so many dynos, until it is resumed or for a time
    Set(SetArgs),
    /// Switch scaling in off, or on again
    ScaleIn(SwitchArgs),
    /// Switch scaling out off, or on again
    ScaleOut(SwitchArgs),
    /// Go back to the script as it was before the last save
    Rollback(RollbackArgs),
    /// Run another script in place of the worker's for a time
    Try(TryArgs),
    /// Watch it scale an embedded app under a synthetic day of load
    Demo(DemoArgs),
    /// Serve the measurement URL for an app that is not Django: it touches database, Redis and disk
    Heartbeat(HeartbeatArgs),
    /// Print what a script can call, read and set: everything, or what is called NAME
    Reference(ReferenceArgs),
    /// Write definition files (.d.rhai) for editors
    Definitions(DefinitionsArgs),
    /// Print the completions of a shell
    Completions(CompletionsArgs),
    /// Print the manual page, or write one for each command
    Man(ManArgs),
}

/// Puts in the `run` that `autoscaler SCRIPT` leaves out, also where only the environment names the script. A
/// bare word that is neither a command nor there on disk stays: it is a command mistyped.
#[must_use]
pub fn with_default_command(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let runs = match arguments.get(1) {
        Some(first) => !is_command(first) && names_script(first),
        None => std::env::var_os("AUTOSCALER_SCRIPT").is_some_and(|script| !script.is_empty()),
    };
    if runs {
        arguments.insert(1, "run".into());
    }
    arguments
}

/// Whether `word` is a command, or a flag that stands in the place of one.
fn is_command(word: &OsString) -> bool {
    let flags = ["help", "-h", "--help", "-V", "--version"];
    flags.iter().any(|flag| word == flag) || Cli::command().get_subcommands().any(|command| word == command.get_name())
}

/// Whether `word` is a flag, looks like a path, or is one.
fn names_script(word: &OsString) -> bool {
    let text = word.to_string_lossy();
    text == crate::state::PUSHED
        || text.starts_with('-')
        || text.contains(['.', '/'])
        || std::path::Path::new(word).exists()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn parse(words: &[&str]) -> Cli {
        let words = std::iter::once("autoscaler").chain(words.iter().copied()).map(OsString::from);
        Cli::try_parse_from(with_default_command(words)).expect("valid words")
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_script_alone_is_run() {
        let Command::Run(run) = parse(&["--dry-run", "a.rhai", "--only", "web,celery*"]).command else {
            panic!("not run");
        };
        assert_eq!((run.script.script, run.dry_run), (PathBuf::from("a.rhai"), true));
        assert_eq!(run.only.only, ["web", "celery*"]);
    }

    #[test]
    fn a_slip_of_a_command_is_no_script() {
        let words = |first: &str| with_default_command(["autoscaler".into(), OsString::from(first)]);
        assert_eq!(words("chek"), ["autoscaler", "chek"]);
        assert_eq!(words("chek.rhai"), ["autoscaler", "run", "chek.rhai"]);
        assert_eq!(words("src"), ["autoscaler", "run", "src"]);
        let error = Cli::try_parse_from(words("chek")).expect_err("no such command").to_string();
        assert!(error.contains("'check'"), "{error}");
    }
}
