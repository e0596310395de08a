//! `autoscaler reference` and `autoscaler definitions`: what a script can call, read and set.

use std::process::ExitCode;

use super::fail;
use crate::cli::{DefinitionsArgs, ReferenceArgs};
use crate::reference;

/// Prints the page, or what it says of a name.
#[must_use]
pub fn run(args: &ReferenceArgs) -> ExitCode {
    let Some(name) = &args.name else {
        anstream::print!("{}", reference::markdown());
        return ExitCode::SUCCESS;
    };
    let found = match reference::find(name) {
        Ok(found) => found,
        Err(help) => {
            let help = help.map_or_else(String::new, |help| format!(" ({help})"));
            return fail(format!("nothing is called `{name}`{help}"));
        }
    };
    let (bold, dim) = (anstyle::Style::new().bold(), anstyle::Style::new().dimmed());
    for (index, found) in found.iter().enumerate() {
        if index > 0 {
            anstream::println!();
        }
        anstream::println!("{bold}{}{bold:#}", found.signature);
        for line in found.text.lines() {
            anstream::println!("    {line}");
        }
        if let Some(example) = found.example {
            anstream::println!();
            for line in example.lines() {
                anstream::println!("    {dim}{line}{dim:#}");
            }
        }
    }
    ExitCode::SUCCESS
}

/// Writes the definition files.
#[must_use]
pub fn define(args: &DefinitionsArgs) -> ExitCode {
    let folder = &args.folder;
    if let Err(error) = std::fs::create_dir_all(folder) {
        return fail(format!("the folder `{}` cannot be made: {error}", folder.display()));
    }
    let files = reference::definitions();
    for (name, text) in &files {
        let path = folder.join(name);
        if let Err(error) = std::fs::write(&path, text) {
            return fail(format!("`{}` cannot be written: {error}", path.display()));
        }
    }
    anstream::eprintln!("wrote {} files to {}", files.len(), folder.display());
    ExitCode::SUCCESS
}
