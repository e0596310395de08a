//! `autoscaler gate SCRIPT`: simulates a script under the load of its own gate, and prints what speaks against it.
//! Workers start it as a process of its own.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::records::pretending;
use crate::cli::GateArgs;
use crate::pipeline::{Gate, PipelineSpec};
use crate::script;
use crate::simulate::{Candidate, Faults, PREFIX, Progress, Run, Setting, make, read, run_all};
use crate::worker::{GateVerdict, Generation};

/// How much politer than a worker it is: the ticks go first.
const NICE: i32 = 10;

/// Runs the command.
pub async fn run(args: GateArgs) -> ExitCode {
    // Where that is not allowed it runs as it is.
    let _ = rustix::process::nice(NICE);
    let judged = tokio::task::spawn_blocking(move || judge(&args.script)).await;
    match judged {
        Ok(Ok(verdict)) => {
            let mut out = anstream::stdout();
            let text = serde_json::to_string(&verdict).map_err(std::io::Error::from);
            super::written(text.and_then(|text| writeln!(out, "{text}")))
        }
        Ok(Err(why)) => super::fail(why),
        Err(error) => super::fail(format!("the simulation broke down: {error}; this is a bug of autoscaler")),
    }
}

fn judge(path: &Path) -> Result<GateVerdict, String> {
    let sources = script::sources(path).map_err(|said| said.to_string())?;
    let mut verdict = GateVerdict::default();
    for source in &sources {
        let generation = Generation::load(source, 1, &pretending(path)).map_err(|refused| {
            let first = refused.report.diagnostics().first().map(ToString::to_string).unwrap_or_default();
            format!("the script does not load: {first}")
        })?;
        let Some(gate) = &generation.gate else { continue };
        let folder = source.path.parent().unwrap_or(Path::new(""));
        let trace = match gate.file(folder) {
            Some(file) => read(&file, false)?.0,
            None => make(gate.trace.strip_prefix(PREFIX).unwrap_or(&gate.trace))?,
        };
        let setting = Setting {
            trace: Arc::new(trace),
            seed: 1,
            warmup: 0,
            faults: Faults::default(),
            exact: false,
            series_step: None,
        };
        let specs = generation.suite.specs.iter().filter(|spec| gate.pipelines.contains(&spec.name));
        let candidates = specs.map(candidate).collect::<Result<Vec<_>, String>>()?;
        let progress = Arc::new(Progress::of(std::slice::from_ref(&setting), candidates.len()));
        let runs = run_all(&[setting], &candidates, &progress)?;
        verdict.objections.extend(runs.iter().filter_map(|run| objection(gate, run)));
    }
    Ok(verdict)
}

fn candidate(spec: &Arc<PipelineSpec>) -> Result<Candidate, String> {
    let described = spec.simulate.as_deref().cloned().unwrap_or_default();
    let backend = spec.measure.first().map_or("custom", |stage| stage.backend.backend());
    let model = described.model(&spec.name, backend)?;
    Ok(Candidate { name: spec.name.to_string(), spec: Arc::clone(spec), model })
}

/// Why `run` does not pass, if it does not.
fn objection(gate: &Gate, run: &Run) -> Option<String> {
    let (late, cost) = (run.scores.late_percent, run.scores.cost_ratio);
    let mut said = Vec::new();
    if let Some(most) = gate.max_late_percent.filter(|most| late > *most) {
        said.push(format!("{late:.2} % of the requests are late, and at most {most} % may be"));
    }
    if let Some(most) = gate.max_cost_ratio.filter(|most| cost > *most) {
        said.push(format!("it costs {cost:.2} times what was needed, and may cost {most} times"));
    }
    // A policy that decides nothing keeps the dynos that the simulation begins with: its scores say nothing.
    if let Some((ticks, why)) = &run.wrong {
        said.push(format!("{ticks} of {} decisions went wrong: {why}", run.ticks));
    }
    if said.is_empty() {
        return None;
    }
    Some(format!("`{}` does not pass its gate under {}: {}", run.policy, gate.trace, said.join("; ")))
}
