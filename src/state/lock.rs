//! Owns the lock of a state folder: one worker holds it as long as it lives, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

/// Its name in the state folder.
const NAME: &str = "lock";

/// More than a lock's text ever is.
const LONGEST: u64 = 1024;

/// A state folder that is ours until this is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why a lock is not ours.
#[derive(Debug)]
pub enum NotLocked {
    /// A live worker has it: who, as it says itself.
    Held(String),
    /// It cannot be had at all.
    Failed(std::io::Error),
}

impl Lock {
    /// Takes the lock of `folder`.
    ///
    /// # Errors
    /// A live worker has it, or the folder has none to give.
    pub fn take(folder: &Path) -> Result<Self, NotLocked> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(folder.join(NAME));
        let mut file = file.map_err(NotLocked::Failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // A holder that says nothing is one all the same.
                let _ = file.take(LONGEST).read_to_string(&mut holder);
                return Err(NotLocked::Held(holder.trim().to_owned()));
            }
            Err(TryLockError::Error(error)) => return Err(NotLocked::Failed(error)),
        }
        // Only for people: what counts is the lock itself.
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", who()));
        Ok(Self { _file: file })
    }
}

/// This process, as others are told of it.
fn who() -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!("process {} on {host}", std::process::id())
}
