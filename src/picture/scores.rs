//! Owns the scores as people read them: name, value, and what it means in one sentence. How they are
//! defined is in docs/simulating.md.

use crate::simulate::Scores;

/// A score.
#[derive(Clone, Copy, Debug)]
pub struct Score {
    /// With its unit.
    pub name: &'static str,
    /// What it says, and what is good.
    pub means: &'static str,
    /// Its value as written; nothing where there is none.
    pub value: fn(&Scores) -> String,
}

fn two(value: f64) -> String {
    format!("{value:.2}")
}

fn three_waits(scores: &Scores) -> String {
    scores.wait_ms.map(|ms| format!("{ms:.0}")).join(" / ")
}

/// All of them, the ones that matter most first.
pub const SCORES: [Score; 13] = [
    Score {
        name: "late %",
        means: "Requests that waited longer than the objective allows or were turned away. Less is better.",
        value: |scores| two(scores.late_percent),
    },
    Score {
        name: "dropped %",
        means: "Requests that were turned away. Less is better.",
        value: |scores| two(scores.dropped_percent),
    },
    Score {
        name: "wait p50 / p95 / p99, ms",
        means: "Half, 95 % and 99 % of the requests waited no longer. Less is better.",
        value: three_waits,
    },
    Score {
        name: "cost",
        means: "Dynos paid for by dynos that an oracle, whose dynos need no boot, would have paid for. 1 is the oracle; \
                below it requests are late.",
        value: |scores| format!("{:.3}", scores.cost_ratio),
    },
    Score {
        name: "dyno hours",
        means: "Hours of dynos paid for, booting ones included.",
        value: |scores| format!("{:.1}", scores.dyno_hours),
    },
    Score {
        name: "money",
        means: "The price of the dyno hours.",
        value: |scores| scores.money.map_or_else(String::new, two),
    },
    Score {
        name: "θU %",
        means: "Dynos that were missing, as a share of demand, on average over time. Less is better.",
        value: |scores| two(scores.theta_u),
    },
    Score {
        name: "θO %",
        means: "Dynos that were too many, as a share of demand, on average over time. Less is cheaper.",
        value: |scores| two(scores.theta_o),
    },
    Score {
        name: "τU %",
        means: "Time in which dynos were missing. Less is better.",
        value: |scores| two(scores.tau_u),
    },
    Score {
        name: "τO %",
        means: "Time in which there were too many. Less is cheaper.",
        value: |scores| two(scores.tau_o),
    },
    Score {
        name: "υ %",
        means: "Time in which dynos and demand did not move the same way. Less is steadier.",
        value: |scores| two(scores.instability),
    },
    Score {
        name: "scales per day",
        means: "How often the number of dynos was changed.",
        value: |scores| format!("{:.1}", scores.scalings_per_day),
    },
    Score {
        name: "reversals",
        means: "Scales against the direction of the one before: many of them are an oscillation.",
        value: |scores| scores.reversals.to_string(),
    },
];
