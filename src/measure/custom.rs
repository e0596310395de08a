//! Owns the measurement that the script makes itself (`measure: || …`, `measure::custom`): what its
//! function may answer and what each answer means.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Number, Value as Json, json};

use super::{Measure, MeasureContext, Reading};
use crate::function::{Argument, Function, Returned};
use crate::pipeline::Failure;
use crate::world::World;

/// A function of the script as a measuring backend.
#[derive(Clone, Debug)]
pub struct Custom {
    function: Function,
}

impl Custom {
    /// Measures by calling `function`, which takes no parameters.
    #[must_use]
    pub fn new(function: Function) -> Self {
        Self { function }
    }
}

/// What a measuring function, or one given to `.map`, answered.
///
/// # Errors
/// When that is no measurement. A `measure::failed("why")` may be a sign of load, as far as
/// `on_measurement_failure` says so; an answer of the wrong kind never is.
pub fn reading(returned: Returned, what: &str) -> Result<Reading, Failure> {
    let number = |number: Number| {
        let value = number.as_f64();
        Ok(Reading { data: Json::Number(number), value })
    };
    match returned {
        Returned::Int(value) => number(value.into()),
        Returned::Float(value) => match Number::from_f64(value) {
            Some(value) => number(value),
            None => Err(Failure::not_load(format!("{what} answered {value}, which is no number to judge"))),
        },
        Returned::Data(data) => {
            let value = data.as_f64().filter(|value| value.is_finite());
            Ok(Reading { data, value })
        }
        Returned::Nothing => Err(Failure::not_load(format!("{what} answered nothing"))),
        Returned::Failed(why) => Err(Failure::overload(why)),
        Returned::Request(plan) => Err(Failure::not_load(format!(
            "{what} answered the request `{plan}`, which nobody sent: write `.send()`, or `measure::http(#{{ request: … }})`"
        ))),
        Returned::Change(_) => Err(Failure::not_load(format!(
            "{what} answered a change of dynos; `up`, `down`, `to` and `hold` belong into `decide`"
        ))),
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

    /// The same for every function: one that was edited goes on with its history and its memory, since
    /// an edit mostly mends.
    fn source(&self) -> String {
        "custom".into()
    }

    fn reaches(&self) -> Vec<String> {
        self.function.reaches()
    }

    fn function(&self) -> Option<&Function> {
        Some(&self.function)
    }

    async fn measure(&self, context: &MeasureContext<'_>, world: &Arc<World>) -> Result<Reading, Failure> {
        let called = world.calls.reaching(&self.function, Argument::Nothing, context.memory, context.pipeline, world);
        let returned = called.await.map_err(|error| Failure::overload(error.to_string()))?;
        reading(returned, "the function of `measure`")
    }
}
