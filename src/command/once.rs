//! `autoscaler once SCRIPT`: one tick of every pipeline, and everything it saw and decided.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anstyle::Style;

use super::{draw, loading};
use crate::cli::OnceArgs;
use crate::pipeline::{Decided, Outcome, Pipeline, Record};
use crate::script::MissingSecrets;
use crate::state::{Fence, MemoryState};
use crate::worker::{Options, Services, Supervisor};
use crate::world::Standard;

/// Runs the command.
pub async fn run(args: OnceArgs) -> ExitCode {
    if let Err(code) = super::start_log(&args.log) {
        return code;
    }
    let loading = loading(
        Options {
            script: args.script.script.clone(),
            dry_run: !args.act,
            only: args.only.only.clone(),
            secrets: MissingSecrets::Error,
        },
        &args.reach,
    );
    let state = Arc::new(MemoryState::default());
    // Standard output belongs to the records.
    let console = Arc::new(if args.json { Standard::Error } else { Standard::Output });
    let services =
        if args.act { Services::start_with(state, console, |live| live) } else { Services::start_silent(state) };
    let services = match services {
        Ok(services) => services,
        Err(error) => return super::fail(error),
    };
    let world = services.world();
    let worker = match Supervisor::load(loading, Arc::clone(&world)) {
        Ok(worker) => worker,
        Err(problems) => {
            draw::print(&problems.report, &problems.files);
            return ExitCode::from(super::FAILED);
        }
    };
    let specs = match super::selected(&worker) {
        Ok(specs) => specs,
        Err(error) => return super::fail(error),
    };
    let due = world.clock.now();
    let ticks = specs.into_iter().map(|spec| {
        let world = Arc::clone(&world);
        async move { Pipeline::open(spec, world, Fence::default()).await.tick(due).await }
    });
    let records = futures_util::future::join_all(ticks).await;
    services.close().await;
    let mut out = anstream::stdout();
    let written = if args.json {
        serde_json::to_string(&records).map_err(std::io::Error::from).and_then(|text| writeln!(out, "{text}"))
    } else {
        records.iter().try_for_each(|record| show(&mut out, record))
    };
    let failed = records.iter().any(|record| record.error.is_some() || record.outcome == Outcome::Failed);
    if failed { ExitCode::from(super::FAILED) } else { super::written(written) }
}

fn show(out: &mut impl Write, record: &Record) -> std::io::Result<()> {
    let (bold, dim) = (Style::new().bold(), Style::new().dimmed());
    writeln!(out, "{bold}{}{bold:#} {dim}{}{dim:#}", record.pipeline, record.mode)?;
    for measurement in &record.measurements {
        let value = match (&measurement.error, measurement.value) {
            (Some(error), _) => format!("failed: {error}"),
            (None, Some(value)) => format!("{value}"),
            (None, None) => measurement.data.to_string(),
        };
        let (backend, took) = (&measurement.backend, measurement.took_ms);
        writeln!(out, "  {dim}measured{dim:#}  {value}  {dim}{backend}, took {took:.0} ms{dim:#}")?;
    }
    let dynos = &record.dynos;
    let known = |count: Option<u32>| count.map_or_else(|| "unknown".into(), |count| count.to_string());
    writeln!(out, "  {dim}dynos{dim:#}     {} of {}..{}", known(dynos.current), dynos.min, dynos.max)?;
    for proposal in &record.proposals {
        let wanted = proposal.dynos.map_or_else(|| "hold".into(), |dynos| format!("{dynos} dynos"));
        writeln!(out, "  {dim}proposed{dim:#}  {wanted}: {}", proposal.text)?;
    }
    for reason in &record.reasons {
        writeln!(out, "  {dim}{:<8}{dim:#}  {}", reason.guard, reason.text)?;
    }
    let decided = match record.decision {
        Decided::Up => format!("up to {}", known(dynos.desired)),
        Decided::Down => format!("down to {}", known(dynos.desired)),
        Decided::Hold => "hold".into(),
    };
    let outcome = match record.outcome {
        Outcome::Scaled => "scaled",
        Outcome::DryRun => "not scaled: dry run, --act scales",
        Outcome::Failed => "the platform refused",
        Outcome::Unknown => "asked for, outcome unknown",
        Outcome::None => "nothing to do",
    };
    writeln!(out, "  {dim}decided{dim:#}   {bold}{decided}{bold:#} ({outcome})")?;
    if let Some(error) = &record.error {
        writeln!(out, "  {dim}error{dim:#}     {error}")?;
    }
    writeln!(out)
}
