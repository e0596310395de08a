//! Owns HTTP as a capability: requests as values, replies whole and capped, errors by what they say.
//! The live client is `crate::net::Client`.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::secret::Secret;

/// One request. What is printed of it is its method alone: its URL and body may hold secrets.
#[derive(Clone)]
pub struct Request {
    /// "GET", "POST", "PATCH" …
    pub method: String,
    /// An absolute URL.
    pub url: String,
    /// Headers that may be shown.
    pub headers: Vec<(String, String)>,
    /// Headers that may not be shown, and are sent to no other host after a redirect.
    pub secret_headers: Vec<(String, Secret)>,
    /// The body, if any.
    pub body: Option<Bytes>,
    /// Time for the whole exchange, connecting and reading included.
    pub timeout: Duration,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("method", &self.method).finish_non_exhaustive()
    }
}

impl Request {
    /// A GET of `url`.
    #[must_use]
    pub fn get(url: impl Into<String>, timeout: Duration) -> Self {
        let (headers, secret_headers) = (Vec::new(), Vec::new());
        Self { method: "GET".into(), url: url.into(), headers, secret_headers, body: None, timeout }
    }
}

/// One reply, read to its end.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed, at most 1 MiB.
    pub body: Bytes,
    /// From sending the request to the last byte of the body.
    pub took: Duration,
}

impl Reply {
    /// The first header `name` (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Why there was no reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct HttpError {
    /// What sort of failure it is.
    pub kind: HttpErrorKind,
    /// What happened, lower case, with the host but without secrets.
    pub message: String,
}

/// What a failed exchange says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpErrorKind {
    /// The name does not resolve.
    Dns,
    /// The TLS handshake or the certificate failed.
    Tls,
    /// Nobody listens.
    Refused,
    /// There is no way to the host: this machine's network is down, or the route is.
    Unreachable,
    /// The connection broke: reset, closed in the middle, half a body.
    Broken,
    /// No full reply in time.
    Timeout,
    /// A redirect that changes host or path, or goes round in circles; the message names the final URL.
    Redirect,
    /// The body is larger than 1 MiB.
    TooLarge,
    /// The URL is no URL, or names an address that is refused (link-local).
    Invalid,
}

/// Sends requests.
#[async_trait]
pub trait Http: Send + Sync {
    /// Performs one exchange. A status of 4xx or 5xx is a reply, not an error.
    ///
    /// # Errors
    /// When no whole reply came.
    async fn send(&self, request: Request) -> Result<Reply, HttpError>;

    /// Performs one exchange whose reply is read line by line while it comes (a log tail). The time-out
    /// of the request counts until the head of the reply; lines may come for ever.
    ///
    /// # Errors
    /// When no reply began, or where this world has no streams.
    async fn lines(&self, _request: Request) -> Result<Box<dyn LineStream>, HttpError> {
        let message = "replies cannot be read line by line here".into();
        Err(HttpError { kind: HttpErrorKind::Invalid, message })
    }

    /// Whether the host of `url` has ever answered a request in this process, whatever it said: one
    /// that never has is misspelt or not deployed rather than overloaded. A pretended world answers.
    fn has_answered(&self, _url: &str) -> bool {
        true
    }
}

/// The lines of a reply that is still coming. Dropping it closes the connection.
#[async_trait]
pub trait LineStream: Send {
    /// The status code of the reply.
    fn status(&self) -> u16;

    /// The next line without its end, cut after 16 KiB; `None` when the reply is complete. May wait for
    /// ever: the caller sets the limit. Cancelling it loses no line.
    ///
    /// # Errors
    /// When the connection broke.
    async fn next(&mut self) -> Result<Option<String>, HttpError>;
}
