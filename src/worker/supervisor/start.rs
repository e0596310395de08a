//! Owns the start of a worker on what its state knows: numbers of generations go on where they were, and a script
//! that does not load gives way to the last version that did.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::{Supervisor, Unstartable, announce};
use crate::pipeline::{EventKind, Phase};
use crate::script::{self, Source};
use crate::settings::Report;
use crate::state::{InsteadOf, KeptGeneration};
use crate::worker::generation::{Generation, Loading, Refused};
use crate::worker::unit::{Aside, AsideKind, LastGood, Unit};
use crate::world::World;

impl Supervisor {
    /// Loads every unit of the script; in place of one that does not load the newest version in the state that
    /// does. In a folder the others start where there is none. Nothing runs yet.
    ///
    /// # Errors
    /// Everything that is wrong, where nothing can run; where `strict`, as soon as anything is wrong.
    pub async fn start(loading: Loading, world: Arc<World>, strict: bool) -> Result<Self, Unstartable> {
        let sources = script::sources(&loading.options.script).or_else(|why| {
            // A script that is gone has a last good version too.
            let path = loading.options.script.clone();
            let gone = path != Path::new("-") && !path.is_dir();
            if gone { Ok(vec![Source { path, text: None, unit: None }]) } else { Err(Unstartable::unreadable(*why)) }
        })?;
        let mut worker = Self::empty(loading, world);
        let mut kept = Vec::new();
        for source in &sources {
            let known = worker.world.state.generations(&unit_name(source)).await.unwrap_or_else(|error| {
                tracing::error!("earlier versions of {} cannot be read: {error}", announce::name(source));
                Vec::new()
            });
            worker.newest = known.iter().map(|one| one.id).max().unwrap_or(0).max(worker.newest);
            kept.push(known);
        }
        let mut problems = Unstartable { report: Report::default(), files: Vec::new() };
        for (source, kept) in sources.into_iter().zip(kept) {
            let newest = worker.newest;
            match worker.next_generation(&source) {
                Ok(mut generation) => {
                    let now = worker.world.clock.now();
                    if let Some((back, why)) = worker.gone_back(&source, &generation, &kept) {
                        worker.newest = newest;
                        let aside = Some(Aside { disk: generation.files, kind: AsideKind::RolledBack(why) });
                        worker.units.push(Unit { aside, ..Unit::new(source, back, now) });
                        continue;
                    }
                    let same = kept.first().filter(|newest| newest.hash == generation.version.hash);
                    if let Some(same) = same {
                        generation.renumber(same.id);
                        worker.newest = newest;
                    }
                    worker.units.push(Unit::new(source, generation, now));
                }
                Err(refused) => {
                    problems.report.extend(refused.report.clone());
                    problems.files.extend(refused.files.iter().cloned());
                    let good = if strict { None } else { worker.last_good(&source, &kept) };
                    let now = worker.world.clock.now();
                    worker.units.push(Unit::refused_at_start(source, good, refused, now));
                }
            }
        }
        let all_broken = worker.units.iter().all(|unit| unit.generation.id == 0);
        if problems.report.has_errors() && (strict || all_broken) {
            return Err(problems);
        }
        worker.in_force.send_replace(worker.specs());
        worker.show_units();
        Ok(worker)
    }

    /// The version in `kept` that a worker went back to, and why, where what is on `disk` is still what it went back
    /// from.
    fn gone_back(&self, source: &Source, disk: &Generation, kept: &[KeptGeneration]) -> Option<(Generation, String)> {
        let newest = kept.iter().map(|one| one.id).max()?;
        let back = kept.iter().find_map(|one| {
            let instead_of = one.instead_of.as_ref()?;
            (instead_of.hash == disk.version.hash && newest <= instead_of.id).then_some((one, instead_of))
        });
        let (one, instead_of) = back?;
        let loaded = Generation::load_kept(source, one, &self.loading);
        match loaded.and_then(|generation| self.unshared(source, generation)) {
            Ok(generation) => Some((generation, instead_of.why.clone())),
            Err(refused) => {
                let (script, why) = (announce::name(source), announce::told(&refused.report));
                tracing::error!("generation {} of {script}, which was gone back to, loads no more: {why}", one.id);
                None
            }
        }
    }

    /// Keeps that unit `index` went back, so that it stays so over a restart.
    pub(super) async fn keep_gone_back(&self, index: usize) {
        let unit = &self.units[index];
        let Some(Aside { disk, kind: AsideKind::RolledBack(why) }) = &unit.aside else { return };
        let (state, name) = (&self.world.state, unit_name(&unit.source));
        let kept = state.generations(&name).await.unwrap_or_default();
        let newest = kept.iter().map(|one| one.id).max().unwrap_or_default();
        let Some(one) = kept.into_iter().find(|one| one.id == unit.generation.id) else { return };
        let files = crate::worker::version::files(&unit.source, disk);
        let hash = crate::worker::version::version(&unit.source, &files).hash;
        let instead_of = Some(InsteadOf { id: newest, hash, why: why.clone() });
        if let Err(error) = state.keep_generation(KeptGeneration { instead_of, ..one }).await {
            tracing::warn!("a restart takes up the newer {} again: {error}", announce::name(&unit.source));
        }
    }

    /// The newest version in `kept` that loads today.
    fn last_good(&self, source: &Source, kept: &[KeptGeneration]) -> Option<(Generation, LastGood)> {
        kept.iter().find_map(|one| {
            let generation = Generation::load_kept(source, one, &self.loading).ok()?;
            let generation = self.unshared(source, generation).ok()?;
            Some((generation, LastGood { accepted: one.at, told: Instant::now() }))
        })
    }

    /// Keeps the versions in force, so that they can be started again.
    pub(super) async fn keep_generations(&self) {
        for unit in &self.units {
            self.keep_generation(unit).await;
        }
    }

    /// Keeps the version of `unit` that is in force, unless it is the newest of those that are kept.
    pub(super) async fn keep_generation(&self, unit: &Unit) {
        let generation = &unit.generation;
        if generation.id == 0 || unit.last_good.is_some() || unit.aside.is_some() {
            return;
        }
        let state = &self.world.state;
        let name = unit_name(&unit.source);
        let newest = state.generations(&name).await.unwrap_or_default().into_iter().next();
        if newest.is_some_and(|newest| newest.hash == generation.version.hash && newest.id == generation.id) {
            return;
        }
        let kept = KeptGeneration {
            unit: name,
            id: generation.id,
            at: self.world.clock.now(),
            hash: generation.version.hash.clone(),
            revision: generation.version.revision.clone(),
            files: crate::worker::version::files(&unit.source, &generation.files),
            instead_of: None,
        };
        if let Err(error) = state.keep_generation(kept).await {
            tracing::warn!("this version of {} is not kept: {error}", announce::name(&unit.source));
        }
    }

    /// Says which units do not run what is on disk.
    pub(super) fn announce_start(&self) {
        for unit in &self.units {
            if let Some(Aside { kind: AsideKind::RolledBack(why), .. }) = &unit.aside {
                let (script, id) = (announce::name(&unit.source), unit.generation.id);
                tracing::warn!(script, generation = id, "generation {id} runs, not what is on disk: rolled back {why}");
            }
            if let Some(refused) = &unit.refused {
                announce::log(&refused.report);
                self.announce_last_good(unit, Phase::Begin);
            }
        }
    }

    /// Says so again where it is time to.
    pub(super) fn remind_of_last_good(&mut self) {
        for index in 0..self.units.len() {
            let unit = &mut self.units[index];
            let Some(spec) = unit.generation.specs.first() else { continue };
            let repeat = spec.notify_repeat;
            let Some(last_good) = unit.last_good.as_mut().filter(|one| one.told.elapsed() >= repeat) else { continue };
            last_good.told = Instant::now();
            self.announce_last_good(&self.units[index], Phase::Repeat);
        }
    }

    fn announce_last_good(&self, unit: &Unit, phase: Phase) {
        let Some(refused) = &unit.refused else { return };
        let script = announce::name(&unit.source);
        let meanwhile = match &unit.last_good {
            Some(one) => format!("its last good version runs, of {}", one.accepted.format("%Y-%m-%d %H:%M:%S UTC")),
            None => "it runs nothing until it loads".into(),
        };
        tracing::error!(script, generation = unit.generation.id, "{script} does not load; {meanwhile}");
        let reason = announce::told(&refused.report);
        let message = format!("{script} does not load, {meanwhile}. {reason}");
        self.announce(&unit.source, EventKind::ReloadFailed, phase, message, Some(reason));
    }
}

/// What the versions of `source` are kept under: its file name without the ending.
pub(super) fn unit_name(source: &Source) -> String {
    source.path.file_stem().map_or_else(|| "script".into(), |stem| stem.to_string_lossy().into_owned())
}

impl Unit {
    fn refused_at_start(
        source: Source,
        good: Option<(Generation, LastGood)>,
        refused: Refused,
        now: DateTime<Utc>,
    ) -> Self {
        let (generation, last_good) = good.map_or_else(|| (Generation::empty(), None), |(one, good)| (one, Some(good)));
        Self { refused: Some(refused), last_good, ..Self::new(source, generation, now) }
    }
}
