//! Owns the arguments of `import`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::ReachArgs;
use super::values::switch;

/// What `import` does, for its help: the command's own line is the first of it.
pub(super) const ABOUT: &str = "Turn the settings of heroku-web-autoscale or autoscalebot into a script.\n\n\
        Reads a Python module with AUTOSCALE_SETTINGS, or with the flat HEROKU_APP_NAME, HEROKU_API_KEY … (in Django \
        with AUTOSCALE_ before each), the YAML of version 3, or the dictionary as JSON. Nothing of it is executed: \
        values are literals, constants set above, or environment variables. The script goes to standard output, \
        what is to be said of the file to standard error, with its line.\n\n\
        A key that is written in clear is not copied: the script reads it from the environment. A backend class of \
        your own becomes a function that is still to be written. The script is a dry run until you say otherwise.";

/// `import`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = "Examples:\n  \
        autoscaler import settings.py                               show the script\n  \
        autoscaler import settings.py -o scripts/autoscale.rhai     write it\n  \
        autoscaler import --mend settings.py                        with slips of the pen mended\n  \
        autoscaler import - --format json --live | autoscaler run -   from another program\n\n\
        Exit codes: 0 the script is written, 1 it is not, 2 wrong usage.")]
pub struct ImportArgs {
    /// The settings; `-` is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// What they are written in [default: told by the end of the file's name, else python]
    #[arg(long, value_name = "FORMAT", env = "AUTOSCALER_IMPORT_FORMAT")]
    pub format: Option<ImportForm>,
    /// Write the script to this file
    #[arg(short, long, value_name = "FILE", env = "AUTOSCALER_IMPORT_OUTPUT")]
    pub output: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long, env = "AUTOSCALER_FORCE", value_parser = switch)]
    pub force: bool,
    /// Mend a `=` for a `:`, a missing comma and the like, as far as the mend is sure, and say so
    #[arg(long, env = "AUTOSCALER_MEND", value_parser = switch)]
    pub mend: bool,
    /// Scale from the start, in place of a dry run
    #[arg(long, env = "AUTOSCALER_LIVE", value_parser = switch)]
    pub live: bool,
    /// Mail as Django does (`notify::django_email`): for a script that `manage.py autoscaler` runs
    #[arg(long, env = "AUTOSCALER_DJANGO", value_parser = switch)]
    pub django: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub reach: ReachArgs,
}

/// What settings may be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ImportForm {
    /// A module with AUTOSCALE_SETTINGS, or with the flat names
    Python,
    /// Version 3 of autoscalebot
    Yaml,
    /// The dictionary, or an object of the module's names
    Json,
}
