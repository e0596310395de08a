//! Owns being the one worker of a state folder, for as long as that is so: whoever finds its lock taken away takes it
//! again, or stands back for the one that was faster.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::StateError;
use super::lock::{Lock, NotLocked};
use super::trouble::{TAKEN_OVER, taken_over};

/// The lock of a folder, and whether it still is.
pub(super) struct Hold {
    folder: PathBuf,
    lock: Mutex<Lock>,
    lost: AtomicBool,
    notices: Mutex<Vec<String>>,
}

impl Hold {
    /// `lock`, which is that of `folder`.
    pub(super) fn new(folder: &Path, lock: Lock) -> Self {
        let (lost, notices) = (AtomicBool::new(false), Mutex::default());
        Self { folder: folder.to_owned(), lock: Mutex::new(lock), lost, notices }
    }

    /// Sees whether the lock is still that of the folder, and takes it again where somebody removed it.
    ///
    /// # Errors
    /// Another worker was faster, and is the one from now on; or it cannot be taken.
    pub(super) fn check(&self) -> Result<(), StateError> {
        let mut lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_lost() {
            return Err(taken_over());
        }
        if lock.is_of(&self.folder) {
            return Ok(());
        }
        let folder = self.folder.display();
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder);
        match made.map_err(NotLocked::Failed).and_then(|()| Lock::take(&self.folder)) {
            Ok(new) => {
                *lock = new;
                self.note(format!("the state in `{folder}` was removed while this worker ran: it has made it again"));
                Ok(())
            }
            Err(NotLocked::Held(who)) => {
                self.lost.store(true, Ordering::Release);
                self.note(format!(
                    "the state in `{folder}` was removed while this worker ran, and {TAKEN_OVER} ({who}): this one \
                     scales nothing any more, and stands by"
                ));
                Err(taken_over())
            }
            Err(NotLocked::Failed(error)) => {
                Err(StateError(format!("`{folder}` was removed and cannot be made again: {error}")))
            }
        }
    }

    /// The lock, where nothing else has it.
    pub(super) fn into_lock(self) -> Lock {
        self.lock.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether another worker is the one now.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// Says something that people must know, in the log and to whoever asks for it.
    pub(super) fn note(&self, what: String) {
        tracing::error!("{what}");
        self.notices.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    /// What was said since the last call.
    pub(super) fn notices(&self) -> Vec<String> {
        std::mem::take(&mut *self.notices.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
