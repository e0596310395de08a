//! Owns what an app's dynos are doing and whether it releases a new version: read only when a guard asks,
//! shared by all pipelines of the app, and never more often than the API budget allows.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::answer::{ApiError, Dyno};
use super::client::Client;
use crate::world::{Condition, ScaleError, ScaleErrorKind, Wants};

/// An answer is good for so long, however much budget there is: a boot takes longer.
const SHORTEST_AGE: Duration = Duration::from_secs(10);

/// What an app is doing, as far as anybody asked.
pub(super) struct Doing {
    app: Arc<str>,
    client: Client,
    dynos: Mutex<Option<Read<Arc<Vec<Dyno>>>>>,
    release: Mutex<Option<Read<bool>>>,
}

/// An answer, and when it was asked for.
struct Read<T> {
    at: Instant,
    result: Result<T, ScaleError>,
}

impl Doing {
    pub fn new(app: Arc<str>, client: Client) -> Self {
        Self { app, client, dynos: Mutex::default(), release: Mutex::default() }
    }

    /// What `wants` asks for of `process_type`. Of what was read before `changed`, when a count changed
    /// last, the dynos are read anew.
    pub async fn condition(&self, process_type: &str, wants: Wants, changed: Instant) -> Result<Condition, ScaleError> {
        let mut condition = Condition::default();
        if wants.boots {
            let dynos: Arc<Vec<Dyno>> = self.read(&self.dynos, Some(changed), self.client.dynos(&self.app)).await?;
            let of_type = || dynos.iter().filter(|dyno| dyno.process_type == process_type);
            let count = |found: usize| u32::try_from(found).unwrap_or(u32::MAX);
            condition.booting = Some(count(of_type().filter(|dyno| dyno.is_booting()).count()));
            condition.not_up = Some(count(of_type().filter(|dyno| !dyno.is_up()).count()));
        }
        if wants.release {
            // A release says nothing of a count: only its own age matters.
            condition.releasing = Some(self.read(&self.release, None, self.client.releasing(&self.app)).await?);
        }
        Ok(condition)
    }

    /// One call for all who ask at once: the others wait for it and find what it found.
    async fn read<T: Clone>(
        &self,
        known: &Mutex<Option<Read<T>>>,
        changed: Option<Instant>,
        call: impl Future<Output = Result<impl Into<T>, ApiError>>,
    ) -> Result<T, ScaleError> {
        let mut known = known.lock().await;
        let now = Instant::now();
        let oldest = self.client.budget().oldest(Duration::ZERO, now).max(SHORTEST_AGE);
        let young = |read: &&Read<T>| {
            now.saturating_duration_since(read.at) < oldest && changed.is_none_or(|changed| read.at > changed)
        };
        if let Some(read) = known.as_ref().filter(young) {
            return read.result.clone();
        }
        if let Some(wait) = self.client.budget().blocked(now) {
            let message = format!(
                "the account of `{}` is out of API calls; the next call goes out in {:.0} s",
                self.app,
                wait.as_secs_f64().ceil()
            );
            return Err(ScaleError { kind: ScaleErrorKind::RateLimited, message });
        }
        let result = call.await.map(Into::into).map_err(ScaleError::from);
        *known = Some(Read { at: now, result: result.clone() });
        result
    }
}
