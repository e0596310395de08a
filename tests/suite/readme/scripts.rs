//! Owns the scripts that users copy: `check` accepts each without any variable set.

use std::fs;

use serde_json::Value as Json;

use super::sandbox::Sandbox;
use super::{readme, root};

#[test]
fn every_example_is_accepted_without_any_variable_set() {
    let sandbox = Sandbox::new();
    let mut names: Vec<String> = fs::read_dir(root().join("scripts"))
        .expect("scripts/")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".rhai"))
        .collect();
    names.sort();
    assert!(names.contains(&"autoscale.rhai".to_owned()), "{names:?}");
    for name in names {
        sandbox.autoscaler(["check", &format!("scripts/{name}")]).expect_success(&name);
    }
}

#[test]
fn the_readme_shows_the_documented_example() {
    let sandbox = Sandbox::new();
    let block = readme().blocks().into_iter().find(|block| block.language == "rhai").expect("the example");
    fs::write(sandbox.path().join("block.rhai"), block.text).expect("a file");
    let pipelines = |script: &str| {
        let said = sandbox.autoscaler(["check", script, "--json"]).expect_success(script);
        let json: Json = serde_json::from_str(&said.stdout).expect("JSON");
        json["pipelines"].clone()
    };
    let shown = pipelines("block.rhai");
    assert_eq!(shown.as_array().map(Vec::len), Some(2));
    assert_eq!(shown, pipelines("scripts/autoscale.rhai"));
}
