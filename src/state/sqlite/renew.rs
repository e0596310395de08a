//! Owns where the writer's file is: whether it is there still, and how it comes back where somebody removed it, or put
//! another one in its place, while the worker ran. The file that was opened stays readable for as long as it is open,
//! so that nothing of it is lost.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::super::StateError;
use super::super::files::{self, FileId, with_suffix};
use super::schema;

/// A file that was found in the place of ours is kept under this name.
const REPLACED: &str = ".replaced";

/// The writer's file.
pub(super) struct Place {
    file: PathBuf,
    connection: Connection,
    /// The file that is open, and its log, which has to be there with it.
    ours: [Option<FileId>; 2],
    /// The file was written anew, and could not be opened.
    unopened: bool,
}

impl Place {
    /// `connection` is open on `file`.
    pub(super) fn new(file: &Path, connection: Connection) -> Self {
        let ours = there(file);
        Self { file: file.to_owned(), connection, ours, unopened: false }
    }

    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// What is at the file's place is another worker's from now on: closing ours must not clear it away.
    pub(super) fn leave(&self) {
        // It would fail where the file can be neither read nor written: then there is nothing to clear away.
        let _ = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    }

    /// Writes everything anew where the file is not the one any more that is open; says what happened then.
    ///
    /// # Errors
    /// It cannot be written there.
    pub(super) fn renew(&mut self) -> Result<Option<String>, StateError> {
        let now = there(&self.file);
        if now == self.ours && !self.unopened {
            return Ok(None);
        }
        let shown = self.file.display().to_string();
        let failed = |why: &dyn std::fmt::Display| {
            StateError(format!("`{shown}` was removed or replaced, and cannot be written again: {why}"))
        };
        let new = with_suffix(&self.file, ".new");
        let written = || -> Result<(), StateError> {
            // `VACUUM INTO` takes an empty file, and so one that is nobody else's.
            files::create(&new).map_err(|error| failed(&error))?;
            self.connection
                .execute("VACUUM INTO ?1", [new.to_string_lossy()])
                .map_err(|error| failed(&schema::said(&error)))?;
            File::open(&new).and_then(|file| file.sync_all()).map_err(|error| failed(&error))
        };
        if let Err(error) = written() {
            // A full disk has no room for halves.
            let _ = std::fs::remove_file(&new);
            return Err(error);
        }
        let is_other = now[0].is_some() && now[0] != self.ours[0];
        // From here on the file that is open is only to be forgotten.
        self.leave();
        let moved = || -> std::io::Result<()> {
            if is_other {
                std::fs::rename(&self.file, with_suffix(&self.file, REPLACED))?;
            }
            for beside in ["-wal", "-shm"] {
                let path = with_suffix(&self.file, beside);
                match std::fs::symlink_metadata(&path) {
                    Ok(_) if is_other => {
                        std::fs::rename(&path, with_suffix(&with_suffix(&self.file, REPLACED), beside))?;
                    }
                    // It belongs to the file that was there: the new one must not be read with it.
                    Ok(_) => std::fs::remove_file(&path)?,
                    Err(_) => {}
                }
            }
            std::fs::rename(&new, &self.file)?;
            self.file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
        };
        moved().map_err(|error| failed(&error))?;
        (self.ours, self.unopened) = (there(&self.file), true);
        self.connection = schema::open_to_write(&self.file)?;
        (self.ours, self.unopened) = (there(&self.file), false);
        Ok(Some(if is_other {
            format!(
                "another file was put in the place of `{shown}` while this worker ran: what it knows is written there \
                 again, and the other file is kept as `{shown}{REPLACED}`"
            )
        } else {
            format!("`{shown}` was removed while this worker ran: it is written again, and nothing of it is lost")
        }))
    }
}

/// Which files are at the place of `file` and of its log.
fn there(file: &Path) -> [Option<FileId>; 2] {
    [files::id(file), files::id(&with_suffix(file, "-wal"))]
}
