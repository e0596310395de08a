//! Guards in a pipeline at work: what they ask about, what is written of them, and what it costs.

use autoscaler::pipeline::{EventKind, Failure, Outcome, Phase};
use autoscaler::world::{ScaleError, ScaleErrorKind};
use serde_json::json;

use super::bench::{App, Draft, declared, specs};

const HEROKU: &str = r#"scale::heroku(#{ app_name: "shop", api_key: "0123-4567" })"#;

/// A pipeline that wants what is measured.
async fn wanting(wide: &str) -> App {
    let wide = format!("max_dynos: 100, post_scale_wait_time_seconds: 0, {wide}");
    Draft { decide: "|m| to(m.value)".into(), scale: HEROKU.into(), wide, ..Draft::default() }.open().await
}

fn refused() -> ScaleError {
    ScaleError { kind: ScaleErrorKind::Refused, message: "no".into() }
}

#[tokio::test]
async fn work_is_asked_about_only_before_a_fall() {
    let mut app = wanting("busy: || 0,").await;
    let busy = |app: &App, jobs: f64| app.pretend.sources.feed("web.busy", Ok(jobs.into()));
    // Nothing of what is fed for the work is taken by ticks that want no fall.
    busy(&app, 2.0);
    app.feed([3.0, 5.0, 5.0]).await;
    let record = app.feed([2.0]).await;
    assert_eq!((app.dynos(), record.reasons[1].guard.as_ref()), (5, "busy"));
    busy(&app, 0.0);
    app.feed([2.0]).await;
    assert_eq!(app.dynos(), 2);
    // Unknown work is work.
    app.pretend.sources.feed("web.busy", Err(Failure::not_load("redis is gone")));
    let record = app.feed([1.0]).await;
    assert_eq!(app.dynos(), 2);
    assert_eq!(record.error.as_deref(), Some("the work that runs is unknown: redis is gone"));
}

#[tokio::test]
async fn work_is_asked_about_when_a_count_moved_into_a_fall() {
    let mut app = wanting("busy: || 0,").await;
    app.feed([3.0]).await;
    // Wanted are 5, and a person made it 9 just before the scale.
    app.platform().lock().unwrap().moves = Some(9);
    app.pretend.sources.feed("web.busy", Ok(1.into()));
    let record = app.feed([5.0]).await;
    assert_eq!((app.dynos(), record.dynos.current, record.outcome), (9, Some(9), Outcome::None));
    assert_eq!(record.reasons[1].guard, "busy");
}

#[tokio::test]
async fn learned_boots_are_recorded_and_what_was_measured_meanwhile_is_not_judged() {
    let thresholds = "decide::consecutive_threshold(#{ number_of_fails_to_scale_up_after: 2 })";
    let wide = "max_dynos: 9, post_scale_wait_time_seconds: 0, boot_seconds: \"learned\"".into();
    let draft = Draft { decide: thresholds.into(), scale: HEROKU.into(), wide, ..Draft::default() };
    let mut app = draft.open().await;
    app.feed([1300.0, 1300.0]).await;
    assert_eq!(app.dynos(), 2);
    app.platform().lock().unwrap().booting = 1;
    let record = app.feed([1300.0, 1300.0, 1300.0]).await;
    assert_eq!((app.dynos(), record.dynos.booting), (2, 1));
    app.platform().lock().unwrap().booting = 0;
    // Two more are needed: the three from before say nothing.
    app.feed([1300.0]).await;
    assert_eq!(app.dynos(), 2);
    app.feed([1300.0]).await;
    assert_eq!(app.dynos(), 3);
}

#[tokio::test]
async fn a_release_holds_and_so_does_not_knowing() {
    let mut app = wanting("hold_during_release: true,").await;
    app.platform().lock().unwrap().releasing = true;
    assert_eq!(app.feed([3.0]).await.reasons[0].guard, "release");
    app.platform().lock().unwrap().releasing = false;
    app.platform().lock().unwrap().silent = Some(refused());
    let record = app.feed([3.0]).await;
    assert_eq!(record.reasons[0].text, "it is unknown whether a release is under way, so nothing is decided");
    assert_eq!(record.error.as_deref(), Some("what the platform is doing is unknown: no"));
    app.platform().lock().unwrap().silent = None;
    app.feed([3.0]).await;
    assert_eq!(app.dynos(), 3);
}

#[tokio::test]
async fn an_open_breaker_is_told_once_and_its_end_too() {
    let mut app = wanting("circuit_breaker: #{ failures: 3, retry_seconds: 900 },").await;
    app.platform().lock().unwrap().scales = (0..4).map(|_| Some(refused())).collect();
    for _ in 0..10 {
        app.feed([4.0]).await;
    }
    let told = |app: &App| {
        let open = app.events.iter().filter(|event| event.kind == EventKind::CircuitOpen);
        open.map(|event| (event.phase, event.message.clone())).collect::<Vec<_>>()
    };
    // Three were tried: the fourth waits.
    assert_eq!(app.platform().lock().unwrap().asked.len(), 3);
    let said = "No more dynos are asked for: the last 3 scales failed; no more dynos are asked for, the next try is in";
    assert_eq!(told(&app).len(), 1);
    assert!(told(&app)[0].1.starts_with(said), "{:?}", told(&app));
    // After 900 s the fourth, which is refused like the others; then the fifth, which is not.
    for _ in 0..60 {
        app.feed([4.0]).await;
    }
    let asked = app.platform().lock().unwrap().asked.len();
    assert_eq!((asked, app.dynos()), (5, 4));
    for _ in 0..12 {
        app.feed([4.0]).await;
    }
    let phases: Vec<Phase> = told(&app).into_iter().map(|(phase, _)| phase).collect();
    assert_eq!((phases[0], phases.last()), (Phase::Begin, Some(&Phase::End)));
}

#[tokio::test]
async fn what_guards_remember_outlives_a_restart() {
    let mut app = wanting("stabilization_down_seconds: 300, max_step_up: #{ dynos: 2, per_seconds: 3600 },").await;
    app.feed([9.0]).await;
    let (spec, pretend, now) = (app.pipeline.spec().clone(), app.pretend.clone(), app.now);
    let mut again = App::open(spec, &pretend).await;
    again.now = now;
    assert_eq!(again.feed([9.0]).await.reasons[1].guard, "step");
    assert_eq!(again.feed([1.0]).await.reasons[1].guard, "stabilization");
}

#[test]
fn settings_of_guards_are_read_and_wrong_ones_are_named() {
    let spec = specs(&Draft { wide: "max_step_up: \"25 %\", boot_seconds: 0,".into(), ..Draft::default() }.text());
    assert_eq!(spec[0].guards.max_step_up.unwrap().percent, Some(25.0));
    for (wide, expected) in [
        ("tolerance: 1,", "`tolerance` is 1, and must be at least 0 and below 1"),
        ("tolerance: -0.1,", "`tolerance` is -0.1, and must be at least 0"),
        ("stabilization_up_seconds: 90000,", "which is more than a day"),
        ("max_step_up: \"half\",", "`max_step_up` is \"half\", and must be a whole number of dynos"),
        ("max_step_up: [],", "`max_step_up` takes a whole number of dynos"),
        ("max_step_up: #{ per_seconds: 60 },", "`max_step_up` needs `dynos` or `percent`"),
        ("max_step_up: #{ percents: 60 },", "unknown setting `percents` of `max_step_up`"),
        ("max_step_down: -1,", "`max_step_down` is -1, and must be between 0 and"),
        ("fallback: 4,", "`fallback` takes a map such as"),
        ("fallback: #{ after: 3 },", "`fallback` needs `dynos`"),
        ("fallback: #{ dynos: \"current\", behavior: \"static\" },", "contradict each other"),
        ("fallback: #{ dynos: 4, behavior: \"as_is\" },", "`behavior` is \"as_is\""),
        ("busy: 3,", "`busy` takes a backend"),
        ("busy_deadline_seconds: 3,", "is of no use without `busy`"),
        ("boot_seconds: \"learnt\",", "`boot_seconds` takes a number of seconds, or \"learned\""),
        ("boot_seconds: \"learned\",", "needs a platform that tells, such as `scale::heroku`"),
        ("hold_during_release: true,", "needs a platform that tells, such as `scale::heroku`"),
        ("circuit_breaker: 3,", "`circuit_breaker` takes `true`, `false`, or a map"),
        ("max_reversals_per_hour: 13,", "must be between 0 and 12"),
        ("max_dynos: #{ \"2026-12-24\": 3 },", "the table of `max_dynos` says nothing of all other days"),
        ("max_dynos: #{ \"0:00\": 3, \"mon 9:00\": 3, \"mon-fri 9:00\": 3 },", "are the same time"),
        ("max_dynos: #{ \"0:00\": 3, \"* * * * * for 1h\": 3 },", "`* * * * * for 1h` in `max_dynos` opens 1440 times"),
        (
            "min_dynos: 2, max_dynos: #{ \"0:00\": 3, \"sat\": 1 },",
            "`min_dynos` is 2, above `max_dynos`, 1 on Saturdays at 0:00",
        ),
    ] {
        let said = declared(&Draft { wide: wide.into(), ..Draft::default() }.text()).report.to_string();
        assert!(said.contains(expected), "{wide}: {said}");
    }
}

#[test]
fn a_guard_in_both_places_is_an_error() {
    let draft = Draft {
        decide: "decide::consecutive_threshold(#{ tolerance: 0.2 })".into(),
        wide: "tolerance: 0.1,".into(),
        ..Draft::default()
    };
    let said = declared(&draft.text()).report.to_string();
    assert!(said.contains("`tolerance` stands both in the pipeline and in its `decide`"), "{said}");
    let inside = Draft::deciding("decide::consecutive_threshold(#{ busy: || 2, max_step_down: 1 })").spec();
    assert_eq!((inside.guards.busy.is_some(), inside.guards.max_step_down.unwrap().dynos), (true, Some(1)));
}

#[test]
fn a_plain_hold_allocates_nothing() {
    use autoscaler::decide::Proposal;
    use autoscaler::pipeline::controller::decide;
    use autoscaler::pipeline::{Circumstances, ControlState, Measurement, Observation, Proposed};
    use autoscaler::world::Supply;
    let every_guard = "tolerance: 0.1, stabilization_up_seconds: 60, stabilization_down_seconds: 300, \
        max_step_up: #{ dynos: 4, percent: 100, per_seconds: 60 }, max_step_down: 1, cooldown_up_seconds: 30, \
        cooldown_down_seconds: 30, fallback: #{ dynos: 4 }, max_steps_up_on_failure: 2, busy: || 0, \
        boot_seconds: 60, circuit_breaker: true, max_reversals_per_hour: 3, \
        max_dynos: #{ \"0:00\": 3, \"mon-fri 9:00\": 9, \"0 9 * * 1-5 for 8h\": 8 },";
    for wide in ["", every_guard] {
        let spec = Draft { wide: wide.into(), ..Draft::default() }.spec();
        let now = super::bench::noon();
        let measurements = [Measurement::good("custom", json!(812.5), now)];
        let proposal = Proposal { dynos: None, text: "within 400 and 1200".into() };
        let proposals = [Proposed { name: "decision".into(), proposal }];
        let supply = Supply { dynos: 2, booting: 0, limit: None, read_at: now };
        let circumstances = Circumstances::default();
        let observation = Observation {
            levers: autoscaler::levers::ActiveLevers::default(),
            measurements: &measurements,
            dynos: Ok(supply),
            proposals: &proposals,
            room: None,
            circumstances,
        };
        let mut state = ControlState::default();
        let counted = allocation_counter::measure(|| {
            for step in 0..100 {
                let (decision, after) =
                    decide(&spec, &state, &observation, now + chrono::TimeDelta::seconds(step * 30));
                assert_eq!(decision.desired, Some(2));
                state = after;
            }
        });
        assert_eq!(counted.count_total, 0, "{wide}");
    }
}
