//! Owns the platform as a capability: counting dynos and scaling them. One [`Platform`] per pipeline;
//! those of one app share a target behind it.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::World;
use crate::function::This;
use crate::scale::Scale;

/// How fresh a count must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// The last read will do, within what the API budget allows.
    Cached,
    /// Read now: just before a scale, after a failure, or where the outcome of a call is open.
    Now,
}

/// What the platform said of a process type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Supply {
    /// Dynos asked for.
    pub dynos: u32,
    /// Of these, still booting, where the platform tells.
    pub booting: u32,
    /// A cap the platform named for this process type, where it did.
    pub limit: Option<u32>,
    /// When it was read.
    pub read_at: DateTime<Utc>,
}

/// What guards want to know of a process type beyond its count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// What its dynos are doing.
    pub boots: bool,
    /// Whether a new version is being released.
    pub release: bool,
}

/// What a process type is doing; `None`: not asked for, or the platform does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// Dynos that are booting.
    pub booting: Option<u32>,
    /// Dynos that are not up: booting, crashed or stopped.
    pub not_up: Option<u32>,
    /// Whether a new version is being released.
    pub releasing: Option<bool>,
}

/// Why a count or a scale failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ScaleError {
    /// What sort of failure it is.
    pub kind: ScaleErrorKind,
    /// What happened, lower case, with the mend where there is one, without secrets.
    pub message: String,
}

/// What a failed call to the platform says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScaleErrorKind {
    /// It was refused; nothing changed.
    Refused,
    /// It was refused since the platform allows at most so many dynos of this process type.
    Limit(u32),
    /// Out of API calls; try again later. Nothing changed.
    RateLimited,
    /// Timed out, reset or 5xx: it may have happened.
    Unknown,
}

/// One process type of one app.
#[async_trait]
pub trait Platform: Send + Sync {
    /// The count.
    ///
    /// # Errors
    /// When it cannot be read: nothing is guessed.
    async fn observe(&self, freshness: Freshness) -> Result<Supply, ScaleError>;

    /// Asks for `dynos` in all; may be repeated. Returns what the platform then has.
    ///
    /// # Errors
    /// When it was refused, or when nobody knows.
    async fn scale_to(&self, dynos: u32) -> Result<Supply, ScaleError>;

    /// What it is doing, as far as `wants` asks and the platform tells; may be as old as a cached count.
    ///
    /// # Errors
    /// When it cannot be read.
    async fn condition(&self, _wants: Wants) -> Result<Condition, ScaleError> {
        Ok(Condition::default())
    }

    /// The `this` of a scripted one: what is kept of it is put in before the first call and read after.
    fn memory(&self) -> Option<&std::sync::Mutex<This>> {
        None
    }
}

/// Opens platforms for the scale stages of pipelines.
pub trait Platforms: Send + Sync {
    /// The platform of `scale` for `pipeline`.
    fn open(&self, scale: &Arc<dyn Scale>, pipeline: &Arc<str>, world: &Arc<World>) -> Arc<dyn Platform>;

    /// What pipelines of one Heroku app share (its target, its log tail), where this world speaks to
    /// Heroku at all: measuring backends ask it for the app's URL and its router lines.
    fn heroku(&self) -> Option<&crate::heroku::Heroku> {
        None
    }
}
