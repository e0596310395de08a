//! Owns the file of the levers: small, replaced as a whole, and on the disk before anybody is told that a lever is
//! pulled.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use chrono::Utc;

use super::StateError;
use crate::levers::{Levers, PipelineLevers, Pull};

/// Its name in the state folder.
const NAME: &str = "levers.json";

/// The name of one that could not be understood.
const DAMAGED: &str = "levers.json.damaged";

/// The file of the levers of one state folder.
#[derive(Clone, Debug)]
pub(super) struct LeversFile {
    folder: PathBuf,
}

impl LeversFile {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The levers that are pulled; none where there is no file. Of a damaged one nobody knows what was paused: then all
    /// pipelines are, until a person lets go.
    pub(super) fn read(&self) -> Result<Levers, StateError> {
        let path = self.folder.join(NAME);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Levers::default()),
            Err(error) => return Err(StateError(format!("`{}` cannot be read: {error}", path.display()))),
        };
        Ok(serde_json::from_str(&text).unwrap_or_else(|error| all_paused(&path, &error)))
    }

    /// Replaces the file.
    pub(super) fn write(&self, levers: &Levers) -> Result<(), StateError> {
        let written = || -> std::io::Result<()> {
            self.keep_damaged()?;
            // Two commands may write at once: each has a file of its own until it is whole.
            let aside = self.folder.join(format!("{NAME}.{}", std::process::id()));
            let mut file = File::create(&aside)?;
            file.write_all(&serde_json::to_vec_pretty(levers)?)?;
            file.sync_all()?;
            std::fs::rename(&aside, self.folder.join(NAME))?;
            File::open(&self.folder)?.sync_all()
        };
        let path = self.folder.join(NAME);
        written().map_err(|error| StateError(format!("`{}` cannot be written: {error}", path.display())))
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
}
