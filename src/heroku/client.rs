//! Owns the calls to Heroku's Platform API, version 3: requests with their headers, replies as typed
//! answers, every call noted in the budget of its key. It remembers nothing of an app.
//!
//! Protocol: <https://devcenter.heroku.com/articles/platform-api-reference>.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::time::{Instant, timeout};

use super::answer::{About, ApiError, ApiErrorKind, AppInfo, Dyno, Formation, LogRequest, LogSession, Release, quote};
use super::budget::Budget;
use crate::secret::Secret;
use crate::world::{Http, HttpError, HttpErrorKind, Reply, Request};

/// A call that has no answer by then counts as failed; also the limit of all pages of a list together.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// The version of the API.
pub const ACCEPT: &str = "application/vnd.heroku+json; version=3";

/// Pages of a list that are read: far more than an app may have process types.
const MOST_PAGES: usize = 10;

/// The largest pages that there are.
const WHOLE_LIST: &str = "name ..; max=1000";

/// The headers of every request that may be shown.
#[must_use]
pub fn api_headers() -> [(String, String); 2] {
    let agent = concat!("autoscaler/", env!("CARGO_PKG_VERSION"));
    [("Accept".into(), ACCEPT.into()), ("User-Agent".into(), agent.into())]
}

/// Calls of one API with one key.
#[derive(Clone)]
pub struct Client {
    http: Arc<dyn Http>,
    api_url: Arc<str>,
    /// The header `Authorization`.
    bearer: Secret,
    budget: Arc<Budget>,
    /// Heroku's last warning, which it repeats with every reply.
    warned: Arc<Mutex<String>>,
}

/// A list that may not have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// The list, and its tag for the next time.
    New(Vec<Formation>, Option<String>),
    /// As it was.
    Unchanged,
}

impl Client {
    /// Calls go to `api_url` with `key`, and are noted in `budget`.
    #[must_use]
    pub fn new(http: Arc<dyn Http>, api_url: Arc<str>, key: &Secret, budget: Arc<Budget>) -> Self {
        let bearer = Secret::new(format!("Bearer {}", key.expose()));
        Self { http, api_url, bearer, budget, warned: Arc::default() }
    }

    /// The budget of the key.
    #[must_use]
    pub fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// Every process type of `app`. `tag`: the tag of the list already known.
    pub async fn formation(&self, app: &str, tag: Option<&str>) -> Result<Listed, ApiError> {
        let task = format!("read the dynos of `{app}`");
        let about = About { app, task: &task };
        self.within_time(about, self.pages(about, tag)).await
    }

    async fn pages(&self, about: About<'_>, tag: Option<&str>) -> Result<Listed, ApiError> {
        let mut all: Vec<Formation> = Vec::new();
        let mut range: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut request = self.request("GET", &format!("/apps/{}/formation", about.app));
            if let Some(range) = &range {
                request.headers.push(("Range".into(), range.clone()));
            } else if let Some(tag) = tag {
                request.headers.push(("If-None-Match".into(), tag.to_owned()));
            }
            let reply = self.send(about, request).await?;
            if reply.status == 304 && tag.is_some() && range.is_none() {
                return Ok(Listed::Unchanged);
            }
            all.extend(Self::body::<Vec<Formation>>(about, &reply)?);
            range = reply.header("next-range").filter(|_| reply.status == 206).map(str::to_owned);
            if range.is_none() {
                return Ok(Listed::New(all, reply.header("etag").map(str::to_owned)));
            }
        }
        Err(Self::endless(about))
    }

    fn endless(about: About<'_>) -> ApiError {
        ApiError::new(ApiErrorKind::Refused, format!("cannot {}: the list does not end", about.task))
    }

    /// Every dyno of `app`, one-off dynos included.
    pub async fn dynos(&self, app: &str) -> Result<Vec<Dyno>, ApiError> {
        let task = format!("read what the dynos of `{app}` are doing");
        let about = About { app, task: &task };
        let reading = async {
            let (mut all, mut range) = (Vec::new(), Some(WHOLE_LIST.to_owned()));
            for _ in 0..MOST_PAGES {
                let mut request = self.request("GET", &format!("/apps/{app}/dynos"));
                request.headers.extend(range.map(|range| ("Range".into(), range)));
                let reply = self.send(about, request).await?;
                all.extend(Self::body::<Vec<Dyno>>(about, &reply)?);
                range = reply.header("next-range").filter(|_| reply.status == 206).map(str::to_owned);
                if range.is_none() {
                    return Ok(all);
                }
            }
            Err(Self::endless(about))
        };
        self.within_time(about, reading).await
    }

    /// Whether the newest release of `app` is under way.
    pub async fn releasing(&self, app: &str) -> Result<bool, ApiError> {
        let task = format!("read the releases of `{app}`");
        let about = About { app, task: &task };
        let mut request = self.request("GET", &format!("/apps/{app}/releases"));
        request.headers.push(("Range".into(), "version ..; max=1, order=desc".into()));
        let reply = self.within_time(about, self.send(about, request)).await?;
        let newest: Vec<Release> = Self::body(about, &reply)?;
        Ok(newest.first().is_some_and(|release| release.status == "pending"))
    }

    /// One process type of `app`.
    pub async fn formation_of(&self, app: &str, process_type: &str) -> Result<Formation, ApiError> {
        let task = format!("read the dynos of `{process_type}` of `{app}`");
        self.call(About { app, task: &task }, "GET", &format!("/apps/{app}/formation/{process_type}"), None).await
    }

    /// Asks for `quantity` dynos of `process_type` in all.
    pub async fn update(&self, app: &str, process_type: &str, quantity: u32) -> Result<Formation, ApiError> {
        let task = format!("scale `{process_type}` of `{app}` to {quantity}");
        let body = json!({ "quantity": quantity }).to_string();
        let path = format!("/apps/{app}/formation/{process_type}");
        self.call(About { app, task: &task }, "PATCH", &path, Some(body)).await
    }

    /// What is known of `app`.
    pub async fn app(&self, app: &str) -> Result<AppInfo, ApiError> {
        let task = format!("read the web address of `{app}`");
        self.call(About { app, task: &task }, "GET", &format!("/apps/{app}"), None).await
    }

    /// Opens a log session of `app`.
    pub async fn log_session(&self, app: &str, wanted: LogRequest) -> Result<LogSession, ApiError> {
        let task = format!("open the log of `{app}`");
        let body = serde_json::to_string(&wanted).expect("numbers, flags and texts are JSON");
        self.call(About { app, task: &task }, "POST", &format!("/apps/{app}/log-sessions"), Some(body)).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        about: About<'_>,
        method: &str,
        path: &str,
        body: Option<String>,
    ) -> Result<T, ApiError> {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request.headers.push(("Content-Type".into(), "application/json".into()));
            request.body = Some(Bytes::from(body));
        }
        let reply = self.within_time(about, self.send(about, request)).await?;
        Self::body(about, &reply)
    }

    fn request(&self, method: &str, path: &str) -> Request {
        let mut request = Request::get(format!("{}{path}", self.api_url), CALL_TIMEOUT);
        method.clone_into(&mut request.method);
        request.headers.extend(api_headers());
        request.secret_headers.push(("Authorization".into(), self.bearer.clone()));
        request
    }

    /// One exchange; a status of 4xx or 5xx is an error.
    async fn send(&self, about: About<'_>, request: Request) -> Result<Reply, ApiError> {
        let begun = Instant::now();
        self.budget.spend(begun);
        let reply = self.http.send(request).await.map_err(|error| self.no_reply(about, error))?;
        self.heed(about, &reply);
        let remaining = reply.header("ratelimit-remaining").and_then(|text| text.parse().ok());
        self.budget.note(begun, Instant::now(), reply.status, remaining);
        if reply.status < 400 { Ok(reply) } else { Err(ApiError::status(about, &reply)) }
    }

    /// Logs a warning of Heroku's, once for as long as it stays the same.
    fn heed(&self, about: About<'_>, reply: &Reply) {
        let Some(warning) = reply.header("x-heroku-warning") else { return };
        let warning = quote(warning.as_bytes());
        let mut last = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if *last != warning {
            tracing::warn!(app = about.app, "heroku warns{warning}");
            *last = warning;
        }
    }

    fn no_reply(&self, about: About<'_>, mut error: HttpError) -> ApiError {
        if error.kind == HttpErrorKind::Timeout {
            error.message = format!("heroku does not answer within {} s", CALL_TIMEOUT.as_secs());
        }
        ApiError::no_reply(about, &error, &self.api_url)
    }

    /// Holds `work` to the time-out even where the HTTP client would not.
    async fn within_time<T>(
        &self,
        about: About<'_>,
        work: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, ApiError> {
        let late = HttpError { kind: HttpErrorKind::Timeout, message: String::new() };
        timeout(CALL_TIMEOUT, work).await.unwrap_or_else(|_| Err(self.no_reply(about, late)))
    }

    fn body<T: DeserializeOwned>(about: About<'_>, reply: &Reply) -> Result<T, ApiError> {
        serde_json::from_slice(&reply.body).map_err(|why| ApiError::unreadable(about, reply, &why))
    }
}
