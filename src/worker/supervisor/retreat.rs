//! Owns going back to an earlier generation: asked for, since a trial ends, or since functions of a saved script
//! fail. The generation before is at hand, so that nothing can fail when it is needed; only after a restart it is
//! loaded as it was kept.

use std::sync::Arc;

use super::{Supervisor, announce};
use crate::settings::Report;
use crate::worker::generation::{Generation, shared_targets};
use crate::worker::probation::Failing;
use crate::worker::unit::{Aside, AsideKind, Unit};

impl Supervisor {
    /// Puts the generation before in force, which stays until the files change; its number.
    pub(super) fn go_back(&mut self, index: usize, why: &str, by_itself: bool) -> Result<u64, String> {
        let unit = &self.units[index];
        let script = announce::name(&unit.source);
        let Some(previous) = unit.previous.clone() else {
            return Err(format!("there is no generation before {} of {script} that still loads", unit.generation.id));
        };
        self.stands_alone(index, &previous)?;
        let unit = &mut self.units[index];
        unit.previous = None;
        let before = std::mem::replace(&mut unit.generation, previous);
        unit.since = self.world.clock.now();
        // Whoever goes back does not want what is being checked, either; a failure says nothing of it.
        let checking = if by_itself { None } else { unit.checking.take() };
        let disk = checking.map_or_else(|| before.files.clone(), |checking| checking.generation.files);
        unit.aside = Some(Aside { disk, kind: AsideKind::RolledBack(why.to_owned()) });
        let id = unit.generation.id;
        self.apply();
        self.follow_files();
        self.announce_back(index, &before, &format!("rolled back {why}"), by_itself);
        Ok(id)
    }

    /// Sees to it that there is a generation to go back to where this worker has seen none: the newest that is kept
    /// and is another one.
    pub(super) async fn remember_previous(&mut self, index: usize) {
        let unit = &self.units[index];
        if unit.previous.is_some() {
            return;
        }
        let (source, loading, current) = (unit.source.clone(), self.loading.clone(), Arc::clone(&unit.generation));
        let Ok(kept) = self.world.state.generations(&super::start::unit_name(&source)).await else { return };
        let earlier = move || {
            let others = kept.iter().filter(|one| one.id < current.id && one.hash != current.version.hash);
            others.into_iter().find_map(|one| Generation::load_kept(&source, one, &loading).ok())
        };
        let earlier = tokio::task::spawn_blocking(earlier).await.ok().flatten();
        self.units[index].previous = earlier.map(Arc::new);
    }

    /// Two live pipelines of different units may not scale one target; since `generation` ran, another unit may
    /// have taken one up.
    fn stands_alone(&self, index: usize, generation: &Generation) -> Result<(), String> {
        let others = self.units.iter().enumerate().filter(|(other, _)| *other != index);
        let mut specs: Vec<_> = others.flat_map(|(_, unit)| unit.generation.specs.clone()).collect();
        specs.extend(generation.specs.iter().cloned());
        let mut report = Report::default();
        shared_targets(&specs, &mut report);
        if report.has_errors() { Err(announce::told(&report)) } else { Ok(()) }
    }

    /// Ends the trial of unit `index`, if there is one; the number of the generation that comes back.
    pub(super) fn revert(&mut self, index: usize, why: &str, by_itself: bool) -> Option<u64> {
        let unit = &mut self.units[index];
        let Some(Aside { disk, kind: AsideKind::Trial { name, base, rolled_back, .. } }) = unit.aside.take() else {
            return None;
        };
        let before = std::mem::replace(&mut unit.generation, base);
        unit.since = self.world.clock.now();
        unit.aside = rolled_back.map(|why| Aside { disk, kind: AsideKind::RolledBack(why) });
        let id = unit.generation.id;
        self.apply();
        self.follow_files();
        self.announce_back(index, &before, &format!("the trial of {name} is over, {why}"), by_itself);
        Some(id)
    }

    /// Ends every trial whose time is over.
    pub(super) fn end_trials(&mut self) {
        let now = tokio::time::Instant::now();
        for index in 0..self.units.len() {
            if self.units[index].trial_end().is_some_and(|end| end <= now) {
                self.revert(index, "nobody confirmed it in time", false);
            }
        }
    }

    /// Goes back by itself where the script says so.
    pub(super) async fn judge_failing(&mut self, failing: &Failing) {
        let of_unit =
            |unit: &Unit| unit.generation.id == failing.generation && runs(&unit.generation, &failing.pipeline);
        let Some(index) = self.units.iter().position(of_unit) else { return };
        let limit = self.units[index].generation.rollback_on_failure;
        // One that has worked for as long as it may fail is not the script's fault.
        if limit == 0 || failing.ticks < limit || failing.good >= limit {
            return;
        }
        let Failing { pipeline, ticks, error, .. } = failing;
        let times = if *ticks == 1 { "a tick".into() } else { format!("{ticks} ticks in a row") };
        let why = format!("by itself: `{pipeline}` failed at {times}, which it did not before: {error}");
        if self.revert(index, &why, true).is_some() {
            return;
        }
        if self.units[index].previous.is_none() {
            return;
        }
        match self.go_back(index, &why, true) {
            Ok(_) => self.keep_gone_back(index).await,
            Err(error) => {
                tracing::error!(pipeline = &**pipeline, "the generation before cannot come back: {error}");
            }
        }
    }
}

fn runs(generation: &Arc<Generation>, pipeline: &Arc<str>) -> bool {
    generation.specs.iter().any(|spec| spec.name == *pipeline)
}

/// Waits until the first trial ends; without one forever.
pub(super) async fn trial_ends(units: &[Unit]) {
    match units.iter().filter_map(Unit::trial_end).min() {
        Some(end) => tokio::time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}
