//! What the tests of this group share: a script in a scratch folder, loaded, and calls of its functions.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use autoscaler::function::{Argument, Budget, CallError, Change, Function, Permit, Reach, Returned};
use autoscaler::pipeline::{Failure, History, Measurement, Moment};
use autoscaler::script::{Environment, Loaded, MissingSecrets, Source, load};
use autoscaler::settings::{Node, Value};
use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use serde_json::{Value as Json, json};

/// Variables of a test.
#[derive(Default)]
pub struct Variables(pub BTreeMap<&'static str, &'static str>);

impl Environment for Variables {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|value| (*value).to_owned())
    }
}

/// A loaded script and the folder it lies in.
pub struct Bench {
    pub folder: tempfile::TempDir,
    pub loaded: Loaded,
}

/// Loads files: the first is the script.
pub fn files(files: &[(&str, &str)], variables: &[(&'static str, &'static str)], missing: MissingSecrets) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let loaded = load_path(folder.path().join(files[0].0), variables, missing);
    Bench { folder, loaded }
}

pub fn load_path(path: PathBuf, variables: &[(&'static str, &'static str)], missing: MissingSecrets) -> Loaded {
    let environment: Arc<dyn Environment> = Arc::new(Variables(variables.iter().copied().collect()));
    load(&Source { path, text: None, unit: None }, &environment, missing)
}

/// Loads one script without variables.
pub fn script(text: &str) -> Bench {
    files(&[("test.rhai", text)], &[], MissingSecrets::Placeholder)
}

impl Bench {
    /// The declared pipeline `name`, of a script without errors.
    pub fn settings(&self, name: &str) -> &Node {
        assert!(!self.loaded.report.has_errors(), "{}", self.loaded.report);
        let declared = self.loaded.declarations.iter().find(|declaration| &*declaration.name == name);
        &declared.unwrap_or_else(|| panic!("no pipeline {name}")).settings
    }

    /// The function at the dotted path of keys in pipeline `name`.
    pub fn function(&self, name: &str, path: &str) -> Function {
        let mut node = self.settings(name);
        for key in path.split('.') {
            node = node.entry(key).unwrap_or_else(|| panic!("no `{key}` in {node:?}"));
        }
        match &node.value {
            Value::Function(function) => Arc::clone(function),
            other => panic!("{other:?}"),
        }
    }

    /// Calls `decide` of pipeline `name` with a moment of `value`.
    pub fn decide(&self, name: &str, value: f64) -> Result<Returned, CallError> {
        call(&self.function(name, "decide"), Argument::Moment(moment(Some(value))), &mut json!({}))
    }

    /// The report, with the folder's own path left out.
    pub fn report(&self) -> String {
        self.loaded.report.to_string().replace(&format!("{}/", self.folder.path().display()), "")
    }
}

pub fn permit() -> Permit {
    let budget = Budget { operations: 200_000, time: Duration::from_secs(5) };
    Permit { pipeline: "web".into(), budget, reach: Reach::Pure }
}

pub fn call(function: &Function, argument: Argument, memory: &mut Json) -> Result<Returned, CallError> {
    let mut this = (&*memory).into();
    let answer = function.call(argument, &mut this, &permit());
    memory.clone_from(this.json());
    answer
}

/// Calls with one datum.
pub fn data(function: &Function, data: Json) -> Result<Returned, CallError> {
    call(function, Argument::Data(data), &mut json!({}))
}

pub fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 24, 9, 30, 0).unwrap()
}

pub fn history(values: &[Option<f64>]) -> History {
    let mut history = History::default();
    for (second, value) in (0_i64..).zip(values) {
        let at = start() + TimeDelta::seconds(second);
        let measurement = match value {
            Some(value) => Measurement::good("custom", json!(value), at),
            None => Measurement::failed("custom", Failure::not_load("gone"), at),
        };
        history.push(measurement, 100);
    }
    history
}

/// A moment with `value`, history 100, 200, 300 and past 50, 100, 200, 300.
pub fn moment(value: Option<f64>) -> Arc<Moment> {
    let measurement = match value {
        Some(value) => Measurement::good("custom", json!(value), start()),
        None => Measurement::failed("custom", Failure::not_load("gone"), start()),
    };
    Arc::new(Moment {
        pipeline: "web".into(),
        measurement: Arc::new(measurement),
        history: Arc::new(history(&[Some(100.0), Some(200.0), Some(300.0)])),
        past: Arc::new(history(&[Some(50.0), Some(100.0), None, Some(300.0)])),
        named: Vec::new(),
        judges_all: false,
        mark: None,
        dynos: 2,
        booting: 0,
        min_dynos: 1,
        max_dynos: 5,
        now: start().with_timezone(&chrono_tz::America::Vancouver),
        seconds_since_scale: None,
    })
}

/// The text of a failed call.
pub fn failure(result: Result<Returned, CallError>) -> String {
    result.expect_err("the call must fail").to_string()
}

/// The change a call answered.
pub fn change(result: Result<Returned, CallError>) -> Change {
    match result.unwrap() {
        Returned::Change(change) => change,
        other => panic!("{other:?}"),
    }
}
