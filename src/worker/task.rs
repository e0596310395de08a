//! Owns the life of one pipeline: one task that ticks it on time, hands it new specs between ticks, and
//! stops it without cutting a scale call in two. It never overlaps ticks and never catches up in a burst.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::pipeline::{Pipeline, PipelineSpec};
use crate::state::Fence;
use crate::world::World;

/// How long a scale call in flight is awaited when the worker stops: a platform call times out after 5 s.
const LAST_SCALE: Duration = Duration::from_secs(7);

/// A running pipeline.
pub(super) struct Task {
    /// The newest spec: the task takes it up between two ticks.
    spec: watch::Sender<Arc<PipelineSpec>>,
    /// Ends it after the tick in flight.
    finish: CancellationToken,
    done: JoinHandle<()>,
}

impl Task {
    /// Starts `spec`, its first tick after `delay`. `halt` ends every task of the worker at once.
    pub(super) fn start(spec: Arc<PipelineSpec>, world: Arc<World>, delay: Duration, halt: CancellationToken) -> Self {
        let finish = CancellationToken::new();
        let (sender, specs) = watch::channel(spec);
        let life = Life { specs, world, finish: finish.clone(), halt };
        let done = tokio::spawn(life.run(Instant::now() + delay));
        Self { spec: sender, finish, done }
    }

    /// The spec it runs, or takes up at its next tick.
    pub(super) fn spec(&self) -> Arc<PipelineSpec> {
        Arc::clone(&self.spec.borrow())
    }

    /// Hands it a new generation.
    pub(super) fn adopt(&self, spec: Arc<PipelineSpec>) {
        self.spec.send_replace(spec);
    }

    /// Ends it after its tick.
    pub(super) fn finish(self) -> JoinHandle<()> {
        self.finish.cancel();
        self.done
    }
}

struct Life {
    specs: watch::Receiver<Arc<PipelineSpec>>,
    world: Arc<World>,
    finish: CancellationToken,
    halt: CancellationToken,
}

impl Life {
    async fn run(mut self, first: Instant) {
        let spec = Arc::clone(&self.specs.borrow_and_update());
        let mut pipeline = Pipeline::open(spec, Arc::clone(&self.world), Fence::default()).await;
        let mut due = first;
        let mut last_start = None;
        loop {
            tokio::select! {
                biased;
                () = self.halt.cancelled() => return,
                () = self.finish.cancelled() => return,
                Ok(()) = self.specs.changed() => {
                    let spec = Arc::clone(&self.specs.borrow_and_update());
                    pipeline.adopt(spec);
                    // A shorter interval counts from the last start; a longer one too.
                    if let Some(started) = last_start {
                        due = Instant::max(started + pipeline.interval(), Instant::now());
                    }
                    continue;
                }
                () = tokio::time::sleep_until(due) => {}
            }
            let started = Instant::now();
            last_start = Some(due);
            let scheduled = self.wall_time_of(due, started);
            pipeline = match self.tick(pipeline, scheduled).await {
                Some(pipeline) => pipeline,
                None => return,
            };
            due = next_due(due, pipeline.interval(), Instant::now());
        }
    }

    /// Ticks once. `None`: the worker stops. A panic in a tick is a bug of ours, and ends that tick
    /// only: the pipeline goes on from what was kept.
    async fn tick(&self, mut pipeline: Pipeline, scheduled: DateTime<Utc>) -> Option<Pipeline> {
        let acting = pipeline.acting();
        let ticked = {
            let tick = AssertUnwindSafe(pipeline.tick(scheduled)).catch_unwind();
            tokio::pin!(tick);
            tokio::select! {
                ticked = &mut tick => ticked,
                () = self.halt.cancelled() => {
                    if acting.now() {
                        let _ = tokio::time::timeout(LAST_SCALE, tick).await;
                    }
                    return None;
                }
            }
        };
        if ticked.is_ok() {
            return Some(pipeline);
        }
        let spec = Arc::clone(&self.specs.borrow());
        tracing::error!(pipeline = &*spec.name, "a tick broke down; this is a bug of autoscaler; going on");
        Some(Pipeline::open(spec, Arc::clone(&self.world), Fence::default()).await)
    }

    /// When a tick was due, on the wall clock: now, less what it is late.
    fn wall_time_of(&self, due: Instant, started: Instant) -> DateTime<Utc> {
        let late = TimeDelta::from_std(started.saturating_duration_since(due)).unwrap_or_default();
        self.world.clock.now() - late
    }
}

/// One interval after the last tick was due, or at once if that has passed: then the count of
/// intervals starts anew, so that a stall is not made up for in a burst.
fn next_due(due: Instant, interval: Duration, now: Instant) -> Instant {
    Instant::max(due + interval, now)
}
