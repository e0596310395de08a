//! Owns finding the worker that a command talks to, and who it is that talks.

use std::path::PathBuf;
use std::process::ExitCode;

use super::fail;
use crate::cli::WorkerArgs;
use crate::control::{Answer, Ask, NoAnswer, ask};

/// The state folder of the worker that `args` name.
///
/// # Errors
/// There is none, or several.
pub fn folder(args: &WorkerArgs) -> Result<PathBuf, String> {
    let help = || "name the worker's state folder: `--state DIR`".to_owned();
    args.state.clone().ok_or_else(help)
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
        Answer::Done(lines) => super::written(std::io::Write::write_all(
            &mut std::io::stdout(),
            lines.iter().map(|line| format!("{line}\n")).collect::<String>().as_bytes(),
        )),
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

/// STORE-STUB
pub fn unheld(_folder: &std::path::Path) -> Result<std::sync::Arc<dyn crate::state::State>, String> {
    Err("no store".into())
}

/// STORE-STUB
pub fn read(_folder: &std::path::Path) -> Result<std::sync::Arc<dyn crate::state::State>, String> {
    Err("no store".into())
}
