//! Owns what one test of a script has: the script's pipelines to open, replies for its requests, and
//! the runtime that drives its ticks. It is gone with the test.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Runtime;

use super::bench::Ticking;
use super::{Bench, Recorded};
use crate::pipeline::PipelineSpec;
use crate::settings::did_you_mean;
use crate::world::{Http, StubbedHttp};

/// What one test has.
pub struct Trial {
    specs: Vec<Arc<PipelineSpec>>,
    unit: Option<Arc<str>>,
    http: Arc<StubbedHttp>,
    benches: Mutex<Vec<Arc<Bench>>>,
    /// `None` once it is being dropped.
    runtime: Option<Runtime>,
}

impl Trial {
    /// A test of `specs`, those of the unit `unit`.
    ///
    /// # Errors
    /// When the system has no runtime to give.
    pub(super) fn new(specs: Vec<Arc<PipelineSpec>>, unit: Option<Arc<str>>) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        Ok(Self { specs, unit, http: Arc::default(), benches: Mutex::default(), runtime: Some(runtime) })
    }

    /// The replies to requests of this test.
    #[must_use]
    pub fn http(&self) -> &Arc<StubbedHttp> {
        &self.http
    }

    /// The pipeline `name` in a fresh world.
    ///
    /// # Errors
    /// When the script declares none of that name; then a suggestion, where there is one.
    pub fn under_test(&self, name: &str) -> Result<Arc<Bench>, (String, Option<String>)> {
        let own = |spec: &PipelineSpec| -> Arc<str> {
            let prefix = self.unit.as_ref().map(|unit| format!("{unit}/"));
            let short = prefix.and_then(|prefix| spec.name.strip_prefix(&*prefix).map(Arc::from));
            short.unwrap_or_else(|| Arc::clone(&spec.name))
        };
        let Some(spec) = self.specs.iter().find(|spec| *spec.name == *name || *own(spec) == *name) else {
            let names: Vec<Arc<str>> = self.specs.iter().map(|spec| own(spec)).collect();
            let names = || names.iter().map(|name| &**name);
            let help = did_you_mean(name, names()).or_else(|| {
                (!self.specs.is_empty()).then(|| format!("there are {}", names().collect::<Vec<_>>().join(", ")))
            });
            return Err((format!("there is no pipeline `{name}`"), help));
        };
        let http = Arc::clone(&self.http) as Arc<dyn Http>;
        let bench = Arc::new(self.drive(Bench::open(spec, http)));
        self.benches.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&bench));
        Ok(bench)
    }

    /// The pipeline `name` that was opened last.
    #[must_use]
    pub fn bench(&self, name: &str) -> Option<Arc<Bench>> {
        let benches = self.benches.lock().unwrap_or_else(PoisonError::into_inner);
        let named = |bench: &&Arc<Bench>| *bench.name == *name || bench.name.ends_with(&format!("/{name}"));
        benches.iter().rev().find(named).cloned()
    }

    /// One tick of `bench`.
    ///
    /// # Errors
    /// A request that no stub answers, with the stub to write, or what a notified function threw.
    pub fn tick(&self, bench: &Bench) -> Result<(), (String, Option<String>)> {
        let ticked = bench.tick(|tick: Ticking<'_>| self.drive(tick));
        let unanswered = self.http.take_unanswered();
        match unanswered.first() {
            Some(request) => Err((format!("no `http::stub` answers `{request}`"), stub_for(request))),
            None => ticked.map_err(|error| (format!("a notification went wrong: {error}"), None)),
        }
    }

    /// Runs a `tick` of `bench` again, as it was recorded but for what the pipeline does itself.
    ///
    /// # Errors
    /// A tick that cannot be, and everything that [`Trial::tick`] says.
    pub fn replay(&self, bench: &Bench, tick: &Recorded) -> Result<(), String> {
        bench.arrange(tick)?;
        if let Some(scaled) = &tick.scaled {
            self.drive(bench.scaled(scaled))?;
        }
        let ticked = self.tick(bench);
        // A scale that was refused then is no later one's business.
        bench.platform(|platform| platform.scales.clear());
        ticked.map_err(|(message, help)| help.map_or(message.clone(), |help| format!("{message} ({help})")))
    }

    /// What every pipeline was at last, for a test that failed.
    pub(super) fn states(&self) -> Vec<String> {
        let benches = self.benches.lock().unwrap_or_else(PoisonError::into_inner);
        benches.iter().filter_map(|bench| bench.state()).collect()
    }

    fn drive<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.as_ref().expect("it is taken only when the test is gone").block_on(future)
    }
}

/// The stub that answers `request`, "GET https://…".
fn stub_for(request: &str) -> Option<String> {
    let (method, url) = request.split_once(' ')?;
    let answer = if method == "GET" { "#{ json: #{ … } }" } else { "#{ status: 200 }" };
    let url = url.replace('\\', "\\\\").replace('"', "\\\"");
    Some(format!("write before: `http::stub(\"{method}\", \"{url}\", {answer});`"))
}

impl Drop for Trial {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A function that was given up may still run on a thread of it.
            runtime.shutdown_background();
        }
    }
}
