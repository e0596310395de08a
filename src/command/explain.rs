//! `autoscaler explain [PIPELINE] [LOG]`: why it scaled, or did not.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::Fault;
use super::records::{self, Found, MOST};
use crate::cli::ExplainArgs;
use crate::explain::{self, Explanation, Question, time};
use crate::state::Query;

/// So much around the tick is told in numbers.
const AROUND: TimeDelta = TimeDelta::hours(1);

/// A tick that is older than so many intervals, and five minutes, is not the one that was asked about.
const STALE: i32 = 3;

/// Runs the command.
pub async fn run(args: ExplainArgs) -> ExitCode {
    let found = match records::open(&args.records, args.log.as_deref()).await {
        Ok(found) => found,
        Err(error) => return super::fail(error),
    };
    let pipeline = match found.pipeline(args.pipeline.as_deref()).await {
        Ok(pipeline) => pipeline,
        Err(error) => return super::fail(error),
    };
    let zone = found.zone(&pipeline);
    let told = match tell(&args, &found, &pipeline).await {
        Ok(told) => told,
        Err(fault) => {
            if matches!(fault, Fault::Failed(_)) {
                only_scales(&found, &pipeline);
            }
            return fault.end();
        }
    };
    let mut out = anstream::stdout();
    let written = if args.json {
        serde_json::to_string_pretty(&told).map_err(std::io::Error::from).and_then(|text| writeln!(out, "{text}"))
    } else {
        explain::show(&mut out, &told, zone)
    };
    super::written(written)
}

async fn tell(args: &ExplainArgs, found: &Found, pipeline: &Arc<str>) -> Result<Explanation, Fault> {
    let zone = found.zone(pipeline);
    let at = args.at.as_deref().map(|at| time::moment_through(at, zone, found.now)).transpose();
    let at = at.map_err(Fault::Usage)?;
    let tick = found.tick(pipeline, at).await?;
    let spec = found.scripts.spec(pipeline);
    // What it remembered then lies before: as much as it keeps.
    let needed = spec.map_or(TimeDelta::zero(), |spec| {
        let interval = TimeDelta::from_std(spec.interval()).unwrap_or_default();
        interval * i32::try_from(spec.decide.history_length + 2).unwrap_or(i32::MAX)
    });
    let query = |since, until, newest| Query { pipeline: Some(Arc::clone(pipeline)), since, until, newest };
    let since = tick.at - needed.max(AROUND);
    let edge = tick.at + TimeDelta::nanoseconds(1);
    let mut around = found.records(&query(Some(since), Some(edge), Some(MOST))).await?;
    around.extend(found.records(&query(Some(edge), Some(tick.at + AROUND), Some(MOST))).await?);
    let first = around.first().map_or(tick.at, |record| record.at);
    let scaled = around.iter().any(|record| record.at <= tick.at && record.scaled().is_some());
    let last_scale = if scaled { None } else { found.last_scale(pipeline, first).await? };
    let question =
        Question { spec, zone, records: &around, at: Some(tick.at), why_not: args.why_not.map(Into::into), last_scale };
    let mut told = explain::explain(&question).await.ok_or_else(|| found.nothing())?;
    let gap = spec.map_or(TimeDelta::zero(), |spec| TimeDelta::from_std(spec.interval()).unwrap_or_default() * STALE);
    let ahead = |at: &DateTime<Utc>| *at > Utc::now() + TimeDelta::seconds(1);
    if let Some(at) = at.filter(ahead) {
        told.notes.insert(0, format!("{} is still to come: this is the newest tick", time::dated(at, zone)));
    } else if let Some(at) = at.filter(|at| *at - tick.at > gap.max(TimeDelta::minutes(5))) {
        let at = time::dated(at, zone);
        told.notes.insert(0, format!("there is no tick nearer to {at}: the worker did not run, or kept no record"));
    }
    Ok(told)
}

/// What a log without records has to tell.
fn only_scales(found: &Found, pipeline: &str) {
    let zone = found.zone(pipeline);
    if found.has_records(pipeline) {
        return;
    }
    let lines: Vec<_> = found.scale_lines().iter().filter(|line| line.pipeline == pipeline).cloned().collect();
    let mut out = anstream::stdout();
    for line in explain::of_scale_lines(&lines, zone) {
        // Whoever has seen enough may go.
        let _ = writeln!(out, "{line}");
    }
}
