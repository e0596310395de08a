//! Owns the live audience: takes events without ever delaying a tick, and one task that delivers
//! them in the background: at once to different recipients, in order to each. A delivery that fails
//! is logged, and is no event.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::delivery::deliver;
use super::mailbox::Mailbox;
use super::memories::Memories;
use super::outbox::Letter;
use super::{Audience, NotifyStage};
use crate::function::This;
use crate::pipeline::{Event, PipelineSpec};
use crate::secret::scrub;
use crate::world::World;

/// Ticks and announcements that wait for the task. It only sorts them, so this fills when the
/// machine stands still, not when a mail server does.
const LONGEST_QUEUE: usize = 1_024;

/// Recipients that are silent are forgotten when there are more than this.
const RECIPIENTS: usize = 64;

/// What is handed to the task.
enum Post {
    /// What one tick of a pipeline has to say.
    Tick(Arc<PipelineSpec>, Vec<Event>),
    /// What concerns the whole worker.
    Worker(Vec<Arc<PipelineSpec>>, Box<Event>),
}

/// The audience of a running worker: part of its [`World`].
#[derive(Debug)]
pub struct LiveAudience {
    queue: mpsc::Sender<Post>,
    dropped: Arc<AtomicU64>,
    memories: Arc<Memories>,
}

/// The delivering half, before there is a world to deliver with.
#[derive(Debug)]
pub struct Delivery {
    queue: mpsc::Receiver<Post>,
    dropped: Arc<AtomicU64>,
    memories: Arc<Memories>,
}

/// The running delivery: to be closed when the worker stops. Dropped, it goes on while the world is
/// there.
#[derive(Debug)]
pub struct Deliveries {
    close: mpsc::Sender<Instant>,
    closing: CancellationToken,
    task: JoinHandle<usize>,
}

/// A live audience and its delivering half: the first goes into the world, the second is started
/// with that world.
#[must_use]
pub fn audience() -> (LiveAudience, Delivery) {
    let (sender, queue) = mpsc::channel(LONGEST_QUEUE);
    let (dropped, memories) = (Arc::<AtomicU64>::default(), Arc::<Memories>::default());
    let audience = LiveAudience { queue: sender, dropped: Arc::clone(&dropped), memories: Arc::clone(&memories) };
    (audience, Delivery { queue, dropped, memories })
}

impl LiveAudience {
    fn post(&self, post: Post, events: usize) {
        if self.queue.try_send(post).is_err() {
            self.dropped.fetch_add(events as u64, Ordering::Relaxed);
        }
    }
}

impl Audience for LiveAudience {
    fn tell(&self, pipeline: &Arc<PipelineSpec>, mut events: Vec<Event>) {
        // Most ticks have only a measurement to tell, which hardly anybody hears.
        events.retain(|event| pipeline.notify.iter().any(|stage| stage.hears(event)));
        if !events.is_empty() {
            let count = events.len();
            self.post(Post::Tick(Arc::clone(pipeline), events), count);
        }
    }

    fn announce(&self, pipelines: &[Arc<PipelineSpec>], event: Event) {
        self.post(Post::Worker(pipelines.to_vec(), Box::new(event)), 1);
    }

    fn memories(&self, pipeline: &str) -> BTreeMap<String, This> {
        self.memories.kept(pipeline)
    }

    fn recall(&self, pipeline: &Arc<str>, memories: &BTreeMap<String, This>) {
        self.memories.recall(pipeline, memories);
    }
}

impl Delivery {
    /// Starts to deliver. Must be called within a tokio runtime. The task ends when it is closed, or
    /// when `world` is gone.
    #[must_use]
    pub fn start(self, world: &Arc<World>) -> Deliveries {
        let (close, closed) = mpsc::channel(1);
        let closing = CancellationToken::new();
        let office = PostOffice {
            mailboxes: HashMap::new(),
            deliveries: JoinSet::new(),
            recipients: HashMap::new(),
            due: None,
            closing: closing.clone(),
            dropped: self.dropped,
            memories: self.memories,
            // The world holds the audience: were it held here too, neither would ever go.
            world: Arc::downgrade(world),
        };
        let task = tokio::spawn(office.run(self.queue, closed));
        Deliveries { close, closing, task }
    }
}

impl Deliveries {
    /// Takes no more events, delivers what waits (windows and pauses cut short), and returns when
    /// all is delivered or `deadline` has passed. Says how many messages were left, and logs it.
    pub async fn close(self, deadline: Duration) -> usize {
        self.closing.cancel();
        // Refused where the task has ended with its world: then nothing is left.
        let _ = self.close.send(Instant::now() + deadline).await;
        self.task.await.unwrap_or(0)
    }
}

/// The delivering task.
struct PostOffice {
    mailboxes: HashMap<Arc<str>, Mailbox>,
    deliveries: JoinSet<()>,
    /// Whom each delivery is for.
    recipients: HashMap<Id, Arc<str>>,
    /// When a mailbox may have a letter without anything new; may be early, never late.
    due: Option<Instant>,
    closing: CancellationToken,
    dropped: Arc<AtomicU64>,
    memories: Arc<Memories>,
    world: Weak<World>,
}

impl PostOffice {
    /// Sorts and delivers until the worker stops; returns how many letters were left.
    async fn run(mut self, mut queue: mpsc::Receiver<Post>, mut close: mpsc::Receiver<Instant>) -> usize {
        loop {
            let due = self.due;
            tokio::select! {
                Some(deadline) = close.recv() => return self.finish(queue, deadline).await,
                post = queue.recv() => match post {
                    Some(post) => self.sort(post),
                    None => return 0,
                },
                Some(done) = self.deliveries.join_next_with_id() => self.done(done),
                () = async { tokio::time::sleep_until(due.unwrap_or_else(Instant::now)).await }, if due.is_some() => {
                    self.advance_all();
                }
            }
            self.tell_of_drops();
        }
    }

    /// Delivers what is there, until `deadline`.
    async fn finish(&mut self, mut queue: mpsc::Receiver<Post>, deadline: Instant) -> usize {
        queue.close();
        while let Ok(post) = queue.try_recv() {
            self.sort(post);
        }
        self.advance_all();
        while let Ok(Some(done)) = tokio::time::timeout_at(deadline, self.deliveries.join_next_with_id()).await {
            self.done(done);
        }
        self.tell_of_drops();
        let left = self.deliveries.len() + self.mailboxes.values().map(Mailbox::waiting).sum::<usize>();
        if left > 0 {
            tracing::warn!(target: "autoscaler::notify", "{left} notifications were not delivered before the worker stopped");
        }
        left
    }

    fn sort(&mut self, post: Post) {
        match post {
            Post::Tick(pipeline, events) => {
                for event in events {
                    let event = Arc::new(scrubbed(event));
                    for (index, stage) in pipeline.notify.iter().enumerate().filter(|(_, stage)| stage.hears(&event)) {
                        self.push(&pipeline.name, index, stage, &event);
                    }
                }
            }
            Post::Worker(pipelines, event) => {
                let event = Arc::new(scrubbed(*event));
                let mut told = HashSet::new();
                for pipeline in &pipelines {
                    for (index, stage) in pipeline.notify.iter().enumerate().filter(|(_, stage)| stage.hears(&event)) {
                        if told.insert(stage.backend.recipient()) {
                            self.push(&pipeline.name, index, stage, &event);
                        }
                    }
                }
            }
        }
    }

    fn push(&mut self, pipeline: &Arc<str>, index: usize, stage: &NotifyStage, event: &Arc<Event>) {
        let now = Instant::now();
        let letter = Letter {
            event: Arc::clone(event),
            backend: Arc::clone(&stage.backend),
            memory: self.memories.of(pipeline, index, &stage.memory),
        };
        let recipient: Arc<str> = stage.backend.recipient().into();
        if !self.mailboxes.contains_key(&recipient) && self.mailboxes.len() >= RECIPIENTS {
            self.mailboxes.retain(|_, mailbox| !mailbox.is_idle(now));
        }
        let limited = stage.backend.leaves_machine();
        let mailbox = self.mailboxes.entry(Arc::clone(&recipient)).or_insert_with(|| Mailbox::new(limited));
        if !mailbox.push(letter, now) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        self.advance(&recipient, now);
    }

    /// Sends what may go to `recipient` now, and notes when more may.
    fn advance(&mut self, recipient: &Arc<str>, now: Instant) {
        let Some(mailbox) = self.mailboxes.get_mut(recipient) else { return };
        if let Some(letter) = mailbox.next(now, self.closing.is_cancelled()) {
            mailbox.busy = true;
            let delivery = deliver(letter, Weak::clone(&self.world), self.closing.clone());
            let id = self.deliveries.spawn(delivery).id();
            self.recipients.insert(id, Arc::clone(recipient));
        } else {
            self.due = self.due.into_iter().chain(mailbox.due()).min();
        }
    }

    fn advance_all(&mut self) {
        self.due = None;
        let now = Instant::now();
        for recipient in self.mailboxes.keys().cloned().collect::<Vec<_>>() {
            self.advance(&recipient, now);
        }
    }

    fn done(&mut self, done: Result<(Id, ()), JoinError>) {
        let id = match done {
            Ok((id, ())) => id,
            Err(error) => {
                tracing::error!(target: "autoscaler::notify", "a notification broke down; this is a bug of autoscaler: {error}");
                error.id()
            }
        };
        let Some(recipient) = self.recipients.remove(&id) else { return };
        if let Some(mailbox) = self.mailboxes.get_mut(&recipient) {
            mailbox.busy = false;
        }
        self.advance(&recipient, Instant::now());
    }

    fn tell_of_drops(&self) {
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            tracing::warn!(
                target: "autoscaler::notify",
                "{dropped} notifications were dropped, since they come faster than they can be delivered"
            );
        }
    }
}

/// Reasons quote replies and errors: no secret in them may leave, whoever is told.
fn scrubbed(event: Event) -> Event {
    Event {
        message: scrub(&event.message).into_owned(),
        subject: scrub(&event.subject).into_owned(),
        reason: event.reason.as_deref().map(|reason| scrub(reason).into_owned()),
        ..event
    }
}
