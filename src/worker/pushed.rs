//! Owns following the scripts that are pushed to a worker's state: each is laid down in a folder of the worker's
//! own, as a whole, where it is loaded and reloaded like any other. One whose signature is not right never gets there.

use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::state::{Pushed, ScriptKey, State};

/// It looks this often whether something was pushed.
const LOOK: Duration = Duration::from_secs(1);

/// The link to the newest version.
const CURRENT: &str = "current";

/// Follows what is pushed.
pub struct Follower {
    state: Arc<dyn State>,
    key: ScriptKey,
    folder: PathBuf,
    /// The script's file name: that of the first version, also for later ones.
    name: Option<String>,
    /// What runs was pushed then.
    newest: Option<DateTime<Utc>>,
    versions: u64,
    mark: Option<String>,
    /// The signature that was refused last.
    refused: Option<String>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Follower {
    /// Follows what is pushed to `state` and signed with `key`.
    ///
    /// # Errors
    /// There is no folder to be had for it.
    pub fn new(state: Arc<dyn State>, key: ScriptKey) -> Result<Self, String> {
        let folder = std::env::temp_dir().join(format!("autoscaler-{:016x}", fastrand::u64(..)));
        let made = std::fs::DirBuilder::new().mode(0o700).create(&folder);
        made.map_err(|error| format!("`{}` cannot be made for pushed scripts: {error}", folder.display()))?;
        Ok(Self { state, key, folder, name: None, newest: None, versions: 0, mark: None, refused: None })
    }

    /// Waits for the first version whose signature is right. `None`: it was told to `stop`.
    pub async fn first(&mut self, stop: &CancellationToken) -> Option<PathBuf> {
        let mut said: Option<String> = None;
        loop {
            let waits = match self.look().await {
                Ok(true) => break,
                Ok(false) => "nothing to run was pushed yet: `autoscaler push SCRIPT` with the same --state".to_owned(),
                Err(why) => why,
            };
            if said.as_ref() != Some(&waits) {
                tracing::error!("{waits}");
                said = Some(waits);
            }
            tokio::select! {
                () = stop.cancelled() => return None,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        Some(self.folder.join(CURRENT).join(self.name.as_deref()?))
    }

    /// Lays down every new version until `stop`, and tells `refusals` why one is not.
    pub async fn follow(mut self, refusals: UnboundedSender<String>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            match self.look().await {
                Ok(_) => {}
                // The worker may be gone.
                Err(why) => drop(refusals.send(why)),
            }
        }
    }

    /// Whether a version was laid down.
    async fn look(&mut self) -> Result<bool, String> {
        // A store that is lost is told by whoever writes to it.
        let Ok(mark) = self.state.push_mark().await else { return Ok(false) };
        if self.mark.as_ref() == Some(&mark) {
            return Ok(false);
        }
        let pushed = match self.state.pushed().await {
            Ok(pushed) => pushed,
            Err(error) => {
                self.mark = Some(mark);
                return Err(format!("pushed scripts cannot be read: {error}"));
            }
        };
        self.mark = Some(mark);
        let refused = pushed.first().and_then(|first| Some((first, first.objection(&self.key)?)));
        let good = pushed.iter().filter(|one| one.objection(&self.key).is_none()).max_by_key(|one| one.at);
        if let Some(good) = good.filter(|good| self.newest.is_none_or(|newest| good.at > newest)) {
            self.lay_down(good).map_err(|error| format!("a pushed script cannot be laid down: {error}"))?;
            self.newest = Some(good.at);
            return Ok(true);
        }
        if let Some((first, why)) = refused
            && self.refused.as_ref() != Some(&first.signature)
        {
            self.refused = Some(first.signature.clone());
            let who = crate::notify::one_line(&first.by);
            return Err(format!("a script that was pushed by {who} is refused: {why}"));
        }
        Ok(false)
    }

    fn lay_down(&mut self, pushed: &Pushed) -> std::io::Result<()> {
        let bad = |path: &str| std::io::Error::other(format!("`{path}` is no path below the script's folder"));
        let version = format!("version-{}", self.versions);
        self.versions += 1;
        let folder = self.folder.join(&version);
        for (index, (path, text)) in pushed.files.iter().enumerate() {
            let own = self.name.get_or_insert_with(|| {
                Path::new(path).file_name().map_or_else(|| "script.rhai".into(), |name| name.to_string_lossy().into())
            });
            let path = if index == 0 { own.as_str() } else { path.as_str() };
            if path.is_empty() || !Path::new(path).components().all(|part| matches!(part, Component::Normal(_))) {
                return Err(bad(path));
            }
            let file = folder.join(path);
            std::fs::create_dir_all(file.parent().unwrap_or(&folder))?;
            std::fs::write(file, text)?;
        }
        // The link is replaced as a whole: nobody ever loads half of a version.
        let new = self.folder.join("next");
        symlink(&version, &new)?;
        std::fs::rename(&new, self.folder.join(CURRENT))?;
        if let Some(old) = self.versions.checked_sub(3) {
            // The version before may still be being read.
            let _ = std::fs::remove_dir_all(self.folder.join(format!("version-{old}")));
        }
        Ok(())
    }
}
