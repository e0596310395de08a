//! Owns one pipeline at work: measure → record → decide → scale → notify, once per [`Pipeline::tick`].
//! It keeps no time of its own, and no script, reply or store can end it.

mod act;
mod cap;
mod circumstances;
mod look;
mod record;
mod tell;

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use super::controller::{Busy, Circumstances, Observation, Proposed, decide};
use super::{ByHand, Decided, Decision, Measurement, Outcome, PipelineSpec, Record};
use crate::levers::Levers;
use crate::state::{Batch, Fence, Intent, Kept};
use crate::world::{Freshness, Platform, ScaleError, Supply, World};

/// A pipeline at work.
pub struct Pipeline {
    spec: Arc<PipelineSpec>,
    world: Arc<World>,
    fence: Fence,
    platform: Arc<dyn Platform>,
    /// What is kept; `memory` in it is brought up to date by [`Pipeline::commit`].
    kept: Kept,
    /// `this` of the measuring stages, in their order.
    measure_memory: Vec<Mutex<Json>>,
    /// `this` of the deciding stage.
    decide_memory: Mutex<Json>,
    /// `this` of the function that counts work.
    busy_memory: Mutex<Json>,
    /// Whether a scale call is in flight.
    acting: Arc<AtomicBool>,
    /// The change that a dry run told last: it wants the same every tick, and is told once.
    told: Option<(u32, u32)>,
    /// Said in the next record.
    notes: Vec<String>,
}

/// Tells whether a pipeline has a scale call in flight, which must be awaited before its tick is
/// dropped.
#[derive(Clone, Debug)]
pub struct Acting(Arc<AtomicBool>);

impl Acting {
    /// Whether a scale call is in flight now.
    #[must_use]
    pub fn now(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// What a tick did, as far as it got.
struct Course {
    measurements: Vec<Measurement>,
    supply: Result<Supply, ScaleError>,
    proposals: Vec<Proposed>,
    circumstances: Circumstances,
    /// What went wrong with the decision of the script.
    wrong: Option<String>,
    decision: Decision,
    outcome: Outcome,
    /// A scale of an earlier tick that turned out to have happened.
    resolved: Option<Intent>,
    /// What a person did to the count since the last tick.
    by_hand: Option<ByHand>,
    /// The levers as they were when it was decided.
    levers: Arc<Levers>,
    errors: Vec<String>,
}

impl Course {
    /// What the tick of `spec` that was due at `due` found.
    fn observation(&self, spec: &PipelineSpec, due: DateTime<Utc>) -> Observation<'_> {
        Observation {
            measurements: &self.measurements,
            dynos: self.supply.as_ref().map(|supply| *supply),
            proposals: &self.proposals,
            levers: self.levers.active(&spec.name, due),
            circumstances: self.circumstances,
        }
    }
}

impl Pipeline {
    /// Opens `spec` in `world` and takes up what is kept of it. A store that cannot be read is told
    /// in the first record, and the pipeline starts afresh.
    pub async fn open(spec: Arc<PipelineSpec>, world: Arc<World>, fence: Fence) -> Self {
        let mut notes = Vec::new();
        let (kept, known) = match world.state.load(&spec.name).await {
            Ok(Some(kept)) => (kept, true),
            Ok(None) => (Kept::default(), !world.state.is_degraded()),
            Err(error) => {
                notes.push(format!("what was kept cannot be read, the pipeline starts afresh: {error}"));
                (Kept::default(), false)
            }
        };
        let platform = world.platforms.open(&spec.scale, &spec.name, &world);
        let mut pipeline = Self {
            spec: Arc::clone(&spec),
            world,
            fence,
            platform,
            kept,
            measure_memory: Vec::new(),
            decide_memory: Mutex::new(Json::Null),
            busy_memory: Mutex::new(Json::Null),
            acting: Arc::default(),
            told: None,
            notes,
        };
        pipeline.take_up(&spec);
        if !known {
            let now = pipeline.world.clock.now();
            pipeline.kept.control.degrade(now, spec.decide.wait);
        }
        pipeline.world.audience.recall(&spec.name, &pipeline.kept.memory);
        pipeline
    }

    /// What is kept of a pipeline before its first tick.
    #[must_use]
    pub fn unused(spec: &PipelineSpec) -> Kept {
        Kept { source: Some(source(spec)), target: spec.scale.target(), ..Kept::default() }
    }

    /// Goes on as `spec`, between two ticks: history, cooldown and memory stay, but for a measurement
    /// whose source changed (new history) and a changed target (no cooldown).
    pub fn adopt(&mut self, spec: Arc<PipelineSpec>) {
        self.keep_memory();
        self.platform = self.world.platforms.open(&spec.scale, &spec.name, &self.world);
        self.told = None;
        self.take_up(&spec);
        self.spec = spec;
    }

    /// From the start of one tick to the start of the next.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.spec.interval()
    }

    /// What it is.
    #[must_use]
    pub fn spec(&self) -> &Arc<PipelineSpec> {
        &self.spec
    }

    /// What it remembers.
    #[must_use]
    pub fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Tells whether a scale call is in flight, also while a tick is under way.
    #[must_use]
    pub fn acting(&self) -> Acting {
        Acting(Arc::clone(&self.acting))
    }

    /// One tick, due at `due`. Dropping it before it ends loses this tick and nothing else, unless
    /// [`Acting::now`] says that a scale call is in flight.
    pub async fn tick(&mut self, due: DateTime<Utc>) -> Arc<Record> {
        self.kept.control.mend_clock(due);
        self.kept.control.tick += 1;
        let mut errors = std::mem::take(&mut self.notes);
        let fresh = self.kept.control.must_read(due);
        let freshness = if fresh { Freshness::Now } else { Freshness::Cached };
        let (measurements, supply, found) =
            tokio::join!(self.measure(due), self.observe(freshness), self.circumstances());
        let (circumstances, booting, unknown) = found;
        let supply = supply.map(|supply| Supply { booting: booting.unwrap_or(supply.booting), ..supply });
        let measurements = self.take_in(measurements);
        let resolved = self.note_read(&supply, fresh, due);
        let by_hand = self.note_count(&supply, due);
        let before = self.decide_memory();
        let levers = self.world.levers.levers();
        let active = levers.active(&self.spec.name, due);
        let (proposals, wrong) = self.propose(due, &measurements, &supply, &active).await;
        let (decision, control) = {
            let dynos = supply.as_ref().map(|supply| *supply);
            let (measurements, proposals) = (&measurements[..], &proposals[..]);
            let observation = Observation { measurements, dynos, proposals, levers: active, circumstances };
            decide(&self.spec, &self.kept.control, &observation, due)
        };
        let outcome = Outcome::None;
        errors.extend(unknown);
        let mut course = Course {
            measurements,
            supply,
            proposals,
            circumstances,
            wrong,
            decision,
            outcome,
            resolved,
            by_hand,
            levers,
            errors,
        };
        let control = self.ask_for_work(due, &mut course, control).await;
        let control = if course.decision.change().is_some() {
            self.look_again(due, &mut course, before, control).await
        } else {
            control
        };
        self.kept.control = control;
        if course.wrong.is_some() {
            self.kept.control.wrong_decisions = self.kept.control.wrong_decisions.saturating_add(1);
        } else if !course.proposals.is_empty() {
            self.kept.control.wrong_decisions = 0;
        }
        course.errors.extend(course.wrong.clone());
        if let Err(error) = &course.supply {
            course.errors.push(format!("the number of dynos is unknown: {error}"));
        }
        self.act(due, &mut course).await;
        let events = self.tell(due, &course);
        let record = Arc::new(self.record(due, course, &events));
        self.world.audience.tell(&self.spec, events);
        if let Err(error) = self.commit(None, Some(&record)).await {
            self.notes.push(format!("the state of the last tick was not kept: {error}"));
        }
        record
    }

    /// The count and the levers just before a scale; where one moved, the decision is made again.
    async fn look_again(
        &mut self,
        due: DateTime<Utc>,
        course: &mut Course,
        before: Json,
        control: super::ControlState,
    ) -> super::ControlState {
        let supply = self.observe(Freshness::Now).await;
        let same = |old: &Supply, new: &Supply| (old.dynos, old.limit) == (new.dynos, new.limit);
        let levers = self.world.levers.levers();
        let unmoved = matches!((&course.supply, &supply), (Ok(old), Ok(new)) if same(old, new))
            && Arc::ptr_eq(&levers, &course.levers);
        let mut control = control;
        if supply.is_ok() {
            control.read();
            self.kept.control.read();
        } else {
            control.read_failed(due);
            self.kept.control.read_failed(due);
        }
        let booting = course.supply.as_ref().map_or(0, |supply| supply.booting);
        course.supply = supply.map(|supply| Supply { booting: supply.booting.max(booting), ..supply });
        if unmoved {
            return control;
        }
        course.by_hand = self.note_count(&course.supply, due).or(course.by_hand);
        course.levers = levers;
        let active = course.levers.active(&self.spec.name, due);
        // Made again from the start, a script's memory included.
        *self.decide_memory.lock().unwrap_or_else(PoisonError::into_inner) = before;
        (course.proposals, course.wrong) = self.propose(due, &course.measurements, &course.supply, &active).await;
        let (decision, control) = decide(&self.spec, &self.kept.control, &course.observation(&self.spec, due), due);
        course.decision = decision;
        self.ask_for_work(due, course, control).await
    }

    /// Before a fall: the work that it would interrupt, where a guard wants to know; then it is decided
    /// again.
    async fn ask_for_work(
        &self,
        due: DateTime<Utc>,
        course: &mut Course,
        control: super::ControlState,
    ) -> super::ControlState {
        let Some(work) = self.spec.guards.busy.as_ref().filter(|_| course.decision.decided == Decided::Down) else {
            return control;
        };
        if course.circumstances.busy == Busy::NotAsked {
            let (busy, wrong) = Box::pin(self.busy(due, work)).await;
            course.circumstances.busy = busy;
            course.errors.extend(wrong);
        }
        let (decision, decided) = decide(&self.spec, &self.kept.control, &course.observation(&self.spec, due), due);
        course.decision = decision;
        decided
    }

    fn decide_memory(&self) -> Json {
        self.decide_memory.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Fits what is kept to `spec`.
    fn take_up(&mut self, spec: &PipelineSpec) {
        let source = source(spec);
        if self.kept.source.as_ref() != Some(&source) {
            self.kept.history = Arc::default();
            self.kept.control.new_source();
            self.kept.source = Some(source);
        }
        let target = spec.scale.target();
        if self.kept.target != target {
            self.kept.control.new_target();
            self.kept.scales.clear();
            self.kept.target = target;
        }
        let memory = |key: &str, initial: &Json| {
            let kept = self.kept.memory.get(key).filter(|memory| memory.is_object());
            let initial = if initial.is_object() { initial.clone() } else { Json::Object(serde_json::Map::new()) };
            Mutex::new(kept.cloned().unwrap_or(initial))
        };
        let stages = spec.measure.iter();
        self.measure_memory = stages.map(|stage| memory(&measure_key(spec, &stage.name), &stage.memory)).collect();
        self.decide_memory = memory(DECIDE_KEY, &spec.decide.memory);
        let none = Json::Null;
        self.busy_memory = memory(BUSY_KEY, spec.guards.busy.as_ref().map_or(&none, |work| &work.stage.memory));
        if let (Some(this), Some(kept)) = (self.platform.memory(), self.kept.memory.get(SCALE_KEY)) {
            *this.lock().unwrap_or_else(PoisonError::into_inner) = kept.clone();
        }
    }

    /// Brings `kept.memory` up to date.
    fn keep_memory(&mut self) {
        let kept = &mut self.kept.memory;
        let mut keep = |key: &str, memory: &Mutex<Json>| {
            let memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
            // An empty map is what a stage without memory has: nearly all of them, at every tick.
            if memory.as_object().is_some_and(|map| !map.is_empty()) || kept.contains_key(key) {
                kept.insert(key.to_owned(), memory.clone());
            }
        };
        keep(DECIDE_KEY, &self.decide_memory);
        keep(BUSY_KEY, &self.busy_memory);
        for (stage, memory) in self.spec.measure.iter().zip(&self.measure_memory) {
            keep(&measure_key(&self.spec, &stage.name), memory);
        }
        if let Some(memory) = self.platform.memory() {
            keep(SCALE_KEY, memory);
        }
        kept.extend(self.world.audience.memories(&self.spec.name));
    }

    async fn commit(
        &mut self,
        intent: Option<Intent>,
        record: Option<&Arc<Record>>,
    ) -> Result<(), crate::state::StateError> {
        self.keep_memory();
        let batch = Batch { kept: self.kept.clone(), intent, record: record.cloned() };
        self.world.state.commit(&self.spec.name, self.fence, batch).await
    }
}

/// The key of the deciding stage's memory.
const DECIDE_KEY: &str = "decide";

/// The key of the memory of the function that counts work, and its name as a stage.
pub(crate) const BUSY_KEY: &str = "busy";

/// The key of the scaling stage's memory.
const SCALE_KEY: &str = "scale";

/// The key of a measuring stage's memory.
fn measure_key(spec: &PipelineSpec, name: &str) -> Cow<'static, str> {
    if spec.measure.len() == 1 { "measure".into() } else { format!("measure.{name}").into() }
}

/// Source and unit of everything measured, `.map` included: histories of different ones do not mix.
fn source(spec: &PipelineSpec) -> String {
    let mut source = String::new();
    for stage in &spec.measure {
        source.push_str(&stage.backend.source());
        for function in &stage.map {
            source.push('\n');
            source.push_str(function.fingerprint());
        }
        source.push('\n');
    }
    source
}
