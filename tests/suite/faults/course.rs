//! Owns the running of one cell: a pipeline in a live world, three ticks under a fault, and ticks after it
//! until the pipeline does again what it is there for. Its time is virtual, and passes faster than ours,
//! so that a time-out costs no test a wait.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use autoscaler::net::{Client, RedisConnections, install_tls};
use autoscaler::notify::{Audience, Undelivered, audience};
use autoscaler::pipeline::{EventKind, Outcome, Pipeline, PipelineSpec, Record};
use autoscaler::scale::LivePlatforms;
use autoscaler::state::Fence;
use autoscaler::world::pretend::Pretend;
use autoscaler::world::{Clock, LiveSources, TokioClock, World};
use chrono::{DateTime, TimeDelta, Utc};

/// Ticks under the fault: lasting conditions are told at the third.
const UNDER_FAULT: usize = 3;

/// Ticks after the fault within which the pipeline must have come back.
const PATIENCE: usize = 8;

/// From tick to tick.
const INTERVAL: Duration = Duration::from_secs(30);

/// One step of virtual time, and how long it takes.
const STEP: (Duration, Duration) = (Duration::from_millis(100), Duration::from_millis(10));

/// What came of a cell.
pub struct Came {
    /// The ticks under the fault.
    pub under: Vec<Arc<Record>>,
    /// How the delivery of a message failed under it, where the pipeline has somebody to tell.
    pub undelivered: Option<Undelivered>,
    /// The ticks after it.
    pub after: Vec<Arc<Record>>,
    /// Whether a message is delivered after it.
    pub delivered: bool,
}

/// Runs `spec`: a tick with everything well, ticks with `shut` called before each, and, after `open`, ticks until
/// one scales. A pretended platform has 3 dynos; `live` asks for the platform that the script names.
pub fn run(spec: &Arc<PipelineSpec>, live: bool, mut shut: impl FnMut(), mut open: impl FnMut()) -> Came {
    within_time(async {
        let pretend = Pretend::starting_at(noon());
        pretend.platforms.set(&spec.name, 3);
        let (audience, delivery) = audience();
        let world = world(&pretend, Arc::new(audience), live);
        let deliveries = delivery.start(&world);
        let mut pipeline = Pipeline::open(Arc::clone(spec), Arc::clone(&world), Fence(1)).await;
        let mut due = noon();
        let mut tick = async |pipeline: &mut Pipeline| {
            let record = pipeline.tick(due).await;
            due += TimeDelta::from_std(INTERVAL).unwrap();
            tokio::time::advance(INTERVAL).await;
            record
        };
        let well = tick(&mut pipeline).await;
        assert_eq!(well.outcome, Outcome::Scaled, "{well:?}");
        let mut under = Vec::new();
        for _ in 0..UNDER_FAULT {
            shut();
            under.push(tick(&mut pipeline).await);
        }
        let undelivered = deliver(spec, &world).await.err();
        open();
        let delivered = deliver(spec, &world).await.is_ok();
        let mut after = Vec::new();
        while after.len() < PATIENCE {
            let record = tick(&mut pipeline).await;
            let back = record.outcome == Outcome::Scaled;
            after.push(record);
            if back {
                break;
            }
        }
        deliveries.close(Duration::ZERO).await;
        Came { under, undelivered, after, delivered }
    })
}

/// One message to the first who is told.
async fn deliver(spec: &Arc<PipelineSpec>, world: &Arc<World>) -> Result<(), Undelivered> {
    let Some(stage) = spec.notify.first() else { return Ok(()) };
    let event = crate::notify::pretend::event(&spec.name, EventKind::ScaleFailed, "Scale to (3) dynos failed.");
    stage.backend.deliver(&Arc::new(event), &Mutex::default(), world).await
}

/// Runs `work` where time is virtual and passes by itself, faster than ours.
pub fn within_time<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        // As long as it runs, time does not jump ahead of an answer that is on its way.
        let (release, held) = channel::<()>();
        let held = tokio::task::spawn_blocking(move || held.recv());
        let (beat, mut beats) = tokio::sync::mpsc::unbounded_channel();
        let clock = std::thread::spawn(move || {
            while beat.send(()).is_ok() {
                std::thread::park_timeout(STEP.1);
            }
        });
        tokio::pin!(work);
        let done = loop {
            tokio::select! {
                biased;
                done = &mut work => break done,
                Some(()) = beats.recv() => tokio::time::advance(STEP.0).await,
            }
        };
        drop((beats, release));
        let _ = held.await;
        clock.join().unwrap();
        done
    })
}

fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

/// A world with the live network.
fn world(pretend: &Pretend, audience: Arc<dyn Audience>, live: bool) -> Arc<World> {
    install_tls();
    let mut world = World {
        clock: Arc::new(TokioClock::starting_at(noon())) as Arc<dyn Clock>,
        http: Arc::new(Client::new().expect("a client")),
        redis: Arc::new(RedisConnections::default()),
        sources: Arc::new(LiveSources),
        audience,
        ..World::clone(&pretend.world)
    };
    if live {
        world.platforms = Arc::new(LivePlatforms::default());
    }
    Arc::new(world)
}
