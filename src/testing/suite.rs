//! Owns the tests of one script: finding them among what was loaded, running each with a fresh start,
//! and what came of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::Trial;
use super::said::Said;
use crate::function::{Argument, Budget, CallError, Function, Permit, Reach};
use crate::pipeline::PipelineSpec;
use crate::secret::scrub;
use crate::settings::{Diagnostic, Place, Report, Severity};

/// What one test may use.
pub const BUDGET: Budget = Budget { operations: 20_000_000, time: Duration::from_secs(10) };

/// All tests of a saved script together may take this long.
pub const RELOAD_TIME: Duration = Duration::from_secs(10);

/// A test calls, ticks and is called again: this fits the deepest nesting that the language allows.
const STACK: usize = 16 * 1024 * 1024;

/// One test: a function `test_…` of the script.
#[derive(Clone, Debug)]
pub struct Test {
    /// The function's name.
    pub name: Arc<str>,
    /// The function.
    pub function: Function,
}

/// The tests of one script, and the pipelines that they open.
#[derive(Clone, Debug, Default)]
pub struct Suite {
    /// In the order written.
    pub tests: Vec<Test>,
    /// The pipelines as declared: neither `--only` nor `--dry-run` concerns a test.
    pub specs: Vec<Arc<PipelineSpec>>,
    /// The unit in a script folder.
    pub unit: Option<Arc<str>>,
}

/// What came of one test.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The test's name.
    pub name: Arc<str>,
    /// Where it is written.
    pub place: Place,
    /// How long it took.
    pub took: Duration,
    /// What it printed.
    pub said: Vec<String>,
    /// Why it failed, if it did.
    pub fault: Option<Fault>,
}

/// Why a test failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What does not hold, with both values.
    pub message: String,
    /// Where.
    pub place: Option<Place>,
    /// What its pipelines were at last, a line each.
    pub states: Vec<String>,
}

impl Suite {
    /// Runs the tests that `selects` names, one after the other; none begins after `deadline`. Blocks.
    #[must_use]
    pub fn run(&self, selects: impl Fn(&str) -> bool + Sync, deadline: Option<Instant>) -> Vec<Verdict> {
        let tests = || {
            let chosen = self.tests.iter().filter(|test| selects(&test.name));
            chosen.map(|test| self.verdict(test, deadline)).collect()
        };
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("test".into()).stack_size(STACK);
            let ran = thread.spawn_scoped(scope, tests).map(std::thread::ScopedJoinHandle::join);
            // Never taken for tests that pass.
            ran.ok().and_then(Result::ok).unwrap_or_else(|| self.tests.iter().map(Verdict::broken).collect())
        })
    }

    fn verdict(&self, test: &Test, deadline: Option<Instant>) -> Verdict {
        let (started, said) = (Instant::now(), Said::default());
        let fault = tracing::dispatcher::with_default(&said.dispatch(), || self.fault(test, deadline));
        let (name, place) = (Arc::clone(&test.name), test.function.place().clone());
        let said = said.lines();
        Verdict { name, place, took: started.elapsed(), said, fault }
    }

    fn fault(&self, test: &Test, deadline: Option<Instant>) -> Option<Fault> {
        let left = deadline.map_or(BUDGET.time, |deadline| deadline.saturating_duration_since(Instant::now()));
        let budget = Budget { time: left.min(BUDGET.time), ..BUDGET };
        let failed = |message: String, place| Fault { message, place, states: Vec::new() };
        if left.is_zero() {
            return Some(failed("there was no time left to run it".into(), None));
        }
        let trial = match Trial::new(self.specs.clone(), self.unit.clone()) {
            Ok(trial) => Arc::new(trial),
            Err(error) => return Some(failed(format!("it cannot be run: {error}"), None)),
        };
        let permit = Permit { pipeline: Arc::clone(&test.name), budget, reach: Reach::Test(Arc::clone(&trial)) };
        let called = test.function.call(Argument::Nothing, &mut crate::function::This::default(), &permit);
        let (message, place) = match called.err()? {
            CallError::Script { message, place } => (message, place),
            CallError::Budget { message, place } => (format!("{message}: what stands here does not end"), place),
        };
        let states = trial.states().iter().map(|state| scrub(state).into_owned()).collect();
        Some(Fault { message: scrub(&message).into_owned(), place, states })
    }

    /// What keeps a saved script from going live: every test that fails, within [`RELOAD_TIME`]. Once it
    /// is `given_up` no further test begins.
    #[must_use]
    pub fn objections(&self, given_up: &CancellationToken) -> Report {
        let mut report = Report::default();
        for verdict in self.run(|_| !given_up.is_cancelled(), Some(Instant::now() + RELOAD_TIME)) {
            if let Some(diagnostic) = verdict.diagnostic() {
                report.push(diagnostic);
            }
        }
        report
    }
}

impl Verdict {
    fn broken(test: &Test) -> Self {
        let message = "running the tests broke down; this is a bug of autoscaler".into();
        let (name, place) = (Arc::clone(&test.name), test.function.place().clone());
        let fault = Some(Fault { message, place: None, states: Vec::new() });
        Self { name, place, took: Duration::ZERO, said: Vec::new(), fault }
    }

    /// The failure as an error of the script, if it failed.
    #[must_use]
    pub fn diagnostic(&self) -> Option<Diagnostic> {
        let fault = self.fault.as_ref()?;
        let place = fault.place.clone().or_else(|| Some(self.place.clone()));
        let message = format!("`{}` fails: {}", self.name, fault.message);
        Some(Diagnostic { severity: Severity::Error, place, message, help: None, rule: None })
    }
}
