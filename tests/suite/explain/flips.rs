//! What a native policy says would flip it does, and just less does not.

use std::sync::Arc;

use autoscaler::decide::{Flip, Limit, PolicyInput, PolicyKind};
use autoscaler::measure::OnFailure;
use autoscaler::pipeline::{Decided, Failure, History, Measurement};
use chrono::TimeDelta;
use proptest::prelude::*;
use serde_json::json;

use crate::pipeline::bench::{noon, specs};

/// A measurement: its value, a failure that may be load, or one that is not.
#[derive(Clone, Copy, Debug)]
enum Taken {
    Value(f64),
    Overload,
    NotLoad,
}

fn history(taken: &[Taken]) -> History {
    let mut history = History::default();
    for (second, taken) in (0..).zip(taken) {
        let at = noon() + TimeDelta::seconds(second);
        let measurement = match taken {
            Taken::Value(value) => Measurement::good("custom", json!(value), at),
            Taken::Overload => Measurement::failed("custom", Failure::overload("timed out"), at),
            Taken::NotLoad => Measurement::failed("custom", Failure::not_load("gone"), at),
        };
        history.push(measurement, 100);
    }
    history
}

/// What `policy` wants of `taken`, and what it says would flip it.
fn asked(policy: &PolicyKind, taken: &[Taken], on_failure: OnFailure) -> (Decided, Vec<Flip>) {
    let PolicyKind::Native(policy) = policy else { panic!("a native policy") };
    let history = history(taken);
    let input = PolicyInput { history: history.judged(None), on_failure, dynos: 5, increment: 2, unit: None };
    let wants = match policy.propose(&input).dynos {
        Some(7) => Decided::Up,
        Some(3) => Decided::Down,
        None => Decided::Hold,
        other => panic!("{other:?}"),
    };
    (wants, policy.flips(&input))
}

/// A value close to the limit that does not lie there.
fn just_outside(limit: Limit) -> f64 {
    match limit {
        Limit::Above(limit) | Limit::Below(limit) => limit,
        Limit::AtLeast(limit) => limit - 1e-6 * limit.abs().max(1.0),
        Limit::AtMost(limit) => limit + 1e-6 * limit.abs().max(1.0),
    }
}

/// `taken` as `flip` would have it, every number chosen by `choose`.
fn with(taken: &[Taken], flip: &Flip, choose: impl Fn(Limit) -> f64) -> Vec<Taken> {
    let mut taken = taken.to_vec();
    if let Some(limit) = flip.newest {
        *taken.last_mut().expect("a newest one") = Taken::Value(choose(limit));
    }
    if let Some((at, limit)) = flip.earlier {
        let index = usize::try_from((at - noon()).num_seconds()).expect("it was taken");
        taken[index] = Taken::Value(choose(limit));
    }
    if let Some((count, limit)) = flip.further {
        taken.extend(vec![Taken::Value(choose(limit)); count]);
    }
    taken
}

fn taken() -> impl Strategy<Value = Taken> {
    prop_oneof![
        6 => prop::sample::select(vec![0.0, 5.0, 10.0, 15.0, 20.0, 20.5, 30.0, 100.0]).prop_map(Taken::Value),
        1 => Just(Taken::Overload),
        1 => Just(Taken::NotLoad),
    ]
}

fn policy() -> impl Strategy<Value = Arc<str>> {
    let thresholds = prop::sample::select(vec![
        "min_measurement_value: 0, max_measurement_value: 20",
        "min_measurement_value: 10, max_measurement_value: 20",
    ]);
    (1..5_usize, 1..5_usize, thresholds, any::<bool>()).prop_map(|(up, down, thresholds, average)| {
        if average {
            format!("decide::average_threshold(#{{ {thresholds}, number_of_measurements_to_average: {up} }})").into()
        } else {
            format!(
                "decide::consecutive_threshold(#{{ {thresholds}, number_of_fails_to_scale_up_after: {up}, \
                 number_of_passes_to_scale_down_after: {down} }})"
            )
            .into()
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_flip_is_exact(
        policy in policy(),
        taken in prop::collection::vec(taken(), 0..8),
        on_failure in prop::sample::select(vec![OnFailure::TooHigh, OnFailure::Hold, OnFailure::Ignore]),
    ) {
        let script = format!("pipeline(\"web\", #{{ measure: || 0, decide: {policy}, \
             scale: #{{ current: || 0, scale_to: |n| () }} }});");
        let policy = specs(&script)[0].decide.policies[0].kind.clone();
        let (wants, flips) = asked(&policy, &taken, on_failure);
        // Each other direction can be had by measuring on.
        for to in [Decided::Up, Decided::Down].into_iter().filter(|to| *to != wants) {
            let further = flips.iter().any(|flip| flip.to == to && flip.newest.is_none() && flip.further.is_some());
            prop_assert!(further, "no way {to:?} from {wants:?}: {flips:?}");
        }
        for flip in &flips {
            prop_assert!(flip.to != wants, "{flip:?} is no flip of {wants:?}");
            let (within, _) = asked(&policy, &with(&taken, flip, Limit::just_within), on_failure);
            prop_assert_eq!(within, flip.to, "{:?}", flip);
            // Of several the first may already lie outside: then the last is not reached.
            let (outside, _) = asked(&policy, &with(&taken, flip, just_outside), on_failure);
            prop_assert!(outside != flip.to, "{flip:?} is not needed");
        }
    }
}
