//! Owns the file that a picture goes to: found fit before the work begins, and replaced at once and whole.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A page: charts, scores, the comparison.
    Page,
    /// The charts alone, as a picture.
    Picture,
    /// Text with tables.
    Text,
}

/// A file that can be written.
#[derive(Clone, Debug)]
pub struct Destination {
    /// What goes into it.
    pub form: Form,
    /// The file itself, where the path is a link to it.
    path: PathBuf,
}

impl Destination {
    /// Tries whether the file `path` could be written, and leaves everything as it is.
    ///
    /// # Errors
    /// Why it cannot be.
    pub fn check(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let form = match path.extension().and_then(|extension| extension.to_str()) {
            Some(ending) if ending.eq_ignore_ascii_case("html") => Form::Page,
            Some(ending) if ending.eq_ignore_ascii_case("svg") => Form::Picture,
            _ => return Err(format!("`{shown}` ends neither with .html, for a page, nor with .svg, for a picture")),
        };
        Self::of(path, form)
    }

    /// As [`Destination::check`], for a file that may have any name.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub fn of(path: &Path, form: Form) -> Result<Self, String> {
        let shown = path.display();
        let path = match fs::metadata(path) {
            Ok(found) if found.is_file() => path.canonicalize(),
            Ok(_) => return Err(format!("`{shown}` is there already and is no file")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(path.to_owned()),
            Err(error) => Err(error),
        };
        let found = path.and_then(|path| {
            let new = aside(&path);
            fs::OpenOptions::new().write(true).create_new(true).open(&new)?;
            fs::remove_file(&new)?;
            Ok(Self { form, path })
        });
        found.map_err(|error| format!("`{shown}` cannot be written: {error}"))
    }

    /// Writes `text` into it, in the place of what was there.
    ///
    /// # Errors
    /// What the file system says; what was there is there still.
    pub fn write(&self, text: &str) -> Result<(), String> {
        let new = aside(&self.path);
        let written = (|| {
            let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&new)?;
            file.write_all(text.as_bytes())?;
            if let Ok(old) = fs::metadata(&self.path) {
                file.set_permissions(old.permissions())?;
            }
            file.sync_all()?;
            fs::rename(&new, &self.path)
        })();
        written.map_err(|error: io::Error| {
            // It may not be there at all.
            let _ = fs::remove_file(&new);
            format!("`{}` cannot be written: {error}", self.path.display())
        })
    }
}

/// A name beside `path` that nobody has.
fn aside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.new", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_checked_without_a_trace_and_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.html");
        let destination = Destination::check(&path).unwrap();
        assert_eq!((destination.form, names(folder.path())), (Form::Page, vec![]));
        destination.write("one, which is longer").unwrap();
        let link = folder.path().join("b.SVG");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let linked = Destination::check(&link).unwrap();
        assert_eq!(linked.form, Form::Picture);
        linked.write("two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(names(folder.path()), ["a.html", "b.SVG"]);
    }

    #[test]
    fn what_cannot_be_written_is_said() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("c.html")).unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        for (name, said) in [
            ("a.pdf", "neither"),
            ("a", "neither"),
            ("none/a.html", "cannot be written"),
            ("file/a.html", "cannot be written"),
            ("c.html", "no file"),
        ] {
            let error = Destination::check(&folder.path().join(name)).unwrap_err();
            assert!(error.contains(said), "{name}: {error}");
        }
    }
}
