//! The very same script: its bounds by the clock, its waits and guards, its zone and its memory hold in a
//! simulation, and a seed decides everything.

use autoscaler::simulate::{Scaling, Setting, Trace};

use super::bench::{minutes, simulated, spec, steady, web};

fn steps(scalings: &[Scaling]) -> Vec<(u64, u32, u32)> {
    scalings.iter().map(|scaling| (scaling.second, scaling.from, scaling.to)).collect()
}

#[test]
fn bounds_by_time_of_day_hold_on_the_virtual_clock() {
    let script = web(
        "decide: |m| (), simulate: #{ rate_per_dyno: 10, signal: \"utilization\" }, time_zone: \"America/Vancouver\",",
    )
    .replace("min_dynos: 1", "min_dynos: #{ \"0:00\": 2, \"9:00\": 5, \"17:30\": 2 }")
    .replace("max_dynos: 40", "max_dynos: #{ \"0:00\": 2, \"9:00\": 5, \"17:30\": 2 }");
    // Without a date a trace begins at midnight of the pipeline's zone.
    let run = simulated(&script, &steady(10.0, 24 * 60));
    assert_eq!(steps(&run.scalings), [(9 * 3600, 2, 5), (17 * 3600 + 1800, 5, 2)]);
    // One of a calendar where it says: at 16:00 UTC of a winter's day, 8:00 in Vancouver.
    let of_calendar = |setting: Setting| {
        let trace = Trace { first: 1_767_628_800.0, ..Trace::clone(&setting.trace) };
        Setting { trace: trace.into(), ..setting }
    };
    let run = simulated(&script, &of_calendar(steady(10.0, 120)));
    assert_eq!(steps(&run.scalings), [(3600, 2, 5)]);
}

#[test]
fn waits_increments_and_runs_are_those_of_production() {
    let script = web(r#"decide: decide::consecutive_threshold(#{
        min_measurement_value: 0.5, max_measurement_value: 0.75, increment: 2, post_scale_wait_time_seconds: 120,
    }),
    simulate: #{ rate_per_dyno: 10, signal: "utilization", boot_seconds: 0 },"#);
    // Twice the load from the tenth minute on: three ticks above, two dynos more, 120 s of silence, three ticks.
    let mut rates = vec![20.0; 10];
    rates.extend(vec![90.0; 12]);
    let run = simulated(&script, &minutes(&rates));
    let first = run.scalings[0].clone();
    assert_eq!((first.from, first.to), (3, 5));
    assert!(first.reason.contains("the last 3 of 3 above 0.75"), "{}", first.reason);
    let seconds: Vec<u64> = run.scalings.iter().map(|scaling| scaling.second - first.second).collect();
    assert_eq!(seconds[..3], [0, 180, 360]);
}

#[test]
fn memory_is_kept_from_tick_to_tick_and_booting_dynos_are_told() {
    let script = web(r#"decide: decide::custom(#{ memory: #{ n: 0 } }, |m| {
        this.n += 1;
        if this.n == 2 { to(6).because(`tick ${this.n}`) } else if m.booting > 0 { hold("it boots") } else if this.n > 4 { to(2) }
    }),
    simulate: #{ rate_per_dyno: 10, signal: "utilization", boot_seconds: 75 },"#);
    let run = simulated(&script, &steady(10.0, 10));
    // Asked for at 60 s, ready at 135 s: the tick at 150 s is the first that sees none booting.
    assert_eq!(steps(&run.scalings), [(60, 2, 6), (150, 6, 2)]);
    assert!(run.scalings[0].reason.contains("tick 2"));
    assert_eq!(run.ticks, 19);
    let ready: Vec<u32> = run.series.iter().map(|point| point.ready).collect();
    let all: Vec<u32> = run.series.iter().map(|point| point.all).collect();
    assert_eq!((&ready[..3], &all[..3]), (&[2, 2, 2][..], &[2, 6, 2][..]));
}

#[test]
fn a_seed_decides_everything() {
    let script =
        web(r#"decide: decide::consecutive_threshold(#{ min_measurement_value: 0.5, max_measurement_value: 0.75 }),
    simulate: #{ rate_per_dyno: 10, signal: "utilization" },"#);
    let rates: Vec<f64> = (0..240).map(|minute| 50.0 + 40.0 * (f64::from(minute) / 20.0).sin()).collect();
    let with = |seed| {
        let run = simulated(&script, &Setting { seed, ..minutes(&rates) });
        (format!("{:?}", run.scores), run.scalings, run.series)
    };
    assert_eq!(with(7), with(7));
    assert_ne!(with(7).2, with(8).2);
}

#[test]
fn the_warm_up_counts_nowhere_and_paused_pipelines_hold() {
    let mut rates = vec![200.0; 30];
    rates.extend(vec![10.0; 30]);
    let script = web("decide: |m| (), simulate: #{ rate_per_dyno: 10, signal: \"utilization\" }, max_dynos: 2,")
        .replace("    max_dynos: 40,\n", "");
    let all = simulated(&script, &minutes(&rates));
    let late = simulated(&script, &Setting { warmup: 32 * 60, ..minutes(&rates) });
    assert!(all.scores.late_percent > 80.0 && late.scores.late_percent < 5.0, "{:?} {:?}", all.scores, late.scores);
    let paused = web("decide: |m| to(9), mode: \"paused\", simulate: #{ rate_per_dyno: 10, signal: \"utilization\" },");
    assert!(simulated(&paused, &steady(10.0, 10)).scalings.is_empty());
    let dry = web("decide: |m| to(9), mode: \"dry_run\", simulate: #{ rate_per_dyno: 10, signal: \"utilization\" },");
    assert_eq!(simulated(&dry, &steady(10.0, 10)).scalings.len(), 1);
}

#[test]
fn nothing_outside_is_reached_and_a_decision_that_fails_is_counted() {
    let script = web("decide: |m| m.value.nothing, simulate: #{ rate_per_dyno: 10, signal: \"utilization\" },");
    let run = simulated(&script, &steady(10.0, 5));
    let (ticks, said) = run.wrong.unwrap();
    assert_eq!((ticks, run.ticks), (9, 9));
    assert!(said.contains("test.rhai"), "{said}");
    assert!(spec(&script).simulate.is_some());
}
