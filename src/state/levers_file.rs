//! Owns the file of the levers: small, replaced as a whole, and on the disk before anybody is told that a lever is
//! pulled. A command writes it where a worker does not answer, and the worker finds that out here.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use chrono::Utc;

use super::StateError;
use super::files::{self, FileId};
use crate::levers::{Levers, PipelineLevers, Pull};

/// Its name in the state folder.
pub(super) const NAME: &str = "levers.json";

/// The name of one that could not be understood.
const DAMAGED: &str = "levers.json.damaged";

/// The file of the levers of one state folder.
#[derive(Debug)]
pub(super) struct LeversFile {
    folder: PathBuf,
    /// What was read or written last.
    seen: Mutex<Option<(Mark, Levers)>>,
}

/// Which file it was, and when it was written; none where there was none.
type Mark = Option<(FileId, SystemTime, u64)>;

impl LeversFile {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), seen: Mutex::default() }
    }

    /// The levers that are pulled; none where there is no file. Of a damaged one nobody knows what was paused: then all
    /// pipelines are, until a person lets go.
    pub(super) fn read(&self) -> Result<Levers, StateError> {
        self.read_as(&mut self.seen(), self.mark())
    }

    fn read_as(&self, seen: &mut Option<(Mark, Levers)>, mark: Mark) -> Result<Levers, StateError> {
        let path = self.folder.join(NAME);
        let levers = match std::fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).unwrap_or_else(|error| all_paused(&path, &error)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Levers::default(),
            Err(error) => return Err(StateError(format!("`{}` cannot be read: {error}", path.display()))),
        };
        *seen = Some((mark, levers.clone()));
        Ok(levers)
    }

    /// The levers, where somebody else wrote the file since it was read or written here. One that is gone is written
    /// again: nobody lets go of a pause by removing it.
    pub(super) fn changed(&self) -> Result<Option<Levers>, StateError> {
        let mut seen = self.seen();
        let (Some((before, known)), mark) = (seen.clone(), self.mark()) else { return Ok(None) };
        if mark == before {
            return Ok(None);
        }
        if mark.is_none() {
            if known != Levers::default() {
                self.write_as(&mut seen, &known)?;
            }
            return Ok(None);
        }
        let levers = self.read_as(&mut seen, mark)?;
        Ok((levers != known).then_some(levers))
    }

    /// Replaces the file.
    pub(super) fn write(&self, levers: &Levers) -> Result<(), StateError> {
        self.write_as(&mut self.seen(), levers)
    }

    fn write_as(&self, seen: &mut Option<(Mark, Levers)>, levers: &Levers) -> Result<(), StateError> {
        let path = self.folder.join(NAME);
        let written = || -> std::io::Result<()> {
            self.keep_damaged()?;
            files::replace(&path, &serde_json::to_vec_pretty(levers)?)
        };
        written().map_err(|error| StateError(format!("`{}` cannot be written: {error}", path.display())))?;
        *seen = Some((self.mark(), levers.clone()));
        Ok(())
    }

    fn seen(&self) -> MutexGuard<'_, Option<(Mark, Levers)>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mark(&self) -> Mark {
        let metadata = std::fs::metadata(self.folder.join(NAME)).ok()?;
        Some((FileId::from(&metadata), metadata.modified().ok()?, metadata.len()))
    }

    /// Puts a damaged file aside before another takes its place: a person may still read it.
    fn keep_damaged(&self) -> std::io::Result<()> {
        let path = self.folder.join(NAME);
        match std::fs::read(&path) {
            Ok(bytes) if serde_json::from_slice::<Levers>(&bytes).is_err() => {
                std::fs::rename(&path, self.folder.join(DAMAGED))
            }
            _ => Ok(()),
        }
    }
}

/// What is known where the file at `path` cannot be understood.
fn all_paused(path: &Path, error: &serde_json::Error) -> Levers {
    let reason = format!(
        "`{}` is damaged ({error}), so nobody knows what was paused: `autoscaler resume --all` lets go",
        path.display()
    );
    let pull = Pull { by: "autoscaler".into(), at: Utc::now(), until: None, reason: Some(reason) };
    let all = PipelineLevers { pause: Some(pull), ..PipelineLevers::default() };
    Levers { all, ..Levers::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_pauses_everything_until_a_person_lets_go_and_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = LeversFile::new(folder.path());
        assert_eq!(file.read(), Ok(Levers::default()));
        std::fs::write(folder.path().join(NAME), "{\"all\": {\"pause\": {\"by\": \"ann\"}}}").unwrap();
        let pause = file.read().unwrap().all.pause.expect("paused");
        assert!(pause.until.is_none() && pause.reason.unwrap().contains("missing field `at`"));
        file.write(&Levers::default()).unwrap();
        assert_eq!(file.read(), Ok(Levers::default()));
        let kept = std::fs::read_to_string(folder.path().join(DAMAGED)).unwrap();
        assert!(kept.contains("ann"), "{kept}");
    }

    #[test]
    fn what_somebody_else_writes_is_found_out_once_and_a_file_that_is_gone_lets_go_of_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (worker, command) = (LeversFile::new(folder.path()), LeversFile::new(folder.path()));
        let paused = |reason: &str| {
            let pull = Pull { by: "ann@ops".into(), at: Utc::now(), until: None, reason: Some(reason.into()) };
            Levers { all: PipelineLevers { pause: Some(pull), ..PipelineLevers::default() }, ..Levers::default() }
        };
        assert_eq!(worker.changed(), Ok(None), "nothing was read yet");
        assert_eq!(worker.read(), Ok(Levers::default()));
        command.write(&paused("a")).unwrap();
        assert_eq!(worker.changed(), Ok(Some(paused_at(&worker, "a"))));
        assert_eq!(worker.changed(), Ok(None), "once");
        worker.write(&paused("its own")).unwrap();
        assert_eq!(worker.changed(), Ok(None), "its own is no news");
        let held = worker.read().unwrap();
        std::fs::remove_file(folder.path().join(NAME)).unwrap();
        assert_eq!(worker.changed(), Ok(None));
        assert_eq!(command.read(), Ok(held), "it is written again");
    }

    /// What the file holds now, whose pause must be for `reason`.
    fn paused_at(file: &LeversFile, reason: &str) -> Levers {
        let levers = LeversFile::new(&file.folder).read().unwrap();
        assert_eq!(levers.all.pause.as_ref().unwrap().reason.as_deref(), Some(reason));
        levers
    }
}
