//! Owns what `scale::http` and `scale::command` have in common: a count that is asked for, a count that
//! is set, and the setting that names what is scaled.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::custom::count;
use crate::function::Returned;
use crate::function::This;
use crate::request::Around;
use crate::settings::{Kind, Preset, Setting};
use crate::world::{Freshness, Platform, ScaleError, ScaleErrorKind, Supply, World};

/// The setting `target`.
pub(super) const TARGET: Setting = Setting {
    name: "target",
    kind: Kind::Text,
    preset: Preset::None("it cannot be told"),
    doc: "Names what is scaled: two live pipelines of one name are refused.",
};

/// How a described platform is asked and told.
#[async_trait]
pub(super) trait Steps: Send + Sync {
    /// The answer to "how many are there".
    async fn current(&self, around: Around<'_>) -> Result<Returned, ScaleError>;

    /// Asks for `dynos` in all.
    async fn scale_to(&self, dynos: u32, around: Around<'_>) -> Result<(), ScaleError>;
}

/// A platform of described steps; their `this` starts empty and is shared by them.
pub(super) struct DescribedPlatform<S> {
    steps: Arc<S>,
    pipeline: Arc<str>,
    world: Arc<World>,
    memory: Mutex<This>,
}

impl<S> DescribedPlatform<S> {
    pub fn new(steps: Arc<S>, pipeline: &Arc<str>, world: &Arc<World>) -> Self {
        Self { steps, pipeline: Arc::clone(pipeline), world: Arc::clone(world), memory: Mutex::default() }
    }

    fn around(&self) -> Around<'_> {
        Around { pipeline: &self.pipeline, memory: &self.memory, world: &self.world }
    }

    fn supply(&self, dynos: u32) -> Supply {
        Supply { dynos, booting: 0, limit: None, read_at: self.world.clock.now() }
    }
}

#[async_trait]
impl<S: Steps> Platform for DescribedPlatform<S> {
    async fn observe(&self, _freshness: Freshness) -> Result<Supply, ScaleError> {
        let answer = self.steps.current(self.around()).await?;
        count(&answer)
            .map(|dynos| self.supply(dynos))
            .map_err(|said| refused(format!("`current` gives {said}, and must give a whole number of at least 0")))
    }

    async fn scale_to(&self, dynos: u32) -> Result<Supply, ScaleError> {
        self.steps.scale_to(dynos, self.around()).await?;
        Ok(self.supply(dynos))
    }

    fn memory(&self) -> Option<&Mutex<This>> {
        Some(&self.memory)
    }
}

/// An error after which nothing has changed.
pub(super) fn refused(message: impl Into<String>) -> ScaleError {
    ScaleError { kind: ScaleErrorKind::Refused, message: message.into() }
}
