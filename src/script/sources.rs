//! Owns reading script files: what counts as a script, and how large it may be. It parses nothing.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::limits::{FILE_BYTES, FILE_LINES};
use super::{Source, SourceError};
use crate::settings::{Diagnostic, Place, Severity};

/// The scripts that `path` names: a file is one, a folder one per `*.rhai` at its top (sorted, the
/// unit named for the file's stem), `-` what stands on standard input, as `<working directory>/stdin.rhai`.
///
/// # Errors
/// One diagnostic: no such path, a folder without scripts, standard input that is no script.
pub fn sources(path: &Path) -> Result<Vec<Source>, SourceError> {
    if path == Path::new("-") {
        let shown: Arc<str> = "stdin.rhai".into();
        let text = read_text(std::io::stdin().lock(), &shown)?;
        let path = std::env::current_dir().unwrap_or_default().join("stdin.rhai");
        return Ok(vec![Source { path, text: Some(text), unit: None }]);
    }
    let shown: Arc<str> = path.display().to_string().into();
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(&error, &shown))?;
    if !metadata.is_dir() {
        return Ok(vec![Source { path: path.to_owned(), text: None, unit: None }]);
    }
    let entries = std::fs::read_dir(path).map_err(|error| unreadable(&error, &shown))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "rhai") && file.is_file());
    files.sort();
    if files.is_empty() {
        let help = "put one `*.rhai` file per unit at its top";
        return Err(said(&shown, format!("the folder `{shown}` has no scripts"), Some(help)));
    }
    let unit = |file: &PathBuf| file.file_stem().map(|stem| stem.to_string_lossy().into());
    Ok(files.into_iter().map(|path| Source { unit: unit(&path), path, text: None }).collect())
}

/// The text of a source.
pub(super) fn read(source: &Source, shown: &Arc<str>) -> Result<Arc<str>, SourceError> {
    match &source.text {
        Some(text) => checked(text.as_bytes().to_vec(), shown),
        None => read_file(&source.path, shown),
    }
}

/// The text of the file at `path`.
pub(super) fn read_file(path: &Path, shown: &Arc<str>) -> Result<Arc<str>, SourceError> {
    // Looked at before it is opened: to open a pipe waits for somebody who writes.
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(&error, shown))?;
    if metadata.is_dir() {
        return Err(said(shown, format!("`{shown}` is a folder, not a file"), None));
    }
    if !metadata.is_file() {
        let help = "save the script to a file, or hand it over on standard input: `-`";
        return Err(said(shown, format!("`{shown}` is no regular file"), Some(help)));
    }
    let file = File::open(path).map_err(|error| unreadable(&error, shown))?;
    read_text(file, shown)
}

fn read_text(from: impl Read, shown: &Arc<str>) -> Result<Arc<str>, SourceError> {
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that is too large from one that just fits.
    let most = u64::try_from(FILE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    from.take(most).read_to_end(&mut bytes).map_err(|error| unreadable(&error, shown))?;
    checked(bytes, shown)
}

fn checked(bytes: Vec<u8>, shown: &Arc<str>) -> Result<Arc<str>, SourceError> {
    if bytes.len() > FILE_BYTES {
        let help = "declare pipelines in a loop, or `import` parts of it";
        return Err(said(shown, format!("`{shown}` is larger than 1 MiB"), Some(help)));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].split(|byte| *byte == b'\n').count();
        said(shown, format!("`{shown}` is not UTF-8 text: see line {line}"), Some("save it as UTF-8"))
    })?;
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        return Err(said(
            shown,
            format!("`{shown}` is empty"),
            Some("declare a pipeline with `pipeline(\"web\", #{ … })`"),
        ));
    }
    if text.lines().count() > FILE_LINES {
        let help = "declare pipelines in a loop, or `import` parts of it";
        return Err(said(shown, format!("`{shown}` has more than {FILE_LINES} lines"), Some(help)));
    }
    // Editors on some systems put a byte order mark there, which the language does not know.
    Ok(text.strip_prefix('\u{feff}').map_or_else(|| text.as_str().into(), Arc::from))
}

fn unreadable(error: &std::io::Error, shown: &Arc<str>) -> SourceError {
    let message = match error.kind() {
        ErrorKind::NotFound => format!("there is no `{shown}`"),
        ErrorKind::PermissionDenied => format!("`{shown}` may not be read"),
        _ => format!("`{shown}` cannot be read: {error}"),
    };
    said(shown, message, None)
}

fn said(shown: &Arc<str>, message: String, help: Option<&str>) -> SourceError {
    let place = Some(Place::file(Arc::clone(shown)));
    Box::new(Diagnostic { rule: None, severity: Severity::Error, place, message, help: help.map(str::to_owned) })
}
