//! Owns what turns a reply into a value: a function of the script that reaches nothing, a dotted path,
//! or the body itself.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{Around, Response};
use crate::function::{Argument, Function, Returned};
use crate::measure::json::{Path, describe};
use crate::secret::scrub;
use crate::settings::{Fields, Kind, Value};

/// How the value is taken out of a reply.
#[derive(Clone, Debug)]
pub(crate) enum Extract {
    /// `|response| …`
    Function(Function),
    /// A dotted path to a number in the JSON.
    Path(Path),
    /// The body is the value.
    Whole,
}

/// What the error of a function begins with.
const FAILED: &str = "`value`: ";

/// The function, where what it answers is wrong.
pub(crate) const ANSWERS: &str = "the function for `value`";

impl Extract {
    /// Reads the setting `name`.
    pub fn read(fields: &mut Fields<'_>, name: &str) -> Option<Self> {
        let Some(node) = fields.node(name) else { return Some(Self::Whole) };
        match &node.value {
            Value::Function(_) => fields.function(name, 1).map(Self::Function),
            Value::Text(text) => match Path::parse(text) {
                Ok(path) => Some(Self::Path(path)),
                Err(why) => {
                    fields.error(name, format!("`{name}` is \"{text}\", which is no path: {why}"), None);
                    None
                }
            },
            _ => {
                let message = format!("`{name}` takes {}, not {}", Kind::Answer.expected(), node.describe());
                fields.error(name, message, None);
                None
            }
        }
    }

    /// As `check` shows it; `None` where the body is the value.
    pub fn shown(&self) -> Option<Json> {
        match self {
            Self::Function(function) => Some(json!({ "function": function.place().to_string() })),
            Self::Path(path) => Some(json!(path.to_string())),
            Self::Whole => None,
        }
    }

    /// Names what is taken: another path is another measurement.
    pub fn source(&self) -> String {
        match self {
            Self::Path(path) => format!(" at {path}"),
            Self::Function(_) | Self::Whole => String::new(),
        }
    }

    /// The script's function, where one takes the value out.
    pub fn function(&self) -> Option<&Function> {
        match self {
            Self::Function(function) => Some(function),
            Self::Path(_) | Self::Whole => None,
        }
    }

    /// Whether `error`, from [`Extract::take`] or from what it returned, is the script's function's doing.
    #[must_use]
    pub fn is_to_blame(&self, error: &str) -> bool {
        let function = matches!(self, Self::Function(_));
        function && (error.starts_with(FAILED) || error.starts_with(ANSWERS))
    }

    /// The value of `response`. A status that is not fine is a failure, unless a function looks at it.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn take(&self, response: Response, around: Around<'_>) -> Result<Returned, String> {
        let found = match self {
            Self::Function(function) => {
                let response = Arc::new(response);
                let argument = Argument::Response(Arc::clone(&response));
                let called = around.world.calls.pure(function, argument, around.memory, around.pipeline).await;
                return match (response.unhandled(), called) {
                    // Whatever it made of it: a failure never reads as a number.
                    (Some(failure), _) => Err(failure),
                    (None, called) => called.map_err(|error| format!("{FAILED}{error}")),
                };
            }
            Self::Path(_) | Self::Whole if !response.is_fine() => return Err(response.failure()),
            Self::Path(path) => {
                let data = response.json()?;
                path.find(&data).cloned().map_err(|why| format!("the reply has no `{path}`: {why}"))
            }
            Self::Whole => match response.json()? {
                // For a scripted decision, which reads `m.data`.
                data @ (Json::Object(_) | Json::Array(_)) => return Ok(Returned::Data(data)),
                data => Ok(data),
            },
        };
        match found {
            Ok(number @ Json::Number(_)) => Ok(Returned::Data(number)),
            Ok(other) => Err(scrub(&format!("the reply has {} where a number is due", describe(&other))).into_owned()),
            Err(why) => Err(scrub(&why).into_owned()),
        }
    }
}
