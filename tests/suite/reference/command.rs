//! `autoscaler reference NAME` and `autoscaler definitions DIR`, as built.

use std::process::{Command, Output};

fn autoscaler(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_autoscaler"));
    command.args(arguments).env_clear();
    command.output().expect("the command is built")
}

#[test]
fn a_name_is_explained_with_an_example() {
    let said = autoscaler(&["reference", "up"]);
    assert!(said.status.success());
    let due = "up(n: int | float) -> Answer\n    Asks for n dynos more. A fraction rounds up.\n    \
               Stands in functions of `decide`.\n\n    if m.value > 1000 { up(1) }\n";
    assert_eq!(String::from_utf8_lossy(&said.stdout), due);
}

#[test]
fn an_unknown_name_is_an_error_with_the_nearest() {
    let said = autoscaler(&["reference", "persentile"]);
    assert_eq!(said.status.code(), Some(1));
    assert!(said.stdout.is_empty());
    let due = "error: nothing is called `persentile` (did you mean `percentile`?)\n";
    assert_eq!(String::from_utf8_lossy(&said.stderr), due);
}

#[test]
fn without_a_name_the_whole_page_is_printed() {
    let said = autoscaler(&["reference"]);
    assert_eq!(String::from_utf8_lossy(&said.stdout), autoscaler::reference::markdown());
}

#[test]
fn definitions_are_written_into_a_folder_that_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("editor/definitions");
    let said = autoscaler(&["definitions", inner.to_str().unwrap()]);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    for (name, text) in autoscaler::reference::definitions() {
        assert_eq!(std::fs::read_to_string(inner.join(&name)).unwrap(), text, "{name}");
    }
    let taken = folder.path().join("taken");
    std::fs::write(&taken, "").unwrap();
    let said = autoscaler(&["definitions", taken.to_str().unwrap()]);
    assert_eq!(said.status.code(), Some(1), "a file in the way");
}
