//! Owns the world of a replay: the measurements are the recorded ones, the dynos are those that the new script
//! asked for, and what others did to them is done again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::told::Replay;
use crate::explain::remembered;
use crate::levers::{Levers, PipelineLevers, Pull};
use crate::measure::{MeasureContext, MeasureStage};
use crate::pipeline::{Failure, Measurement, Mode, Outcome, Pipeline, PipelineSpec, Record};
use crate::state::{Batch, Fence, Kept, State};
use crate::world::pretend::Pretend;
use crate::world::{ScaleError, ScaleErrorKind, Sources, World};

/// Nobody else works on what a replay keeps.
const FENCE: Fence = Fence(0);

/// Dynos are reckoned for so many intervals after a tick: then nobody ticked.
const GAP: i32 = 3;

/// A replay under way: ticks are handed to it one after the other, so that no long state must be held at once.
pub struct Replayer {
    spec: Arc<PipelineSpec>,
    stage: Stage,
    mode: Mode,
    /// Counts that the platform may show without anybody's doing.
    expected: Vec<u32>,
    /// The last tick, with the counts after it: the recorded and the new one.
    last: Option<(DateTime<Utc>, Option<u32>, Option<u32>)>,
    differed: bool,
    set_by_others: u64,
    told: Replay,
}

/// A pipeline and its world.
struct Stage {
    pretend: Pretend,
    measured: Arc<Taken>,
    pipeline: Pipeline,
}

impl Replayer {
    /// A replay of the pipeline `spec` from the tick `first` on; `earlier` are the ticks before it, as many as
    /// there are, for what was remembered then.
    ///
    /// # Errors
    /// When it measures what is not recorded.
    pub async fn open(spec: &PipelineSpec, earlier: &[Arc<Record>], first: &Record) -> Result<Self, String> {
        let mut told = Replay::new(first);
        named_alike(spec, first)?;
        let mut spec = spec.clone();
        if spec.guards.busy.take().is_some() {
            told.notes.push("how much work is under way is not recorded: nothing waits for it here".into());
        }
        if !spec.limits.is_empty() {
            told.notes.push("pipelines that share a limit with it are taken to have their fewest dynos".into());
        }
        let other = spec.measure.iter().find_map(|stage| {
            let recorded = first.measurements.iter().find(|one| one.name == *stage.name)?;
            let backend = stage.backend.backend();
            (recorded.backend != backend).then(|| (stage.name.to_string(), recorded.backend.to_string(), backend))
        });
        if let Some((name, recorded, own)) = other {
            told.notes.push(format!(
                "`{name}` is recorded of {recorded}, and the new script measures by {own}: its numbers may be of \
                 another kind"
            ));
        }
        let (mode, spec) = (mode_of(first).unwrap_or(Mode::Live), Arc::new(spec));
        let spec = in_mode(&spec, mode);
        let warmed = warmed(&spec, earlier).await;
        let stage = Stage::open(&spec, warmed, first.at).await;
        let (expected, last) = (Vec::new(), None);
        Ok(Self { spec, stage, mode, expected, last, differed: false, set_by_others: 0, told })
    }

    /// Replays one tick: the next one.
    pub async fn tick(&mut self, record: &Record) {
        if let Some(mode) = mode_of(record).filter(|mode| *mode != self.mode) {
            self.mode = mode;
            self.spec = in_mode(&self.spec, mode);
            self.stage.pipeline.adopt(Arc::clone(&self.spec));
        }
        let interval = TimeDelta::from_std(self.spec.interval()).unwrap_or(TimeDelta::MAX);
        if let Some((at, recorded, new)) = self.last {
            let time = (record.at - at).min(interval.checked_mul(GAP).unwrap_or(TimeDelta::MAX));
            self.told.recorded.lasts(recorded, time);
            self.told.new.lasts(new, time);
        }
        let by_others = record.dynos.current.filter(|current| !self.expected.contains(current));
        self.set_by_others += u64::from(by_others.is_some() && self.last.is_some());
        let new = self.stage.tick(record, by_others).await;
        let (current, desired) = (record.dynos.current, record.dynos.desired);
        match record.outcome {
            Outcome::Scaled => self.expected = desired.into_iter().collect(),
            Outcome::Unknown => self.expected = current.into_iter().chain(desired).collect(),
            _ if current.is_some() => self.expected = current.into_iter().collect(),
            _ => {}
        }
        let after = |record: &Record| record.scaled().map_or(record.dynos.current, |(_, to)| Some(to));
        self.last = Some((record.at, after(record), after(&new)));
        self.differed = self.told.tick(record, &new, self.differed);
    }

    /// What came of it.
    #[must_use]
    pub fn end(mut self) -> Replay {
        if self.set_by_others > 0 {
            let (count, plural) = (self.set_by_others, if self.set_by_others == 1 { "" } else { "s" });
            self.told.notes.push(format!(
                "{count} time{plural} the dynos changed by another's hand, and do so here: to the recorded count"
            ));
        }
        self.told
    }
}

impl Stage {
    async fn open(spec: &Arc<PipelineSpec>, kept: Kept, at: DateTime<Utc>) -> Self {
        let (pretend, measured) = (Pretend::starting_at(at), Arc::new(Taken::default()));
        let sources = Arc::clone(&measured) as Arc<dyn Sources>;
        let world = Arc::new(World { sources, ..(*pretend.world).clone() });
        // Memory takes whatever it is given.
        let _ = pretend.state.commit(&spec.name, FENCE, Batch { kept, intent: None, record: None }).await;
        let pipeline = Pipeline::open(Arc::clone(spec), world, FENCE).await;
        Self { pretend, measured, pipeline }
    }

    /// The tick of `record` again; `dynos`: the count that there was by another's doing.
    async fn tick(&mut self, record: &Record, dynos: Option<u32>) -> Arc<Record> {
        let name = Arc::clone(&self.pipeline.spec().name);
        self.pretend.clock.set(record.at);
        let mut levers = Levers::default();
        if record.mode == "paused" {
            // It held whatever the script says, and so it does now.
            let pull = Pull { by: "the records".into(), at: record.at, until: None, reason: None };
            levers.all = PipelineLevers { pause: Some(pull), ..PipelineLevers::default() };
        }
        self.pretend.world.levers.set(levers);
        self.measured.set(record);
        let platform = self.pretend.platforms.of(&name);
        {
            let mut platform = platform.lock().unwrap_or_else(PoisonError::into_inner);
            platform.dynos = dynos.unwrap_or(platform.dynos);
            // Other dynos than the recorded ones boot at other times: nothing is known of those.
            platform.booting = if record.dynos.current == Some(platform.dynos) { record.dynos.booting } else { 0 };
            let refused = |message: &str| ScaleError { kind: ScaleErrorKind::Refused, message: message.into() };
            let why = record.error.as_deref();
            platform.reads.clear();
            if record.dynos.current.is_none() {
                platform.reads.push_back(Some(refused(why.unwrap_or("it was unknown"))));
            }
            platform.scales.clear();
            if record.outcome == Outcome::Failed {
                platform.scales.push_back(Some(refused(why.unwrap_or("the platform refused"))));
            }
            (platform.read, platform.asked) = (Vec::new(), Vec::new());
        }
        let new = self.pipeline.tick(record.at).await;
        // Nobody is told, and nothing piles up.
        drop(self.pretend.audience.take());
        new
    }
}

/// What the pipeline remembers before a replay: histories and the last scale as recorded, and of a scripted
/// decision what it keeps in `this` after the ticks before.
async fn warmed(spec: &Arc<PipelineSpec>, earlier: &[Arc<Record>]) -> Kept {
    let mut kept = remembered(spec, earlier);
    let Some(first) = earlier.first() else { return kept };
    let mut stage = Stage::open(spec, remembered(spec, &[]), first.at).await;
    for record in earlier {
        stage.tick(record, record.dynos.current).await;
    }
    kept.memory = stage.pipeline.kept().memory.clone();
    kept
}

/// Whether everything that `spec` measures is recorded in `record`.
fn named_alike(spec: &PipelineSpec, record: &Record) -> Result<(), String> {
    let recorded: Vec<&str> = record.measurements.iter().map(|one| one.name.as_str()).collect();
    if let ([_], [_]) = (&spec.measure[..], &recorded[..]) {
        return Ok(());
    }
    match spec.measure.iter().find(|stage| !recorded.contains(&&*stage.name)) {
        None => Ok(()),
        Some(stage) => Err(format!(
            "the new script judges `{}`, and of `{}` there is recorded only: {}",
            stage.name,
            record.pipeline,
            recorded.join(", ")
        )),
    }
}

/// The mode of the script in a record; none where somebody had paused it.
fn mode_of(record: &Record) -> Option<Mode> {
    match &*record.mode {
        "live" => Some(Mode::Live),
        "dry_run" => Some(Mode::DryRun),
        _ => None,
    }
}

fn in_mode(spec: &Arc<PipelineSpec>, mode: Mode) -> Arc<PipelineSpec> {
    Arc::new(PipelineSpec { mode, ..(**spec).clone() })
}

/// The measurements of one record, by name.
#[derive(Default)]
struct Taken(Mutex<BTreeMap<String, Measurement>>);

impl Taken {
    fn set(&self, record: &Record) {
        let taken = record.measurements.iter().map(|one| (one.name.clone(), one.measurement())).collect();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = taken;
    }
}

#[async_trait]
impl Sources for Taken {
    async fn measure(&self, stage: &MeasureStage, context: &MeasureContext<'_>, _world: &Arc<World>) -> Measurement {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The only one is meant, whatever it is called.
        let only = taken.values().next().filter(|_| taken.len() == 1);
        taken.get(&*stage.name).or(only).cloned().unwrap_or_else(|| {
            let failure = Failure::not_load(format!("`{}` is not recorded", stage.name));
            Measurement::failed(stage.backend.backend(), failure, context.at)
        })
    }
}
