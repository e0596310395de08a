//! `compare` as built, in a short form: the tables and the picture of docs/policies.md on an hour or two of
//! made-up loads, and of the public traces where `AUTOSCALER_TRACES` names a folder of them.

use std::fs;
use std::path::Path;
use std::time::Duration;

use roxmltree::Document;
use serde_json::Value as Json;

use crate::harness::{Autoscaler, Said, Script};

fn compare(folder: &Path, arguments: &[&str]) -> Said {
    let traces = std::env::var("AUTOSCALER_TRACES").ok();
    let traces = traces.iter().flat_map(|folder| ["--traces", folder]);
    Autoscaler::new(["compare"].into_iter().chain(arguments.iter().copied()).chain(traces))
        .folder(folder)
        .run_within(Duration::from_secs(300))
}

#[test]
fn the_page_is_filled_and_the_picture_drawn_and_again_the_same() {
    let script = Script::new("");
    let page = script.root().join("policies.md");
    let write = || {
        let arguments = ["--policy", "threshold-consec,hpa", "--days", "0.04", "--write", "policies.md"];
        assert_eq!(compare(script.root(), &arguments).expect(0).stdout, "");
        (fs::read_to_string(&page).unwrap(), fs::read_to_string(page.with_extension("svg")).unwrap())
    };
    let (text, picture) = write();
    for row in
        ["| `synthetic:flash-crowd` | made up |", "| `hpa` | `target` | 0.7 |", "Boot of 60 s:", "Boot of 300 s:"]
    {
        assert!(text.contains(row), "{row}: {text}");
    }
    let drawn = Document::parse(&picture).unwrap();
    let titles: Vec<&str> =
        drawn.descendants().filter(|node| node.has_tag_name("title")).filter_map(|node| node.text()).collect();
    assert!(titles.iter().any(|title| title.starts_with("hpa, target 0.7: cost ")), "{titles:?}");
    // What people wrote around the tables stays; what stands in them is made anew.
    fs::write(&page, text.replace("# Policies compared", "# Mine").replace("| `hpa` | `target` | 0.7 |", "stale"))
        .unwrap();
    let (again, same) = write();
    assert_eq!((again, same), (text.replace("# Policies compared", "# Mine"), picture));
}

#[test]
fn every_policy_costs_less_and_serves_worse_the_higher_its_target() {
    let script = Script::new("");
    let arguments = ["--policy", "threshold-consec,hpa", "--days", "0.3", "--boot-seconds", "60", "--json"];
    let runs = compare(script.root(), &arguments).expect(0).json();
    let runs = runs.as_array().unwrap();
    let of = |policy: &str, value: &str, key: &str| -> f64 {
        let wanted = |run: &&Json| run["policy"] == policy && run["value"] == value && run["group"] == "made up";
        let all: Vec<f64> = runs.iter().filter(wanted).map(|run| run[key].as_f64().unwrap()).collect();
        assert_eq!(all.len(), 5, "{policy} {value}");
        all.iter().sum::<f64>() / 5.0
    };
    for policy in ["threshold-consec", "hpa"] {
        let (low, default, high) = ("0.5", "0.7", "0.9");
        let costs = [low, default, high].map(|value| of(policy, value, "cost_ratio"));
        let late = [low, default, high].map(|value| of(policy, value, "late_percent"));
        assert!(costs[0] > 1.1 * costs[1] && costs[1] > 1.05 * costs[2], "{policy}: {costs:?}");
        assert!(late[0] < late[1] && late[1] < late[2], "{policy}: {late:?}");
        assert!((1.05..2.0).contains(&costs[1]) && late[1] < 25.0, "{policy}: {costs:?} {late:?}");
    }
    let defaults = runs.iter().filter(|run| run["default"] == true);
    assert!(defaults.clone().count() >= 10 && defaults.clone().all(|run| run["value"] == "0.7"));
}

#[test]
fn what_cannot_be_is_told_before_anything_is_simulated() {
    let script = Script::new("");
    let page = script.root().join("own.md");
    for (text, said) in [
        ("# Mine", "no place for a table"),
        ("<!-- compare:scores -->\n<!-- /compare:scores -->", "there is no block `scores`; there are traces"),
        ("<!-- compare:each -->", "has no `<!-- /compare:each -->`"),
    ] {
        fs::write(&page, text).unwrap();
        let failed = compare(script.root(), &["--write", "own.md"]).expect(1);
        assert!(failed.stderr.contains(said), "{}", failed.stderr);
        assert_eq!(fs::read_to_string(&page).unwrap(), text);
    }
    let unknown = compare(script.root(), &["--policy", "hap"]).expect(2);
    assert!(unknown.stderr.contains("there is no policy `hap`: there are threshold-consec, "), "{}", unknown.stderr);
    assert!(compare(script.root(), &["--days", "0"]).expect(2).stderr.contains("`--days` must be more than 0"));
    let empty = Autoscaler::new(["compare", "--traces", "."]).folder(script.root()).run().expect(1);
    assert!(empty.stderr.contains("has no trace: no file that ends with .csv"), "{}", empty.stderr);
}
