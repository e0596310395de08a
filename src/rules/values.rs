//! Owns the rules of values in functions of stages: what is compared, given and set, by its type.

use super::Rule;
use crate::settings::Severity;

/// Two values of different types compared with `==`, `!=`, `in` or `switch`.
pub static NEVER_EQUAL: Rule = Rule {
    id: "never-equal",
    severity: Severity::Warning,
    title: "two values of different types that are asked whether they are equal",
    doc: "A number never equals a text: `==`, `in` and the arms of a `switch` are silently false, `!=` is true.",
};

/// Two values of different types compared with `<` and the like.
pub static UNORDERED: Rule = Rule {
    id: "unordered",
    severity: Severity::Error,
    title: "two values of different types that are ordered",
    doc: "`<`, `<=`, `>` and `>=` compare numbers with numbers and texts with texts. A number and a text fail \
        when they are compared.",
};

/// A member compared with what it never is.
pub static IMPOSSIBLE_VALUE: Rule = Rule {
    id: "impossible-value",
    severity: Severity::Warning,
    title: "a member compared with what it never is",
    doc: "Parts of a time have ranges (`m.now.hour` is 0 to 23, `m.now.weekday` 1 to 7), and `weekday_name`, \
        `event.kind`, `event.phase` and `event.severity` are one of a few words.",
};

/// An argument of a type that a function does not take.
pub static ARGUMENT_TYPE: Rule = Rule {
    id: "argument-type",
    severity: Severity::Error,
    title: "an argument of a type that a function does not take",
    doc: "The message says what it takes. In a function that is only called by that of a stage it is a warning.",
};

/// A number that a function does not take, or that is hardly meant.
pub static ARGUMENT_RANGE: Rule = Rule {
    id: "argument-range",
    severity: Severity::Error,
    title: "a number that a function does not take",
    doc: "`up(-1)` fails when it is answered. What a function takes and is hardly meant, such as `up(0)` or a \
        percentile of 0.95, is a warning.",
};

/// A member of a value of ours that is set.
pub static READ_ONLY: Rule = Rule {
    id: "read-only",
    severity: Severity::Error,
    title: "a member of `m`, `event` or another value of ours that is set",
    doc: "They say how things are. A decision answers `up(1)`, `down(1)` or `to(n)`; what is to be kept is set in \
        `this`.",
};

/// `^` between numbers.
pub static EXCLUSIVE_OR: Rule = Rule {
    id: "exclusive-or",
    severity: Severity::Warning,
    title: "`^` between numbers",
    doc: "It is the exclusive or of their bits: `2 ^ 3` is 1. The power is `2 ** 3`.",
};

/// `${…}` in a text in quotes.
pub static PLAIN_INTERPOLATION: Rule = Rule {
    id: "plain-interpolation",
    severity: Severity::Warning,
    title: "`${…}` in a text in quotes",
    doc: "Values are put only into texts in backticks: `` `${m.value} ms` ``. Names that the file does not have, \
        as in `\"${HOME}\"`, are left to others.",
};

/// All of them.
pub(super) static VALUES: &[&Rule] = &[
    &NEVER_EQUAL,
    &UNORDERED,
    &IMPOSSIBLE_VALUE,
    &ARGUMENT_TYPE,
    &ARGUMENT_RANGE,
    &READ_ONLY,
    &EXCLUSIVE_OR,
    &PLAIN_INTERPOLATION,
];
