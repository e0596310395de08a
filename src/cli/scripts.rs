//! Owns the arguments of the commands about scripts and the program itself: they reach nothing.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values::switch;
use super::{ReachArgs, ScriptArg};
use crate::testing::properties::Property;

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
    /// Search the pipelines for what no policy should do (--only: these pipelines), and print each case as a test:
    /// a constant load without rest, more load that gives fewer dynos, a missing value that takes dynos away, the
    /// limit of operations in reach
    #[arg(long, env = "AUTOSCALER_PROPERTIES", value_parser = switch, conflicts_with = "watch")]
    pub properties: bool,
    /// The seed of the values that --properties draws
    #[arg(long, value_name = "N", env = "AUTOSCALER_SEED", default_value_t = 1)]
    pub seed: u64,
    /// Leave these out of --properties: constant-load, more-load, missing-value, operation-limit
    #[arg(long, value_name = "NAME,…", env = "AUTOSCALER_EXCEPT", value_delimiter = ',', value_parser = property)]
    pub except: Vec<Property>,
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

/// `man`.
#[derive(Clone, Debug, Args)]
pub struct ManArgs {
    /// Where a page for each command is written; without it the main page is printed
    #[arg(value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
}

fn property(name: &str) -> Result<Property, String> {
    let names = || Property::ALL.map(Property::name);
    Property::named(name).ok_or_else(|| format!("there are {}", names().join(", ")))
}
