//! Owns `scale: #{ current: || …, scale_to: |n| … }`: two functions of the script as a platform. What
//! they may reach is `function::`'s to say.

use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::Scale;
use crate::function::This;
use crate::function::{Argument, CallError, Function, Returned};
use crate::world::{Freshness, Platform, ScaleError, ScaleErrorKind, Supply, World};

/// A scaling backend written in the script.
#[derive(Clone, Debug)]
pub struct Custom {
    current: Function,
    scale_to: Function,
    memory: Json,
}

impl Custom {
    /// `current` takes nothing and answers a count, `scale_to` takes one and fails by throwing; `memory`
    /// is the `this` that both share at first.
    #[must_use]
    pub fn new(current: Function, scale_to: Function, memory: Json) -> Self {
        Self { current, scale_to, memory }
    }
}

impl Scale for Custom {
    fn backend(&self) -> &'static str {
        "custom"
    }

    fn settings(&self) -> Json {
        json!({ "memory": self.memory })
    }

    fn target(&self) -> Option<String> {
        None
    }

    fn reaches(&self) -> Vec<String> {
        self.current.reaches().into_iter().chain(self.scale_to.reaches()).collect()
    }

    fn open(self: Arc<Self>, pipeline: &Arc<str>, world: &Arc<World>) -> Arc<dyn Platform> {
        let memory = Mutex::new((&self.memory).into());
        Arc::new(CustomPlatform { custom: self, pipeline: Arc::clone(pipeline), world: Arc::clone(world), memory })
    }
}

struct CustomPlatform {
    custom: Arc<Custom>,
    pipeline: Arc<str>,
    world: Arc<World>,
    memory: Mutex<This>,
}

impl CustomPlatform {
    async fn call(&self, name: &str, function: &Function, argument: Argument) -> Result<Returned, ScaleError> {
        let calls = &self.world.calls;
        let answer = calls.reaching(function, argument, &self.memory, &self.pipeline, &self.world).await;
        answer.map_err(|error| {
            // One that was cut off may have reached what it scales.
            let kind = match error {
                CallError::Budget { .. } => ScaleErrorKind::Unknown,
                CallError::Script { .. } => ScaleErrorKind::Refused,
            };
            ScaleError { kind, message: format!("`{name}`: {error}") }
        })
    }

    fn supply(&self, dynos: u32) -> Supply {
        Supply { dynos, booting: 0, limit: None, read_at: self.world.clock.now() }
    }
}

#[async_trait]
impl Platform for CustomPlatform {
    async fn observe(&self, _freshness: Freshness) -> Result<Supply, ScaleError> {
        let current = &self.custom.current;
        let answer = self.call("current", current, Argument::Nothing).await?;
        count(&answer).map(|dynos| self.supply(dynos)).map_err(|said| ScaleError {
            kind: ScaleErrorKind::Refused,
            message: format!(
                "`current` answers {said}, and must answer a whole number of at least 0 ({})",
                current.place()
            ),
        })
    }

    async fn scale_to(&self, dynos: u32) -> Result<Supply, ScaleError> {
        // Its result is ignored: it fails by throwing.
        let scale_to = &self.custom.scale_to;
        if let Returned::Request(plan) = self.call("scale_to", scale_to, Argument::Dynos(dynos)).await? {
            let message = format!(
                "`scale_to` answered the request `{plan}`, which nobody sent: write `.send()`, or `scale::http(#{{ … }})` ({})",
                scale_to.place()
            );
            return Err(ScaleError { kind: ScaleErrorKind::Refused, message });
        }
        Ok(self.supply(dynos))
    }

    fn memory(&self) -> Option<&Mutex<This>> {
        Some(&self.memory)
    }
}

impl fmt::Debug for CustomPlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomPlatform").field("pipeline", &self.pipeline).finish_non_exhaustive()
    }
}

/// The count, or what else was answered.
pub(super) fn count(answer: &Returned) -> Result<u32, String> {
    let whole = |number: f64| -> Result<u32, String> {
        // Numbers that came through JSON have lost their type: 2.0 is 2.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        if number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number) {
            Ok(number as u32)
        } else {
            Err(format!("{number}"))
        }
    };
    match answer {
        Returned::Int(number) => u32::try_from(*number).map_err(|_| number.to_string()),
        Returned::Float(number) => whole(*number),
        Returned::Data(Json::Number(number)) => whole(number.as_f64().unwrap_or(f64::NAN)),
        Returned::Data(Json::String(text)) => {
            Err(format!("the text \"{}\"", text.chars().take(40).collect::<String>()))
        }
        Returned::Data(Json::Bool(flag)) => Err(flag.to_string()),
        Returned::Data(Json::Array(_)) => Err("an array".into()),
        Returned::Data(Json::Object(_)) => Err("a map".into()),
        Returned::Data(Json::Null) | Returned::Nothing => Err("nothing, `()`".into()),
        Returned::Change(_) => Err("a decision".into()),
        Returned::Request(plan) => Err(format!("the request `{plan}`, which nobody sent: write `.send()`")),
        Returned::Failed(why) => Err(format!("a failed measurement ({why})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_numbers_from_0_are_counts() {
        assert_eq!(count(&Returned::Int(0)), Ok(0));
        assert_eq!(count(&Returned::Float(2.0)), Ok(2));
        assert_eq!(count(&Returned::Data(json!(3))), Ok(3));
        for (answer, said) in [
            (Returned::Int(-1), "-1"),
            (Returned::Int(5_000_000_000), "5000000000"),
            (Returned::Float(1.5), "1.5"),
            (Returned::Float(f64::NAN), "NaN"),
            (Returned::Data(json!("3")), "the text \"3\""),
            (Returned::Nothing, "nothing, `()`"),
        ] {
            assert_eq!(count(&answer), Err(said.into()));
        }
    }
}
