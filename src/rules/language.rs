//! Owns the rules of the language itself: what keeps a file from being read or run.

use super::Rule;
use crate::settings::Severity;

/// Text that the language does not understand.
pub static SYNTAX: Rule = Rule {
    id: "syntax",
    severity: Severity::Error,
    title: "text that the language does not understand",
    doc: "The place is where reading stopped; the cause is there or just before.",
};

/// A `;` or `,` is missing.
pub static MISSING_SEPARATOR: Rule = Rule {
    id: "missing-separator",
    severity: Severity::Error,
    title: "a `;` or `,` is missing",
    doc: "Statements end with `;`, entries of maps and arrays with `,`. The place is the end of what came \
        before.",
};

/// The text ends in the middle of something.
pub static UNFINISHED: Rule = Rule {
    id: "unfinished",
    severity: Severity::Error,
    title: "the text ends in the middle of something",
    doc: "A bracket or a text was opened and not closed.",
};

/// A word of the language used as a name.
pub static RESERVED_WORD: Rule = Rule {
    id: "reserved-word",
    severity: Severity::Error,
    title: "a word of the language used as a name",
    doc: "Choose another name; as the key of a map write it in quotes.",
};

/// A variable that does not exist.
pub static UNKNOWN_VARIABLE: Rule = Rule {
    id: "unknown-variable",
    severity: Severity::Error,
    title: "a variable that does not exist",
    doc: "A variable must be declared with `let` or `const` before it is used. Functions written with `fn` do \
        not see the variables of the top; closures do.",
};

/// A function that does not exist.
pub static UNKNOWN_FUNCTION: Rule = Rule {
    id: "unknown-function",
    severity: Severity::Error,
    title: "a function that does not exist",
    doc: "The nearest name is suggested.",
};

/// A module that does not exist.
pub static UNKNOWN_MODULE: Rule = Rule {
    id: "unknown-module",
    severity: Severity::Error,
    title: "a module that does not exist",
    doc: "What stands before `::` is one of our modules or the name given to an import.",
};

/// A function that its module does not have.
pub static UNKNOWN_MODULE_MEMBER: Rule = Rule {
    id: "unknown-module-member",
    severity: Severity::Error,
    title: "a function that its module does not have",
    doc: "The help names what the module has.",
};

/// A function called with the wrong number of arguments.
pub static WRONG_ARGUMENTS: Rule = Rule {
    id: "wrong-arguments",
    severity: Severity::Error,
    title: "a function called with the wrong number of arguments",
    doc: "The message says how many it takes.",
};

/// A function of the script with the name of one of ours.
pub static SHADOWED_FUNCTION: Rule = Rule {
    id: "shadowed-function",
    severity: Severity::Error,
    title: "a function of the script with the name of one of ours",
    doc: "It would be called in place of ours, by our other functions too. Choose another name.",
};

/// A function of the language that is off in scripts.
pub static SWITCHED_OFF: Rule = Rule {
    id: "switched-off",
    severity: Severity::Error,
    title: "a function of the language that is off in scripts",
    doc: "`eval`, `sleep`, `timestamp` and `exit` would escape the engine's control of code and time.",
};

/// An import whose path is computed.
pub static COMPUTED_IMPORT: Rule = Rule {
    id: "computed-import",
    severity: Severity::Error,
    title: "an import whose path is computed",
    doc: "Everything that a script imports is read when it is loaded: the path must be a plain text.",
};

/// The script goes wrong while it loads.
pub static SCRIPT_FAILED: Rule = Rule {
    id: "script-failed",
    severity: Severity::Error,
    title: "the script goes wrong while it loads",
    doc: "What was declared before is validated all the same.",
};

/// All of them.
pub(super) static LANGUAGE: &[&Rule] = &[
    &SYNTAX,
    &MISSING_SEPARATOR,
    &UNFINISHED,
    &RESERVED_WORD,
    &UNKNOWN_VARIABLE,
    &UNKNOWN_FUNCTION,
    &UNKNOWN_MODULE,
    &UNKNOWN_MODULE_MEMBER,
    &WRONG_ARGUMENTS,
    &SHADOWED_FUNCTION,
    &SWITCHED_OFF,
    &COMPUTED_IMPORT,
    &SCRIPT_FAILED,
];
