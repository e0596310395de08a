//! `autoscaler simulate` as built: its array and its table, presets, policies by name, flags.

use std::fmt::Write;
use std::path::Path;

use serde_json::Value as Json;

use crate::harness::{Autoscaler, Said, Script};

/// Half a day that rises and falls, a minute apart.
fn trace(script: &Script) -> String {
    let path = script.root().join("load.csv");
    let rate = |minute: u32| 60.0 - 50.0 * (f64::from(minute) / 720.0 * std::f64::consts::TAU).cos();
    let mut text = "seconds,rate_per_s\n".to_owned();
    for minute in 0..=720 {
        writeln!(text, "{},{:.3}", minute * 60, rate(minute)).unwrap();
    }
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

const WEB: &str = r#"
pipeline("web", #{
    measure: || 0,
    decide: decide::consecutive_threshold(#{ min_measurement_value: 0.5, max_measurement_value: 0.75, max_dynos: 30 }),
    scale: #{ current: || 1, scale_to: |n| () },
    simulate: #{ rate_per_dyno: 10, boot_seconds: 30, signal: "utilization" },
});
"#;

fn simulate(folder: &Path, arguments: &[&str]) -> Said {
    let all = std::iter::once("simulate").chain(arguments.iter().copied());
    Autoscaler::new(all).folder(folder).run()
}

/// Without what the clock of the machine says.
fn timeless(said: &Said) -> Json {
    let mut runs = said.json();
    for run in runs.as_array_mut().unwrap() {
        assert!(run["wall_seconds"].as_f64().unwrap() > 0.0);
        run["wall_seconds"] = Json::Null;
    }
    runs
}

#[test]
fn json_is_the_documented_array_and_a_seed_decides_it() {
    let script = Script::new(WEB);
    let (path, trace) = (script.path().display().to_string(), trace(&script));
    let run = |seed: &str| {
        let said = simulate(script.root(), &[&path, "--trace", &trace, "--json", "--seed", seed]).expect(0);
        assert_eq!(said.stderr, "");
        timeless(&said)
    };
    let runs = run("5");
    let [one] = &runs.as_array().unwrap()[..] else { panic!("{runs}") };
    let keys: Vec<&str> = one.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "trace",
            "policy",
            "theta_u",
            "theta_o",
            "tau_u",
            "tau_o",
            "instability",
            "late_percent",
            "dropped_percent",
            "wait_ms",
            "cost_ratio",
            "dyno_hours",
            "scalings_per_day",
            "reversals",
            "seconds_simulated",
            "ticks",
            "wall_seconds"
        ]
    );
    let percentiles: Vec<&str> = one["wait_ms"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(percentiles, ["p50", "p95", "p99"]);
    assert_eq!((&one["trace"], &one["policy"]), (&Json::from(trace.as_str()), &Json::from("web")));
    assert_eq!((&one["seconds_simulated"], &one["ticks"]), (&Json::from(43_200), &Json::from(1_439)));
    assert!(one["scalings_per_day"].as_f64().unwrap() > 10.0 && one["cost_ratio"].as_f64().unwrap() > 1.0, "{one}");
    assert_eq!(runs, run("5"));
    assert_ne!(runs, run("6"));
}

#[test]
fn named_policies_run_side_by_side_in_the_preset() {
    let script = Script::new("");
    let trace = trace(&script);
    let policies = "threshold-consec,threshold-avg5m,hpa";
    let arguments = ["--preset", "bar", "--policy", policies, "--trace", &trace, "--warmup-days", "0.1", "--json"];
    let runs = simulate(script.root(), &arguments).expect(0).json();
    let names: Vec<&str> = runs.as_array().unwrap().iter().map(|run| run["policy"].as_str().unwrap()).collect();
    assert_eq!(names, ["threshold-consec", "threshold-avg5m", "hpa"]);
    for run in runs.as_array().unwrap() {
        // A trace of at most 25 dynos' worth, by policies that aim at 70 %.
        let (cost, late) = (run["cost_ratio"].as_f64().unwrap(), run["late_percent"].as_f64().unwrap());
        assert!((1.1..1.8).contains(&cost) && late < 20.0, "{run}");
    }
    assert_eq!(runs[2]["ticks"], 43_200 / 15 - 1);
    let priced = [&arguments[..], &["--dyno-price-per-month", "73"]].concat();
    let run = &simulate(script.root(), &priced).expect(0).json()[0];
    let money = run["dyno_hours"].as_f64().unwrap() * 0.1;
    assert!((run["money"].as_f64().unwrap() - money).abs() < 1e-9);
}

#[test]
fn the_preset_and_flags_win_over_the_script() {
    let script = Script::new(WEB);
    let (path, trace) = (script.path().display().to_string(), trace(&script));
    let late = |more: &[&str]| {
        let arguments = [&[&path, "--trace", &trace, "--json"], more].concat();
        simulate(script.root(), &arguments).expect(0).json()[0].clone()
    };
    let (own, slower, bar) =
        (late(&[]), late(&["--boot-seconds", "600"]), late(&["--preset", "bar", "--warmup-days", "0"]));
    assert!(slower["theta_u"].as_f64() > own["theta_u"].as_f64(), "{own} {slower}");
    assert!(bar["dyno_hours"].as_f64().unwrap() > 1.5 * own["dyno_hours"].as_f64().unwrap(), "{own} {bar}");
    let short = late(&["--days", "0.25"]);
    assert_eq!(short["seconds_simulated"], 21_600);
}

#[test]
fn people_get_a_table_and_synthetic_loads_need_no_file() {
    let script = Script::new("");
    let said = simulate(
        script.root(),
        &["--policy", "threshold-consec", "--rate-per-dyno", "10", "--trace", "synthetic:spike,seed=2,days=1"],
    )
    .expect(0);
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert!(lines[0].starts_with("synthetic:spike,seed=2,days=1 1.0 days"), "{}", said.stdout);
    assert!(lines[1].contains("late %") && lines[1].contains("θU %"), "{}", said.stdout);
    assert!(lines[2].trim_start().starts_with("threshold-consec"), "{}", said.stdout);
    assert_eq!(said.stderr, "");
}

#[test]
fn a_policy_whose_every_decision_goes_wrong_is_a_failure_and_one_that_goes_wrong_at_times_is_a_warning() {
    let script = Script::new("");
    let load = trace(&script);
    let with = |decide: &str| {
        let at = WEB.find("decide:").unwrap()..WEB.find("    scale:").unwrap();
        let mut text = WEB.to_owned();
        text.replace_range(at, &format!("decide: {decide},\n"));
        std::fs::write(script.path(), text).unwrap();
        simulate(script.root(), &[&script.path().display().to_string(), "--trace", &load, "--json"])
    };
    let always = with(r#"|m| if m.now.year > 1000 { throw "boom" } else { to(2) }"#).expect(1);
    assert!(always.stderr.contains("decisions of `web` went wrong; the first: ") && always.stderr.contains("boom"));
    assert_eq!(always.json()[0]["policy"], "web", "the scores are there all the same");
    let sometimes = with(r#"|m| if m.now.minute == 7 { throw "boom" } else { to(20) }"#).expect(0);
    assert!(sometimes.stderr.contains("decisions of `web` went wrong"), "{}", sometimes.stderr);
}
