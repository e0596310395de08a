//! Owns one recipient: what waits for it, its flood limit, and whether a delivery is under way. It
//! says what goes next and when; it has no clock and sends nothing.

use tokio::time::Instant;

use super::flood::Flood;
use super::outbox::{Letter, Outbox};

/// One recipient.
#[derive(Debug)]
pub(super) struct Mailbox {
    outbox: Outbox,
    /// `None` for what stays on the machine: console, logger, test.
    flood: Option<Flood>,
    /// One delivery at a time keeps the order.
    pub(super) busy: bool,
}

impl Mailbox {
    pub(super) fn new(limited: bool) -> Self {
        Self { outbox: Outbox::default(), flood: limited.then(Flood::default), busy: false }
    }

    /// Takes `letter`; `false` when there is no room for it.
    pub(super) fn push(&mut self, letter: Letter, now: Instant) -> bool {
        self.outbox.push(letter, now)
    }

    /// The letter that goes now, if one does. When the worker is `closing` nothing waits any longer,
    /// and the summary goes last.
    pub(super) fn next(&mut self, now: Instant, closing: bool) -> Option<Letter> {
        if self.busy {
            return None;
        }
        let Some(flood) = &mut self.flood else { return self.outbox.pop(now, closing) };
        if flood.has_room(now)
            && let Some(summary) = flood.release()
        {
            flood.count(now);
            return Some(summary);
        }
        while let Some(letter) = self.outbox.pop(now, closing) {
            if flood.has_room(now) {
                flood.count(now);
                return Some(letter);
            }
            flood.hold(letter);
        }
        if closing { flood.release() } else { None }
    }

    /// When [`Mailbox::next`] may have a letter without anything new.
    pub(super) fn due(&self) -> Option<Instant> {
        if self.busy {
            return None;
        }
        let held = self.flood.as_ref().and_then(Flood::due);
        self.outbox.due().into_iter().chain(held).min()
    }

    /// Whether nothing would be forgotten with it.
    pub(super) fn is_idle(&mut self, now: Instant) -> bool {
        let quiet = self.flood.as_mut().is_none_or(|flood| flood.is_quiet(now));
        !self.busy && self.outbox.len() == 0 && quiet
    }

    /// How many letters wait or are held back.
    pub(super) fn waiting(&self) -> usize {
        self.outbox.len() + self.flood.as_ref().map_or(0, Flood::held)
    }
}
