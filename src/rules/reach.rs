//! Owns the rules of what a script reaches and needs around it: hosts, variables, programs, secrets, versions.

use super::Rule;
use crate::settings::Severity;

/// A host that `--allow-net` does not name.
pub static HOST_NOT_ALLOWED: Rule = Rule {
    id: "host-not-allowed",
    severity: Severity::Error,
    title: "a host that `--allow-net` does not name",
    doc: "With `--allow-net` (AUTOSCALER_ALLOW_NET) scripts reach the hosts that it names and no others.",
};

/// A variable that `--allow-env` does not name.
pub static VARIABLE_NOT_ALLOWED: Rule = Rule {
    id: "variable-not-allowed",
    severity: Severity::Error,
    title: "a variable that `--allow-env` does not name",
    doc: "With `--allow-env` (AUTOSCALER_ALLOW_ENV) scripts read the environment variables that it names and no others; \
        a name may end with `*`.",
};

/// A program without `--allow-run`.
pub static PROGRAM_NOT_ALLOWED: Rule = Rule {
    id: "program-not-allowed",
    severity: Severity::Error,
    title: "a program without `--allow-run`",
    doc: "`measure::command`, `scale::command` and `notify::command` run programs only where the worker is started with \
        `--allow-run` (AUTOSCALER_ALLOW_RUN).",
};

/// A secret on its way to a host that it is not bound to.
pub static SECRET_ELSEWHERE: Rule = Rule {
    id: "secret-elsewhere",
    severity: Severity::Error,
    title: "a secret on its way to a host that it is not bound to",
    doc: "`env::secret(\"NAME\", #{ hosts: [\"hooks.slack.com\"] })` may be sent to these hosts and to no others.",
};

/// A variable that is not set where it must be.
pub static VARIABLE_NOT_SET: Rule = Rule {
    id: "variable-not-set",
    severity: Severity::Error,
    title: "a variable that is not set",
    doc: "`check --require-env` and `run` need every secret that the script asks for.",
};

/// A request that cannot be made.
pub static WRONG_REQUEST: Rule = Rule {
    id: "wrong-request",
    severity: Severity::Error,
    title: "a request that cannot be made",
    doc: "An address is whole (`https://…`), a method, a header and a body are ones that HTTP knows.",
};

/// `.send()` while the script loads.
pub static SEND_OUT_OF_PLACE: Rule = Rule {
    id: "send-out-of-place",
    severity: Severity::Error,
    title: "a request or a question to Redis where nothing is reached",
    doc: "Loading reaches nothing: requests are sent in functions of `measure`, `scale` and `notify`. In `decide` it is \
        an `impure-decision`.",
};

/// A file for a newer autoscaler, or a `requires` that says nothing.
pub static REQUIRED_VERSION: Rule = Rule {
    id: "required-version",
    severity: Severity::Error,
    title: "a file for a newer autoscaler, or a `requires` out of place",
    doc: "`requires(\"0.1\")` is the first thing in its file and names the oldest version that it runs on.",
};

/// A function `test_…` that is not run.
pub static TEST_NOT_RUN: Rule = Rule {
    id: "test-not-run",
    severity: Severity::Warning,
    title: "a test that is not run",
    doc: "The name of a test begins with `test_`; it takes no parameters and is not private.",
};

/// All of them.
pub(super) static REACH: &[&Rule] = &[
    &HOST_NOT_ALLOWED,
    &VARIABLE_NOT_ALLOWED,
    &PROGRAM_NOT_ALLOWED,
    &SECRET_ELSEWHERE,
    &VARIABLE_NOT_SET,
    &WRONG_REQUEST,
    &SEND_OUT_OF_PLACE,
    &REQUIRED_VERSION,
    &TEST_NOT_RUN,
];
