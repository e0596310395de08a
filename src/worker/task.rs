//! Owns the life of one pipeline: one task that ticks it on time, hands it new specs between ticks, and
//! stops it without cutting a scale call in two. It never overlaps ticks and never catches up in a burst.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::difference;
use super::journal::Journal;
use super::lookout::Lookout;
use super::probation::{Failing, Probation};
use super::watchdog::Pulses;
use crate::pipeline::{Pipeline, PipelineSpec};
use crate::world::World;

/// How long a scale call in flight is awaited when the worker stops: a platform call times out after 5 s.
const LAST_SCALE: Duration = Duration::from_secs(6);

/// A tick that starts later than this share of its interval comes from a stall.
const STALL: f64 = 0.1;

/// Who hears of every tick.
pub(super) struct Hearing {
    /// Who goes back when functions fail.
    pub(super) fails: mpsc::UnboundedSender<Failing>,
    /// Who tells a watchdog.
    pub(super) pulses: Arc<Pulses>,
    /// Who finds levers that were changed meanwhile.
    pub(super) lookout: Arc<Lookout>,
}

/// A running pipeline.
pub(super) struct Task {
    /// The newest spec: the task takes it up between two ticks.
    spec: watch::Sender<Arc<PipelineSpec>>,
    /// Ends it after the tick in flight.
    finish: CancellationToken,
    done: JoinHandle<()>,
}

impl Task {
    /// Starts `spec`, its first tick after `delay`, and not before `earlier` (a task of the same name that
    /// was told to finish) has ended. `halt` ends every task of the worker at once.
    pub(super) fn start(
        spec: Arc<PipelineSpec>,
        world: Arc<World>,
        delay: Duration,
        halt: CancellationToken,
        earlier: Option<JoinHandle<()>>,
        hearing: Hearing,
    ) -> Self {
        let finish = CancellationToken::new();
        let (sender, specs) = watch::channel(spec);
        let life = Life { specs, world, finish: finish.clone(), halt, probation: Probation::default(), hearing };
        let first = Instant::now() + delay;
        let done = tokio::spawn(async move {
            if let Some(earlier) = earlier {
                let _ = earlier.await;
            }
            life.run(first).await;
        });
        Self { spec: sender, finish, done }
    }

    /// The spec it runs, or takes up at its next tick.
    pub(super) fn spec(&self) -> Arc<PipelineSpec> {
        Arc::clone(&self.spec.borrow())
    }

    /// Hands it a new generation. The spec that it has is no news to it.
    pub(super) fn adopt(&self, spec: Arc<PipelineSpec>) {
        self.spec.send_if_modified(|held| {
            let new = !Arc::ptr_eq(held, &spec);
            *held = spec;
            new
        });
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
    probation: Probation,
    hearing: Hearing,
}

impl Life {
    async fn run(mut self, first: Instant) {
        let spec = Arc::clone(&self.specs.borrow_and_update());
        let mut pipeline = Pipeline::open(spec, Arc::clone(&self.world), self.world.state.fence()).await;
        let mut journal = Journal::default();
        let mut due = first;
        let mut last_start = None;
        let mut schedule = Schedule::default();
        loop {
            tokio::select! {
                biased;
                () = self.halt.cancelled() => return,
                () = self.finish.cancelled() => return,
                Ok(()) = self.specs.changed() => {
                    let spec = Arc::clone(&self.specs.borrow_and_update());
                    let changed = difference::told(pipeline.spec(), &spec);
                    pipeline.note_reload(&changed);
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
            due = after_stall(due, pipeline.interval(), started);
            last_start = Some(due);
            let scheduled = schedule.at(due, self.wall_time_of(due, started));
            self.hearing.lookout.look(&self.world).await;
            pipeline = match self.tick(pipeline, scheduled, &mut journal).await {
                Some(pipeline) => pipeline,
                None => return,
            };
            due = next_due(due, pipeline.interval(), Instant::now());
        }
    }

    /// Ticks once. `None`: the worker stops. A panic in a tick is a bug of ours, and ends that tick
    /// only: the pipeline goes on from what was kept.
    async fn tick(
        &mut self,
        mut pipeline: Pipeline,
        scheduled: DateTime<Utc>,
        journal: &mut Journal,
    ) -> Option<Pipeline> {
        let (acting, ran) = (pipeline.acting(), Arc::clone(pipeline.spec()));
        let ticked = {
            let tick = AssertUnwindSafe(pipeline.tick(scheduled)).catch_unwind();
            tokio::pin!(tick);
            tokio::select! {
                ticked = &mut tick => ticked,
                () = self.halt.cancelled() => {
                    if acting.now()
                        && let Ok(Ok(record)) = tokio::time::timeout(LAST_SCALE, tick).await
                    {
                        journal.enter(&record, &ran);
                    }
                    return None;
                }
            }
        };
        if let Ok(record) = ticked {
            journal.enter(&record, &ran);
            self.hearing.pulses.beat(&record.pipeline);
            if let Some(failing) = self.probation.observe(&record, &ran, pipeline.kept().control.wrong_decisions) {
                // Nobody counts where nothing is reloaded.
                let _ = self.hearing.fails.send(failing);
            }
            return Some(pipeline);
        }
        let spec = Arc::clone(&self.specs.borrow());
        tracing::error!(pipeline = &*spec.name, "a tick broke down; this is a bug of autoscaler; going on");
        Some(Pipeline::open(spec, Arc::clone(&self.world), self.world.state.fence()).await)
    }

    /// When a tick was due, on the wall clock: now, less what it is late.
    fn wall_time_of(&self, due: Instant, started: Instant) -> DateTime<Utc> {
        let late = TimeDelta::from_std(started.saturating_duration_since(due)).unwrap_or_default();
        self.world.clock.now() - late
    }
}

/// When ticks are due on the wall clock: as far apart as on the steady clock, so that a wait of two intervals is over
/// at the second tick and not a third one for a millisecond's sake.
#[derive(Default)]
struct Schedule(Option<(Instant, DateTime<Utc>)>);

/// What the wall clock and the steady clock may differ by before the wall clock is believed.
const JITTER: TimeDelta = TimeDelta::milliseconds(50);

impl Schedule {
    /// The wall time of a tick that is due at `due`, at about `wall`.
    fn at(&mut self, due: Instant, wall: DateTime<Utc>) -> DateTime<Utc> {
        let expected = self.0.and_then(|(last, at)| {
            let since = TimeDelta::from_std(due.checked_duration_since(last)?).ok()?;
            at.checked_add_signed(since)
        });
        let at = expected.filter(|expected| (*expected - wall).abs() < JITTER).unwrap_or(wall);
        self.0 = Some((due, at));
        at
    }
}

/// Where intervals are counted from: the time a tick was due, so that small delays do not add up; after
/// a stall the time it started, so that the next one does not follow at once.
fn after_stall(due: Instant, interval: Duration, started: Instant) -> Instant {
    if started.saturating_duration_since(due) > interval.mul_f64(STALL) { started } else { due }
}

/// One interval after the last tick was due, or at once if that has passed.
fn next_due(due: Instant, interval: Duration, now: Instant) -> Instant {
    Instant::max(due + interval, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_as_far_apart_on_the_wall_clock_as_on_the_steady_one() {
        let (start, wall) = (Instant::now(), DateTime::from_timestamp(1_700_000_000, 0).unwrap());
        let mut schedule = Schedule::default();
        let millis = TimeDelta::milliseconds;
        assert_eq!(schedule.at(start, wall), wall);
        let second = start + Duration::from_secs(30);
        assert_eq!(schedule.at(second, wall + millis(29_999)), wall + millis(30_000));
        // A clock that was set is believed.
        let third = second + Duration::from_secs(30);
        assert_eq!(schedule.at(third, wall + millis(3_660_000)), wall + millis(3_660_000));
    }

    #[test]
    fn small_delays_do_not_add_up_and_a_stall_starts_anew() {
        let (start, interval) = (Instant::now(), Duration::from_secs(10));
        let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
        for (started, ended, next) in [
            (0.0, 0.5, 10.0),
            (0.9, 1.5, 10.0),
            // A tick longer than its interval: the next one at once, and only one.
            (0.0, 34.0, 34.0),
            // A stall of 25 s: one interval after the late start.
            (25.0, 25.5, 35.0),
        ] {
            let due = after_stall(start, interval, at(started));
            assert_eq!(next_due(due, interval, at(ended)), at(next), "started {started}, ended {ended}");
        }
    }
}
