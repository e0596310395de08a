//! Owns the file of the levers: small, replaced as a whole, and on the disk before anybody is told that a lever is
//! pulled.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::StateError;
use crate::levers::Levers;

/// Its name in the state folder.
const NAME: &str = "levers.json";

/// The file of the levers of one state folder.
#[derive(Clone, Debug)]
pub(super) struct LeversFile {
    folder: PathBuf,
}

impl LeversFile {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The levers that are pulled; none where there is no file.
    pub(super) fn read(&self) -> Result<Levers, StateError> {
        let path = self.folder.join(NAME);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Levers::default()),
            Err(error) => return Err(StateError(format!("`{}` cannot be read: {error}", path.display()))),
        };
        let damaged = |error| StateError(format!("`{}` is damaged: {error}", path.display()));
        serde_json::from_str(&text).map_err(damaged)
    }

    /// Replaces the file.
    pub(super) fn write(&self, levers: &Levers) -> Result<(), StateError> {
        let written = || -> std::io::Result<()> {
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
}
