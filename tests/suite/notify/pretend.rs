//! A world in which only the audience and the console are real, pipelines that only notify, and a
//! backend that records what it is told and when.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use autoscaler::decide::{DecideStage, DynosByTime, NamedPolicy, PolicyKind};
use autoscaler::function::{Argument, CallError, Callable, Calls, Function, Permit, Returned, This};
use autoscaler::notify::{Deliveries, Flags, LiveAudience, Notify, NotifyStage, Undelivered, audience};
use autoscaler::pipeline::{Event, EventKind, Mode, Phase, PipelineSpec};
use autoscaler::scale::Scale;
use autoscaler::settings::Place;
use autoscaler::state::MemoryState;
use autoscaler::world::{
    Console, Http, HttpError, LiveSources, Platform, Platforms, Reply, Request, SystemClock, World,
};
use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;

pub struct Nowhere;

#[async_trait]
impl Http for Nowhere {
    async fn send(&self, request: Request) -> Result<Reply, HttpError> {
        unreachable!("no notification of these tests requests {}", request.url)
    }
}

impl Platforms for Nowhere {
    fn open(&self, _: &Arc<dyn Scale>, _: &Arc<str>, _: &Arc<World>) -> Arc<dyn Platform> {
        unreachable!("nothing is scaled in these tests")
    }
}

#[derive(Debug)]
struct Unscaled;

impl Scale for Unscaled {
    fn backend(&self) -> &'static str {
        "custom"
    }
    fn settings(&self) -> Json {
        json!({})
    }
    fn target(&self) -> Option<String> {
        None
    }
    fn open(self: Arc<Self>, _: &Arc<str>, _: &Arc<World>) -> Arc<dyn Platform> {
        unreachable!("nothing is scaled in these tests")
    }
}

/// Keeps the lines.
#[derive(Debug, Default)]
pub struct Lines(pub Mutex<Vec<String>>);

impl Console for Lines {
    fn say(&self, severity: &str, line: &str) -> io::Result<()> {
        self.0.lock().unwrap().push(format!("{severity} {line}"));
        Ok(())
    }
}

/// A world with a live audience, and the handle that closes it.
pub fn world() -> (Arc<World>, Deliveries, Arc<Lines>) {
    let (live, delivery) = audience();
    let (world, console) = world_of(live);
    let deliveries = delivery.start(&world);
    (world, deliveries, console)
}

pub fn world_of(live: LiveAudience) -> (Arc<World>, Arc<Lines>) {
    let console = Arc::new(Lines::default());
    let world = Arc::new(World {
        clock: Arc::new(SystemClock),
        calls: Calls::default(),
        http: Arc::new(Nowhere),
        redis: Arc::new(autoscaler::net::RedisConnections::default()),
        programs: Arc::new(autoscaler::program::Runner),
        sources: Arc::new(LiveSources),
        platforms: Arc::new(Nowhere),
        console: Arc::clone(&console) as Arc<dyn Console>,
        audience: Arc::new(live),
        state: Arc::new(MemoryState::default()),
        levers: Arc::default(),
        host: None,
        ledger: Arc::default(),
    });
    (world, console)
}

/// A pipeline that only notifies.
pub fn pipeline(name: &str, notify: Vec<NotifyStage>) -> Arc<PipelineSpec> {
    Arc::new(PipelineSpec {
        simulate: None,
        name: Arc::from(name),
        script: None,
        generation: 1,
        place: None,
        mode: Mode::Live,
        measure: Vec::new(),
        decide: DecideStage {
            policies: vec![NamedPolicy::only(PolicyKind::Scripted(function(|_, _| Ok(Returned::Nothing))), json!({}))],
            shadow: Vec::new(),
            min_dynos: DynosByTime::Always(1),
            max_dynos: DynosByTime::Always(3),
            max_written: true,
            min_written: true,
            zone: chrono_tz::UTC,
            increment: 1,
            wait: Duration::from_secs(5),
            history_length: 10,
            keep_history: false,
            call_on_failure: false,
        },
        scale: Arc::new(Unscaled),
        scale_memory: json!({}),
        notify,
        start_from_zero: false,
        notify_repeat: Duration::from_secs(3_600),
        respect_manual: Duration::ZERO,
        guards: autoscaler::pipeline::GuardSettings::default(),
        limits: Vec::new(),
    })
}

/// Hears everything that a flag can give.
pub const ALL: Flags = Flags {
    every_measurement: true,
    every_scale: true,
    needs_below_min: true,
    needs_exceed_max: true,
    too_rapid: true,
    too_rapid_scales: 5,
    too_rapid_period: Duration::from_secs(60),
};

pub fn stage(backend: &Arc<impl Notify + 'static>) -> NotifyStage {
    NotifyStage { backend: Arc::clone(backend) as Arc<dyn Notify>, flags: Some(ALL), memory: json!({}) }
}

pub fn event(pipeline: &str, kind: EventKind, message: &str) -> Event {
    Event {
        kind,
        phase: Phase::Once,
        key: format!("{pipeline}/{kind}"),
        severity: "info".into(),
        pipeline: Arc::from(pipeline),
        message: message.into(),
        subject: message.into(),
        dynos: Some(2),
        from: None,
        to: None,
        measurement: None,
        unit: None,
        target: None,
        reason: None,
        at: DateTime::<Utc>::UNIX_EPOCH,
    }
}

/// A failure with its cause.
pub fn failure(pipeline: &str, kind: EventKind, reason: &str) -> Event {
    Event {
        reason: Some(reason.into()),
        severity: "error".into(),
        phase: Phase::Begin,
        ..event(pipeline, kind, &format!("{kind} of {pipeline}"))
    }
}

/// What a recorder was told, and when since the start of the test.
#[derive(Clone, Debug)]
pub struct Told {
    pub after: Duration,
    pub event: Arc<Event>,
}

/// Records every try.
#[derive(Debug)]
pub struct Recorder {
    name: String,
    leaves_machine: bool,
    pub reloads: bool,
    /// What the next tries answer; after that all succeed.
    answers: Mutex<VecDeque<Answer>>,
    /// Tries wait for a permit of it.
    pub gate: Semaphore,
    start: Instant,
    told: mpsc::UnboundedSender<Told>,
}

#[derive(Clone, Debug)]
pub enum Answer {
    Undelivered(Undelivered),
    Panic,
}

impl Recorder {
    pub fn new(name: &str) -> (Arc<Self>, mpsc::UnboundedReceiver<Told>) {
        Self::with(name, false, [])
    }

    pub fn with(
        name: &str,
        leaves_machine: bool,
        answers: impl IntoIterator<Item = Answer>,
    ) -> (Arc<Self>, mpsc::UnboundedReceiver<Told>) {
        let (told, heard) = mpsc::unbounded_channel();
        let recorder = Self {
            name: name.into(),
            leaves_machine,
            reloads: false,
            answers: Mutex::new(answers.into_iter().collect()),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            start: Instant::now(),
            told,
        };
        (Arc::new(recorder), heard)
    }
}

#[async_trait]
impl Notify for Recorder {
    fn backend(&self) -> &'static str {
        "Recorder"
    }
    fn settings(&self) -> Json {
        json!({})
    }
    fn recipient(&self) -> String {
        self.name.clone()
    }
    fn leaves_machine(&self) -> bool {
        self.leaves_machine
    }
    fn hears_reloads(&self) -> bool {
        self.reloads
    }
    async fn deliver(&self, event: &Arc<Event>, _: &Mutex<This>, _: &Arc<World>) -> Result<(), Undelivered> {
        self.gate.acquire().await.unwrap().forget();
        let _ = self.told.send(Told { after: self.start.elapsed(), event: Arc::clone(event) });
        let answer = self.answers.lock().unwrap().pop_front();
        match answer {
            None => Ok(()),
            Some(Answer::Undelivered(why)) => Err(why),
            Some(Answer::Panic) => panic!("a backend with a bug"),
        }
    }
}

type Body = Box<dyn Fn(Argument, &mut Json) -> Result<Returned, CallError> + Send + Sync>;

struct Scripted {
    body: Body,
    place: Place,
}

impl std::fmt::Debug for Scripted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scripted")
    }
}

impl Callable for Scripted {
    fn arity(&self) -> usize {
        1
    }
    fn place(&self) -> &Place {
        &self.place
    }
    fn fingerprint(&self) -> &'static str {
        "a function of the tests"
    }
    fn call(&self, argument: Argument, memory: &mut This, _: &Permit) -> Result<Returned, CallError> {
        let mut json = memory.json().clone();
        let answer = (self.body)(argument, &mut json);
        *memory = json.into();
        answer
    }
}

/// A function of a script.
pub fn function(body: impl Fn(Argument, &mut Json) -> Result<Returned, CallError> + Send + Sync + 'static) -> Function {
    Arc::new(Scripted { body: Box::new(body), place: Place::file("autoscale.rhai") })
}

/// No memories.
pub fn nothing() -> BTreeMap<String, This> {
    BTreeMap::new()
}
