//! `autoscaler init [FILE]`: write a small script to begin with. It asks nothing, reaches nothing, and
//! writes over nothing unless told to.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use crate::cli::{InitArgs, Template};

impl Template {
    /// The script.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Heroku => include_str!("init/heroku.rhai"),
            Self::Celery => include_str!("init/celery.rhai"),
            Self::Prometheus => include_str!("init/prometheus.rhai"),
            Self::Custom => include_str!("init/custom.rhai"),
        }
    }

    /// What its user has to put in the script and its environment.
    fn to_do(self) -> &'static str {
        match self {
            Self::Heroku => "write your app's name in it; set HEROKU_API_KEY (`heroku authorizations:create`)",
            Self::Celery => "write your app's name in it; set HEROKU_API_KEY and REDIS_URL",
            Self::Prometheus => "write your query and your app's name in it; set HEROKU_API_KEY and PROMETHEUS_URL",
            Self::Custom => "write your own functions in it",
        }
    }
}

/// Runs the command.
#[must_use]
pub fn run(args: &InitArgs) -> ExitCode {
    let file = args.file.display();
    if let Err(error) = write(&args.file, args.template.text(), args.force) {
        return match error.kind() {
            ErrorKind::AlreadyExists => {
                super::fail(format!("`{file}` is there already: name another file, or write over it with `--force`"))
            }
            _ => super::fail(format!("`{file}` cannot be written: {error}")),
        };
    }
    let to_do = args.template.to_do();
    let said = writeln!(
        anstream::stdout(),
        "wrote {file}\n\nnext\n  1. {to_do}\n  \
         2. autoscaler check {file}   every setting with its default filled in\n  \
         3. autoscaler test {file}    the tests in it\n  \
         4. autoscaler once {file}    one measurement and what would be done, without doing it\n  \
         5. autoscaler {file}         run: a dry run, until `mode` is taken out of it"
    );
    if said.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(super::FAILED) }
}

fn write(file: &Path, text: &str, force: bool) -> std::io::Result<()> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    let options = if force { options.create(true).truncate(true) } else { options.create_new(true) };
    options.write(true).open(file)?.write_all(text.as_bytes())
}
