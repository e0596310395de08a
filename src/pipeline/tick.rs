//! Owns one pipeline at work: measure → record → decide → scale → notify, once per [`Pipeline::tick`].
//! It keeps no time of its own, and no script, reply or store can end it.

mod act;
mod cap;
mod circumstances;
mod interrupted;
mod keep;
mod look;
mod panel;
mod record;
mod tell;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

pub(crate) use self::keep::BUSY_KEY;
use self::panel::{Answers, Panel};
use super::controller::{Busy, Circumstances, Observation, Proposed, decide};
use super::{ByHand, ControlState, Decided, Decision, Measurement, Outcome, PipelineSpec, Record, Room, ShadowRecord};
use crate::function::This;
use crate::levers::{ActiveLevers, Levers};
use crate::state::{Fence, Intent, Kept, Measured};
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
    measure_memory: Vec<Mutex<This>>,
    /// `this` of the function that counts work.
    busy_memory: Mutex<This>,
    /// The newest measurements of several stages, in their order; those of a slow one last for many ticks.
    readings: Vec<Option<Measurement>>,
    /// The policies that decide.
    panel: Panel,
    /// The policies that are only recorded.
    shadow: Panel,
    /// Whether a scale call is in flight.
    acting: Arc<AtomicBool>,
    /// The change that a dry run told last: it wants the same every tick, and is told once.
    told: Option<(u32, u32)>,
    /// Said in the next record.
    notes: Vec<String>,
    /// What reloads changed since the last record.
    reloaded: Option<String>,
    /// Whether what was kept could not be read: nobody will know it any more.
    unknown: bool,
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
    answers: Answers,
    circumstances: Circumstances,
    /// What the limits that are shared with other pipelines left.
    room: Option<Room>,
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

/// What a tick has seen before it decides.
#[derive(Clone, Copy)]
struct Seen<'a> {
    measurements: &'a [Measurement],
    supply: &'a Result<Supply, ScaleError>,
    proposals: &'a [Proposed],
    circumstances: Circumstances,
    levers: ActiveLevers<'a>,
}

impl Course {
    /// What the tick of `spec` that was due at `due` has seen.
    fn seen(&self, spec: &PipelineSpec, due: DateTime<Utc>) -> Seen<'_> {
        Seen {
            measurements: &self.measurements,
            supply: &self.supply,
            proposals: &self.answers.proposals,
            circumstances: self.circumstances,
            levers: self.levers.active(&spec.name, due),
        }
    }

    /// What it found.
    fn observation(&self, spec: &PipelineSpec, due: DateTime<Utc>) -> Observation<'_> {
        Observation {
            measurements: &self.measurements,
            dynos: self.supply.as_ref().map(|supply| *supply),
            proposals: &self.answers.proposals,
            room: self.room,
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
            // On a full disk the last scale may not be among it.
            Ok(Some(kept)) => (kept, !world.state.is_degraded()),
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
            busy_memory: Mutex::new(Json::Null.into()),
            readings: Vec::new(),
            panel: Panel::default(),
            shadow: Panel::default(),
            acting: Arc::default(),
            told: None,
            notes,
            reloaded: None,
            unknown: false,
        };
        pipeline.take_up(&spec);
        pipeline.unknown = !known && !pipeline.world.state.is_degraded();
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
        let target = spec.scale.target();
        let sources = || spec.measure.iter().map(|stage| (stage.name.to_string(), Some(keep::source(stage))));
        if spec.names_measurements() {
            let measured = |(name, source)| (name, Measured { source, ..Measured::default() });
            return Kept { named: sources().map(measured).collect(), target, ..Kept::default() };
        }
        Kept { source: sources().find_map(|(_, source)| source), target, ..Kept::default() }
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

    /// Takes note of what a reload `changed`, for the next record.
    pub fn note_reload(&mut self, changed: &str) {
        let before = self.reloaded.take().map_or_else(String::new, |before| format!("{before}; then "));
        self.reloaded = Some(format!("{before}{changed}"));
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
        // A store may be lost for a while, and come back.
        self.kept.control.degraded = self.unknown || self.world.state.is_degraded();
        self.kept.control.tick += 1;
        let mut errors = std::mem::take(&mut self.notes);
        let fresh = self.kept.control.must_read(due);
        let freshness = if fresh { Freshness::Now } else { Freshness::Cached };
        let (measurements, supply, found) =
            tokio::join!(self.measure(due), self.observe(freshness), self.circumstances());
        let (circumstances, booting, unknown) = found;
        let supply = supply.map(|supply| Supply { booting: booting.unwrap_or(supply.booting), ..supply });
        let measurements = self.take_in(measurements, due);
        let resolved = self.note_read(&supply, fresh, due);
        errors.extend(self.finish_interrupted(&supply).await);
        let by_hand = self.note_count(&supply, due);
        let before = self.panel.recall();
        let policies = (&self.spec.decide.policies[..], &self.panel);
        let answers = self.ask(due, policies, &self.kept.control, &measurements, &supply).await;
        let levers = self.world.levers.levers();
        let seen = Seen {
            measurements: &measurements,
            supply: &supply,
            proposals: &answers.proposals,
            circumstances,
            levers: levers.active(&self.spec.name, due),
        };
        let (room, decision, mut control) = self.judge(due, &seen);
        let outcome = Outcome::None;
        errors.extend(unknown);
        let mut course = Course {
            measurements,
            supply,
            answers,
            circumstances,
            room,
            decision,
            outcome,
            resolved,
            by_hand,
            levers,
            errors,
        };
        self.ask_for_work(due, &mut course, &mut control).await;
        if course.decision.change().is_some() {
            self.look_again(due, &mut course, before, &mut control).await;
        }
        self.panel.heard(&mut course.answers);
        let decided_on = std::mem::replace(&mut self.kept.control, control);
        if course.answers.wrong.is_some() {
            self.kept.control.wrong_decisions = self.kept.control.wrong_decisions.saturating_add(1);
        } else if !course.answers.proposals.is_empty() {
            self.kept.control.wrong_decisions = 0;
        }
        course.errors.extend(course.answers.wrong.clone());
        if let Err(error) = &course.supply {
            course.errors.push(format!("the number of dynos is unknown: {error}"));
        }
        self.act(due, &mut course).await;
        let events = self.tell(due, &course);
        // People do not wait for what is only recorded.
        self.world.audience.tell(&self.spec, events.clone());
        let shadow = self.watch_shadow(due, &course, &decided_on).await;
        let reloaded = self.reloaded.take();
        let mut record = Record { reloaded, shadow, ..self.record(due, &course, events) };
        record.measurements = self.measurement_records(course.measurements);
        let record = Arc::new(record);
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
        before: Vec<This>,
        control: &mut ControlState,
    ) {
        let supply = self.observe(Freshness::Now).await;
        let same = |old: &Supply, new: &Supply| (old.dynos, old.limit) == (new.dynos, new.limit);
        let levers = self.world.levers.levers();
        let unmoved = matches!((&course.supply, &supply), (Ok(old), Ok(new)) if same(old, new))
            && Arc::ptr_eq(&levers, &course.levers);
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
            return;
        }
        course.by_hand = self.note_count(&course.supply, due).or(course.by_hand);
        course.levers = levers;
        // Made again from the start, a script's memory included.
        self.panel.restore(before);
        let policies = (&self.spec.decide.policies[..], &self.panel);
        course.answers = self.ask(due, policies, &self.kept.control, &course.measurements, &course.supply).await;
        *control = self.judge_again(due, course);
        self.ask_for_work(due, course, control).await;
    }

    /// Decides again, as things stand in `course` now.
    fn judge_again(&self, due: DateTime<Utc>, course: &mut Course) -> ControlState {
        let (room, decision, control) = self.judge(due, &course.seen(&self.spec, due));
        (course.room, course.decision) = (room, decision);
        control
    }

    /// Before a fall: the work that it would interrupt, where a guard wants to know; then it is decided
    /// again.
    async fn ask_for_work(&self, due: DateTime<Utc>, course: &mut Course, control: &mut ControlState) {
        let Some(work) = self.spec.guards.busy.as_ref().filter(|_| course.decision.decided == Decided::Down) else {
            return;
        };
        if course.circumstances.busy == Busy::NotAsked {
            let (busy, wrong) = Box::pin(self.busy(due, work)).await;
            course.circumstances.busy = busy;
            course.errors.extend(wrong);
        }
        *control = self.judge_again(due, course);
    }

    /// Decides, and is granted what is decided by the limits that are shared with other pipelines.
    fn judge(&self, due: DateTime<Utc>, seen: &Seen<'_>) -> (Option<Room>, Decision, ControlState) {
        let Seen { measurements, supply, proposals, circumstances, levers } = *seen;
        let (spec, state, dynos) = (&self.spec, &self.kept.control, supply.as_ref().map(|supply| *supply));
        let current = dynos.ok().map(|supply| supply.dynos);
        let open = state.open.map(|intent| intent.to);
        let (decision, (room, control)) = self.world.ledger.decide(spec, current, open, due, |room| {
            let observation = Observation { measurements, dynos, proposals, levers, room, circumstances };
            let (decision, control) = decide(spec, state, &observation, due);
            (decision, (room, control))
        });
        (room, decision, control)
    }

    /// What the shadow would have done in the tick that `control` decided on, whatever happens in it.
    async fn watch_shadow(
        &mut self,
        due: DateTime<Utc>,
        course: &Course,
        control: &ControlState,
    ) -> Option<ShadowRecord> {
        let spec = Arc::clone(&self.spec);
        if spec.decide.shadow.is_empty() {
            return None;
        }
        let policies = (&spec.decide.shadow[..], &self.shadow);
        // Boxed: the future of a script call is large, and most pipelines have no shadow.
        let asked = Box::pin(self.ask(due, policies, control, &course.measurements, &course.supply));
        let mut answers = asked.await;
        self.shadow.heard(&mut answers);
        let observation = Observation { proposals: &answers.proposals, ..course.observation(&spec, due) };
        let (decision, _) = decide(&spec, control, &observation, due);
        Some(record::of_shadow(&spec, &decision, &observation))
    }
}
