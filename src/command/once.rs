//! `autoscaler once SCRIPT`: one tick of every pipeline, and everything it saw and decided.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anstyle::Style;

use super::{draw, loading};
use crate::cli::OnceArgs;
use crate::pipeline::{Decided, Outcome, Pipeline, PipelineSpec, Record};
use crate::script::MissingSecrets;
use crate::state::{Fence, MemoryState};
use crate::worker::{Options, Services, Supervisor};
use crate::world::{Console, Standard};

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
    let console = Arc::new(WhileRead(if args.json { Standard::Error } else { Standard::Output }));
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
    let shown = specs.clone();
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
        records.iter().zip(&shown).try_for_each(|(record, spec)| show(&mut out, record, spec))
    };
    let failed = records.iter().any(|record| record.error.is_some() || record.outcome == Outcome::Failed);
    if failed { ExitCode::from(super::FAILED) } else { super::written(written) }
}

/// Prints `record`, a tick of `spec`. What one line has said no other says again: a failed measurement is the
/// reason of everything that follows.
fn show(out: &mut impl Write, record: &Record, spec: &PipelineSpec) -> std::io::Result<()> {
    let mut said = Said::default();
    let (bold, dim) = (Style::new().bold(), Style::new().dimmed());
    writeln!(out, "{bold}{}{bold:#} {dim}{}{dim:#}", record.pipeline, record.mode)?;
    for (stage, measurement) in spec.measure.iter().zip(&record.measurements) {
        let value = match (&measurement.error, measurement.value) {
            (Some(error), _) => {
                said.is_new(error);
                format!("failed: {error}")
            }
            (None, Some(value)) => amount(value, stage.unit()),
            (None, None) => measurement.data.to_string(),
        };
        let (backend, took) = (&measurement.backend, measurement.took_ms);
        let name = if spec.names_measurements() { format!("{}: ", measurement.name) } else { String::new() };
        writeln!(out, "  {dim}measured{dim:#}  {name}{value}  {dim}{backend}, took {took:.0} ms{dim:#}")?;
    }
    let dynos = &record.dynos;
    let known = |count: Option<u32>| count.map_or_else(|| "unknown".into(), |count| count.to_string());
    writeln!(out, "  {dim}dynos{dim:#}     {} of {}..{}", known(dynos.current), dynos.min, dynos.max)?;
    for proposal in &record.proposals {
        let wanted = proposal.dynos.map_or_else(|| "hold".into(), crate::counted::dynos);
        let why = if said.is_new(&proposal.text) { format!(": {}", proposal.text) } else { String::new() };
        let name = if record.proposals.len() > 1 { format!("{}: ", proposal.name) } else { String::new() };
        writeln!(out, "  {dim}proposed{dim:#}  {name}{wanted}{why}")?;
    }
    for reason in record.reasons.iter().filter(|reason| said.is_new(&reason.text)) {
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
    if let Some(shadow) = &record.shadow {
        writeln!(out, "  {dim}shadow{dim:#}    {}: {}", known(shadow.dynos), shadow.text)?;
    }
    if let Some(error) = record.error.as_ref().filter(|error| said.is_new(error)) {
        writeln!(out, "  {dim}error{dim:#}     {error}")?;
    }
    writeln!(out)
}

/// A console whose reader may go (`| head`).
struct WhileRead(Standard);

impl Console for WhileRead {
    fn say(&self, severity: &str, line: &str) -> std::io::Result<()> {
        match self.0.say(severity, line) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            said => said,
        }
    }
}

/// What was printed of a record.
#[derive(Default)]
struct Said<'a>(Vec<&'a str>);

impl<'a> Said<'a> {
    /// Whether `text` says anything that was not said, which it then is.
    fn is_new(&mut self, text: &'a str) -> bool {
        // "measurement failed: …" says no more than the failure itself.
        let known = self.0.iter().any(|said| said.contains(text) || (said.len() >= LONG && text.contains(said)));
        self.0.push(text);
        !known
    }
}

/// A shorter text may stand in another by chance.
const LONG: usize = 20;

/// A value as people read it: its unit, and no more digits than were measured.
fn amount(value: f64, unit: Option<&str>) -> String {
    let size = value.abs();
    let decimals = match size {
        100.0.. => 0,
        1.0..100.0 => 2,
        _ => 4,
    };
    let text = if size >= 1e15 || (size < 1e-4 && value != 0.0) {
        format!("{value:.3e}")
    } else {
        format!("{value:.decimals$}")
    };
    let text = if text.contains('.') && !text.contains('e') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    };
    unit.map_or_else(|| text.clone(), |unit| format!("{text} {unit}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_its_unit_and_no_noise() {
        for (value, shown) in [
            (1.0, "1 ms"),
            (0.0, "0 ms"),
            (0.1 + 0.2, "0.3 ms"),
            (512.348_717, "512 ms"),
            (13.400_000_1, "13.4 ms"),
            (-2.5, "-2.5 ms"),
            (1e300, "1.000e300 ms"),
        ] {
            assert_eq!(amount(value, Some("ms")), shown);
        }
        assert_eq!(amount(120.0, None), "120");
    }

    #[test]
    fn what_was_said_is_not_said_again() {
        let mut said = Said::default();
        assert!(said.is_new("connection refused by a.test:80"));
        assert!(!said.is_new("measurement failed: connection refused by a.test:80"));
        assert!(!said.is_new("connection refused by a.test:80"));
        assert!(said.is_new("held back: the last scale was 5 s ago"));
    }
}
