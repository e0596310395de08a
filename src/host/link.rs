//! Owns the lines that go between this program and its host: each request waits for its own answer, however
//! many are under way. It knows nothing of what is asked.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::Refused;

/// A host has so long for what it is asked: more than a mail server gets.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

/// The longest line of a host: 64 KiB.
const LONGEST_LINE: u64 = 64 * 1024;

/// What a host says after its greeting.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Said {
    /// The worker is to stop, as on the signal of this name.
    Stop {
        stop: String,
    },
    Answer(Answer),
}

/// An answer of the host.
#[derive(Debug, Deserialize)]
struct Answer {
    id: u64,
    /// Why it was not done.
    error: Option<String>,
    /// Whether it is worth trying again.
    #[serde(default)]
    again: bool,
}

type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Answer>>>>;

/// The open line to a host.
#[derive(Debug)]
pub(super) struct Link {
    write: tokio::sync::Mutex<OwnedWriteHalf>,
    waiting: Waiting,
    next: AtomicU64,
    gone: CancellationToken,
    stop: CancellationToken,
}

impl Link {
    /// Reads answers until the host has gone. Must be called within a tokio runtime.
    pub(super) fn start(mut read: BufReader<OwnedReadHalf>, write: OwnedWriteHalf) -> Self {
        let (waiting, gone, stop) = (Waiting::default(), CancellationToken::new(), CancellationToken::new());
        let (answered, over, stopped) = (Arc::clone(&waiting), gone.clone(), stop.clone());
        tokio::spawn(async move {
            while let Some(line) = line(&mut read).await {
                match serde_json::from_slice::<Said>(&line) {
                    Ok(Said::Answer(answer)) => {
                        if let Some(waits) = lock(&answered).remove(&answer.id) {
                            let _ = waits.send(answer);
                        }
                    }
                    Ok(Said::Stop { stop }) => {
                        tracing::info!("stopping on {stop}");
                        stopped.cancel();
                    }
                    // What is neither is passed over: nobody waits for it.
                    Err(_) => {}
                }
            }
            over.cancel();
            // Those that wait are told by their senders being dropped.
            lock(&answered).clear();
        });
        Self { write: tokio::sync::Mutex::new(write), waiting, next: AtomicU64::new(1), gone, stop }
    }

    pub(super) fn gone(&self) -> CancellationToken {
        self.gone.clone()
    }

    pub(super) fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Asks for `what`, and waits until it is done.
    pub(super) async fn ask(&self, what: &str, argument: Json) -> Result<(), Refused> {
        let refused = |message: &str, transient| Err(Refused { message: message.into(), transient });
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answered) = oneshot::channel();
        lock(&self.waiting).insert(id, sender);
        let exchange = async {
            let text = format!("{}\n", json!({ "id": id, what: argument }));
            // A host that has gone leaves `answered` without a sender.
            if self.gone.is_cancelled() || self.write.lock().await.write_all(text.as_bytes()).await.is_err() {
                lock(&self.waiting).remove(&id);
            }
            answered.await
        };
        let exchanged = timeout(ANSWERS_WITHIN, exchange).await;
        lock(&self.waiting).remove(&id);
        match exchanged {
            Ok(Ok(Answer { error: None, .. })) => Ok(()),
            Ok(Ok(Answer { error: Some(message), again, .. })) => refused(&message, again),
            Ok(Err(_)) => refused("the program that started the worker has gone", false),
            Err(_) => refused("the program that started the worker did not answer within 30 s", true),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The next line; `None` at the end, and for one that is longer than any of a host.
pub(super) async fn line(read: &mut (impl AsyncBufRead + Unpin)) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    let mut limited = read.take(LONGEST_LINE);
    limited.read_until(b'\n', &mut line).await.ok()?;
    (line.pop() == Some(b'\n')).then_some(line)
}
