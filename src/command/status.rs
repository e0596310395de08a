//! `autoscaler status`: how a worker and its pipelines stand, for people and as JSON.

use std::process::ExitCode;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{fail, worker, written};
use crate::cli::{StatusArgs, WorkerArgs};
use crate::control::{
    Answer, Ask, NoAnswer, PipelineStatus, Place, Status, StoreStatus, by_levers, levers_of_all, pipelines,
};
use crate::levers::Levers;
use crate::settings::did_you_mean;
use crate::state::State;

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
        Err(error) => {
            let unreached = match error {
                NoAnswer::NoWorker => worker::holder(&place),
                error => Some(error.to_string()),
            };
            match of_state(&args.worker, &place, unreached.clone()).await {
                Ok(status) => status,
                Err(why) => return fail(format!("{}, and {why}", unreached.as_deref().unwrap_or("no worker runs"))),
            }
        }
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

/// What the state knows where no worker answers.
async fn of_state(args: &WorkerArgs, place: &Place, unreached: Option<String>) -> Result<Status, String> {
    let kept = worker::levers(args, place).await?.levers().await;
    let levers = kept.map_err(|error| error.to_string())?;
    let now = Utc::now();
    let known = match worker::read(args).await {
        Ok(state) => known(&state, &levers, now).await,
        Err(why) => Err(why),
    };
    let folder = match place {
        Place::Folder(folder) => folder.display().to_string(),
        Place::Redis(mailbox) => mailbox.to_string(),
    };
    // Nothing to tell at all.
    if let Err(why) = &known
        && levers == Levers::default()
        && unreached.is_none()
    {
        return Err(why.clone());
    }
    let store = StoreStatus { folder: Some(folder), healthy: known.is_ok(), error: known.as_ref().err().cloned() };
    Ok(Status {
        v: 1,
        at: now,
        worker: None,
        unreached,
        units: Vec::new(),
        store,
        levers: levers_of_all(&levers, now),
        pipelines: known.unwrap_or_else(|_| by_levers(&levers, now)),
    })
}

/// What `state` knows of its pipelines, each with the zone that its script gives it.
async fn known(state: &Arc<dyn State>, levers: &Levers, now: DateTime<Utc>) -> Result<Vec<PipelineStatus>, String> {
    let mut known = pipelines(state, None, levers, now).await.map_err(|error| error.to_string())?;
    let found = super::records::of_state(Arc::clone(state)).await;
    for pipeline in &mut known {
        pipeline.zone = found.scripts.spec(&pipeline.name).map(|spec| spec.decide.zone.name().to_owned());
    }
    Ok(known)
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
