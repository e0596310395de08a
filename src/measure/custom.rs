//! Owns a measuring stage that is a function of the script.

use async_trait::async_trait;
use serde_json::{Value as Json, json};
use std::sync::Arc;

use super::{Measure, MeasureContext, Reading};
use crate::function::{Argument, Function, Returned};
use crate::pipeline::Failure;
use crate::world::World;

/// A function that measures.
#[derive(Debug)]
pub struct Custom(Function);

impl Custom {
    /// Measures with `function`.
    #[must_use]
    pub fn new(function: Function) -> Self {
        Self(function)
    }
}

#[async_trait]
impl Measure for Custom {
    fn backend(&self) -> &'static str {
        "custom"
    }

    fn settings(&self) -> Json {
        json!({})
    }

    fn source(&self) -> String {
        format!("custom {}", self.0.fingerprint())
    }

    async fn measure(&self, context: &MeasureContext<'_>, world: &Arc<World>) -> Result<Reading, Failure> {
        let call = world.calls.reaching(&self.0, Argument::Nothing, context.memory, context.pipeline, world);
        match call.await {
            Ok(Returned::Int(value)) => Ok(Reading { data: json!(value), value: json!(value).as_f64() }),
            Ok(Returned::Float(value)) if value.is_finite() => Ok(Reading { data: json!(value), value: Some(value) }),
            Ok(Returned::Data(data)) => Ok(Reading { value: data.as_f64(), data }),
            Ok(Returned::Failed(why)) => Err(Failure::overload(why)),
            Ok(_) => Err(Failure::not_load("the function answered nothing")),
            Err(error) => Err(Failure::not_load(error.to_string())),
        }
    }
}
