//! `autoscaler push SCRIPT`: check, test, sign and publish a script for the worker that `run state:` is.

use std::path::Path;
use std::process::ExitCode;

use chrono::Utc;
use tokio_util::sync::CancellationToken;

use super::{draw, fail, records, worker};
use crate::cli::PushArgs;
use crate::counted::counted;
use crate::script::{self, SourceFile};
use crate::settings::Report;
use crate::state::{self, Pushed, ScriptKey};
use crate::worker::Generation;

/// Runs the command.
pub async fn run(args: PushArgs) -> ExitCode {
    let arg = args.state.unwrap_or_default();
    let key = match arg.check().and_then(|()| ScriptKey::from_environment()) {
        Ok(key) => key,
        Err(why) => return fail(why),
    };
    let path = args.script.script;
    if path.is_dir() {
        return fail("one script is pushed, with what it imports: name a .rhai file");
    }
    let shown = path.display().to_string();
    let accepted = tokio::task::spawn_blocking(move || accepted(&path)).await;
    let (files, tests) = match accepted {
        Ok(Ok(accepted)) => accepted,
        Ok(Err((report, files))) => {
            draw::print(&report, &files);
            return fail(format!("`{shown}` is not pushed"));
        }
        Err(error) => return fail(format!("loading broke down: {error}; this is a bug of autoscaler")),
    };
    let (count, pushed) = (files.len(), Pushed::signed(Utc::now(), worker::operator(), files, &key));
    match state::push(&arg, &pushed).await {
        Ok(place) => {
            let files = counted(count, "file");
            let tests = format!("{} passed", counted(tests, "test"));
            let text =
                format!("pushed {shown} ({files}, {tests}) to {place}; a worker `run state:` takes it up at once\n");
            super::written(std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes()))
        }
        Err(why) => fail(format!("`{shown}` is not pushed: {why}")),
    }
}

/// The files of the script at `path` and the number of its tests, where it loads and they pass.
type Accepted = Result<(Vec<(String, String)>, usize), (Report, Vec<SourceFile>)>;

fn accepted(path: &Path) -> Accepted {
    let alone = |said| {
        let mut report = Report::default();
        report.push(said);
        (report, Vec::new())
    };
    let sources = script::sources(path).map_err(|said| alone(*said))?;
    let [source] = &sources[..] else { return Err((Report::default(), Vec::new())) };
    let generation =
        Generation::load(source, 1, &records::pretending(path)).map_err(|refused| (refused.report, refused.files))?;
    draw::print(&generation.report, &generation.files);
    let objections = generation.suite.objections(&CancellationToken::new());
    if objections.has_errors() {
        return Err((objections, generation.files));
    }
    Ok((generation.texts(source), generation.suite.tests.len()))
}
