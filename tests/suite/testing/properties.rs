//! The search for what no policy should do finds a planted fault of each kind, prints a test that fails, and finds
//! nothing in the example scripts.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use autoscaler::testing::properties::{Property, Searched, search};

use super::bench::{suite, verdicts};
use crate::harness::{Autoscaler, Script};

/// A pipeline that decides like this.
fn web(decide: &str, more: &str) -> String {
    format!(
        r#"pipeline("web", #{{
    measure: || 1,
    decide: {decide},
    scale: #{{ current: || 1, scale_to: |n| () }},
    max_dynos: 10,
    post_scale_wait_time_seconds: 0,
    {more}
}});
"#
    )
}

fn searched(script: &str, properties: &[Property], seed: u64) -> Searched {
    let until = Instant::now() + Duration::from_secs(3600);
    search(&suite(script, None).specs[0], properties, seed, until, &AtomicU64::new(0))
}

/// Fails unless exactly `property` is found to be violated, with a test that fails where it is pasted, and passes
/// once `decide` is as it is in `mended`.
#[track_caller]
fn found(property: Property, script: &str, mended: &str) -> Searched {
    let searched = searched(script, &[property], 1);
    let [finding] = &searched.findings[..] else { panic!("{searched:?}") };
    assert_eq!(finding.property, property);
    let verdict = |script: &str| verdicts(&format!("{script}\n{}", finding.test)).remove(0).fault;
    let fault = verdict(script).unwrap_or_else(|| panic!("it passes:\n{}", finding.test));
    assert!(fault.message.contains("turns") || fault.message.contains("dynos") || fault.message.contains("operations"));
    assert_eq!(verdict(mended), None, "{}", finding.test);
    let rest = self::searched(mended, &Property::ALL, 1);
    assert_eq!(rest.findings, [], "the mended one");
    searched
}

const UTILIZATION: &str = r#"simulate: #{ rate_per_dyno: 10, signal: "utilization" },"#;

#[test]
fn thresholds_too_near_to_each_other_never_rest() {
    let decide = |low: &str| {
        web(&format!("|m| if m.value > 0.7 {{ up(1) }} else if m.value < {low} {{ down(1) }}"), UTILIZATION)
    };
    let searched = found(Property::ConstantLoad, &decide("0.6"), &decide("0.3"));
    let said = &searched.findings[0].said;
    assert!(said.starts_with("under a load of ") && said.contains(" shared by the dynos it scales up"), "{said}");
    assert!(said.ends_with(" turns within 4 ticks"), "{said}");
}

#[test]
fn a_count_that_answers_itself_never_rests() {
    let bad = web("|m| if m.value > 50 && m.dynos < 3 { to(3) } else if m.value > 50 { to(2) }", "");
    let searched = found(Property::ConstantLoad, &bad, &web("|m| if m.value > 50 { to(3) } else { to(1) }", ""));
    assert!(searched.notes.iter().any(|note| note.contains("what is measured is not said")), "{:?}", searched.notes);
}

#[test]
fn branches_in_the_wrong_order_give_fewer_for_more() {
    let bad = web("|m| if m.value > 500 { to(3) } else if m.value > 100 { to(5) } else { to(1) }", "");
    let good = web("|m| if m.value > 500 { to(5) } else if m.value > 100 { to(3) } else { to(1) }", "");
    let searched = found(Property::MoreLoad, &bad, &good);
    let finding = &searched.findings[0];
    assert!(finding.said.starts_with("after 1 tick of ") && finding.said.ends_with(" 5"), "{}", finding.said);
    assert!(finding.test.contains("for tick in 0..1 { more.feed("), "{}", finding.test);
}

#[test]
fn a_missing_value_that_counts_as_none_takes_dynos_away() {
    let decide = |missing: &str| {
        web(
            &format!(
                "|m| {{ let sum = 0.0; for one in m.past {{ sum += one.value ?? {missing}; }} \
                 let mean = sum / m.past.len; if mean > 500 {{ up(1) }} else if mean < 100 {{ down(1) }} }}"
            ),
            "history_length: 3, keep_history: true,",
        )
    };
    let searched = found(Property::MissingValue, &decide("0.0"), &decide("300.0"));
    assert!(searched.findings[0].said.contains("missing it scales down"), "{}", searched.findings[0].said);
}

#[test]
fn an_entry_that_is_missing_takes_dynos_away() {
    let signals = r#"simulate: #{ rate_per_dyno: 10, signals: #{ rate: "arrival_rate", latency: "response_time" } },"#;
    let decide = |missing: &str| {
        web(
            &format!(
                "|m| {{ let rate = m.data.rate ?? {missing}; if rate > 500 {{ up(1) }} else if rate < 100 {{ down(1) }} }}"
            ),
            signals,
        )
    };
    let searched = found(Property::MissingValue, &decide("0"), &decide("300"));
    assert!(searched.findings[0].test.contains("p.feed(#{ rate: (), latency: "), "{}", searched.findings[0].test);
}

#[test]
fn a_loop_as_long_as_what_is_measured_uses_up_its_operations() {
    let bad = web("|m| { let n = 0; while n < m.value { n += 1; } if n > 10 { up(1) } }", "");
    let good = web("|m| if m.value > 10 { up(1) }", "");
    let searched = found(Property::OperationLimit, &bad, &good);
    assert!(searched.findings[0].said.contains("uses up its operations after 1 tick"), "{}", searched.findings[0].said);
}

#[test]
fn a_seed_gives_the_same_search_and_time_that_is_over_is_said() {
    let script = web("|m| if m.value > 0.7 { up(1) } else if m.value < 0.6 { down(1) }", UTILIZATION);
    let all = |seed| searched(&script, &Property::ALL, seed);
    assert_eq!(all(7), all(7));
    assert!(all(7).complete);
    let over = search(&suite(&script, None).specs[0], &Property::ALL, 1, Instant::now(), &AtomicU64::new(0));
    assert_eq!((over.complete, over.runs, over.findings.len()), (false, 0, 0));
}

#[test]
fn the_example_scripts_have_none_of_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "rhai"));
    files.sort();
    assert!(files.len() > 5);
    let arguments = ["test", "--properties", "--json"].map(std::ffi::OsString::from).into_iter();
    let said = Autoscaler::new(arguments.chain(files.into_iter().map(PathBuf::into_os_string)))
        .run_within(Duration::from_secs(600));
    let json = said.expect(0).json();
    for pipeline in json["pipelines"].as_array().unwrap() {
        assert_eq!(pipeline["searched"]["findings"], serde_json::json!([]), "{pipeline}");
        assert_eq!(pipeline["searched"]["complete"], true, "{pipeline}");
    }
}

#[test]
fn as_a_command_it_prints_the_test_and_ends_with_1() {
    let script = Script::new(&web("|m| if m.value > 500 { to(3) } else if m.value > 100 { to(5) } else { to(1) }", ""));
    let run = |more: &[&str]| {
        more.iter().fold(Autoscaler::on("test", &script.path()).arg("--properties"), |run, more| run.arg(more)).run()
    };
    let said = run(&[]).expect(1).stdout;
    assert!(said.contains("found          more-load: after 1 tick of"), "{said}");
    assert!(
        said.contains("nothing found  missing-value") && said.contains("fn test_web_gives_more_for_more() {"),
        "{said}"
    );
    let said = run(&["--except", "more-load"]).expect(0).stdout;
    assert!(!said.contains("more-load"), "{said}");
    assert!(run(&["--except", "less-load"]).expect(2).stderr.contains("constant-load, more-load"));
    assert!(run(&["--only", "celery"]).expect(1).stderr.contains("no pipeline to search"));
}
