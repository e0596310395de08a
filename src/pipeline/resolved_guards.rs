//! Owns the optional guards of a pipeline as `check` shows them: those that are on, as they are written.

use serde_json::{Map, Value as Json, json};

use super::resolved::number;
use crate::pipeline::{Behavior, Boot, GuardSettings, Step};

/// The settings of the guards that are on.
pub(super) fn settings(guards: &GuardSettings) -> Json {
    let mut shown = Map::new();
    let mut show = |name: &str, value: Json| drop(shown.insert(name.into(), value));
    if guards.tolerance > 0.0 {
        show("tolerance", json!(guards.tolerance));
    }
    for (name, time) in [
        ("stabilization_up_seconds", guards.stabilization_up),
        ("stabilization_down_seconds", guards.stabilization_down),
        ("cooldown_up_seconds", guards.cooldown_up),
        ("cooldown_down_seconds", guards.cooldown_down),
    ] {
        if !time.is_zero() {
            show(name, number(time.as_secs_f64()));
        }
    }
    for (name, limit) in [("max_step_up", guards.max_step_up), ("max_step_down", guards.max_step_down)] {
        if let Some(limit) = limit {
            show(name, step(&limit));
        }
    }
    if let Some(fallback) = guards.fallback {
        let (behavior, dynos) = match fallback.behavior {
            Behavior::Current => ("current", json!("current")),
            Behavior::Static(dynos) => ("static", json!(dynos)),
            Behavior::AtLeast(dynos) => ("at_least", json!(dynos)),
            Behavior::AtMost(dynos) => ("at_most", json!(dynos)),
        };
        show("fallback", json!({ "after": fallback.after, "dynos": dynos, "behavior": behavior }));
    }
    for (name, most) in [
        ("max_steps_up_on_failure", guards.max_steps_up_on_failure),
        ("max_reversals_per_hour", guards.max_reversals_per_hour),
    ] {
        if let Some(most) = most {
            show(name, json!(most));
        }
    }
    if let Some(work) = &guards.busy {
        show("busy", json!(work.stage.backend.backend()));
        if let Some(deadline) = work.deadline {
            show("busy_deadline_seconds", number(deadline.as_secs_f64()));
        }
    }
    match guards.boot {
        Boot::Unknown => {}
        Boot::Seconds(boot) => show("boot_seconds", number(boot.as_secs_f64())),
        Boot::Learned => show("boot_seconds", json!("learned")),
    }
    if guards.hold_during_release {
        show("hold_during_release", json!(true));
    }
    if let Some(breaker) = guards.circuit_breaker {
        let shown = json!({
            "failures": breaker.failures,
            "up_within_seconds": number(breaker.up_within.as_secs_f64()),
            "retry_seconds": number(breaker.retry.as_secs_f64()),
        });
        show("circuit_breaker", shown);
    }
    Json::Object(shown)
}

fn step(step: &Step) -> Json {
    let mut shown = Map::new();
    let mut show = |name: &str, value: Json| drop(shown.insert(name.into(), value));
    if let Some(dynos) = step.dynos {
        show("dynos", json!(dynos));
    }
    if let Some(percent) = step.percent {
        show("percent", number(percent));
    }
    if !step.per.is_zero() {
        show("per_seconds", number(step.per.as_secs_f64()));
    }
    if step.dynos.is_some() && step.percent.is_some() {
        show("select", json!(if step.larger { "max" } else { "min" }));
    }
    Json::Object(shown)
}
