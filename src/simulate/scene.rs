//! Owns the pretended world of one simulation: an app and its dynos behind the capabilities that a tick
//! touches. Nothing outside is reached, nothing is kept, nobody is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json, json};

use super::app::{App, Second, Signal, Window};
use super::chance::Chance;
use super::faults::Faults;
use super::fleet::Fleet;
use super::model::Answer;
use crate::function::Calls;
use crate::levers::Levers;

use crate::measure::{MeasureContext, MeasureStage, Reading};
use crate::notify::Silent;
use crate::pipeline::{Failure, Ledger, Measurement, Record};
use crate::scale::Scale;
use crate::state::{Batch, Fence, Kept, KeptGeneration, Query, State, StateError};
use crate::world::pretend::Nowhere;
use crate::world::{
    Clock, Freshness, ManualClock, Platform, Platforms, ScaleError, ScaleErrorKind, Sources, Supply, World,
};

/// An app, its dynos, and what was seen of it lately.
pub(super) struct Scene {
    pub app: Box<dyn App>,
    pub fleet: Fleet,
    pub chance: Chance,
    pub faults: Faults,
    /// The seed of what goes wrong for a while.
    pub seed: u64,
    pub answer: Answer,
    /// Seconds that a dyno boots.
    pub boot: u64,
    /// Seconds that a measurement looks at.
    pub window: usize,
    /// Seconds by which it lags behind.
    pub delay: usize,
    /// The latest seconds, oldest first, as many as a measurement may look at.
    pub seconds: VecDeque<Second>,
    /// Seconds so far.
    pub elapsed: u64,
    /// What each measurement gave last, by its name.
    pub readings: Vec<(Arc<str>, Reading)>,
    /// The value of the last measurement.
    pub measured: Option<f64>,
}

impl Scene {
    /// Takes note of a second that has passed.
    pub fn passed(&mut self, second: Second) {
        if self.seconds.len() == self.window + self.delay {
            self.seconds.pop_front();
        }
        self.seconds.push_back(second);
        self.elapsed += 1;
    }

    /// What `stage` measures, or what a fault makes of it.
    fn measure(&mut self, stage: &MeasureStage) -> Result<Reading, Failure> {
        self.measured = None;
        let spells = self.faults.spells(self.elapsed, self.seed);
        if spells.outage || self.chance.happens(self.faults.missing) {
            return Err(Failure::not_load("the measurement is missing: a fault that was asked for"));
        }
        let last = self.readings.iter().position(|(name, _)| *name == stage.name);
        if let (true, Some(last)) = (spells.stuck, last) {
            let reading = self.readings[last].1.clone();
            self.measured = reading.value;
            return Ok(reading);
        }
        let reading = self.read(stage, if spells.doubled { 2.0 } else { 1.0 })?;
        self.measured = reading.value;
        if self.faults.stuck > 0.0 {
            match last {
                Some(last) => self.readings[last].1 = reading.clone(),
                None => self.readings.push((Arc::clone(&stage.name), reading.clone())),
            }
        }
        Ok(reading)
    }

    /// What is to be measured: of several measurements each has the signal of its own name. What is counted is
    /// counted so many times.
    fn read(&mut self, stage: &MeasureStage, times: f64) -> Result<Reading, Failure> {
        let to = self.seconds.len().saturating_sub(self.delay);
        let window = Window { seconds: &self.seconds, from: to.saturating_sub(self.window), to, elapsed: self.elapsed };
        if to == 0 {
            return Err(Failure::not_load("nothing has been measured yet"));
        }
        let (app, chance) = (&mut self.app, &mut self.chance);
        let mut one = |signal: Signal| {
            let value = app.measure(signal, &window, chance);
            let value = value.ok_or_else(|| Failure::overload("no dyno is ready to answer"))?;
            Ok(if signal.is_counted() { times * value } else { value })
        };
        let own = match &self.answer {
            Answer::Several(signals) => {
                signals.iter().find(|(name, _)| *name == stage.name).map(|(_, signal)| Answer::One(*signal))
            }
            Answer::One(_) => None,
        };
        match own.as_ref().unwrap_or(&self.answer) {
            Answer::One(signal) => {
                let value = one(*signal)?;
                Ok(Reading { data: json!(value), value: Some(value) })
            }
            Answer::Several(signals) => {
                let entry = |(name, signal): &(Arc<str>, Signal)| Ok((name.to_string(), json!(one(*signal)?)));
                let data = signals.iter().map(entry).collect::<Result<Map<String, Json>, Failure>>()?;
                Ok(Reading { data: data.into(), value: None })
            }
        }
    }

    fn scale_to(&mut self, dynos: u32) -> Result<(), ScaleError> {
        if self.chance.happens(self.faults.scale_fails) {
            let message = "the platform refuses: a fault that was asked for".into();
            return Err(ScaleError { kind: ScaleErrorKind::Refused, message });
        }
        let (boot, faults, chance) = (self.boot, self.faults, &mut self.chance);
        self.fleet.scale_to(dynos, self.elapsed, || faults.boot(boot, chance));
        Ok(())
    }
}

/// A scene that the world's capabilities and the run loop share.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<Scene>>);

impl Shared {
    pub fn new(scene: Scene) -> Self {
        Self(Arc::new(Mutex::new(scene)))
    }

    /// Never held while a tick is under way.
    pub fn lock(&self) -> MutexGuard<'_, Scene> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The world around it, whose clock is `clock`.
    pub fn world(&self, clock: &Arc<ManualClock>) -> Arc<World> {
        Arc::new(World {
            clock: Arc::clone(clock) as Arc<dyn Clock>,
            calls: Calls::patient(),
            http: Arc::new(Nowhere),
            redis: Arc::new(Nowhere),
            programs: Arc::new(Nowhere),
            sources: Arc::new(self.clone()),
            platforms: Arc::new(Fleets { scene: self.clone(), clock: Arc::clone(clock) }),
            console: Arc::new(Nowhere),
            audience: Arc::new(Silent),
            state: Arc::new(Forgetful),
            levers: Arc::default(),
            host: None,
            ledger: Arc::new(Ledger::alone()),
        })
    }
}

#[async_trait]
impl Sources for Shared {
    async fn measure(&self, stage: &MeasureStage, context: &MeasureContext<'_>, world: &Arc<World>) -> Measurement {
        let read = self.lock().measure(stage);
        stage.finish(read, context, world).await
    }
}

/// Opens the simulated platform, whatever a pipeline scales.
struct Fleets {
    scene: Shared,
    clock: Arc<ManualClock>,
}

impl Platforms for Fleets {
    fn open(&self, _scale: &Arc<dyn Scale>, _pipeline: &Arc<str>, _world: &Arc<World>) -> Arc<dyn Platform> {
        Arc::new(Self { scene: self.scene.clone(), clock: Arc::clone(&self.clock) })
    }
}

impl Fleets {
    fn supply(&self, read_at: DateTime<Utc>) -> Supply {
        let scene = self.scene.lock();
        Supply { dynos: scene.fleet.all(), booting: scene.fleet.booting(), limit: None, read_at }
    }
}

#[async_trait]
impl Platform for Fleets {
    async fn observe(&self, _freshness: Freshness) -> Result<Supply, ScaleError> {
        Ok(self.supply(self.clock.now()))
    }

    async fn scale_to(&self, dynos: u32) -> Result<Supply, ScaleError> {
        self.scene.lock().scale_to(dynos)?;
        Ok(self.supply(self.clock.now()))
    }
}

/// Keeps nothing: a simulation begins with nothing, and reads its records as they come.
struct Forgetful;

#[async_trait]
impl State for Forgetful {
    async fn load(&self, _pipeline: &str) -> Result<Option<Kept>, StateError> {
        Ok(None)
    }

    async fn commit(&self, _pipeline: &Arc<str>, _fence: Fence, _batch: Batch) -> Result<(), StateError> {
        Ok(())
    }

    async fn records(&self, _query: &Query) -> Result<Vec<Arc<Record>>, StateError> {
        Ok(Vec::new())
    }

    async fn levers(&self) -> Result<Levers, StateError> {
        Ok(Levers::default())
    }

    async fn keep_levers(&self, _levers: &Levers) -> Result<(), StateError> {
        Ok(())
    }

    async fn generations(&self, _unit: &str) -> Result<Vec<KeptGeneration>, StateError> {
        Ok(Vec::new())
    }

    async fn keep_generation(&self, _generation: KeptGeneration) -> Result<(), StateError> {
        Ok(())
    }
}
