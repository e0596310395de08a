//! Owns what a check says: one row with its verdict, what was found, and what to do.

use serde::Serialize;

/// What a check comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, and somebody should look.
    Warn,
    /// The worker will not do what the script says.
    Fail,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its name ("key", "size", "queue"): stable, for tools and for the page.
    pub check: &'static str,
    /// What was looked at: an app, a pipeline, a server.
    pub subject: String,
    /// What it comes to.
    pub verdict: Verdict,
    /// What was found, in words, without secrets.
    pub found: String,
    /// What to do, where there is something.
    pub advice: Option<String>,
}

impl Row {
    /// As it should be.
    #[must_use]
    pub fn ok(check: &'static str, subject: impl Into<String>, found: impl Into<String>) -> Self {
        Self { check, subject: subject.into(), verdict: Verdict::Ok, found: found.into(), advice: None }
    }

    /// Somebody should look.
    #[must_use]
    pub fn warn(
        check: &'static str,
        subject: impl Into<String>,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { verdict: Verdict::Warn, ..Self::fail(check, subject, found, advice) }
    }

    /// It will not work.
    #[must_use]
    pub fn fail(
        check: &'static str,
        subject: impl Into<String>,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { verdict: Verdict::Fail, advice: Some(advice.into()), ..Self::ok(check, subject, found) }
    }
}
