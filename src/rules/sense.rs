//! Owns the rules of functions that run well and cannot do what they are for: requests that nobody sends,
//! answers that nobody can use, conditions that come out one way.

use super::Rule;
use crate::settings::Severity;

/// A request that is made and never sent.
pub static UNSENT_REQUEST: Rule = Rule {
    id: "unsent-request",
    severity: Severity::Error,
    title: "a request that nobody sends",
    doc: "`http::get(…)` and the like only make a request. `.send()` sends it; `measure::http`, `scale::http` and \
        `notify::http` send the one that they are given.",
};

/// A function whose answers are of a kind that its place cannot use.
pub static WRONG_ANSWER: Rule = Rule {
    id: "wrong-answer",
    severity: Severity::Error,
    title: "an answer of a kind that is of no use where it stands",
    doc: "`current` answers a number of dynos, and `measure` a number where the decision reads `m.value` or is one of \
        `decide::`. A map or a text that was measured is read as `m.data`.",
};

/// A key of what was measured that is not there.
pub static UNKNOWN_KEY: Rule = Rule {
    id: "unknown-key",
    severity: Severity::Warning,
    title: "a key that what is measured does not have",
    doc: "`measure` writes out the map that it answers, and `m.data.KEY` is none of its keys: it is always missing.",
};

/// A failure that is told as zero.
pub static FAILURE_AS_ZERO: Rule = Rule {
    id: "failure-as-zero",
    severity: Severity::Warning,
    title: "a failed measurement that is answered as 0",
    doc: "0 reads as no load at all, and scales down in the middle of an outage. `measure::failed(\"why\")` holds.",
};

/// A condition that always or never holds.
pub static ONE_WAY_CONDITION: Rule = Rule {
    id: "one-way-condition",
    severity: Severity::Warning,
    title: "a condition that always or never holds",
    doc: "Its parts shut each other out (`hour >= 22 && hour < 6`), one of them always holds \
        (`weekday != 6 || weekday != 7`), or an earlier branch has taken all that it asks for.",
};

/// Memory that only grows.
pub static GROWING_MEMORY: Rule = Rule {
    id: "growing-memory",
    severity: Severity::Warning,
    title: "memory that only grows",
    doc: "`this` is kept for ever and may have 64 KiB; where it is full the function fails. Drop what is old: \
        `if this.seen.len() > 20 { this.seen.remove(0); }`.",
};

/// An entry of the memory that is set and never read, and looks like another.
pub static UNREAD_MEMORY: Rule = Rule {
    id: "unread-memory",
    severity: Severity::Warning,
    title: "an entry of `this` that is set, never read, and looks like another",
    doc: "Setting an entry that is not there makes it: a slip in its name is silent.",
};

/// A key in the text of the script.
pub static PLAIN_SECRET: Rule = Rule {
    id: "plain-secret",
    severity: Severity::Warning,
    title: "a key that is written in the script, or is the name of a variable",
    doc: "A text is taken as it is: `\"$HEROKU_API_KEY\"` is no variable. `env::secret(\"HEROKU_API_KEY\")` reads it, \
        and masks it wherever it would be shown.",
};

/// A function that nothing uses.
pub static UNUSED_FUNCTION: Rule = Rule {
    id: "unused-function",
    severity: Severity::Warning,
    title: "a function that nothing uses",
    doc: "It is neither called nor handed to a stage. One that is meant to stay is called `_name`.",
};

/// All of them.
pub(super) static SENSE: &[&Rule] = &[
    &UNSENT_REQUEST,
    &WRONG_ANSWER,
    &UNKNOWN_KEY,
    &FAILURE_AS_ZERO,
    &ONE_WAY_CONDITION,
    &GROWING_MEMORY,
    &UNREAD_MEMORY,
    &PLAIN_SECRET,
    &UNUSED_FUNCTION,
];
