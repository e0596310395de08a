//! Traces, settings and command lines that cannot be: each is said, with its line or its flag.

use std::path::Path;

use crate::harness::{Autoscaler, Said, Script};

const HEAD: &str = "seconds,rate_per_s\n";

fn simulate(folder: &Path, arguments: &[&str]) -> Said {
    let all = std::iter::once("simulate").chain(arguments.iter().copied());
    Autoscaler::new(all).folder(folder).run()
}

/// What is said of a trace with this text.
fn said_of(text: &str, more: &[&str]) -> Said {
    let script = Script::new("");
    std::fs::write(script.root().join("t.csv"), text).unwrap();
    let arguments = ["--policy", "threshold-consec", "--rate-per-dyno", "10", "--trace", "t.csv"];
    simulate(script.root(), &[&arguments[..], more].concat())
}

#[test]
fn a_bad_trace_is_an_error_with_its_line_or_a_repair_that_is_counted() {
    for (rest, line, repaired) in [
        ("0,1\n60,1\n240,1\n300,1\n", 4, Some("2 samples filled in")),
        ("0,1\n60,1\n30,1\n90,1\n", 4, Some("1 lines put in order")),
        ("0,1\n60,1\n60,2\n120,1\n", 4, Some("1 repeated times merged")),
        ("0,1\n60,-1\n120,1\n180,1\n", 3, Some("1 unusable lines left out, 1 samples filled in")),
        ("0,1\n60,nan\n120,1\n180,1\n", 3, Some("1 unusable lines left out, 1 samples filled in")),
        ("0,1\n60\n120,1\n180,1\n", 3, Some("1 unusable lines left out, 1 samples filled in")),
    ] {
        let text = format!("{HEAD}{rest}");
        let said = said_of(&text, &[]).expect(1);
        assert!(said.stderr.contains(&format!("t.csv:{line}:")), "{rest:?}: {}", said.stderr);
        assert_eq!(said.stdout, "");
        if let Some(repaired) = repaired {
            let said = said_of(&text, &["--repair"]).expect(0);
            assert!(said.stderr.contains(&format!("repaired t.csv: {repaired}")), "{rest:?}: {}", said.stderr);
        }
    }
    for (text, due) in [
        ("", "t.csv:1: the file is empty"),
        (HEAD, "no sample below the heading"),
        ("seconds,rate_per_s\n0,1\n", "one sample"),
        ("time,rate_per_s\n0,1\n", "no column `seconds`"),
    ] {
        for more in [&[][..], &["--repair"]] {
            let said = said_of(text, more).expect(1);
            assert!(said.stderr.contains(due), "{text:?}: {}", said.stderr);
        }
    }
    assert!(
        said_of("seconds\trate_per_s\n0\t1\n60\t2\n", &[])
            .expect(1)
            .stderr
            .contains("t.csv:1: the columns are separated by tabs")
    );
}

#[test]
fn what_is_not_known_of_the_app_is_asked_for() {
    let script = |simulate: &str, measure: &str| {
        Script::new(&format!(
            r#"pipeline("web", #{{ measure: {measure}, decide: |m| (), scale: #{{ current: || 1, scale_to: |n| () }}, {simulate} }});"#
        ))
    };
    let refused = |simulated: &str, measure: &str| {
        let script = script(simulated, measure);
        let path = script.path().display().to_string();
        simulate(script.root(), &[&path, "--trace", "synthetic:noise,days=1"]).expect(1).stderr
    };
    assert!(refused("", "|| 1").contains("`--rate-per-dyno`"));
    assert!(refused("simulate: #{ rate_per_dyno: 10 },", "|| 1").contains("`--signal`"));
    let wrong = refused("simulate: #{ rate_per_dyno: 0, boot_secs: 3, signal: \"load\" },", "|| 1");
    for due in ["`rate_per_dyno` is 0", "unknown setting `boot_secs` of `simulate`", "`signal` is \"load\""] {
        assert!(wrong.contains(due), "{due}: {wrong}");
    }
    assert!(
        refused("simulate: #{ rate_per_dyno: 10, service_ms: 150, signal: \"queue\" },", "|| 1")
            .contains("whole number")
    );
    let far = refused("simulate: #{ rate_per_dyno: 0.001, signal: \"queue\" },", "|| 1");
    assert!(far.contains("at most 5000 workers"), "{far}");
}

#[test]
fn a_script_is_refused_as_check_refuses_it_and_one_pipeline_is_chosen() {
    let one = |name: &str| {
        format!(
            r#"pipeline("{name}", #{{ measure: || 1, decide: |m| (), scale: #{{ current: || 1, scale_to: |n| () }},
    simulate: #{{ rate_per_dyno: 10, signal: "utilization" }} }});"#
        )
    };
    let script = Script::new(&format!("{}\n{}", one("web"), one("celery")));
    let path = script.path().display().to_string();
    let arguments = [&*path, "--trace", "synthetic:noise,days=1", "--json"];
    let said = simulate(script.root(), &arguments).expect(1);
    assert!(said.stderr.contains("web, celery: choose one with `--pipeline`"), "{}", said.stderr);
    let said = simulate(script.root(), &[&arguments[..], &["--pipeline", "celery"]].concat()).expect(0);
    assert_eq!(said.json()[0]["policy"], "celery");
    let said = simulate(script.root(), &[&arguments[..], &["--pipeline", "mail"]].concat()).expect(1);
    assert!(said.stderr.contains("has no pipeline `mail`"), "{}", said.stderr);
    let broken = Script::new("pipeline(\"web\", #{ measure: || 1 });");
    let path = broken.path().display().to_string();
    let said = simulate(broken.root(), &[&path, "--trace", "synthetic:noise"]).expect(1);
    assert!(said.stderr.contains("needs the setting `decide`"), "{}", said.stderr);
}

#[test]
fn wrong_usage_is_told_from_failure() {
    let script = Script::new("");
    let noise = ["--trace", "synthetic:noise,days=1"];
    for (arguments, due) in [
        (&["--policy", "hpa"][..], "--trace"),
        (&["--trace", "synthetic:noise"], "name a script, or policies"),
        (&["--policy", "hpaa", "--preset", "bar", noise[0], noise[1]], "did you mean `hpa`"),
        (&["--policy", "hpa", "--faults", "mising:1%", noise[0], noise[1]], "did you mean `missing`"),
        (&["--policy", "hpa", "--preset", "bar", "--boot-seconds=-1", noise[0], noise[1]], "`--boot-seconds` is -1"),
        (&["--policy", "hpa", "--preset", "bar", "--days=-1", noise[0], noise[1]], "`--days` must not be negative"),
        (&["--policy", "hpa", "--signal", "load", noise[0], noise[1]], "arrival_rate"),
    ] {
        let said = simulate(script.root(), arguments).expect(2);
        assert!(said.stderr.contains(due), "{arguments:?}: {}", said.stderr);
    }
    for (arguments, due) in [
        (["--policy", "hpa", "--preset", "bar", "--trace", "synthetic:wave"], "no synthetic load `wave`"),
        (["--policy", "hpa", "--preset", "bar", "--trace", "nowhere.csv"], "nowhere.csv cannot be read"),
        (["--policy", "hpa", "--preset", "bar", "--trace", "synthetic:noise,days=1"], "the first 2 are not scored"),
    ] {
        let said = simulate(script.root(), &arguments).expect(1);
        assert!(said.stderr.contains(due), "{arguments:?}: {}", said.stderr);
    }
}
