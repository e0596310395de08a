//! What the tests of this group share: a script in a setting, and a steady load.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use autoscaler::pipeline::{PipelineSpec, declare};
use autoscaler::script::{Environment, MissingSecrets, Source, load};
use autoscaler::simulate::{Candidate, Faults, Run, Setting, Trace, run};
use chrono_tz::Tz;

/// No variable is set.
struct Bare;

impl Environment for Bare {
    fn variable(&self, _name: &str) -> Option<String> {
        None
    }
}

/// The only pipeline of a script without errors.
#[track_caller]
pub fn spec(text: &str) -> Arc<PipelineSpec> {
    let source = Source { path: PathBuf::from("/nowhere/test.rhai"), text: Some(text.into()), unit: None };
    let environment: Arc<dyn Environment> = Arc::new(Bare);
    let declared = declare(&load(&source, &environment, MissingSecrets::Placeholder), None, 1, Tz::UTC);
    assert!(!declared.report.has_errors(), "{}", declared.report);
    Arc::clone(&declared.specs[0])
}

/// A pipeline `web` that measures utilization every 30 s, of dynos of 10 requests/s, with these further
/// settings.
pub fn web(settings: &str) -> String {
    format!(
        r#"pipeline("web", #{{
    measure: || 0,
    min_dynos: 1,
    max_dynos: 40,
    scale: #{{ current: || 1, scale_to: |n| () }},
    {settings}
}});"#
    )
}

/// The only pipeline of a script, and the app as it describes it.
#[track_caller]
pub fn candidate(text: &str, name: &str) -> Candidate {
    let spec = spec(text);
    let described = spec.simulate.as_deref().cloned().unwrap_or_default();
    let model = described.model(&spec.name, spec.measure[0].backend.backend()).unwrap();
    Candidate { name: name.into(), spec, model }
}

/// The candidate in the setting.
#[track_caller]
pub fn simulated_as(candidate: &Candidate, setting: &Setting) -> Run {
    run(setting, candidate, &AtomicU64::new(0)).unwrap()
}

/// The script in the setting.
#[track_caller]
pub fn simulated(text: &str, setting: &Setting) -> Run {
    simulated_as(&candidate(text, "web"), setting)
}

/// These rates, a minute apart.
pub fn minutes(rates: &[f64]) -> Setting {
    let trace = Trace { name: "minutes".into(), first: 0.0, step: 60.0, rates: rates.to_vec() };
    Setting {
        trace: Arc::new(trace),
        seed: 1,
        warmup: 0,
        faults: Faults::default(),
        exact: false,
        series_step: Some(60),
    }
}

/// The same rate for so many minutes.
pub fn steady(rate: f64, length: usize) -> Setting {
    minutes(&vec![rate; length + 1])
}

/// `found` within a share of `due`.
#[track_caller]
pub fn close(what: &str, found: f64, due: f64, share: f64) {
    assert!((found - due).abs() <= share * due.abs(), "{what}: {found}, not within {share} of {due}");
}
