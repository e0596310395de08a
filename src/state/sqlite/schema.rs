//! Owns the file of the store: how it is opened, which version it has, and how an earlier one is brought up to
//! date. A file that is damaged, foreign or newer is refused and left as it is.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::super::{Fence, StateError};

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
        look(file)?;
    }
    prepared(file).map_err(|error| said(&error))
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
        return Err(StateError(format!("`{}` is not a store of autoscaler", file.display())));
    }
    if version > newest_version() {
        let newest = newest_version();
        return Err(StateError(format!(
            "`{}` was written by a newer autoscaler (version {version} of the store, this one knows {newest})",
            file.display()
        )));
    }
    Ok(connection)
}

/// Whether `file` can be read, with everything that a pipeline needs at its start: what is packed is looked at when
/// somebody asks for it.
///
/// # Errors
/// Why not.
pub(in crate::state) fn look(file: &Path) -> Result<(), StateError> {
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

/// The fence of whoever took the store over last.
pub(super) fn fence(connection: &Connection) -> rusqlite::Result<Fence> {
    let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE key = 'fence'")?;
    let fence: i64 = statement.query_row([], |row| row.get(0))?;
    Ok(Fence(u64::try_from(fence).unwrap_or(0)))
}

/// What went wrong, in the words of the person who keeps the machine.
pub(super) fn said(error: &rusqlite::Error) -> StateError {
    let text = match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => "the disk is full".into(),
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
            "the file is damaged".to_owned()
        }
        Some(rusqlite::ErrorCode::ReadOnly | rusqlite::ErrorCode::PermissionDenied) => {
            "the file may not be written".into()
        }
        Some(rusqlite::ErrorCode::CannotOpen) => "the file cannot be opened".into(),
        Some(rusqlite::ErrorCode::SystemIoFailure) => format!("the disk fails ({error})"),
        _ => error.to_string(),
    };
    StateError(text)
}
