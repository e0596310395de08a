//! Owns what came back, from a web server or a program: untrusted bytes with a status, and whether
//! anybody looked at that status.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value as Json;

use crate::measure::json;
use crate::secret::scrub;
use crate::world::Reply;

/// Characters of a failed reply that a message shows: APIs say there what is wrong.
const SHOWN: usize = 120;

/// One reply.
#[derive(Debug)]
pub struct Response {
    /// Who answered, as messages name it, without secrets.
    who: String,
    /// A program has an exit status, a web server one of HTTP.
    program: bool,
    status: i64,
    ok: bool,
    /// What the status means, where that is known: "Not Found".
    meaning: Option<String>,
    headers: Vec<(String, String)>,
    body: Bytes,
    took: Duration,
    status_read: AtomicBool,
}

impl Response {
    /// That of a web server.
    #[must_use]
    pub fn of_reply(reply: Reply, who: impl Into<String>) -> Self {
        let known = reqwest::StatusCode::from_u16(reply.status).ok();
        Self {
            who: who.into(),
            program: false,
            status: reply.status.into(),
            ok: (200..300).contains(&reply.status),
            meaning: known.and_then(|status| status.canonical_reason()).map(str::to_owned),
            headers: reply.headers,
            body: reply.body,
            took: reply.took,
            status_read: AtomicBool::new(false),
        }
    }

    /// What a program wrote before it ended with `status`; `complaint` is what it said of a failure.
    #[must_use]
    pub fn of_program(who: impl Into<String>, status: i64, output: Bytes, complaint: &str, took: Duration) -> Self {
        Self {
            who: who.into(),
            program: true,
            status,
            ok: status == 0,
            meaning: Some(complaint.to_owned()).filter(|text| !text.is_empty()),
            headers: Vec::new(),
            body: output,
            took,
            status_read: AtomicBool::new(false),
        }
    }

    /// The status; whoever asks is taken to know what it means.
    pub fn status(&self) -> i64 {
        self.status_read.store(true, Ordering::Relaxed);
        self.status
    }

    /// Whether the status says that all is well; whoever asks is taken to know what it means.
    pub fn ok(&self) -> bool {
        self.status_read.store(true, Ordering::Relaxed);
        self.ok
    }

    /// Why it cannot be used, unless it is fine or somebody has looked at its status.
    #[must_use]
    pub fn unhandled(&self) -> Option<String> {
        if self.ok || self.status_read.load(Ordering::Relaxed) { None } else { Some(self.failure()) }
    }

    /// What a status other than fine says: "`GET https://a.test/` answered 503 Service Unavailable".
    #[must_use]
    pub fn failure(&self) -> String {
        let Self { who, status, .. } = self;
        if self.program {
            let said = self.meaning.as_ref().map_or_else(String::new, |said| format!(": {}", shortened(said)));
            return scrub(&format!("`{who}` ended with status {status}{said}")).into_owned();
        }
        let meaning = self.meaning.as_ref().map_or_else(String::new, |meaning| format!(" {meaning}"));
        let body = String::from_utf8_lossy(&self.body[..self.body.len().min(4 * SHOWN)]).trim().to_owned();
        let said =
            if body.is_empty() || body.starts_with('<') { String::new() } else { format!(": {}", shortened(&body)) };
        scrub(&format!("`{who}` answered {status}{meaning}{said}")).into_owned()
    }

    /// The status, for the engine: nobody has looked.
    #[must_use]
    pub fn plain_status(&self) -> i64 {
        self.status
    }

    /// The status is fine, for the engine: nobody has looked.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        self.ok
    }

    /// The header `name`, whatever its case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as text; what is no UTF-8 in it is replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, at most 64 levels deep.
    ///
    /// # Errors
    /// What it is instead.
    pub fn json(&self) -> Result<Json, String> {
        json::parse(&self.body).map_err(|why| scrub(&format!("`{}` {why}", self.who)).into_owned())
    }

    /// Milliseconds from sending to the last byte.
    #[must_use]
    pub fn took_ms(&self) -> f64 {
        self.took.as_secs_f64() * 1000.0
    }
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reply {} of {}", self.status, self.who)
    }
}

/// The beginning of `text`, on one line.
fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() {
        short.push('…');
    }
    short
}
