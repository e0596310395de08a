//! Owns a script value as settings see it: a [`Value`] and where it was written. It refuses to
//! interpret anything.

use std::fmt;
use std::sync::Arc;

use super::Place;
use crate::function::Function;
use crate::request::RequestPlan;
use crate::secret::Secret;

/// A value of the script and the place where it was written, as far as that is known.
#[derive(Clone, Debug)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where the value stands (for an entry of a map: where its key stands). The nearest known
    /// place where the exact one is not known.
    pub place: Option<Place>,
}

/// What a script can hand to a settings map.
#[derive(Clone, Debug)]
pub enum Value {
    /// `()`.
    Unit,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction; may be NaN or infinite.
    Float(f64),
    /// A text.
    Text(Arc<str>),
    /// A text that came from `env::secret` or was tainted by one.
    Secret(Secret),
    /// A secret that is not set here: `check`, `test` and `simulate` go on without it.
    MissingSecret(Arc<str>),
    /// `()`, since the environment variable `name` is not set.
    Unset {
        /// The variable.
        name: Arc<str>,
        /// Whether a setting that must be written goes on without it (`check`, `test`, `simulate`).
        pretended: bool,
    },
    /// `[ … ]`.
    Array(Vec<Node>),
    /// `#{ … }`, in the order written where that is known.
    Map(Vec<(Arc<str>, Node)>),
    /// A closure or the name of a function.
    Function(Function),
    /// A request that was not sent.
    Request(Arc<RequestPlan>),
    /// What a constructor of `measure::`, `decide::`, `scale::` or `notify::` returned.
    Stage(Arc<Stage>),
    /// Anything else, by the name that the script's author knows it under.
    Other(Arc<str>),
}

/// Which of the four modules a constructor belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StageKind {
    /// `measure::…`
    Measure,
    /// `decide::…`
    Decide,
    /// `scale::…`
    Scale,
    /// `notify::…`
    Notify,
}

impl StageKind {
    /// The module's name in the script.
    #[must_use]
    pub fn module(self) -> &'static str {
        match self {
            Self::Measure => "measure",
            Self::Decide => "decide",
            Self::Scale => "scale",
            Self::Notify => "notify",
        }
    }
}

impl fmt::Display for StageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.module())
    }
}

/// A constructor call as written, not yet validated: constructors are pure and say nothing, the
/// pipeline's declaration reads them.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The module.
    pub kind: StageKind,
    /// The constructor's name in it (`response_time`).
    pub name: Arc<str>,
    /// Its settings map (an empty map where none was given).
    pub settings: Node,
    /// Further arguments by position: functions of `custom`, backends of `all`.
    pub arguments: Vec<Node>,
    /// Functions appended by `.map(…)`, first to last (`measure::` only).
    pub map: Vec<Function>,
    /// Where the constructor was called.
    pub place: Option<Place>,
}

/// A number for a message: a very large or small one with an exponent, not with hundreds of digits.
pub(crate) fn in_short(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || !value.is_finite() || (1e-6..1e15).contains(&size) {
        format!("{value}")
    } else {
        format!("{value:e}")
    }
}

impl Node {
    /// A value of which no place is known.
    #[must_use]
    pub fn bare(value: Value) -> Self {
        Self { value, place: None }
    }

    /// The value of `key` if this is a map that has it.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Node> {
        self.entries()?.iter().find(|(name, _)| &**name == key).map(|(_, node)| node)
    }

    /// The entries if this is a map.
    #[must_use]
    pub fn entries(&self) -> Option<&[(Arc<str>, Node)]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// What the value is, in the author's words: "a text", "a whole number" …
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.value {
            Value::Unit | Value::Unset { .. } => "nothing, `()`".into(),
            Value::Bool(value) => format!("`{value}`"),
            Value::Int(value) => format!("the number {value}"),
            Value::Float(value) => format!("the number {}", in_short(*value)),
            Value::Text(text) if text.chars().count() <= 40 => format!("the text \"{text}\""),
            Value::Text(_) => "a text".into(),
            Value::Secret(_) | Value::MissingSecret(_) => "a secret".into(),
            Value::Array(_) => "an array".into(),
            Value::Map(_) => "a map".into(),
            Value::Function(_) => "a function".into(),
            Value::Request(plan) => format!("the request `{plan}`"),
            Value::Stage(stage) => format!("`{}::{}(…)`", stage.kind, stage.name),
            Value::Other(name) => name.to_string(),
        }
    }
}
