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

/// A policy of a measurement that does not exist.
pub static UNKNOWN_MEASUREMENT: Rule = Rule {
    id: "unknown-measurement",
    severity: Severity::Error,
    title: "a policy for a measurement that does not exist",
    doc: "Where `measure` and `decide` are maps, each name in `decide` is one of `measure`: the policy judges the \
          measurement of its own name.",
};

/// A measurement that no policy judges.
pub static MEASUREMENT_WITHOUT_POLICY: Rule = Rule {
    id: "measurement-without-policy",
    severity: Severity::Error,
    title: "a measurement that no policy judges",
    doc: "Where `measure` and `decide` are maps, each name in `measure` needs a policy in `decide`. One function in \
          place of the map sees all of them.",
};

/// A native policy for several measurements.
pub static POLICY_FOR_SEVERAL: Rule = Rule {
    id: "policy-for-several",
    severity: Severity::Error,
    title: "one policy of ours for several measurements",
    doc: "A policy of `decide::` judges one measurement. Write a map with a policy for each, or a function that looks at \
          `m.values`.",
};

/// What concerns the whole pipeline in the settings of one of several policies.
pub static SETTING_OF_THE_PIPELINE: Rule = Rule {
    id: "setting-of-the-pipeline",
    severity: Severity::Error,
    title: "a setting of the whole pipeline in one of several policies",
    doc: "Bounds, zone, increment, waits and guards concern the pipeline: with several policies, or in a `shadow`, they \
          stand in the pipeline's map.",
};

/// A limit for a pipeline that does not exist.
pub static LIMIT_OF_UNKNOWN_PIPELINE: Rule = Rule {
    id: "limit-of-unknown-pipeline",
    severity: Severity::Error,
    title: "a limit for a pipeline that does not exist",
    doc: "`limits` names pipelines of the same script as they are declared, in `pipelines` and in `order`.",
};

/// A limit that the lower bounds alone exceed.
pub static LIMIT_BELOW_MINIMA: Rule = Rule {
    id: "limit-below-minima",
    severity: Severity::Error,
    title: "a limit below what its pipelines need at least",
    doc: "The `min_dynos` of every pipeline is kept free for it, so all of them together must fit into the limit at every \
          time of day.",
};

/// A value that a setting cannot have.
pub static WRONG_VALUE: Rule = Rule {
    id: "wrong-value",
    severity: Severity::Error,
    title: "a value that a setting cannot have",
    doc: "It is of the right type and out of range, no name, no address or no path. The message says what it may be.",
};

/// A value that a setting can have and hardly should.
pub static DOUBTFUL_VALUE: Rule = Rule {
    id: "doubtful-value",
    severity: Severity::Warning,
    title: "a value that a setting can have and hardly should",
    doc: "An address without TLS, for example.",
};

/// A time zone that does not exist.
pub static TIME_ZONE: Rule = Rule {
    id: "time-zone",
    severity: Severity::Error,
    title: "a time zone that does not exist",
    doc: "Zones have the names of the tz database: `America/Vancouver`, `UTC`.",
};

/// Bounds that contradict each other, or a table that cannot be read.
pub static DYNO_BOUNDS: Rule = Rule {
    id: "dyno-bounds",
    severity: Severity::Error,
    title: "bounds that contradict each other, or a table of them that cannot be read",
    doc: "`min_dynos` is never above `max_dynos`, at no time of day. A table is `#{ \"9:00\": 2, \"18:30\": 1 }`.",
};

/// Thresholds in the wrong order.
pub static THRESHOLD_ORDER: Rule = Rule {
    id: "threshold-order",
    severity: Severity::Error,
    title: "a lower threshold above the upper one",
    doc: "Below the lower one it scales down, above the upper one up.",
};

/// Thresholds that nothing measured ever crosses, or that nothing reads.
pub static IDLE_THRESHOLD: Rule = Rule {
    id: "idle-threshold",
    severity: Severity::Warning,
    title: "a threshold that has no effect",
    doc: "No time and no number of tasks is below 0; a decision that is a function reads no thresholds; the defaults of \
        `average_threshold` are meant for queues, those of `consecutive_threshold` for milliseconds.",
};

/// 0 as the lower bound.
pub static ZERO_DYNOS: Rule = Rule {
    id: "zero-dynos",
    severity: Severity::Warning,
    title: "0 as the lower bound",
    doc: "0 dynos count as switched off by a person, and are left alone. `start_from_zero: true` says otherwise.",
};

/// "Too rapid" that can never be.
pub static NEVER_TOO_RAPID: Rule = Rule {
    id: "never-too-rapid",
    severity: Severity::Warning,
    title: "scaling that can never be too rapid",
    doc: "The interval and the wait leave no room for as many scales as are too many.",
};

/// Two pipelines, or the worker itself, on one target.
pub static SHARED_TARGET: Rule = Rule {
    id: "shared-target",
    severity: Severity::Error,
    title: "two live pipelines that scale the same, or one that scales the worker itself",
    doc: "Two would undo each other's work, and a worker that scales itself may stop itself.",
};

/// A name that no pipeline can have, or that two have.
pub static PIPELINE_NAME: Rule = Rule {
    id: "pipeline-name",
    severity: Severity::Error,
    title: "a name that no pipeline can have, or that two have",
    doc: "Letters, digits, `-`, `_` and `.`, with `/` between parts.",
};

/// A script without pipelines.
pub static NO_PIPELINE: Rule = Rule {
    id: "no-pipeline",
    severity: Severity::Error,
    title: "a script that declares no pipeline",
    doc: "A file that is only imported belongs in a folder of its own, such as `lib/`.",
};

/// A gate that cannot be passed.
pub static GATE: Rule = Rule {
    id: "gate",
    severity: Severity::Error,
    title: "a gate without its trace, or one that a saved script does not pass",
    doc: "`settings(#{ gate: #{ trace: \"last-week.csv\", max_late_percent: 1.0 } })` lets a saved script go live only once it \
        was simulated under that load and did as well; the file is looked for in the script's folder.",
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
    &UNKNOWN_MEASUREMENT,
    &MEASUREMENT_WITHOUT_POLICY,
    &POLICY_FOR_SEVERAL,
    &SETTING_OF_THE_PIPELINE,
    &LIMIT_OF_UNKNOWN_PIPELINE,
    &LIMIT_BELOW_MINIMA,
    &WRONG_VALUE,
    &DOUBTFUL_VALUE,
    &TIME_ZONE,
    &DYNO_BOUNDS,
    &THRESHOLD_ORDER,
    &IDLE_THRESHOLD,
    &ZERO_DYNOS,
    &NEVER_TOO_RAPID,
    &SHARED_TARGET,
    &PIPELINE_NAME,
    &NO_PIPELINE,
    &GATE,
];
