//! The page on importing: every block of settings is imported, and comes to the script that follows it.

use autoscaler::import::{Form, Options};

use super::support::take;

const PAGE: &str = include_str!("../../../docs/importing.md");

/// The fenced blocks of the page: language and text.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let mut blocks = Vec::new();
    let mut rest = PAGE;
    while let Some((_, after)) = rest.split_once("\n```") {
        let (language, after) = after.split_once('\n').unwrap();
        let (text, after) = after.split_once("```").unwrap();
        blocks.push((language, text));
        rest = after;
    }
    blocks
}

#[test]
fn every_shown_settings_file_becomes_the_script_that_is_shown() {
    let blocks = blocks();
    let mut compared = 0;
    for pair in blocks.windows(2) {
        let [("text", settings), ("rhai", script)] = pair else { continue };
        let form = if settings.trim_start().starts_with("web:") { Form::Yaml } else { Form::Python };
        let came = take(settings.as_bytes(), form, Options::default());
        let made = came.script();
        // The comments at the head of a script are the same in each.
        let body = made.split_once("\n\n").map_or(made, |(_, body)| body);
        assert_eq!(script.trim(), body.trim(), "{}", came.said.join("\n"));
        compared += 1;
    }
    assert!(compared >= 3, "{compared} pairs on the page");
}

#[test]
fn every_shown_slip_is_told_as_shown() {
    let (settings, said) = blocks()
        .windows(2)
        .find_map(|pair| match pair {
            [("text", settings), ("text", said)] if said.starts_with("settings.py:") => Some((*settings, *said)),
            _ => None,
        })
        .unwrap();
    let came = take(settings.as_bytes(), Form::Python, Options::default());
    let told: Vec<String> = said.lines().map(str::to_owned).collect();
    assert_eq!(came.said, told);
}
