//! What the groups share: servers on free ports, waiting for a condition with a deadline, scratch folders.

use std::time::{Duration, Instant};

/// Polls `condition` until it holds or `deadline` has passed; says whether it held.
#[allow(dead_code)]
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
