//! What the tests of functions that reach the world share: a script with variables and bounds, its
//! pipelines, and their stages in a live world.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use autoscaler::notify::Undelivered;
use autoscaler::pipeline::{Declared, Event, EventKind, Measurement, Phase, PipelineSpec, declare};
use autoscaler::reach::{Bounds, HostPattern};
use autoscaler::script::{Environment, Loaded, MissingSecrets, Source, load};
use autoscaler::world::{Freshness, ScaleError, World};
use chrono_tz::Tz;

pub use crate::measure::support::world;
use crate::measure::support::{failed, measure};

/// Variables and bounds of a test.
#[derive(Clone, Default)]
pub struct Around {
    pub variables: Vec<(&'static str, String)>,
    pub bounds: Bounds,
}

impl Environment for Around {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }

    fn bounds(&self) -> &Bounds {
        &self.bounds
    }
}

/// Programs are allowed.
pub fn with_programs() -> Around {
    Around { bounds: Bounds { programs: true, ..Bounds::default() }, ..Around::default() }
}

/// Only these hosts and variables are allowed.
pub fn bounded(hosts: &[&str], variables: &[&str]) -> Around {
    let hosts = hosts.iter().map(|host| HostPattern::parse(host).unwrap());
    let variables = variables.iter().map(|name| Arc::from(*name));
    let bounds = Bounds { hosts: Some(hosts.collect()), variables: Some(variables.collect()), programs: false };
    Around { bounds, ..Around::default() }
}

pub fn loaded(text: &str, around: &Around) -> Loaded {
    let source = Source { path: PathBuf::from("/nowhere/test.rhai"), text: Some(text.into()), unit: None };
    let environment: Arc<dyn Environment> = Arc::new(around.clone());
    load(&source, &environment, MissingSecrets::Placeholder)
}

pub fn declared(text: &str, around: &Around) -> Declared {
    declare(&loaded(text, around), None, 1, Tz::UTC)
}

/// Everything said of `text`.
pub fn report(text: &str, around: &Around) -> String {
    declared(text, around).report.to_string()
}

/// The only pipeline of a script without errors.
pub fn spec_of(text: &str, around: &Around) -> Arc<PipelineSpec> {
    let declared = declared(text, around);
    assert!(!declared.report.has_errors(), "{}", declared.report);
    Arc::clone(&declared.specs[0])
}

/// A pipeline `web` with these stages.
pub fn web(measure: &str, scale: &str, notify: &str) -> String {
    format!("pipeline(\"web\", #{{ measure: {measure}, decide: |m| (), scale: {scale}, notify: {notify} }});")
}

pub fn measuring(stage: &str) -> String {
    web(stage, "#{ current: || 1, scale_to: |n| () }", "[]")
}

pub fn scaling(stage: &str) -> String {
    web("|| 1", stage, "[]")
}

pub fn notifying(stage: &str) -> String {
    web("|| 1", "#{ current: || 1, scale_to: |n| () }", stage)
}

/// One measurement of `stage`.
pub async fn measured_around(stage: &str, around: &Around) -> Measurement {
    let spec = spec_of(&measuring(stage), around);
    measure(&spec.measure[0], &world()).await
}

pub async fn measured(stage: &str) -> Measurement {
    measured_around(stage, &Around::default()).await
}

/// Why `stage` cannot be measured.
pub async fn failure(stage: &str) -> String {
    let measurement = measured(stage).await;
    failed(&measurement).1.to_owned()
}

/// The count that the scaling stage `stage` reads.
pub async fn counted(stage: &str, around: &Around) -> Result<u32, ScaleError> {
    let spec = spec_of(&scaling(stage), around);
    let platform = Arc::clone(&spec.scale).open(&spec.name, &world());
    platform.observe(Freshness::Now).await.map(|supply| supply.dynos)
}

/// Asks `stage` for so many dynos.
pub async fn scaled(stage: &str, dynos: u32, around: &Around) -> Result<u32, ScaleError> {
    let spec = spec_of(&scaling(stage), around);
    let platform = Arc::clone(&spec.scale).open(&spec.name, &world());
    platform.scale_to(dynos).await.map(|supply| supply.dynos)
}

pub fn event() -> Event {
    Event {
        kind: EventKind::Scaled,
        phase: Phase::Once,
        key: "web/scaled".into(),
        severity: "info".into(),
        pipeline: "web".into(),
        message: "Scaled web from 1 to 2.".into(),
        subject: "Scaled".into(),
        dynos: Some(2),
        from: Some(1),
        to: Some(2),
        measurement: None,
        unit: None,
        target: None,
        reason: None,
        at: "2026-11-24T12:00:00Z".parse().unwrap(),
    }
}

/// Tells the notifying stage `stage` of an event.
pub async fn told(stage: &str, around: &Around) -> Result<(), Undelivered> {
    let spec = spec_of(&notifying(stage), around);
    told_in(&spec, &world()).await
}

pub async fn told_in(spec: &PipelineSpec, world: &Arc<World>) -> Result<(), Undelivered> {
    spec.notify[0].backend.deliver(&Arc::new(event()), &Mutex::default(), world).await
}

#[test]
fn a_redis_socket_is_reached_only_where_this_machine_is_allowed() {
    let script = measuring("|| redis::server(\"redis+socket:///run/redis.sock\").llen(\"celery\")");
    let said = report(&script, &bounded(&["a.test"], &[]));
    assert!(said.contains("scripts may not reach `localhost` here (`--allow-net` names `a.test`"), "{said}");
    assert_eq!(report(&script, &bounded(&["localhost"], &[])), "");
    assert_eq!(report(&script, &Around::default()), "");
}
