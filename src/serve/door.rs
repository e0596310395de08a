//! Owns what the worker answers on `--listen`: whether it lives, and the log drains that come in. It tells nothing of
//! what the worker does.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::{drain, not_found, text};
use crate::heroku::Drains;
use crate::heroku::drain::Refused;

/// Deliveries that are read at one time: each is at most 4 MiB.
const MOST_DELIVERIES: usize = 8;

/// Refused deliveries are told this often.
const TOLD_SECONDS: u64 = 60;

/// What the routes of a worker share. Copies are the same.
#[derive(Clone, Debug)]
pub struct Door(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// `None` while the worker stands by.
    drains: Mutex<Option<Arc<Drains>>>,
    told: Mutex<Told>,
    pub deliveries: Semaphore,
}

/// When a refusal was last told, and how many were not.
#[derive(Debug, Default)]
struct Told {
    at: Option<Instant>,
    untold: u64,
}

impl Default for Door {
    fn default() -> Self {
        let deliveries = Semaphore::new(MOST_DELIVERIES);
        Self(Arc::new(Inner { drains: Mutex::default(), told: Mutex::default(), deliveries }))
    }
}

impl Door {
    /// The worker works: its drains come in from now on.
    pub fn open(&self, drains: &Arc<Drains>) {
        drains.set_listening();
        *self.0.drains.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(drains));
    }

    /// The worker stands by, or stops.
    pub fn close(&self) {
        *self.0.drains.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(super) fn drains(&self) -> Option<Arc<Drains>> {
        self.0.drains.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn deliveries(&self) -> &Semaphore {
        &self.0.deliveries
    }

    /// Tells of a refused delivery, once a minute: a flood of them must not be one of the log.
    pub(super) fn tell(&self, refused: &Refused) {
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.at.is_some_and(|at| at.elapsed().as_secs() < TOLD_SECONDS) {
            told.untold += 1;
            return;
        }
        let untold = std::mem::take(&mut told.untold);
        told.at = Some(Instant::now());
        drop(told);
        let more = if untold > 0 { format!(" ({untold} more since this was last said)") } else { String::new() };
        tracing::warn!("a delivery of a log drain was refused: {refused}{more}");
    }
}

/// `GET /health` and `POST /logs`.
pub fn routes(door: Door) -> Router {
    Router::new()
        .route("/health", get(|| async { text(StatusCode::OK, "ok") }))
        .route("/logs", post(drain::receive))
        .fallback(not_found)
        .method_not_allowed_fallback(|| async { text(StatusCode::METHOD_NOT_ALLOWED, "not with this method") })
        .with_state(door)
}
