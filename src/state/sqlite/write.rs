//! Owns the statements that write: one transaction per piece of work. Of a history only what is new is written,
//! and what has left it is deleted.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::super::queue::Work;
use super::super::{Fence, Kept, KeptGeneration, MOST_GENERATIONS, TOGETHER, packed};
use super::schema;
use crate::pipeline::{History, Record};

/// Why work could not be written.
pub(super) enum Refusal {
    /// Another worker has the store now.
    TakenOver,
    /// The disk or the file.
    Store(rusqlite::Error),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error)
    }
}

/// What is in the file of each pipeline, as far as this writer wrote it.
#[derive(Default)]
pub(super) struct Known(HashMap<Arc<str>, OnePipeline>);

struct OnePipeline {
    id: i64,
    /// Records that are not packed.
    loose: usize,
    /// What is written of the histories, by their names; nothing is known of them before this writer wrote them.
    histories: Option<HashMap<String, Written>>,
}

/// Which measurements of a history are written: those from `first` on, before `next`.
#[derive(Clone, Copy)]
struct Written {
    first: i64,
    next: i64,
    newest: Option<DateTime<Utc>>,
}

impl Known {
    /// Forgets everything: the last transaction did not come to its end.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    fn pipeline(&mut self, connection: &Connection, name: &Arc<str>) -> rusqlite::Result<&mut OnePipeline> {
        if !self.0.contains_key(name) {
            let id = pipeline_id(connection, name)?;
            let count = "SELECT count(*) FROM records WHERE pipeline = ?1";
            let loose: i64 = connection.prepare_cached(count)?.query_row([id], |row| row.get(0))?;
            let loose = usize::try_from(loose).unwrap_or(0);
            self.0.insert(Arc::clone(name), OnePipeline { id, loose, histories: None });
        }
        Ok(self.0.get_mut(name).expect("it was inserted just now"))
    }

    /// The pipelines with enough records to be packed.
    fn ripe(&self) -> Vec<Arc<str>> {
        self.0.iter().filter(|(_, one)| one.loose >= TOGETHER).map(|(name, _)| Arc::clone(name)).collect()
    }
}

fn pipeline_id(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.prepare_cached("INSERT OR IGNORE INTO pipelines (name) VALUES (?1)")?.execute([name])?;
    connection.prepare_cached("SELECT id FROM pipelines WHERE name = ?1")?.query_row([name], |row| row.get(0))
}

/// Writes `work`, unless another worker has taken the store over since `fence`.
pub(super) fn work(connection: &mut Connection, fence: Fence, work: &Work, known: &mut Known) -> Result<(), Refusal> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if schema::fence(&transaction)? > fence {
        return Err(Refusal::TakenOver);
    }
    for (name, kept) in &work.kept {
        keep(&transaction, name, kept, known)?;
    }
    for record in &work.records {
        let one = known.pipeline(&transaction, &record.pipeline)?;
        insert(&transaction, one.id, record)?;
        one.loose += 1;
    }
    for generation in &work.generations {
        keep_generation(&transaction, generation)?;
    }
    transaction.commit()?;
    Ok(())
}

fn keep(transaction: &Transaction<'_>, name: &Arc<str>, kept: &Kept, known: &mut Known) -> rusqlite::Result<()> {
    let one = known.pipeline(transaction, name)?;
    // Histories have a table of their own: they are long, and one measurement of each changes.
    let mut rest = Kept { history: Arc::default(), ..kept.clone() };
    rest.named.values_mut().for_each(|measured| measured.history = Arc::default());
    let sql = "UPDATE pipelines SET kept = ?2 WHERE id = ?1";
    transaction.prepare_cached(sql)?.execute(params![one.id, json(&rest)?])?;
    if one.histories.is_none() {
        transaction.prepare_cached("DELETE FROM history WHERE pipeline = ?1")?.execute([one.id])?;
    }
    let mut written = one.histories.take().unwrap_or_default();
    let named = kept.named.iter().map(|(name, measured)| (name.as_str(), &measured.history));
    let mut histories = HashMap::new();
    for (name, history) in [(ONLY, &kept.history)].into_iter().chain(named) {
        let written = written.remove(name);
        histories.insert(name.to_owned(), keep_history(transaction, (one.id, name), history, written)?);
    }
    for gone in written.keys() {
        forget_history(transaction, (one.id, gone))?;
    }
    one.histories = Some(histories);
    Ok(())
}

/// The name of the only measurement, which has none.
pub(super) const ONLY: &str = "";

fn forget_history(transaction: &Transaction<'_>, (id, name): (i64, &str)) -> rusqlite::Result<()> {
    let sql = "DELETE FROM history WHERE pipeline = ?1 AND name = ?2";
    transaction.prepare_cached(sql)?.execute(params![id, name])?;
    Ok(())
}

fn keep_history(
    transaction: &Transaction<'_>,
    (id, name): (i64, &str),
    history: &History,
    written: Option<Written>,
) -> rusqlite::Result<Written> {
    let newest = history.newest().map(|measurement| measurement.at);
    let length = i64::try_from(history.len()).unwrap_or(i64::MAX);
    // How many measurements came after the newest that is written; `None`: that one is gone.
    let added = written.and_then(|written| {
        let newest = written.newest?;
        let added = history.iter().rev().position(|measurement| measurement.at == newest)?;
        Some((written, added))
    });
    let (from, mut next) = if let Some((written, added)) = added {
        (history.len() - added, written.next)
    } else {
        forget_history(transaction, (id, name))?;
        (0, written.map_or(0, |written| written.next))
    };
    let sql = "INSERT INTO history (pipeline, name, n, body) VALUES (?1, ?2, ?3, ?4)";
    let mut insert = transaction.prepare_cached(sql)?;
    for measurement in history.iter().skip(from) {
        insert.execute(params![id, name, next, json(measurement)?])?;
        next += 1;
    }
    let first = next - length;
    if added.is_some_and(|(written, _)| written.first < first) {
        let sql = "DELETE FROM history WHERE pipeline = ?1 AND name = ?2 AND n < ?3";
        transaction.prepare_cached(sql)?.execute(params![id, name, first])?;
    }
    Ok(Written { first, next, newest })
}

fn insert(transaction: &Transaction<'_>, id: i64, record: &Record) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO records (pipeline, at, tick, body) VALUES (?1, ?2, ?3, ?4)";
    let tick = i64::try_from(record.tick).unwrap_or(i64::MAX);
    transaction.prepare_cached(sql)?.execute(params![id, record.at.timestamp_micros(), tick, json(record)?])?;
    Ok(())
}

fn keep_generation(transaction: &Transaction<'_>, generation: &KeptGeneration) -> rusqlite::Result<()> {
    let files = packed::pack(json(&generation.files)?.as_bytes()).map_err(unwritable)?;
    let id = i64::try_from(generation.id).unwrap_or(i64::MAX);
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO generations (unit, id, at, hash, revision, files, instead_of) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            generation.unit,
            id,
            generation.at.timestamp_micros(),
            generation.hash,
            generation.revision,
            files,
            generation.instead_of.as_ref().map(json).transpose()?
        ])?;
    transaction
        .prepare_cached(
            "DELETE FROM generations WHERE unit = ?1 AND id NOT IN \
             (SELECT id FROM generations WHERE unit = ?1 ORDER BY id DESC LIMIT ?2)",
        )?
        .execute(params![generation.unit, i64::try_from(MOST_GENERATIONS).unwrap_or(i64::MAX)])?;
    Ok(())
}

/// Packs the records of pipelines that have many.
pub(super) fn pack(connection: &mut Connection, known: &mut Known) -> rusqlite::Result<()> {
    for name in known.ripe() {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let one = known.pipeline(&transaction, &name)?;
        while one.loose >= TOGETHER {
            pack_oldest(&transaction, one.id)?;
            one.loose -= TOGETHER;
        }
        transaction.commit()?;
    }
    Ok(())
}

fn pack_oldest(transaction: &Transaction<'_>, id: i64) -> rusqlite::Result<()> {
    let mut text = String::new();
    let mut ends: Option<(i64, i64)> = None;
    let mut newest_tick = 0_i64;
    {
        let sql = "SELECT at, tick, body FROM records WHERE pipeline = ?1 ORDER BY at, tick LIMIT ?2";
        let mut statement = transaction.prepare_cached(sql)?;
        let mut rows = statement.query(params![id, i64::try_from(TOGETHER).unwrap_or(i64::MAX)])?;
        while let Some(row) = rows.next()? {
            let at = row.get(0)?;
            ends = Some((ends.map_or(at, |(first, _)| first), at));
            newest_tick = row.get(1)?;
            text.push_str(row.get_ref(2)?.as_str()?);
            text.push('\n');
        }
    }
    let Some((first, last)) = ends else { return Ok(()) };
    let body = packed::pack(text.as_bytes()).map_err(unwritable)?;
    let sql = "INSERT INTO packed (pipeline, first, last, body) VALUES (?1, ?2, ?3, ?4)";
    transaction.prepare_cached(sql)?.execute(params![id, first, last, body])?;
    let sql = "DELETE FROM records WHERE pipeline = ?1 AND (at, tick) <= (?2, ?3)";
    transaction.prepare_cached(sql)?.execute(params![id, last, newest_tick])?;
    Ok(())
}

/// Deletes records from before `oldest`, and the oldest of all while they take more than `most_bytes`.
pub(super) fn forget(connection: &mut Connection, oldest: DateTime<Utc>, most_bytes: u64) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let oldest = oldest.timestamp_micros();
    transaction.execute("DELETE FROM packed WHERE last < ?1", [oldest])?;
    transaction.execute("DELETE FROM records WHERE at < ?1", [oldest])?;
    let used = |transaction: &Transaction<'_>| -> rusqlite::Result<u64> {
        let number = |name| transaction.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let pages = number("page_count")? - number("freelist_count")?;
        Ok(u64::try_from(pages * number("page_size")?).unwrap_or(0))
    };
    while used(&transaction)? > most_bytes {
        let oldest = "DELETE FROM packed WHERE id IN (SELECT id FROM packed ORDER BY last LIMIT 16)";
        if transaction.execute(oldest, [])? == 0 {
            break;
        }
    }
    transaction.commit()?;
    // Little by little: what is left over is used again.
    let mut vacuum = connection.prepare("PRAGMA incremental_vacuum(500)")?;
    let mut rows = vacuum.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}

fn json(value: &impl serde::Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

fn unwritable(error: std::io::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}
