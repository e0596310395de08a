//! Owns `scale::observe(target)`: a target that is counted and never scaled, to run beside whatever scales it.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::Scale;
use crate::function::This;
use crate::heroku::App;
use crate::settings::Report;
use crate::world::{Freshness, Platform, ScaleError, ScaleErrorKind, Supply, World};

/// Another target, looked at only.
#[derive(Debug)]
pub struct Observe(Arc<dyn Scale>);

impl Observe {
    /// Looks at `target`.
    #[must_use]
    pub fn new(target: Box<dyn Scale>) -> Self {
        Self(Arc::from(target))
    }
}

impl Scale for Observe {
    fn backend(&self) -> &'static str {
        "ObserveBackend"
    }

    fn settings(&self) -> Json {
        json!({ "target": { "backend": self.0.backend(), "settings": self.0.settings() } })
    }

    fn target(&self) -> Option<String> {
        self.0.target()
    }

    fn heroku(&self) -> Option<&App> {
        self.0.heroku()
    }

    fn observes(&self) -> bool {
        true
    }

    fn settle(&mut self, pipeline: &str, report: &mut Report) {
        if let Some(target) = Arc::get_mut(&mut self.0) {
            target.settle(pipeline, report);
        }
    }

    fn reaches(&self) -> Vec<String> {
        self.0.reaches()
    }

    fn open(self: Arc<Self>, pipeline: &Arc<str>, world: &Arc<World>) -> Arc<dyn Platform> {
        Arc::new(Observed(Arc::clone(&self.0).open(pipeline, world)))
    }
}

struct Observed(Arc<dyn Platform>);

#[async_trait]
impl Platform for Observed {
    async fn observe(&self, freshness: Freshness) -> Result<Supply, ScaleError> {
        self.0.observe(freshness).await
    }

    async fn scale_to(&self, _dynos: u32) -> Result<Supply, ScaleError> {
        let message = "`scale::observe` never acts".into();
        Err(ScaleError { kind: ScaleErrorKind::Refused, message })
    }

    fn memory(&self) -> Option<&std::sync::Mutex<This>> {
        self.0.memory()
    }
}
