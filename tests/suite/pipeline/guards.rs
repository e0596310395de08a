//! The optional guards, each with numbers worked out by hand, on the controller alone.

use std::sync::Arc;

use autoscaler::decide::Proposal;
use autoscaler::pipeline::controller::decide;
use autoscaler::pipeline::{
    Busy, Circumstances, ControlState, Decided, Decision, Failure, Measurement, Observation, PipelineSpec, Proposed,
    Release, Seen,
};
use autoscaler::world::Supply;
use chrono::TimeDelta;

use super::bench::{Draft, noon};

const HEROKU: &str = r#"scale::heroku(#{ app_name: "shop", api_key: "0123-4567" })"#;

/// A controller whose ticks are told what was found.
struct Desk {
    spec: Arc<PipelineSpec>,
    state: ControlState,
    seconds: i64,
    dynos: u32,
    booting: u32,
    measured: Measurement,
    circumstances: Circumstances,
}

impl Desk {
    fn with(wide: &str) -> Self {
        Self::of(&Draft { wide: format!("min_dynos: 1, max_dynos: 1000, {wide}"), ..Draft::default() })
    }

    fn on_heroku(wide: &str) -> Self {
        let wide = format!("min_dynos: 1, max_dynos: 1000, {wide}");
        Self::of(&Draft { wide, scale: HEROKU.into(), ..Draft::default() })
    }

    fn of(draft: &Draft) -> Self {
        let measured = Measurement::good("custom", 1.into(), noon());
        let (state, circumstances) = (ControlState::default(), Circumstances::default());
        Self { spec: draft.spec(), state, seconds: 0, dynos: 1, booting: 0, measured, circumstances }
    }

    fn at(&mut self, seconds: i64) -> &mut Self {
        self.seconds = seconds;
        self
    }

    fn dynos(&mut self, dynos: u32) -> &mut Self {
        self.dynos = dynos;
        self
    }

    fn failing(&mut self) -> &mut Self {
        self.measured = Measurement::failed("custom", Failure::overload("timed out"), self.now());
        self
    }

    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        noon() + TimeDelta::seconds(self.seconds)
    }

    /// One tick in which `wanted` dynos are wanted, and what is allowed; nothing is done about it.
    fn judge(&mut self, wanted: u32) -> (Decision, String) {
        self.judge_all(&[Some(i64::from(wanted))])
    }

    fn judge_all(&mut self, wanted: &[Option<i64>]) -> (Decision, String) {
        let now = self.now();
        self.measured.at = now;
        let proposed = |dynos: &Option<i64>| Proposed {
            name: "decision".into(),
            proposal: Proposal { dynos: *dynos, text: "wanted".into() },
        };
        let proposals: Vec<Proposed> = wanted.iter().map(proposed).collect();
        let supply = Supply { dynos: self.dynos, booting: self.booting, limit: None, read_at: now };
        let observation = Observation {
            levers: autoscaler::levers::ActiveLevers::default(),
            room: None,
            measurements: std::slice::from_ref(&self.measured),
            dynos: Ok(supply),
            proposals: &proposals,
            circumstances: self.circumstances,
        };
        let (decision, state) = decide(&self.spec, &self.state, &observation, now);
        self.state = state;
        let last = decision.reasons.texts(&self.spec, &observation).pop();
        (decision, last.map_or_else(String::new, |reason| format!("{}: {}", reason.guard, reason.text)))
    }

    /// The same, and what is allowed is done.
    fn tick(&mut self, wanted: u32) -> u32 {
        let (decision, _) = self.judge(wanted);
        if let Some((from, to)) = decision.change() {
            let (now, failed) = (self.now(), !self.measured.success);
            self.state.scaled(now, to, self.spec.decide.wait, false);
            self.state.note_change(&self.spec.guards, now, (from, to), failed);
            self.dynos = to;
        }
        self.dynos
    }

    fn desired(&mut self, wanted: u32) -> u32 {
        self.judge(wanted).0.desired.unwrap()
    }

    /// The last reason.
    fn says(&mut self, wanted: u32) -> String {
        self.judge(wanted).1
    }
}

const NO_WAIT: &str = "post_scale_wait_time_seconds: 0,";

#[test]
fn a_value_that_is_no_finite_number_is_not_judged() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut desk = Desk::with("");
        desk.measured.value = Some(value);
        let said = "not_finite: a measured value is no finite number, so nothing is judged on it";
        assert_eq!((desk.dynos(5).desired(9), desk.says(2)), (5, said.into()));
        // Nor is the count lowered to a bound on it; it is raised to one.
        assert_eq!(desk.dynos(2000).desired(2000), 2000);
        assert_eq!(Desk { dynos: 0, ..desk_started_from_zero(value) }.desired(1), 1);
    }
    let mut desk = Desk::with("");
    desk.measured.value = Some(-0.0);
    assert_eq!(desk.dynos(5).desired(4), 4);
}

fn desk_started_from_zero(value: f64) -> Desk {
    let mut desk = Desk::with("start_from_zero: true,");
    desk.measured.value = Some(value);
    desk
}

#[test]
fn a_change_within_the_tolerance_is_held() {
    let mut desk = Desk::with("tolerance: 0.1,");
    // A tenth of 20 is 2: one more is less than that, two are not.
    assert_eq!([18, 19, 20, 21, 22].map(|wanted| desk.dynos(20).desired(wanted)), [18, 20, 20, 20, 22]);
    assert_eq!(desk.says(21), "tolerance: 21 wanted, a change of 5 %, which is less than the tolerance of 10 %");
    // 0.1 × 30 is not 3 in binary.
    assert_eq!([27, 33].map(|wanted| desk.dynos(30).desired(wanted)), [27, 33]);
    assert_eq!(desk.dynos(1).desired(2), 2);
}

#[test]
fn of_what_was_wanted_in_the_window_down_the_largest_is_taken() {
    let mut desk = Desk::with(&format!("stabilization_down_seconds: 300, {NO_WAIT}"));
    desk.dynos(10);
    // At first it is known that there are 10, and nothing else: no fall for 300 s.
    for seconds in (0..300).step_by(30) {
        assert_eq!(desk.at(seconds).tick(if seconds == 120 { 6 } else { 4 }), 10, "{seconds}");
    }
    assert_eq!(desk.at(270).says(4), "stabilization: 4 wanted, but within the last 300 s as many as 10 were");
    // Then of the 4 and the 6 of second 120, the 6; when that is 300 s old, the 4.
    assert_eq!((desk.at(300).tick(4), desk.at(390).tick(4), desk.at(420).tick(4)), (6, 6, 4));
    // A raise waits for nothing.
    assert_eq!(desk.at(430).tick(9), 9);
}

#[test]
fn of_what_was_wanted_in_the_window_up_the_smallest_is_taken() {
    let mut desk = Desk::with(&format!("stabilization_up_seconds: 60, {NO_WAIT}"));
    desk.dynos(2);
    assert_eq!([0, 20, 40].map(|seconds| desk.at(seconds).tick(8)), [2, 2, 2]);
    assert_eq!(desk.at(50).tick(5), 2);
    assert_eq!(desk.at(50).says(8), "stabilization: 8 wanted, but within the last 60 s as few as 2 were enough");
    // The count of the begin is forgotten after 60 s; of 8, 8, 8, 5 the 5 is left until it is as old.
    assert_eq!((desk.at(60).tick(8), desk.at(109).tick(8), desk.at(110).tick(8)), (5, 5, 8));
}

/// kubernetes/kubernetes#97348: with both windows the count moves only where it lies outside of both.
#[test]
fn both_windows_together_are_an_envelope() {
    let mut desk = Desk::with(&format!("stabilization_up_seconds: 60, stabilization_down_seconds: 60, {NO_WAIT}"));
    desk.dynos(5);
    for (seconds, wanted) in [(0, 8), (20, 3), (40, 8), (60, 3), (80, 8)] {
        // Between 3 and 8 the 5 is stable; a naive single history would raise it in a fall.
        assert_eq!(desk.at(seconds).tick(wanted), 5, "{seconds}");
    }
    assert_eq!((desk.at(100).tick(8), desk.at(120).tick(8)), (5, 8));
}

#[test]
fn a_hold_counts_as_a_wish_for_what_there_is() {
    let mut desk = Desk::with(&format!("stabilization_down_seconds: 60, {NO_WAIT}"));
    desk.dynos(5).at(0).tick(3);
    desk.at(30).judge_all(&[None]);
    assert_eq!((desk.at(60).tick(3), desk.at(89).tick(3), desk.at(90).tick(3)), (5, 5, 3));
}

#[test]
fn a_step_is_limited_by_dynos_or_percent() {
    let mut desk = Desk::with("max_step_up: 2, max_step_down: \"50%\",");
    // Half of 9 is 4.5, which rounds up.
    assert_eq!([12, 10, 9, 6, 1].map(|wanted| desk.dynos(9).desired(wanted)), [11, 10, 9, 6, 4]);
    let said = "step: 20 wanted, and `max_step_up` allows 2 more than 9 by one decision, which gives 11";
    assert_eq!(desk.says(20), said);
    let mut never = Desk::with("max_step_down: 0,");
    assert_eq!([9, 7].map(|wanted| never.dynos(8).desired(wanted)), [9, 8]);
}

#[test]
fn a_step_within_a_period_counts_what_was_done_in_it() {
    // The larger of 4 dynos and 100 % in a minute, as the Kubernetes autoscaler has it.
    let mut desk = Desk::with(&format!("max_step_up: #{{ dynos: 4, percent: 100, per_seconds: 60 }}, {NO_WAIT}"));
    desk.dynos(2);
    // From 2: 4 more are 6. Within the minute no more; after it from 6: 6 more are 12.
    assert_eq!((desk.at(0).tick(5), desk.at(20).tick(50), desk.at(40).tick(50)), (5, 6, 6));
    // At 60 the 3 of second 0 are out: from 6 - 1 = 5, 5 more are 10.
    assert_eq!((desk.at(60).tick(50), desk.at(80).tick(50)), (10, 12));
    let mut smaller = Desk::with("max_step_up: #{ dynos: 4, percent: 100, per_seconds: 60, select: \"min\" },");
    assert_eq!(smaller.dynos(2).desired(50), 4);
    // What a person did in between is not ours to count.
    assert_eq!(smaller.dynos(30).at(10).desired(50), 34);
}

#[test]
fn each_direction_has_its_own_cooldown() {
    let mut desk = Desk::with(&format!("cooldown_down_seconds: 300, cooldown_up_seconds: 30, {NO_WAIT}"));
    desk.dynos(3);
    assert_eq!(desk.at(0).tick(5), 5);
    assert_eq!(desk.at(10).says(6), "cooldown: scaled 10 s ago; the next step up is in 20 s");
    assert_eq!(desk.at(20).says(4), "cooldown: scaled 20 s ago; the next step down is in 280 s");
    assert_eq!((desk.at(30).tick(6), desk.at(60).tick(7)), (6, 7));
    assert_eq!((desk.at(359).tick(6), desk.at(360).tick(6)), (7, 6));
}

#[test]
fn no_guard_swallows_a_bound() {
    let guards = "cooldown_up_seconds: 3600, cooldown_down_seconds: 3600, stabilization_up_seconds: 3600, \
        stabilization_down_seconds: 3600, max_step_up: 1, max_step_down: 0, tolerance: 0.9, boot_seconds: 3600, \
        max_reversals_per_hour: 0, post_scale_wait_time_seconds: 3600,";
    // From 13:00 on at least 6, from 14:00 on at most 2.
    let bounds = "min_dynos: #{ \"0:00\": 1, \"13:00\": 6, \"14:00\": 1 }, max_dynos: #{ \"0:00\": 9, \"14:00\": 2 },";
    let mut desk = Desk::of(&Draft { wide: format!("{bounds} {guards}"), ..Draft::default() });
    desk.state.scaled(desk.now(), 2, desk.spec.decide.wait, false);
    desk.state.note_change(&desk.spec.guards.clone(), noon(), (1, 2), false);
    desk.dynos(2);
    assert_eq!((desk.at(3599).tick(2), desk.at(3600).tick(2)), (2, 6));
    assert_eq!((desk.at(7199).tick(6), desk.at(7200).tick(6)), (6, 2));
    // Whoever missed the minute does it later: it is the state that counts, not the moment.
    assert_eq!(desk.dynos(7).at(9000).tick(7), 2);
}

#[test]
fn a_fallback_follows_so_many_failures() {
    let wanted_at = |fallback: &str, dynos: u32, wanted: u32| {
        let mut desk = Desk::with(&format!("fallback: {fallback},"));
        desk.dynos(dynos).failing();
        // Before the third failure the policy is followed.
        let before = [desk.desired(wanted), desk.desired(wanted)];
        assert_eq!(before, [wanted.max(dynos); 2]);
        desk.desired(wanted)
    };
    let cases = [
        ("#{ after: 3, dynos: 4 }", [(2, 2, 4), (2, 6, 6), (6, 6, 6)]),
        ("#{ dynos: 4, behavior: \"static\" }", [(2, 6, 4), (2, 2, 4), (6, 9, 6)]),
        ("#{ dynos: 4, behavior: \"at_most\" }", [(2, 9, 4), (2, 3, 3), (6, 9, 6)]),
        ("#{ dynos: \"current\" }", [(2, 6, 2), (2, 2, 2), (6, 9, 6)]),
    ];
    for (fallback, expected) in cases {
        for (dynos, wanted, then) in expected {
            assert_eq!(wanted_at(fallback, dynos, wanted), then, "{fallback} {dynos} {wanted}");
        }
    }
    let mut desk = Desk::with("fallback: #{ after: 1, dynos: 4 },");
    let said = desk.failing().says(1);
    assert_eq!(said, "fallback: the last 1 measurements failed; the fallback is at least 4 dynos");
    // It is over with the first good measurement.
    desk.measured = Measurement::good("custom", 1.into(), noon());
    assert_eq!(desk.desired(1), 1);
    // Nobody was asked, as with a scripted decision: the fallback is there all the same.
    desk.failing();
    assert_eq!(desk.judge_all(&[]).0.desired, Some(4));
}

#[test]
fn failures_alone_raise_so_far_and_no_further() {
    let mut desk = Desk::with(&format!("max_steps_up_on_failure: 2, {NO_WAIT}"));
    desk.failing();
    assert_eq!([0, 1, 2, 3].map(|step| desk.at(i64::from(step) * 30).failing().tick(step + 2)), [2, 3, 3, 3]);
    let said = "failure_steps: failed measurements alone have raised it 2 times already";
    assert_eq!(desk.says(9), said);
    desk.measured = Measurement::good("custom", 1.into(), noon());
    assert_eq!(desk.at(120).tick(4), 4);
    assert_eq!(desk.at(150).failing().tick(5), 5);
}

#[test]
fn where_the_platform_chooses_a_fall_waits_until_nothing_runs() {
    let mut desk = Desk::on_heroku("busy: || 0, busy_deadline_seconds: 600,");
    desk.dynos(5).circumstances.busy = Busy::Jobs(3);
    let said = "busy: 3 jobs are running, and the platform chooses which dyno stops; it waits until there is none";
    assert_eq!((desk.desired(2), desk.says(2)), (5, said.into()));
    desk.circumstances.busy = Busy::Unknown;
    let said = "busy: it is unknown whether jobs are running, so no dyno is stopped";
    assert_eq!((desk.at(300).desired(2), desk.says(2)), (5, said.into()));
    desk.circumstances.busy = Busy::Jobs(1);
    assert_eq!((desk.at(599).desired(2), desk.at(600).desired(2)), (5, 2));
    let said = "busy: jobs are still running after 601 s, which is longer than `busy_deadline_seconds`";
    assert_eq!(desk.at(601).says(2), said);
    // A tick that wants no fall begins the wait anew.
    assert_eq!((desk.at(630).desired(6), desk.at(660).desired(2)), (6, 5));
    desk.circumstances.busy = Busy::Jobs(0);
    assert_eq!(desk.at(690).desired(2), 2);
}

#[test]
fn elsewhere_as_many_stay_as_are_busy() {
    let mut desk = Desk::with("busy: || 0,");
    desk.dynos(5).circumstances.busy = Busy::Jobs(3);
    assert_eq!([1, 3, 4, 7].map(|wanted| desk.desired(wanted)), [3, 3, 4, 7]);
    assert_eq!(desk.says(1), "busy: 3 jobs are running; as many dynos stay");
    // More jobs than dynos raise nothing.
    desk.circumstances.busy = Busy::Jobs(9);
    assert_eq!(desk.desired(1), 5);
}

#[test]
fn nothing_is_judged_while_dynos_boot() {
    let mut desk = Desk::with(&format!("boot_seconds: 60, {NO_WAIT}"));
    assert_eq!(desk.dynos(2).at(0).tick(4), 4);
    let said = "booting: dynos may still be booting for 30 s, and nothing is judged on them";
    assert_eq!((desk.at(30).tick(9), desk.says(1)), (4, said.into()));
    // What was measured meanwhile is not looked at later either.
    assert!(desk.state.mark.unwrap() > desk.now());
    assert_eq!(desk.at(60).tick(3), 3);
    // A fall boots nothing.
    assert_eq!(desk.at(90).tick(2), 2);
}

#[test]
fn booting_dynos_that_the_platform_tells_of_are_waited_for_in_reason() {
    let mut desk = Desk::on_heroku("boot_seconds: \"learned\",");
    desk.dynos(5).booting = 2;
    let said = "booting: 2 dynos are booting, and nothing is judged meanwhile";
    assert_eq!((desk.at(0).desired(7), desk.says(3)), (5, said.into()));
    assert_eq!((desk.at(599).desired(7), desk.at(600).desired(7)), (5, 7));
    desk.booting = 0;
    assert_eq!(desk.at(630).desired(7), 7);
    desk.booting = 1;
    assert_eq!(desk.at(660).desired(7), 5);
}

#[test]
fn nothing_is_decided_during_a_release() {
    let mut desk = Desk::on_heroku("hold_during_release: true,");
    let mut at = |release| {
        desk.circumstances.release = release;
        (desk.dynos(3).desired(5), desk.says(2).split(':').next().unwrap().to_owned())
    };
    assert_eq!(at(Release::UnderWay), (3, "release".into()));
    assert_eq!(at(Release::Unknown), (3, "release".into()));
    assert_eq!(at(Release::Absent), (5, "policy".into()));
    // A bound is a bound.
    desk.circumstances.release = Release::UnderWay;
    assert_eq!(desk.dynos(1001).desired(1001), 1000);
}

#[test]
fn the_breaker_opens_after_refusals_and_tries_again() {
    let mut desk = Desk::with("circuit_breaker: #{ failures: 2, retry_seconds: 600 },");
    let fail = |desk: &mut Desk| {
        let now = desk.now();
        desk.state.scale_failed(now);
        desk.state.note_refusal(&desk.spec.guards, now);
        desk.state.back_off_until = None;
    };
    fail(&mut desk);
    assert_eq!(desk.dynos(2).at(10).desired(3), 3);
    fail(&mut desk);
    let (decision, said) = desk.at(20).judge(3);
    assert_eq!((decision.desired, decision.signals.circuit_open), (Some(2), Seen::Present));
    let expected = "the last 2 scales failed; no more dynos are asked for, the next try is in 590 s";
    assert_eq!(said, format!("circuit_breaker: {expected}"));
    // A fall is no ratchet.
    assert_eq!(desk.desired(1), 1);
    assert_eq!((desk.at(609).desired(3), desk.at(610).desired(3)), (2, 3));
    // The try fails: another 600 s.
    fail(&mut desk);
    assert_eq!((desk.at(1209).desired(3), desk.at(1210).desired(3)), (2, 3));
    desk.state.scale_settled();
    let (decision, _) = desk.at(1211).judge(3);
    assert_eq!((decision.desired, decision.signals.circuit_open), (Some(3), Seen::Absent));
}

#[test]
fn the_breaker_opens_where_new_dynos_never_come_up() {
    let breaker = "circuit_breaker: #{ up_within_seconds: 120, retry_seconds: 300 },";
    let mut desk = Desk::on_heroku(&format!("{breaker} {NO_WAIT}"));
    desk.dynos(2);
    // 2 are up, and whatever is added is not.
    let at = |seconds, wanted, desk: &mut Desk| {
        desk.circumstances.not_up = Some(desk.dynos - 2);
        desk.at(seconds).tick(wanted)
    };
    assert_eq!([(0, 3), (60, 4), (119, 5), (120, 6)].map(|(s, wanted)| at(s, wanted, &mut desk)), [3, 4, 5, 5]);
    let said = "no more than 2 dynos came up within 130 s; no more are asked for, the next try is in 290 s";
    desk.circumstances.not_up = Some(3);
    assert_eq!(desk.at(130).says(6), format!("circuit_breaker: {said}"));
    // One more is tried, and then it is as before.
    assert_eq!([(419, 6), (420, 6), (539, 7), (540, 8)].map(|(s, wanted)| at(s, wanted, &mut desk)), [5, 6, 7, 7]);
    // One that came up closes it.
    desk.circumstances.not_up = Some(4);
    assert_eq!(desk.at(550).tick(8), 8);
}

#[test]
fn when_the_flap_budget_is_spent_nothing_is_lowered() {
    let mut desk = Desk::with(&format!("max_reversals_per_hour: 2, {NO_WAIT}"));
    desk.dynos(2);
    let path = [(0, 3), (300, 2), (600, 3), (900, 2), (1200, 4), (1500, 3)];
    assert_eq!(path.map(|(seconds, wanted)| desk.at(seconds).tick(wanted)), [3, 2, 3, 3, 4, 4]);
    let said = "the direction changed 2 times within an hour; nothing is lowered until that is less";
    assert_eq!(desk.says(3), format!("reversals: {said}"));
    // The reversal of second 300 is an hour old.
    assert_eq!((desk.at(3899).tick(3), desk.at(3900).tick(3)), (4, 3));
}

#[test]
fn guards_are_off_by_default() {
    let mut desk = Desk::with("");
    let now = desk.now();
    desk.state.note_change(&desk.spec.guards.clone(), now, (1, 2), true);
    desk.circumstances = Circumstances { release: Release::UnderWay, not_up: Some(9), busy: Busy::Jobs(9) };
    desk.booting = 2;
    for wanted in [1, 7, 900] {
        assert_eq!(desk.dynos(5).desired(wanted), wanted);
    }
    let (decision, _) = desk.judge(7);
    assert_eq!((decision.decided, decision.reasons.iter().count()), (Decided::Up, 1));
}

#[test]
fn what_guards_remember_is_kept_and_an_older_state_is_read() {
    let mut desk = Desk::with(&format!(
        "stabilization_down_seconds: 300, max_reversals_per_hour: 3, circuit_breaker: true, {NO_WAIT}"
    ));
    desk.dynos(3).at(0).tick(5);
    desk.at(30).tick(4);
    let written = serde_json::to_string(&desk.state).unwrap();
    assert_eq!(serde_json::from_str::<ControlState>(&written).unwrap(), desk.state);
    // Version 1 knew nothing of guards.
    let old: ControlState = serde_json::from_str(r#"{ "v": 1, "tick": 7, "failures": 2 }"#).unwrap();
    assert_eq!((old.tick, old.failures, old.guards), (7, 2, ControlState::default().guards));
    // Without guards nothing of them is written.
    assert!(!serde_json::to_string(&ControlState::default()).unwrap().contains("guards"));
}
