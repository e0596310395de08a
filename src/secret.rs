//! Owns texts that must never be shown: a [`Secret`] prints as `***`, and every secret text of eight
//! characters or more is scrubbed from what the worker writes. It never decides who may use a secret.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Serialize, Serializer};

use crate::reach::{Host, HostPattern, listed};

/// What a secret looks like wherever it is printed.
pub const MASK: &str = "***";

/// Shorter texts are masked where they are printed as a secret, but not searched for: `web` as a
/// password would mask half of every log line.
pub(crate) const SHORTEST_SCRUBBED: usize = 8;

/// Known secret texts of this process. Global because the log, which must scrub them, is global too.
static KNOWN: RwLock<Vec<Arc<str>>> = RwLock::new(Vec::new());

/// A text that is used and never shown.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret {
    text: Arc<str>,
    /// Where it may be sent: to a host that every one of these names; none: anywhere.
    bonds: Vec<Arc<[HostPattern]>>,
}

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
        Self { text, bonds: Vec::new() }
    }

    /// The same, to be sent to `hosts` only.
    #[must_use]
    pub fn bound_to(mut self, hosts: Arc<[HostPattern]>) -> Self {
        self.bonds.push(hosts);
        self
    }

    /// A text that holds this one, and may be sent where it may. It is not searched for by itself:
    /// what is secret in it is.
    #[must_use]
    pub fn extended(&self, text: impl Into<Arc<str>>) -> Self {
        Self { text: text.into(), bonds: self.bonds.clone() }
    }

    /// The same, to be sent only where `other` may be sent too.
    #[must_use]
    pub fn bound_like(mut self, other: &Self) -> Self {
        self.bonds.extend(other.bonds.iter().cloned());
        self
    }

    /// Whether it may be sent to `host`.
    ///
    /// # Errors
    /// Where it may be sent, to follow the secret's name in a sentence.
    pub fn may_go_to(&self, host: &Host) -> Result<(), String> {
        match self.bonds.iter().find(|hosts| !hosts.iter().any(|pattern| pattern.matches(host))) {
            Some(hosts) => Err(format!("is bound to {}, and may not be sent to `{host}`", listed(hosts))),
            None => Ok(()),
        }
    }

    /// The hosts that it is bound to.
    pub fn hosts(&self) -> impl Iterator<Item = &HostPattern> {
        self.bonds.iter().flat_map(|hosts| hosts.iter())
    }

    /// The text itself, for the one place that needs it (a header, a password field).
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
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

/// `text` with every known secret in it blotted out, as long in bytes as it was: places in it stay what they are.
#[must_use]
pub fn blot(text: &str) -> Cow<'_, str> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    let mut blotted = Cow::Borrowed(text);
    for secret in known.iter() {
        if blotted.contains(&**secret) {
            blotted = Cow::Owned(blotted.replace(&**secret, &"*".repeat(secret.len())));
        }
    }
    blotted
}

/// `url` to be shown: without its password and the values of its query. A user without a password may be a
/// token, and is masked too.
#[must_use]
pub fn masked_url(url: &str) -> String {
    let readable = url::Url::parse(url).is_ok();
    let (head, query) = match url.split_once('?') {
        Some((head, query)) if readable || !query.contains('@') => (head, Some(query)),
        _ => (url, None),
    };
    let mut shown = masked_user(head, readable);
    if let Some(query) = query {
        let pairs = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, _)) => format!("{name}={MASK}"),
            None if pair.is_empty() => String::new(),
            None => MASK.to_owned(),
        });
        shown.push('?');
        shown.push_str(&pairs.collect::<Vec<_>>().join("&"));
    }
    shown
}

fn masked_user(head: &str, readable: bool) -> String {
    let Some((scheme, rest)) = head.split_once("://") else { return head.to_owned() };
    // In a URL that cannot be read a password may hold anything.
    let end = if readable { rest.find(['/', '\\', '#']).unwrap_or(rest.len()) } else { rest.len() };
    let Some((user, _)) = rest[..end].rsplit_once('@') else { return head.to_owned() };
    let host = &rest[user.len()..];
    match user.split_once(':') {
        Some((user, _)) => format!("{scheme}://{user}:{MASK}{host}"),
        None => format!("{scheme}://{MASK}{host}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_what_may_be_secret() {
        for (url, shown) in [
            ("https://a.test/m", "https://a.test/m"),
            ("https://a.test/@me", "https://a.test/@me"),
            ("http://user:pw@a.test:81/m?key=1&x&b=", "http://user:***@a.test:81/m?key=***&***&b=***"),
            ("http://token@a.test", "http://***@a.test"),
            ("/m?token=abc", "/m?token=***"),
            ("http://user:p/w@a.test/m", "http://user:***@a.test/m"),
            ("http://user:p?w@a.test/m", "http://user:***@a.test/m"),
        ] {
            assert_eq!(masked_url(url), shown);
        }
    }

    #[test]
    fn a_secret_prints_masked_and_is_scrubbed() {
        let secret = Secret::new("correct horse battery");
        assert_eq!(format!("{secret} {secret:?}"), "*** ***");
        assert_eq!(scrub("key=correct horse battery."), "key=***.");
        assert_eq!(blot("key=correct horse battery."), "key=*********************.");
    }

    #[test]
    fn a_short_secret_is_masked_and_not_searched_for() {
        let secret = Secret::new("web");
        assert_eq!(secret.to_string(), "***");
        assert_eq!(scrub("web runs"), "web runs");
    }
}
