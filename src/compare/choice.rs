//! Owns the rules by which a setting is chosen from a family's: one for all loads, and one for each with
//! hindsight. What reaches the objective nowhere is chosen nowhere.

use super::grid::{Cell, Grid};

/// A setting serves when no more of the requests are late.
pub const LATE_PERCENT: f64 = 1.0;

/// A setting that was chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chosen {
    /// Which of the family's.
    pub member: usize,
    /// Its mean cost.
    pub cost: f64,
    /// Its mean lateness, in percent.
    pub late: f64,
    /// That of the worst load.
    pub worst: f64,
}

/// One setting of `family` for all `loads`: the cheapest on average whose worst load is served.
#[must_use]
pub fn one_setting(grid: &Grid, family: usize, boot: usize, loads: &[usize]) -> Option<Chosen> {
    if loads.is_empty() {
        return None;
    }
    let chosen = |member: usize| {
        let cell = Cell { family, member, load: 0, boot };
        let late = |load: &usize| grid.scores(Cell { load: *load, ..cell }).late_percent;
        Chosen {
            member,
            cost: grid.mean(cell, loads, |scores| scores.cost_ratio),
            late: grid.mean(cell, loads, |scores| scores.late_percent),
            worst: loads.iter().map(late).fold(0.0, f64::max),
        }
    };
    let all = (0..grid.families[family].members.len()).map(chosen);
    all.filter(|chosen| chosen.worst <= LATE_PERCENT).min_by(|a, b| a.cost.total_cmp(&b.cost))
}

/// The cheapest setting of `family` that serves `load`.
#[must_use]
pub fn cheapest(grid: &Grid, family: usize, boot: usize, load: usize) -> Option<Chosen> {
    one_setting(grid, family, boot, &[load])
}
