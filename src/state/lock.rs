//! Owns the lock of a state folder: one worker holds it as long as it lives, however it ends. What becomes of a worker
//! whose lock was taken away is [`super::hold`]'s.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::files::{self, FileId};

/// Its name in the state folder.
const NAME: &str = "lock";

/// More than a lock's text ever is.
const LONGEST: u64 = 1024;

/// A state folder that is ours until this is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
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
        let path = folder.join(NAME);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(files::MODE);
        let mut file = match options.open(&path) {
            // It may be locked all the same, and so tell of another worker.
            Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => {
                File::open(&path).map_err(|_| NotLocked::Failed(error))?
            }
            file => file.map_err(NotLocked::Failed)?,
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // A holder that says nothing is one all the same.
                let _ = file.take(LONGEST).read_to_string(&mut holder);
                return Err(NotLocked::Held(for_people(&holder).to_owned()));
            }
            Err(TryLockError::Error(error)) => return Err(NotLocked::Failed(error)),
        }
        // Only for people: what counts is the lock itself.
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", who()));
        files::keep_private(&path);
        Ok(Self { file })
    }

    /// Whether it is the lock of `folder` still: a file that was removed or replaced keeps nobody out.
    #[must_use]
    pub fn is_of(&self, folder: &Path) -> bool {
        match (self.file.metadata(), std::fs::metadata(folder.join(NAME))) {
            (Ok(ours), Ok(there)) => FileId::from(&ours) == FileId::from(&there),
            (_, Err(error)) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => false,
            // A disk that fails says nothing about others.
            _ => true,
        }
    }

    /// Who holds the lock of `folder`, as it says itself; none where nobody does.
    #[must_use]
    pub fn holder(folder: &Path) -> Option<String> {
        let file = File::open(folder.join(NAME)).ok()?;
        let Err(TryLockError::WouldBlock) = file.try_lock_shared() else { return None };
        let mut holder = String::new();
        // One that says nothing is one all the same.
        let _ = file.take(LONGEST).read_to_string(&mut holder);
        Some(for_people(&holder).to_owned())
    }
}

/// This process, as others are told of it: "process 12 on web.1", then what tells whether it has ended.
pub(super) fn who() -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let people = format!("process {} on {host}", std::process::id());
    match (machine(), started(std::process::id())) {
        (Some(machine), Some(started)) => format!("{people}; {machine} {} {started}", std::process::id()),
        _ => people,
    }
}

/// Of what [`who`] says, what people are told.
pub(super) fn for_people(who: &str) -> &str {
    who.split_once(';').map_or(who, |(people, _)| people).trim()
}

/// Whether the process that said `who` was one of this machine, and is not there any more.
pub(super) fn has_ended(who: &str) -> bool {
    let parts: Vec<&str> = who.split_once(';').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let [machine, id, started_at] = parts[..] else { return false };
    let Ok(id) = id.parse() else { return false };
    self::machine().is_some_and(|here| here == machine) && started(id).is_none_or(|started| started != started_at)
}

/// What tells this boot of this machine, and these process numbers, from all others.
fn machine() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let numbers = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{}/{}", boot.trim(), numbers.display()))
}

/// When the process `id` started, in ticks since the machine did; none for one that has ended.
fn started(id: u32) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name in parentheses may hold anything; what follows are the fields from the third on.
    let mut fields = text[text.rfind(')')? + 1..].split_whitespace();
    let state = fields.next()?;
    if state == "Z" || state == "X" {
        return None;
    }
    fields.nth(18).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_has_ended_is_known_from_one_that_lives() {
        let me = who();
        assert!(for_people(&me).starts_with("process "), "{me}");
        assert!(!has_ended(&me));
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let id = child.id();
        child.wait().unwrap();
        let (people, rest) = me.split_once(';').unwrap();
        let machine = rest.split_whitespace().next().unwrap();
        assert!(has_ended(&format!("{people}; {machine} {id} 1")));
        assert!(!has_ended(&format!("{people}; another/machine {id} 1")), "nobody knows of another machine");
        assert!(!has_ended("process 1 on web.1"));
    }
}
