//! Owns HTTP in a test: replies that the test made up, by method and URL, and the list of what was
//! asked. It reaches nothing; a request that no stub answers is an error that names it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::{Http, HttpError, HttpErrorKind, Reply, Request};

/// Requests that are remembered: a test that sends more looks at none of them.
const MOST_SENT: usize = 1_000;

/// A made-up reply to every request that fits.
#[derive(Clone, Debug)]
pub struct Stub {
    /// The method ("GET"), or `*` for any.
    pub method: String,
    /// The URL, in which `*` stands for any text.
    pub url: String,
    /// What is answered.
    pub answer: Result<StubReply, HttpError>,
}

/// What a stub answers.
#[derive(Clone, Debug)]
pub struct StubReply {
    /// The status code.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

/// Answers from stubs.
#[derive(Debug, Default)]
pub struct StubbedHttp(Mutex<Exchanges>);

#[derive(Debug, Default)]
struct Exchanges {
    stubs: Vec<Stub>,
    sent: Vec<Request>,
    unanswered: Vec<String>,
}

impl StubbedHttp {
    fn exchanges(&self) -> MutexGuard<'_, Exchanges> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a stub; of several that fit a request the newest answers.
    pub fn stub(&self, stub: Stub) {
        self.exchanges().stubs.push(stub);
    }

    /// Every request so far, oldest first.
    #[must_use]
    pub fn sent(&self) -> Vec<Request> {
        self.exchanges().sent.clone()
    }

    /// Requests since the last call that no stub answered, as "GET https://…".
    #[must_use]
    pub fn take_unanswered(&self) -> Vec<String> {
        std::mem::take(&mut self.exchanges().unanswered)
    }
}

#[async_trait]
impl Http for StubbedHttp {
    async fn send(&self, request: Request) -> Result<Reply, HttpError> {
        let mut exchanges = self.exchanges();
        let asked = format!("{} {}", request.method, request.url);
        let fits = |stub: &&Stub| {
            let method = stub.method == "*" || stub.method.eq_ignore_ascii_case(&request.method);
            method && matches_glob(&stub.url, &request.url)
        };
        let answer = exchanges.stubs.iter().rev().find(fits).map(|stub| stub.answer.clone());
        if exchanges.sent.len() < MOST_SENT {
            exchanges.sent.push(request);
        }
        let Some(answer) = answer else {
            let message = format!("no `http::stub` answers `{asked}`");
            exchanges.unanswered.push(asked);
            return Err(HttpError { kind: HttpErrorKind::Invalid, message });
        };
        let StubReply { status, headers, body } = answer?;
        Ok(Reply { status, headers, body, took: Duration::ZERO })
    }
}

/// Whether `text` matches `pattern`, in which `*` stands for any text.
fn matches_glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        let url = "https://example.com/a/b?c=d";
        for (pattern, fits) in [
            (url, true),
            ("*", true),
            ("https://*", true),
            ("https://example.com/*/b?c=*", true),
            ("https://*.com/a/b*c=d", true),
            ("https://example.com/a", false),
            ("*/a", false),
            ("https://other.com/*", false),
        ] {
            assert_eq!(matches_glob(pattern, url), fits, "{pattern}");
        }
        assert!(!matches_glob("ab*ba", "aba"));
    }

    #[tokio::test]
    async fn the_newest_stub_answers_and_what_nobody_answers_is_named() {
        let http = StubbedHttp::default();
        let ask = |url: &str| http.send(Request::get(url, Duration::from_secs(1)));
        let stub = |status| Stub {
            method: "*".into(),
            url: "https://a/*".into(),
            answer: Ok(StubReply { status, headers: Vec::new(), body: Bytes::new() }),
        };
        http.stub(stub(200));
        http.stub(stub(503));
        assert_eq!(ask("https://a/x").await.unwrap().status, 503);
        assert!(ask("https://b/").await.unwrap_err().message.contains("GET https://b/"));
        assert_eq!(http.take_unanswered(), ["GET https://b/"]);
        assert_eq!((http.take_unanswered().len(), http.sent().len()), (0, 2));
    }
}
