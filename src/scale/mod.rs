//! Owns the scaling stage: the trait [`Scale`], one file per backend, and the live [`Platforms`] that
//! let pipelines of one app share a target. It decides nothing.
//!
//! [`Platforms`]: crate::world::Platforms

mod command;
mod custom;
mod described;
pub(crate) mod heroku;
mod http;
mod live;
mod observe;

use std::fmt;
use std::sync::Arc;

pub use custom::Custom;
pub use heroku::HerokuScale;
pub use live::LivePlatforms;
pub use observe::Observe;

use serde_json::Value as Json;

use crate::heroku::App;
use crate::settings::{Constructor, Report};
use crate::world::{Platform, World};

/// A scaling backend with its settings.
pub trait Scale: Send + Sync + fmt::Debug {
    /// The documented name ("HerokuBackend"), or "custom".
    fn backend(&self) -> &'static str;

    /// Its settings as resolved, secrets masked, for `check --json`.
    fn settings(&self) -> Json;

    /// Names what is scaled ("heroku https://… app web"): two live pipelines with one target are
    /// refused, and a pipeline whose target changed starts without cooldown. `None`: cannot be told.
    fn target(&self) -> Option<String>;

    /// The app and key on Heroku, where it is one: measuring backends borrow them.
    fn heroku(&self) -> Option<&App> {
        None
    }

    /// Whether it only looks: then its pipeline never acts.
    fn observes(&self) -> bool {
        false
    }

    /// Fills in what depends on the pipeline (`process_type` from its name).
    fn settle(&mut self, _pipeline: &str, _report: &mut Report) {}

    /// Whether the platform itself chooses which dyno it stops, idle or not.
    fn stops_any(&self) -> bool {
        false
    }

    /// Whether the platform tells which dynos are booting, and whether a new version is being released.
    fn tells_condition(&self) -> bool {
        false
    }

    /// What it reaches, for `check`.
    fn reaches(&self) -> Vec<String> {
        Vec::new()
    }

    /// Opens it.
    fn open(self: Arc<Self>, pipeline: &Arc<str>, world: &Arc<World>) -> Arc<dyn Platform>;
}

/// Every native constructor of `scale::`.
pub static CONSTRUCTORS: &[Constructor<Box<dyn Scale>>] = &[heroku::HEROKU, http::CONSTRUCTOR, command::CONSTRUCTOR];
