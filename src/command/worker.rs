//! Owns finding the worker that a command talks to, and who it is that talks.

use std::process::ExitCode;
use std::sync::Arc;

use super::fail;
use crate::cli::WorkerArgs;
use crate::control::{Answer, Ask, NoAnswer, Place};
use crate::state::{self, FolderState, Lock, State};

/// Where the worker that `args` name is found.
///
/// # Errors
/// There is none, or several.
pub async fn place(args: &WorkerArgs) -> Result<Place, String> {
    let (state, script) = (args.state.clone().unwrap_or_default(), args.script.as_deref());
    match state::mailbox(&state, script).await? {
        Some(mailbox) => Ok(Place::Redis(Box::new(mailbox))),
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
        Answer::Status(_) | Answer::Health(_) => fail("the worker answered something else than was asked"),
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
        Err(NoAnswer::NoWorker) => {
            fail(holder(&place).unwrap_or_else(|| format!("no worker runs whose state is in {place}: start it first")))
        }
        Err(error) => fail(error),
    }
}

/// The state of the worker that `args` name, whose levers can be kept.
///
/// # Errors
/// It cannot be read.
pub async fn levers(args: &WorkerArgs, place: &Place) -> Result<Arc<dyn State>, String> {
    match place {
        // What is wrong with the store is no matter of theirs.
        Place::Folder(folder) => Ok(Arc::new(FolderState::only_levers(folder))),
        Place::Redis(_) => read(args).await,
    }
}

/// Who has the state at `place`, as it says itself, though nobody was reached there.
pub fn holder(place: &Place) -> Option<String> {
    let Place::Folder(folder) = place else { return None };
    let who = Lock::holder(folder)?;
    let who = if who.is_empty() { "a worker".into() } else { format!("the worker ({who})") };
    Some(format!("{who} that has the state in {place} is not reached by commands; its log says why"))
}

/// The state of the worker that `args` name, to be read.
///
/// # Errors
/// It cannot be read.
pub async fn read(args: &WorkerArgs) -> Result<Arc<dyn State>, String> {
    let found = state::look(&args.state.clone().unwrap_or_default(), args.script.as_deref()).await?;
    Ok(found.state)
}
