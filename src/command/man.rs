//! `autoscaler man [FOLDER]`.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::{Command, CommandFactory};

use crate::cli::{Cli, ManArgs};

/// Prints the manual page, or writes one for each command into a folder.
#[must_use]
pub fn run(args: &ManArgs) -> ExitCode {
    let mut command = Cli::command();
    command.build();
    let Some(folder) = &args.folder else {
        return match page(command) {
            Ok(page) => super::written(std::io::stdout().write_all(&page)),
            Err(error) => super::fail(error),
        };
    };
    match write(folder, &command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => super::fail(format!("`{}`: {error}", folder.display())),
    }
}

fn write(folder: &Path, command: &Command) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for shown in command.get_subcommands().filter(|shown| !shown.is_hide_set() && shown.get_name() != "help") {
        // Its built name is the one that `man autoscaler-run` finds.
        std::fs::write(folder.join(format!("autoscaler-{}.1", shown.get_name())), page(shown.clone())?)?;
    }
    std::fs::write(folder.join("autoscaler.1"), page(command.clone())?)
}

fn page(command: Command) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command).render(&mut text)?;
    Ok(text)
}
