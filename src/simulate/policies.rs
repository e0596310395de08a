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

/// All of them.
pub const NAMED: &[Named] = &[
    Named {
        name: "threshold-consec",
        sweep: TARGETS,
        script: r#"pipeline("threshold-consec", #{
    measure: measure::custom(#{ measurement_interval_in_seconds: 30 }, || 0),
    decide: decide::consecutive_threshold(#{
        number_of_fails_to_scale_up_after: 3,
        number_of_passes_to_scale_down_after: 5,
        min_measurement_value: {target} - 0.20,
        max_measurement_value: {target} + 0.05,
    }),
    min_dynos: 1,
    max_dynos: 100,
    scale: #{ current: || 1, scale_to: |n| () },
    simulate: #{ signal: "utilization" },
});"#,
    },
    Named {
        name: "threshold-avg5m",
        sweep: TARGETS,
        script: r#"pipeline("threshold-avg5m", #{
    measure: measure::custom(#{ measurement_interval_in_seconds: 30 }, || 0),
    decide: decide::average_threshold(#{
        number_of_measurements_to_average: 10,
        min_measurement_value: {target} - 0.20,
        max_measurement_value: {target} + 0.05,
    }),
    min_dynos: 1,
    max_dynos: 100,
    scale: #{ current: || 1, scale_to: |n| () },
    simulate: #{ signal: "utilization" },
});"#,
    },
    Named {
        name: "hpa",
        sweep: TARGETS,
        script: r#"import "std/policy/hpa" as hpa;
pipeline("hpa", #{
    measure: measure::custom(#{ measurement_interval_in_seconds: 15 }, || 0),
    decide: hpa::policy(#{ target: {target}, min_dynos: 1, max_dynos: 100 }),
    scale: #{ current: || 1, scale_to: |n| () },
    simulate: #{ signal: "utilization", signal_window_seconds: 30, signal_delay_seconds: 15 },
});"#,
    },
    Named {
        name: "steady",
        sweep: Sweep {
            parameter: "price",
            default: "1.0",
            values: &["0.1", "0.25", "0.5", "1.0", "2.0", "4.0", "8.0", "16.0"],
        },
        script: r#"import "std/policy/steady" as steady;
pipeline("steady", #{
    measure: measure::custom(#{ measurement_interval_in_seconds: 15 }, || 0),
    decide: steady::policy(#{ price: {price}, min_dynos: 1, max_dynos: 100 }),
    scale: #{ current: || 1, scale_to: |n| () },
    simulate: #{ signals: #{ rate: "arrival_rate", utilization: "utilization", queue: "queue" } },
});"#,
    },
];

impl Named {
    /// The script with `value` for its parameter.
    #[must_use]
    pub fn script(&self, value: &str) -> String {
        self.script.replace(&format!("{{{}}}", self.sweep.parameter), value)
    }
}

/// The script of the policy `name`, with the default of its parameter.
///
/// # Errors
/// When there is none.
pub fn policy(name: &str) -> Result<String, String> {
    named(name).map(|found| found.script(found.sweep.default))
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
            assert_ne!(known.script(values[0]), known.script(values[1]));
        }
        assert!(named("hap").unwrap_err().contains("hpa"));
    }
}
