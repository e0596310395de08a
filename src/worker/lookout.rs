//! Owns taking up levers that somebody else wrote into the state while the worker ran: a command does, where the worker
//! did not answer it. They are in force before the next tick, also the first one after a stop of the process.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono_tz::Tz;
use tokio::time::Instant;

use crate::levers::Levers;
use crate::world::World;

/// However many pipelines tick, they look no more often.
const LOOK: Duration = Duration::from_millis(500);

/// Looks at the levers for all pipelines.
pub(super) struct Lookout {
    zone: Tz,
    looked: Mutex<Looked>,
}

#[derive(Default)]
struct Looked {
    at: Option<Instant>,
    /// What was said of levers that cannot be read.
    said: Option<String>,
}

impl Lookout {
    /// Times are told on a clock of `zone`.
    pub(super) fn new(zone: Tz) -> Self {
        Self { zone, looked: Mutex::default() }
    }

    /// Takes up what was changed, before a tick in `world`.
    pub(super) async fn look(&self, world: &World) {
        {
            let (mut looked, now) = (self.looked.lock().unwrap_or_else(PoisonError::into_inner), Instant::now());
            if looked.at.is_some_and(|at| now < at + LOOK) {
                return;
            }
            looked.at = Some(now);
        }
        let error = match world.state.changed_levers().await {
            Ok(Some(levers)) => {
                tracing::warn!("the levers were changed beside this worker, and are in force");
                self.tell(&levers);
                world.levers.set(levers);
                None
            }
            Ok(None) => None,
            Err(error) => Some(error.0),
        };
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = &error
            && looked.said != Some(error.clone())
        {
            tracing::error!("the levers stay as they are: {error}");
        }
        looked.said = error;
    }

    /// Writes each lever that is pulled to the log.
    pub(super) fn tell(&self, levers: &Levers) {
        let own = levers.pipelines.iter().map(|(name, own)| (&**name, own));
        for (name, own) in std::iter::once(("all pipelines", &levers.all)).chain(own) {
            for held in own.told(self.zone) {
                tracing::warn!("{name}: {held}");
            }
        }
    }
}
