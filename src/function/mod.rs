//! Owns what the engine knows of a function written in the script: [`Callable`], the arguments it is
//! called with and the answers it gives. It knows no script language; `script::` implements it.

mod calls;
mod outline;
mod role;
mod this;

use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

pub use calls::{Calls, FULL, IN_PLACE, REACHING};
pub use outline::{Answers, Outline, Window};
pub use role::{Role, Standing, sample_time};
pub use this::{Spoken, This};

use crate::pipeline::{Event, Moment};
use crate::request::{RequestPlan, Response};
use crate::settings::{Node, Place, Report};
use crate::testing::Trial;
use crate::world::World;

/// A function of the script, bound to its file and generation.
pub type Function = Arc<dyn Callable>;

/// The entries that `this` begins with; `None` where a function shares it with others.
pub type Memory<'a> = Option<&'a [(Arc<str>, Node)]>;

/// What the engine may do with a script function.
pub trait Callable: Send + Sync + fmt::Debug {
    /// The number of parameters left to give.
    fn arity(&self) -> usize;

    /// Where it is written.
    fn place(&self) -> &Place;

    /// The text of the function and of the values it captured: changes when either is edited.
    fn fingerprint(&self) -> &str;

    /// The hosts that it may speak to, as far as that can be told without running it.
    fn reaches(&self) -> Vec<String> {
        Vec::new()
    }

    /// Calls it on the current thread. `memory` is `this`: a map, changed only if the call succeeds.
    ///
    /// # Errors
    /// What went wrong, for the script's author; [`CallError::Budget`] when it ran out of operations
    /// or time.
    fn call(&self, argument: Argument, memory: &mut This, permit: &Permit) -> Result<Returned, CallError>;

    /// Reports what can be told by looking at it, given where it stands and that `this` is as in `memory`.
    fn examine(&self, _standing: &Standing, _memory: Memory<'_>, _report: &mut Report) {}

    /// Calls it on a sample, to see whether it fails: reaching nothing, saying nothing. `None` where it
    /// came to something that a sample cannot stand for (a request, the data that was measured).
    ///
    /// # Errors
    /// As of [`Callable::call`].
    fn rehearse(&self, _argument: Argument, _memory: &Json) -> Result<Option<Returned>, CallError> {
        Ok(None)
    }

    /// What can be told by reading it.
    fn outline(&self) -> Outline {
        Outline::default()
    }

    /// Where the whole number `n` is written as one of its answers.
    fn plain_answer(&self, _n: i64) -> Option<Place> {
        None
    }
}

/// What a function is called with, by the stage it stands in.
#[derive(Clone, Debug)]
pub enum Argument {
    /// `measure: ||`, `current: ||`.
    Nothing,
    /// `decide: |m|`.
    Moment(Arc<Moment>),
    /// `.map(|data|)`.
    Data(Json),
    /// `notify: |event|`.
    Event(Arc<Event>),
    /// `scale_to: |n|`.
    Dynos(u32),
    /// `value: |response|`.
    Response(Arc<Response>),
}

/// What a function answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Returned {
    /// `()`.
    Nothing,
    /// A whole number; kept apart from other data because dyno counts must be whole.
    Int(i64),
    /// A number with a fraction; may be NaN or infinite.
    Float(f64),
    /// Any other JSON-like value.
    Data(Json),
    /// `up(n)`, `down(n)`, `to(n)`, `hold(…)`.
    Change(Change),
    /// `measure::failed("why")`.
    Failed(String),
    /// `http::get(…)`, not sent: the engine sends it where the stage says so.
    Request(Arc<RequestPlan>),
}

impl Returned {
    /// What was answered, in the author's words.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Nothing => "nothing, `()`".into(),
            Self::Int(number) => format!("the number {number}"),
            Self::Float(number) => format!("the number {number}"),
            Self::Data(data) => crate::measure::json::describe(data),
            Self::Change(_) => "a change of dynos".into(),
            Self::Failed(why) => format!("a failed measurement ({why})"),
            Self::Request(plan) => format!("the request `{plan}`, which nobody sent"),
        }
    }
}

/// What a scripted decision asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The movement.
    pub movement: Movement,
    /// `.because("…")`, or the text of `hold("…")`.
    pub reason: Option<String>,
    /// Answers that were made in the same call and not returned, as written ("up(1)").
    pub dropped: Vec<String>,
}

/// The movement a decision asks for. Numbers are as given: a fraction is rounded up by the engine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Movement {
    /// So many dynos more.
    Up(f64),
    /// So many dynos fewer.
    Down(f64),
    /// So many dynos in all.
    To(f64),
    /// None.
    Hold,
}

/// What a call may use and reach.
#[derive(Clone)]
pub struct Permit {
    /// The name of the pipeline, for `print` and the log.
    pub pipeline: Arc<str>,
    /// Operations and time.
    pub budget: Budget,
    /// What lies outside.
    pub reach: Reach,
}

/// What a call may reach.
#[derive(Clone)]
pub enum Reach {
    /// Nothing: `decide` and everything that turns a reply into a value.
    Pure,
    /// The world, blocking the current thread until it answers (`measure`, `scale`, `notify`).
    World {
        /// What `.send()` uses.
        world: Arc<World>,
        /// The runtime that drives it; the caller is on a thread that may block.
        runtime: tokio::runtime::Handle,
    },
    /// What a test of the script has: pretended worlds, and nothing outside.
    Test(Arc<Trial>),
}

/// How much a call may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Script operations.
    pub operations: u64,
    /// Wall time.
    pub time: std::time::Duration,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The script threw or went wrong.
    #[error("{message}{}", at(.place.as_ref()))]
    Script {
        /// What went wrong, in the author's words.
        message: String,
        /// Where.
        place: Option<Place>,
    },
    /// It used up its operations or its time.
    #[error("{message}{}", at(.place.as_ref()))]
    Budget {
        /// Which limit, and how much it is.
        message: String,
        /// Where it stood.
        place: Option<Place>,
    },
}

fn at(place: Option<&Place>) -> String {
    place.map_or_else(String::new, |place| format!(" ({place})"))
}
