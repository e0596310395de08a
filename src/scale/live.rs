//! Owns the live platforms: what scale backends really reach, and the targets that pipelines of one app
//! share.

use std::sync::Arc;

use super::Scale;
use crate::heroku::Heroku;
use crate::world::{Platform, Platforms, World};

/// Platforms that act.
#[derive(Debug, Default)]
pub struct LivePlatforms {
    heroku: Heroku,
}

impl Platforms for LivePlatforms {
    fn open(&self, scale: &Arc<dyn Scale>, pipeline: &Arc<str>, world: &Arc<World>) -> Arc<dyn Platform> {
        Arc::clone(scale).open(pipeline, world)
    }

    fn heroku(&self) -> Option<&Heroku> {
        Some(&self.heroku)
    }
}
