//! Owns reloading: what changed on disk is loaded aside, and swapped in or refused.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Supervisor;
use crate::script::{self, Source};
use crate::worker::generation::{Generation, Refused, Unit};

/// Scripts are looked at this often even where no event tells of a change (network file systems).
pub(super) const LOOK: Duration = Duration::from_secs(5);

/// Editors write in several steps: what is read after an event is read once more after this time.
const SETTLE: Duration = Duration::from_millis(15);

/// A file that is refused is given this long to become whole (renamed into place, written to its end)
/// before anybody is told.
const GRACE: Duration = Duration::from_millis(400);

/// Between two looks within the grace.
const GLANCE: Duration = Duration::from_millis(40);

impl Supervisor {
    /// Brings every unit up to what is on disk. `forced` loads unchanged ones too.
    pub(super) async fn reload(&mut self, forced: bool, stop: &CancellationToken) {
        if !forced {
            tokio::time::sleep(SETTLE).await;
        }
        self.follow_folder().await;
        for index in 0..self.units.len() {
            let unit = &self.units[index];
            let settled = unit.is_in_force() || unit.is_refused();
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
    }

    /// The file is the running one again after a refused one: nothing to load, and that is worth a word.
    fn note_return(&mut self, index: usize) {
        if self.units[index].refused.is_some() && self.units[index].is_in_force() {
            self.units[index].refused = None;
            let source = self.units[index].source.clone();
            self.announce_mended(&source);
        }
    }

    async fn reload_unit(&mut self, index: usize) {
        let source = self.units[index].source.clone();
        let end = Instant::now() + GRACE;
        loop {
            let loaded = self.load_aside(&source).await;
            match loaded.and_then(|generation| self.unshared(&source, generation)) {
                Ok(generation) => return self.take_up(index, generation),
                Err(_) if Instant::now() < end => tokio::time::sleep(GLANCE).await,
                Err(refused) => return self.refuse(index, refused),
            }
        }
    }

    /// Loads off the threads that tick.
    async fn load_aside(&mut self, source: &Source) -> Result<Generation, Refused> {
        self.newest += 1;
        let (source, id, loading) = (source.clone(), self.newest, self.loading.clone());
        let loaded = tokio::task::spawn_blocking(move || {
            Generation::load(&source, id, &loading).and_then(Generation::tested)
        })
        .await;
        loaded.unwrap_or_else(|error| {
            let mut report = crate::settings::Report::default();
            report.error(None, format!("loading broke down: {error}; this is a bug of autoscaler"), None);
            Err(Refused { report, files: Vec::new(), needs: Vec::new() })
        })
    }

    fn take_up(&mut self, index: usize, generation: Generation) {
        let unit = &mut self.units[index];
        let before = std::mem::replace(&mut unit.generation, Arc::new(generation));
        let was_refused = unit.refused.take().is_some();
        let source = unit.source.clone();
        let specs = self.specs();
        self.apply(&specs);
        self.announce_reloaded(index, &before);
        if was_refused {
            self.announce_mended(&source);
        }
    }

    fn refuse(&mut self, index: usize, refused: Refused) {
        let again = self.units[index].refused.as_ref().map(|before| before.report == refused.report);
        let unit = &mut self.units[index];
        unit.refused = Some(refused);
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
        let Ok(sources) = script::sources(&self.loading.options.script) else { return };
        let gone: Vec<Source> =
            self.units.iter().map(|unit| unit.source.clone()).filter(|source| !sources.contains(source)).collect();
        for source in gone {
            self.units.retain(|unit| unit.source != source);
            tracing::info!(script = %source.path.display(), "the script is gone, its pipelines stop");
        }
        for source in sources {
            if self.units.iter().any(|unit| unit.source == source) {
                continue;
            }
            let loaded = self.load_aside(&source).await;
            match loaded.and_then(|generation| self.unshared(&source, generation)) {
                Ok(generation) => {
                    tracing::info!(script = %source.path.display(), "a new script, its pipelines start");
                    self.units.push(Unit { source, generation: Arc::new(generation), refused: None });
                }
                Err(refused) => {
                    // It runs nothing yet: an empty generation stands for it until it loads.
                    let empty = Generation {
                        id: 0,
                        specs: Vec::new(),
                        files: Vec::new(),
                        report: crate::settings::Report::default(),
                        needs: Vec::new(),
                        suite: crate::testing::Suite::default(),
                        test_on_reload: true,
                    };
                    self.units.push(Unit { source, generation: Arc::new(empty), refused: None });
                    self.refuse(self.units.len() - 1, refused);
                }
            }
        }
        let specs = self.specs();
        self.apply(&specs);
    }

    /// Watches what the units were read from.
    pub(super) fn follow_files(&mut self) {
        let folder = self.loading.options.script.is_dir().then(|| self.loading.options.script.join("*"));
        let files = self.units.iter().flat_map(Unit::files).map(std::path::Path::to_path_buf).chain(folder);
        let files: Vec<std::path::PathBuf> = files.collect();
        self.watch.follow(files.iter().map(std::path::PathBuf::as_path));
    }
}
