//! Owns one simulation: second by second, and a tick whenever one is due. The tick is the worker's very
//! own; time is a count, and nothing waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::app::App;
use super::chance::Chance;
use super::events::Events;
use super::faults::Faults;
use super::fleet::Fleet;
use super::fluid::Fluid;
use super::model::{AppKind, Model};
use super::scene::{Scene, Shared};
use super::scores::{Dynos, Scorer, Scores};
use super::series::{Point, Series};
use super::trace::Trace;
use crate::pipeline::{Mode, Outcome, Pipeline, PipelineSpec, Record};
use crate::state::Fence;
use crate::stats::Demand;
use crate::world::ManualClock;

/// Seconds after which the count of what is done is brought up to date.
const TELL_EVERY: u64 = 3_600;

/// Keeps the draws of the measurements from those of the app.
const MEASURING: u64 = 1;
/// See [`MEASURING`].
const SERVING: u64 = 2;

/// What is simulated, but for the policy.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The load.
    pub trace: Arc<Trace>,
    /// The seed of everything that is drawn.
    pub seed: u64,
    /// The first seconds, which are not scored.
    pub warmup: u64,
    /// What goes wrong.
    pub faults: Faults,
    /// Whether single requests are simulated.
    pub exact: bool,
    /// Seconds between the points of the series; none is kept without.
    pub series_step: Option<u64>,
}

/// A policy, in the pipeline that it decides for, and the app.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// As results name it.
    pub name: String,
    /// The pipeline.
    pub spec: Arc<PipelineSpec>,
    /// The app.
    pub model: Model,
}

/// What came of one simulation.
#[derive(Clone, Debug)]
pub struct Run {
    /// The trace's name.
    pub trace: String,
    /// The candidate's name.
    pub policy: String,
    /// The scores.
    pub scores: Scores,
    /// Every scale, those of the warm-up included.
    pub scalings: Vec<Scaling>,
    /// What was when, if that was asked for.
    pub series: Vec<Point>,
    /// Seconds that were simulated.
    pub seconds: u64,
    /// Ticks that were made.
    pub ticks: u64,
    /// Ticks whose decision went wrong, and what the first of them said.
    pub wrong: Option<(u64, String)>,
    /// How long that took.
    pub wall: Duration,
}

/// One scale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scaling {
    /// Seconds from the start.
    pub second: u64,
    /// The count before.
    pub from: u32,
    /// The count after.
    pub to: u32,
    /// Why.
    pub reason: String,
}

/// Simulates `candidate` in `setting`; `done` counts the seconds that are done.
///
/// # Errors
/// When the load is more than can be simulated.
pub fn run(setting: &Setting, candidate: &Candidate, done: &AtomicU64) -> Result<Run, String> {
    let started = Instant::now();
    let model = &candidate.model;
    let trace = &setting.trace;
    let demand = Demand::new(model.capacity, model.objective, model.share, trace.highest())
        .map_err(|said| format!("`{}`: {said}", trace.name))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(|error| format!("no simulation can be started: {error}"))?;
    let mut run = runtime.block_on(Simulation::run(setting, candidate, &demand, done));
    run.wall = started.elapsed();
    Ok(run)
}

/// A simulation under way.
struct Simulation<'a> {
    scene: Shared,
    pipeline: Pipeline,
    clock: Arc<ManualClock>,
    start: DateTime<Utc>,
    setting: &'a Setting,
    scorer: Scorer,
    run: Run,
    series: Option<Series>,
}

impl<'a> Simulation<'a> {
    async fn run(setting: &'a Setting, candidate: &Candidate, demand: &Demand, done: &AtomicU64) -> Run {
        let mut simulation = Self::open(setting, candidate, demand).await;
        let interval = TimeDelta::from_std(simulation.pipeline.interval()).unwrap_or(TimeDelta::MAX);
        let milliseconds = u64::try_from(interval.num_milliseconds()).unwrap_or(u64::MAX).max(1);
        let trace = &setting.trace;
        let seconds = trace.seconds();
        let mut due = milliseconds;
        for second in 0..seconds {
            while due <= second * 1000 {
                simulation.tick(due).await;
                due += milliseconds;
            }
            #[allow(clippy::cast_precision_loss)]
            let rate = trace.at(second as f64);
            simulation.second(second, rate, demand.at(rate));
            if (second + 1).is_multiple_of(TELL_EVERY) {
                done.fetch_add(TELL_EVERY, Ordering::Relaxed);
            }
        }
        done.fetch_add(seconds % TELL_EVERY, Ordering::Relaxed);
        let mut run = simulation.run;
        run.scores = simulation.scorer.scores(candidate.model.price);
        run.series = simulation.series.map_or_else(Vec::new, Series::points);
        run.seconds = seconds;
        run
    }

    async fn open(setting: &'a Setting, candidate: &Candidate, demand: &Demand) -> Self {
        let (model, spec) = (&candidate.model, &candidate.spec);
        let start = setting.trace.begins().unwrap_or_else(|| monday(spec));
        let bounds = spec.decide.bounds(start);
        let first = demand.at(setting.trace.at(0.0)).clamp(bounds.min, bounds.max.max(bounds.min));
        let chance = |purpose| Chance::seeded(setting.seed, purpose);
        let app: Box<dyn App> = if setting.exact || model.app == AppKind::Queue {
            Box::new(Events::new(model, chance(SERVING)))
        } else {
            Box::new(Fluid::new(model.capacity, model.objective))
        };
        let window = model.window.unwrap_or_else(|| spec.interval().as_secs().max(1));
        let scene = Shared::new(Scene {
            app,
            fleet: Fleet::of(first),
            chance: chance(MEASURING),
            faults: setting.faults,
            seed: setting.seed,
            readings: Vec::new(),
            answer: model.answer.clone(),
            boot: model.boot,
            window: usize::try_from(window).unwrap_or(usize::MAX),
            delay: usize::try_from(model.delay).unwrap_or(usize::MAX),
            seconds: std::collections::VecDeque::new(),
            elapsed: 0,
            measured: None,
        });
        let clock = Arc::new(ManualClock::new(start));
        // A dry run acts: what its policy would do is what is asked. Nobody is told of anything.
        let mode = if spec.mode == Mode::DryRun { Mode::Live } else { spec.mode };
        let spec = Arc::new(PipelineSpec { mode, notify: Vec::new(), ..PipelineSpec::clone(spec) });
        let pipeline = Pipeline::open(spec, scene.world(&clock), Fence(1)).await;
        let run = Run {
            trace: setting.trace.name.clone(),
            policy: candidate.name.clone(),
            scores: Scores::default(),
            scalings: Vec::new(),
            series: Vec::new(),
            seconds: 0,
            ticks: 0,
            wrong: None,
            wall: Duration::ZERO,
        };
        let series = setting.series_step.map(Series::every);
        Self { scene, pipeline, clock, start, setting, scorer: Scorer::default(), run, series }
    }

    async fn tick(&mut self, milliseconds: u64) {
        let passed = TimeDelta::milliseconds(i64::try_from(milliseconds).unwrap_or(i64::MAX));
        let now = self.start.checked_add_signed(passed).unwrap_or(DateTime::<Utc>::MAX_UTC);
        self.clock.set(now);
        let record = self.pipeline.tick(now).await;
        self.run.ticks += 1;
        if record.outcome == Outcome::Scaled {
            self.scaled(milliseconds / 1000, &record);
        }
        if self.pipeline.kept().control.wrong_decisions > 0 {
            let said = || record.error.clone().unwrap_or_default();
            self.run.wrong.get_or_insert_with(|| (0, said())).0 += 1;
        }
    }

    fn scaled(&mut self, second: u64, record: &Record) {
        let (Some(from), Some(to)) = (record.dynos.current, record.dynos.desired) else { return };
        let texts: Vec<&str> = record.reasons.iter().map(|reason| reason.text.as_str()).collect();
        self.run.scalings.push(Scaling { second, from, to, reason: texts.join("; ") });
        if second >= self.setting.warmup {
            self.scorer.scaled(from, to);
        }
    }

    fn second(&mut self, second: u64, rate: f64, demand: u32) {
        let scored = second >= self.setting.warmup;
        let mut scene = self.scene.lock();
        scene.fleet.advance(second);
        let (ready, all) = (scene.fleet.ready(), scene.fleet.all());
        let heaviness = scene.faults.spells(second, scene.seed).heaviness;
        scene.app.burden(heaviness);
        let waits = if scored { Some(&mut self.scorer.waits) } else { None };
        let passed = scene.app.second(rate, ready, waits);
        scene.passed(passed);
        let measured = scene.measured;
        drop(scene);
        let dynos = Dynos { demand, ready, all };
        if scored {
            self.scorer.second(&passed, dynos);
        }
        if let Some(series) = &mut self.series {
            series.second(&passed, dynos, measured);
        }
    }
}

/// When a trace begins that does not say: at midnight of a Monday, in the pipeline's zone.
fn monday(spec: &PipelineSpec) -> DateTime<Utc> {
    let midnight = NaiveDate::from_ymd_opt(2026, 1, 5).and_then(|day| day.and_hms_opt(0, 0, 0));
    let local = midnight.and_then(|midnight| midnight.and_local_timezone(spec.decide.zone).earliest());
    local.map_or(DateTime::UNIX_EPOCH, |local| local.to_utc())
}
