//! Properties of the controller with its guards over many ticks: random settings and values, clocks that
//! jump, counts that others change, scales that fail.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use autoscaler::decide::{DynosByTime, PolicyInput, PolicyKind, Proposal};
use autoscaler::measure::OnFailure;
use autoscaler::pipeline::controller::decide;
use autoscaler::pipeline::{
    Behavior, Boot, Busy, CircuitBreaker, Circumstances, ControlState, Decision, Failure, Fallback, GuardSettings,
    History, Measurement, Observation, PipelineSpec, Proposed, Release, Step,
};
use autoscaler::world::{ScaleError, ScaleErrorKind, Supply};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::bench::{Draft, noon};

const HEROKU: &str = r#"scale::heroku(#{ app_name: "shop", api_key: "0123-4567" })"#;

static ELSEWHERE: LazyLock<Arc<PipelineSpec>> =
    LazyLock::new(|| Draft { wide: "busy: || 0, busy_deadline_seconds: 600".into(), ..Draft::default() }.spec());
static ON_HEROKU: LazyLock<Arc<PipelineSpec>> = LazyLock::new(|| {
    let average = "decide::average_threshold(#{ number_of_measurements_to_average: 2 })";
    Draft { scale: HEROKU.into(), wide: "busy: || 0,".into(), ..Draft::deciding(average) }.spec()
});
static UNKNOWN: LazyLock<ScaleError> =
    LazyLock::new(|| ScaleError { kind: ScaleErrorKind::Unknown, message: "no answer".into() });

fn seconds(most: u64) -> impl Strategy<Value = Duration> {
    prop_oneof![Just(0), 1..=most].prop_map(Duration::from_secs)
}

fn step() -> impl Strategy<Value = Option<Step>> {
    let sizes = (proptest::option::of(0_u32..6), proptest::option::of(0.0..150.0_f64));
    let step = (sizes, seconds(300), any::<bool>());
    proptest::option::of(step.prop_map(|((dynos, percent), per, larger)| Step { dynos, percent, per, larger }))
}

fn fallback() -> impl Strategy<Value = Option<Fallback>> {
    let behavior = prop_oneof![
        Just(Behavior::Current),
        (0_u32..20).prop_map(Behavior::Static),
        (0_u32..20).prop_map(Behavior::AtLeast),
        (0_u32..20).prop_map(Behavior::AtMost),
    ];
    proptest::option::of((1_u32..4, behavior).prop_map(|(after, behavior)| Fallback { after, behavior }))
}

fn guards() -> impl Strategy<Value = GuardSettings> {
    let boot = prop_oneof![
        Just(Boot::Unknown),
        Just(Boot::Learned),
        (1_u64..120).prop_map(|boot| Boot::Seconds(Duration::from_secs(boot)))
    ];
    let breaker = proptest::option::of((1_u32..4, 1_u64..600, 1_u64..600)).prop_map(|breaker| {
        let time = Duration::from_secs;
        breaker.map(|(failures, up, retry)| CircuitBreaker { failures, up_within: time(up), retry: time(retry) })
    });
    let times = (0.0..0.9_f64, seconds(600), seconds(600), seconds(600), seconds(600));
    let steps = (step(), step(), fallback(), proptest::option::of(0_u32..3));
    let rest = (any::<bool>(), boot, any::<bool>(), breaker, proptest::option::of(0_u32..4));
    (times, steps, rest).prop_map(|(times, steps, (busy, boot, hold_during_release, circuit_breaker, reversals))| {
        GuardSettings {
            tolerance: times.0,
            stabilization_up: times.1,
            stabilization_down: times.2,
            cooldown_up: times.3,
            cooldown_down: times.4,
            max_step_up: steps.0,
            max_step_down: steps.1,
            fallback: steps.2,
            max_steps_up_on_failure: steps.3,
            // Which of the two is taken is the business of `spec`.
            busy: busy.then(|| ELSEWHERE.guards.busy.clone()).flatten(),
            boot,
            hold_during_release,
            circuit_breaker,
            max_reversals_per_hour: reversals,
        }
    })
}

fn spec() -> impl Strategy<Value = PipelineSpec> {
    let bounds = (0_u32..8, 0_u32..12, any::<(bool, bool, bool, bool)>());
    (bounds, guards()).prop_map(|((min, more, (min_written, max_written, from_zero, on_heroku)), guards)| {
        let mut spec = (**if on_heroku { &*ON_HEROKU } else { &*ELSEWHERE }).clone();
        spec.start_from_zero = from_zero;
        (spec.decide.min_dynos, spec.decide.max_dynos) = (DynosByTime::Always(min), DynosByTime::Always(min + more));
        (spec.decide.min_written, spec.decide.max_written) = (min_written, max_written);
        spec.guards = guards;
        spec
    })
}

/// What happens in one tick.
fn wish(dynos: Option<i64>) -> Proposal {
    Proposal { dynos, text: "test".into() }
}

#[derive(Clone, Debug)]
struct Tick {
    /// The clock moves by so many seconds.
    moves: i64,
    /// A person sets the count.
    set: Option<u32>,
    value: Option<f64>,
    /// What the policy wants, where it is asked.
    wanted: Option<Proposal>,
    known: bool,
    limit: Option<u32>,
    booting: u32,
    circumstances: Circumstances,
    /// Whether a scale is taken.
    taken: bool,
}

fn value() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        2 => Just(None),
        6 => (0.0..2000.0_f64).prop_map(Some),
        2 => proptest::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e308, -1e308, -0.0]).prop_map(Some),
    ]
}

fn tick() -> impl Strategy<Value = Tick> {
    let moves = prop_oneof![8 => 0_i64..120, 1 => -100_000_i64..0, 1 => 0_i64..10_000_000];
    let release = prop_oneof![
        4 => Just(Release::NotAsked),
        1 => Just(Release::Absent),
        1 => Just(Release::UnderWay),
        1 => Just(Release::Unknown)
    ];
    let busy = prop_oneof![
        4 => Just(Busy::NotAsked),
        2 => (0_u32..6).prop_map(Busy::Jobs),
        1 => Just(Busy::Unknown)
    ];
    let wanted = proptest::option::weighted(0.8, prop_oneof![-5_i64..30, any::<i64>()]).prop_map(wish);
    let wanted = proptest::option::weighted(0.9, wanted);
    let platform = (
        proptest::bool::weighted(0.95),
        proptest::option::weighted(0.1, 1_u32..12),
        0_u32..3,
        proptest::bool::weighted(0.8),
    );
    let set = proptest::option::weighted(0.1, 0_u32..25);
    let around = (release, proptest::option::of(0_u32..5), busy);
    (moves, set, value(), wanted, platform, around).prop_map(|(moves, set, value, wanted, platform, around)| Tick {
        moves,
        set,
        value,
        wanted,
        known: platform.0,
        limit: platform.1,
        booting: platform.2,
        circumstances: Circumstances { release: around.0, not_up: around.1, busy: around.2 },
        taken: platform.3,
    })
}

impl Tick {
    fn decide(
        &self,
        spec: &PipelineSpec,
        state: &ControlState,
        dynos: u32,
        now: DateTime<Utc>,
    ) -> (Decision, ControlState) {
        let measurement = match self.value {
            // As nobody of ours would measure it, but the controller takes nobody's word.
            Some(value) => Measurement { value: Some(value), ..Measurement::good("custom", 1.into(), now) },
            None => Measurement::failed("custom", Failure::overload("timed out"), now),
        };
        let proposed = |proposal| Proposed { name: "decision".into(), proposal };
        let proposals: Vec<Proposed> = self.wanted.clone().map(proposed).into_iter().collect();
        let supply = Supply { dynos, booting: self.booting, limit: self.limit, read_at: now };
        let observation = Observation {
            levers: autoscaler::levers::ActiveLevers::default(),
            room: None,
            measurements: &[measurement],
            dynos: if self.known { Ok(supply) } else { Err(&*UNKNOWN) },
            proposals: &proposals,
            circumstances: self.circumstances,
        };
        decide(spec, state, &observation, now)
    }

    fn failed(&self) -> bool {
        self.value.is_none_or(|value| !value.is_finite())
    }
}

/// Runs `ticks` as a pipeline would, and hands over what each of them saw and decided.
fn run(
    spec: &PipelineSpec,
    ticks: &[Tick],
    mut look: impl FnMut(&Tick, &ControlState, u32, DateTime<Utc>, &Decision) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    let (mut state, mut now, mut dynos) = (ControlState::default(), noon(), 2);
    for tick in ticks {
        now += TimeDelta::seconds(tick.moves);
        dynos = tick.set.unwrap_or(dynos);
        state.mend_clock(now);
        let (decision, after) = tick.decide(spec, &state, dynos, now);
        look(tick, &state, dynos, now, &decision)?;
        state = after;
        if let Some((from, to)) = decision.change() {
            if tick.taken {
                state.scaled(now, to, spec.decide.wait, false);
                state.note_change(&spec.guards, now, (from, to), tick.value.is_none());
                state.scale_settled();
                dynos = to;
            } else {
                state.scale_failed(now);
                state.note_refusal(&spec.guards, now);
            }
        }
    }
    Ok(())
}

fn ticks() -> impl Strategy<Value = Vec<Tick>> {
    proptest::collection::vec(tick(), 1..40)
}

fn wanted(spec: &PipelineSpec, values: &[f64], dynos: u32) -> Option<i64> {
    let PolicyKind::Native(policy) = &spec.decide.policies[0].kind else { panic!("a native policy") };
    let mut history = History::default();
    for value in values {
        history.push(Measurement::good("custom", (*value).into(), noon()), 100);
    }
    let history = history.judged(None);
    let (on_failure, increment) = (OnFailure::Hold, spec.decide.increment);
    policy.propose(&PolicyInput { history, on_failure, dynos, increment, unit: None }).dynos
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn a_count_within_the_bounds_stays_within_them(spec in spec(), ticks in ticks()) {
        run(&spec, &ticks, |tick, _, dynos, _, decision| {
            let (bounds, Some(desired)) = (decision.bounds, decision.desired) else { return Ok(()) };
            if (bounds.min..=bounds.max).contains(&dynos) {
                prop_assert!((bounds.min..=bounds.max).contains(&desired), "{tick:?} {decision:?}");
            } else {
                // It stays, or moves towards them and not beyond.
                let (low, high) = (dynos.min(bounds.min), dynos.max(bounds.max));
                prop_assert!((low..=high).contains(&desired), "{tick:?} {decision:?}");
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_failed_measurement_never_lowers(spec in spec(), ticks in ticks()) {
        run(&spec, &ticks, |tick, _, dynos, _, decision| {
            let lowers = decision.desired.is_some_and(|desired| desired < dynos);
            prop_assert!(!(tick.failed() && lowers), "{tick:?} {decision:?}");
            Ok(())
        })?;
    }

    #[test]
    fn a_written_bound_is_reached_whatever_guards_say(spec in spec(), ticks in ticks()) {
        let mut spec = spec;
        (spec.decide.min_written, spec.decide.max_written, spec.start_from_zero) = (true, true, true);
        // Those that stop what a platform cannot do, or what must not be interrupted.
        (spec.guards.circuit_breaker, spec.guards.busy) = (None, None);
        run(&spec, &ticks, |tick, state, dynos, now, decision| {
            let bounds = decision.bounds;
            let free = tick.known && tick.limit.is_none() && !state.backs_off(now);
            if free && dynos < bounds.min {
                prop_assert_eq!(decision.desired, Some(bounds.min));
            }
            if free && dynos > bounds.max && !tick.failed() {
                prop_assert_eq!(decision.desired, Some(bounds.max));
            }
            Ok(())
        })?;
    }

    #[test]
    fn the_same_input_gives_the_same_decision_also_from_a_written_state(spec in spec(), ticks in ticks()) {
        run(&spec, &ticks, |tick, state, dynos, now, _| {
            let written = serde_json::to_string(state).expect("a state is JSON");
            let read: ControlState = serde_json::from_str(&written).expect("and JSON is a state");
            prop_assert_eq!(&read, state);
            prop_assert_eq!(tick.decide(&spec, &read, dynos, now), tick.decide(&spec, state, dynos, now));
            Ok(())
        })?;
    }

    #[test]
    fn more_load_never_gives_fewer_dynos(
        spec in spec(),
        ticks in ticks(),
        low in proptest::collection::vec(prop_oneof![Just(0.0), Just(20.0), 0.0..2000.0], 5..9),
        more in proptest::collection::vec(0.0..1500.0, 9),
    ) {
        let high: Vec<f64> = low.iter().zip(&more).map(|(low, more)| low + more).collect();
        run(&spec, &ticks, |tick, state, dynos, now, _| {
            let mut busy = tick.circumstances;
            // Asked before a fall only: both or neither.
            if busy.busy == Busy::NotAsked {
                busy.busy = Busy::Jobs(0);
            }
            let desired = |values: &[f64]| {
                let wanted = Some(wish(wanted(&spec, values, dynos)));
                Tick { wanted, circumstances: busy, value: Some(1.0), ..tick.clone() }.decide(&spec, state, dynos, now).0.desired
            };
            prop_assert!(desired(&high) >= desired(&low), "{low:?} {high:?} {tick:?}");
            Ok(())
        })?;
    }
}
