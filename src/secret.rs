//! Owns texts that must never be shown: a [`Secret`] prints as `***`, and every secret text of eight
//! characters or more is scrubbed from what the worker writes. It never decides who may use a secret.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Serialize, Serializer};

/// What a secret looks like wherever it is printed.
pub const MASK: &str = "***";

/// Shorter texts are masked where they are printed as a secret, but not searched for: `web` as a
/// password would mask half of every log line.
const SHORTEST_SCRUBBED: usize = 8;

/// Known secret texts of this process. Global because the log, which must scrub them, is global too.
static KNOWN: RwLock<Vec<Arc<str>>> = RwLock::new(Vec::new());

/// A text that is used and never shown.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Takes `text` into custody: from now on [`scrub`] masks it.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        if text.chars().count() >= SHORTEST_SCRUBBED {
            let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
            if !known.contains(&text) {
                known.push(Arc::clone(&text));
                // Longest first, so that a secret that contains another is masked whole.
                known.sort_by_key(|text| std::cmp::Reverse(text.len()));
            }
        }
        Self(text)
    }

    /// The text itself, for the one place that needs it (a header, a password field).
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(MASK)
    }
}

/// `text` with every known secret in it masked.
#[must_use]
pub fn scrub(text: &str) -> Cow<'_, str> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    let mut scrubbed = Cow::Borrowed(text);
    for secret in known.iter() {
        if scrubbed.contains(&**secret) {
            scrubbed = Cow::Owned(scrubbed.replace(&**secret, MASK));
        }
    }
    scrubbed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_masked_and_is_scrubbed() {
        let secret = Secret::new("correct horse battery");
        assert_eq!(format!("{secret} {secret:?}"), "*** ***");
        assert_eq!(scrub("key=correct horse battery."), "key=***.");
    }

    #[test]
    fn a_short_secret_is_masked_and_not_searched_for() {
        let secret = Secret::new("web");
        assert_eq!(secret.to_string(), "***");
        assert_eq!(scrub("web runs"), "web runs");
    }
}
