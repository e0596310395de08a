//! Properties of the controller, whatever it is given.

use std::sync::{Arc, LazyLock};

use autoscaler::decide::{DynosByTime, PolicyInput, PolicyKind, Proposal};
use autoscaler::levers::{Levers, PipelineLevers, Pull, SetDynos};
use autoscaler::measure::OnFailure;
use autoscaler::pipeline::controller::decide;
use autoscaler::pipeline::{
    Circumstances, ControlState, Decided, Failure, History, Measurement, Mode, Observation, PipelineSpec, Proposed,
    Room,
};
use autoscaler::world::{ScaleError, ScaleErrorKind, Supply};
use chrono::TimeDelta;
use proptest::prelude::*;

use super::bench::{Draft, noon};

static SPEC: LazyLock<Arc<PipelineSpec>> = LazyLock::new(|| Draft::default().spec());
static AVERAGE: LazyLock<Arc<PipelineSpec>> =
    LazyLock::new(|| Draft::deciding("decide::average_threshold(#{})").spec());
static UNKNOWN: LazyLock<ScaleError> =
    LazyLock::new(|| ScaleError { kind: ScaleErrorKind::Unknown, message: "no answer".into() });

#[derive(Clone, Debug)]
struct Situation {
    spec: PipelineSpec,
    state: ControlState,
    dynos: Option<u32>,
    limit: Option<u32>,
    failed: bool,
    proposals: Vec<Proposed>,
    levers: Levers,
    /// What a shared limit leaves.
    room: Option<u32>,
}

impl Situation {
    fn decide(&self) -> (autoscaler::pipeline::Decision, ControlState) {
        let measurement = if self.failed {
            Measurement::failed("custom", Failure::overload("timed out"), noon())
        } else {
            Measurement::good("custom", 1.into(), noon())
        };
        let dynos = match self.dynos {
            Some(dynos) => Ok(Supply { dynos, booting: 0, limit: self.limit, read_at: noon() }),
            None => Err(&*UNKNOWN),
        };
        let levers = self.levers.active("web", noon());
        let room = self.room.map(|left| Room { limit: 0, left });
        let observation = Observation {
            measurements: &[measurement],
            dynos,
            proposals: &self.proposals,
            levers,
            room,
            circumstances: Circumstances::default(),
        };
        decide(&self.spec, &self.state, &observation, noon())
    }
}

fn situation() -> impl Strategy<Value = Situation> {
    let bounds = (0_u32..8, 0_u32..8, any::<(bool, bool, bool)>());
    let state = (proptest::option::of(-100_i64..100), proptest::option::of(-100_i64..100));
    let proposed = proptest::collection::vec(proptest::option::of(-5_i64..20), 0..4);
    let mode = prop_oneof![Just(Mode::Live), Just(Mode::DryRun), Just(Mode::Paused)];
    let world = (proptest::option::weighted(0.9, 0_u32..12), proptest::option::of(1_u32..12), any::<bool>());
    let room = proptest::option::of(0_u32..12);
    (bounds, state, proposed, mode, world, room).prop_map(|(bounds, state, proposed, mode, world, room)| {
        let (min, more, (min_written, max_written, start_from_zero)) = bounds;
        let mut spec = (**SPEC).clone();
        spec.mode = mode;
        spec.start_from_zero = start_from_zero;
        spec.decide.min_dynos = DynosByTime::Always(min);
        spec.decide.max_dynos = DynosByTime::Always(min + more);
        (spec.decide.min_written, spec.decide.max_written) = (min_written, max_written);
        let later = |seconds: Option<i64>| seconds.map(|seconds| noon() + TimeDelta::seconds(seconds));
        let state = ControlState {
            wait_until: later(state.0),
            last_scale: later(state.0).map(|until| until - TimeDelta::seconds(60)),
            back_off_until: later(state.1),
            ..ControlState::default()
        };
        let proposal = |dynos| Proposed { name: "decision".into(), proposal: Proposal { dynos, text: "test".into() } };
        let proposals = proposed.into_iter().map(proposal).collect();
        let levers = Levers::default();
        Situation { spec, state, dynos: world.0, limit: world.1, failed: world.2, proposals, room, levers }
    })
}

/// A situation in which levers are pulled.
fn incident() -> impl Strategy<Value = Situation> {
    let set = proptest::option::of((0_u32..12, any::<bool>()));
    (situation(), set, any::<(bool, bool, bool)>()).prop_map(|(situation, set, (pause, no_in, no_out))| {
        let pull = || Pull { by: "ann@ops".into(), at: noon(), until: None, reason: None };
        let levers = PipelineLevers {
            pause: pause.then(pull),
            dynos: set.map(|(dynos, beyond_bounds)| SetDynos { dynos, beyond_bounds, pull: pull() }),
            no_scale_in: no_in.then(pull),
            no_scale_out: no_out.then(pull),
        };
        let levers = Levers { pipelines: [("web".to_owned(), levers)].into(), ..Levers::default() };
        Situation { levers, ..situation }
    })
}

fn measurements() -> impl Strategy<Value = Vec<f64>> {
    proptest::collection::vec(prop_oneof![Just(0.0), Just(400.0), Just(1200.0), 0.0..2000.0], 1..12)
}

fn proposal(spec: &PipelineSpec, values: &[f64], dynos: u32) -> Option<i64> {
    let PolicyKind::Native(policy) = &spec.decide.policies[0].kind else { panic!("a native policy") };
    let mut history = History::default();
    for value in values {
        history.push(Measurement::good("custom", (*value).into(), noon()), 100);
    }
    let input = PolicyInput {
        history: history.judged(None),
        on_failure: OnFailure::Hold,
        dynos,
        increment: spec.decide.increment,
        unit: None,
    };
    policy.propose(&input).dynos
}

proptest! {
    #[test]
    fn what_is_desired_lies_within_the_bounds_or_is_what_there_is(situation in situation()) {
        let (decision, _) = situation.decide();
        match (decision.current, decision.desired) {
            (Some(current), Some(desired)) => {
                let bounds = decision.bounds;
                prop_assert!(desired == current || (bounds.min..=bounds.max).contains(&desired)
                    || situation.limit == Some(desired) || situation.room == Some(desired), "{decision:?}");
                let direction = match desired.cmp(&current) {
                    std::cmp::Ordering::Less => Decided::Down,
                    std::cmp::Ordering::Equal => Decided::Hold,
                    std::cmp::Ordering::Greater => Decided::Up,
                };
                prop_assert_eq!(decision.decided, direction);
            }
            (None, None) => prop_assert_eq!(decision.decided, Decided::Hold),
            counts => prop_assert!(false, "{counts:?}"),
        }
        prop_assert!(decision.reasons.iter().next().is_some(), "a decision without a reason");
    }

    #[test]
    fn levers_hold_whatever_else_there_is(situation in incident()) {
        let (decision, _) = situation.decide();
        let (Some(current), Some(desired)) = (decision.current, decision.desired) else { return Ok(()) };
        let (levers, bounds) = (&situation.levers.pipelines["web"], decision.bounds);
        let (decide, set) = (&situation.spec.decide, levers.dynos.as_ref());
        if levers.pause.is_some() {
            prop_assert_eq!(desired, current);
        }
        if levers.no_scale_in.is_some() {
            prop_assert!(desired >= current);
        }
        if levers.no_scale_out.is_some() {
            prop_assert!(desired <= current || (decide.min_written && desired <= bounds.min), "{decision:?}");
        }
        if !set.is_some_and(|set| set.beyond_bounds) {
            prop_assert!(desired == current || (bounds.min..=bounds.max).contains(&desired)
                || set.is_some_and(|set| set.dynos == desired && desired.min(current) < bounds.min && !decide.min_written)
                || set.is_some_and(|set| set.dynos == desired && desired.max(current) > bounds.max && !decide.max_written)
                || situation.limit == Some(desired) || situation.room == Some(desired), "{decision:?}");
        }
        let switched = levers.no_scale_in.is_some() || levers.no_scale_out.is_some();
        let quiet = situation.spec.mode != Mode::Paused && levers.pause.is_none() && !switched;
        let free = situation.limit.is_none() && situation.room.is_none() && situation.state.back_off_until.is_none_or(|until| until <= noon());
        if let Some(set) = set.filter(|set| set.beyond_bounds && quiet && free) {
            prop_assert_eq!(desired, set.dynos);
        }
    }

    #[test]
    fn a_failed_measurement_never_lowers(situation in situation()) {
        let (decision, _) = Situation { failed: true, ..situation }.decide();
        prop_assert!(decision.desired >= decision.current);
    }

    #[test]
    fn nothing_grows_beyond_what_a_shared_limit_leaves(situation in situation(), left in 0_u32..12) {
        let (decision, _) = Situation { room: Some(left), ..situation }.decide();
        let current = decision.current.unwrap_or(0);
        prop_assert!(decision.desired.unwrap_or(0) <= left.max(current), "{decision:?}");
    }

    #[test]
    fn a_further_policy_never_makes_it_fewer_dynos(situation in situation(), further in proptest::option::of(-5_i64..20)) {
        prop_assume!(!situation.proposals.is_empty());
        let proposal = Proposal { dynos: further, text: "test".into() };
        let mut more = situation.clone();
        more.proposals.push(Proposed { name: "further".into(), proposal });
        prop_assert!(more.decide().0.desired >= situation.decide().0.desired);
    }

    #[test]
    fn an_unwritten_bound_never_acts(situation in situation()) {
        let mut situation = Situation { proposals: Vec::new(), ..situation };
        (situation.spec.decide.min_written, situation.spec.decide.max_written) = (false, false);
        let (decision, _) = situation.decide();
        prop_assert_eq!(decision.desired, decision.current);
    }

    #[test]
    fn zero_dynos_stay_unless_the_script_says_otherwise(situation in situation()) {
        let mut situation = Situation { dynos: Some(0), ..situation };
        situation.spec.start_from_zero = false;
        // With a maximum of 0 nothing else is possible either.
        prop_assert_eq!(situation.decide().0.desired, Some(0));
    }

    #[test]
    fn the_same_input_gives_the_same_decision(situation in situation()) {
        prop_assert_eq!(situation.decide(), situation.decide());
    }

    #[test]
    fn a_larger_wish_never_gives_fewer_dynos(situation in situation(), low in -5_i64..20, more in 0_i64..20) {
        let wish = |dynos| {
            let proposal = Proposal { dynos: Some(dynos), text: "test".into() };
            let proposals = vec![Proposed { name: "decision".into(), proposal }];
            Situation { proposals, ..situation.clone() }.decide().0.desired
        };
        prop_assert!(wish(low + more) >= wish(low));
    }

    #[test]
    fn more_load_never_gives_fewer_dynos(
        low in measurements(),
        more in proptest::collection::vec(0.0..1500.0, 12),
        dynos in 1_u32..6,
    ) {
        let high: Vec<f64> = low.iter().zip(&more).map(|(low, more)| low + more).collect();
        for spec in [&**SPEC, &**AVERAGE] {
            let wanted = |values: &[f64]| proposal(spec, values, dynos).unwrap_or(i64::from(dynos));
            prop_assert!(wanted(&high) >= wanted(&low), "{low:?} {high:?}");
        }
    }

    #[test]
    fn what_is_kept_survives_being_written_down(situation in situation()) {
        let (_, state) = situation.decide();
        let written = serde_json::to_string(&state).unwrap();
        prop_assert_eq!(serde_json::from_str::<ControlState>(&written).unwrap(), state);
    }
}
