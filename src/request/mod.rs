//! Owns requests as values: what a script describes and the engine sends ([`RequestPlan`]), the reply
//! ([`Response`]), and what turns one into a number. Secrets in a plan stay secret until it is sent.

mod answer;
mod body;
mod described;
mod response;
mod send;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use reqwest::header::{HeaderName, HeaderValue};
use sha2::{Digest, Sha256};
use url::Url;

pub(crate) use answer::{ANSWERS, Extract};
pub use body::{Body, Tree};
pub(crate) use described::{Around, Described};
pub use response::Response;
pub use send::{LONGEST, send};

use crate::reach::Host;
use crate::rules::{self, Rule};
use crate::secret::{MASK, Secret};
use crate::world::{Request, World};

/// Time for one exchange where the script writes none.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// The longest time for one exchange: a tick must come to its end.
const LONGEST_TIMEOUT: f64 = 60.0;

/// The most further tries of one request.
const MOST_RETRIES: u32 = 5;

/// The most headers, and the most entries of a query, of one request.
const MOST_ENTRIES: usize = 100;

/// The longest URL, query included: servers take no more than 8 KiB or so.
const LONGEST_URL: usize = 16 * 1024;

/// Headers that are made from the request itself; another `Host` would defeat what bounds hosts.
const OURS: &[&str] = &["host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"];

/// What is wrong with a request, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// What is wrong.
    pub message: String,
    /// The mend.
    pub help: Option<String>,
    /// What it is a case of.
    pub rule: &'static Rule,
}

impl Wrong {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, rule: &rules::WRONG_REQUEST }
    }

    fn with(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: Some(help.into()), rule: &rules::WRONG_REQUEST }
    }
}

/// A text of a request.
#[derive(Clone, PartialEq, Eq)]
pub enum Part {
    /// May be shown.
    Plain(Arc<str>),
    /// May not.
    Secret(Secret),
    /// A secret that is not set here, by the name of its variable.
    Missing(Arc<str>),
}

impl Part {
    /// The text itself.
    ///
    /// # Errors
    /// Which variable is not set.
    pub fn expose(&self) -> Result<&str, Wrong> {
        match self {
            Self::Plain(text) => Ok(text),
            Self::Secret(secret) => Ok(secret.expose()),
            Self::Missing(name) => Err(Wrong::with(
                format!("the environment variable `{name}` is not set"),
                "set it where the worker runs",
            )),
        }
    }

    /// The text to be sent. A secret that is not set keeps a worker from running: where one is missing
    /// nothing is reached, and an address that exists nowhere stands for it, for `http::stub` to answer.
    fn sent(&self) -> Cow<'_, str> {
        match self {
            Self::Plain(text) => Cow::Borrowed(text),
            Self::Secret(secret) => Cow::Borrowed(secret.expose()),
            Self::Missing(name) => Cow::Owned(format!("https://secret.invalid/{name}")),
        }
    }

    fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Secret(secret) => Some(secret),
            Self::Plain(_) | Self::Missing(_) => None,
        }
    }

    /// `text` made from this one: as secret as this one.
    fn made(&self, make: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::Plain(text) => Self::Secret(Secret::new(make(text))),
            Self::Secret(secret) => Self::Secret(Secret::new(make(secret.expose())).bound_like(secret)),
            Self::Missing(name) => Self::Missing(Arc::clone(name)),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(text) => f.write_str(text),
            Self::Secret(_) | Self::Missing(_) => f.write_str(MASK),
        }
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(text) => write!(f, "{text:?}"),
            Self::Secret(_) | Self::Missing(_) => f.write_str(MASK),
        }
    }
}

/// A request as the script describes it. Every method gives a changed copy.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestPlan {
    method: Arc<str>,
    url: Part,
    /// Of the URL; `None` where it is a secret that is not set here.
    host: Option<Host>,
    headers: Vec<(Arc<str>, Part)>,
    query: Vec<(Arc<str>, Part)>,
    body: Body,
    timeout: Duration,
    /// Further tries; `None` where the script says nothing of it.
    retries: Option<u32>,
}

impl RequestPlan {
    /// A request of `method` for `url`.
    ///
    /// # Errors
    /// When `url` is no web address, `method` no method, or the URL a secret bound to another host.
    pub fn new(method: &str, url: Part) -> Result<Self, Wrong> {
        if method.is_empty() || method.len() > 20 || !method.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return Err(Wrong::with(format!("`{method}` is no method of HTTP"), "such as \"GET\" or \"POST\""));
        }
        let host = match &url {
            Part::Missing(_) => None,
            known => Some(host_of(known)?),
        };
        let plan = Self {
            method: method.to_uppercase().into(),
            url,
            host,
            headers: Vec::new(),
            query: Vec::new(),
            body: Body::None,
            timeout: TIMEOUT,
            retries: None,
        };
        plan.check("the URL", &plan.url)?;
        Ok(plan)
    }

    /// With the header `name`, in place of one of the same name.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub fn header(mut self, name: &str, value: Part) -> Result<Self, Wrong> {
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(Wrong::new(format!("`{name}` cannot be the name of a header")));
        }
        if OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours)) {
            return Err(Wrong::new(format!("the header `{name}` is made from the request, and cannot be set")));
        }
        if value.expose().is_ok_and(|text| HeaderValue::from_str(text).is_err()) {
            let message = format!("the value of the header `{name}` holds a character that no header may hold");
            return Err(Wrong::with(message, "such as a line end"));
        }
        let value = match value {
            Part::Plain(text) if crate::measure::is_credential(name) => Part::Secret(Secret::new(text)),
            value => value,
        };
        self.check(&format!("the header `{name}`"), &value)?;
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.into(), value));
        if self.headers.len() > MOST_ENTRIES {
            return Err(Wrong::new(format!("the request has more than {MOST_ENTRIES} headers")));
        }
        Ok(self)
    }

    /// With `token` as its bearer token.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub fn bearer(self, token: &Part) -> Result<Self, Wrong> {
        self.header("Authorization", token.made(|token| format!("Bearer {token}")))
    }

    /// With a user and a password, as HTTP's basic authentication.
    ///
    /// # Errors
    /// When they cannot be sent.
    pub fn basic(self, user: &Part, password: &Part) -> Result<Self, Wrong> {
        if user.expose().is_ok_and(|user| user.contains(':')) {
            return Err(Wrong::new("the user of `basic` may not hold a colon"));
        }
        let user_text = match (user.expose(), user) {
            (Ok(text), _) => text.to_owned(),
            (Err(_), user) => return self.header("Authorization", user.clone()),
        };
        let header = password.made(|password| format!("Basic {}", STANDARD.encode(format!("{user_text}:{password}"))));
        let header = match (header, user.secret()) {
            (Part::Secret(header), Some(user)) => Part::Secret(header.bound_like(user)),
            (header, _) => header,
        };
        self.header("Authorization", header)
    }

    /// With a further entry of the query.
    ///
    /// # Errors
    /// When it is a secret bound to another host, or one too many.
    pub fn query(mut self, name: &str, value: Part) -> Result<Self, Wrong> {
        self.check(&format!("`{name}` of the query"), &value)?;
        self.query.push((name.into(), value));
        if self.query.len() > MOST_ENTRIES {
            return Err(Wrong::new(format!("the query has more than {MOST_ENTRIES} entries")));
        }
        Ok(self)
    }

    /// With `body`.
    ///
    /// # Errors
    /// When it is larger than 1 MiB, or holds a secret bound to another host.
    pub fn body(mut self, body: Body) -> Result<Self, Wrong> {
        for part in body.secrets() {
            self.check("the body", &Part::Secret(part.clone()))?;
        }
        body.check_size()?;
        self.body = body;
        Ok(self)
    }

    /// With a time for each exchange.
    ///
    /// # Errors
    /// When it is not above 0, or above 60 s.
    pub fn timeout(mut self, seconds: f64) -> Result<Self, Wrong> {
        if !(seconds > 0.0 && seconds <= LONGEST_TIMEOUT) {
            let message =
                format!("`timeout_seconds` takes a number above 0 and up to {LONGEST_TIMEOUT}, not {seconds}");
            return Err(Wrong::new(message));
        }
        self.timeout = Duration::from_secs_f64(seconds);
        Ok(self)
    }

    /// With so many further tries after 429, 5xx or a failure of the network.
    ///
    /// # Errors
    /// When there are more than 5.
    pub fn retries(mut self, retries: i64) -> Result<Self, Wrong> {
        let valid = u32::try_from(retries).ok().filter(|retries| *retries <= MOST_RETRIES);
        let Some(retries) = valid else {
            return Err(Wrong::new(format!("`retries` takes a whole number from 0 to {MOST_RETRIES}, not {retries}")));
        };
        self.retries = Some(retries);
        Ok(self)
    }

    /// Where it goes, unless that is a secret that is not set here.
    #[must_use]
    pub fn host(&self) -> Option<&Host> {
        self.host.as_ref()
    }

    /// Equal for equal requests, secrets included, and tells nothing of them.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let exposed = match self.request() {
            Ok(request) => {
                let secrets: Vec<_> = request.secret_headers.iter().map(|(name, s)| (name, s.expose())).collect();
                format!("{} {:?} {secrets:?} {:?}", request.url, request.headers, request.body)
            }
            Err(wrong) => wrong.message,
        };
        format!("request {:x} of {self:?}", Sha256::digest(exposed))
    }

    /// Whether its host has ever answered a request of this process.
    #[must_use]
    pub fn has_answered(&self, world: &World) -> bool {
        self.url.expose().is_ok_and(|url| world.http.has_answered(url))
    }

    /// Method and URL, without query and secrets: `GET https://api.test/queues`.
    #[must_use]
    pub fn shown(&self) -> String {
        let url = match (&self.url, &self.host) {
            (Part::Plain(text), _) => Url::parse(text).map_or_else(|_| MASK.into(), |url| without_secrets(&url)),
            (_, Some(host)) => format!("{host}/{MASK}"),
            (_, None) => MASK.into(),
        };
        format!("{} {url}", self.method)
    }

    /// What tells it from others, for `check` and views: nothing secret.
    #[must_use]
    pub fn described(&self) -> serde_json::Value {
        let names = |entries: &[(Arc<str>, Part)]| -> serde_json::Map<String, serde_json::Value> {
            entries.iter().map(|(name, part)| (name.to_string(), part.to_string().into())).collect()
        };
        let mut described = serde_json::Map::new();
        described.insert("request".into(), self.shown().into());
        if !self.headers.is_empty() {
            described.insert("headers".into(), names(&self.headers).into());
        }
        if !self.query.is_empty() {
            described.insert("query".into(), names(&self.query).into());
        }
        described.insert("timeout_seconds".into(), self.timeout.as_secs_f64().into());
        described.into()
    }

    /// Ready to be sent: the one place where its secrets are exposed.
    ///
    /// # Errors
    /// When it grew too large.
    pub fn request(&self) -> Result<Request, Wrong> {
        let mut url = parse(&self.url.sent())?;
        if !self.query.is_empty() {
            let mut pairs = url.query_pairs_mut();
            for (name, value) in &self.query {
                pairs.append_pair(name, &value.sent());
            }
        }
        if url.as_str().len() > LONGEST_URL {
            return Err(Wrong::new(format!("the URL is longer than {} KiB", LONGEST_URL / 1024)));
        }
        let mut request = Request::get(url, self.timeout);
        request.method = self.method.to_string();
        for (name, value) in &self.headers {
            match value {
                Part::Plain(text) => request.headers.push((name.to_string(), text.to_string())),
                Part::Secret(secret) => request.secret_headers.push((name.to_string(), secret.clone())),
                Part::Missing(_) => request.headers.push((name.to_string(), value.sent().into_owned())),
            }
        }
        if let Some((bytes, kind)) = self.body.bytes()? {
            if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                request.headers.push(("Content-Type".into(), kind.into()));
            }
            request.body = Some(Bytes::from(bytes));
        }
        Ok(request)
    }

    /// Refuses a secret that may not go where this request goes.
    fn check(&self, what: &str, part: &Part) -> Result<(), Wrong> {
        let (Some(secret), Some(host)) = (part.secret(), &self.host) else { return Ok(()) };
        let wrong = |why| Wrong { rule: &rules::SECRET_ELSEWHERE, ..Wrong::new(format!("the secret in {what} {why}")) };
        secret.may_go_to(host).map_err(wrong)
    }
}

impl fmt::Display for RequestPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

fn parse(text: &str) -> Result<Url, Wrong> {
    let example = "such as \"https://api.example.com/queues\"";
    let url = Url::parse(text).map_err(|fault| {
        let why = match fault {
            url::ParseError::RelativeUrlWithoutBase => "it does not begin with `https://` or `http://`".to_owned(),
            other => other.to_string(),
        };
        Wrong::with(format!("the URL is no web address: {why}"), example)
    })?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        scheme => Err(Wrong::with(format!("the URL begins with `{scheme}:`, not with `https:` or `http:`"), example)),
    }
}

fn host_of(url: &Part) -> Result<Host, Wrong> {
    let parsed = match url {
        Part::Plain(text) => parse(text).map_err(|wrong| {
            let shown: String = text.chars().take(60).collect();
            Wrong { message: wrong.message.replacen("the URL", &format!("`{shown}`"), 1), ..wrong }
        })?,
        known => parse(known.expose()?)?,
    };
    Host::of(&parsed).ok_or_else(|| Wrong::new("the URL names no host"))
}

/// Without what may be secret in it: credentials, query, fragment.
fn without_secrets(url: &Url) -> String {
    let mut shown = url.clone();
    // Only URLs without a host refuse these, and those are never planned.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_query(None);
    shown.set_fragment(None);
    shown.to_string()
}

#[cfg(test)]
mod tests;
