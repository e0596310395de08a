//! Owns what is read of a state in Redis. Records that are being packed while they are read are seen once.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::{Kept, KeptGeneration, Query, StateError, in_order, packed};
use super::place::Keys;
use super::said;
use crate::net::RedisLink;
use crate::pipeline::Record;

/// Packed entries that are fetched at once.
const AT_ONCE: usize = 16;

/// Before what is packed stand the times of its oldest and newest record, in microseconds.
const HEAD: usize = 16;

/// What is packed as `body`, as it is kept: the times make two entries of the same records differ.
pub(super) fn entry(first: f64, last: f64, body: &[u8]) -> Vec<u8> {
    #[allow(clippy::cast_possible_truncation)] // Microseconds since 1970, exact as a float until 2255.
    let times = [first as i64, last as i64];
    times.iter().flat_map(|time| time.to_be_bytes()).chain(body.iter().copied()).collect()
}

fn first_of(entry: &[u8]) -> Option<i64> {
    Some(i64::from_be_bytes(entry.get(..8)?.try_into().ok()?))
}

/// What is kept of `pipeline`.
pub(super) async fn kept(link: &RedisLink, keys: &Keys, pipeline: &str) -> Result<Option<Kept>, StateError> {
    let mut command = redis::cmd("HGET");
    command.arg(keys.one("kept")).arg(pipeline);
    let text: Option<String> = link.ask(command).await.map_err(said)?;
    text.map(|text| serde_json::from_str(&text).map_err(|error| damaged(&error))).transpose()
}

/// The records that `query` asks for, oldest first.
pub(super) async fn records(link: &RedisLink, keys: &Keys, query: &Query) -> Result<Vec<Arc<Record>>, StateError> {
    let names: Vec<String> = if let Some(name) = &query.pipeline {
        vec![name.to_string()]
    } else {
        let command = redis::cmd("HKEYS").arg(keys.one("kept")).to_owned();
        link.ask(command).await.map_err(said)?
    };
    let mut found = Vec::new();
    for name in names {
        of_pipeline(link, keys, &name, query, &mut found).await?;
    }
    once(&mut found);
    in_order(&mut found, query);
    Ok(found)
}

/// Leaves out what is there twice.
pub(super) fn once(records: &mut Vec<Arc<Record>>) {
    let mut seen = BTreeSet::new();
    records.retain(|record| seen.insert((Arc::clone(&record.pipeline), record.at, record.tick)));
}

/// Adds those of one pipeline to `found`.
async fn of_pipeline(
    link: &RedisLink,
    keys: &Keys,
    name: &str,
    query: &Query,
    found: &mut Vec<Arc<Record>>,
) -> Result<(), StateError> {
    let since = query.since.map_or("-inf".into(), |since| since.timestamp_micros().to_string());
    let until = query.until.map(|until| until.timestamp_micros());
    let end = until.map_or("+inf".into(), |until| until.to_string());
    let most = query.newest.map_or(usize::MAX, |newest| found.len().saturating_add(newest));
    // Before the packed ones: what is packed meanwhile is found there.
    let mut command = redis::cmd("ZREVRANGEBYSCORE");
    command.arg(keys.records(name)).arg(&end).arg(&since);
    let loose: Vec<String> = link.ask(command).await.map_err(said)?;
    for text in &loose {
        take(text, query, found)?;
    }
    if let Some(until) = until {
        // The entry that the end lies in, and its newest records after that.
        let mut command = redis::cmd("ZRANGEBYSCORE");
        command.arg(keys.packed(name)).arg(format!("({until}")).arg("+inf").arg("LIMIT").arg(0).arg(1);
        let entries: Vec<Vec<u8>> = link.ask(command).await.map_err(said)?;
        for entry in entries.iter().filter(|entry| first_of(entry).is_some_and(|first| first < until)) {
            unpack(entry, query, found)?;
        }
    }
    let mut skipped = 0;
    while found.len() < most {
        let mut command = redis::cmd("ZREVRANGEBYSCORE");
        command.arg(keys.packed(name)).arg(&end).arg(&since).arg("LIMIT").arg(skipped).arg(AT_ONCE);
        let entries: Vec<Vec<u8>> = link.ask(command).await.map_err(said)?;
        for entry in &entries {
            unpack(entry, query, found)?;
        }
        skipped += entries.len();
        if entries.len() < AT_ONCE {
            break;
        }
    }
    Ok(())
}

fn unpack(entry: &[u8], query: &Query, found: &mut Vec<Arc<Record>>) -> Result<(), StateError> {
    let body = entry.get(HEAD..).unwrap_or_default();
    let text = packed::unpack(body).map_err(|error| damaged(&error))?;
    text.lines().rev().try_for_each(|line| take(line, query, found))
}

fn take(text: &str, query: &Query, found: &mut Vec<Arc<Record>>) -> Result<(), StateError> {
    let record: Record = serde_json::from_str(text).map_err(|error| damaged(&error))?;
    if query.matches(&record) {
        found.push(Arc::new(record));
    }
    Ok(())
}

/// The accepted versions of `unit`, newest first.
pub(super) async fn generations(link: &RedisLink, keys: &Keys, unit: &str) -> Result<Vec<KeptGeneration>, StateError> {
    let command = redis::cmd("HVALS").arg(keys.generations(unit)).to_owned();
    let bodies: Vec<Vec<u8>> = link.ask(command).await.map_err(said)?;
    let mut found = Vec::new();
    for body in bodies {
        let text = packed::unpack(&body).map_err(|error| damaged(&error))?;
        let generation: KeptGeneration = serde_json::from_str(&text).map_err(|error| damaged(&error))?;
        found.push(generation);
    }
    found.sort_by_key(|generation| std::cmp::Reverse(generation.id));
    Ok(found)
}

/// The units of which there are accepted versions.
pub(super) async fn units(link: &RedisLink, keys: &Keys) -> Result<Vec<String>, StateError> {
    let prefix = keys.generations("");
    let mut pattern = String::new();
    for c in prefix.chars() {
        if "*?[]\\^-".contains(c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('*');
    let (mut cursor, mut found) = (0_u64, Vec::new());
    loop {
        let mut command = redis::cmd("SCAN");
        command.arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(AT_ONCE);
        let (next, names): (u64, Vec<String>) = link.ask(command).await.map_err(said)?;
        found.extend(names.iter().filter_map(|name| name.strip_prefix(&prefix)).map(str::to_owned));
        cursor = next;
        if cursor == 0 {
            break;
        }
    }
    // A scan may tell a key twice.
    found.sort();
    found.dedup();
    Ok(found)
}

pub(super) fn damaged(error: &impl std::fmt::Display) -> StateError {
    StateError(format!("an entry is damaged: {error}"))
}
