//! Owns what the ways to watch are fed with: records, announced events, the app's gauge and the
//! thresholds in force.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

use super::queue::Gauge;
use crate::pipeline::{Event, Record};

/// The thresholds (minimum, maximum) that the pipeline of that name has now, if it has any.
pub type Thresholds = Arc<dyn Fn(&str) -> Option<(f64, f64)> + Send + Sync>;

/// What stays the same while one watches.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The script, as its reader would name it.
    pub script: String,
    /// Where the app is.
    pub app_url: String,
    /// When the demo began.
    pub started: DateTime<Utc>,
    /// How long it is to last; `None`: until somebody quits.
    pub length: Option<Duration>,
}

/// Something new.
#[derive(Clone, Debug)]
pub enum News {
    /// A tick's record.
    Record(Arc<Record>),
    /// Something that concerns the whole worker.
    Event(Arc<Event>),
}

/// Where everything comes from.
pub struct Feed {
    records: Option<broadcast::Receiver<Arc<Record>>>,
    events: Option<broadcast::Receiver<Arc<Event>>>,
    gauge: watch::Receiver<Gauge>,
    thresholds: Thresholds,
}

impl Feed {
    /// A feed of these sources.
    #[must_use]
    pub fn new(
        records: broadcast::Receiver<Arc<Record>>,
        events: broadcast::Receiver<Arc<Event>>,
        gauge: watch::Receiver<Gauge>,
        thresholds: Thresholds,
    ) -> Self {
        Self { records: Some(records), events: Some(events), gauge, thresholds }
    }

    /// The app now.
    #[must_use]
    pub fn gauge(&self) -> Gauge {
        *self.gauge.borrow()
    }

    /// The thresholds of `pipeline` now.
    #[must_use]
    pub fn thresholds(&self, pipeline: &str) -> Option<(f64, f64)> {
        (self.thresholds)(pipeline)
    }

    /// The next news; waits for ever once both sources are closed. Nothing is lost when it is dropped.
    pub async fn next(&mut self) -> News {
        loop {
            tokio::select! {
                record = receive(&mut self.records) => if let Some(record) = record { return News::Record(record) },
                event = receive(&mut self.events) => if let Some(event) = event { return News::Event(event) },
            }
        }
    }
}

/// The next value; `None` when some were missed, or when the source has just closed (and is taken away).
async fn receive<T: Clone>(source: &mut Option<broadcast::Receiver<T>>) -> Option<T> {
    let Some(receiver) = source else { return std::future::pending().await };
    match receiver.recv().await {
        Ok(value) => Some(value),
        Err(RecvError::Lagged(_)) => None,
        Err(RecvError::Closed) => {
            *source = None;
            None
        }
    }
}
