//! Owns finding the worker that a command talks to, and who it is that talks.

use std::process::ExitCode;
use std::sync::Arc;

use super::fail;
use crate::cli::WorkerArgs;
use crate::control::{Answer, Ask, NoAnswer, Place};
use crate::state::{self, FolderState, Lock, NotLocked, State};

/// Where the worker that `args` name is found.
///
/// # Errors
/// There is none, or several.
pub async fn place(args: &WorkerArgs) -> Result<Place, String> {
    let (state, script) = (args.state.clone().unwrap_or_default(), args.script.as_deref());
    match state::mailbox(&state, script).await? {
        Some(mailbox) => Ok(Place::Redis(mailbox)),
        None => state::find(&state, script).map(Place::Folder),
    }
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
    let place = match place(args).await {
        Ok(place) => place,
        Err(why) => return fail(why),
    };
    match place.ask(question).await {
        Ok(answer) => print(answer),
        Err(NoAnswer::NoWorker) => fail(format!("no worker runs whose state is in {place}: start it first")),
        Err(error) => fail(error),
    }
}

/// The state of the worker that `args` name, whose levers can be kept, where no worker has it.
///
/// # Errors
/// A live worker has it, which cannot be asked.
pub async fn unheld(args: &WorkerArgs, place: &Place) -> Result<Arc<dyn State>, String> {
    let Place::Folder(folder) = place else { return read(args).await };
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

/// The state of the worker that `args` name, to be read.
///
/// # Errors
/// It cannot be read.
pub async fn read(args: &WorkerArgs) -> Result<Arc<dyn State>, String> {
    let found = state::look(&args.state.clone().unwrap_or_default(), args.script.as_deref()).await?;
    Ok(found.state)
}
