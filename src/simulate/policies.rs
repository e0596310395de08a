//! Owns the policies that can be simulated by name, without a script, as the scripts that they are; and
//! the settings that go by one word. It loads nothing.

use super::model::Described;
use crate::settings::did_you_mean;

/// Policies by name, each a script with one pipeline.
const NAMED: [(&str, &str); 3] = [
    (
        "threshold-consec",
        r#"pipeline("threshold-consec", #{
    measure: measure::custom(#{ measurement_interval_in_seconds: 30 }, || 0),
    decide: decide::consecutive_threshold(#{
        number_of_fails_to_scale_up_after: 3,
        number_of_passes_to_scale_down_after: 5,
        min_measurement_value: 0.50,
        max_measurement_value: 0.75,
    }),
    min_dynos: 1,
    max_dynos: 100,
    scale: #{ current: || 1, scale_to: |n| () },
    simulate: #{ signal: "utilization" },
});"#,
    ),
    (
        "threshold-avg5m",
        r#"pipeline("threshold-avg5m", #{
    measure: measure::custom(#{ measurement_interval_in_seconds: 30 }, || 0),
    decide: decide::average_threshold(#{
        number_of_measurements_to_average: 10,
        min_measurement_value: 0.50,
        max_measurement_value: 0.75,
    }),
    min_dynos: 1,
    max_dynos: 100,
    scale: #{ current: || 1, scale_to: |n| () },
    simulate: #{ signal: "utilization" },
});"#,
    ),
    (
        "hpa",
        r#"import "std/policy/hpa" as hpa;
pipeline("hpa", #{
    measure: measure::custom(#{ measurement_interval_in_seconds: 15 }, || 0),
    decide: hpa::policy(#{ target: 0.7, min_dynos: 1, max_dynos: 100 }),
    scale: #{ current: || 1, scale_to: |n| () },
    simulate: #{ signal: "utilization", signal_window_seconds: 30, signal_delay_seconds: 15 },
});"#,
    ),
];

/// The script of the policy `name`.
///
/// # Errors
/// When there is none.
pub fn policy(name: &str) -> Result<&'static str, String> {
    let found = NAMED.iter().find(|(known, _)| *known == name);
    found.map(|(_, script)| *script).ok_or_else(|| {
        let names = || NAMED.iter().map(|(name, _)| *name);
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
