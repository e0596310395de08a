//! Owns what the log says of a store that takes nothing for a while: when it begins, and when it is over.

use super::StateError;

/// What a worker is told that is not the one any more.
pub(super) const TAKEN_OVER: &str = "another worker has taken the state over";

/// The same as an error.
pub(super) fn taken_over() -> StateError {
    StateError(TAKEN_OVER.into())
}

/// What was said last.
#[derive(Default)]
pub(super) struct Trouble(Option<String>);

impl Trouble {
    /// Says that nothing can be written, once for one reason.
    pub(super) fn begins(&mut self, error: &StateError) {
        if self.0.as_deref() != Some(&error.0) {
            tracing::error!("state cannot be written: {error}; the worker goes on, holds it in memory and tries again");
            self.0 = Some(error.0.clone());
        }
    }

    /// Says that it works again, and that `lost` records are not there, where anything was said before.
    pub(super) fn is_over(&mut self, lost: u64) {
        if self.0.take().is_none() {
            return;
        }
        if lost > 0 {
            tracing::warn!("state is written again; {lost} records found no room meanwhile and are lost");
        } else {
            tracing::info!("state is written again, and nothing is lost");
        }
    }
}
