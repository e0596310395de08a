//! Owns the demo's web app: real HTTP on a listener that the caller gives, in front of a queue that is
//! filled in-process. A real request waits in that queue like any other, so its latency is a user's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::load::{Load, time_of_day};
use super::queue::{Answer, Gauge, Queue, Shape, Ticket};

/// Where the app is measured.
pub const MEASUREMENT_PATH: &str = "/heroku-autoscale/measurement/";

/// The queue is worked on this often. A reply is due at the time the queue computed, so this is no
/// error of a latency that is longer; it is how late the app learns of a new dyno.
const STEP: Duration = Duration::from_millis(20);

/// Tells how many dynos run now, those still booting left out.
pub type RunningDynos = Arc<dyn Fn() -> u32 + Send + Sync>;

/// The demo's web app.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    load: Load,
    dynos: RunningDynos,
    started: Instant,
    /// The queue with the requests that wait for its answers: one lock, since an answer belongs to both.
    desk: Mutex<Desk>,
    gauge: watch::Sender<Gauge>,
}

struct Desk {
    queue: Queue,
    askers: HashMap<Ticket, oneshot::Sender<Answer>>,
}

impl App {
    /// An app that works as `shape` says, under `load`, on as many dynos as `dynos` tells. Its time
    /// starts now; must be called within a tokio runtime.
    #[must_use]
    pub fn new(shape: Shape, load: Load, seed: u64, dynos: RunningDynos) -> Self {
        let desk = Mutex::new(Desk { queue: Queue::new(shape, seed), askers: HashMap::new() });
        Self(Arc::new(Inner { load, dynos, started: Instant::now(), desk, gauge: watch::Sender::default() }))
    }

    /// Follows load, queue and dynos.
    #[must_use]
    pub fn gauge(&self) -> watch::Receiver<Gauge> {
        self.0.gauge.subscribe()
    }

    /// Serves on `listener` until `stop`; requests in hand are dropped then.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) -> std::io::Result<()> {
        let router =
            Router::new().route("/", get(front_page)).route(MEASUREMENT_PATH, get(measured)).with_state(self.clone());
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            () = self.work() => Ok(()),
            served = axum::serve(listener, router).into_future() => served,
        }
    }

    /// Works on the queue for ever.
    async fn work(&self) {
        let mut step = tokio::time::interval(STEP);
        step.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            step.tick().await;
            self.advance(&mut self.desk());
        }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.0.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings the queue up to now and tells the answers to those who wait for them.
    fn advance(&self, desk: &mut Desk) {
        let Inner { load, dynos, started, gauge, .. } = &*self.0;
        let now = started.elapsed();
        for (ticket, answer) in desk.queue.advance(now, dynos(), |at| load.rate(at)) {
            if let Some(asker) = desk.askers.remove(&ticket) {
                // An asker that has gone needs no answer.
                let _ = asker.send(answer);
            }
        }
        gauge.send_replace(desk.queue.gauge(load.rate(now), load.hour(now)));
    }

    /// Waits in the queue and is worked on; `false` when it is given up.
    async fn take_turn(&self) -> bool {
        let (asker, answer) = oneshot::channel();
        {
            let mut desk = self.desk();
            self.advance(&mut desk);
            let ticket = desk.queue.join();
            desk.askers.insert(ticket, asker);
            // Once more: where a worker is idle it begins at this very moment.
            self.advance(&mut desk);
        }
        match answer.await {
            Ok(Answer::Served { done }) => {
                tokio::time::sleep_until(self.0.started + done).await;
                true
            }
            Ok(Answer::Refused) | Err(_) => false,
        }
    }
}

/// What the router in front of an app says when no dyno has taken a request in time.
fn unavailable() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, "no worker took this request in time\n").into_response()
}

async fn measured(State(app): State<App>) -> Response {
    if app.take_turn().await { ([(header::CACHE_CONTROL, "no-store")], "ok\n").into_response() } else { unavailable() }
}

async fn front_page(State(app): State<App>) -> Response {
    if !app.take_turn().await {
        return unavailable();
    }
    let Gauge { load, waiting, busy, workers, dynos, hour, .. } = *app.0.gauge.borrow();
    Html(format!(
        "<!doctype html><title>autoscaler demo</title><meta http-equiv=refresh content=2>\
         <h1>autoscaler demo</h1><p>It is {} in the demo's day: {load:.0} requests a second arrive, {busy} of \
         {workers} workers on {dynos} dynos are busy, {waiting} requests wait. This page waited in the same queue.</p>",
        time_of_day(hour)
    ))
    .into_response()
}
