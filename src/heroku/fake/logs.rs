//! Owns the fake's log sessions and the streams that they open, as lines or as server-sent events.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{SecondsFormat, Utc};
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::Fake;
use super::app::random_id;
use super::refusal::Refusal;

/// Where streams are; they ask for no key.
pub const PREFIX: &str = "/logplex/";

/// The route of a stream.
pub const ROUTE: &str = "/logplex/sessions/{id}";

/// Lines from before where none are asked for.
const LINES_BEFORE: usize = 100;

/// Sessions that are remembered; a reader of a forgotten one opens another.
const MOST_SESSIONS: usize = 1000;

/// A log session.
#[derive(Clone, Debug)]
pub struct Session {
    pub app: String,
    wanted: Wanted,
}

/// The body of a request for one.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Wanted {
    lines: Option<usize>,
    source: Option<String>,
    #[serde(alias = "dyno")]
    dyno_name: Option<String>,
    #[serde(rename = "type")]
    process_type: Option<String>,
    #[serde(default)]
    tail: bool,
}

impl Wanted {
    /// Whether `<time> <source>[<process>]: …` is asked for.
    fn wants(&self, line: &str) -> bool {
        let from = line.split(' ').nth(1).unwrap_or_default();
        let (source, process) = from.split_once('[').unwrap_or((from, ""));
        let process = process.trim_end_matches("]:");
        self.source.as_deref().is_none_or(|wanted| wanted == source)
            && self.dyno_name.as_deref().is_none_or(|wanted| wanted == process)
            && self.process_type.as_deref().is_none_or(|wanted| process.split('.').next() == Some(wanted))
    }
}

/// `POST /apps/{app}/log-sessions`
pub async fn open(
    State(fake): State<Fake>,
    Path(app): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let wanted: Wanted = match body.len() {
        0 => Wanted::default(),
        _ => serde_json::from_slice(&body).map_err(|error| Refusal::invalid(format!("Invalid params: {error}.")))?,
    };
    let app = fake.with_app(&app, |app| Ok(app.name.clone()))?;
    let (id, time) = (random_id(), Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true));
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or("127.0.0.1");
    let url = format!("http://{host}{PREFIX}sessions/{id}?srv={}", Utc::now().timestamp());
    let mut state = fake.state();
    if state.sessions.len() == MOST_SESSIONS {
        state.sessions.clear();
    }
    state.sessions.insert(id.clone(), Session { app, wanted });
    drop(state);
    let body = json!({ "created_at": time, "id": id, "logplex_url": url, "updated_at": time });
    Ok((StatusCode::CREATED, Json(body)))
}

/// `GET /logplex/sessions/{id}`
pub async fn read(State(fake): State<Fake>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let not_found = || (StatusCode::NOT_FOUND, "Not found").into_response();
    let Some(session) = fake.state().sessions.get(&id).cloned() else { return not_found() };
    let before_and_tail = fake.with_app(&session.app, |app| {
        let lines: Vec<Arc<str>> = app.log.iter().filter(|line| session.wanted.wants(line)).cloned().collect();
        let before = lines.len().saturating_sub(session.wanted.lines.unwrap_or(LINES_BEFORE));
        let tail = session.wanted.tail.then(|| app.tail.subscribe());
        Ok((lines[before..].to_vec(), tail))
    });
    let Ok((before, tail)) = before_and_tail else { return not_found() };
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let events = accept.contains("text/event-stream");
    let kind = if events { "text/event-stream" } else { "text/plain" };
    let lines = Lines { before: before.into_iter(), tail, wanted: session.wanted, events };
    let lines = stream::unfold(lines, |mut lines| async { Some((lines.next().await?, lines)) });
    let lines = futures_util::StreamExt::map(lines, Ok::<_, std::convert::Infallible>);
    ([(header::CONTENT_TYPE, kind)], Body::from_stream(lines)).into_response()
}

struct Lines {
    before: std::vec::IntoIter<Arc<str>>,
    tail: Option<broadcast::Receiver<Arc<str>>>,
    wanted: Wanted,
    events: bool,
}

impl Lines {
    async fn next(&mut self) -> Option<String> {
        if let Some(line) = self.before.next() {
            return Some(self.format(&line));
        }
        loop {
            match self.tail.as_mut()?.recv().await {
                Ok(line) if self.wanted.wants(&line) => return Some(self.format(&line)),
                Ok(_) => {}
                Err(RecvError::Lagged(lost)) => {
                    let time = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, false);
                    let text = format!("Error L11 (Tail buffer overflow) -> {lost} messages dropped");
                    return Some(self.format(&format!("{time} heroku[logplex]: {text}")));
                }
                Err(RecvError::Closed) => return None,
            }
        }
    }

    fn format(&self, line: &str) -> String {
        if self.events { format!("id: {}\ndata: {line}\n\n", random_id()) } else { format!("{line}\n") }
    }
}
