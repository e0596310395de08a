//! What the groups share: servers on free ports, waiting for a condition with a deadline, scratch folders,
//! and the built command as a process.

#![allow(dead_code)]

use std::time::{Duration, Instant};

mod app;
mod heroku;
mod process;
mod script;
mod shown;

pub use app::{AppServer, Manner};
pub use heroku::{APP, FakeHeroku, KEY};
pub use process::{Autoscaler, Said, Signal, Worker};
pub use script::Script;
pub use shown::{lines_fit, sessions, timeless};

/// Time enough for anything that should happen at once, on a machine that is busy with other tests.
pub const SOON: Duration = Duration::from_secs(30);

/// Polls `condition` until it holds or `deadline` has passed; says whether it held.
pub fn eventually(deadline: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + deadline;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// Fails the test unless `condition` holds soon.
#[track_caller]
pub fn wait_for(what: &str, condition: impl FnMut() -> bool) {
    assert!(eventually(SOON, condition), "not within {SOON:?}: {what}");
}
