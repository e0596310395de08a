//! Owns the running worker: generations of scripts, the tasks that run their pipelines, reloading and
//! stopping. What a tick does is `pipeline::`'s.

mod actor;
mod changes;
mod difference;
mod gate;
mod generation;
mod journal;
mod live;
mod lookout;
mod needs;
mod options;
mod probation;
mod pushed;
mod spread;
mod supervisor;
mod task;
mod unit;
mod version;
mod watch;
mod watchdog;

pub use actor::Actor;
pub use changes::{Change, changes};
pub use gate::GateVerdict;
pub use generation::{Generation, Loading, Refused, shared_targets};
pub use live::Services;
pub use options::Options;
pub use pushed::Follower;
pub use spread::first_delay;
pub use supervisor::Supervisor;
pub(crate) use supervisor::announce::log;
pub use unit::{Aside, AsideKind, LastGood, Unit};
pub use version::hex;
pub use watch::Watch;
