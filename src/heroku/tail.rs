//! Owns the log tail of one app: opened when a line is waited for or its requests are counted, shared by all,
//! opened anew when it ends. It keeps no lines.
//!
//! Protocol: a log session of the Platform API names a URL whose reply is the log, line by line.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::answer::LogRequest;
use super::client::{CALL_TIMEOUT, Client};
use super::router_line::{RouterLine, router_line};
use super::traffic::{Follow, Traffic};
use crate::world::{Clock, Http, LineStream, Request};

/// A router line is waited for this long after the reply of its request.
pub const LINE_TIMEOUT: Duration = Duration::from_secs(10);

/// Lines from before that a new session begins with: those that came while the old one was gone.
const LINES_BEFORE: u32 = 100;

/// The same where requests are counted: all that Heroku keeps, so that the count need not begin at nothing.
const LINES_KEPT: u32 = 1500;

/// A stream whose lines are counted and that is silent for so long is opened again: it may be dead. That an app has
/// no requests is known from one that lives.
const SILENT: Duration = Duration::from_secs(300);

/// Requests are counted for this long after anybody last asked for them.
const FOLLOWED: Duration = Duration::from_secs(2 * 3600);

/// The pause after a tail that could not be opened, and after many.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A stream on which nobody has waited for a line for this long is closed.
const IDLE: Duration = Duration::from_secs(600);

/// A stream that ends sooner counts as one that could not be opened.
const SHORT_LIVED: Duration = Duration::from_secs(30);

/// Requests that may wait for the task.
const QUEUE: usize = 256;

/// The tail of an app. Cloning is cheap; the task ends when the last handle is dropped.
#[derive(Clone, Debug)]
pub struct Tail {
    asks: mpsc::Sender<Ask>,
    traffic: Arc<Traffic>,
}

/// A request whose router line is waited for.
#[derive(Debug)]
pub struct Watch {
    line: oneshot::Receiver<RouterLine>,
    asks: mpsc::Sender<Ask>,
    /// When the watch began: a tail that has been silent since then may be dead.
    begun: Instant,
}

#[derive(Debug)]
enum Ask {
    Watch {
        request_id: String,
        line: oneshot::Sender<RouterLine>,
        open: oneshot::Sender<Result<(), String>>,
    },
    /// The requests are counted from now on.
    Follow {
        open: oneshot::Sender<Result<(), String>>,
    },
    /// Nothing came for a request that must have a line.
    Missed {
        since: Instant,
    },
}

impl Tail {
    /// Starts the tail of `app`; nothing is opened yet. Must be called within a tokio runtime.
    #[must_use]
    pub fn start(app: Arc<str>, client: Client, http: Arc<dyn Http>, clock: Arc<dyn Clock>) -> Self {
        let (asks, waiting) = mpsc::channel(QUEUE);
        let traffic = Arc::new(Traffic::default());
        let counted = Counted { traffic: Arc::clone(&traffic), follow: Follow::default(), since: None, clock };
        let (watched, asked) = (HashMap::new(), Instant::now());
        let task = Task { app, client, http, watched, counted, asked, pause: FIRST_PAUSE, failed: None };
        tokio::spawn(task.run(waiting));
        Self { asks, traffic }
    }

    /// The requests of the app, counted while [`Tail::follow`] is called now and then.
    #[must_use]
    pub fn traffic(&self) -> &Arc<Traffic> {
        &self.traffic
    }

    /// Opens the tail if it is not, and keeps it open: the requests are counted.
    ///
    /// # Errors
    /// Why the log cannot be read, with the mend.
    pub async fn follow(&self) -> Result<(), String> {
        let (open, opened) = oneshot::channel();
        let stopping = || "the worker is stopping".to_owned();
        self.asks.send(Ask::Follow { open }).await.map_err(|_| stopping())?;
        opened.await.map_err(|_| stopping())?
    }

    /// Opens the tail if it is not, and watches for the line of `request_id` from now on. The request is
    /// sent after this.
    ///
    /// # Errors
    /// Why the log cannot be read, with the mend.
    pub async fn watch(&self, request_id: &str) -> Result<Watch, String> {
        let ((line, arrived), (open, opened)) = (oneshot::channel(), oneshot::channel());
        let ask = Ask::Watch { request_id: request_id.to_owned(), line, open };
        let stopping = || "the worker is stopping".to_owned();
        self.asks.send(ask).await.map_err(|_| stopping())?;
        opened.await.map_err(|_| stopping())??;
        Ok(Watch { line: arrived, asks: self.asks.clone(), begun: Instant::now() })
    }

    /// The router line of `request_id`: for a request that is sent while this is awaited.
    ///
    /// # Errors
    /// Why the log cannot be read, or that no line came in 10 s.
    pub async fn wait_for_router_line(&self, request_id: &str) -> Result<RouterLine, String> {
        self.watch(request_id).await?.line().await
    }
}

impl Watch {
    /// The line, waited for at most 10 s.
    ///
    /// # Errors
    /// That none came.
    pub async fn line(self) -> Result<RouterLine, String> {
        if let Ok(Ok(line)) = timeout(LINE_TIMEOUT, self.line).await {
            return Ok(line);
        }
        let _ = self.asks.send(Ask::Missed { since: self.begun }).await;
        Err(format!(
            "no router line for the request came within {} s; is the measurement URL served by heroku's router for this app?",
            LINE_TIMEOUT.as_secs()
        ))
    }
}

struct Task {
    app: Arc<str>,
    client: Client,
    http: Arc<dyn Http>,
    watched: HashMap<String, oneshot::Sender<RouterLine>>,
    counted: Counted,
    /// When somebody last began to wait for a line.
    asked: Instant,
    pause: Duration,
    /// Why the last opening failed, and until when it is not tried again.
    failed: Option<(String, Instant)>,
}

/// The requests as they are counted.
struct Counted {
    traffic: Arc<Traffic>,
    follow: Follow,
    /// When somebody last asked for them.
    since: Option<Instant>,
    clock: Arc<dyn Clock>,
}

impl Counted {
    /// Until when they are counted.
    fn until(&self) -> Option<Instant> {
        self.since.map(|since| since + FOLLOWED)
    }

    fn is_on(&self) -> bool {
        self.until().is_some_and(|until| Instant::now() < until)
    }
}

/// An open stream, and when its last line came.
struct Open {
    lines: Box<dyn LineStream>,
    heard: Instant,
    opened: Instant,
}

impl Task {
    async fn run(mut self, mut asks: mpsc::Receiver<Ask>) {
        let mut stream: Option<Open> = None;
        loop {
            let Some(open) = &mut stream else {
                // Closed: until somebody needs a line, or still does when the pause is over.
                let again = self.again_at();
                tokio::select! {
                    ask = asks.recv() => match ask {
                        Some(ask) => stream = self.take(ask, None).await,
                        None => return,
                    },
                    () = sleep_until(again.unwrap_or_else(Instant::now)), if again.is_some() => {
                        stream = self.open().await.ok();
                    }
                }
                continue;
            };
            tokio::select! {
                biased;
                ask = asks.recv() => match ask {
                    Some(ask) => stream = self.take(ask, stream).await,
                    None => return,
                },
                line = open.lines.next() => match line {
                    Ok(Some(line)) => {
                        open.heard = Instant::now();
                        self.hear(&line);
                    }
                    Ok(None) => stream = self.again(stream, "heroku ended the log stream").await,
                    Err(error) => stream = self.again(stream, &error.message).await,
                },
                () = sleep_until(open.heard + SILENT), if self.counted.is_on() => {
                    stream = self.again(stream, "the log stream is silent").await;
                }
                () = sleep_until(self.idle_at()) => stream = None,
            }
        }
    }

    /// Takes a request; returns the stream as it is after it.
    async fn take(&mut self, ask: Ask, stream: Option<Open>) -> Option<Open> {
        match ask {
            Ask::Watch { request_id, line, open } => {
                self.asked = Instant::now();
                let stream = match stream {
                    Some(stream) => Ok(stream),
                    None => self.open().await,
                };
                match stream {
                    Ok(stream) => {
                        self.forget();
                        self.watched.insert(request_id, line);
                        let _ = open.send(Ok(()));
                        Some(stream)
                    }
                    Err(why) => {
                        let _ = open.send(Err(why));
                        None
                    }
                }
            }
            Ask::Follow { open } => {
                self.counted.since = Some(Instant::now());
                let stream = match stream {
                    Some(stream) => Ok(stream),
                    None => self.open().await,
                };
                let (stream, said) = match stream {
                    Ok(stream) => (Some(stream), Ok(())),
                    Err(why) => (None, Err(why)),
                };
                let _ = open.send(said);
                stream
            }
            Ask::Missed { since } => {
                let silent = stream.as_ref().is_some_and(|open| open.heard <= since);
                if silent { self.again(stream, "the log stream is silent").await } else { stream }
            }
        }
    }

    /// Opens a new stream in place of one that ended, if somebody still waits for a line.
    async fn again(&mut self, old: Option<Open>, why: &str) -> Option<Open> {
        tracing::debug!(app = &*self.app, "{why}");
        if old.is_some_and(|old| old.opened.elapsed() < SHORT_LIVED) {
            self.fail(format!("cannot follow the log of `{}`: {why}", self.app));
        } else {
            self.pause = FIRST_PAUSE;
        }
        self.again_at()?;
        self.open().await.ok()
    }

    /// When nobody needs an open stream any more, unless somebody asks.
    fn idle_at(&self) -> Instant {
        let waited = self.asked + IDLE;
        self.counted.until().map_or(waited, |counted| counted.max(waited))
    }

    /// When a closed stream is opened again: not at all while nobody waits for a line or counts them.
    fn again_at(&mut self) -> Option<Instant> {
        self.forget();
        if self.watched.is_empty() && !self.counted.is_on() {
            return None;
        }
        Some(self.failed.as_ref().map_or_else(Instant::now, |(_, until)| *until))
    }

    /// Forgets those who gave up waiting.
    fn forget(&mut self) {
        self.watched.retain(|_, line| !line.is_closed());
    }

    fn hear(&mut self, line: &str) {
        if self.counted.is_on() {
            let Counted { traffic, follow, clock, .. } = &mut self.counted;
            follow.line(line, traffic, Instant::now(), clock.now());
        }
        if self.watched.is_empty() {
            return;
        }
        let Some(line) = router_line(line) else { return };
        if let Some(waiting) = self.watched.remove(&line.request_id) {
            let _ = waiting.send(line);
        }
    }

    async fn open(&mut self) -> Result<Open, String> {
        let now = Instant::now();
        if let Some((why, until)) = self.failed.as_ref().filter(|(_, until)| now < *until) {
            return Err(format!("{why}; tried again in {:.0} s", (*until - now).as_secs_f64().ceil()));
        }
        match self.session().await {
            Ok(open) => {
                self.failed = None;
                self.counted.follow.opened(&self.counted.traffic, Instant::now());
                Ok(open)
            }
            Err(why) => {
                self.fail(why.clone());
                Err(why)
            }
        }
    }

    fn fail(&mut self, why: String) {
        self.failed = Some((why, Instant::now() + self.pause));
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    async fn session(&self) -> Result<Open, String> {
        if let Some(wait) = self.client.budget().blocked(Instant::now()) {
            return Err(format!(
                "the account of `{}` is out of API calls (heroku answered 429); the next call goes out in {:.0} s",
                self.app,
                wait.as_secs_f64().ceil()
            ));
        }
        let lines = if self.counted.is_on() { LINES_KEPT } else { LINES_BEFORE };
        let wanted = LogRequest { lines, source: "heroku", dyno_name: "router", tail: true };
        let session = self.client.log_session(&self.app, wanted).await.map_err(|error| error.message)?;
        let cannot = |why: &str| format!("cannot read the log of `{}`: {why}", self.app);
        // No key goes there: the URL itself is the key, so it is shown nowhere.
        let mut request = Request::get(session.logplex_url, CALL_TIMEOUT);
        request.headers.push(("Accept".into(), "text/plain".into()));
        let deadline = Instant::now() + CALL_TIMEOUT;
        let lines = match timeout_at(deadline, self.http.lines(request)).await {
            Ok(Ok(lines)) => lines,
            Ok(Err(error)) => return Err(cannot(&error.message)),
            Err(_) => return Err(cannot(&format!("heroku does not answer within {} s", CALL_TIMEOUT.as_secs()))),
        };
        match lines.status() {
            200 => {
                let now = Instant::now();
                Ok(Open { lines, heard: now, opened: now })
            }
            status @ (403 | 404) => Err(cannot(&format!("the log session is over (heroku answers {status})"))),
            status => Err(cannot(&format!("heroku answers {status}"))),
        }
    }
}
