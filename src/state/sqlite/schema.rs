//! Owns the file of the store: how it is opened, which version it has, and how an earlier one is brought up to
//! date. A file that is damaged, foreign or newer is refused and left as it is.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::super::{Fence, StateError, files};

/// What each version adds to the one before: version 1 is the first.
static MIGRATIONS: &[&str] = &[include_str!("schema/1.sql"), include_str!("schema/2.sql")];

/// Tells our files from those of others: "ascr".
const APPLICATION: i32 = 0x6173_6372;

/// Of the writer and of every reader, in kB: a worker's memory is scarce, and what is asked for lies together.
const CACHE_KB: i32 = 256;

/// Nobody but a migration holds the file for longer.
const BUSY: Duration = Duration::from_secs(5);

/// The newest version of the schema.
#[must_use]
pub fn newest_version() -> i32 {
    i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX)
}

/// Opens `file` for writing, makes it where there is none, and brings an earlier version up to date.
///
/// # Errors
/// A file that is damaged, of another program, or of a newer version, which stays as it is; a folder that cannot
/// be written.
pub(super) fn open_to_write(file: &Path) -> Result<Connection, StateError> {
    if file.metadata().is_ok_and(|metadata| metadata.len() > 0) {
        // Only looked at: opening for writing changes a file already.
        look(file).map_err(|error| unreadable(file, &error))?;
    }
    make_private(file).map_err(|error| unwritable(file, &StateError(error.to_string())))?;
    prepared(file).map_err(|error| unwritable(file, &said(&error)))
}

/// SQLite gives the files beside it the rights of the file itself, which it would make by those of the process.
fn make_private(file: &Path) -> std::io::Result<()> {
    if !file.exists() {
        files::create(file)?;
    }
    for beside in ["", "-wal", "-shm"] {
        files::keep_private(&files::with_suffix(file, beside));
    }
    Ok(())
}

fn prepared(file: &Path) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open_with_flags(
        file,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    settle(&connection)?;
    if version(&connection)? == 0 {
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "journal_size_limit", 4_000_000)?;
    migrate(&mut connection)?;
    Ok(connection)
}

/// Runs what `connection` lacks of the newest version, in one transaction.
fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let version = usize::try_from(version(&transaction)?).unwrap_or(0);
    if version < MIGRATIONS.len() {
        for migration in &MIGRATIONS[version..] {
            transaction.execute_batch(migration)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", newest_version())?;
    }
    transaction.commit()
}

/// Opens `file` for reading.
///
/// # Errors
/// No such file, or one that [`open_to_write`] refuses.
pub(super) fn open_to_read(file: &Path) -> Result<Connection, StateError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags).map_err(|error| said(&error))?;
    settle(&connection).map_err(|error| said(&error))?;
    let application: i32 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(|error| said(&error))?;
    let version = version(&connection).map_err(|error| said(&error))?;
    if application != APPLICATION || version < 1 {
        return Err(StateError("it is no store of autoscaler".into()));
    }
    if version > newest_version() {
        let newest = newest_version();
        return Err(StateError(format!(
            "it was written by a newer autoscaler (version {version} of the store, this one knows {newest})"
        )));
    }
    Ok(connection)
}

/// Whether `file` can be read, with everything that a pipeline needs at its start: what is packed is looked at when
/// somebody asks for it.
///
/// # Errors
/// Why not.
pub(super) fn look(file: &Path) -> Result<(), StateError> {
    let connection = open_to_read(file)?;
    for sql in [
        "SELECT sum(length(kept)) FROM pipelines",
        "SELECT sum(length(body)) FROM history",
        "SELECT count(*) FROM records",
    ] {
        connection.query_row(sql, [], |_| Ok(())).map_err(|error| said(&error))?;
    }
    Ok(())
}

fn settle(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "cache_size", -CACHE_KB)?;
    connection.set_prepared_statement_cache_capacity(24);
    Ok(())
}

pub(super) fn version(connection: &Connection) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Takes the store over: every commit of those before is refused from now on.
pub(super) fn next_fence(connection: &Connection) -> Result<Fence, StateError> {
    let sql = "UPDATE meta SET value = value + 1 WHERE key = 'fence' RETURNING value";
    let fence: i64 = connection.query_row(sql, [], |row| row.get(0)).map_err(|error| said(&error))?;
    Ok(Fence(u64::try_from(fence).unwrap_or(0)))
}

/// Whether the disk has room for as much as a tick writes, which is seen by writing it.
///
/// # Errors
/// It has none, or takes nothing.
pub(super) fn has_room(connection: &Connection) -> Result<(), StateError> {
    const ROOM: i32 = 32_768;
    let write = || {
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('room', zeroblob(?1))", [ROOM])?;
        connection.execute("DELETE FROM meta WHERE key = 'room'", [])
    };
    write().map(|_| ()).map_err(|error| said(&error))
}

/// The fence of whoever took the store over last.
pub(super) fn fence(connection: &Connection) -> rusqlite::Result<Fence> {
    let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE key = 'fence'")?;
    let fence: i64 = statement.query_row([], |row| row.get(0))?;
    Ok(Fence(u64::try_from(fence).unwrap_or(0)))
}

/// What is said of a file that makes no sense.
const DAMAGED: &str = "the file is damaged";

/// Why `file` cannot be read, and what to do.
pub(super) fn unreadable(file: &Path, error: &StateError) -> StateError {
    let shown = file.display();
    let is_missing = std::fs::symlink_metadata(file).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
    if is_missing {
        return StateError(format!("there is no `{shown}`: nothing is recorded there"));
    }
    let help = if error.0.starts_with(DAMAGED) || error.0.starts_with(ENTRY) {
        format!(
            "; to begin anew, stop the worker, move it away (`mv {shown} {shown}.damaged`) and start the worker: \
             pauses and counts set by hand are in levers.json and stay"
        )
    } else {
        String::new()
    };
    StateError(format!("`{shown}` cannot be read: {error}{help}"))
}

/// How it begins what is said of a part of the file that makes no sense.
pub(super) const ENTRY: &str = "an entry is damaged";

/// Why `file` cannot be written.
pub(super) fn unwritable(file: &Path, error: &StateError) -> StateError {
    StateError(format!("`{}` cannot be written: {error}", file.display()))
}

/// What went wrong, in the words of the person who keeps the machine.
pub(super) fn said(error: &rusqlite::Error) -> StateError {
    let text = match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => "the disk is full".into(),
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => DAMAGED.to_owned(),
        Some(rusqlite::ErrorCode::ReadOnly | rusqlite::ErrorCode::PermissionDenied) => {
            "the file may not be written".into()
        }
        Some(rusqlite::ErrorCode::CannotOpen) => "the file cannot be opened".into(),
        Some(rusqlite::ErrorCode::SystemIoFailure) => format!("the disk fails ({error})"),
        _ => error.to_string(),
    };
    StateError(text)
}
