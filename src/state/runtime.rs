//! Owns where a worker is found whose state folder takes no socket or no lock, being read-only, missing, or of too long
//! a path: a folder of its user's alone among those that the machine has for running programs. It trusts none that
//! another user may have made.

use std::ffi::OsString;
use std::fs::{DirBuilder, Metadata};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Looks up a variable of the environment.
type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Where the worker whose state is in `state` may be found besides there, the best place first.
fn places(state: &Path, variables: Variables<'_>) -> Vec<PathBuf> {
    let absolute = |name| variables(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let of_user = |user: u32| PathBuf::from(format!("/run/user/{user}"));
    let mut roots: Vec<PathBuf> = absolute("XDG_RUNTIME_DIR").into_iter().collect();
    roots.push(of_user(me()));
    roots.extend(owner(state).map(of_user));
    roots.extend(absolute("TMPDIR"));
    roots.push("/tmp".into());
    let name = name(state);
    let mut places: Vec<PathBuf> = Vec::new();
    for root in roots {
        let place = root.join(&name);
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

/// What such a folder is called: 16 digits of the path of the state, links followed.
fn name(state: &Path) -> String {
    let digest = Sha256::digest(canonical(state).as_os_str().as_encoded_bytes());
    format!("autoscaler-{}", crate::worker::hex(&digest[..8]))
}

/// `path` without links, as far as it is there.
fn canonical(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut ancestors = path.ancestors();
    let found = ancestors.find_map(|ancestor| Some((ancestor.canonicalize().ok()?, path.strip_prefix(ancestor).ok()?)));
    found.map_or_else(|| path.clone(), |(real, rest)| real.join(rest))
}

fn me() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Whose `state` is, where it is there.
fn owner(state: &Path) -> Option<u32> {
    Some(std::fs::metadata(state).ok()?.uid())
}

/// Makes such a folder for the worker whose state is in `state`, in the first place that takes one.
///
/// # Errors
/// Why each of them does not.
pub fn make(state: &Path) -> Result<PathBuf, String> {
    make_among(&places(state, &|name| std::env::var_os(name)))
}

fn make_among(places: &[PathBuf]) -> Result<PathBuf, String> {
    let mut why = Vec::new();
    for place in places {
        // One that is there already is as good, if it is ours.
        let made = DirBuilder::new().mode(0o700).create(place);
        match std::fs::symlink_metadata(place) {
            Ok(metadata) => match objection(&metadata, &[me()]) {
                None => return Ok(place.clone()),
                Some(objection) => why.push(format!("`{}` {objection}", place.display())),
            },
            Err(error) => why.push(format!("`{}`: {}", place.display(), made.err().unwrap_or(error))),
        }
    }
    Err(why.join("; "))
}

/// The folders in which the worker whose state is in `state` may be found besides there; of one that must not be
/// trusted, why.
#[must_use]
pub fn find(state: &Path) -> Vec<Result<PathBuf, String>> {
    // Whoever may change the state may be believed about its worker.
    let trusted: Vec<u32> = std::iter::once(me()).chain(owner(state)).collect();
    let places = places(state, &|name| std::env::var_os(name));
    let there = places.into_iter().filter_map(|place| Some((std::fs::symlink_metadata(&place).ok()?, place)));
    there
        .map(|(metadata, place)| match objection(&metadata, &trusted) {
            None => Ok(place),
            Some(objection) => Err(format!(
                "`{}` {objection}, so what is in it is not believed; run the command as the worker's own user",
                place.display()
            )),
        })
        .collect()
}

/// Why a folder must not be trusted.
fn objection(folder: &Metadata, users: &[u32]) -> Option<String> {
    if !folder.is_dir() {
        return Some("is no folder".into());
    }
    if !users.contains(&folder.uid()) {
        return Some(format!("belongs to another user (number {})", folder.uid()));
    }
    (folder.mode() & 0o077 != 0).then(|| "is open to other users".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_folder_has_one_name_whatever_leads_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        std::fs::create_dir(&real).unwrap();
        symlink(&real, &link).unwrap();
        assert_eq!(name(&real), name(&link));
        assert_eq!(name(&real.join("missing/state")), name(&link.join("missing/state")), "also before it is there");
        assert_ne!(name(&real), name(folder.path()));
        let variables = |name: &str| (name == "XDG_RUNTIME_DIR").then(|| OsString::from("/run/of/ann"));
        let places = places(&real, &variables);
        assert!(places[0].starts_with("/run/of/ann") && places.last().unwrap().starts_with("/tmp"), "{places:?}");
    }

    #[test]
    fn only_a_folder_of_this_user_alone_is_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let (open, link, good) = (folder.path().join("open"), folder.path().join("link"), folder.path().join("good"));
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).unwrap();
        symlink(folder.path(), &link).unwrap();
        let made = make_among(&[folder.path().join("not/there"), open.clone(), link.clone(), good.clone()]).unwrap();
        assert_eq!(made, good);
        assert_eq!(std::fs::metadata(&good).unwrap().permissions().mode() & 0o777, 0o700);
        let why = make_among(&[open, link]).unwrap_err();
        assert!(why.contains("is open to other users") && why.contains("is no folder"), "{why}");
        let metadata = std::fs::symlink_metadata(&good).unwrap();
        assert_eq!(objection(&metadata, &[me()]), None);
        assert!(objection(&metadata, &[me() + 1]).is_some_and(|why| why.contains("another user")));
    }
}
