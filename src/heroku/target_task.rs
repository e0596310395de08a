//! Owns the last read of one app, and every call about it: one read serves all pipelines that wait for
//! it, a stuck call delays nobody but those who asked for it, and nothing is answered that was not read.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::answer::{ApiError, ApiErrorKind, AppInfo, Formation, unknown_type};
use super::caps::find;
use super::client::{Client, Listed};
use super::known::{Known, Seen};
use super::target::{Answer, Ask};
use crate::world::{Clock, Freshness, ScaleError, ScaleErrorKind, Supply};

/// A read that began so short a time ago is fresh for whoever asks now: pipelines of one app that tick
/// together share it.
const TOGETHER: Duration = Duration::from_millis(250);

/// After a failed read nobody reads again for a second, doubling to half a minute: the last error is
/// answered meanwhile.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// An app's web address changes when its name or domain does.
const URL_KEPT: Duration = Duration::from_secs(3600);

/// How long the failure to read it is kept.
const URL_FAILURE_KEPT: Duration = Duration::from_secs(15);

/// The state of one target.
pub(super) struct Task {
    app: Arc<str>,
    client: Client,
    clock: Arc<dyn Clock>,
    calls: FuturesUnordered<BoxFuture<'static, Done>>,
    known: Known,
    /// `known`, for whoever needs no more than that.
    published: watch::Sender<Known>,
    /// Grows whenever a scale begins or ends: a read that overlaps one is no longer news.
    epoch: u64,
    reads: HashMap<u64, Read>,
    next_read: u64,
    failed: Option<Failed>,
    url: Option<(Instant, Result<Arc<str>, ScaleError>)>,
    url_waiting: Vec<Answer<Arc<str>>>,
}

/// A read under way.
struct Read {
    begun: Instant,
    /// The same by the clock.
    time: DateTime<Utc>,
    epoch: u64,
    /// What "unchanged" would mean.
    base: Option<Arc<Vec<Formation>>>,
    waiting: Vec<(Arc<str>, Answer<Supply>)>,
}

struct Failed {
    error: ScaleError,
    until: Instant,
    pause: Duration,
}

/// A call that has ended.
enum Done {
    Read { id: u64, result: Result<Listed, ApiError> },
    Scaled { process_type: Arc<str>, dynos: u32, answer: Answer<Supply>, result: Result<Formation, ApiError> },
    Unknown { answer: Answer<Supply>, error: ScaleError },
    Url(Result<AppInfo, ApiError>),
}

impl Task {
    pub(super) fn new(client: Client, clock: Arc<dyn Clock>, published: watch::Sender<Known>) -> Self {
        let app = Arc::clone(&published.borrow().app);
        Self {
            app: Arc::clone(&app),
            client,
            clock,
            calls: FuturesUnordered::new(),
            known: Known::nothing(app),
            published,
            epoch: 0,
            reads: HashMap::new(),
            next_read: 0,
            failed: None,
            url: None,
            url_waiting: Vec::new(),
        }
    }

    /// Answers until every handle is dropped and every call has ended.
    pub(super) async fn run(mut self, mut asks: mpsc::Receiver<Ask>) {
        let mut open = true;
        while open || !self.calls.is_empty() {
            tokio::select! {
                ask = asks.recv(), if open => match ask {
                    Some(Ask::Observe { process_type, freshness, answer }) => {
                        self.observe(process_type, freshness, answer);
                    }
                    Some(Ask::Scale { process_type, dynos, answer }) => self.scale(process_type, dynos, answer),
                    Some(Ask::WebUrl { answer }) => self.web_url(answer),
                    None => open = false,
                },
                Some(done) = self.calls.next(), if !self.calls.is_empty() => self.end(done),
            }
        }
    }

    // An answer that nobody waits for any more is dropped: `let _ = answer.send(…)` throughout.

    fn observe(&mut self, process_type: Arc<str>, freshness: Freshness, answer: Answer<Supply>) {
        let now = Instant::now();
        if freshness == Freshness::Cached
            && let Some(known) = self.known.cached(&process_type, self.client.budget(), now)
        {
            let _ = answer.send(known);
            return;
        }
        if let Some(wait) = self.client.budget().blocked(now) {
            let _ = answer.send(Err(self.out_of_calls(wait)));
            return;
        }
        if let Some(failed) = self.failed.as_ref().filter(|failed| now < failed.until) {
            let _ = answer.send(Err(failed.error.clone()));
            return;
        }
        let epoch = self.epoch;
        let joins =
            |read: &&mut Read| read.epoch == epoch && (freshness == Freshness::Cached || now - read.begun < TOGETHER);
        match self.reads.values_mut().find(joins) {
            Some(read) => read.waiting.push((process_type, answer)),
            None => self.read(vec![(process_type, answer)]),
        }
    }

    fn read(&mut self, waiting: Vec<(Arc<str>, Answer<Supply>)>) {
        let (client, app) = (self.client.clone(), Arc::clone(&self.app));
        let base = self.known.seen.as_ref().filter(|seen| !seen.doubtful && seen.tag.is_some());
        let (tag, base) = base.map(|seen| (seen.tag.clone(), Arc::clone(&seen.formation))).unzip();
        let tag: Option<String> = tag.flatten();
        let (begun, time, epoch, id) = (Instant::now(), self.clock.now(), self.epoch, self.next_read);
        self.next_read += 1;
        self.reads.insert(id, Read { begun, time, epoch, base, waiting });
        self.calls.push(Box::pin(async move {
            let result = client.formation(&app, tag.as_deref()).await;
            Done::Read { id, result }
        }));
    }

    fn scale(&mut self, process_type: Arc<str>, dynos: u32, answer: Answer<Supply>) {
        let now = Instant::now();
        if let Some(wait) = self.client.budget().blocked(now) {
            let _ = answer.send(Err(self.out_of_calls(wait)));
            return;
        }
        if let Some(allowed) = self.known_cap(&process_type, dynos, now) {
            let message = format!(
                "heroku allowed {allowed} of `{process_type}` of `{}` when last asked for more; asked again in a while",
                self.app
            );
            let _ = answer.send(Err(ScaleError { kind: ScaleErrorKind::Limit(allowed), message }));
            return;
        }
        self.epoch += 1;
        let (client, app) = (self.client.clone(), Arc::clone(&self.app));
        self.calls.push(Box::pin(async move {
            let result = client.update(&app, &process_type, dynos).await;
            if result.as_ref().is_err_and(|error| error.kind == ApiErrorKind::NotFound) {
                // Either there is no app or no such process type: the list tells which.
                if let Ok(Listed::New(known, _)) = client.formation(&app, None).await
                    && find(&known, &process_type).is_none()
                {
                    return Done::Unknown { answer, error: unknown_type(&app, &process_type, &known) };
                }
            }
            Done::Scaled { process_type, dynos, answer, result }
        }));
    }

    /// The cap that `dynos` would exceed; going down is always tried.
    fn known_cap(&self, process_type: &str, dynos: u32, now: Instant) -> Option<u32> {
        let formation: &[Formation] = self.known.seen.as_ref().map_or(&[], |seen| &seen.formation);
        let allowed = self.known.caps.allowed(process_type, formation, now)?;
        let current = find(formation, process_type).map_or(0, |formation| formation.quantity);
        (dynos > allowed && dynos > current).then_some(allowed)
    }

    fn web_url(&mut self, answer: Answer<Arc<str>>) {
        let now = Instant::now();
        if let Some((_, known)) = self.url.as_ref().filter(|(until, _)| now < *until) {
            let _ = answer.send(known.clone());
            return;
        }
        if let Some(wait) = self.client.budget().blocked(now) {
            let _ = answer.send(Err(self.out_of_calls(wait)));
            return;
        }
        self.url_waiting.push(answer);
        if self.url_waiting.len() == 1 {
            let (client, app) = (self.client.clone(), Arc::clone(&self.app));
            self.calls.push(Box::pin(async move { Done::Url(client.app(&app).await) }));
        }
    }

    fn end(&mut self, done: Done) {
        match done {
            Done::Read { id, result } => self.end_read(id, result),
            Done::Scaled { process_type, dynos, answer, result } => {
                self.epoch += 1;
                let result = self.end_scale(&process_type, dynos, result);
                // Published first: whoever hears of the scale must not find the count of before.
                self.published.send_replace(self.known.clone());
                let _ = answer.send(result);
            }
            Done::Unknown { answer, error } => {
                self.epoch += 1;
                let _ = answer.send(Err(error));
            }
            Done::Url(result) => self.end_url(result),
        }
    }

    fn end_read(&mut self, id: u64, result: Result<Listed, ApiError>) {
        let read = self.reads.remove(&id).expect("a read ends once, and is noted until then");
        let now = Instant::now();
        let (formation, tag) = match result {
            Ok(Listed::New(formation, tag)) => (Arc::new(formation), tag),
            Ok(Listed::Unchanged) => {
                let tag = self.known.seen.as_ref().and_then(|seen| seen.tag.clone());
                (read.base.expect("a tag is sent only with what it stands for"), tag)
            }
            Err(error) => {
                let error = ScaleError::from(error);
                let pause = self.failed.as_ref().map_or(FIRST_PAUSE, |failed| (failed.pause * 2).min(LONGEST_PAUSE));
                self.failed = Some(Failed { error: error.clone(), until: now + pause, pause });
                for (_, answer) in read.waiting {
                    let _ = answer.send(Err(error.clone()));
                }
                return;
            }
        };
        self.failed = None;
        let seen = Seen { formation, tag, at: read.begun, read_at: read.time, doubtful: false };
        for (process_type, answer) in read.waiting {
            let _ = answer.send(self.known.supply(&seen, &process_type));
        }
        let newer = self.known.seen.as_ref().is_none_or(|known| known.doubtful || known.at < seen.at);
        if read.epoch == self.epoch && newer {
            if self.known.seen.as_ref().is_none_or(|known| known.formation != seen.formation) {
                self.known.changed = now;
            }
            self.known.seen = Some(seen);
            self.published.send_replace(self.known.clone());
        }
    }

    fn end_scale(
        &mut self,
        process_type: &Arc<str>,
        dynos: u32,
        result: Result<Formation, ApiError>,
    ) -> Result<Supply, ScaleError> {
        let now = Instant::now();
        match result {
            Ok(after) => {
                self.known.changed = now;
                let supply = Supply { dynos: after.quantity, booting: 0, limit: None, read_at: self.clock.now() };
                self.adopt(after);
                let known = self.known.seen.as_ref().map_or(&[][..], |seen| &seen.formation);
                Ok(Supply { limit: self.known.caps.allowed(process_type, known, now), ..supply })
            }
            Err(ApiError { kind: ApiErrorKind::Limit { limit, app_wide }, message }) => {
                let known = self.known.seen.as_ref().map_or(&[][..], |seen| &seen.formation);
                let left = self.known.caps.learn(process_type, dynos, (limit, app_wide), known, now);
                let message = if left == limit {
                    message
                } else {
                    format!("{message}; other process types count too, which leaves {left} for `{process_type}`")
                };
                Err(ScaleError { kind: ScaleErrorKind::Limit(left), message })
            }
            Err(error) => {
                if error.kind == ApiErrorKind::Unknown {
                    self.known.changed = now;
                    if let Some(seen) = &mut self.known.seen {
                        seen.doubtful = true;
                    }
                }
                Err(error.into())
            }
        }
    }

    /// Puts the answer to a scale into what was seen.
    fn adopt(&mut self, after: Formation) {
        let Some(seen) = &mut self.known.seen else { return };
        let formation = Arc::make_mut(&mut seen.formation);
        match formation.iter_mut().find(|known| known.process_type == after.process_type) {
            Some(known) => *known = after,
            None => formation.push(after),
        }
        // The tag stands for what was before.
        seen.tag = None;
    }

    fn end_url(&mut self, result: Result<AppInfo, ApiError>) {
        let url = match result {
            Ok(AppInfo { web_url: Some(url), .. }) if url.starts_with("http") => Ok(Arc::from(url)),
            Ok(_) => Err(ScaleError {
                kind: ScaleErrorKind::Refused,
                message: format!("heroku names no web address for `{}`; set `base_url`", self.app),
            }),
            Err(error) => Err(error.into()),
        };
        let kept = if url.is_ok() { URL_KEPT } else { URL_FAILURE_KEPT };
        self.url = Some((Instant::now() + kept, url.clone()));
        for answer in self.url_waiting.drain(..) {
            let _ = answer.send(url.clone());
        }
    }

    fn out_of_calls(&self, wait: Duration) -> ScaleError {
        let message = format!(
            "the account of `{}` is out of API calls (heroku answered 429); the next call goes out in {:.0} s",
            self.app,
            wait.as_secs_f64().ceil()
        );
        ScaleError { kind: ScaleErrorKind::RateLimited, message }
    }
}
