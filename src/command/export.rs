//! `autoscaler records export`: the records of a worker, from its state folder, as JSON.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use chrono::{TimeDelta, Utc};

use super::records;
use crate::cli::{ExportArgs, RecordedArgs, RecordedCommand};
use crate::state::{Query, State, StateError};

/// So much time is read at once: a month of many pipelines does not fit into memory.
const WINDOW: TimeDelta = TimeDelta::hours(6);

/// Runs the command.
pub async fn run(args: RecordedArgs) -> ExitCode {
    let RecordedCommand::Export(mut args) = args.command;
    let state = match args.find.look().await {
        Ok(found) => found.state,
        Err(error) => return super::fail(error),
    };
    if let Some(given) = &args.pipeline {
        match records::of_state(Arc::clone(&state)).await.pipeline(Some(given)).await {
            Ok(name) => args.pipeline = Some(name.to_string()),
            Err(error) => return super::fail(error),
        }
    }
    match export(&args, &*state, &mut std::io::BufWriter::new(std::io::stdout())).await {
        Ok(written) => super::written(written),
        Err(error) => super::fail(format!("the records cannot be read: {error}")),
    }
}

async fn export(
    args: &ExportArgs,
    state: &dyn State,
    out: &mut (impl Write + Send),
) -> Result<std::io::Result<()>, StateError> {
    // What is recorded meanwhile is none of it.
    let now = Utc::now();
    let since = TimeDelta::from_std(args.since).ok().and_then(|since| now.checked_sub_signed(since));
    let mut from = since.unwrap_or_default();
    let mut first = true;
    while from < now {
        let until = (from + WINDOW).min(now);
        let pipeline = args.pipeline.as_deref().map(Into::into);
        let query = Query { pipeline, since: Some(from), until: Some(until), newest: None };
        for record in state.records(&query).await? {
            let before = match (args.jsonl, first) {
                (true, _) => "",
                (false, true) => "[\n",
                (false, false) => ",\n",
            };
            let after = if args.jsonl { "\n" } else { "" };
            let text = serde_json::to_string(&record).map_err(|error| StateError(error.to_string()))?;
            if let Err(error) = write!(out, "{before}{text}{after}") {
                return Ok(Err(error));
            }
            first = false;
        }
        from = until;
    }
    let end = match (args.jsonl, first) {
        (true, _) => "",
        (false, true) => "[]\n",
        (false, false) => "\n]\n",
    };
    Ok(write!(out, "{end}").and_then(|()| out.flush()))
}
