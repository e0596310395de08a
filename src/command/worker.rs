//! Owns finding the worker that a command talks to, and who it is that talks.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::fail;
use crate::cli::WorkerArgs;
use crate::control::{Answer, Ask, NoAnswer, ask};
use crate::state::{self, FolderState, Lock, NotLocked, State};

/// The state folder of the worker that `args` name.
///
/// # Errors
/// There is none, or several.
pub fn folder(args: &WorkerArgs) -> Result<PathBuf, String> {
    state::find(&args.state.clone().unwrap_or_default(), args.script.as_deref())
}

/// Who types: "ann@ops-1".
pub fn operator() -> String {
    let variable = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let user = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(variable);
    let user = user.unwrap_or_else(|| format!("user {}", rustix::process::getuid().as_raw()));
    format!("{user}@{}", rustix::system::uname().nodename().to_string_lossy())
}

/// Prints what a worker said.
pub fn print(answer: Answer) -> ExitCode {
    match answer {
        Answer::Done(lines) => {
            let text = lines.join("\n") + "\n";
            super::written(std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes()))
        }
        Answer::Refused(why) => fail(why),
        Answer::Status(_) => fail("the worker answered something else than was asked"),
    }
}

/// Asks the worker that `args` name, and prints what it says.
pub async fn ask_and_print(args: &WorkerArgs, question: &Ask) -> ExitCode {
    let folder = match folder(args) {
        Ok(folder) => folder,
        Err(why) => return fail(why),
    };
    match ask(&folder, question).await {
        Ok(answer) => print(answer),
        Err(NoAnswer::NoWorker) => {
            fail(format!("no worker runs whose state is in `{}`: start it first", folder.display()))
        }
        Err(error) => fail(error),
    }
}

/// The state in `folder`, to be written to, where no worker has it.
///
/// # Errors
/// A live worker has it, which cannot be asked.
pub fn unheld(folder: &Path) -> Result<Arc<dyn State>, String> {
    match Lock::take(folder) {
        // What is not in the store is kept without it.
        Ok(lock) => Ok(Arc::new(FolderState::degraded(folder, Some(lock)))),
        Err(NotLocked::Held(who)) => Err(format!(
            "the worker that has the state in `{}` ({who}) does not listen; its log says why",
            folder.display()
        )),
        Err(NotLocked::Failed(error)) => Err(format!("the state in `{}` cannot be locked: {error}", folder.display())),
    }
}

/// The state in `folder`, to be read.
///
/// # Errors
/// It cannot be read.
pub fn read(folder: &Path) -> Result<Arc<dyn State>, String> {
    FolderState::read(folder).map(|state| Arc::new(state) as Arc<dyn State>).map_err(|error| error.to_string())
}
