//! Owns what tells versions of a script apart: a hash over its files, and the git revision they were at, read from
//! the files of git. It runs no program.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::pipeline::ScriptVersion;
use crate::script::{Source, SourceFile};

/// More than any reference of git is long.
const LONGEST: u64 = 64 * 1024 * 1024;

/// The files of a script as they are kept: path below the script's folder, and text; the script itself first.
pub(super) fn files(source: &Source, files: &[SourceFile]) -> Vec<(String, String)> {
    let folder = source.path.parent().unwrap_or(Path::new(""));
    let path = |file: &SourceFile| {
        let path = Path::new(&*file.name);
        path.strip_prefix(folder).unwrap_or(path).display().to_string()
    };
    files.iter().map(|file| (path(file), file.text.to_string())).collect()
}

/// The version of `source` that `files` are.
pub(super) fn version(source: &Source, files: &[(String, String)]) -> ScriptVersion {
    let mut hash = Sha256::new();
    for (path, text) in files {
        // Lengths keep two files from looking like one.
        for part in [path, text] {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
    }
    ScriptVersion { hash: hex(&hash.finalize()), revision: revision(&source.path) }
}

/// `bytes` in hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The revision that is checked out around `script`.
fn revision(script: &Path) -> Option<String> {
    let script = std::path::absolute(script).ok()?;
    let git = script.ancestors().skip(1).map(|folder| folder.join(".git")).find(|git| git.exists())?;
    let git = if git.is_dir() { git } else { worktree(&git)? };
    let head = read(&git.join("HEAD"))?;
    let Some(reference) = head.strip_prefix("ref: ") else { return revision_of(&head) };
    // The branches of a worktree are in the repository that it belongs to.
    let shared = read(&git.join("commondir")).map(|path| git.join(path));
    [Some(git), shared].into_iter().flatten().find_map(|git| {
        let loose = read(&git.join(reference)).and_then(|text| revision_of(&text));
        loose.or_else(|| packed(&git, reference))
    })
}

/// The folder that the file `.git` of a worktree or a submodule names.
fn worktree(file: &Path) -> Option<PathBuf> {
    let text = read(file)?;
    Some(file.parent()?.join(text.strip_prefix("gitdir: ")?))
}

fn packed(git: &Path, reference: &str) -> Option<String> {
    let text = read(&git.join("packed-refs"))?;
    text.lines().find_map(|line| revision_of(line.strip_suffix(reference)?))
}

fn read(file: &Path) -> Option<String> {
    let small = std::fs::metadata(file).ok().is_some_and(|metadata| metadata.is_file() && metadata.len() < LONGEST);
    let text = if small { std::fs::read_to_string(file).ok()? } else { return None };
    Some(text.trim().to_owned())
}

fn revision_of(text: &str) -> Option<String> {
    let text = text.trim();
    let is_hash = matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_revision_is_found_whichever_way_git_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let of = |script: &str| revision(&folder.path().join(script));
        let (one, two, three) = ("1".repeat(40), "2".repeat(40), "3".repeat(64));
        write("scripts/web.rhai", "");
        assert_eq!(of("scripts/web.rhai"), None);
        write(".git/HEAD", &format!("{one}\n"));
        assert_eq!(of("scripts/web.rhai"), Some(one.clone()), "a revision by itself");
        write(".git/HEAD", "ref: refs/heads/main\n");
        assert_eq!(of("scripts/web.rhai"), None, "a branch without a commit");
        let others = format!("# pack-refs\n{one} refs/heads/not-main\n{two} refs/heads/main\n^{one}\n");
        write(".git/packed-refs", &others);
        assert_eq!(of("scripts/web.rhai"), Some(two), "packed");
        write(".git/refs/heads/main", &format!("{three}\n"));
        assert_eq!(of("scripts/web.rhai"), Some(three), "loose");
        // A worktree: its HEAD is its own, its branches are not.
        write("tree/.git", "gitdir: ../.git/worktrees/tree\n");
        write(".git/worktrees/tree/HEAD", "ref: refs/heads/work\n");
        write(".git/worktrees/tree/commondir", "../..\n");
        write(".git/refs/heads/work", &one);
        assert_eq!(of("tree/web.rhai"), Some(one));
    }

    #[test]
    fn the_hash_tells_apart_what_differs() {
        let source = Source { path: "/nowhere/web.rhai".into(), text: None, unit: None };
        let hash = |files: &[(&str, &str)]| {
            let files: Vec<_> = files.iter().map(|(path, text)| ((*path).into(), (*text).into())).collect();
            version(&source, &files).hash
        };
        let one = hash(&[("web.rhai", "a")]);
        assert_eq!(one.len(), 64);
        assert_eq!(one, hash(&[("web.rhai", "a")]));
        for other in [hash(&[("web.rhai", "b")]), hash(&[("web.rhaia", "")]), hash(&[("web.rhai", "a"), ("b", "")])] {
            assert_ne!(one, other);
        }
    }
}
