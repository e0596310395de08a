//! Owns the policies that can be simulated by name, without a script, as the scripts that they are; and
//! the settings that go by one word. It loads nothing.

use super::model::Described;
use crate::settings::did_you_mean;

/// A policy by name: a script with one pipeline, in which the parameter that is tried out stands as `{target}`.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// Its name, and its pipeline's.
    pub name: &'static str,
    /// The script, with a placeholder for the parameter, its name in braces.
    script: &'static str,
    /// What is tried out when families of policies are compared.
    pub sweep: Sweep,
}

/// The parameter of a family of policies: the nearer to its first value, the more dynos.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    /// As the placeholder names it.
    pub parameter: &'static str,
    /// As scripts write it.
    pub default: &'static str,
    /// What is tried, as scripts write it; the default is one of them.
    pub values: &'static [&'static str],
}

/// What is tried of a target of utilization.
const TARGETS: Sweep =
    Sweep { parameter: "target", default: "0.7", values: &["0.4", "0.5", "0.6", "0.65", "0.7", "0.75", "0.8", "0.9"] };

/// The same for policies whose original has no reserve.
const SHARES: Sweep =
    Sweep { parameter: "target", default: "1.0", values: &["0.4", "0.5", "0.6", "0.7", "0.75", "0.8", "0.9", "1.0"] };

/// What is tried of a reserve on top of the load, in percent; the largest first.
const MARGINS: Sweep = Sweep {
    parameter: "margin_percent",
    default: "10",
    values: &["100", "75", "50", "35", "20", "10", "5", "0", "-5"],
};

/// What is tried of the waiting time above which dynos are added.
const WAITS: Sweep =
    Sweep { parameter: "up_ms", default: "100", values: &["10", "25", "50", "100", "200", "400", "1000"] };

/// What is tried of the response time that is desired.
const RESPONSE_TIMES: Sweep =
    Sweep { parameter: "desired_ms", default: "500", values: &["310", "330", "360", "400", "500", "700", "1000"] };

/// What is tried of the worth of a request that is not late: the lower, the more dynos.
const PRICES: Sweep = Sweep {
    parameter: "price",
    default: "1.0",
    values: &["0.1", "0.25", "0.5", "0.75", "1.0", "1.5", "2.0", "4.0", "8.0", "16.0"],
};

/// A policy and its script.
macro_rules! named {
    ($name:literal, $sweep:expr) => {
        Named { name: $name, sweep: $sweep, script: include_str!(concat!("policies/", $name, ".rhai")) }
    };
}

/// All of them. Each is a file of `policies/`, named for it.
pub const NAMED: &[Named] = &[
    named!("threshold-consec", TARGETS),
    named!("threshold-avg5m", TARGETS),
    named!("hpa", TARGETS),
    named!("target-tracking", TARGETS),
    named!("kpa", TARGETS),
    named!("react", SHARES),
    named!("adapt", SHARES),
    named!("reg", SHARES),
    named!("erlang", MARGINS),
    named!("seasonal", MARGINS),
    named!("queue-time", WAITS),
    named!("p95-response", RESPONSE_TIMES),
    named!("steady", PRICES),
];

impl Named {
    /// The script with `value` for its parameter, for dynos that boot so long: policies that look ahead must be
    /// told, where `{boot_seconds}` stands.
    #[must_use]
    pub fn script(&self, value: &str, boot_seconds: u64) -> String {
        let script = self.script.replace(&format!("{{{}}}", self.sweep.parameter), value);
        script.replace("{boot_seconds}", &boot_seconds.to_string())
    }
}

/// The script of the policy `name`, with the default of its parameter, for dynos that boot so long.
///
/// # Errors
/// When there is none.
pub fn policy(name: &str, boot_seconds: u64) -> Result<String, String> {
    named(name).map(|found| found.script(found.sweep.default, boot_seconds))
}

/// The policy `name`.
///
/// # Errors
/// When there is none.
pub fn named(name: &str) -> Result<&'static Named, String> {
    NAMED.iter().find(|known| known.name == name).ok_or_else(|| {
        let names = || NAMED.iter().map(|known| known.name);
        let help = did_you_mean(name, names())
            .unwrap_or_else(|| format!("there are {}", names().collect::<Vec<_>>().join(", ")));
        format!("there is no policy `{name}`: {help}")
    })
}

/// Settings in one word.
#[derive(Clone, Debug, PartialEq)]
pub struct Preset {
    /// The app.
    pub described: Described,
    /// A trace is scaled so that this quantile of it …
    pub quantile: f64,
    /// … is so many dynos' worth.
    pub dynos: f64,
    /// Days that are not scored.
    pub warmup_days: f64,
    /// The bounds of every pipeline.
    pub bounds: (u32, u32),
}

impl Preset {
    /// The settings in which the policies of the literature were compared: docs/simulating.md.
    #[must_use]
    pub fn bar() -> Self {
        Self {
            described: Described {
                rate_per_dyno: Some(10.0),
                service_ms: Some(100.0),
                boot_seconds: Some(60.0),
                slo_wait_seconds: Some(0.4),
                slo_percent: Some(5.0),
                ..Described::default()
            },
            quantile: 0.999,
            dynos: 25.0,
            warmup_days: 2.0,
            bounds: (1, 100),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_parameter_that_is_in_its_script_and_a_default_that_is_tried() {
        for (at, known) in NAMED.iter().enumerate() {
            let Sweep { parameter, default, values } = known.sweep;
            assert!(known.script.contains(&format!("{{{parameter}}}")), "{}: no {{{parameter}}}", known.name);
            assert!(values.contains(&default), "{}: {default} is not tried", known.name);
            assert!(values.len() > 1, "{}", known.name);
            assert!(!NAMED[..at].iter().any(|other| other.name == known.name), "{} twice", known.name);
            assert_ne!(known.script(values[0], 60), known.script(values[1], 60));
        }
        assert!(named("hap").unwrap_err().contains("hpa"));
    }
}
