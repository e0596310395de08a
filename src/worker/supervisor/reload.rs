//! Owns reloading: what changed on disk is loaded aside, and swapped in or refused.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Supervisor, announce};
use crate::script::{self, Source};
use crate::settings::Report;
use crate::worker::generation::{Generation, Refused};
use crate::worker::unit::{AsideKind, Unit};

/// Scripts are looked at this often even where no event tells of a change (network file systems).
pub(super) const LOOK: Duration = Duration::from_secs(5);

/// Editors save in several steps: a file is read this long after the first of them.
const SETTLE: Duration = Duration::from_millis(15);

/// A file that is refused or gone is given this long to become whole (renamed into place, written to
/// its end) before anything is made of it.
const GRACE: Duration = Duration::from_millis(400);

/// Between two looks within the grace.
const GLANCE: Duration = Duration::from_millis(40);

/// A script that takes longer than this to load gives way to a newer save of it.
const PATIENCE: Duration = Duration::from_millis(300);

/// Loads that gave way go on until a limit of theirs ends them: no more of them than this at once.
const MOST_LOADS: usize = 4;

impl Supervisor {
    /// Brings every unit up to what is on disk. `forced` loads unchanged ones too.
    pub(super) async fn reload(&mut self, forced: bool, stop: &CancellationToken) {
        if !forced {
            tokio::time::sleep(SETTLE).await;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = self.follow_folder() => {}
        }
        for index in 0..self.units.len() {
            let unit = &self.units[index];
            let settled = unit.is_in_force() || unit.is_refused() || unit.is_aside() || unit.is_checking();
            if settled && !forced {
                self.note_return(index);
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.reload_unit(index) => {}
            }
        }
        self.follow_files();
        self.show_units();
    }

    /// The file is the running one again after a refused one: nothing to load, and that is worth a word.
    fn note_return(&mut self, index: usize) {
        if !self.units[index].is_checking() {
            self.give_up_check(index);
        }
        if self.units[index].aside.is_some() && self.units[index].is_in_force() {
            // What was tried, or gone back to, is what was saved.
            let unit = &mut self.units[index];
            unit.aside = None;
            tracing::info!(script = announce::name(&unit.source), "the script on disk is the one that runs");
        }
        if self.units[index].refused.is_some() && self.units[index].is_in_force() {
            self.units[index].refused = None;
            self.units[index].last_good = None;
            let source = self.units[index].source.clone();
            tracing::info!(script = announce::name(&source), "the script on disk is the one that runs again");
            self.announce_mended(&source);
        }
    }

    async fn reload_unit(&mut self, index: usize) {
        let source = self.units[index].source.clone();
        // Whatever is being checked, there is a newer save.
        self.give_up_check(index);
        let mut end = Instant::now() + GRACE;
        loop {
            let Some(loaded) = self.load_aside(&source).await else {
                end = Instant::now() + GRACE;
                continue;
            };
            match loaded.and_then(|generation| self.unshared(&source, generation)) {
                Ok(generation) if generation.gate.is_some() => return self.begin_check(index, generation),
                Ok(generation) => return self.take_up(index, generation).await,
                Err(_) if Instant::now() < end => tokio::time::sleep(GLANCE).await,
                Err(refused) => return self.refuse(index, refused),
            }
        }
    }

    /// Loads, and runs the script's own tests, off the threads that tick. `None`: it took long, and there is a newer save.
    pub(super) async fn load_aside(&mut self, source: &Source) -> Option<Result<Generation, Refused>> {
        let known: Vec<PathBuf> = self
            .units
            .iter()
            .filter(|unit| unit.source == *source)
            .flat_map(Unit::files)
            .chain([&*source.path])
            .map(Path::to_path_buf)
            .collect();
        let before = texts(&known);
        let (source, id, loading) = (source.clone(), self.newest + 1, self.loading.clone());
        let running = Arc::clone(&self.loads);
        let given_up = CancellationToken::new();
        let _guard = given_up.clone().drop_guard();
        let mut load = tokio::task::spawn_blocking(move || {
            let loaded = Generation::load(&source, id, &loading).and_then(|generation| generation.tested(&given_up));
            drop(running);
            loaded
        });
        let patient = Instant::now() + PATIENCE;
        let loaded = loop {
            tokio::select! {
                loaded = &mut load => break loaded,
                () = self.saved_after(patient) => {
                    if Arc::strong_count(&self.loads) <= MOST_LOADS && texts(&known) != before {
                        return None;
                    }
                }
            }
        };
        Some(loaded.unwrap_or_else(|error| {
            let mut report = Report::default();
            report.error(None, format!("loading broke down: {error}; this is a bug of autoscaler"), None);
            Err(Refused { report, files: Vec::new(), needs: Vec::new() })
        }))
    }

    async fn saved_after(&self, patient: Instant) {
        tokio::time::sleep_until(patient).await;
        self.watch.changed().await;
    }

    pub(super) async fn take_up(&mut self, index: usize, generation: Generation) {
        self.newest = generation.id;
        let unit = &mut self.units[index];
        let before = std::mem::replace(&mut unit.generation, Arc::new(generation));
        let was_refused = unit.refused.take().is_some();
        (unit.since, unit.previous) = (self.world.clock.now(), Some(Arc::clone(&before)));
        if let Some(aside) = unit.aside.take() {
            tracing::info!(script = announce::name(&unit.source), "the file was saved: {}", aside.over());
            // What was only tried is nothing to go back to.
            if let AsideKind::Trial { base, .. } = aside.kind {
                unit.previous = Some(base);
            }
        }
        unit.last_good = None;
        self.apply();
        self.announce_reloaded(index, &before, was_refused);
        self.keep_generation(&self.units[index]).await;
    }

    pub(super) fn refuse(&mut self, index: usize, refused: Refused) {
        let again = self.units[index].refused.as_ref().map(|before| before.report == refused.report);
        let unit = &mut self.units[index];
        unit.refused = Some(refused);
        unit.refused_at = self.world.clock.now();
        match again {
            // The same words about the same file: told already.
            Some(true) => {}
            Some(false) => self.announce_refused(index, true),
            None => self.announce_refused(index, false),
        }
    }

    /// Takes in new files of a script folder, and lets go of removed ones.
    async fn follow_folder(&mut self) {
        if !self.loading.options.script.is_dir() {
            return;
        }
        let Some(sources) = self.settled_sources().await else { return };
        let gone: Vec<Source> =
            self.units.iter().map(|unit| unit.source.clone()).filter(|source| !sources.contains(source)).collect();
        for source in &gone {
            self.announce_gone(source);
            self.units.retain(|unit| unit.source != *source);
        }
        let new: Vec<Source> =
            sources.into_iter().filter(|source| !self.units.iter().any(|unit| unit.source == *source)).collect();
        if !gone.is_empty() {
            self.apply();
        }
        for source in new {
            // It runs nothing yet: an empty generation stands for it until it loads.
            self.units.push(Unit::new(source, Generation::empty(), self.world.clock.now()));
            self.reload_unit(self.units.len() - 1).await;
        }
    }

    /// The files of the folder; one that is gone may be in the middle of being replaced.
    async fn settled_sources(&self) -> Option<Vec<Source>> {
        let end = Instant::now() + GRACE;
        loop {
            let sources = script::sources(&self.loading.options.script).ok();
            let whole = |sources: &Vec<Source>| self.units.iter().all(|unit| sources.contains(&unit.source));
            if sources.as_ref().is_some_and(whole) || Instant::now() >= end {
                return sources;
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// Watches what the units were read from.
    pub(super) fn follow_files(&mut self) {
        let folder = self.loading.options.script.is_dir().then(|| self.loading.options.script.join("*"));
        let files = self.units.iter().flat_map(Unit::files).map(Path::to_path_buf).chain(folder);
        let files: Vec<PathBuf> = files.collect();
        self.watch.follow(files.iter().map(PathBuf::as_path));
    }
}

/// What the files hold now; `None` for one that cannot be read.
fn texts(files: &[PathBuf]) -> Vec<Option<Vec<u8>>> {
    files.iter().map(|file| std::fs::read(file).ok()).collect()
}
