//! Owns the statements that read. A reader has a connection of its own, sees one moment of the file, and keeps
//! nobody from writing.

use std::path::Path;
use std::sync::Arc;

use chrono::DateTime;
use rusqlite::{Connection, OptionalExtension, params};

use super::super::{Kept, KeptGeneration, Query, StateError, packed};
use super::schema;
use super::write::ONLY;
use crate::pipeline::Record;

/// What is kept of `pipeline` in `file`.
pub(super) fn kept(file: &Path, pipeline: &str) -> Result<Option<Kept>, StateError> {
    let mut connection = schema::open_to_read(file)?;
    let moment = connection.transaction().map_err(said)?;
    let sql = "SELECT id, kept FROM pipelines WHERE name = ?1 AND kept IS NOT NULL";
    let row = moment.query_row(sql, [pipeline], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)));
    let Some((id, text)) = row.optional().map_err(said)? else { return Ok(None) };
    let mut kept: Kept = serde_json::from_str(&text).map_err(|error| unreadable(&error))?;
    // In version 1 the histories of measurements with names were in the text.
    let name = if schema::version(&moment).map_err(said)? < 2 { "''" } else { "name" };
    let sql = format!("SELECT {name}, body FROM history WHERE pipeline = ?1 ORDER BY n");
    let mut statement = moment.prepare(&sql).map_err(said)?;
    let mut rows = statement.query([id]).map_err(said)?;
    while let Some(row) = rows.next().map_err(said)? {
        let (name, text): (String, String) = (row.get(0).map_err(said)?, row.get(1).map_err(said)?);
        let measurement = serde_json::from_str(&text).map_err(|error| unreadable(&error))?;
        let name = (name != ONLY).then(|| Arc::from(name));
        Arc::make_mut(kept.history_mut(name.as_ref())).push(measurement, usize::MAX);
    }
    Ok(Some(kept))
}

/// The records of `file` that `query` asks for, oldest first.
pub(super) fn records(file: &Path, query: &Query) -> Result<Vec<Arc<Record>>, StateError> {
    let mut connection = schema::open_to_read(file)?;
    let moment = connection.transaction().map_err(said)?;
    let mut found = Vec::new();
    for id in pipelines(&moment, query).map_err(said)? {
        of_pipeline(&moment, id, query, &mut found)?;
    }
    super::super::in_order(&mut found, query);
    Ok(found)
}

fn pipelines(connection: &Connection, query: &Query) -> rusqlite::Result<Vec<i64>> {
    let mut statement = connection.prepare("SELECT id FROM pipelines WHERE ?1 IS NULL OR name = ?1")?;
    statement.query_map([query.pipeline.as_deref()], |row| row.get(0))?.collect()
}

/// Adds those of one pipeline to `found`, the newest first.
fn of_pipeline(
    connection: &Connection,
    id: i64,
    query: &Query,
    found: &mut Vec<Arc<Record>>,
) -> Result<(), StateError> {
    let since = query.since.map_or(i64::MIN, |since| since.timestamp_micros());
    let until = query.until.map_or(i64::MAX, |until| until.timestamp_micros());
    let most = query.newest.map_or(usize::MAX, |newest| found.len().saturating_add(newest));
    for sql in [
        "SELECT body FROM records WHERE pipeline = ?1 AND at >= ?2 AND at <= ?3 ORDER BY at DESC, tick DESC",
        "SELECT body FROM packed WHERE pipeline = ?1 AND last >= ?2 AND first <= ?3 ORDER BY last DESC",
    ] {
        let mut statement = connection.prepare(sql).map_err(said)?;
        let mut rows = statement.query(params![id, since, until]).map_err(said)?;
        while found.len() < most {
            let Some(row) = rows.next().map_err(said)? else { break };
            match row.get_ref(0).map_err(said)? {
                rusqlite::types::ValueRef::Blob(body) => {
                    let text = packed::unpack(body).map_err(|error| unreadable(&error))?;
                    take(&text, query, found)?;
                }
                body => take(body.as_str().map_err(|error| unreadable(&error))?, query, found)?,
            }
        }
    }
    Ok(())
}

/// Reads the records of `text`, a line each with the newest last.
fn take(text: &str, query: &Query, found: &mut Vec<Arc<Record>>) -> Result<(), StateError> {
    for line in text.lines().rev() {
        let record: Record = serde_json::from_str(line).map_err(|error| unreadable(&error))?;
        if query.matches(&record) {
            found.push(Arc::new(record));
        }
    }
    Ok(())
}

/// The accepted versions of `unit` in `file`, newest first.
pub(super) fn generations(file: &Path, unit: &str) -> Result<Vec<KeptGeneration>, StateError> {
    let connection = schema::open_to_read(file)?;
    let instead_of = if schema::version(&connection).map_err(said)? < 2 { "NULL" } else { "instead_of" };
    let columns = format!("id, at, hash, revision, files, {instead_of}");
    let sql = format!("SELECT {columns} FROM generations WHERE unit = ?1 ORDER BY id DESC");
    let mut statement = connection.prepare(&sql).map_err(said)?;
    let mut rows = statement.query([unit]).map_err(said)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(said)? {
        let body: Vec<u8> = row.get(4).map_err(said)?;
        let text = packed::unpack(&body).map_err(|error| unreadable(&error))?;
        let (id, at): (i64, i64) = (row.get(0).map_err(said)?, row.get(1).map_err(said)?);
        let instead_of: Option<String> = row.get(5).map_err(said)?;
        found.push(KeptGeneration {
            unit: unit.to_owned(),
            id: u64::try_from(id).unwrap_or(0),
            at: DateTime::from_timestamp_micros(at).unwrap_or_default(),
            hash: row.get(2).map_err(said)?,
            revision: row.get(3).map_err(said)?,
            files: serde_json::from_str(&text).map_err(|error| unreadable(&error))?,
            instead_of: instead_of
                .map(|text| serde_json::from_str(&text))
                .transpose()
                .map_err(|error| unreadable(&error))?,
        });
    }
    Ok(found)
}

/// The units of which `file` has accepted versions.
pub(super) fn units(file: &Path) -> Result<Vec<String>, StateError> {
    let connection = schema::open_to_read(file)?;
    let mut statement = connection.prepare("SELECT DISTINCT unit FROM generations").map_err(said)?;
    let rows = statement.query_map([], |row| row.get(0)).map_err(said)?;
    rows.collect::<Result<_, _>>().map_err(said)
}

#[allow(clippy::needless_pass_by_value)] // What `map_err` hands over.
fn said(error: rusqlite::Error) -> StateError {
    schema::said(&error)
}

fn unreadable(error: &impl std::fmt::Display) -> StateError {
    StateError(format!("{}: {error}", schema::ENTRY))
}
