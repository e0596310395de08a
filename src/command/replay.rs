//! `autoscaler replay SCRIPT [LOG]`: what a new script would have decided on what a running one has recorded.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::records::{self, Found};
use crate::cli::ReplayArgs;
use crate::explain::time;
use crate::pipeline::PipelineSpec;
use crate::replay::{Replay, Replayer, show};
use crate::settings::did_you_mean;
use crate::state::Query;

/// So many ticks before are run too, for what a scripted decision remembers.
const WARMING: usize = 240;

/// Records are read in stretches of this length: a long state does not fit into memory.
const STRETCH: TimeDelta = TimeDelta::hours(6);

/// Runs the command.
pub async fn run(args: ReplayArgs) -> ExitCode {
    let found = match records::open_for(&args.new, &args.records, args.log.as_deref()).await {
        Ok(found) => found,
        Err(error) => return super::fail(error),
    };
    let mut replays = Vec::new();
    match chosen(&args, &found).await {
        Ok(chosen) => {
            for (recorded, spec) in chosen {
                match replay(&args, &found, &recorded, &spec).await {
                    Ok(replay) => replays.push((replay, spec)),
                    Err(error) => return super::fail(error),
                }
            }
        }
        Err(error) => return super::fail(error),
    }
    let mut out = anstream::stdout();
    let written = if args.json {
        let replays: Vec<&Replay> = replays.iter().map(|(replay, _)| replay).collect();
        serde_json::to_string(&replays).map_err(std::io::Error::from).and_then(|text| writeln!(out, "{text}"))
    } else {
        let one = |(index, (replay, spec)): (usize, &(Replay, Arc<PipelineSpec>))| {
            if index > 0 {
                writeln!(out)?;
            }
            show(&mut out, replay, spec.decide.zone, spec.unit())
        };
        replays.iter().enumerate().try_for_each(one)
    };
    super::written(written)
}

/// A pipeline under the name that its records have.
type Chosen = (Arc<str>, Arc<PipelineSpec>);

/// The pipelines of the new script that are recorded.
async fn chosen(args: &ReplayArgs, found: &Found) -> Result<Vec<Chosen>, String> {
    let specs: Vec<&Arc<PipelineSpec>> =
        found.scripts.units.iter().flat_map(|(_, generation)| &generation.specs).collect();
    let own = |name: &str| name.rsplit_once('/').map_or(name, |(_, own)| own).to_owned();
    let recorded = found.names_recorded().await?;
    if recorded.is_empty() {
        return Err(found.nothing());
    }
    let list = |names: Vec<&str>| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let all = || list(recorded.iter().map(|name| &**name).collect());
    let mut chosen = Vec::new();
    for name in &recorded {
        // A file may become a folder of files, and the other way round: then the name gains or loses its file.
        let spec = specs.iter().find(|spec| spec.name == *name).or_else(|| {
            let mut alike = specs.iter().filter(|spec| own(&spec.name) == own(name));
            alike.next().filter(|_| alike.next().is_none())
        });
        let asked = args.pipeline.as_ref().is_none_or(|asked| **asked == **name || *asked == own(name));
        if let Some(spec) = spec.filter(|_| asked) {
            chosen.push((Arc::clone(name), Arc::clone(spec)));
        }
    }
    if !chosen.is_empty() {
        return Ok(chosen);
    }
    let declared = list(specs.iter().map(|spec| &*spec.name).collect());
    Err(match &args.pipeline {
        Some(asked) => {
            let help = did_you_mean(asked, recorded.iter().map(|name| &**name));
            let help = help.map_or_else(String::new, |help| format!("; {help}"));
            format!("no pipeline `{asked}` is both recorded ({}) and in the new script ({declared}){help}", all())
        }
        None => format!("the new script has {declared}, and there are records of {}: none is in both", all()),
    })
}

async fn replay(args: &ReplayArgs, found: &Found, recorded: &Arc<str>, spec: &PipelineSpec) -> Result<Replay, String> {
    let zone = spec.decide.zone;
    let since = time::moment(&args.since, zone, found.now)?;
    let until = match &args.until {
        Some(until) => time::moment(until, zone, found.now)?,
        None => found.now + TimeDelta::milliseconds(1),
    };
    if until <= since {
        return Err(format!("`--until` lies before `--since`: {}", time::dated(since, zone)));
    }
    let spec = PipelineSpec { name: Arc::clone(recorded), ..spec.clone() };
    let query = |since: Option<DateTime<Utc>>, until, newest| Query {
        pipeline: Some(Arc::clone(recorded)),
        since,
        until: Some(until),
        newest,
    };
    let mut replayer: Option<Replayer> = None;
    let mut from = since;
    while from < until {
        let to = (from + STRETCH).min(until);
        for record in found.records(&query(Some(from), to, None)).await? {
            let replayer = if let Some(replayer) = &mut replayer {
                replayer
            } else {
                let earlier = found.records(&query(None, record.at, Some(WARMING))).await?;
                replayer.insert(Replayer::open(&spec, &earlier, &record).await?)
            };
            replayer.tick(&record).await;
        }
        from = to;
    }
    let Some(replayer) = replayer else {
        let since = time::dated(since, zone);
        return Err(format!("nothing is recorded of `{recorded}` from {since} on till then"));
    };
    Ok(replayer.end())
}
