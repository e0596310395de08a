//! Owns a scratch folder with a script in it, and the ways in which people and machines save it.

use std::fs;
use std::path::{Path, PathBuf};

/// A script in a folder of its own, which is removed in the end.
pub struct Script {
    folder: tempfile::TempDir,
    name: String,
}

impl Script {
    /// `script.rhai` with this text.
    pub fn new(text: &str) -> Self {
        Self::named("script.rhai", text)
    }

    /// A file `name` (which may lie in a subfolder) with this text.
    pub fn named(name: &str, text: &str) -> Self {
        let script = Self { folder: tempfile::tempdir().unwrap(), name: name.into() };
        script.write(name, text);
        script
    }

    /// A folder of scripts.
    pub fn folder(files: &[(&str, &str)]) -> Self {
        let script = Self { folder: tempfile::tempdir().unwrap(), name: "units".into() };
        for (name, text) in files {
            script.write(&format!("units/{name}"), text);
        }
        script
    }

    /// What a command line names.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join(&self.name)
    }

    /// The folder around it.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Writes the script in place.
    pub fn save(&self, text: &str) {
        fs::write(self.path(), text).unwrap();
    }

    /// Writes a new file and renames it over the script, as most editors do.
    pub fn save_by_rename(&self, text: &str) {
        let new = self.folder.path().join(".script.swp");
        fs::write(&new, text).unwrap();
        fs::rename(new, self.path()).unwrap();
    }

    /// Writes any file of the folder.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Removes any file of the folder.
    pub fn remove(&self, name: &str) {
        fs::remove_file(self.folder.path().join(name)).unwrap();
    }

    /// A folder as Kubernetes mounts a ConfigMap: the script is a link to `..data/<name>`, and `..data` a
    /// link to a folder of one version.
    pub fn config_map(text: &str) -> Self {
        let script = Self { folder: tempfile::tempdir().unwrap(), name: "script.rhai".into() };
        script.swap_config_map("..first", text);
        std::os::unix::fs::symlink("..data/script.rhai", script.path()).unwrap();
        script
    }

    /// Puts a new version in place as Kubernetes does: a new folder, and one rename of the link to it.
    pub fn swap_config_map(&self, version: &str, text: &str) {
        self.write(&format!("{version}/script.rhai"), text);
        let (data, new) = (self.folder.path().join("..data"), self.folder.path().join("..data_tmp"));
        std::os::unix::fs::symlink(version, &new).unwrap();
        let old = fs::read_link(&data).ok();
        fs::rename(new, data).unwrap();
        if let Some(old) = old {
            fs::remove_dir_all(self.folder.path().join(old)).unwrap();
        }
    }
}
