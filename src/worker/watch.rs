//! Owns the watching of script files: says that something near them changed. Whether a script really
//! changed is told by its content, not here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;

/// Watches the folders of scripts. Editors save by renaming and ConfigMaps swap symlinks: a watch on
/// the file itself would follow the old one.
pub struct Watch {
    /// `None` where the system has no watcher to give: polling goes on.
    watcher: Option<RecommendedWatcher>,
    folders: BTreeSet<PathBuf>,
    changed: Arc<Notify>,
}

impl Default for Watch {
    fn default() -> Self {
        Self::new()
    }
}

impl Watch {
    /// Watches nothing yet.
    #[must_use]
    pub fn new() -> Self {
        let changed = Arc::new(Notify::new());
        let signal = Arc::clone(&changed);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.map_or(true, |event| matters(event.kind)) {
                signal.notify_one();
            }
        });
        if let Err(error) = &watcher {
            tracing::warn!(%error, "files cannot be watched; they are looked at every few seconds");
        }
        Self { watcher: watcher.ok(), folders: BTreeSet::new(), changed }
    }

    /// Watches the folders of `files`, and of whatever they link to, and no others.
    pub fn follow<'a>(&mut self, files: impl IntoIterator<Item = &'a Path>) {
        let folders: BTreeSet<PathBuf> = files.into_iter().flat_map(folders).collect();
        let Some(watcher) = &mut self.watcher else { return };
        for folder in self.folders.difference(&folders) {
            // It may be gone already, and its watch with it.
            let _ = watcher.unwatch(folder);
        }
        let mut watched = BTreeSet::new();
        for folder in folders {
            if self.folders.contains(&folder) || watcher.watch(&folder, RecursiveMode::NonRecursive).is_ok() {
                watched.insert(folder);
            }
        }
        self.folders = watched;
    }

    /// Waits until something in a watched folder changed. Changes while nobody waits are not lost.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}

/// Reading a file is an event too, and we read them ourselves: only what may have changed one counts.
fn matters(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        _ => true,
    }
}

/// The folder of `file`, and those of everything it links to, link by link.
fn folders(file: &Path) -> Vec<PathBuf> {
    /// More links than any system follows.
    const MOST_LINKS: usize = 40;
    let mut folders = Vec::new();
    let mut path = file.to_path_buf();
    for _ in 0..MOST_LINKS {
        let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
            folders.push(PathBuf::from("."));
            break;
        };
        folders.push(folder.to_path_buf());
        match std::fs::read_link(&path) {
            Ok(target) => path = folder.join(target),
            // The folder itself may be a link (the `..data` of a ConfigMap).
            Err(_) => match folder.canonicalize() {
                Ok(real) if real != *folder => {
                    folders.push(real);
                    break;
                }
                _ => break,
            },
        }
    }
    folders
}
