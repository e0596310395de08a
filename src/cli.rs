//! Owns the command line: what can be typed, what it means and its help. It does nothing itself.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::reach::{Bounds, HostPattern};
use crate::simulate::{AppKind, Durations, Faults, Signal};

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
    /// Run the tests that scripts hold, on a virtual clock, reaching nothing
    Test(TestArgs),
    /// What the very same script would do with a load: recorded or made up, in seconds
    Simulate(Box<SimulateArgs>),
    /// Write a small script to begin with, with tests that pass
    Init(InitArgs),
    /// Watch it scale an embedded app under a synthetic day of load
    Demo(DemoArgs),
    /// Print what a script can call, read and set: everything, or what is called NAME
    Reference(ReferenceArgs),
    /// Write definition files (.d.rhai) for editors
    Definitions(DefinitionsArgs),
    /// Print the completions of a shell
    Completions(CompletionsArgs),
}

/// Where the script is.
#[derive(Clone, Debug, Args)]
pub struct ScriptArg {
    /// The script: a .rhai file, a folder of them (each a unit of its own), or - for standard input
    #[arg(value_name = "SCRIPT", env = "AUTOSCALER_SCRIPT")]
    pub script: PathBuf,
}

/// Which pipelines.
#[derive(Clone, Debug, Default, Args)]
pub struct OnlyArg {
    /// Only these pipelines: names or globs such as `web*`, separated by commas; in a folder with or
    /// without the name of the file
    #[arg(long, value_name = "NAME,…", env = "AUTOSCALER_ONLY", value_delimiter = ',')]
    pub only: Vec<String>,
}

/// What scripts may reach. Native backends are not bounded: what they reach is written in their settings.
#[derive(Clone, Debug, Default, Args)]
pub struct ReachArgs {
    /// Hosts that scripts may reach by `http` and `redis`, such as `hooks.slack.com`, `*.example.com`
    /// or `127.0.0.1:6379`; all where it is not given
    #[arg(long, value_name = "HOST,…", env = "AUTOSCALER_ALLOW_NET", value_delimiter = ',', value_parser = host)]
    pub allow_net: Option<Vec<HostPattern>>,
    /// Environment variables that scripts may read: names, or beginnings such as `APP_*`; all where it
    /// is not given
    #[arg(long, value_name = "NAME,…", env = "AUTOSCALER_ALLOW_ENV", value_delimiter = ',')]
    pub allow_env: Option<Vec<String>>,
    /// Let scripts run programs (`measure::command`, `scale::command`, `notify::command`)
    #[arg(long, env = "AUTOSCALER_ALLOW_RUN", value_parser = switch)]
    pub allow_run: bool,
}

impl ReachArgs {
    /// The same as bounds.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        Bounds {
            hosts: self.allow_net.as_ref().map(|hosts| hosts.as_slice().into()),
            variables: self.allow_env.as_ref().map(|names| names.iter().map(|name| name.trim().into()).collect()),
            programs: self.allow_run,
        }
    }
}

fn host(text: &str) -> Result<HostPattern, String> {
    HostPattern::parse(text).map_err(|why| format!("`{text}` {why}"))
}

/// How the log is written.
#[derive(Clone, Debug, Args)]
pub struct LogArgs {
    /// How the log is written, on standard error; under DYNO the default is logfmt without time or colour
    #[arg(long, value_name = "FORMAT", env = "AUTOSCALER_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,
    /// What the log tells: error, warn, info, debug, trace, off, or a filter such as `autoscaler=debug`
    #[arg(long, value_name = "LEVEL", env = "AUTOSCALER_LOG", default_value = "info")]
    pub log: String,
}

/// The forms of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Pretty,
    /// One JSON object a line
    Json,
    /// key=value
    Logfmt,
}

/// `run`.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub script: ScriptArg,
    /// Do everything but scale
    #[arg(long, env = "AUTOSCALER_DRY_RUN", value_parser = switch)]
    pub dry_run: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub only: OnlyArg,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub reach: ReachArgs,
    /// Where state is kept: `memory` ends with the process
    #[arg(long, value_name = "STORE", env = "AUTOSCALER_STATE", default_value = "memory")]
    pub state: StateArg,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub log: LogArgs,
}

/// Where state is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StateArg {
    /// In this process
    Memory,
}

/// `check`.
#[derive(Clone, Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub script: ScriptArg,
    /// Print JSON: pipelines, needs and diagnostics; short for --format json
    #[arg(long, env = "AUTOSCALER_JSON", value_parser = switch)]
    pub json: bool,
    /// Count a variable that the script asks for and that is not set as an error
    #[arg(long, env = "AUTOSCALER_REQUIRE_ENV", value_parser = switch)]
    pub require_env: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub reach: ReachArgs,
    /// How the findings are written
    #[arg(long, value_name = "FORMAT", env = "AUTOSCALER_FORMAT", default_value = "pretty")]
    pub format: CheckFormat,
}

impl CheckArgs {
    /// The form that was asked for.
    #[must_use]
    pub fn form(&self) -> CheckFormat {
        if self.json { CheckFormat::Json } else { self.format }
    }
}

/// How `check` writes what it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// For people: the source line with a caret, then every pipeline as resolved
    Pretty,
    /// One JSON object: pipelines, needs and diagnostics
    Json,
    /// Commands of a GitHub workflow: annotations on the lines of a pull request
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

/// `once`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Exit codes: 0 the tick was made (a measurement that fails holds, and is told); 1 the script has an \
    error, its decision fails, the dynos cannot be counted, or a scale fails; 2 wrong usage."
)]
pub struct OnceArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub script: ScriptArg,
    /// Print JSON: an array of decision records
    #[arg(long, env = "AUTOSCALER_JSON", value_parser = switch)]
    pub json: bool,
    /// Scale and notify for real
    #[arg(long, env = "AUTOSCALER_ACT", value_parser = switch)]
    pub act: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub only: OnlyArg,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub reach: ReachArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub log: LogArgs,
}

/// `test`.
#[derive(Clone, Debug, Args)]
pub struct TestArgs {
    /// Scripts, or folders of them [default: every .rhai file in scripts]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Only these tests: names or globs such as `test_web*`, separated by commas
    #[arg(long, value_name = "NAME,…", env = "AUTOSCALER_ONLY", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Print JSON (the same as --format json)
    #[arg(long, env = "AUTOSCALER_JSON", conflicts_with = "format", value_parser = switch)]
    pub json: bool,
    /// How results are printed
    #[arg(long, value_name = "FORMAT", env = "AUTOSCALER_TEST_FORMAT", default_value = "pretty")]
    pub format: TestFormat,
    /// Run again whenever a script is saved, until SIGINT
    #[arg(long, env = "AUTOSCALER_WATCH", value_parser = switch)]
    pub watch: bool,
}

/// The forms of test results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TestFormat {
    /// For people
    Pretty,
    /// One JSON object
    Json,
    /// JUnit's XML, for build servers
    Junit,
}

/// `simulate`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "What the scores are: docs/simulating.md. The app is described in the script, \
    `simulate: #{ rate_per_dyno: 10, service_ms: 100, boot_seconds: 60, signal: \"utilization\" }` of a pipeline, \
    or by the flags of those names; flags win.")]
pub struct SimulateArgs {
    /// Scripts whose policies are simulated
    #[arg(value_name = "SCRIPT")]
    pub scripts: Vec<PathBuf>,
    /// The load: a file `seconds,rate_per_s` with a fixed step, or synthetic:SHAPE,seed=1 where SHAPE is
    /// diurnal, spike, ramp, noise or flash-crowd; may be given several times
    #[arg(long, value_name = "FILE", env = "AUTOSCALER_TRACE", required = true)]
    pub trace: Vec<String>,
    /// Policies by name, without a script: threshold-consec, threshold-avg5m, hpa
    #[arg(long, value_name = "NAME,…", env = "AUTOSCALER_POLICY", value_delimiter = ',')]
    pub policy: Vec<String>,
    /// The pipeline of the script, where it has several
    #[arg(long, value_name = "NAME", env = "AUTOSCALER_PIPELINE")]
    pub pipeline: Option<String>,
    /// All settings in one word: bar scales the trace so that its 99.9th percentile is 25 dynos' worth and
    /// sets 10 requests/s and 100 ms a dyno, a boot of 60 s, 2 warm-up days and bounds of 1 to 100
    #[arg(long, value_name = "NAME", env = "AUTOSCALER_PRESET")]
    pub preset: Option<PresetArg>,
    /// Print JSON: an array of scores
    #[arg(long, env = "AUTOSCALER_JSON", value_parser = switch)]
    pub json: bool,
    /// The seed of everything that is drawn
    #[arg(long, value_name = "N", env = "AUTOSCALER_SEED", default_value_t = 1)]
    pub seed: u64,
    /// Use the first N days of the trace, smoothed and scaled as a whole before
    #[arg(long, value_name = "N", env = "AUTOSCALER_DAYS")]
    pub days: Option<f64>,
    /// Do not score the first N days [default: 0]
    #[arg(long, value_name = "N", env = "AUTOSCALER_WARMUP_DAYS")]
    pub warmup_days: Option<f64>,
    /// Replace each rate by the mean over so many seconds about it
    #[arg(long, value_name = "SECONDS", env = "AUTOSCALER_SMOOTH_SECONDS")]
    pub smooth_seconds: Option<f64>,
    /// Mend a trace with gaps, times out of order and unusable lines, and say what was mended
    #[arg(long, env = "AUTOSCALER_REPAIR", value_parser = switch)]
    pub repair: bool,
    /// What goes wrong, such as missing:1%,scale-fails:2%,slow-boot:5%
    #[arg(long, value_name = "FAULTS", env = "AUTOSCALER_FAULTS")]
    pub faults: Option<Faults>,
    /// Simulate single requests instead of a flow: slower, to check the flow against
    #[arg(long, env = "AUTOSCALER_EXACT", value_parser = switch)]
    pub exact: bool,
    /// web turns requests away behind 10 s of backlog, queue keeps every job [default: web]
    #[arg(long, value_name = "APP", env = "AUTOSCALER_APP", value_parser = app)]
    pub app: Option<AppKind>,
    /// How the work of single requests or jobs varies: constant, exponential, lognormal [default: exponential]
    #[arg(long, value_name = "LAW", env = "AUTOSCALER_DURATIONS", value_parser = durations)]
    pub durations: Option<Durations>,
    /// Requests that one dyno completes per second
    #[arg(long, value_name = "RATE", env = "AUTOSCALER_RATE_PER_DYNO")]
    pub rate_per_dyno: Option<f64>,
    /// Milliseconds of work of one request, on average [default: 1000 / rate per dyno]
    #[arg(long, value_name = "MS", env = "AUTOSCALER_SERVICE_MS")]
    pub service_ms: Option<f64>,
    /// Seconds until a new dyno takes load [default: 60]
    #[arg(long, value_name = "SECONDS", env = "AUTOSCALER_BOOT_SECONDS")]
    pub boot_seconds: Option<f64>,
    /// What the measurement is: arrival_rate, utilization, concurrency, queue, queue_age, queue_time_p95,
    /// response_time_p95 or response_time
    #[arg(long, value_name = "SIGNAL", env = "AUTOSCALER_SIGNAL", value_parser = signal)]
    pub signal: Option<Signal>,
    /// The objective: a request that waits longer is late [default: 0.4]
    #[arg(long, value_name = "SECONDS", env = "AUTOSCALER_SLO_WAIT_SECONDS")]
    pub slo_wait_seconds: Option<f64>,
    /// The objective: demand is the fewest dynos at which so many percent are late [default: 5]
    #[arg(long, value_name = "PERCENT", env = "AUTOSCALER_SLO_PERCENT")]
    pub slo_percent: Option<f64>,
    /// The price of a dyno for a month, to reckon money
    #[arg(long, value_name = "PRICE", env = "AUTOSCALER_DYNO_PRICE_PER_MONTH")]
    pub dyno_price_per_month: Option<f64>,
}

/// Settings in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PresetArg {
    /// Those in which the policies of the literature were compared
    Bar,
}

fn signal(text: &str) -> Result<Signal, String> {
    Signal::named(text).ok_or_else(|| format!("there are {}", Signal::NAMES.join(", ")))
}

fn app(text: &str) -> Result<AppKind, String> {
    AppKind::named(text).ok_or_else(|| "write web or queue".into())
}

fn durations(text: &str) -> Result<Durations, String> {
    Durations::named(text).ok_or_else(|| "write constant, exponential or lognormal".into())
}

/// `init`.
#[derive(Clone, Debug, Args)]
pub struct InitArgs {
    /// The file to write
    #[arg(value_name = "FILE", default_value = "scripts/autoscale.rhai")]
    pub file: PathBuf,
    /// What the script is for
    #[arg(long, value_name = "TEMPLATE", env = "AUTOSCALER_TEMPLATE", default_value = "heroku")]
    pub template: Template,
    /// Write over a file that is there
    #[arg(long, env = "AUTOSCALER_FORCE", value_parser = switch)]
    pub force: bool,
}

/// The scripts to begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Template {
    /// Web dynos by response time
    Heroku,
    /// Celery workers by the length of a queue in Redis
    Celery,
    /// A process type by a Prometheus query
    Prometheus,
    /// Functions of your own at every stage
    Custom,
}

/// `demo`.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// The script that scales the embedded app; written to a temporary file when not given and not
    /// found at scripts/demo.rhai
    #[arg(value_name = "SCRIPT", env = "AUTOSCALER_DEMO_SCRIPT")]
    pub script: Option<PathBuf>,
    /// End by itself after so long, such as 60s or 5m
    #[arg(long = "for", value_name = "DURATION", env = "AUTOSCALER_DEMO_FOR", value_parser = duration)]
    pub duration: Option<Duration>,
    /// Plain lines even on a terminal
    #[arg(long, env = "AUTOSCALER_DEMO_PLAIN", value_parser = switch)]
    pub plain: bool,
}

/// `reference`.
#[derive(Clone, Debug, Args)]
pub struct ReferenceArgs {
    /// A function, a member or a setting, such as `up`, `m.history` or `max_dynos`; without it the whole
    /// reference is printed as Markdown
    #[arg(value_name = "NAME", env = "AUTOSCALER_REFERENCE_NAME")]
    pub name: Option<String>,
}

/// `definitions`.
#[derive(Clone, Debug, Args)]
pub struct DefinitionsArgs {
    /// The folder; it is made where there is none
    #[arg(value_name = "DIR", env = "AUTOSCALER_DEFINITIONS_DIR")]
    pub folder: PathBuf,
}

/// `completions`.
#[derive(Clone, Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// Names that are commands; anything else in the first place is a script for `run`.
const COMMANDS: &[&str] = &[
    "run",
    "check",
    "once",
    "test",
    "simulate",
    "init",
    "demo",
    "reference",
    "definitions",
    "completions",
    "help",
    "-h",
    "--help",
    "-V",
    "--version",
];

/// Puts in the `run` that `autoscaler SCRIPT` leaves out, also where only the environment names the script. A
/// bare word that is neither a command nor there on disk stays: it is a command mistyped.
#[must_use]
pub fn with_default_command(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let runs = match arguments.get(1) {
        Some(first) => !COMMANDS.iter().any(|command| *first == **command) && names_script(first),
        None => std::env::var_os("AUTOSCALER_SCRIPT").is_some_and(|script| !script.is_empty()),
    };
    if runs {
        arguments.insert(1, "run".into());
    }
    arguments
}

/// Whether `word` is a flag, looks like a path, or is one.
fn names_script(word: &OsString) -> bool {
    let text = word.to_string_lossy();
    text.starts_with('-') || text.contains(['.', '/']) || std::path::Path::new(word).exists()
}

/// Reads what switches a flag on or off in the environment; an empty variable is one that was forgotten.
fn switch(text: &str) -> Result<bool, String> {
    match text.trim().to_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "" | "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("write true or false, 1 or 0".into()),
    }
}

/// The longest duration that can be given: a leap year.
const LONGEST_SECONDS: f64 = 366.0 * 86_400.0;

/// Reads "90", "60s", "5m", "2h", "1d".
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.find(|c: char| c.is_ascii_alphabetic()) {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let seconds = match unit {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return Err(format!("unknown unit `{unit}`: write 60s, 5m, 2h or 1d")),
    };
    let number: f64 = number.trim().parse().map_err(|_| format!("`{text}` is no duration: write 60s, 5m, 2h or 1d"))?;
    let seconds = number * seconds;
    if seconds > LONGEST_SECONDS {
        return Err(format!("`{text}` is too long: at most 366d"));
    }
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| format!("`{text}` must be above zero"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Cli {
        let words = std::iter::once("autoscaler").chain(words.iter().copied()).map(OsString::from);
        Cli::try_parse_from(with_default_command(words)).expect("valid words")
    }

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory;
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

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1.5m"), Ok(Duration::from_secs(90)));
        assert!(duration("5 parsecs").is_err_and(|error| error.contains("60s, 5m")));
        assert!(duration("0s").is_err_and(|error| error.contains("above zero")));
        assert!(duration("99999999999999999999h").is_err_and(|error| error.contains("too long: at most 366d")));
    }

    #[test]
    fn every_command_is_known_to_the_default() {
        use clap::CommandFactory;
        for command in Cli::command().get_subcommands() {
            assert!(COMMANDS.contains(&command.get_name()), "{} is missing in COMMANDS", command.get_name());
        }
    }
}
