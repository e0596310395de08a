//! Owns `m`: what a scripted decision sees of one tick.

use std::sync::Arc;

use chrono::DateTime;
use chrono_tz::Tz;

use super::{History, Measurement};

/// What a scripted decision is called with.
#[derive(Clone, Debug)]
pub struct Moment {
    /// The pipeline's name.
    pub pipeline: Arc<str>,
    /// This tick's measurement.
    pub measurement: Arc<Measurement>,
    /// The measurements that may be judged: those after the last scale and its wait.
    pub history: Arc<History>,
    /// All measurements that are kept.
    pub past: Arc<History>,
    /// Dynos now.
    pub dynos: u32,
    /// Of these, still booting, where the platform tells.
    pub booting: u32,
    /// The lower bound now.
    pub min_dynos: u32,
    /// The upper bound now.
    pub max_dynos: u32,
    /// The tick's start in the pipeline's zone.
    pub now: DateTime<Tz>,
    /// Seconds since the last scale; `None` before the first.
    pub seconds_since_scale: Option<f64>,
}
