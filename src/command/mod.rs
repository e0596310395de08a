//! Owns the commands, one file each: wiring only. What they do lives in the rooms of the crate.

pub mod completions;
pub mod draw;

use std::process::ExitCode;

/// The script or the run failed.
pub const FAILED: u8 = 1;

/// Prints `message` as an error on standard error and gives the exit code for it.
pub fn fail(message: impl std::fmt::Display) -> ExitCode {
    let style = anstyle::Style::new().bold().fg_color(Some(anstyle::AnsiColor::Red.into()));
    anstream::eprintln!("{style}error{style:#}: {}", crate::secret::scrub(&message.to_string()));
    ExitCode::from(FAILED)
}
