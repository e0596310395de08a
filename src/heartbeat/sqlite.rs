//! Owns the touching of a SQLite file: it is opened and its schema read, and nothing is written.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OpenFlags};

use super::{Touch, blocking};

/// How long a writer is waited for.
const BUSY: Duration = Duration::from_secs(5);

/// A file.
pub struct Sqlite(PathBuf);

impl Sqlite {
    /// `rest` is what follows `sqlite:`, with or without the slashes of a URL: `///var/app.db`, `app.db`.
    pub fn new(rest: &str) -> Result<Self, String> {
        let path = rest.split('?').next().unwrap_or_default();
        // Three slashes are those of an absolute path, as in other URLs; of `//` alone the path is relative.
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path == ":memory:" {
            return Err("the URL of the database names no file; it looks like `sqlite:///var/lib/app/app.db`".into());
        }
        Ok(Self(path.into()))
    }
}

#[async_trait]
impl Touch for Sqlite {
    async fn touch(&self) -> Result<(), String> {
        let path = self.0.clone();
        blocking(move || {
            let failed = |error: rusqlite::Error| error.to_string();
            let open = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
            open.busy_timeout(BUSY).map_err(failed)?;
            open.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(())).map_err(failed)
        })
        .await
    }
}
