//! `autoscaler rollback`, `autoscaler try`: which version of its script a running worker runs.

use std::path::Path;
use std::process::ExitCode;

use super::{fail, worker};
use crate::cli::{RollbackArgs, TryArgs};
use crate::control::{Ask, Script};

/// A larger script is none.
const MOST_BYTES: u64 = 1024 * 1024;

/// Runs `rollback`.
pub async fn rollback(args: RollbackArgs) -> ExitCode {
    let ask = Ask::Rollback { unit: args.unit.unit, by: worker::operator() };
    worker::ask_and_print(&args.worker, &ask).await
}

/// Runs `try`.
pub async fn try_script(args: TryArgs) -> ExitCode {
    let (unit, by) = (args.unit.unit, worker::operator());
    let ask = match args.file {
        Some(file) => match read(&file) {
            // A worker counts in whole seconds: less than one is nothing to try.
            Ok(text) => Ask::Try(Script {
                unit,
                text,
                name: file.display().to_string(),
                seconds: args.duration.as_secs().max(1),
                by,
            }),
            Err(why) => return fail(why),
        },
        None if args.confirm => Ask::Confirm { unit, by },
        None => Ask::Revert { unit, by },
    };
    worker::ask_and_print(&args.worker, &ask).await
}

fn read(file: &Path) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("`{}` cannot be read: {error}", file.display());
    if std::fs::metadata(file).map_err(unreadable)?.len() > MOST_BYTES {
        return Err(format!("`{}` is larger than 1 MiB", file.display()));
    }
    std::fs::read_to_string(file).map_err(unreadable)
}
