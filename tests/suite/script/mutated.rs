//! Scripts that went wrong at random: `check` never panics, never hangs, and says something with a place
//! whenever it refuses one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use autoscaler::pipeline::{declare, rehearse};
use autoscaler::script::{Environment, MissingSecrets, Source, load};
use autoscaler::settings::Severity;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::wrong::assert_speaks_the_authors_language;

/// All cases together.
const PATIENCE: Duration = Duration::from_secs(8);

/// A file that was cut to pieces is refused within this, or something hangs. Generous: the machine is shared.
const HANGS: Duration = Duration::from_secs(30);

struct Nothing;

impl Environment for Nothing {
    fn variable(&self, _name: &str) -> Option<String> {
        None
    }
}

fn originals() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let entries = std::fs::read_dir(folder).expect("scripts/");
    let mut texts: Vec<String> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rhai"))
        .map(|path| std::fs::read_to_string(path).expect("text"))
        .collect();
    texts.sort();
    texts
}

/// Words, numbers, blanks and single characters.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let class = |character: char| {
        if character.is_alphanumeric() || character == '_' {
            1
        } else if character.is_whitespace() {
            2
        } else {
            0
        }
    };
    for character in text.chars() {
        match pieces.last_mut() {
            Some(last) if class(character) > 0 && last.chars().all(|other| class(other) == class(character)) => {
                last.push(character);
            }
            _ => pieces.push(character.to_string()),
        }
    }
    pieces
}

/// One change of a script; places are parts of its length.
#[derive(Clone, Debug)]
enum Change {
    Delete(f64),
    Swap(f64, f64),
    Insert(f64, &'static str),
    Truncate(f64),
}

/// What people and their editors leave behind.
const STRAYS: &[&str] = &[
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "#{",
    ",",
    ";",
    ":",
    "'",
    "\"",
    "`",
    "${",
    "|",
    "||",
    "=>",
    "===",
    "!",
    "?",
    ".",
    "..",
    "@",
    "#",
    "\\",
    "\u{0}",
    "é",
    "🦀",
    "and",
    "None",
    "if",
    "else",
    "fn",
    "let",
    "lambda",
    "return",
    "this",
    "m",
    "0",
    "1e999",
    "99999999999999999999",
    "//",
    "/*",
    "*/",
    "loop {",
    "import",
    "switch",
    " up(1) ",
    "-",
    "::",
];

fn change() -> impl Strategy<Value = Change> {
    let place = 0.0..1.0_f64;
    prop_oneof![
        3 => place.clone().prop_map(Change::Delete),
        2 => (place.clone(), place.clone()).prop_map(|(a, b)| Change::Swap(a, b)),
        4 => (place.clone(), prop::sample::select(STRAYS)).prop_map(|(at, stray)| Change::Insert(at, stray)),
        1 => place.prop_map(Change::Truncate),
    ]
}

fn mutated(text: &str, changes: &[Change]) -> String {
    let mut pieces = pieces(text);
    for change in changes {
        let count = pieces.len();
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let at = |place: f64| ((count as f64 * place) as usize).min(count.saturating_sub(1));
        if pieces.is_empty() {
            break;
        }
        match *change {
            Change::Delete(place) => drop(pieces.remove(at(place))),
            Change::Swap(a, b) => pieces.swap(at(a), at(b)),
            Change::Insert(place, stray) => pieces.insert(at(place), stray.to_owned()),
            Change::Truncate(place) => pieces.truncate(at(place)),
        }
    }
    pieces.concat()
}

/// What `check` does, without a process.
fn looks_at(text: &str) -> Result<(), TestCaseError> {
    let path = std::env::temp_dir().join("mutated.rhai");
    let source = Source { path, text: Some(text.into()), unit: None };
    let environment: Arc<dyn Environment> = Arc::new(Nothing);
    let started = Instant::now();
    let loaded = load(&source, &environment, MissingSecrets::Placeholder);
    let mut declared = declare(&loaded, None, 1, chrono_tz::UTC);
    rehearse(&declared.specs, &mut declared.report);
    prop_assert!(started.elapsed() < HANGS, "it took {:?}", started.elapsed());
    for said in declared.report.diagnostics() {
        prop_assert!(!said.message.is_empty());
        prop_assert!(!said.message.contains("bug of autoscaler"), "{said}");
        assert_speaks_the_authors_language(&said.to_string().replace(text, ""));
        if said.severity == Severity::Note {
            continue;
        }
        let Some(place) = &said.place else {
            return Err(TestCaseError::fail(format!("no place: {said}")));
        };
        let lines = u32::try_from(text.split('\n').count()).unwrap_or(u32::MAX);
        prop_assert!(place.line <= lines, "{said} in a text of {lines} lines");
        let whole_file = said.message == "the script declares no pipeline" || said.message.ends_with(" is empty");
        prop_assert!(place.line > 0 || whole_file, "no line: {said}");
    }
    Ok(())
}

#[test]
fn mutated_scripts_are_refused_with_a_place_and_never_break_anything() {
    let originals = originals();
    for original in &originals {
        looks_at(original).expect("an original");
    }
    let end = Instant::now() + PATIENCE;
    let config = Config { cases: 3_000, failure_persistence: None, max_shrink_time: 20_000, ..Config::default() };
    let strategy = (0..originals.len(), prop::collection::vec(change(), 1..5));
    let ran = TestRunner::new(config).run(&strategy, |(which, changes)| {
        if Instant::now() > end { Ok(()) } else { looks_at(&mutated(&originals[which], &changes)) }
    });
    if let Err(error) = ran {
        panic!("{error}");
    }
}

#[test]
fn a_text_that_is_cut_off_has_a_place() {
    for cut in ["let a = \"x", "let a = 1;\nlet b = `one ${a", "let a = 1;\nlet b = `one ${a} tw", "let a = 1; /* so"] {
        looks_at(cut).expect(cut);
    }
    for original in originals() {
        for percent in (1..100).step_by(7) {
            let changes = [Change::Truncate(f64::from(percent) / 100.0)];
            looks_at(&mutated(&original, &changes)).expect("a place");
        }
    }
}
