//! Owns the rules of settings: names, types, who takes which function.

use super::Rule;
use crate::settings::Severity;

/// A setting that does not exist.
pub static UNKNOWN_SETTING: Rule = Rule {
    id: "unknown-setting",
    severity: Severity::Error,
    title: "a setting that does not exist",
    doc: "Every key of a settings map must be known to its owner; the nearest name is suggested.",
};

/// A setting that must be written and is not.
pub static MISSING_SETTING: Rule = Rule {
    id: "missing-setting",
    severity: Severity::Error,
    title: "a setting that must be written and is not",
    doc: "The help says what the setting holds.",
};

/// A setting of the wrong type.
pub static WRONG_TYPE: Rule = Rule {
    id: "wrong-type",
    severity: Severity::Error,
    title: "a setting of the wrong type",
    doc: "A whole number is accepted wherever a fraction is; nothing else is converted.",
};

/// A setting both in the pipeline and in its `decide`.
pub static SETTING_ON_TWO_SIDES: Rule = Rule {
    id: "setting-on-two-sides",
    severity: Severity::Error,
    title: "a setting both in the pipeline and in its `decide`",
    doc: "Bounds, zone, increment, waits and guards may stand in the pipeline's map or in its `decide::`, and \
        not in both: nobody could tell which one counts.",
};

/// Thresholds both in `measure` and in `decide`.
pub static THRESHOLDS_ON_TWO_SIDES: Rule = Rule {
    id: "thresholds-on-two-sides",
    severity: Severity::Warning,
    title: "thresholds both in `measure` and in `decide`",
    doc: "`min_time_ms` and `max_time_ms` of the measurement are the defaults of the decision's thresholds; \
        where both are written, the decision's win.",
};

/// A function with the wrong number of parameters for its stage.
pub static CLOSURE_PARAMETERS: Rule = Rule {
    id: "closure-parameters",
    severity: Severity::Error,
    title: "a function with the wrong number of parameters for its stage",
    doc: "`measure` and `current` take none, `decide` takes `m`, `notify` takes `event`, `scale_to` takes the \
        number, `.map` takes the data.",
};

/// A function handed over that does not exist.
pub static UNKNOWN_STAGE_FUNCTION: Rule = Rule {
    id: "unknown-stage-function",
    severity: Severity::Error,
    title: "a function handed over that does not exist",
    doc: "A function handed over by its name must be defined in the same file, and not be private.",
};

/// All of them.
pub(super) static SETTINGS: &[&Rule] = &[
    &UNKNOWN_SETTING,
    &MISSING_SETTING,
    &WRONG_TYPE,
    &SETTING_ON_TWO_SIDES,
    &THRESHOLDS_ON_TWO_SIDES,
    &CLOSURE_PARAMETERS,
    &UNKNOWN_STAGE_FUNCTION,
];
