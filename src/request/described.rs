//! Owns a request of a stage that the engine sends: written as a value, or made by a function of the
//! script that reaches nothing itself.

use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};

use super::{RequestPlan, Response, send};
use crate::function::This;
use crate::function::{Argument, Function, Returned};
use crate::settings::{Fields, Kind, Value};
use crate::world::{HttpError, HttpErrorKind, World};

/// What a described stage finds around it when it is called.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    pub pipeline: &'a Arc<str>,
    /// The stage's `this`.
    pub memory: &'a Mutex<This>,
    pub world: &'a Arc<World>,
}

/// A request that is described in a setting.
#[derive(Clone, Debug)]
pub(crate) enum Described {
    /// The same every time.
    Fixed(Arc<RequestPlan>),
    /// Made each time by a function.
    Made(Function),
}

impl Described {
    /// Reads the setting `name`: a request, or a function of `arity` parameters that returns one.
    pub fn read(fields: &mut Fields<'_>, name: &str, arity: usize) -> Option<Self> {
        let node = fields.node(name)?;
        match &node.value {
            Value::Request(plan) => Some(Self::Fixed(Arc::clone(plan))),
            Value::Function(_) => fields.function(name, arity).map(Self::Made),
            _ => {
                let message = format!("`{name}` takes {}, not {}", Kind::Request.expected(), node.describe());
                fields.error(name, message, None);
                None
            }
        }
    }

    /// As `check` shows it.
    pub fn shown(&self) -> Json {
        match self {
            Self::Fixed(plan) => plan.described(),
            Self::Made(function) => json!({ "function": function.place().to_string() }),
        }
    }

    /// Names where it goes, as far as that is known.
    pub fn source(&self) -> String {
        match self {
            Self::Fixed(plan) => plan.shown(),
            Self::Made(_) => "a request of the script".into(),
        }
    }

    /// The hosts it reaches, as far as they are known.
    pub fn reaches(&self) -> Vec<String> {
        match self {
            Self::Fixed(plan) => plan.host().iter().map(ToString::to_string).collect(),
            Self::Made(function) => function.reaches(),
        }
    }

    /// The request for `argument`; `None` where the function answers nothing. `what` names the setting.
    ///
    /// # Errors
    /// What the function threw or answered instead.
    pub async fn plan(
        &self,
        what: &str,
        argument: Argument,
        around: Around<'_>,
    ) -> Result<Option<Arc<RequestPlan>>, String> {
        let function = match self {
            Self::Fixed(plan) => return Ok(Some(Arc::clone(plan))),
            Self::Made(function) => function,
        };
        let called = around.world.calls.pure(function, argument, around.memory, around.pipeline);
        match called.await.map_err(|error| format!("`{what}`: {error}"))? {
            Returned::Request(plan) => Ok(Some(plan)),
            Returned::Nothing => Ok(None),
            other => Err(format!(
                "`{what}` answered {}, and must answer a request such as `http::get(url)` ({})",
                other.describe(),
                function.place()
            )),
        }
    }

    /// Sends the request for `argument`, with `retries` further tries where it says nothing of them.
    ///
    /// # Errors
    /// Why there is no reply.
    pub async fn send(
        &self,
        what: &str,
        argument: Argument,
        retries: u32,
        around: Around<'_>,
    ) -> Result<Response, HttpError> {
        let invalid = |message: String| HttpError { kind: HttpErrorKind::Invalid, message };
        let plan = self.plan(what, argument, around).await.map_err(invalid)?;
        let plan = plan.ok_or_else(|| invalid(format!("`{what}` answered nothing, and must answer a request")))?;
        send(&plan, retries, around.world).await
    }
}
