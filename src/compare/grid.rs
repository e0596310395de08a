//! Owns the runs of a comparison: every family with every value of its parameter, on every load, at every
//! boot. It keeps scores alone.

use super::corpus::Corpus;
use crate::simulate::{Candidate, Faults, Progress, Scores, Setting, run_each};

/// A family of policies: one, with a parameter that is tried out.
#[derive(Clone, Debug)]
pub struct Family {
    /// Its name.
    pub name: String,
    /// The parameter.
    pub parameter: String,
    /// The values of it, with the policy that each makes.
    pub members: Vec<Member>,
}

/// One value of a family's parameter.
#[derive(Clone, Debug)]
pub struct Member {
    /// As scripts write it.
    pub value: String,
    /// Whether it is the default.
    pub default: bool,
    /// The policy, for each boot.
    pub candidates: Vec<Candidate>,
}

/// One run: which it was, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The family.
    pub family: usize,
    /// The member of it.
    pub member: usize,
    /// The load.
    pub load: usize,
    /// The boot.
    pub boot: usize,
}

/// What came of all runs.
#[derive(Clone, Debug)]
pub struct Grid {
    /// The loads.
    pub corpus: Corpus,
    /// The families.
    pub families: Vec<Family>,
    /// Seconds that a dyno boots.
    pub boots: Vec<u64>,
    /// By load, family, member and boot.
    pub(super) scores: Vec<Scores>,
    /// What went wrong with decisions: the policy, and the first of it.
    pub wrong: Vec<(String, String)>,
}

impl Grid {
    /// What is to be simulated: the loads, without the first `warmup` seconds in the scores, or half of a load
    /// that is shorter than twice that.
    #[must_use]
    pub fn settings(corpus: &Corpus, warmup: u64, seed: u64) -> Vec<Setting> {
        let setting = |load: &super::Load| Setting {
            trace: std::sync::Arc::clone(&load.trace),
            seed,
            warmup: warmup.min(load.trace.seconds() / 2),
            faults: Faults::default(),
            exact: false,
            series_step: None,
        };
        corpus.loads.iter().map(setting).collect()
    }

    /// Simulates all of it, on all cores. `families` have a candidate for each of `boots`.
    ///
    /// # Errors
    /// The first thing that cannot be simulated.
    pub fn run(
        corpus: Corpus,
        families: Vec<Family>,
        boots: Vec<u64>,
        settings: &[Setting],
        progress: &Progress,
    ) -> Result<Self, String> {
        let candidates: Vec<Candidate> =
            families.iter().flat_map(|family| &family.members).flat_map(|member| member.candidates.clone()).collect();
        // Scales with their reasons are many, and nobody reads them.
        let all = run_each(settings, &candidates, progress, |run| {
            (run.scores, run.wrong.map(|(_, said)| (run.policy, said)))
        })?;
        let mut wrong: Vec<(String, String)> = Vec::new();
        let mut scores = Vec::with_capacity(all.len());
        for (one, said) in all {
            scores.push(one);
            if let Some((policy, said)) = said
                && !wrong.iter().any(|(known, _)| *known == policy)
            {
                wrong.push((policy, said));
            }
        }
        Ok(Self { corpus, families, boots, scores, wrong })
    }

    /// What came of one run.
    #[must_use]
    pub fn scores(&self, cell: Cell) -> Scores {
        let (per, before) = self.families.iter().enumerate().fold((0, 0), |(per, before), (at, family)| {
            (per + family.members.len(), if at < cell.family { before + family.members.len() } else { before })
        });
        let row = cell.load * per + before + cell.member;
        self.scores.get(row * self.boots.len() + cell.boot).copied().unwrap_or_default()
    }

    /// The member of `family` that has the default.
    #[must_use]
    pub fn default_of(&self, family: usize) -> usize {
        self.families[family].members.iter().position(|member| member.default).unwrap_or(0)
    }

    /// The mean over `loads` of a score.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn mean(&self, cell: Cell, loads: &[usize], of: impl Fn(&Scores) -> f64) -> f64 {
        let sum: f64 = loads.iter().map(|load| of(&self.scores(Cell { load: *load, ..cell }))).sum();
        sum / loads.len().max(1) as f64
    }
}
