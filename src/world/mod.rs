//! Owns everything that a tick touches outside: one value of capabilities, [`World`]. The tick is the
//! same code for `run`, `check`, `test`, `simulate` and `replay`; only the world differs.

mod clock;
mod console;
mod http;
mod platform;
pub mod pretend;
mod program;
mod redis;
mod source;
mod stubbed;

use std::sync::Arc;

pub use clock::{Clock, ManualClock, SystemClock, TokioClock};
pub use console::{Console, Standard};
pub use http::{Http, HttpError, HttpErrorKind, LineStream, Reply, Request};
pub use platform::{Condition, Freshness, Platform, Platforms, ScaleError, ScaleErrorKind, Supply, Wants};
pub use program::{Program, ProgramError, Programs};
pub use redis::{
    READS, Redis, RedisAddress, RedisError, RedisErrorKind, RedisQuestion, RedisServer, RedisTls, RedisValue,
};
pub use source::{LiveSources, Sources};
pub use stubbed::{Stub, StubReply, StubbedHttp};

use crate::function::Calls;
use crate::host::Host;
use crate::levers::Board;
use crate::notify::Audience;
use crate::pipeline::Ledger;
use crate::state::State;

/// The capabilities of one worker. A copy shares them.
#[derive(Clone)]
pub struct World {
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Where script functions run.
    pub calls: Calls,
    /// HTTP requests.
    pub http: Arc<dyn Http>,
    /// Questions to Redis.
    pub redis: Arc<dyn Redis>,
    /// Programs of this machine.
    pub programs: Arc<dyn Programs>,
    /// How measurements are taken.
    pub sources: Arc<dyn Sources>,
    /// How dynos are counted and scaled.
    pub platforms: Arc<dyn Platforms>,
    /// Where lines for people at the terminal go.
    pub console: Arc<dyn Console>,
    /// Who hears of events.
    pub audience: Arc<dyn Audience>,
    /// What is kept.
    pub state: Arc<dyn State>,
    /// What pipelines that share a limit have and were granted.
    pub ledger: Arc<Ledger>,
    /// The levers that operators have pulled.
    pub levers: Arc<Board>,
    /// The program that started this one, where it does more than that.
    pub host: Option<Arc<Host>>,
}
