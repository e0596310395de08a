//! Owns the lease of a state in Redis: whose it is, whether that one is alive, and what this process knows of it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use redis::Cmd;

use super::place::{Keys, STATES};
use crate::net::RedisLink;
use crate::state::Fence;
use crate::state::lock;
use crate::world::RedisError;

/// Who renews it no more has lost it after this time.
pub(super) const LEASE: Duration = Duration::from_secs(15);

/// It is renewed this often.
pub(super) const RENEW: Duration = Duration::from_secs(5);

/// A worker that cannot renew it acts no more this long before its end: a call of a platform takes 5 s at most.
const MARGIN: Duration = Duration::from_secs(6);

/// For so long whoever stands by is remembered; it says so every half second.
const RIVAL: Duration = Duration::from_secs(10);

/// The version of what is kept.
pub(super) const VERSION: u32 = 1;

/// What trying to take a lease comes to.
pub(super) enum Taken {
    /// It is ours.
    Ours(Fence),
    /// A live worker has it: who, as people are told.
    Held(String),
    /// What is kept is of this newer version.
    Newer(String),
}

/// Takes the lease, also from a process of this machine that has ended.
pub(super) async fn take(link: &RedisLink, keys: &Keys, name: &str) -> Result<Taken, RedisError> {
    let mut dead = String::new();
    loop {
        let (answer, text): (i64, String) = link.ask(try_take(keys, &dead)).await?;
        return Ok(match answer {
            1 => {
                link.ask::<()>(redis::cmd("SADD").arg(STATES).arg(name).to_owned()).await?;
                Taken::Ours(Fence(text.parse().unwrap_or(0)))
            }
            0 => {
                let who = text.split_once(' ').map_or("", |(_, who)| who);
                if text != dead && lock::has_ended(who) {
                    dead = text;
                    continue;
                }
                Taken::Held(lock::for_people(who).to_owned())
            }
            _ => Taken::Newer(text),
        });
    }
}

fn try_take(keys: &Keys, dead: &str) -> Cmd {
    let mut command =
        script(include_str!("lua/take.lua"), &["fence", "lease", "rival", "version"].map(|k| keys.one(k)));
    command.arg(lock::who()).arg(millis(LEASE)).arg(dead).arg(millis(RIVAL)).arg(VERSION);
    command
}

/// Runs `source` on `keys`.
pub(super) fn script(source: &str, keys: &[String]) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(source).arg(keys.len()).arg(keys);
    command
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What this process knows of its lease.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// 0 before it had one.
    fence: AtomicU64,
    taken_over: AtomicBool,
    /// Whether another worker stood by when the server was last heard of.
    rival: AtomicBool,
    /// Until when it surely holds.
    until: Mutex<Option<Instant>>,
}

impl Standing {
    pub(super) fn fence(&self) -> Fence {
        Fence(self.fence.load(Ordering::Acquire))
    }

    /// It was taken at `since`.
    pub(super) fn takes(&self, fence: Fence, since: Instant) {
        self.fence.store(fence.0, Ordering::Release);
        self.renewed(since, false);
    }

    /// It was renewed by a question that was asked at `since`.
    pub(super) fn renewed(&self, since: Instant, rival: bool) {
        self.rival.store(rival, Ordering::Release);
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = Some(since + LEASE);
    }

    pub(super) fn lose(&self) {
        self.taken_over.store(true, Ordering::Release);
    }

    pub(super) fn is_taken_over(&self) -> bool {
        self.taken_over.load(Ordering::Acquire)
    }

    /// Whether this worker may not act: another has the lease, or may have it by now.
    pub(super) fn may_not_act(&self) -> bool {
        self.is_taken_over() || self.rival.load(Ordering::Acquire) && !self.holds_for(MARGIN)
    }

    /// Whether the lease surely holds for `time` from now.
    pub(super) fn holds_for(&self, time: Duration) -> bool {
        let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() + time < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_cannot_renew_its_lease_stops_acting_before_another_may() {
        let ago = |seconds| Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap();
        let standing = Standing::default();
        assert!(!standing.may_not_act() && !standing.holds_for(Duration::ZERO), "it has none yet");
        standing.takes(Fence(1), ago(0));
        assert!(!standing.may_not_act() && standing.holds_for(MARGIN));
        // Nobody stands by: it goes on, and takes nothing away once the lease is over.
        standing.renewed(ago(12), false);
        assert!(!standing.may_not_act() && standing.holds_for(Duration::ZERO));
        standing.renewed(ago(16), false);
        assert!(!standing.may_not_act() && !standing.holds_for(Duration::ZERO));
        // Somebody does, and takes over when the lease is over.
        standing.renewed(ago(8), true);
        assert!(!standing.may_not_act());
        standing.renewed(ago(10), true);
        assert!(standing.may_not_act());
        standing.renewed(ago(0), true);
        assert!(!standing.may_not_act());
        standing.lose();
        assert!(standing.may_not_act());
    }
}
