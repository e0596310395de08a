//! Owns the measurement endpoint for apps that are not Django: a request to it really touches the database, Redis
//! and the disk, so that the time of its answer tells how they cope. `autoscaler heartbeat` serves it beside an app,
//! and a Rust app mounts it in its own routes, with checks of its own.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use autoscaler::heartbeat::Heartbeat;
//!
//! let heartbeat = Heartbeat::new()
//!     .redis("redis://127.0.0.1/0")?
//!     .disk("/tmp")
//!     // The app's own pool, so that waiting for a connection counts.
//!     .check("database", || async { Ok(()) });
//! let app = axum::Router::new().route("/", axum::routing::get(|| async { "hello" })).merge(heartbeat.routes());
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! axum::serve(listener, app).await?;
//! # Ok(())
//! # }
//! ```
//!
//! The routes are an axum `Router`, which is a tower `Service`, so that any tower server takes them.

mod answer;
mod disk;
mod postgres;
mod postgres_tls;
mod redis;
mod sqlite;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::Router;
use axum::routing::get;

use crate::secret::{Secret, scrub};

/// Where it is answered, as heroku-web-autoscale documents it; also without the slash at the end.
pub const PATH: &str = "/heroku-autoscale/measurement/";

/// One check takes no longer: the worker itself waits 10 s for the answer.
pub const LIMIT: Duration = Duration::from_secs(8);

/// Something that is touched by every request.
#[async_trait]
trait Touch: Send + Sync {
    /// Touches it.
    ///
    /// # Errors
    /// Why it is broken, in one line, without secrets.
    async fn touch(&self) -> Result<(), String>;
}

/// What is touched, by name, in order. Cloning shares connections.
#[derive(Clone, Default)]
pub struct Heartbeat {
    checks: Vec<(Arc<str>, Arc<dyn Touch>)>,
    token: Option<Secret>,
}

/// What came of one request: how long each check took, and what is broken.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Beat {
    /// Milliseconds, by name, of those that work.
    pub took: Vec<(Arc<str>, f64)>,
    /// "the database is broken: …", of the first that is.
    pub error: Option<String>,
}

impl Heartbeat {
    /// Touches nothing yet: it tells only that the process answers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks a database: `postgres://…` (with `sslmode`) or `sqlite:PATH`.
    ///
    /// # Errors
    /// What is wrong with the URL, without quoting it.
    pub fn database(self, url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.trim().split_once(':').ok_or("the URL of the database has no scheme")?;
        match scheme {
            "postgres" | "postgresql" | "postgis" => Ok(self.with("database", postgres::Postgres::new(url.trim())?)),
            "sqlite" | "sqlite3" => Ok(self.with("database", sqlite::Sqlite::new(rest)?)),
            other => Err(format!(
                "a database `{other}:` is not known; there are `postgres://…` and `sqlite:PATH`, and a Rust app can add a \
                 check of its own"
            )),
        }
    }

    /// Writes a key to Redis and reads it back.
    ///
    /// # Errors
    /// What is wrong with the URL, without quoting it.
    pub fn redis(self, url: &str) -> Result<Self, String> {
        Ok(self.with("redis", redis::Redis::new(url)?))
    }

    /// Writes a file into `folder` and reads it back.
    #[must_use]
    pub fn disk(self, folder: impl Into<PathBuf>) -> Self {
        self.with("disk", disk::Disk(folder.into()))
    }

    /// Does what `touch` does, which fails with a line for people.
    #[must_use]
    pub fn check<F, T>(self, name: &str, touch: F) -> Self
    where
        F: Fn() -> T + Send + Sync + 'static,
        T: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.with(name, Own(touch))
    }

    /// Answers only who sends `Authorization: Bearer TOKEN`.
    #[must_use]
    pub fn token(self, token: &str) -> Self {
        Self { token: Some(Secret::new(token)), ..self }
    }

    /// What is touched.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.checks.iter().map(|(name, _)| &**name)
    }

    /// Touches everything at once.
    pub async fn beat(&self) -> Beat {
        let touched = self.checks.iter().map(|(name, check)| async move {
            let started = Instant::now();
            let said = match tokio::time::timeout(LIMIT, check.touch()).await {
                Ok(said) => said,
                Err(_) => Err(format!("no answer within {} s", LIMIT.as_secs())),
            };
            (name, said, started.elapsed().as_secs_f64() * 1000.0)
        });
        let mut beat = Beat::default();
        for (name, said, took) in futures_util::future::join_all(touched).await {
            match said {
                Ok(()) => beat.took.push((Arc::clone(name), (took * 1000.0).round() / 1000.0)),
                Err(why) => {
                    beat.error.get_or_insert_with(|| format!("the {name} is broken: {}", line(&why)));
                }
            }
        }
        beat
    }

    /// Answers at [`PATH`].
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let routes = [PATH, PATH.trim_end_matches('/')].into_iter().fold(Router::new(), |routes, path| {
            let heartbeat = self.clone();
            let answer = move |headers: axum::http::HeaderMap| async move { heartbeat.answer(&headers).await };
            routes.route(path, get(answer))
        });
        routes.with_state(())
    }

    fn with(mut self, name: &str, check: impl Touch + 'static) -> Self {
        self.checks.push((name.into(), Arc::new(check)));
        self
    }
}

impl fmt::Debug for Heartbeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

struct Own<F>(F);

#[async_trait]
impl<F, T> Touch for Own<F>
where
    F: Fn() -> T + Send + Sync,
    T: Future<Output = Result<(), String>> + Send,
{
    async fn touch(&self) -> Result<(), String> {
        (self.0)().await
    }
}

/// The first line, without secrets.
fn line(text: &str) -> String {
    scrub(text.trim().lines().next().unwrap_or_default()).chars().take(200).collect()
}

/// The same for what blocks its thread.
async fn blocking(work: impl FnOnce() -> Result<(), String> + Send + 'static) -> Result<(), String> {
    tokio::task::spawn_blocking(work).await.map_err(|fault| fault.to_string())?
}
