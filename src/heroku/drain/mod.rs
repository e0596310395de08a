//! Owns the receiving end of Heroku's HTTPS log drains: which drains are known, what a delivery must be to be
//! taken, and the frames that were taken before. HTTP itself is `serve`'s.
//!
//! Protocol: <https://devcenter.heroku.com/articles/log-drains#https-drains>; Logplex's own
//! `doc/README.http_drains.md`: syslog frames with counted octets (RFC 6587) in the body of a `POST`.

mod frames;
mod refused;

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::Instant;

pub use frames::{Frame, FrameError, Frames};
pub use refused::Refused;

use super::traffic::Traffic;
use crate::secret::Secret;

/// The largest body: Logplex sends a few kilobytes, and at most 1,024 lines.
pub const BODY_LIMIT: usize = 4 << 20;

/// The type of Logplex's bodies.
pub const CONTENT_TYPE: &str = "application/logplex-1";

/// Frames that are remembered per drain: Logplex sends one again within a minute, if at all.
const FRAMES_KEPT: usize = 1024;

/// The longest frame id that is one; Logplex's has 32 characters.
const LONGEST_ID: usize = 128;

/// A drain is known when its pipeline has ticked once; until then its frames are to be sent again.
const START: Duration = Duration::from_secs(30);

/// The drains that pipelines read.
#[derive(Debug)]
pub struct Drains {
    /// By the digest of the token, so that how long a look-up takes tells nothing of it.
    known: Mutex<HashMap<[u8; 32], Arc<Drain>>>,
    started: Instant,
    listening: AtomicBool,
    hasher: RandomState,
}

/// One drain.
#[derive(Debug, Default)]
struct Drain {
    traffic: Arc<Traffic>,
    frames: Mutex<Taken>,
}

/// Frames that were taken, oldest first.
#[derive(Debug, Default)]
struct Taken {
    order: VecDeque<u64>,
    known: HashSet<u64>,
}

/// The head of a delivery, as its headers say.
#[derive(Clone, Copy, Debug, Default)]
pub struct Head<'a> {
    /// `Content-Type`.
    pub content_type: Option<&'a str>,
    /// `Content-Encoding`.
    pub encoding: Option<&'a str>,
    /// `Content-Length`.
    pub length: Option<u64>,
    /// `Logplex-Drain-Token`.
    pub token: Option<&'a str>,
    /// `Logplex-Frame-Id`.
    pub frame: Option<&'a str>,
    /// `Logplex-Msg-Count`.
    pub count: Option<&'a str>,
}

/// A delivery whose head is in order: its body may be read.
#[derive(Debug)]
pub struct Admitted {
    drain: Arc<Drain>,
    frame: u64,
    count: usize,
}

/// What came of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// So many lines are new.
    Lines(usize),
    /// The frame was taken before, and is ignored.
    Again,
}

impl Default for Drains {
    fn default() -> Self {
        Self {
            known: Mutex::default(),
            started: Instant::now(),
            listening: AtomicBool::new(false),
            hasher: RandomState::new(),
        }
    }
}

impl Drains {
    /// The requests that the drain with `token` tells of; from now on it is known.
    pub fn traffic(&self, token: &Secret, now: Instant) -> Arc<Traffic> {
        let mut known = self.known();
        let digest = digest(token.expose());
        if !known.contains_key(&digest) {
            known.retain(|_, drain| !drain.traffic.is_forgotten(now));
        }
        Arc::clone(&known.entry(digest).or_default().traffic)
    }

    /// Says that deliveries can come.
    pub fn set_listening(&self) {
        self.listening.store(true, Ordering::Relaxed);
    }

    /// Whether deliveries can come at all.
    #[must_use]
    pub fn is_listening(&self) -> bool {
        self.listening.load(Ordering::Relaxed)
    }

    /// Looks at the head of a delivery, before its body is read.
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn admit(&self, head: &Head<'_>, now: Instant) -> Result<Admitted, Refused> {
        let token = head.token.ok_or(Refused::NoToken)?;
        let drain = self.known().get(&digest(token)).map(Arc::clone).ok_or_else(|| {
            let starting = now.saturating_duration_since(self.started) < START;
            if starting { Refused::Starting } else { Refused::WrongToken }
        })?;
        let kind = head.content_type.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case(CONTENT_TYPE) {
            return Err(Refused::Type);
        }
        if head.encoding.is_some_and(|encoding| !encoding.trim().eq_ignore_ascii_case("identity")) {
            return Err(Refused::Encoded);
        }
        let count = head.count.ok_or(Refused::NoCount)?.trim().parse().map_err(|_| Refused::NoCount)?;
        let id = head.frame.map(str::trim).filter(|id| !id.is_empty() && id.len() <= LONGEST_ID);
        let frame = self.hasher.hash_one(id.ok_or(Refused::NoFrameId)?);
        if head.length.is_some_and(|length| length > BODY_LIMIT as u64) {
            drain.traffic.lose(count, now);
            return Err(Refused::TooLarge);
        }
        Ok(Admitted { drain, frame, count: usize::try_from(count).unwrap_or(usize::MAX) })
    }

    fn known(&self) -> MutexGuard<'_, HashMap<[u8; 32], Arc<Drain>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admitted {
    /// Takes the body: all of it or nothing. What is refused for good counts as lost.
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn take(&self, body: &[u8], now: Instant) -> Result<Delivered, Refused> {
        if let Err(refused) = self.check(body) {
            self.lose(now);
            return Err(refused);
        }
        if !self.drain.frames().insert(self.frame) {
            return Ok(Delivered::Again);
        }
        let frames = Frames::of(body).flatten();
        self.drain.traffic.hear_all(frames.map(|frame| (frame.source, frame.process, frame.text)), now);
        Ok(Delivered::Lines(self.count))
    }

    /// Its lines will not come: Logplex drops what is refused.
    pub fn lose(&self, now: Instant) {
        // No frame holds more lines than octets.
        self.drain.traffic.lose(self.count.min(BODY_LIMIT) as u64, now);
    }

    fn check(&self, body: &[u8]) -> Result<(), Refused> {
        let mut found = 0;
        for frame in Frames::of(body) {
            frame?;
            found += 1;
        }
        if found == self.count { Ok(()) } else { Err(Refused::Count { told: self.count, found }) }
    }
}

impl Drain {
    fn frames(&self) -> MutexGuard<'_, Taken> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Whether it is new.
    fn insert(&mut self, frame: u64) -> bool {
        if !self.known.insert(frame) {
            return false;
        }
        if self.order.len() == FRAMES_KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.order.push_back(frame);
        true
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.trim()).into()
}
