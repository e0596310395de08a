//! A pretended Heroku on tokio's paused clock: replies by a closure, each after a time of its own, and
//! log streams that are fed by hand. No socket, so that hours pass in no time.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use autoscaler::world::{Http, HttpError, HttpErrorKind, LineStream, Reply, Request};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

/// An app with its process types, and what goes wrong with the next calls.
#[derive(Default)]
pub struct Pretend {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    formation: HashMap<String, u32>,
    remaining: Option<u32>,
    /// What the next calls of a method get instead.
    next: HashMap<&'static str, VecDeque<Answer>>,
    /// When each call came: "GET", "PATCH", "POST", or "LINES" for a log stream.
    calls: Vec<(String, Instant)>,
    /// Streams to hand out.
    streams: VecDeque<Stream>,
}

/// What a call gets.
#[derive(Clone)]
pub enum Answer {
    /// This status and body at once.
    Status(u16, &'static str),
    /// What it would get anyway, as it is now, but only after this time.
    Late(Duration),
    /// Nothing.
    Never,
    /// It is done, and then nothing.
    DoneAndNever,
}

/// A log stream: its status, and its lines as they are sent.
pub type Stream = (u16, mpsc::UnboundedReceiver<String>);

impl Pretend {
    pub fn with(types: &[(&str, u32)]) -> Arc<Self> {
        let pretend = Self::default();
        for (name, quantity) in types {
            pretend.set(name, *quantity);
        }
        Arc::new(pretend)
    }

    pub fn set(&self, process_type: &str, quantity: u32) {
        self.inner.lock().unwrap().formation.insert(process_type.into(), quantity);
    }

    pub fn dynos(&self, process_type: &str) -> u32 {
        self.inner.lock().unwrap().formation[process_type]
    }

    pub fn set_remaining(&self, calls: Option<u32>) {
        self.inner.lock().unwrap().remaining = calls;
    }

    pub fn next(&self, method: &'static str, answer: Answer) {
        self.inner.lock().unwrap().next.entry(method).or_default().push_back(answer);
    }

    /// Hands out one more log stream; its lines go into the sender, which ends it when dropped.
    pub fn stream(&self, status: u16) -> mpsc::UnboundedSender<String> {
        let (lines, stream) = mpsc::unbounded_channel();
        self.inner.lock().unwrap().streams.push_back((status, stream));
        lines
    }

    /// How many calls of a method came.
    pub fn count(&self, method: &str) -> usize {
        self.times(method).len()
    }

    pub fn times(&self, method: &str) -> Vec<Instant> {
        let inner = self.inner.lock().unwrap();
        inner.calls.iter().filter(|(known, _)| known == method).map(|(_, at)| *at).collect()
    }

    fn answer(&self, request: &Request) -> (u16, String) {
        let mut inner = self.inner.lock().unwrap();
        let entry = |name: &str, quantity: &u32| serde_json::json!({ "type": name, "quantity": quantity, "size": "Standard-1X", "more": {} });
        match request.method.as_str() {
            "GET" => {
                let mut list: Vec<_> = inner.formation.iter().collect();
                list.sort();
                let list: Vec<_> = list.into_iter().map(|(name, quantity)| entry(name, quantity)).collect();
                (200, serde_json::Value::from(list).to_string())
            }
            "PATCH" => {
                let name = request.url.rsplit('/').next().unwrap().to_owned();
                let body: serde_json::Value = serde_json::from_slice(request.body.as_ref().unwrap()).unwrap();
                let quantity = u32::try_from(body["quantity"].as_u64().unwrap()).unwrap();
                inner.formation.insert(name.clone(), quantity);
                (200, entry(&name, &quantity).to_string())
            }
            _ => (201, r#"{"logplex_url":"https://logs.test/sessions/1"}"#.into()),
        }
    }
}

#[async_trait]
impl Http for Pretend {
    async fn send(&self, request: Request) -> Result<Reply, HttpError> {
        let next = {
            let mut inner = self.inner.lock().unwrap();
            inner.calls.push((request.method.clone(), Instant::now()));
            inner.next.get_mut(request.method.as_str()).and_then(VecDeque::pop_front)
        };
        let never = async {
            let _ = timeout(request.timeout, std::future::pending::<()>()).await;
            Err(HttpError { kind: HttpErrorKind::Timeout, message: "no answer".into() })
        };
        let (status, body) = match next {
            None => self.answer(&request),
            Some(Answer::Status(status, body)) => (status, body.into()),
            Some(Answer::Late(time)) => {
                let answer = self.answer(&request);
                let _ = timeout(time, std::future::pending::<()>()).await;
                answer
            }
            Some(Answer::Never) => return never.await,
            Some(Answer::DoneAndNever) => {
                self.answer(&request);
                return never.await;
            }
        };
        let remaining = self.inner.lock().unwrap().remaining;
        let headers = remaining.map(|calls| ("ratelimit-remaining".to_owned(), calls.to_string()));
        Ok(Reply { status, headers: headers.into_iter().collect(), body: body.into(), took: Duration::ZERO })
    }

    async fn lines(&self, request: Request) -> Result<Box<dyn LineStream>, HttpError> {
        assert!(request.secret_headers.is_empty(), "the key must not go to the log's host");
        let mut inner = self.inner.lock().unwrap();
        inner.calls.push(("LINES".into(), Instant::now()));
        let (status, lines) = inner.streams.pop_front().expect("a stream for every session");
        Ok(Box::new(Lines { status, lines }))
    }
}

struct Lines {
    status: u16,
    lines: mpsc::UnboundedReceiver<String>,
}

#[async_trait]
impl LineStream for Lines {
    fn status(&self) -> u16 {
        self.status
    }

    async fn next(&mut self) -> Result<Option<String>, HttpError> {
        Ok(self.lines.recv().await)
    }
}
