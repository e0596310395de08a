//! Owns a Heroku that runs on this machine: an API that answers as the real one does, with apps whose
//! dynos boot, a log that can be followed, and faults on demand. The demo and the tests use it; nothing
//! else does, and it scales nothing but itself.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use autoscaler::heroku::fake::Fake;
//!
//! let fake = Fake::new("key");
//! fake.add_app("shop", &[("web", 1), ("worker", 0)]);
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! println!("http://{}", listener.local_addr()?);
//! fake.serve(listener, std::future::pending()).await
//! # }
//! ```

mod api;
mod app;
mod cut;
mod drains;
mod gate;
mod logs;
mod page;
mod refusal;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::connect_info::IntoMakeServiceWithConnectInfo;
use axum::http::{HeaderMap, header};
use tokio::net::TcpListener;
use tokio::time::Instant;

use self::app::App;
use self::cut::{Cut, CutListener};
use self::refusal::Refusal;
use super::budget::{POOL, REFILL_PER_MINUTE};

pub use self::gate::Fault;

/// Whom the key belongs to.
const EMAIL: &str = "fake@example.com";

/// Items of a page of a list.
const PAGE_SIZE: usize = 200;

/// Requests that are remembered.
const REQUESTS_KEPT: usize = 10_000;

/// The fake API. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Fake(Arc<Shared>);

type Shared = Mutex<State>;

#[derive(Debug)]
struct State {
    key: String,
    /// What the key may do; `None`: it may not say.
    scope: Option<String>,
    apps: BTreeMap<String, App>,
    boot: Duration,
    page_size: usize,
    /// Calls left, at `refilled`.
    remaining: f64,
    refilled: Instant,
    faults: HashMap<String, VecDeque<Fault>>,
    requests: VecDeque<SeenRequest>,
    sessions: HashMap<String, logs::Session>,
}

/// A request that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRequest {
    /// Method and route: "GET /apps/{app}/formation".
    pub route: String,
    /// The path: "/apps/shop/formation".
    pub path: String,
    /// The body.
    pub body: String,
    /// The headers, names in lower case, without the key.
    pub headers: Vec<(String, String)>,
    /// When it came.
    pub at: std::time::Instant,
}

impl Fake {
    /// Without apps, open to `key`.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self(Arc::new(Mutex::new(State {
            key: key.into(),
            scope: Some("global".into()),
            apps: BTreeMap::new(),
            boot: Duration::ZERO,
            page_size: PAGE_SIZE,
            remaining: POOL,
            refilled: Instant::now(),
            faults: HashMap::new(),
            requests: VecDeque::new(),
            sessions: HashMap::new(),
        })))
    }

    /// Serves on `listener` until `stop` is ready.
    ///
    /// # Errors
    /// When the listener breaks.
    pub async fn serve(&self, listener: TcpListener, stop: impl Future<Output = ()>) -> io::Result<()> {
        let routes = api::routes(self.clone());
        let service: IntoMakeServiceWithConnectInfo<_, Cut> = routes.into_make_service_with_connect_info::<Cut>();
        let served = tokio::select! {
            served = async { axum::serve(CutListener(listener), service).await } => served,
            () = stop => Ok(()),
        };
        // Streams would go on for ever.
        self.state().apps.values_mut().for_each(App::end_tails);
        served
    }

    /// Adds an app, or replaces it, with its process types and the dynos of each, all of them up.
    pub fn add_app(&self, name: &str, types: &[(&str, u32)]) {
        let mut state = self.state();
        let app = App::new(name, types, state.boot);
        state.apps.insert(name.into(), app);
    }

    /// Dynos started from now on take this long to be up.
    pub fn set_boot(&self, boot: Duration) {
        let mut state = self.state();
        state.boot = boot;
        state.apps.values_mut().for_each(|app| app.boot = boot);
    }

    /// Where `app` is served; `None`: it has no web address.
    pub fn set_web_url(&self, app: &str, url: Option<&str>) {
        self.change(app, |app| app.web_url = url.map(str::to_owned));
    }

    /// How many dynos `app` may have over all its types.
    pub fn set_dyno_limit(&self, app: &str, limit: u32) {
        self.change(app, |app| app.dyno_limit = limit);
    }

    /// Whether the key may not touch `app`.
    pub fn set_forbidden(&self, app: &str, forbidden: bool) {
        self.change(app, |app| app.forbidden = forbidden);
    }

    /// What the key may do ("global", "read"); `None`: it may not say. Nothing is refused for it.
    pub fn set_scope(&self, scope: Option<&str>) {
        self.state().scope = scope.map(str::to_owned);
    }

    /// Whether Heroku's own autoscaling is on for `app`.
    pub fn set_autoscaled(&self, app: &str, on: bool) {
        self.change(app, |app| app.autoscaled = on);
    }

    /// Attaches an add-on to `app`.
    pub fn attach(&self, app: &str, addon: &str) {
        self.change(app, |app| app.addons.push(addon.to_owned()));
    }

    /// Sets the dyno size of a process type by hand; an unknown one changes nothing.
    pub fn set_size(&self, app: &str, process_type: &str, size: &str) {
        let (process_type, size) = (process_type.into(), Some(size.into()));
        let update = app::Update { process_type, quantity: None, size };
        self.change(app, |app| drop(app.update(&[update])));
    }

    /// Scales by hand, without a call.
    pub fn set_dynos(&self, app: &str, process_type: &str, dynos: u32) {
        self.change(app, |app| {
            if let Some(at) = app.find(process_type) {
                app.types[at].resize(dynos, false);
            }
        });
    }

    /// Begins a release of `app`: its newest release is pending.
    pub fn begin_release(&self, app: &str) {
        self.change(app, |app| app.releases.push("pending"));
    }

    /// Ends the release of `app` that is under way.
    pub fn end_release(&self, app: &str, succeeded: bool) {
        self.change(app, |app| {
            if let Some(newest) = app.releases.last_mut() {
                *newest = if succeeded { "succeeded" } else { "failed" };
            }
        });
    }

    /// Makes the dynos of a process type from the one with `number` on crash.
    pub fn crash(&self, app: &str, process_type: &str, number: u32) {
        self.change(app, |app| {
            if let Some(at) = app.find(process_type) {
                app.types[at]
                    .dynos
                    .iter_mut()
                    .filter(|dyno| dyno.number >= number)
                    .for_each(|dyno| dyno.crashed = true);
            }
        });
    }

    /// Dynos asked for of a process type; 0 where there is none.
    #[must_use]
    pub fn dynos(&self, app: &str, process_type: &str) -> u32 {
        self.count(app, process_type, |_, _| true)
    }

    /// Of these, the ones that have booted.
    #[must_use]
    pub fn dynos_up(&self, app: &str, process_type: &str) -> u32 {
        self.count(app, process_type, |app, dyno| dyno.is_up(app.boot))
    }

    fn count(&self, app: &str, process_type: &str, counts: impl Fn(&App, &app::Dyno) -> bool) -> u32 {
        let state = self.state();
        let Some(app) = state.apps.get(app) else { return 0 };
        let Some(at) = app.find(process_type) else { return 0 };
        u32::try_from(app.types[at].dynos.iter().filter(|dyno| counts(app, dyno)).count()).unwrap_or(u32::MAX)
    }

    /// Writes a line into the log of `app`, as `<time> <source>[<process>]: <text>`.
    pub fn log(&self, app: &str, source: &str, process: &str, text: &str) {
        self.change(app, |app| app.write(source, process, text));
    }

    /// Writes the router's line for a request that was answered.
    pub fn log_request(&self, app: &str, request_id: &str, path: &str, service_ms: u32, status: u16) {
        let host = format!("{app}.herokuapp.com");
        let text = format!(
            "at=info method=GET path=\"{path}\" host={host} request_id={request_id} fwd=\"127.0.0.1\" dyno=web.1 \
             connect=0ms service={service_ms}ms status={status} bytes=2 protocol=http tls=false"
        );
        self.log(app, "heroku", "router", &text);
    }

    /// Writes the router's line for a request that ended in an error: `H12`, and how long it was waited for.
    pub fn log_error(&self, app: &str, code: &str, description: &str, service_ms: u32) {
        let text = format!(
            "at=error code={code} desc=\"{description}\" method=GET path=\"/\" host={app}.herokuapp.com request_id={} \
             fwd=\"127.0.0.1\" dyno=web.1 connect=1ms service={service_ms}ms status=503 bytes=0 protocol=https",
            app::random_id()
        );
        self.log(app, "heroku", "router", &text);
    }

    /// Posts the log of `app` to `url` from now on, as its log drain; gives the drain's token. Within a tokio runtime.
    ///
    /// # Errors
    /// There is no such app, or the URL is none.
    pub fn add_drain(&self, app: &str, url: &str) -> io::Result<String> {
        let drain = drains::add(self, app, url).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(drain["token"].as_str().unwrap_or_default().to_owned())
    }

    /// Ends every log stream of `app`; its sessions are over too.
    pub fn end_log_streams(&self, app: &str) {
        let mut state = self.state();
        state.sessions.retain(|_, session| session.app != app);
        if let Some(app) = state.apps.get_mut(app) {
            app.end_tails();
        }
    }

    /// How many read the log of `app`.
    #[must_use]
    pub fn log_streams(&self, app: &str) -> usize {
        self.state().apps.get(app).map_or(0, |app| app.tail.receiver_count())
    }

    /// The next request of `route` ("PATCH /apps/{app}/formation/{process}") gets `fault`; several of one
    /// route wait in a queue.
    pub fn fail_next(&self, route: &str, fault: Fault) {
        self.state().faults.entry(route.into()).or_default().push_back(fault);
    }

    /// No request gets a fault any more.
    pub fn forget_faults(&self) {
        self.state().faults.clear();
    }

    /// Sets how many calls are left.
    pub fn set_remaining(&self, calls: u32) {
        let mut state = self.state();
        (state.remaining, state.refilled) = (f64::from(calls), Instant::now());
    }

    /// How many calls are left.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn remaining(&self) -> u32 {
        self.state().refilled() as u32
    }

    /// How many items a page of a list has where the request says nothing.
    pub fn set_page_size(&self, items: usize) {
        self.state().page_size = items;
    }

    /// The requests that came, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.state().requests.iter().cloned().collect()
    }

    /// How many requests of `route` came.
    #[must_use]
    pub fn count_of(&self, route: &str) -> usize {
        self.state().requests.iter().filter(|request| request.route == route).count()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, app: &str, change: impl FnOnce(&mut App)) {
        if let Some(app) = self.state().apps.get_mut(app) {
            change(app);
        }
    }

    /// The app of this name or id, if the key may touch it.
    fn with_app<T>(&self, name: &str, work: impl FnOnce(&mut App) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let mut state = self.state();
        let found = state.apps.values_mut().find(|app| app.name == name || app.id == name);
        let app = found.ok_or_else(|| Refusal::not_found("app"))?;
        if app.forbidden {
            return Err(Refusal::new(403, "forbidden", "You do not have access to the app."));
        }
        work(app)
    }

    /// Notes a request; returns the fault that is due.
    fn note(&self, route: &str, request: SeenRequest) -> Option<Fault> {
        let mut state = self.state();
        if state.requests.len() == REQUESTS_KEPT {
            state.requests.pop_front();
        }
        state.requests.push_back(request);
        state.faults.get_mut(route)?.pop_front()
    }

    /// Whether the request has the key.
    fn knows(&self, headers: &HeaderMap) -> bool {
        let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        sent.and_then(|sent| sent.strip_prefix("Bearer ")) == Some(self.state().key.as_str())
    }

    /// Takes one call from what is left.
    fn take_token(&self) -> bool {
        let mut state = self.state();
        let left = state.refilled() >= 1.0;
        if left {
            state.remaining -= 1.0;
        }
        left
    }
}

impl State {
    fn refilled(&mut self) -> f64 {
        let minutes = self.refilled.elapsed().as_secs_f64() / 60.0;
        self.remaining = (self.remaining + minutes * REFILL_PER_MINUTE).min(POOL);
        self.refilled = Instant::now();
        self.remaining
    }
}
