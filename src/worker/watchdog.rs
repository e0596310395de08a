//! Owns telling a watchdog that the worker lives: only while every live pipeline ticks. A pipeline that stands
//! still, or a worker that is gone, is silence, and silence raises the alarm.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use crate::pipeline::{Mode, PipelineSpec, Watchdog};
use crate::secret::scrub;
use crate::world::{Request, World};

/// A watchdog answers within this time, or is not reached.
const PATIENCE: Duration = Duration::from_secs(5);

/// A live pipeline whose last tick is longer ago than so many intervals stands still.
const INTERVALS: u32 = 3;

/// When each pipeline ticked last.
#[derive(Debug, Default)]
pub(super) struct Pulses(Mutex<BTreeMap<Arc<str>, Instant>>);

impl Pulses {
    /// `pipeline` has ticked just now, or begins to.
    pub(super) fn beat(&self, pipeline: &Arc<str>) {
        let mut beats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match beats.get_mut(pipeline) {
            Some(beat) => *beat = Instant::now(),
            None => {
                beats.insert(Arc::clone(pipeline), Instant::now());
            }
        }
    }

    /// A live pipeline of `specs` that stands still, and for how long.
    fn still(&self, specs: &[Arc<PipelineSpec>]) -> Option<(Arc<str>, Duration)> {
        let beats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let live = specs.iter().filter(|spec| spec.mode == Mode::Live);
        let mut still = live.filter_map(|spec| {
            let silent = beats.get(&spec.name)?.elapsed();
            (silent > spec.interval() * INTERVALS).then(|| (Arc::clone(&spec.name), silent))
        });
        still.next()
    }
}

/// Tells every watchdog of `watchdogs`, until it is aborted.
pub(super) async fn run(
    world: Arc<World>,
    specs: watch::Receiver<Vec<Arc<PipelineSpec>>>,
    mut watchdogs: watch::Receiver<Vec<Watchdog>>,
    pulses: Arc<Pulses>,
) {
    loop {
        let mut told = JoinSet::new();
        for watchdog in watchdogs.borrow_and_update().clone() {
            told.spawn(tell(Arc::clone(&world), specs.clone(), watchdog, Arc::clone(&pulses)));
        }
        if watchdogs.changed().await.is_err() {
            return;
        }
    }
}

async fn tell(
    world: Arc<World>,
    specs: watch::Receiver<Vec<Arc<PipelineSpec>>>,
    watchdog: Watchdog,
    pulses: Arc<Pulses>,
) {
    let mut due = tokio::time::interval(watchdog.every);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut unreached, mut silent) = (false, false);
    loop {
        due.tick().await;
        let still = pulses.still(&specs.borrow());
        if let Some((pipeline, since)) = still {
            if !silent {
                let since = since.as_secs_f64();
                tracing::error!(
                    pipeline = &*pipeline,
                    "no tick for {since:.1} s: the watchdog is not pinged, and will raise the alarm"
                );
            }
            silent = true;
            continue;
        }
        if std::mem::take(&mut silent) {
            tracing::info!("every live pipeline ticks: the watchdog is pinged again");
        }
        let reply = world.http.send(Request::get(watchdog.url.expose(), PATIENCE)).await;
        let failure = match reply {
            Ok(reply) if reply.status < 400 => None,
            Ok(reply) => Some(format!("it answered {}", reply.status)),
            Err(error) => Some(error.to_string()),
        };
        match (&failure, unreached) {
            (Some(why), false) => tracing::warn!("the watchdog cannot be pinged: {}", scrub(why)),
            (None, true) => tracing::info!("the watchdog can be pinged again"),
            _ => {}
        }
        unreached = failure.is_some();
    }
}
