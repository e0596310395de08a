//! `autoscaler simulate [SCRIPT…] --trace FILE`: what the very same script would do with a load. It reaches
//! nothing but the files it is given.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use ratatui::crossterm::terminal;

use super::simulated::{self, Watched};
use super::{draw, from_state, loading};
use crate::cli::{ReachArgs, SimulateArgs};
use crate::decide::DynosByTime;
use crate::picture::{self, Destination, Form, Shown};
use crate::pipeline::PipelineSpec;
use crate::script::{self, MissingSecrets, Source};
use crate::settings::Report;
use crate::simulate::{
    Answer, Candidate, Described, PREFIX, Preset, Progress, Run, Setting, Trace, check, make, policy, read, run_all,
};
use crate::worker::{Generation, Options};

const SECONDS_A_DAY: f64 = 86_400.0;

/// The columns of a chart that goes to no terminal.
const PIPE_COLUMNS: u16 = 80;

/// A chart is no wider, however wide the terminal is.
const MOST_COLUMNS: u16 = 160;

/// Runs the command.
pub async fn run(args: SimulateArgs) -> ExitCode {
    let done = tokio::task::spawn_blocking(move || simulate(&args)).await;
    done.unwrap_or_else(|error| super::fail(format!("the simulation broke down: {error}; this is a bug of autoscaler")))
}

fn simulate(args: &SimulateArgs) -> ExitCode {
    let prepared = destination(args).and_then(|report| {
        let candidates = candidates(args)?;
        Ok((report, settings(args)?, candidates))
    });
    let (report, settings, candidates) = match prepared {
        Ok(prepared) => prepared,
        Err(Refused::Told) => return ExitCode::from(super::FAILED),
        Err(Refused::Because(said)) => return super::fail(said),
        Err(Refused::Usage(said)) => {
            super::fail(said);
            return ExitCode::from(super::USAGE);
        }
    };
    let progress = Arc::new(Progress::of(&settings, candidates.len()));
    let watched = std::io::stderr().is_terminal().then(|| Watched::start(&progress));
    let runs = run_all(&settings, &candidates, &progress);
    drop(watched);
    let runs = match runs {
        Ok(runs) => runs,
        Err(said) => return super::fail(said),
    };
    let printed = print(&settings, &candidates, &runs, args);
    let drawn = report.map_or(Ok(()), |report| {
        let shown = Shown::all(&settings, &candidates, &runs);
        report.write(&match report.form {
            Form::Page => picture::page(&shown),
            Form::Picture | Form::Text => picture::picture(&shown),
        })
    });
    drawn.map_or_else(super::fail, |()| printed)
}

/// Where the picture goes, found fit before anything is done.
fn destination(args: &SimulateArgs) -> Result<Option<Destination>, Refused> {
    if args.chart && args.json {
        return Err(Refused::Usage("`--chart` draws for people, and `--json` prints for machines".into()));
    }
    args.report.as_deref().map(Destination::check).transpose().map_err(Refused::Because)
}

/// Whether a chart is drawn on standard output.
fn charted(args: &SimulateArgs) -> bool {
    args.chart || (!args.json && std::io::stdout().is_terminal())
}

/// The columns of the terminal.
fn width() -> usize {
    let columns =
        if std::io::stdout().is_terminal() { terminal::size().ok().map(|(columns, _)| columns) } else { None };
    usize::from(columns.filter(|columns| *columns > 0).unwrap_or(PIPE_COLUMNS).min(MOST_COLUMNS))
}

/// Why nothing is simulated.
pub(super) enum Refused {
    /// It is said already.
    Told,
    /// A script, a trace or a setting is wrong.
    Because(String),
    /// The command line is.
    Usage(String),
}

impl From<String> for Refused {
    fn from(said: String) -> Self {
        Self::Because(said)
    }
}

fn print(settings: &[Setting], candidates: &[Candidate], runs: &[Run], args: &SimulateArgs) -> ExitCode {
    for run in runs {
        if let Some((ticks, said)) = &run.wrong {
            let (policy, all) = (&run.policy, run.ticks);
            anstream::eprintln!("warning: {ticks} of {all} decisions of `{policy}` went wrong; the first: {said}");
        }
    }
    let mut out = anstream::stdout();
    let written = if args.json {
        writeln!(out, "{}", simulated::json(runs))
    } else {
        let shown = Shown::all(settings, candidates, runs);
        simulated::table(&mut out, runs)
            .and_then(|()| if charted(args) { simulated::charts(&mut out, &shown, width()) } else { Ok(()) })
    };
    let code = super::written(written);
    // Its scores are those of the dynos that it began with.
    let all_wrong = |run: &Run| run.wrong.as_ref().is_some_and(|(ticks, _)| *ticks == run.ticks);
    if runs.iter().any(all_wrong) { ExitCode::from(super::FAILED) } else { code }
}

fn preset(args: &SimulateArgs) -> Option<Preset> {
    args.preset.map(|_| Preset::bar())
}

/// What is simulated, trace by trace.
fn settings(args: &SimulateArgs) -> Result<Vec<Setting>, Refused> {
    let preset = preset(args);
    let warmup_days = args.warmup_days.or(preset.as_ref().map(|preset| preset.warmup_days)).unwrap_or(0.0);
    for (flag, days) in
        [("--warmup-days", Some(warmup_days)), ("--days", args.days), ("--smooth-seconds", args.smooth_seconds)]
    {
        if days.is_some_and(|days| !(0.0..1e6).contains(&days)) {
            return Err(Refused::Usage(format!("`{flag}` must not be negative")));
        }
    }
    let rate_per_dyno = flags(args)?.rate_per_dyno;
    let mut settings = Vec::new();
    for name in &args.trace {
        let mut trace = trace(name, args)?;
        if let Some(seconds) = args.smooth_seconds {
            trace.smooth(seconds);
        }
        if let Some(preset) = &preset {
            let rate = rate_per_dyno.or(preset.described.rate_per_dyno).unwrap_or(1.0);
            trace.scale(preset.quantile, preset.dynos * rate)?;
        }
        if let Some(days) = args.days {
            trace.cut(days);
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let warmup = (warmup_days * SECONDS_A_DAY) as u64;
        if warmup >= trace.seconds() {
            #[allow(clippy::cast_precision_loss)]
            let days = trace.seconds() as f64 / SECONDS_A_DAY;
            return Err(format!("`{name}` lasts {days:.2} days, and the first {warmup_days} are not scored").into());
        }
        let series_step = (args.report.is_some() || charted(args)).then(|| picture::step(&trace));
        settings.push(Setting {
            trace: Arc::new(trace),
            seed: args.seed,
            warmup,
            faults: args.faults.unwrap_or_default(),
            exact: args.exact,
            series_step,
        });
    }
    Ok(settings)
}

fn trace(name: &str, args: &SimulateArgs) -> Result<Trace, String> {
    if let Some(made) = name.strip_prefix(PREFIX) {
        return make(made);
    }
    let (trace, repairs) = match from_state::named(name) {
        Some(pipeline) => from_state::read(name, Some(pipeline).filter(|name| !name.is_empty()), args)?,
        None => read(Path::new(name), args.repair)?,
    };
    if !repairs.is_empty() {
        anstream::eprintln!("repaired {name}: {repairs}");
    }
    Ok(trace)
}

/// What the flags say of the app.
fn flags(args: &SimulateArgs) -> Result<Described, Refused> {
    let number = |name: &str, value: Option<f64>| -> Result<Option<f64>, Refused> {
        let flag = || format!("--{}", name.replace('_', "-"));
        let checked = value.map(|value| check(name, value)).transpose();
        checked.map_err(|said| Refused::Usage(said.replace(name, &flag())))
    };
    Ok(Described {
        rate_per_dyno: number("rate_per_dyno", args.rate_per_dyno)?,
        service_ms: number("service_ms", args.service_ms)?,
        boot_seconds: number("boot_seconds", args.boot_seconds)?,
        answer: args.signal.map(Answer::One),
        signal_window_seconds: None,
        signal_delay_seconds: None,
        slo_wait_seconds: number("slo_wait_seconds", args.slo_wait_seconds)?,
        slo_percent: number("slo_percent", args.slo_percent)?,
        app: args.app,
        durations: args.durations,
        dyno_price_per_month: number("dyno_price_per_month", args.dyno_price_per_month)?,
    })
}

/// The policies: of scripts, and by name.
fn candidates(args: &SimulateArgs) -> Result<Vec<Candidate>, Refused> {
    let mut specs: Vec<(String, Arc<PipelineSpec>)> = Vec::new();
    for path in &args.scripts {
        let sources = script::sources(path).map_err(|said| {
            let mut report = Report::default();
            report.push(*said);
            draw::print(&report, &[]);
            Refused::Told
        })?;
        let found = sources.iter().map(load).collect::<Result<Vec<_>, Refused>>()?.concat();
        let spec = chosen(path, &found, args.pipeline.as_deref())?;
        let name =
            if args.scripts.len() > 1 { format!("{}:{}", path.display(), spec.name) } else { spec.name.to_string() };
        specs.push((name, spec));
    }
    let (flags, preset) = (flags(args)?, preset(args));
    for name in &args.policy {
        let described = preset.as_ref().map_or_else(|| flags.clone(), |preset| flags.clone().or(&preset.described));
        let text = policy(name, described.boot()).map_err(Refused::Usage)?;
        let source = Source { path: PathBuf::from(format!("{name}.rhai")), text: Some(text.into()), unit: None };
        specs.extend(load(&source)?.into_iter().map(|spec| (name.clone(), spec)));
    }
    if specs.is_empty() {
        let said = "name a script, or policies: `autoscaler simulate --policy hpa --preset bar --trace FILE`";
        return Err(Refused::Usage(said.into()));
    }
    let of = |(name, spec): (String, Arc<PipelineSpec>)| {
        let mut described = flags.clone();
        let mut spec = spec;
        if let Some(preset) = &preset {
            described = described.or(&preset.described);
            spec = bounded(&spec, preset.bounds);
        }
        if let Some(written) = &spec.simulate {
            described = described.or(written);
        }
        let backend = spec.measure.first().map_or("custom", |stage| stage.backend.backend());
        let model = described.model(&spec.name, backend)?;
        Ok(Candidate { name, spec, model })
    };
    specs.into_iter().map(of).collect::<Result<_, String>>().map_err(Refused::Because)
}

/// The same within other bounds.
pub(super) fn bounded(spec: &PipelineSpec, (min, max): (u32, u32)) -> Arc<PipelineSpec> {
    let mut spec = spec.clone();
    spec.decide.min_dynos = DynosByTime::Always(min);
    spec.decide.max_dynos = DynosByTime::Always(max);
    (spec.decide.min_written, spec.decide.max_written) = (true, true);
    Arc::new(spec)
}

/// The pipelines of `source`.
pub(super) fn load(source: &Source) -> Result<Vec<Arc<PipelineSpec>>, Refused> {
    let options =
        Options { script: source.path.clone(), dry_run: false, only: Vec::new(), secrets: MissingSecrets::Placeholder };
    // Nothing is run: the world of a simulation only pretends.
    let pretending = ReachArgs { allow_run: true, ..ReachArgs::default() };
    match Generation::load(source, 1, &loading(options, &pretending)) {
        Ok(generation) => Ok(generation.specs),
        Err(refused) => {
            draw::print(&refused.report, &refused.files);
            Err(Refused::Told)
        }
    }
}

/// The pipeline of the script in `path` that is meant.
fn chosen(path: &Path, specs: &[Arc<PipelineSpec>], name: Option<&str>) -> Result<Arc<PipelineSpec>, String> {
    let names = || specs.iter().map(|spec| &*spec.name).collect::<Vec<_>>().join(", ");
    match (name, specs) {
        (Some(name), _) => {
            let found = specs.iter().find(|spec| *spec.name == *name).cloned();
            found.ok_or_else(|| format!("{} has no pipeline `{name}`; it has {}", path.display(), names()))
        }
        (None, [spec]) => Ok(Arc::clone(spec)),
        (None, _) => Err(format!("{} has the pipelines {}: choose one with `--pipeline`", path.display(), names())),
    }
}
