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

#[cfg(test)]
mod tests {
    use super::super::{Corpus, Family, Member};
    use super::*;
    use crate::simulate::Scores;

    /// One family, on as many loads as there are rows, a value for each column: late and cost.
    fn grid(rows: &[&[(f64, f64)]]) -> Grid {
        let member = |at: usize| Member { value: at.to_string(), default: at == 0, candidates: Vec::new() };
        let members = (0..rows[0].len()).map(member).collect();
        let score = |(late_percent, cost_ratio): &(f64, f64)| Scores {
            late_percent: *late_percent,
            cost_ratio: *cost_ratio,
            ..Scores::default()
        };
        Grid {
            corpus: Corpus { loads: Vec::new() },
            families: vec![Family { name: "a".into(), parameter: "target".into(), members }],
            boots: vec![60],
            scores: rows.iter().flat_map(|row| row.iter().map(score)).collect(),
            wrong: Vec::new(),
        }
    }

    #[test]
    fn the_cheapest_that_serves_is_chosen_for_each_load_and_for_all() {
        // The third is cheapest, and too late on the second load; the second serves both, on average cheaper than
        // the first.
        let grid = grid(&[&[(0.0, 2.0), (0.4, 1.4), (0.9, 1.1)], &[(0.2, 1.2), (1.0, 1.6), (1.1, 1.0)]]);
        let all = one_setting(&grid, 0, 0, &[0, 1]).unwrap();
        assert_eq!((all.member, all.cost, all.worst), (1, 1.5, 1.0));
        assert!((all.late - 0.7).abs() < 1e-9);
        assert_eq!([0, 1].map(|load| cheapest(&grid, 0, 0, load).unwrap().member), [2, 0]);
        assert_eq!(one_setting(&grid, 0, 0, &[]), None);
    }

    #[test]
    fn what_serves_nowhere_is_not_chosen() {
        let grid = grid(&[&[(1.2, 1.0), (3.0, 0.9)]]);
        assert_eq!(cheapest(&grid, 0, 0, 0), None);
    }
}
