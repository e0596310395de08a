//! Owns the store in Redis: written by one thread of the worker that holds the lease, read by whoever asks. One
//! server keeps the states of many workers, each under a name of its own.

mod lease;
mod mail;
mod place;
mod read;
mod writer;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use lease::{Standing, Taken, take};
use place::{Keys, STATES};
use writer::{Writer, newer};

use super::packed;
use super::queue::Queue;
use super::trouble::taken_over;
use super::{Batch, Fence, Keep, Kept, KeptGeneration, MemoryState, Pushed, Query, State, StateError};
use crate::levers::Levers;
use crate::net::RedisLink;
use crate::pipeline::Record;
use crate::world::{RedisError, RedisServer};

pub use mail::Mailbox;
pub use place::RedisPlace;

/// A worker that stands by looks this often whether the lease is free.
const LOOK: Duration = Duration::from_millis(500);

/// A worker that starts asks a server that cannot be reached so often before it goes on without it.
const TRIES: usize = 3;

/// The state of one worker in a Redis.
pub(super) struct RedisState {
    link: RedisLink,
    keys: Keys,
    /// Where this process writes.
    ours: Option<Ours>,
    /// The levers as this process last saw them: a server that is lost takes none of them away.
    levers: Arc<Mutex<Option<Levers>>>,
}

struct Ours {
    queue: Arc<Queue>,
    standing: Arc<Standing>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Ours {
    fn drop(&mut self) {
        self.queue.close();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            let _ = writer.join();
        }
    }
}

/// Opens the state `name` in `server` as its worker. While another live worker has it this one stands by. `None`: it
/// was told to `stop` meanwhile.
pub(super) async fn open(
    server: RedisServer,
    name: &str,
    keep: Keep,
    stop: &CancellationToken,
) -> Option<Arc<dyn State>> {
    let (link, keys) = (RedisLink::new(server.clone()), Keys::new(name));
    let standing = Arc::new(Standing::default());
    let mut stands_by = false;
    let mut failures = 0;
    loop {
        let since = Instant::now();
        match take(&link, &keys, name).await {
            Ok(Taken::Ours(fence)) => {
                if stands_by {
                    tracing::warn!("the state `{name}` in {server} is free: this worker takes over");
                }
                standing.takes(fence, since);
                break;
            }
            Ok(Taken::Held(holder)) => {
                failures = 0;
                if !stands_by {
                    tracing::warn!(
                        "the state `{name}` in {server} is held by {holder}: this worker stands by, measures and \
                         scales nothing, and takes over when that one ends"
                    );
                }
                stands_by = true;
            }
            Ok(Taken::Newer(version)) => {
                let why = newer(&version);
                tracing::error!("the state `{name}` in {server} cannot be used: {why}; {}", super::open::IN_MEMORY);
                return Some(Arc::new(MemoryState::degraded()));
            }
            Err(error) => {
                failures += 1;
                if failures == TRIES {
                    if !stands_by {
                        tracing::error!(
                            "the state `{name}` cannot be reached: {error}; the worker goes on in memory, waits once \
                             as after a scale, does not scale in, and tries again until it has it"
                        );
                        break;
                    }
                    // Whoever holds it may be alive: this one goes on standing by.
                    tracing::error!("the state `{name}` cannot be reached: {error}; this worker still stands by");
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return None,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
    match RedisState::start(link, keys, name, keep, standing) {
        Ok(state) => Some(Arc::new(state)),
        Err(error) => {
            tracing::error!("the state `{name}` cannot be written: {error}; {}", super::open::IN_MEMORY);
            Some(Arc::new(MemoryState::degraded()))
        }
    }
}

impl RedisState {
    fn start(link: RedisLink, keys: Keys, name: &str, keep: Keep, standing: Arc<Standing>) -> Result<Self, StateError> {
        let failed = |error| StateError(format!("no thread can be started: {error}"));
        let (queue, levers) = (Arc::new(Queue::default()), Arc::<Mutex<Option<Levers>>>::default());
        let writer = Writer {
            // A connection belongs to the runtime that opened it.
            link: RedisLink::new(link.server().clone()),
            keys: keys.clone(),
            name: name.to_owned(),
            queue: Arc::clone(&queue),
            standing: Arc::clone(&standing),
            keep,
            levers: Arc::clone(&levers),
            loose: HashMap::new(),
            newest: HashMap::new(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let thread = std::thread::Builder::new().name("state".into()).spawn(move || writer.run(&runtime));
        let writer = Mutex::new(Some(thread.map_err(failed)?));
        Ok(Self { link, keys, ours: Some(Ours { queue, standing, writer }), levers })
    }

    /// The state `name` in `server`, for reading; levers can be kept all the same.
    pub(super) fn read(server: RedisServer, name: &str) -> Self {
        Self { link: RedisLink::new(server), keys: Keys::new(name), ours: None, levers: Arc::default() }
    }

    fn ours(&self) -> Result<&Ours, StateError> {
        self.ours.as_ref().ok_or_else(|| StateError("the state of another process is only read".into()))
    }

    /// Waits until everything so far is written; `true` where it is not.
    async fn unwritten(&self) -> bool {
        match &self.ours {
            Some(ours) => ours.written().await.is_err(),
            None => false,
        }
    }
}

impl Ours {
    async fn written(&self) -> Result<(), StateError> {
        let told = self.queue.written(true);
        told.await.unwrap_or_else(|_| Err(StateError("the thread that writes has ended".into())))
    }

    /// Whether the server was there since this process started.
    fn has_joined(&self) -> bool {
        self.standing.fence() > Fence::default()
    }
}

/// Publishes `pushed` for the worker of the state `name` in `server`.
pub(super) async fn push(server: RedisServer, name: &str, pushed: &Pushed) -> Result<(), StateError> {
    let (link, keys) = (RedisLink::new(server), Keys::new(name));
    let body = packed::pack(text_of(pushed)?.as_bytes()).map_err(|error| StateError(error.to_string()))?;
    let mut pipe = redis::pipe();
    pipe.atomic();
    pipe.cmd("LPUSH").arg(keys.one("pushed")).arg(body).ignore();
    pipe.cmd("LTRIM").arg(keys.one("pushed")).arg(0).arg(super::push::MOST - 1).ignore();
    pipe.cmd("INCR").arg(keys.one("pushes")).ignore();
    link.ask_all::<()>(&pipe).await.map_err(said)?;
    link.ask::<()>(redis::cmd("SADD").arg(STATES).arg(name).to_owned()).await.map_err(said)
}

/// The state in `server` that is named, or that of `script`, or the only one.
///
/// # Errors
/// There is none, or there are several: then they are listed; or the server cannot be asked.
pub(super) async fn find(server: &RedisServer, name: Option<String>, script: Option<&Path>) -> Result<String, String> {
    let link = RedisLink::new(server.clone());
    let command = redis::cmd("SMEMBERS").arg(STATES).to_owned();
    let mut names: Vec<String> = link.ask(command).await.map_err(|error| error.to_string())?;
    names.sort();
    if let Some(name) = name {
        return if names.contains(&name) { Ok(name) } else { Err(none(server, &format!(" called `{name}`"), &names)) };
    }
    let Some(script) = script else {
        return match &names[..] {
            [only] => Ok(only.clone()),
            [] => Err(none(server, "", &names)),
            _ => Err(several(server, &names)),
        };
    };
    let exact = super::open::name_of(script)?;
    if names.contains(&exact) {
        return Ok(exact);
    }
    // On another machine the script has another path.
    let same =
        |name: &&String| name.rsplit_once('-').map(|(file, _)| file) == exact.rsplit_once('-').map(|(file, _)| file);
    let alike: Vec<&String> = names.iter().filter(same).collect();
    match &alike[..] {
        [only] => Ok((*only).clone()),
        [] => Err(none(server, &format!(" of `{}`", script.display()), &names)),
        _ => Err(several(server, &names)),
    }
}

fn none(server: &RedisServer, whose: &str, names: &[String]) -> String {
    let there = match names {
        [] => "has a worker run with it?".to_owned(),
        names => format!("name one of these by `?name=…` at the end of the URL:{}", listed(names)),
    };
    format!("there is no state{whose} in {server}; {there}")
}

fn several(server: &RedisServer, names: &[String]) -> String {
    format!(
        "there are several workers' states in {server}; name one by --script FILE, or by `?name=…` at the end of the \
         URL:{}",
        listed(names)
    )
}

fn listed(names: &[String]) -> String {
    names.iter().flat_map(|name| ["\n  ", name]).collect()
}

#[async_trait]
impl State for RedisState {
    async fn load(&self, pipeline: &str) -> Result<Option<Kept>, StateError> {
        self.unwritten().await;
        if let Some(ours) = &self.ours {
            if let Some(kept) = ours.queue.kept(pipeline) {
                return Ok(Some(kept));
            }
            if !ours.has_joined() {
                return Ok(None);
            }
        }
        read::kept(&self.link, &self.keys, pipeline).await
    }

    async fn commit(&self, pipeline: &Arc<str>, fence: Fence, batch: Batch) -> Result<(), StateError> {
        let ours = self.ours()?;
        // A pipeline that was opened before the server was there has none.
        let is_old = fence < ours.standing.fence() && fence > Fence::default();
        if is_old || ours.standing.is_taken_over() {
            return Err(taken_over());
        }
        let must_be_safe = batch.intent.is_some();
        ours.queue.add(pipeline, batch);
        if must_be_safe { ours.written().await } else { Ok(()) }
    }

    async fn records(&self, query: &Query) -> Result<Vec<Arc<Record>>, StateError> {
        let unwritten = self.unwritten().await;
        let found = read::records(&self.link, &self.keys, query).await;
        let Some(ours) = self.ours.as_ref().filter(|_| unwritten) else { return found };
        // What cannot be written is still what was recorded.
        let mut found = found.unwrap_or_default();
        found.extend(ours.queue.records().into_iter().filter(|record| query.matches(record)));
        read::once(&mut found);
        super::in_order(&mut found, query);
        Ok(found)
    }

    async fn levers(&self) -> Result<Levers, StateError> {
        let command = redis::cmd("GET").arg(self.keys.one("levers")).to_owned();
        let known = || self.levers.lock().unwrap_or_else(PoisonError::into_inner);
        match self.link.ask::<Option<String>>(command).await {
            Ok(None) => Ok(known().clone().unwrap_or_default()),
            Ok(Some(text)) => {
                let levers: Levers = serde_json::from_str(&text).map_err(|error| read::damaged(&error))?;
                *known() = Some(levers.clone());
                Ok(levers)
            }
            Err(error) => known().clone().ok_or_else(|| said(error)),
        }
    }

    async fn keep_levers(&self, levers: &Levers) -> Result<(), StateError> {
        let mut command = redis::cmd("SET");
        command.arg(self.keys.one("levers")).arg(text_of(levers)?);
        self.link.ask::<()>(command).await.map_err(said)?;
        *self.levers.lock().unwrap_or_else(PoisonError::into_inner) = Some(levers.clone());
        Ok(())
    }

    async fn generations(&self, unit: &str) -> Result<Vec<KeptGeneration>, StateError> {
        let unwritten = self.unwritten().await;
        let Some(ours) = self.ours.as_ref().filter(|_| unwritten) else {
            return read::generations(&self.link, &self.keys, unit).await;
        };
        let mut found = ours.queue.generations(unit);
        found.extend(read::generations(&self.link, &self.keys, unit).await.unwrap_or_default());
        Ok(found)
    }

    async fn units(&self) -> Result<Vec<String>, StateError> {
        read::units(&self.link, &self.keys).await
    }

    async fn keep_generation(&self, generation: KeptGeneration) -> Result<(), StateError> {
        let ours = self.ours()?;
        if ours.standing.is_taken_over() {
            return Err(taken_over());
        }
        ours.queue.add_generation(generation);
        ours.written().await
    }

    async fn pushed(&self) -> Result<Vec<Pushed>, StateError> {
        let mut command = redis::cmd("LRANGE");
        command.arg(self.keys.one("pushed")).arg(0).arg(-1);
        let bodies: Vec<Vec<u8>> = self.link.ask(command).await.map_err(said)?;
        let read = |body: &Vec<u8>| {
            let text = packed::unpack(body).map_err(|error| read::damaged(&error))?;
            serde_json::from_str(&text).map_err(|error| read::damaged(&error))
        };
        bodies.iter().map(read).collect()
    }

    async fn push_mark(&self) -> Result<String, StateError> {
        let command = redis::cmd("GET").arg(self.keys.one("pushes")).to_owned();
        let mark: Option<String> = self.link.ask(command).await.map_err(said)?;
        Ok(mark.unwrap_or_default())
    }

    async fn flush(&self) -> Result<(), StateError> {
        match &self.ours {
            Some(ours) => ours.written().await,
            None => Ok(()),
        }
    }

    fn fence(&self) -> Fence {
        self.ours.as_ref().map_or_else(Fence::default, |ours| ours.standing.fence())
    }

    fn is_taken_over(&self) -> bool {
        self.ours.as_ref().is_some_and(|ours| ours.standing.may_not_act())
    }

    fn trouble(&self) -> Option<String> {
        self.ours.as_ref()?.queue.trouble()
    }

    fn must_stand_by(&self) -> bool {
        self.ours.as_ref().is_some_and(|ours| ours.standing.is_taken_over())
    }

    fn is_degraded(&self) -> bool {
        self.ours.as_ref().is_some_and(|ours| !ours.standing.holds_for(Duration::ZERO))
    }
}

/// What went wrong, as the store says it.
#[allow(clippy::needless_pass_by_value)] // What `map_err` hands over.
fn said(error: RedisError) -> StateError {
    StateError(error.message)
}

/// `value` as it is kept.
fn text_of(value: &impl Serialize) -> Result<String, StateError> {
    serde_json::to_string(value).map_err(|error| StateError(error.to_string()))
}
