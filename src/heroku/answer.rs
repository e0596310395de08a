//! Owns what Heroku's answers mean: the objects the engine reads from them, and errors as sentences
//! that name the mend. It sends nothing.

use serde::{Deserialize, Serialize};

use crate::secret::scrub;
use crate::world::{HttpError, HttpErrorKind, Reply, ScaleError, ScaleErrorKind};

/// How much of a foreign text is quoted in a message, in characters.
const QUOTED: usize = 160;

/// A process type of an app, as `GET /apps/{app}/formation` lists it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Formation {
    /// The process type ("web").
    #[serde(rename = "type")]
    pub process_type: String,
    /// Dynos asked for.
    pub quantity: u32,
    /// Their size ("Standard-1X"); an old name of `dyno_size.name` that is still sent.
    #[serde(default)]
    pub size: Option<String>,
}

/// A dyno, as `GET /apps/{app}/dynos` lists it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Dyno {
    /// The process type ("web", "run", "release").
    #[serde(rename = "type")]
    pub process_type: String,
    /// "starting", "up", "crashed", "down" or "idle"; a word that is new is taken for up.
    pub state: String,
}

impl Dyno {
    /// Whether it is on its way up.
    #[must_use]
    pub fn is_booting(&self) -> bool {
        self.state == "starting"
    }

    /// Whether it works. An idle one does as soon as it is asked to.
    #[must_use]
    pub fn is_up(&self) -> bool {
        !matches!(self.state.as_str(), "starting" | "crashed" | "down")
    }
}

/// What of a release is read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Release {
    /// "succeeded", "failed" or "pending".
    #[serde(default)]
    pub status: String,
}

/// What of `GET /apps/{app}` is read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AppInfo {
    /// The app's name.
    pub name: String,
    /// Where it is served, with a slash at its end.
    pub web_url: Option<String>,
}

/// What `POST /apps/{app}/log-sessions` answers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LogSession {
    /// Where the lines come from; asks for no key.
    pub logplex_url: String,
}

/// What a log session is asked for.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LogRequest {
    /// Lines from before.
    pub lines: u32,
    /// "heroku" or "app".
    pub source: &'static str,
    /// "router", or the name of a dyno.
    pub dyno_name: &'static str,
    /// Whether lines go on coming.
    pub tail: bool,
}

/// The JSON body of an error.
#[derive(Debug, Default, Deserialize)]
struct Body {
    #[serde(default)]
    id: String,
    #[serde(default)]
    message: String,
    limit: Option<u32>,
}

/// Why a call brought no answer that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// What sort of failure it is.
    pub kind: ApiErrorKind,
    /// What happened, with the mend, without secrets.
    pub message: String,
}

/// What a failed call says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiErrorKind {
    /// Nothing changed.
    Refused,
    /// 404: there is no such app, or no such process type.
    NotFound,
    /// 422 `cannot_…` with a number.
    Limit {
        /// The number.
        limit: u32,
        /// Whether it is known to count all process types of the app together.
        app_wide: bool,
    },
    /// 429.
    RateLimited,
    /// Time-out, reset, 5xx, or an answer that cannot be read: it may have happened.
    Unknown,
}

impl From<ApiError> for ScaleError {
    fn from(error: ApiError) -> Self {
        let kind = match error.kind {
            ApiErrorKind::Refused | ApiErrorKind::NotFound => ScaleErrorKind::Refused,
            ApiErrorKind::Limit { limit, .. } => ScaleErrorKind::Limit(limit),
            ApiErrorKind::RateLimited => ScaleErrorKind::RateLimited,
            ApiErrorKind::Unknown => ScaleErrorKind::Unknown,
        };
        Self { kind, message: error.message }
    }
}

/// What a call was about, for messages.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The app as the script names it.
    pub app: &'a str,
    /// What was to be done: "read the dynos of `shop`".
    pub task: &'a str,
}

impl ApiError {
    /// An error of `kind`.
    pub fn new(kind: ApiErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// No reply at all. `sent`: whether the request may have reached Heroku.
    #[must_use]
    pub fn no_reply(about: About<'_>, error: &HttpError, api_url: &str) -> Self {
        let kind = match error.kind {
            HttpErrorKind::Timeout | HttpErrorKind::Broken | HttpErrorKind::TooLarge => ApiErrorKind::Unknown,
            _ => ApiErrorKind::Refused,
        };
        let help = match error.kind {
            HttpErrorKind::Dns | HttpErrorKind::Refused | HttpErrorKind::Redirect | HttpErrorKind::Invalid => {
                format!("; check `api_url`, which is {api_url}")
            }
            _ => String::new(),
        };
        Self::new(kind, format!("cannot {}: {}{help}", about.task, error.message))
    }

    /// A reply with a status that is no success.
    #[must_use]
    pub fn status(about: About<'_>, reply: &Reply) -> Self {
        let (app, status) = (about.app, reply.status);
        let body: Body = serde_json::from_slice(&reply.body).unwrap_or_default();
        let said = if body.message.is_empty() { quote(&reply.body) } else { quote(body.message.as_bytes()) };
        let told = |text: String| format!("cannot {}: {text} (heroku answers {status}{said})", about.task);
        let suspended = body.id == "suspended";
        match status {
            401 => Self::new(
                ApiErrorKind::Refused,
                told(
                    "the API key is not valid; make one with `heroku authorizations:create` and set it as `api_key`"
                        .into(),
                ),
            ),
            402 => Self::new(
                ApiErrorKind::Refused,
                told("the account has an unpaid bill; settle it on dashboard.heroku.com/account/billing".into()),
            ),
            403 if suspended => Self::new(ApiErrorKind::Refused, told(format!("`{app}` or its account is suspended"))),
            403 => Self::new(
                ApiErrorKind::Refused,
                told(format!("the API key may not do that; use the key of an owner or collaborator of `{app}`")),
            ),
            404 => Self::new(
                ApiErrorKind::NotFound,
                told(format!("there is no app `{app}` for this API key; check `app_name` and whose key it is")),
            ),
            409 => Self::new(
                ApiErrorKind::Refused,
                told(format!("`{app}` is being changed by somebody else at this moment; the next tick tries again")),
            ),
            422 => Self::unprocessable(&body, told),
            429 => Self::new(
                ApiErrorKind::RateLimited,
                told("the account is out of API calls; other programs that use it count too".into()),
            ),
            500.. => Self::new(ApiErrorKind::Unknown, told("heroku has a fault; see status.heroku.com".into())),
            _ => Self::new(ApiErrorKind::Refused, told("heroku does not take this request".into())),
        }
    }

    fn unprocessable(body: &Body, told: impl Fn(String) -> String) -> Self {
        if body.id == "verification_needed" {
            let mend = "the account is not verified; add a payment method on dashboard.heroku.com/account/billing";
            return Self::new(ApiErrorKind::Refused, told(mend.into()));
        }
        match body.limit {
            Some(limit) if body.id.starts_with("cannot_") => {
                // `cannot_update_above_limit` counts the dynos of all types, unless its text says otherwise.
                let app_wide = body.id == "cannot_update_above_limit" && !body.message.contains("per process type");
                let mend = format!("heroku allows {limit} here; set `max_dynos` to that, or ask heroku for more");
                Self::new(ApiErrorKind::Limit { limit, app_wide }, told(mend))
            }
            _ => Self::new(ApiErrorKind::Refused, told("heroku does not allow it".into())),
        }
    }

    /// A success whose body is not what it should be.
    #[must_use]
    pub fn unreadable(about: About<'_>, reply: &Reply, why: &serde_json::Error) -> Self {
        let (said, why) = (quote(&reply.body), in_words(why));
        let message =
            format!("cannot {}: heroku answers {} with something else{said}: {why}", about.task, reply.status);
        Self::new(ApiErrorKind::Unknown, message)
    }
}

/// What is wrong with a body, for people who know JSON and not our types.
fn in_words(error: &serde_json::Error) -> String {
    let mut text = error.to_string();
    // An array in place of an object is told by the number of our fields.
    if let Some(at) = text.find(", expected struct ") {
        let place = text.find(" at line ").map_or(String::new(), |place| text[place..].to_owned());
        text.truncate(at);
        text.push_str(", expected an object");
        text.push_str(&place);
    }
    text.replace("expected u32", "expected a whole number from 0")
}

/// ": `the beginning of the text`", on one line, without secrets and control characters.
pub(super) fn quote(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let words: Vec<&str> = text.split_whitespace().collect();
    let line: String = words.join(" ").chars().filter(|character| !character.is_control()).collect();
    let scrubbed = scrub(&line);
    if scrubbed.is_empty() {
        return String::new();
    }
    let cut: String = scrubbed.chars().take(QUOTED).collect();
    let dots = if cut.len() < scrubbed.len() { "…" } else { "" };
    format!(": `{cut}{dots}`")
}

/// What is said of a process type that the app does not have.
#[must_use]
pub fn unknown_type(app: &str, process_type: &str, known: &[Formation]) -> ScaleError {
    let names: Vec<String> = known.iter().map(|formation| format!("`{}`", formation.process_type)).collect();
    let message = if names.is_empty() {
        format!("`{app}` has no process types yet, so none is called `{process_type}`: deploy it with a Procfile first")
    } else {
        format!(
            "`{app}` has no process type `{process_type}`, but {}: set `process_type`, or name the pipeline after one",
            names.join(", ")
        )
    };
    ScaleError { kind: ScaleErrorKind::Refused, message }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;

    const ABOUT: About<'_> = About { app: "shop", task: "scale `web` of `shop` to 3" };

    fn reply(status: u16, body: &str) -> Reply {
        let body = Bytes::copy_from_slice(body.as_bytes());
        Reply { status, headers: Vec::new(), body, took: Duration::ZERO }
    }

    #[test]
    fn a_limit_is_read_with_what_it_counts() {
        let per_type = r#"{"id":"cannot_update_above_limit","limit":1,"message":"Cannot update to more than 1 Hobby size dynos per process type."}"#;
        let app_wide = r#"{"id":"cannot_update_above_limit","limit":100,"message":"Cannot update."}"#;
        let kind = |body| ApiError::status(ABOUT, &reply(422, body)).kind;
        assert_eq!(kind(per_type), ApiErrorKind::Limit { limit: 1, app_wide: false });
        assert_eq!(kind(app_wide), ApiErrorKind::Limit { limit: 100, app_wide: true });
        assert_eq!(kind(r#"{"id":"invalid_params","message":"No such size as 1X.","limit":3}"#), ApiErrorKind::Refused);
    }

    #[test]
    fn a_foreign_text_is_quoted_on_one_short_line() {
        let error = ApiError::status(ABOUT, &reply(503, &format!("<html>\n\u{1b}[31m{}", "x".repeat(500))));
        assert_eq!(error.kind, ApiErrorKind::Unknown);
        assert!(error.message.contains("`<html> [31mxxx"), "{}", error.message);
        assert!(error.message.len() < 400 && error.message.ends_with("…`)"), "{}", error.message);
    }

    #[test]
    fn an_unknown_process_type_is_answered_with_those_there_are() {
        let web = Formation { process_type: "web".into(), quantity: 1, size: None };
        let error = unknown_type("shop", "celery", &[web]);
        assert_eq!(
            error.message,
            "`shop` has no process type `celery`, but `web`: set `process_type`, or name the pipeline after one"
        );
        assert!(unknown_type("shop", "celery", &[]).message.contains("deploy it with a Procfile first"));
    }
}
