//! Owns the handle to an app's target: pipelines ask it for counts and scales. The one task behind it
//! (`target_task`) owns the last read of the app; it decides nothing.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::client::Client;
use super::doing::Doing;
use super::known::Known;
use super::target_task::Task;
use super::{App, Budget};
use crate::world::{Clock, Condition, Freshness, ScaleError, ScaleErrorKind, Supply, Wants};

/// Requests that may wait for the task, which takes them at once: a pipeline asks one at a time.
const QUEUE: usize = 256;

/// An app, shared by every pipeline that scales one of its process types. Cloning is cheap; the task
/// ends when the last handle is dropped.
#[derive(Clone)]
pub struct Target {
    asks: mpsc::Sender<Ask>,
    /// What the task knows: most ticks need no more, and wake nobody for it.
    known: watch::Receiver<Known>,
    budget: Arc<Budget>,
    doing: Arc<Doing>,
}

/// A handle that does not keep the target alive.
#[derive(Clone)]
pub(super) struct WeakTarget {
    asks: mpsc::WeakSender<Ask>,
    known: watch::Receiver<Known>,
    budget: Arc<Budget>,
    doing: Arc<Doing>,
}

/// What pipelines ask for.
#[derive(Debug)]
pub(super) enum Ask {
    Observe { process_type: Arc<str>, freshness: Freshness, answer: Answer<Supply> },
    Scale { process_type: Arc<str>, dynos: u32, answer: Answer<Supply> },
    WebUrl { answer: Answer<Arc<str>> },
}

/// Where an answer goes.
pub(super) type Answer<T> = oneshot::Sender<Result<T, ScaleError>>;

impl Target {
    /// Starts the target of `app`, whose calls go through `client`. Must be called within a tokio runtime.
    #[must_use]
    pub fn start(app: &App, client: Client, clock: Arc<dyn Clock>) -> Self {
        let (asks, waiting) = mpsc::channel(QUEUE);
        let (published, known) = watch::channel(Known::nothing(Arc::clone(&app.name)));
        let budget = Arc::clone(client.budget());
        let doing = Arc::new(Doing::new(Arc::clone(&app.name), client.clone()));
        tokio::spawn(Task::new(client, clock, published).run(waiting));
        Self { asks, known, budget, doing }
    }

    /// The dynos of `process_type`.
    ///
    /// # Errors
    /// When they cannot be read, or there is no such process type.
    pub async fn observe(&self, process_type: &Arc<str>, freshness: Freshness) -> Result<Supply, ScaleError> {
        if freshness == Freshness::Cached
            && let Some(known) = self.known.borrow().cached(process_type, &self.budget, Instant::now())
        {
            return known;
        }
        let process_type = Arc::clone(process_type);
        self.ask(|answer| Ask::Observe { process_type, freshness, answer }).await
    }

    /// Asks for `dynos` of `process_type` in all.
    ///
    /// # Errors
    /// When it was refused, or nobody knows.
    pub async fn scale(&self, process_type: &Arc<str>, dynos: u32) -> Result<Supply, ScaleError> {
        let process_type = Arc::clone(process_type);
        self.ask(|answer| Ask::Scale { process_type, dynos, answer }).await
    }

    /// What the dynos of `process_type` are doing, as far as `wants` asks.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn condition(&self, process_type: &str, wants: Wants) -> Result<Condition, ScaleError> {
        let changed = self.known.borrow().changed;
        self.doing.condition(process_type, wants, changed).await
    }

    /// Where the app is served (<https://shop-1234.herokuapp.com/>); asked for once an hour.
    ///
    /// # Errors
    /// When it cannot be read, or the app has no web address.
    pub async fn web_url(&self) -> Result<Arc<str>, ScaleError> {
        self.ask(|answer| Ask::WebUrl { answer }).await
    }

    async fn ask<T>(&self, ask: impl FnOnce(Answer<T>) -> Ask) -> Result<T, ScaleError> {
        let stopping = || ScaleError { kind: ScaleErrorKind::Unknown, message: "the worker is stopping".into() };
        let (answer, answered) = oneshot::channel();
        self.asks.send(ask(answer)).await.map_err(|_| stopping())?;
        answered.await.map_err(|_| stopping())?
    }

    pub(super) fn downgrade(&self) -> WeakTarget {
        let (known, budget, doing) = (self.known.clone(), Arc::clone(&self.budget), Arc::clone(&self.doing));
        WeakTarget { asks: self.asks.downgrade(), known, budget, doing }
    }
}

impl WeakTarget {
    pub(super) fn upgrade(&self) -> Option<Target> {
        let (known, budget, doing) = (self.known.clone(), Arc::clone(&self.budget), Arc::clone(&self.doing));
        Some(Target { asks: self.asks.upgrade()?, known, budget, doing })
    }
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Target")
    }
}
