//! The page shows what the commands say.

use super::support::{SCRIPT, folder};
use crate::harness::Autoscaler;

const PAGE: &str = include_str!("../../../docs/explaining.md");

/// The fenced blocks of the page in `language`.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    PAGE.split(&*fence).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn the_script_of_the_page_is_the_one_of_the_incident() {
    assert_eq!(blocks("rhai")[0], SCRIPT);
}

#[tokio::test]
async fn the_page_shows_real_output() {
    let shown: Vec<&str> = blocks("text").into_iter().filter(|block| block.starts_with("$ ")).collect();
    assert!(shown.len() >= 3, "{shown:?}");
    for block in shown {
        let (command, output) = block.split_once('\n').unwrap();
        let folder = folder().await;
        let said = run(command, folder.root());
        assert_eq!(said.trim_end(), output.trim_end(), "{command}");
    }
}

/// What a command line of the page prints.
fn run(command: &str, folder: &std::path::Path) -> String {
    let words = command.strip_prefix("$ autoscaler ").expect("a command of ours");
    let mut arguments: Vec<String> = Vec::new();
    // A quoted argument is one.
    for (index, part) in words.split('\'').enumerate() {
        if index % 2 == 1 {
            arguments.push(part.into());
        } else {
            arguments.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    Autoscaler::new(arguments).folder(folder).run().expect(0).stdout
}
