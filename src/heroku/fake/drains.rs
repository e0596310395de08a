//! Owns the fake's log drains: it posts an app's log in batches, as Logplex does. After a 429 or 5xx the same frame
//! is sent again, twice; after any other refusal it is dropped; what was lost is told in the next one.

use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::task::AbortHandle;

use super::app::random_id;
use super::refusal::Refusal;
use super::{Fake, Shared};

/// Messages of one batch.
const BATCH: usize = 1024;

/// A batch waits for so long after its first message.
const LINGER: Duration = Duration::from_millis(100);

/// One attempt takes no longer.
const ATTEMPT: Duration = Duration::from_secs(5);

/// Attempts after the first, and the pause before each.
const AGAIN: u32 = 2;
const PAUSE: Duration = Duration::from_millis(200);

/// A drain of an app; it ends when this is dropped.
#[derive(Debug)]
pub struct Drain {
    id: String,
    url: String,
    token: String,
    created: String,
    task: AbortHandle,
}

impl Drop for Drain {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Drain {
    fn info(&self) -> Value {
        json!({
            "addon": null,
            "created_at": self.created,
            "id": self.id,
            "token": self.token,
            "updated_at": self.created,
            "url": self.url,
        })
    }

    /// Whether it goes by this id, URL or token.
    fn is(&self, name: &str) -> bool {
        [&self.id, &self.url, &self.token].into_iter().any(|known| known == name)
    }
}

/// Posts the log of `app` to `url` from now on; gives the drain's token. Within a tokio runtime.
pub fn add(fake: &Fake, app: &str, url: &str) -> Result<Value, Refusal> {
    let acceptable = url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if !acceptable {
        return Err(Refusal::invalid("Url is invalid"));
    }
    let token = format!("d.{}", random_id());
    let (name, lines) = fake.with_app(app, |app| Ok((app.name.clone(), app.tail.subscribe())))?;
    let sender = Sender { fake: Arc::downgrade(&fake.0), app: name, url: url.into(), token: token.clone(), lost: 0 };
    let task = tokio::spawn(sender.run(lines)).abort_handle();
    let created = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
    let drain = Drain { id: random_id(), url: url.into(), token, created, task };
    let info = drain.info();
    fake.with_app(app, |app| {
        app.drains.push(drain);
        Ok(())
    })?;
    Ok(info)
}

/// `POST /apps/{app}/log-drains`
pub async fn create(
    State(fake): State<Fake>,
    Path(app): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let url = body["url"].as_str().ok_or_else(|| Refusal::invalid("Invalid params: url is missing."))?;
    Ok((StatusCode::CREATED, Json(add(&fake, &app, url)?)))
}

/// `GET /apps/{app}/log-drains`
pub async fn list(State(fake): State<Fake>, Path(app): Path<String>) -> Result<Json<Vec<Value>>, Refusal> {
    fake.with_app(&app, |app| Ok(Json(app.drains.iter().map(Drain::info).collect())))
}

/// `DELETE /apps/{app}/log-drains/{id, URL or token}`
pub async fn delete(
    State(fake): State<Fake>,
    Path((app, drain)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    fake.with_app(&app, |app| {
        let at = app.drains.iter().position(|known| known.is(&drain)).ok_or_else(|| Refusal::not_found("drain"))?;
        Ok(Json(app.drains.remove(at).info()))
    })
}

struct Sender {
    /// The drain does not keep the fake alive.
    fake: Weak<Shared>,
    app: String,
    url: String,
    token: String,
    /// Messages that were dropped and not yet told of.
    lost: u64,
}

impl Sender {
    async fn run(mut self, mut lines: Receiver<Arc<str>>) {
        crate::net::install_tls();
        let Ok(client) = reqwest::Client::builder().user_agent("Logplex/v49").timeout(ATTEMPT).build() else { return };
        loop {
            let first = match lines.recv().await {
                Ok(line) => line,
                Err(RecvError::Lagged(lost)) => {
                    self.lost += lost;
                    continue;
                }
                // The streams of the app ended; its log goes on.
                Err(RecvError::Closed) => match self.subscribe() {
                    Some(again) => {
                        lines = again;
                        continue;
                    }
                    None => return,
                },
            };
            tokio::time::sleep(LINGER).await;
            let mut messages = vec![framed(&first)];
            while messages.len() < BATCH {
                match lines.try_recv() {
                    Ok(line) => messages.push(framed(&line)),
                    Err(TryRecvError::Lagged(lost)) => self.lost += lost,
                    Err(TryRecvError::Empty | TryRecvError::Closed) => break,
                }
            }
            self.send(&client, messages).await;
        }
    }

    fn subscribe(&self) -> Option<Receiver<Arc<str>>> {
        let fake = self.fake.upgrade()?;
        let state = fake.lock().unwrap_or_else(PoisonError::into_inner);
        state.apps.get(&self.app).map(|app| app.tail.subscribe())
    }

    async fn send(&mut self, client: &reqwest::Client, mut messages: Vec<String>) {
        let lost = std::mem::take(&mut self.lost);
        if lost > 0 {
            let time = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, false);
            messages.insert(0, counted(&format!(
                "<172>1 {time} host heroku logplex - Error L10 (output buffer overflow): {lost} messages dropped since {time}."
            )));
        }
        let (count, frame) = (messages.len(), random_id().replace('-', "").to_uppercase());
        let body = messages.concat();
        for attempt in 0..=AGAIN {
            if attempt > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            let request = client
                .post(&self.url)
                .header("Content-Type", "application/logplex-1")
                .header("Logplex-Msg-Count", count)
                .header("Logplex-Frame-Id", &frame)
                .header("Logplex-Drain-Token", &self.token)
                .body(body.clone());
            match request.send().await.map(|reply| reply.status()) {
                Ok(status) if status.is_success() => return,
                Ok(status) if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => break,
                Ok(_) | Err(_) => {}
            }
        }
        self.lost += count as u64;
    }
}

/// A line of the log as a message of a batch.
fn framed(line: &str) -> String {
    let (time, rest) = line.split_once(' ').unwrap_or(("-", line));
    let (from, text) = rest.split_once("]: ").unwrap_or(("app[web.1", rest));
    let (source, process) = from.split_once('[').unwrap_or((from, "-"));
    let priority = match (source, process) {
        (_, "router") => 158,
        ("heroku", _) => 45,
        _ => 190,
    };
    counted(&format!("<{priority}>1 {time} host {source} {process} - {text}\n"))
}

fn counted(message: &str) -> String {
    format!("{} {message}", message.len())
}
