//! Owns the touching of a disk. It does not wait for the platter: on a slow disk that would be most of what is
//! measured.

use std::io::{Read, Seek, Write};
use std::path::PathBuf;

use async_trait::async_trait;

use super::{Touch, blocking};

/// A folder on it.
pub struct Disk(pub PathBuf);

#[async_trait]
impl Touch for Disk {
    async fn touch(&self) -> Result<(), String> {
        let folder = self.0.clone();
        blocking(move || {
            let text = crate::heroku::uuid();
            let path = folder.join(format!(".autoscaler-heartbeat-{text}"));
            let kept = keep(&path, &text).map_err(|error| format!("`{}`: {error}", folder.display()));
            let removed = std::fs::remove_file(&path);
            match kept {
                Ok(true) => removed.map_err(|error| format!("`{}`: {error}", folder.display())),
                Ok(false) => Err("a file does not hold what was written".into()),
                Err(why) => Err(why),
            }
        })
        .await
    }
}

/// Whether a file holds what is written into it.
fn keep(path: &std::path::Path, text: &str) -> std::io::Result<bool> {
    let mut file = std::fs::OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.rewind()?;
    let mut kept = String::new();
    file.read_to_string(&mut kept)?;
    Ok(kept == text)
}
