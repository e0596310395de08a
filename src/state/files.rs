//! Owns what is the same for all files of a state folder: they are their user's alone, a file is told from another one
//! that took its place, and what a process that was killed left half written is cleared away.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What may be done with them: reading and writing, by their user.
pub(super) const MODE: u32 = 0o600;

/// What tells a file from one that took its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId(u64, u64);

impl From<&Metadata> for FileId {
    fn from(metadata: &Metadata) -> Self {
        Self(metadata.dev(), metadata.ino())
    }
}

/// The file at `path`; none where there is none.
pub(crate) fn id(path: &Path) -> Option<FileId> {
    std::fs::symlink_metadata(path).ok().map(|metadata| FileId::from(&metadata))
}

/// Takes other users' rights to `path` away, where it has them and is ours.
pub(super) fn keep_private(path: &Path) {
    let open = |metadata: Metadata| metadata.is_file() && metadata.permissions().mode() & 0o077 != 0;
    if std::fs::symlink_metadata(path).is_ok_and(open) {
        // The folder is its user's alone already.
        let _ = std::fs::set_permissions(path, Permissions::from_mode(MODE));
    }
}

/// A file that is nobody else's, to be written anew.
pub(super) fn create(path: &Path) -> std::io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(MODE).open(path)?;
    keep_private(path);
    Ok(file)
}

/// Puts `bytes` in the place of the file at `path`, whole and on the disk.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    // Two commands may write at once: each has a file of its own until it is whole.
    let aside = with_suffix(path, &format!(".{}", std::process::id()));
    let written = || {
        let mut file = create(&aside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&aside, path)?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    written().inspect_err(|_| {
        // A full disk has no room for halves.
        let _ = std::fs::remove_file(&aside);
    })
}

/// `path` with `suffix` at its end.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// Removes from `folder` what [`replace`] left there in processes that were killed.
pub(super) fn clear_halves(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let half = name.to_str().and_then(|name| name.rsplit_once(".json.")).and_then(|(_, id)| id.parse().ok());
        if half.is_some_and(|process: i32| !lives(process)) {
            // It is only in the way.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn lives(process: i32) -> bool {
    let Some(process) = rustix::process::Pid::from_raw(process) else { return false };
    // One of another user is no business of ours, but lives.
    rustix::process::test_kill_process(process) != Err(rustix::io::Errno::SRCH)
}
