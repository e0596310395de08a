//! Owns what the controller remembers of a pipeline from tick to tick: small, versioned, serialisable.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::History;

/// The version of the shape.
pub const CONTROL_VERSION: u32 = 1;

/// What the controller remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ControlState {
    /// [`CONTROL_VERSION`].
    pub v: u32,
    /// Ticks so far.
    pub tick: u64,
    /// What was measured lately.
    pub history: History,
    /// Measurements from here on are judged; set by a scale.
    pub mark: Option<DateTime<Utc>>,
    /// Nothing is decided before this time.
    pub wait_until: Option<DateTime<Utc>>,
    /// The scheduled start of the tick that scaled last.
    pub last_scale: Option<DateTime<Utc>>,
}

impl Default for ControlState {
    fn default() -> Self {
        Self {
            v: CONTROL_VERSION,
            tick: 0,
            history: History::default(),
            mark: None,
            wait_until: None,
            last_scale: None,
        }
    }
}
