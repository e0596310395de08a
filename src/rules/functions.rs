//! Owns the rules of functions handed to stages: what goes wrong only when they are called.

use super::Rule;
use crate::settings::Severity;

/// A member that a value of ours does not have.
pub static UNKNOWN_PROPERTY: Rule = Rule {
    id: "unknown-property",
    severity: Severity::Error,
    title: "a member that `m`, `event` or another value of ours does not have",
    doc: "`m`, `event`, `m.now`, histories, answers, requests and replies have fixed members; the nearest one \
        is suggested. In a function that is only called with `m` it is a warning.",
};

/// A decision that reaches outside.
pub static IMPURE_DECISION: Rule = Rule {
    id: "impure-decision",
    severity: Severity::Error,
    title: "a decision that reaches outside",
    doc: "`decide` and `.map` are pure: no `http`, no `redis`, no `.send()`, no clock but `m.now`. Measure \
        what the decision needs. In a function that the decision calls it is a warning.",
};

/// An answer that is made and not returned.
pub static DROPPED_ANSWER: Rule = Rule {
    id: "dropped-answer",
    severity: Severity::Warning,
    title: "an answer that is made and not returned",
    doc: "`up(1)` makes an answer; only the one that the function ends with counts, in a variable too. Write \
        `else` between the cases, or `return`.",
};

/// A small number answered at 2 dynos and at 10.
pub static BARE_NUMBER: Rule = Rule {
    id: "bare-number",
    severity: Severity::Warning,
    title: "a small number answered at 2 dynos and at 10",
    doc: "A bare number is the number of dynos in all. Write `up(2)` for two more, or `to(2)` if two in all \
        are meant.",
};

/// A division of whole numbers in a decision.
pub static INTEGER_DIVISION: Rule = Rule {
    id: "integer-division",
    severity: Severity::Warning,
    title: "a division of whole numbers in a decision",
    doc: "Whole numbers divide to whole numbers: `3 / 2` is 1, in variables and entries of `this` too. Write \
        `2.0` for the fraction, which a decision rounds up.",
};

/// A `switch` on a measured value with whole arms.
pub static SWITCH_ON_FRACTION: Rule = Rule {
    id: "switch-on-fraction",
    severity: Severity::Warning,
    title: "a `switch` on a measured value with whole arms",
    doc: "A measured value is a number with a fraction, and `0` never matches `0.0` there. Write `0.0`, or use \
        `if`.",
};

/// `!=` or `!` over a value that may be missing.
pub static MISSING_COMPARED: Rule = Rule {
    id: "missing-compared",
    severity: Severity::Warning,
    title: "`!=` or `!` over a value that may be missing",
    doc: "A missing value, `()`, differs from every number: the condition holds where nothing was measured. \
        Ask for `()` first, or give it a value with `??`.",
};

/// An assignment to a captured variable.
pub static CAPTURED_ASSIGNMENT: Rule = Rule {
    id: "captured-assignment",
    severity: Severity::Warning,
    title: "an assignment to a captured variable",
    doc: "What a function captures is copied when its pipeline is declared, and the copy is fresh in every \
        call: the change is lost. Keep it in `this`.",
};

/// `this` in a closure within a function.
pub static THIS_IN_CLOSURE: Rule = Rule {
    id: "this-in-closure",
    severity: Severity::Warning,
    title: "`this` in a closure within a function",
    doc: "The memory of a stage is `this` in the function itself, not in closures within it. Copy it to a \
        variable before.",
};

/// An entry of `this` that is read and never set.
pub static UNSET_MEMORY: Rule = Rule {
    id: "unset-memory",
    severity: Severity::Warning,
    title: "an entry of `this` that is read and never set",
    doc: "What is neither in `memory: #{ … }` nor set by the function is always missing, `()`. Behind `??` only \
        a slip of the pen is told.",
};

/// A variable that nothing reads.
pub static UNUSED_VARIABLE: Rule = Rule {
    id: "unused-variable",
    severity: Severity::Warning,
    title: "a variable that nothing reads",
    doc: "What is computed is lost: was another name meant? A name that begins with `_` may be unused.",
};

/// A statement that is never come to.
pub static UNREACHABLE: Rule = Rule {
    id: "unreachable",
    severity: Severity::Warning,
    title: "a statement that is never come to",
    doc: "A `return`, a `throw`, a `break` or a `continue` ends the block that it stands in.",
};

/// A secret inside `${…}`.
pub static SECRET_IN_TEXT: Rule = Rule {
    id: "secret-in-text",
    severity: Severity::Error,
    title: "a secret inside `${…}`",
    doc: "It would become plain text. `\"text\" + secret` is a secret too.",
};

/// A function that fails on sample values.
pub static TRIAL_FAILED: Rule = Rule {
    id: "trial-failed",
    severity: Severity::Warning,
    title: "a function that fails on sample values",
    doc: "`check` calls every `decide` at 2 and at 10 dynos with small and large values, at the first tick after a \
        start and after a scale (when `m.history` has one measurement), in a night, and with `call_on_failure` where \
        the measurement failed; and every `notify` with every kind of event that it hears. It reaches nothing. The \
        message says when it fails; at other times it works.",
};

/// A function that fails on every sample.
pub static ALWAYS_FAILS: Rule = Rule {
    id: "always-fails",
    severity: Severity::Error,
    title: "a function that fails at every trial",
    doc: "A `decide` that fails on every tick holds for ever, and a `notify` that fails at every event tells nobody. \
        `check` refuses it; `run` starts all the same, holds and says so.",
};

/// All of them.
pub(super) static FUNCTIONS: &[&Rule] = &[
    &UNKNOWN_PROPERTY,
    &IMPURE_DECISION,
    &DROPPED_ANSWER,
    &BARE_NUMBER,
    &INTEGER_DIVISION,
    &SWITCH_ON_FRACTION,
    &MISSING_COMPARED,
    &CAPTURED_ASSIGNMENT,
    &THIS_IN_CLOSURE,
    &UNSET_MEMORY,
    &UNUSED_VARIABLE,
    &UNREACHABLE,
    &SECRET_IN_TEXT,
    &TRIAL_FAILED,
    &ALWAYS_FAILS,
];
