//! Owns the tables of a comparison as Markdown, and as an array for machines.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::choice::{Chosen, LATE_PERCENT, cheapest, one_setting};
use super::corpus::Group;
use super::grid::{Cell, Grid};
use crate::simulate::Scores;

/// The text of the block `name`, with its tables.
///
/// # Errors
/// When there is no such block.
pub fn block(grid: &Grid, name: &str) -> Result<String, String> {
    Ok(match name {
        "traces" => traces(grid),
        "defaults" => by_boot(grid, defaults),
        "each" => by_boot(grid, each),
        "one-setting" => by_boot(grid, for_all),
        "equal-service" => by_boot(grid, equal_service),
        "sweeps" => sweeps(grid),
        _ => return Err(format!("there is no block `{name}`; there are {}", super::BLOCKS.join(", "))),
    })
}

/// Every run as an object.
pub(super) fn json(grid: &Grid) -> Json {
    let mut all = Vec::new();
    for (load, of) in grid.corpus.loads.iter().enumerate() {
        for (family, policy) in grid.families.iter().enumerate() {
            for (member, setting) in policy.members.iter().enumerate() {
                for (boot, seconds) in grid.boots.iter().enumerate() {
                    let scores = grid.scores(Cell { family, member, load, boot });
                    all.push(json!({
                        "trace": of.name,
                        "group": of.group.name(),
                        "policy": policy.name,
                        "parameter": policy.parameter,
                        "value": setting.value,
                        "default": setting.default,
                        "boot_seconds": seconds,
                        "theta_u": scores.theta_u,
                        "theta_o": scores.theta_o,
                        "late_percent": scores.late_percent,
                        "cost_ratio": scores.cost_ratio,
                        "scalings_per_day": scores.scalings_per_day,
                        "reversals": scores.reversals,
                    }));
                }
            }
        }
    }
    all.into()
}

impl Grid {
    /// Every run as an object, for machines.
    #[must_use]
    pub fn json(&self) -> Json {
        json(self)
    }
}

fn table(heads: &[String], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut out = line(heads);
    let _ = writeln!(out, "|{}", "---|".repeat(heads.len()));
    out.extend(rows.iter().map(|row| line(row)));
    out
}

fn heads(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

fn by_boot(grid: &Grid, of: fn(&Grid, usize) -> String) -> String {
    let one = |(boot, seconds): (usize, &u64)| format!("Boot of {seconds} s:\n\n{}", of(grid, boot));
    grid.boots.iter().enumerate().map(one).collect::<Vec<_>>().join("\n")
}

fn traces(grid: &Grid) -> String {
    let rows: Vec<Vec<String>> = grid
        .corpus
        .loads
        .iter()
        .map(|load| {
            let smoothed = if load.smoothed > 0.0 { format!("{:.0} s", load.smoothed) } else { "no".into() };
            vec![
                format!("`{}`", load.name),
                load.group.name().into(),
                format!("{:.0}", load.days()),
                smoothed,
                format!("{:.0} %", 100.0 * load.growth),
            ]
        })
        .collect();
    table(&heads(&["load", "group", "days", "smoothed", "grows within 5 min by more than, 1 % of the time"]), &rows)
}

/// One of the scores.
type Score = fn(&Scores) -> f64;

/// The scores of all policies at their defaults: means over each group.
fn defaults(grid: &Grid, boot: usize) -> String {
    let columns: [(&str, Score, usize); 8] = [
        ("late %", |scores| scores.late_percent, 2),
        ("cost", |scores| scores.cost_ratio, 3),
        ("θU %", |scores| scores.theta_u, 2),
        ("θO %", |scores| scores.theta_o, 1),
        ("τU %", |scores| scores.tau_u, 2),
        ("τO %", |scores| scores.tau_o, 1),
        ("υ %", |scores| scores.instability, 1),
        ("scales/day", |scores| scores.scalings_per_day, 0),
    ];
    let mut heads = heads(&["loads", "policy"]);
    heads.extend(columns.iter().map(|(name, ..)| (*name).to_owned()));
    let mut rows = Vec::new();
    for group in Group::ALL {
        let loads = grid.corpus.of(group);
        if loads.is_empty() {
            continue;
        }
        for (family, policy) in grid.families.iter().enumerate() {
            let cell = Cell { family, member: grid.default_of(family), load: 0, boot };
            let mut row = vec![group.name().to_owned(), format!("`{}`", policy.name)];
            row.extend(columns.iter().map(|(_, of, digits)| format!("{:.digits$}", grid.mean(cell, &loads, of))));
            rows.push(row);
        }
    }
    table(&heads, &rows)
}

/// Lateness and cost of all policies at their defaults, load by load.
fn each(grid: &Grid, boot: usize) -> String {
    let mut heads = heads(&["late % / cost"]);
    heads.extend(grid.corpus.loads.iter().map(|load| format!("`{}`", load.name)));
    let row = |(family, policy): (usize, &super::Family)| {
        let member = grid.default_of(family);
        let mut row = vec![format!("`{}`", policy.name)];
        row.extend((0..grid.corpus.loads.len()).map(|load| {
            let scores = grid.scores(Cell { family, member, load, boot });
            format!("{:.2} / {:.2}", scores.late_percent, scores.cost_ratio)
        }));
        row
    };
    table(&heads, &grid.families.iter().enumerate().map(row).collect::<Vec<_>>())
}

fn set_to(grid: &Grid, family: usize, chosen: Chosen) -> String {
    let policy = &grid.families[family];
    format!("{} {}", policy.parameter, policy.members[chosen.member].value)
}

/// One setting for all smooth loads, cheapest first.
fn for_all(grid: &Grid, boot: usize) -> String {
    let loads = grid.corpus.ruling();
    let mut all: Vec<(usize, Option<Chosen>)> =
        (0..grid.families.len()).map(|family| (family, one_setting(grid, family, boot, &loads))).collect();
    all.sort_by(|a, b| {
        let cost = |chosen: Option<Chosen>| chosen.map_or(f64::INFINITY, |chosen| chosen.cost);
        cost(a.1).total_cmp(&cost(b.1))
    });
    let row = |(family, chosen): (usize, Option<Chosen>)| {
        let name = format!("`{}`", grid.families[family].name);
        let Some(chosen) = chosen else {
            return [vec![name, "none serves".into()], vec![String::from("-"); 5]].concat();
        };
        let cell = Cell { family, member: chosen.member, load: 0, boot };
        vec![
            name,
            set_to(grid, family, chosen),
            format!("{:.3}", chosen.cost),
            format!("{:.2}", chosen.late),
            format!("{:.2}", chosen.worst),
            format!("{:.2}", grid.mean(cell, &loads, |scores| scores.theta_u)),
            format!("{:.0}", grid.mean(cell, &loads, |scores| scores.scalings_per_day)),
        ]
    };
    table(
        &heads(&["policy", "setting", "cost", "late %", "late %, worst load", "θU %", "scales/day"]),
        &all.into_iter().map(row).collect::<Vec<_>>(),
    )
}

/// The cost of each family's cheapest setting that serves, load by load.
fn equal_service(grid: &Grid, boot: usize) -> String {
    let mut heads = heads(&["cost"]);
    heads.extend(grid.corpus.loads.iter().map(|load| format!("`{}`", load.name)));
    let ruling = grid.corpus.ruling();
    heads.push("mean, smooth".into());
    let row = |(family, policy): (usize, &super::Family)| {
        let chosen: Vec<Option<Chosen>> =
            (0..grid.corpus.loads.len()).map(|load| cheapest(grid, family, boot, load)).collect();
        let mut row = vec![format!("`{}`", policy.name)];
        row.extend(chosen.iter().map(|chosen| match chosen {
            Some(one) => format!("{:.3} ({})", one.cost, policy.members[one.member].value),
            None => "-".into(),
        }));
        let costs: Option<Vec<f64>> = ruling.iter().map(|load| chosen[*load].map(|one| one.cost)).collect();
        #[allow(clippy::cast_precision_loss)]
        let mean = |costs: Vec<f64>| costs.iter().sum::<f64>() / costs.len().max(1) as f64;
        row.push(costs.filter(|all| !all.is_empty()).map_or_else(|| "-".into(), |all| format!("{:.3}", mean(all))));
        row
    };
    table(&heads, &grid.families.iter().enumerate().map(row).collect::<Vec<_>>())
}

fn sweeps(grid: &Grid) -> String {
    let row = |family: &super::Family| {
        let values = family.members.iter().map(|member| member.value.as_str()).collect::<Vec<_>>().join(", ");
        let default = family.members.iter().find(|member| member.default);
        let default = default.map_or_else(String::new, |member| member.value.clone());
        vec![format!("`{}`", family.name), format!("`{}`", family.parameter), default, values]
    };
    let rows: Vec<Vec<String>> = grid.families.iter().map(row).collect();
    format!(
        "{}\nA setting serves where at most {LATE_PERCENT} % of the requests are late.\n",
        table(&heads(&["policy", "parameter", "default", "tried"]), &rows)
    )
}
