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
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rhai"))
        .map(|path| path.file_name().expect("a file has a name").to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert!(names.contains(&"autoscale.rhai".to_owned()), "{names:?}");
    for name in names {
        sandbox.accepted(&format!("scripts/{name}"), &name);
    }
}

#[test]
fn the_folder_of_examples_is_accepted_as_a_whole() {
    let shown = Sandbox::new().accepted("scripts", "scripts/");
    assert!(shown.as_array().is_some_and(|pipelines| pipelines.len() > 5), "{shown}");
}

#[test]
fn the_readme_shows_the_documented_example() {
    let sandbox = Sandbox::new();
    let block = readme().blocks().into_iter().find(|block| block.language == "rhai").expect("the example");
    fs::write(sandbox.path().join("block.rhai"), block.text).expect("a file");
    let shown = sandbox.accepted("block.rhai", "the README's example");
    assert_eq!(shown.as_array().map(Vec::len), Some(2));
    let copied = sandbox.accepted("scripts/autoscale.rhai", "scripts/autoscale.rhai");
    assert_eq!(without_places(shown), without_places(copied));
}

/// A function is shown by its place, which is another in the commented copy.
fn without_places(mut pipelines: Json) -> Json {
    for pipeline in pipelines.as_array_mut().into_iter().flatten() {
        if let Some(settings) = pipeline["decide"]["settings"].as_object_mut() {
            settings.remove("function");
        }
    }
    pipelines
}
