//! Owns where state is: which folder belongs to which script, what happens to a folder that cannot be used, and
//! waiting for one that another worker has. What is in it is the stores'.

use std::ffi::OsString;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::lock::{Lock, NotLocked};
use super::redis::{self, Mailbox, RedisPlace};
use super::{FolderState, Keep, MemoryState, PUSHED, State, runtime};

/// A worker that stands by looks this often whether the lock is free.
const LOOK: Duration = Duration::from_millis(500);

/// Where state is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StateArg {
    /// In the script's own folder under the user's home.
    #[default]
    Home,
    /// In this process.
    Memory,
    /// In this folder.
    Folder(PathBuf),
    /// In this Redis.
    Redis(RedisPlace),
}

impl StateArg {
    /// Reads `memory`, a folder, or a Redis; an empty text is one that was forgotten.
    ///
    /// # Errors
    /// What can be none of them. What is wrong with a URL is told by [`StateArg::check`]: here it would be quoted,
    /// with the password in it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let help = "write `memory`, a folder such as `./state`, `redis://…`, or `redis` for the URL in REDIS_URL";
        let text = text.trim();
        if let Some(place) = RedisPlace::parse(text, &|name| std::env::var(name).ok()) {
            return Ok(Self::Redis(place));
        }
        match text {
            "" => Ok(Self::Home),
            "memory" => Ok(Self::Memory),
            text if text.contains("://") => Err(format!("state cannot be kept at such an address; {help}")),
            // A slip rather than a folder.
            "rediss" | "sqlite" | "file" => Err(help.into()),
            text => Ok(Self::Folder(text.into())),
        }
    }

    /// Whether it can be opened at all.
    ///
    /// # Errors
    /// What is wrong with a URL, without quoting it.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Self::Redis(place) => place.server().map(|_| ()),
            _ => Ok(()),
        }
    }

    /// Whether it is a Redis, and so outlives the machine that a worker runs on.
    #[must_use]
    pub fn is_redis(&self) -> bool {
        matches!(self, Self::Redis(_))
    }
}

/// State that is open, and its folder where it has one.
pub struct Opened {
    /// The state.
    pub state: Arc<dyn State>,
    /// The folder, also one that cannot be used: commands look there.
    pub folder: Option<PathBuf>,
    /// Where commands ask, where it is in a Redis.
    pub mailbox: Option<Mailbox>,
    /// Keeps other workers out as long as it lives, where the state does not.
    _lock: Option<Lock>,
}

impl Opened {
    fn new(state: Arc<dyn State>, folder: Option<PathBuf>) -> Self {
        Self { state, folder, mailbox: None, _lock: None }
    }

    fn memory() -> Self {
        Self::new(Arc::new(MemoryState::default()), None)
    }
}

/// Opens the state of the worker that runs `script`, and says in the log what is not as asked for. While another
/// live worker has it this one stands by. `None`: it was told to `stop` meanwhile.
pub async fn open(arg: &StateArg, script: &Path, keep: Keep, stop: &CancellationToken) -> Option<Opened> {
    let (folder, asked_for) = match arg {
        StateArg::Memory => return Some(Opened::memory()),
        StateArg::Redis(place) => return in_redis(place, script, keep, stop).await,
        StateArg::Folder(folder) => (Ok(folder.clone()), true),
        StateArg::Home => (home_folder(script, &|name| std::env::var_os(name)), false),
    };
    // A slip of a path leaves nothing behind: the worker will not start on it.
    let slip = || {
        !script.exists()
            && ![Path::new("-"), Path::new(PUSHED)].contains(&script)
            && folder.as_ref().is_ok_and(|folder| !folder.exists())
    };
    if !asked_for && slip() {
        return Some(Opened::memory());
    }
    let folder = match folder {
        Ok(folder) => folder,
        Err(why) => {
            tracing::warn!("{why}; {ENDS}, and no command reaches it");
            return Some(Opened::memory());
        }
    };
    if let Err(why) = make(&folder) {
        let lock = locked_anywhere(&folder, stop).await?;
        if asked_for {
            tracing::error!("{why}; {IN_MEMORY}");
            return Some(Opened::new(Arc::new(FolderState::degraded(&folder, lock, &why)), Some(folder)));
        }
        tracing::warn!("{why}; {ENDS}");
        let lock = lock.map(|(_, lock)| lock);
        return Some(Opened { _lock: lock, ..Opened::new(Arc::new(MemoryState::default()), Some(folder)) });
    }
    let lock = locked(&folder, &folder, stop).await?;
    let state = match lock {
        Ok(lock) => FolderState::open(&folder, lock, keep).unwrap_or_else(|(why, lock)| {
            tracing::error!("the state in `{}` cannot be used: {why}; {IN_MEMORY}", folder.display());
            FolderState::degraded(&folder, Some((folder.clone(), lock)), &why.to_string())
        }),
        Err(error) => {
            let why = format!("`{}` cannot be locked: {error}", folder.display());
            tracing::error!("{why}; {IN_MEMORY}");
            let lock = locked_anywhere(&folder, stop).await?;
            FolderState::degraded(&folder, lock, &why)
        }
    };
    Some(Opened::new(Arc::new(state), Some(folder)))
}

/// What becomes of state without a folder.
const ENDS: &str = "state is kept in memory and ends with this process";

/// A lock for the worker whose state is in `folder`, which cannot be used, with the folder that it is of: that one all
/// the same, or one among those of running programs. `None`: it was told to `stop`.
async fn locked_anywhere(folder: &Path, stop: &CancellationToken) -> Option<Option<(PathBuf, Lock)>> {
    if let Ok(lock) = locked(folder, folder, stop).await? {
        return Some(Some((folder.to_owned(), lock)));
    }
    // Where there is none, a worker that starts alone is better than none.
    let Ok(place) = runtime::make(folder) else { return Some(None) };
    let lock = locked(&place, folder, stop).await?;
    Some(lock.ok().map(|lock| (place, lock)))
}

/// Opens the state of the worker that runs `script` in a Redis.
async fn in_redis(place: &RedisPlace, script: &Path, keep: Keep, stop: &CancellationToken) -> Option<Opened> {
    let named = place.server().and_then(|server| Ok((server, place.name().map_or_else(|| name_of(script), Ok)?)));
    match named {
        Ok((server, name)) => {
            let mailbox = Mailbox::new(server.clone(), &name);
            let state = redis::open(server, &name, keep, stop).await?;
            Some(Opened { mailbox: Some(mailbox), ..Opened::new(state, None) })
        }
        Err(why) => {
            tracing::error!("{why}; {IN_MEMORY}");
            Some(Opened::new(Arc::new(MemoryState::degraded()), None))
        }
    }
}

/// Where the worker of `script` is asked, or the only one there is, if its state is in a Redis.
///
/// # Errors
/// There is none, or there are several; or the server cannot be asked.
pub async fn mailbox(arg: &StateArg, script: Option<&Path>) -> Result<Option<Mailbox>, String> {
    let StateArg::Redis(place) = arg else { return Ok(None) };
    let server = place.server()?;
    let name = redis::find(&server, place.name(), script).await?;
    Ok(Some(Mailbox::new(server, &name)))
}

/// The state of a worker, opened for reading by somebody else.
pub struct Found {
    /// The state.
    pub state: Arc<dyn State>,
}

/// Opens the state of `script`, or of the only script there is state of, for reading.
///
/// # Errors
/// There is none, or there are several: then they are listed; or it cannot be read.
pub async fn look(arg: &StateArg, script: Option<&Path>) -> Result<Found, String> {
    if let StateArg::Redis(place) = arg {
        let server = place.server()?;
        let name = redis::find(&server, place.name(), script).await?;
        return Ok(Found { state: Arc::new(redis::RedisState::read(server, &name)) });
    }
    let folder = find(arg, script)?;
    let state = FolderState::read(&folder).map_err(|error| error.to_string())?;
    Ok(Found { state: Arc::new(state) })
}

/// What a worker does whose state cannot be used.
pub(super) const IN_MEMORY: &str = "the worker goes on in memory, waits once as after a scale, and does not scale in until it is started with a \
     state that it can use; what is there stays as it is";

/// Waits for the lock in `place` of the state in `folder`. `None`: it was told to `stop`.
async fn locked(place: &Path, folder: &Path, stop: &CancellationToken) -> Option<Result<Lock, std::io::Error>> {
    let mut stands_by = false;
    loop {
        match Lock::take(place) {
            Ok(lock) => {
                if stands_by {
                    tracing::warn!("the state in `{}` is free: this worker takes over", folder.display());
                }
                return Some(Ok(lock));
            }
            Err(NotLocked::Failed(error)) => return Some(Err(error)),
            Err(NotLocked::Held(holder)) if !stands_by => {
                stands_by = true;
                let who = if holder.is_empty() { "another worker" } else { &holder };
                tracing::warn!(
                    "the state in `{}` is held by {who}: this worker stands by, measures and scales nothing, and \
                     takes over when that one ends",
                    folder.display()
                );
            }
            Err(NotLocked::Held(_)) => {}
        }
        tokio::select! {
            () = stop.cancelled() => return None,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// The folder of the state of `script`, or of the only script there is state of.
///
/// # Errors
/// There is none, or there are several: then they are listed.
pub fn find(state: &StateArg, script: Option<&Path>) -> Result<PathBuf, String> {
    find_among(state, script, &|name| std::env::var_os(name))
}

fn find_among(state: &StateArg, script: Option<&Path>, variables: Variables<'_>) -> Result<PathBuf, String> {
    let folder = match (state, script) {
        (StateArg::Memory, _) => {
            return Err("state in memory belongs to its worker alone; start the worker with a folder".into());
        }
        (StateArg::Redis(place), _) => return Err(format!("the state in {place} is not in a folder")),
        (StateArg::Folder(folder), _) => folder.clone(),
        (StateArg::Home, Some(script)) => home_folder(script, variables)?,
        (StateArg::Home, None) => return only_folder(&root(variables)?),
    };
    // A worker whose folder cannot be made is found elsewhere.
    if folder.is_dir() || !runtime::find(&folder).is_empty() {
        return Ok(folder);
    }
    let whose = script.map_or_else(String::new, |script| format!(" of `{}`", script.display()));
    Err(format!("there is no state{whose}: no folder `{}`; has a worker run here?", folder.display()))
}

/// The only state folder under `root`.
fn only_folder(root: &Path) -> Result<PathBuf, String> {
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    match folders.as_slice() {
        [] => Err(format!("there is no state in `{}`: has a worker run here? name it by --state DIR", root.display())),
        [folder] => Ok(folder.clone()),
        _ => {
            let list: Vec<String> = folders.iter().map(|folder| format!("\n  {}", folder.display())).collect();
            Err(format!(
                "there are several workers' states; name one by --script FILE or --state DIR:{}",
                list.concat()
            ))
        }
    }
}

/// Looks up a variable of the environment.
type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Where the folders are.
fn root(variables: Variables<'_>) -> Result<PathBuf, String> {
    let folder = |name| variables(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // The rules of XDG: a relative path is none.
    let state_home = folder("XDG_STATE_HOME").filter(|path| path.is_absolute());
    let home = || folder("HOME").map(|home| home.join(".local/state"));
    let root = state_home.or_else(home).ok_or("neither HOME nor XDG_STATE_HOME is set")?;
    Ok(root.join("autoscaler"))
}

/// The folder of `script`.
fn home_folder(script: &Path, variables: Variables<'_>) -> Result<PathBuf, String> {
    let name = name_of(script)?;
    Ok(root(variables)?.join(name))
}

/// What the state of `script` is called: its file name, and eight digits that tell it from others of that name.
pub(super) fn name_of(script: &Path) -> Result<String, String> {
    if script == Path::new(PUSHED) {
        // It is pushed from one machine and runs on another.
        return Ok("pushed".into());
    }
    let script = if script == Path::new("-") { Path::new("stdin.rhai") } else { script };
    let path = std::path::absolute(script).map_err(|error| format!("`{}` is nowhere: {error}", script.display()))?;
    let name = path.file_name().map_or_else(|| "script".into(), |name| name.to_string_lossy());
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    let digits = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    Ok(format!("{name}-{digits:08x}"))
}

/// The folder of the state of `script`, made where there is none.
pub(super) fn made_folder(arg: &StateArg, script: &Path) -> Result<PathBuf, String> {
    let folder = match arg {
        StateArg::Folder(folder) => folder.clone(),
        StateArg::Home => home_folder(script, &|name| std::env::var_os(name))?,
        StateArg::Memory => return Err("state in memory belongs to its worker alone; name a folder or a Redis".into()),
        StateArg::Redis(place) => return Err(format!("the state in {place} is not in a folder")),
    };
    make(&folder).map(|()| folder)
}

/// Makes `folder` for this user alone, and sees whether it can be written.
fn make(folder: &Path) -> Result<(), String> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    let writable = made.and_then(|()| rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).map_err(Into::into));
    writable.map_err(|error| format!("the state folder `{}` cannot be written: {error}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_has_a_folder_of_its_own() {
        let variables = |name: &str| (name == "XDG_STATE_HOME").then(|| OsString::from("/states"));
        let folder = |script: &str| home_folder(Path::new(script), &variables).unwrap();
        let web = folder("/srv/scripts/web.rhai");
        // The first 8 digits of SHA-256 of "/srv/scripts/web.rhai".
        assert_eq!(web, Path::new("/states/autoscaler/web.rhai-135171e7"));
        assert_eq!(folder("/srv/./scripts//web.rhai"), web);
        assert_ne!(folder("/other/web.rhai"), web);
        let home = |name: &str| (name == "HOME").then(|| OsString::from("/users/ann"));
        assert!(home_folder(Path::new("-"), &home).unwrap().starts_with("/users/ann/.local/state/autoscaler"));
        assert_eq!(home_folder(Path::new("a"), &|_| None), Err("neither HOME nor XDG_STATE_HOME is set".into()));
    }

    #[test]
    fn the_only_folder_is_found_and_several_are_listed() {
        let home = tempfile::tempdir().unwrap();
        let variables = |name: &str| (name == "XDG_STATE_HOME").then(|| home.path().as_os_str().to_owned());
        let find = |script: Option<&str>| find_among(&StateArg::Home, script.map(Path::new), &variables);
        assert!(find(None).is_err_and(|error| error.contains("has a worker run here?")));
        let web = home_folder(Path::new("/srv/web.rhai"), &variables).unwrap();
        make(&web).unwrap();
        assert_eq!(find(None), Ok(web.clone()));
        let other = home_folder(Path::new("/srv/other.rhai"), &variables).unwrap();
        assert!(find(Some("/srv/other.rhai")).is_err_and(|error| error.contains("no state of `/srv/other.rhai`")));
        make(&other).unwrap();
        let several = find(None).unwrap_err();
        assert!(several.contains("--script FILE or --state DIR"), "{several}");
        assert!(several.contains(&web.display().to_string()) && several.contains(&other.display().to_string()));
        assert_eq!(find(Some("/srv/web.rhai")), Ok(web));
    }
}
