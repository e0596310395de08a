//! The policies by name: each decides on a load that rises and falls, at every value that is swept, and serves it
//! about as well as its family does; what cannot be is said at its place.

use autoscaler::simulate::{NAMED, Named, Run};

use super::bench::{candidate, minutes, simulated_as};
use crate::harness::{Autoscaler, Script};

/// `policy` at this value of its parameter, with dynos of 10 requests/s that boot for 60 s, on four hours that rise from 50 to 200 requests/s
/// and fall again.
fn run_of(policy: &Named, value: &str) -> Run {
    let text = policy.script(value, 60);
    let candidate = candidate(&text.replace("simulate: #{", "simulate: #{ rate_per_dyno: 10, "), policy.name);
    let rates: Vec<f64> =
        (0..240).map(|minute| 125.0 - 75.0 * (f64::from(minute) / 240.0 * std::f64::consts::TAU).cos()).collect();
    simulated_as(&candidate, &minutes(&rates))
}

#[test]
fn every_policy_serves_a_wave_and_no_decision_of_it_goes_wrong() {
    for policy in NAMED {
        let run = run_of(policy, policy.sweep.default);
        assert_eq!(run.wrong, None, "{}", policy.name);
        let scores = run.scores;
        assert!(run.scalings.len() > 4, "{}: {} scales", policy.name, run.scalings.len());
        assert!((0.9..2.2).contains(&scores.cost_ratio), "{}: cost {}", policy.name, scores.cost_ratio);
        // The policies of the literature have no reserve.
        let most = if matches!(policy.name, "react" | "reg" | "adapt") { 60.0 } else { 12.0 };
        assert!(scores.late_percent < most, "{}: {} % late", policy.name, scores.late_percent);
    }
}

#[test]
fn the_first_value_that_is_swept_has_the_most_dynos() {
    // The policies with few ticks; what is swept is written into all scripts in the same way.
    for policy in NAMED.iter().filter(|policy| policy.name != "kpa") {
        let values = policy.sweep.values;
        let (first, last) = (run_of(policy, values[0]), run_of(policy, values[values.len() - 1]));
        assert_eq!((first.wrong, last.wrong), (None, None), "{}", policy.name);
        let (most, fewest) = (first.scores.dyno_hours, last.scores.dyno_hours);
        assert!(most > 1.05 * fewest, "{}: {most} dyno hours, and {fewest}", policy.name);
    }
}

#[test]
fn a_backlog_while_dynos_boot_is_asked_for_again_by_kpa_and_not_by_erlang() {
    // 50 requests/s that become 150 at once, with dynos that boot for five minutes.
    let rates: Vec<f64> = (0..60).map(|minute| if minute < 20 { 50.0 } else { 150.0 }).collect();
    let highest = |name: &str| {
        let policy = NAMED.iter().find(|policy| policy.name == name).unwrap();
        let text = policy.script(policy.sweep.default, 300);
        let simulate = "simulate: #{ rate_per_dyno: 10, boot_seconds: 300, ";
        let run = simulated_as(&candidate(&text.replace("simulate: #{", simulate), name), &minutes(&rates));
        run.scalings.iter().map(|scaling| scaling.to).max().unwrap()
    };
    let (kpa, erlang) = (highest("kpa"), highest("erlang"));
    assert!(kpa >= 2 * erlang, "kpa: {kpa}, erlang: {erlang}");
}

#[test]
fn what_a_policy_does_not_take_is_told_once_at_its_place() {
    for (module, settings, said) in [
        ("kpa", "#{ target_percent: 0 }", "`target_percent` of `kpa::policy` must be above 0"),
        ("kpa", "#{ max_scale_down_rate: 1 }", "`max_scale_down_rate` of `kpa::policy` must be above 1"),
        ("target_tracking", "#{ min_dynos: 2 }", "`target_tracking::policy` needs the setting `target`"),
        ("target_tracking", "#{ target: \"70\" }", "`target` of `target_tracking::policy` takes a number"),
        ("erlang", "#{ rate_per_dyno: 10, margin: 20 }", "did you mean `margin_percent`"),
        ("seasonal", "#{ rate_per_dyno: 10, slot_minutes: 7 }", "`slot_minutes` of `seasonal::policy` is 5, 6, 10"),
        ("queue_time", "#{ up_ms: 10 }", "`down_ms` of `queue_time::policy` must be below `up_ms`"),
        ("schedule", "#{ times: #{ \"25:00\": 2 } }", "takes times such as \"7:30\", not \"25:00\""),
        ("hpa", "#{ up_select: \"most\" }", "`up_select` of `hpa::policy` is \"max\", \"min\" or \"disabled\""),
        ("backlog_per_dyno", "#{ wait_seconds: 60 }", "needs the setting `rate_per_dyno`"),
    ] {
        let script = Script::new(&format!(
            "import \"std/policy/{module}\" as {module};\npipeline(\"web\", #{{\n    measure: || 1,\n    decide: \
             {module}::policy({settings}),\n    scale: #{{ current: || 1, scale_to: |n| () }},\n}});\n"
        ));
        let path = script.path();
        let told = Autoscaler::new(["check", path.to_str().unwrap()]).run();
        let text = format!("{}{}", told.stdout, told.stderr);
        assert!(text.contains(said) && text.contains(":4:"), "{module} {settings}: {text}");
        assert!(text.contains("1 error in"), "{module} {settings}: {text}");
    }
}
