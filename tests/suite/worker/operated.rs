//! A worker in this process, in a pretended world on virtual time, that tests ask as the commands do.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use autoscaler::control::{Answer, Ask, Desk, Status};
use autoscaler::levers::{Lever, Levers, Pull, Pulled, Whom};
use autoscaler::measure::{MeasureContext, MeasureStage};
use autoscaler::pipeline::{Event, Measurement};
use autoscaler::script::{Environment, MissingSecrets};
use autoscaler::state::{Query, State};
use autoscaler::worker::{Actor, Loading, Options, Supervisor};
use autoscaler::world::pretend::Pretend;
use autoscaler::world::{Http, HttpError, LiveSources, Reply, Request, Sources, TokioClock, World};
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::harness::Script;

/// When every worker begins.
const START: &str = "2026-11-24T12:00:00Z";

/// One variable is set.
struct Few;

impl Environment for Few {
    fn variable(&self, name: &str) -> Option<String> {
        (name == "SNITCH_URL").then(|| "http://watchdog.example/abcdefgh".into())
    }
}

/// The watchdog, and whatever else is asked for: what was asked when.
#[derive(Default)]
pub struct Asked(pub Mutex<Vec<(DateTime<Utc>, String)>>, Mutex<Option<Arc<TokioClock>>>);

#[async_trait]
impl Http for Asked {
    async fn send(&self, request: Request) -> Result<Reply, HttpError> {
        use autoscaler::world::Clock;
        let now = self.1.lock().unwrap().as_ref().map(|clock| clock.now()).unwrap_or_default();
        self.0.lock().unwrap().push((now, request.url));
        Ok(Reply { status: 200, headers: Vec::new(), body: "ok".into(), took: Duration::ZERO })
    }
}

/// Measures as the script says, but for pipelines that hang.
#[derive(Default)]
pub struct Hanging(pub Mutex<Vec<String>>);

#[async_trait]
impl Sources for Hanging {
    async fn measure(&self, stage: &MeasureStage, context: &MeasureContext<'_>, world: &Arc<World>) -> Measurement {
        if self.0.lock().unwrap().iter().any(|name| **name == **context.pipeline) {
            std::future::pending::<()>().await;
        }
        LiveSources.measure(stage, context, world).await
    }
}

/// A worker at work.
pub struct Operated {
    pub script: Script,
    pub pretend: Pretend,
    pub world: Arc<World>,
    pub desk: Arc<Desk>,
    pub asked: Arc<Asked>,
    pub hanging: Arc<Hanging>,
    pub start: DateTime<Utc>,
    stop: CancellationToken,
    reload: Arc<Notify>,
    running: JoinHandle<()>,
}

impl Operated {
    /// Runs `script`, with levers that an earlier worker left.
    pub async fn start_with(script: Script, levers: Levers) -> Self {
        let pretend = Pretend::starting_at(START.parse().unwrap());
        pretend.world.state.keep_levers(&levers).await.unwrap();
        Self::begin(script, pretend)
    }

    /// Runs `script`, which keeps what it keeps in `state`.
    pub fn start_in(script: Script, state: Arc<dyn State>) -> Self {
        let mut pretend = Pretend::starting_at(START.parse().unwrap());
        pretend.world = Arc::new(World { state, ..World::clone(&pretend.world) });
        Self::begin(script, pretend)
    }

    /// Runs `script`.
    pub fn start(script: Script) -> Self {
        Self::begin(script, Pretend::starting_at(START.parse().unwrap()))
    }

    fn begin(script: Script, pretend: Pretend) -> Self {
        let start: DateTime<Utc> = START.parse().unwrap();
        let clock = Arc::new(TokioClock::starting_at(start));
        let (asked, hanging) = (Arc::<Asked>::default(), Arc::<Hanging>::default());
        *asked.1.lock().unwrap() = Some(Arc::clone(&clock));
        let world = Arc::new(World {
            clock,
            http: Arc::clone(&asked) as Arc<dyn Http>,
            sources: Arc::clone(&hanging) as Arc<dyn Sources>,
            ..World::clone(&pretend.world)
        });
        let options =
            Options { script: script.path(), dry_run: false, only: Vec::new(), secrets: MissingSecrets::Error };
        let loading = Loading {
            options: Arc::new(options),
            environment: Arc::new(Few),
            actor: Actor::default(),
            zone: chrono_tz::UTC,
        };
        let worker = Supervisor::load(loading, Arc::clone(&world)).unwrap_or_else(|bad| panic!("{}", bad.report));
        let desk = Arc::new(worker.desk(None));
        let (stop, reload) = (CancellationToken::new(), Arc::new(Notify::new()));
        let running = tokio::spawn(worker.run(stop.clone(), Arc::clone(&reload)));
        Self { script, pretend, world, desk, asked, hanging, start, stop, reload, running }
    }

    /// Lets time pass: virtual seconds.
    pub async fn pass(&self, seconds: f64) {
        let _ = tokio::time::timeout(Duration::from_secs_f64(seconds), std::future::pending::<()>()).await;
    }

    /// Loads the script anew, whatever is on disk.
    pub async fn hang_up(&self) {
        self.reload.notify_one();
        self.pass(1.0).await;
    }

    /// What is said to be done.
    pub async fn done(&self, ask: Ask) -> Vec<String> {
        match self.desk.answer(ask).await {
            Answer::Done(lines) => lines,
            answer => panic!("{answer:?}"),
        }
    }

    /// Why it is refused.
    pub async fn refused(&self, ask: Ask) -> String {
        match self.desk.answer(ask).await {
            Answer::Refused(why) => why,
            answer => panic!("{answer:?}"),
        }
    }

    pub async fn status(&self) -> Status {
        match self.desk.answer(Ask::Status).await {
            Answer::Status(status) => *status,
            answer => panic!("{answer:?}"),
        }
    }

    /// A question that pulls `lever`, for so many seconds.
    pub fn pull(&self, whom: &str, lever: Lever, seconds: Option<i64>) -> Ask {
        let whom = if whom == "all" { Whom::All } else { Whom::Pipeline(whom.into()) };
        let at = self.world.clock.now();
        let until = seconds.map(|seconds| at + TimeDelta::seconds(seconds));
        Ask::Pull(Pulled { whom, lever, pull: Pull { by: "ann@ops".into(), at, until, reason: Some("a test".into()) } })
    }

    /// Dynos of a pipeline.
    pub fn dynos(&self, pipeline: &str) -> u32 {
        self.pretend.platforms.dynos(pipeline)
    }

    /// The newest reason of a pipeline.
    pub async fn why(&self, pipeline: &str) -> String {
        let records = self.world.state.records(&Query::newest(pipeline, 1)).await.unwrap();
        let reasons = records[0].reasons.iter().map(|reason| reason.text.as_str());
        reasons.collect::<Vec<_>>().join("; ")
    }

    /// Kinds and texts of what was told since the last call, but for scales.
    pub fn told(&self) -> Vec<String> {
        let told = |event: Event| format!("{}: {}", event.kind, event.message);
        self.pretend.audience.take().into_iter().map(told).filter(|told| !told.starts_with("scaled")).collect()
    }

    /// What is kept.
    pub fn state(&self) -> &Arc<dyn State> {
        &self.world.state
    }

    pub async fn stop(self) {
        self.stop.cancel();
        self.running.await.unwrap();
    }
}

/// A pipeline that ticks every 10 s and answers `decide`.
pub fn deciding(name: &str, decide: &str) -> String {
    format!(
        "pipeline(\"{name}\", #{{
            measure: measure::custom(#{{ measurement_interval_in_seconds: 10 }}, || 5),
            max_dynos: 5, post_scale_wait_time_seconds: 0, decide: {decide},
            scale: #{{ current: || 1, scale_to: |n| () }}, notify: notify::console(),
        }});\n"
    )
}
