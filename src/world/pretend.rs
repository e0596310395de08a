//! Owns a world that reaches nothing: measurements that are fed, dynos that are a number, a clock that
//! is set by hand, and an audience that listens. Ticks in it are the very same code.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use super::{
    Clock, Condition, Console, Freshness, Http, HttpError, HttpErrorKind, ManualClock, Platform, Platforms, Program,
    ProgramError, Programs, Redis, RedisError, RedisErrorKind, RedisQuestion, RedisServer, RedisValue, Reply, Request,
    ScaleError, ScaleErrorKind, Sources, Supply, Wants, World,
};
use crate::function::Calls;
use crate::measure::{MeasureContext, MeasureStage, Reading};
use crate::notify::Audience;
use crate::pipeline::{BUSY_KEY, Event, Failure, Ledger, Measurement, PipelineSpec};
use crate::request::Response;
use crate::scale::Scale;
use crate::state::MemoryState;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A world that reaches nothing, and the handles to what it pretends.
#[derive(Clone)]
pub struct Pretend {
    /// The world.
    pub world: Arc<World>,
    /// Its clock.
    pub clock: Arc<ManualClock>,
    /// What is measured in it.
    pub sources: Arc<FedSources>,
    /// The dynos in it.
    pub platforms: Arc<PretendPlatforms>,
    /// What was told in it.
    pub audience: Arc<Listener>,
    /// What is kept in it.
    pub state: Arc<MemoryState>,
}

impl Pretend {
    /// A world whose clock stands at `start`, in which nothing is measured but what is fed.
    #[must_use]
    pub fn starting_at(start: DateTime<Utc>) -> Self {
        Self::build(start, Arc::new(Nowhere), FedSources::default())
    }

    /// A world whose clock stands at `start`, for a test: where nothing is fed the stage measures itself,
    /// and `http` answers it.
    #[must_use]
    pub fn with_http(start: DateTime<Utc>, http: Arc<dyn Http>) -> Self {
        Self::build(start, http, FedSources { fed: Mutex::default(), measures: true })
    }

    fn build(start: DateTime<Utc>, http: Arc<dyn Http>, sources: FedSources) -> Self {
        let clock = Arc::new(ManualClock::new(start));
        let sources = Arc::new(sources);
        let platforms = Arc::new(PretendPlatforms::new(Arc::clone(&clock)));
        let audience = Arc::new(Listener::default());
        let state = Arc::new(MemoryState::default());
        let world = Arc::new(World {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            calls: Calls::default(),
            http,
            redis: Arc::new(Nowhere),
            programs: Arc::new(Nowhere),
            sources: Arc::clone(&sources) as Arc<dyn Sources>,
            platforms: Arc::clone(&platforms) as Arc<dyn Platforms>,
            console: Arc::new(Nowhere),
            audience: Arc::clone(&audience) as Arc<dyn Audience>,
            state: Arc::clone(&state) as Arc<dyn crate::state::State>,
            ledger: Arc::new(Ledger::alone()),
            levers: Arc::default(),
            host: None,
        });
        Self { world, clock, sources, platforms, audience, state }
    }
}

/// Answers every request with "reaches nothing".
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nowhere;

const NOWHERE: &str = "this world reaches nothing outside";

#[async_trait]
impl Http for Nowhere {
    async fn send(&self, _request: Request) -> Result<Reply, HttpError> {
        Err(HttpError { kind: HttpErrorKind::Invalid, message: NOWHERE.into() })
    }
}

#[async_trait]
impl Redis for Nowhere {
    async fn list_lengths(&self, _server: &RedisServer, _keys: &[Vec<u8>]) -> Result<Vec<u64>, RedisError> {
        Err(RedisError { kind: RedisErrorKind::Wrong, message: NOWHERE.into() })
    }

    async fn read(&self, _server: &RedisServer, _question: &RedisQuestion) -> Result<RedisValue, RedisError> {
        Err(RedisError { kind: RedisErrorKind::Wrong, message: NOWHERE.into() })
    }
}

#[async_trait]
impl Programs for Nowhere {
    async fn run(&self, _program: Program) -> Result<Response, ProgramError> {
        Err(ProgramError { message: NOWHERE.into(), started: false })
    }
}

impl Console for Nowhere {
    fn say(&self, _severity: &str, _line: &str) -> std::io::Result<()> {
        Ok(())
    }
}

/// One measurement that is fed.
#[derive(Clone, Debug)]
enum Fed {
    /// As it would come from the backend: `.map` reworks it.
    Raw(Result<Json, Failure>),
    /// As it was taken once, reworked already.
    Taken(Measurement),
}

/// Measurements that are fed, in order, by pipeline.
#[derive(Debug, Default)]
pub struct FedSources {
    fed: Mutex<BTreeMap<String, Feed>>,
    /// Whether a stage measures itself where nothing is fed.
    measures: bool,
}

/// What is fed to one pipeline.
#[derive(Debug, Default)]
struct Feed {
    /// For whichever stage measures next.
    next: VecDeque<Fed>,
    /// By the name of the stage; the last one stays, and is measured again.
    named: BTreeMap<String, VecDeque<Result<Json, Failure>>>,
    /// Names of which more than the last one is there.
    waiting: BTreeSet<String>,
    /// What is wrong with every measurement.
    failing: Option<Failure>,
}

impl Feed {
    fn take(&mut self, stage: &str) -> Option<Fed> {
        if let Some(failure) = &self.failing {
            return Some(Fed::Raw(Err(failure.clone())));
        }
        let Some(named) = self.named.get_mut(stage) else { return self.next.pop_front() };
        if named.len() > 1 {
            return named.pop_front().map(Fed::Raw);
        }
        self.waiting.remove(stage);
        named.front().cloned().map(Fed::Raw)
    }
}

impl FedSources {
    /// The next measurement of `pipeline` ("web.busy": of the work of `web`): data as it would come from the backend, or a failure.
    pub fn feed(&self, pipeline: &str, measured: Result<Json, Failure>) {
        lock(&self.fed).entry(pipeline.into()).or_default().next.push_back(Fed::Raw(measured));
    }

    /// The next measurements of the stage `name` of `pipeline`, in place of those that it had; the last of them is
    /// measured again and again.
    pub fn feed_named(&self, pipeline: &str, name: &str, measured: impl IntoIterator<Item = Result<Json, Failure>>) {
        let mut fed = lock(&self.fed);
        let fed = fed.entry(pipeline.into()).or_default();
        let measured: VecDeque<_> = measured.into_iter().collect();
        if !measured.is_empty() {
            fed.waiting.insert(name.into());
            fed.named.insert(name.into(), measured);
        }
    }

    /// Whether something that was fed by name was not measured yet.
    #[must_use]
    pub fn waits(&self, pipeline: &str) -> bool {
        lock(&self.fed).get(pipeline).is_some_and(|fed| !fed.waiting.is_empty())
    }

    /// Lets every measurement of `pipeline` fail, until it is told otherwise.
    pub fn fail(&self, pipeline: &str, failure: Option<Failure>) {
        lock(&self.fed).entry(pipeline.into()).or_default().failing = failure;
    }

    /// The next measurement of `pipeline`: one that was taken before, and is taken as it is.
    pub fn feed_taken(&self, pipeline: &str, measurement: Measurement) {
        lock(&self.fed).entry(pipeline.into()).or_default().next.push_back(Fed::Taken(measurement));
    }
}

#[async_trait]
impl Sources for FedSources {
    async fn measure(&self, stage: &MeasureStage, context: &MeasureContext<'_>, world: &Arc<World>) -> Measurement {
        let busy = (*stage.name == *BUSY_KEY).then(|| format!("{}.{BUSY_KEY}", context.pipeline));
        let key = busy.as_deref().unwrap_or(context.pipeline);
        let fed = lock(&self.fed).get_mut(key).and_then(|fed| fed.take(&stage.name));
        if fed.is_none() && self.measures {
            return stage.measure(context, world).await;
        }
        let read = match fed {
            Some(Fed::Taken(taken)) => return taken,
            Some(Fed::Raw(read)) => read,
            None => Err(Failure::not_load("no measurement was fed")),
        };
        let read = read.map(|data| Reading { value: data.as_f64(), data });
        stage.finish(read, context, world).await
    }
}

/// One pretended platform.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PretendDynos {
    /// Dynos asked for.
    pub dynos: u32,
    /// Of these, still booting.
    pub booting: u32,
    /// Dynos that crashed or were stopped.
    pub crashed: u32,
    /// Whether a new version is being released.
    pub releasing: bool,
    /// Why nothing but the count can be read.
    pub silent: Option<ScaleError>,
    /// The platform's cap.
    pub limit: Option<u32>,
    /// What goes wrong with the next reads, in order; `None` for one that goes well.
    pub reads: VecDeque<Option<ScaleError>>,
    /// What goes wrong with the next scales, in order; `None` for one that goes well. One of kind
    /// [`ScaleErrorKind::Unknown`] is applied nevertheless.
    pub scales: VecDeque<Option<ScaleError>>,
    /// Set just after the next cached read: a person acts between the read and the scale.
    pub moves: Option<u32>,
    /// Every read that was asked for.
    pub read: Vec<Freshness>,
    /// Every count that was asked for.
    pub asked: Vec<u32>,
}

/// Dynos that are a number, by pipeline.
#[derive(Debug)]
pub struct PretendPlatforms {
    clock: Arc<ManualClock>,
    dynos: Mutex<BTreeMap<String, Arc<Mutex<PretendDynos>>>>,
}

impl PretendPlatforms {
    fn new(clock: Arc<ManualClock>) -> Self {
        Self { clock, dynos: Mutex::default() }
    }

    /// The dynos of `pipeline`, 1 at first.
    #[must_use]
    pub fn of(&self, pipeline: &str) -> Arc<Mutex<PretendDynos>> {
        let fresh = || Arc::new(Mutex::new(PretendDynos { dynos: 1, ..PretendDynos::default() }));
        Arc::clone(lock(&self.dynos).entry(pipeline.into()).or_insert_with(fresh))
    }

    /// Sets the number of dynos of `pipeline`, as a person would.
    pub fn set(&self, pipeline: &str, dynos: u32) {
        lock(&self.of(pipeline)).dynos = dynos;
    }

    /// The number of dynos of `pipeline`.
    #[must_use]
    pub fn dynos(&self, pipeline: &str) -> u32 {
        lock(&self.of(pipeline)).dynos
    }
}

impl Platforms for PretendPlatforms {
    fn open(&self, _scale: &Arc<dyn Scale>, pipeline: &Arc<str>, _world: &Arc<World>) -> Arc<dyn Platform> {
        Arc::new(PretendPlatform { clock: Arc::clone(&self.clock), dynos: self.of(pipeline) })
    }
}

struct PretendPlatform {
    clock: Arc<ManualClock>,
    dynos: Arc<Mutex<PretendDynos>>,
}

impl PretendPlatform {
    fn supply(&self, dynos: &PretendDynos) -> Supply {
        Supply { dynos: dynos.dynos, booting: dynos.booting, limit: dynos.limit, read_at: self.clock.now() }
    }
}

#[async_trait]
impl Platform for PretendPlatform {
    async fn observe(&self, freshness: Freshness) -> Result<Supply, ScaleError> {
        let mut dynos = lock(&self.dynos);
        dynos.read.push(freshness);
        if let Some(error) = dynos.reads.pop_front().flatten() {
            return Err(error);
        }
        let supply = self.supply(&dynos);
        if freshness == Freshness::Cached
            && let Some(moved) = dynos.moves.take()
        {
            dynos.dynos = moved;
        }
        Ok(supply)
    }

    async fn condition(&self, wants: Wants) -> Result<Condition, ScaleError> {
        let dynos = lock(&self.dynos);
        if let Some(error) = &dynos.silent {
            return Err(error.clone());
        }
        let boots = |count: u32| wants.boots.then_some(count);
        Ok(Condition {
            booting: boots(dynos.booting),
            not_up: boots(dynos.booting + dynos.crashed),
            releasing: wants.release.then_some(dynos.releasing),
        })
    }

    async fn scale_to(&self, count: u32) -> Result<Supply, ScaleError> {
        let mut dynos = lock(&self.dynos);
        dynos.asked.push(count);
        let error = dynos.scales.pop_front().flatten();
        if error.as_ref().is_none_or(|error| error.kind == ScaleErrorKind::Unknown) {
            dynos.dynos = count;
        }
        error.map_or_else(|| Ok(self.supply(&dynos)), Err)
    }
}

/// An audience that keeps what it is told.
#[derive(Debug, Default)]
pub struct Listener(Mutex<Vec<Event>>);

impl Listener {
    /// What was told since the last call, oldest first.
    #[must_use]
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *lock(&self.0))
    }
}

impl Audience for Listener {
    fn tell(&self, _pipeline: &Arc<PipelineSpec>, events: Vec<Event>) {
        lock(&self.0).extend(events);
    }

    fn announce(&self, _pipelines: &[Arc<PipelineSpec>], event: Event) {
        lock(&self.0).push(event);
    }
}
