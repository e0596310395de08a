//! `autoscaler history [PIPELINE] [LOG]`: what was measured, decided and done.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use super::Fault;
use super::records::{self, Found};
use crate::cli::HistoryArgs;
use crate::explain::{table, time};
use crate::pipeline::Record;
use crate::state::Query;

/// Runs the command.
pub async fn run(args: HistoryArgs) -> ExitCode {
    let found = match records::open(&args.records, args.log.as_deref()).await {
        Ok(found) => found,
        Err(error) => return super::fail(error),
    };
    let records = match find(&args, &found).await {
        Ok(records) => records,
        Err(fault) => return fault.end(),
    };
    let mut out = anstream::stdout();
    let written = if args.json {
        serde_json::to_string(&records).map_err(std::io::Error::from).and_then(|text| writeln!(out, "{text}"))
    } else if args.csv {
        table::csv(&mut out, &records)
    } else {
        tables(&mut out, &records, &found)
    };
    super::written(written)
}

async fn find(args: &HistoryArgs, found: &Found) -> Result<Vec<Arc<Record>>, Fault> {
    let pipeline = match &args.pipeline {
        Some(name) => Some(found.pipeline(Some(name)).await?),
        None => None,
    };
    let zone = found.zone(pipeline.as_deref().unwrap_or_default());
    let moment = |text: &str| time::moment(text, zone, found.now).map_err(Fault::Usage);
    let since = moment(&args.since)?;
    let until = args.until.as_deref().map(moment).transpose()?;
    if until.is_some_and(|until| until <= since) {
        let (since, until) = (&args.since, args.until.as_deref().unwrap_or_default());
        return Err(Fault::Usage(format!("`--until {until}` does not lie after `--since {since}`")));
    }
    let records = found.records(&Query { pipeline: pipeline.clone(), since: Some(since), until, newest: None }).await?;
    // A script that reads them wants an empty array, a person a reason.
    if records.is_empty() && !args.json && !args.csv {
        let of = pipeline.as_ref().map_or_else(String::new, |pipeline| format!(" of `{pipeline}`"));
        let since = time::dated(since, zone);
        let newest = Query { pipeline, newest: Some(1), ..Query::default() };
        let Some(newest) = found.records(&newest).await?.pop() else { return Err(found.nothing().into()) };
        let newest = time::dated(newest.at, zone);
        return Err(
            format!("nothing is recorded{of} from {since} on till then; the newest is of {newest} ({zone})").into()
        );
    }
    Ok(records)
}

/// A table for each pipeline.
fn tables(out: &mut impl Write, records: &[Arc<Record>], found: &Found) -> std::io::Result<()> {
    let mut names: Vec<&Arc<str>> = records.iter().map(|record| &record.pipeline).collect();
    names.sort();
    names.dedup();
    for (index, name) in names.iter().enumerate() {
        if names.len() > 1 {
            let bold = anstyle::Style::new().bold();
            let gap = if index > 0 { "\n" } else { "" };
            writeln!(out, "{gap}{bold}{name}{bold:#}")?;
        }
        let own: Vec<Arc<Record>> = records.iter().filter(|record| record.pipeline == **name).cloned().collect();
        let unit = found.scripts.spec(name).and_then(|spec| spec.unit());
        table::table(out, &own, found.zone(name), unit)?;
    }
    Ok(())
}
