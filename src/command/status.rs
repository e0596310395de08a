//! `autoscaler status`: how a worker and its pipelines stand, for people and as JSON.

use std::process::ExitCode;
use std::sync::Arc;

use chrono::Utc;

use super::{fail, worker, written};
use crate::cli::{StatusArgs, WorkerArgs};
use crate::control::{Answer, Ask, NoAnswer, Place, Status, StoreStatus, pipelines};
use crate::settings::did_you_mean;

mod draw;

/// Runs the command.
pub async fn run(args: &StatusArgs) -> ExitCode {
    let place = match worker::place(&args.worker).await {
        Ok(place) => place,
        Err(why) => return fail(why),
    };
    let status = match place.ask(&Ask::Status).await {
        Ok(Answer::Status(status)) => *status,
        Ok(answer) => return worker::print(answer),
        Err(NoAnswer::NoWorker) => match of_state(&args.worker, &place).await {
            Ok(status) => status,
            Err(why) => return fail(format!("no worker runs, and {why}")),
        },
        Err(error) => return fail(error),
    };
    let status = match only(status, args.name.as_deref()) {
        Ok(status) => status,
        Err(why) => return fail(why),
    };
    let text = if args.json {
        format!("{}\n", serde_json::to_string_pretty(&status).expect("a status has text keys and finite numbers"))
    } else {
        draw::status(&status, super::local_zone())
    };
    let code = written(std::io::Write::write_all(&mut anstream::stdout().lock(), text.as_bytes()));
    if status.worker.is_none() { ExitCode::from(super::FAILED) } else { code }
}

/// What the state knows where no worker runs.
async fn of_state(args: &WorkerArgs, place: &Place) -> Result<Status, String> {
    let state = worker::read(args).await?;
    let now = Utc::now();
    let levers = state.levers().await.map_err(|error| error.to_string())?;
    let mut pipelines = pipelines(&state, None, &levers, now).await.map_err(|error| error.to_string())?;
    let found = super::records::of_state(Arc::clone(&state)).await;
    for pipeline in &mut pipelines {
        pipeline.zone = found.scripts.spec(&pipeline.name).map(|spec| spec.decide.zone.name().to_owned());
    }
    let folder = match place {
        Place::Folder(folder) => folder.display().to_string(),
        Place::Redis(mailbox) => mailbox.to_string(),
    };
    let store = StoreStatus { folder: Some(folder), healthy: true, error: None };
    Ok(Status { v: 1, at: now, worker: None, units: Vec::new(), store, pipelines })
}

/// `status` of one pipeline alone, where one is asked for.
fn only(mut status: Status, name: Option<&str>) -> Result<Status, String> {
    let Some(name) = name else { return Ok(status) };
    let names: Vec<String> = status.pipelines.iter().map(|pipeline| pipeline.name.clone()).collect();
    status.pipelines.retain(|pipeline| pipeline.name == name);
    if status.pipelines.is_empty() {
        let names = || names.iter().map(String::as_str);
        let help = did_you_mean(name, names()).unwrap_or_else(|| match names().collect::<Vec<_>>() {
            names if names.is_empty() => "there are none".into(),
            names => format!("there are {}", names.join(", ")),
        });
        return Err(format!("there is no pipeline `{name}`; {help}"));
    }
    Ok(status)
}
