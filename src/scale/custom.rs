//! Owns a scaling stage that is two functions of the script.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::Scale;
use crate::function::Function;
use crate::world::{Platform, World};

/// Functions that count and scale.
#[derive(Debug)]
pub struct Custom {
    _current: Function,
    _scale_to: Function,
    _memory: Json,
}

impl Custom {
    /// Counts with `current`, scales with `scale_to`; `memory` is their initial `this`.
    #[must_use]
    pub fn new(current: Function, scale_to: Function, memory: Json) -> Self {
        Self { _current: current, _scale_to: scale_to, _memory: memory }
    }
}

impl Scale for Custom {
    fn backend(&self) -> &'static str {
        "custom"
    }

    fn settings(&self) -> Json {
        json!({})
    }

    fn target(&self) -> Option<String> {
        None
    }

    fn open(self: Arc<Self>, _pipeline: &Arc<str>, _world: &Arc<World>) -> Arc<dyn Platform> {
        unreachable!("the owner of the scaling room writes this")
    }
}
