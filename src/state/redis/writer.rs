//! Owns the one thread that writes to Redis: it batches, renews the lease, packs and forgets, and while the server
//! is lost it holds what came and tries again. It ends no worker.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};

use super::super::queue::{Queue, Work};
use super::super::trouble::{TAKEN_OVER, Trouble, taken_over};
use super::super::{Keep, KeptGeneration, MOST_GENERATIONS, StateError, TOGETHER, lock, packed};
use super::lease::{LEASE, RENEW, Standing, Taken, millis, script, take};
use super::place::{Keys, STATES};
use super::{said, text_of};
use crate::levers::Levers;
use crate::net::RedisLink;
use crate::pipeline::Record;
use crate::world::RedisError;

/// A server that cannot be reached is tried again this often.
const RETRY: Duration = Duration::from_secs(1);

/// Old records are deleted this often.
const FORGET: Duration = Duration::from_secs(600);

/// So many records are written at once: others wait for the server meanwhile.
const AT_ONCE: usize = 500;

pub(super) struct Writer {
    pub(super) link: RedisLink,
    pub(super) keys: Keys,
    pub(super) name: String,
    pub(super) queue: Arc<Queue>,
    pub(super) standing: Arc<Standing>,
    pub(super) keep: Keep,
    /// The levers as this process last saw them.
    pub(super) levers: Arc<Mutex<Option<Levers>>>,
    /// Records of each pipeline that are not packed, as far as this writer knows.
    pub(super) loose: HashMap<Arc<str>, usize>,
    /// The newest version of each unit, to be written again where the server loses it.
    pub(super) newest: HashMap<String, (u64, Vec<u8>)>,
}

impl Writer {
    /// Writes until the queue is closed and empty; then the lease is free.
    pub(super) fn run(mut self, runtime: &tokio::runtime::Runtime) {
        let mut trouble = Trouble::default();
        let mut forget_at = Instant::now();
        let mut touch_at = Instant::now() + RENEW;
        if !self.joined() {
            touch_at = Instant::now();
        }
        while let Some(mut work) = self.queue.take(touch_at.saturating_duration_since(Instant::now())) {
            let written = runtime.block_on(self.write(&work));
            self.queue.note(&written);
            let waiters = work.waiters();
            touch_at = Instant::now() + if written.is_ok() { RENEW } else { RETRY };
            match &written {
                Ok(()) => {
                    trouble.is_over(work.lost);
                    waiters.tell(&written);
                }
                Err(_) if self.standing.is_taken_over() => {
                    waiters.tell(&written);
                    continue;
                }
                Err(error) => {
                    trouble.begins(error);
                    if self.queue.is_closed() {
                        tracing::error!("{} records are lost: they could not be written", work.records.len());
                    } else if !work.is_empty() {
                        self.queue.take_back(work, RETRY);
                    }
                    waiters.tell(&written);
                    continue;
                }
            }
            let forgets = Instant::now() >= forget_at;
            if let Err(error) = runtime.block_on(self.tidy(forgets)) {
                // They are there, only larger and older: tried again.
                tracing::debug!("records could not be packed or deleted: {error}");
                self.loose.clear();
            }
            if forgets {
                forget_at = Instant::now() + FORGET;
            }
        }
        let lease = format!("{} {}", self.standing.fence().0, lock::who());
        let mut release = script(include_str!("lua/release.lua"), &[self.keys.one("lease")]);
        release.arg(lease);
        if self.joined() {
            // Where it does not come through the lease ends by itself.
            let _ = runtime.block_on(self.link.ask::<()>(release));
        }
    }

    fn joined(&self) -> bool {
        self.standing.fence().0 > 0
    }

    async fn write(&mut self, work: &Work) -> Result<(), StateError> {
        if self.standing.is_taken_over() {
            return Err(taken_over());
        }
        if !self.joined() {
            self.join().await?;
        }
        let records: Vec<&Arc<Record>> = work.records.iter().collect();
        let mut parts = records.chunks(AT_ONCE);
        self.write_part(work, parts.next().unwrap_or_default()).await?;
        for part in parts {
            self.write_part(&Work::default(), part).await?;
        }
        for generation in &work.generations {
            let body = packed::pack(text_of(generation)?.as_bytes()).map_err(|error| StateError(error.to_string()))?;
            self.keep_generation(generation, &body).await?;
            self.newest.insert(generation.unit.clone(), (generation.id, body));
        }
        Ok(())
    }

    /// Takes the lease that could not be had at the start.
    async fn join(&mut self) -> Result<(), StateError> {
        let since = Instant::now();
        match take(&self.link, &self.keys, &self.name).await.map_err(said)? {
            Taken::Ours(fence) => {
                self.standing.takes(fence, since);
                Ok(())
            }
            Taken::Held(_) => Err(self.lost_to_another()),
            Taken::Newer(version) => Err(newer(&version)),
        }
    }

    fn lost_to_another(&self) -> StateError {
        self.standing.lose();
        tracing::error!("{TAKEN_OVER}: this one scales nothing any more");
        taken_over()
    }

    async fn write_part(&mut self, work: &Work, records: &[&Arc<Record>]) -> Result<(), StateError> {
        let mut names: Vec<&Arc<str>> = Vec::new();
        let mut numbers: HashMap<&Arc<str>, usize> = HashMap::new();
        for record in records {
            numbers.entry(&record.pipeline).or_insert_with(|| {
                names.push(&record.pipeline);
                names.len()
            });
        }
        let mut keys = ["fence", "lease", "rival", "kept"].map(|key| self.keys.one(key)).to_vec();
        keys.extend(names.iter().map(|name| self.keys.records(name)));
        let mut command = script(include_str!("lua/write.lua"), &keys);
        command.arg(self.standing.fence().0).arg(lock::who()).arg(millis(LEASE)).arg(work.kept.len());
        for (name, kept) in &work.kept {
            command.arg(&**name).arg(text_of(kept)?);
        }
        for record in records {
            command.arg(numbers[&record.pipeline]).arg(record.at.timestamp_micros()).arg(text_of(record)?);
        }
        let since = Instant::now();
        let (known, rival): (i64, i64) = self.link.ask(command).await.map_err(said)?;
        if known < 0 {
            return Err(self.lost_to_another());
        }
        self.standing.renewed(since, rival > 0);
        for record in records {
            if let Some(loose) = self.loose.get_mut(&record.pipeline) {
                *loose += 1;
            } else {
                let key = self.keys.records(&record.pipeline);
                let count = self.link.ask(redis::cmd("ZCARD").arg(key).to_owned()).await.map_err(said)?;
                self.loose.insert(Arc::clone(&record.pipeline), count);
            }
        }
        if known == 0 {
            self.write_again().await?;
        }
        Ok(())
    }

    /// The server does not know us: it has lost what it kept, or this is the first time.
    async fn write_again(&mut self) -> Result<(), StateError> {
        tracing::warn!(
            "{} has lost the state of this worker; what is remembered here is written again",
            self.link.server()
        );
        self.loose.clear();
        let mut pipe = redis::pipe();
        pipe.cmd("SET").arg(self.keys.one("version")).arg(super::lease::VERSION).ignore();
        pipe.cmd("SADD").arg(STATES).arg(&self.name).ignore();
        let levers = self.levers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(levers) = levers {
            // One that was pulled since is newer.
            pipe.cmd("SETNX").arg(self.keys.one("levers")).arg(text_of(&levers)?).ignore();
        }
        self.link.ask_all::<()>(&pipe).await.map_err(said)?;
        for (unit, (id, body)) in &self.newest {
            self.write_generation(unit, *id, body).await?;
        }
        Ok(())
    }

    async fn keep_generation(&self, generation: &KeptGeneration, body: &[u8]) -> Result<(), StateError> {
        self.write_generation(&generation.unit, generation.id, body).await
    }

    async fn write_generation(&self, unit: &str, id: u64, body: &[u8]) -> Result<(), StateError> {
        let keys = [self.keys.one("fence"), self.keys.generations(unit)];
        let mut command = script(include_str!("lua/generation.lua"), &keys);
        command.arg(self.standing.fence().0).arg(id).arg(body).arg(MOST_GENERATIONS);
        match self.link.ask::<i64>(command).await.map_err(said)? {
            1 => Ok(()),
            _ => Err(self.lost_to_another()),
        }
    }

    /// Packs the records of pipelines that have many, and where it `forgets` deletes the old ones.
    async fn tidy(&mut self, forgets: bool) -> Result<(), StateError> {
        let ripe: Vec<Arc<str>> =
            self.loose.iter().filter(|(_, count)| **count >= TOGETHER).map(|(name, _)| Arc::clone(name)).collect();
        for name in ripe {
            while self.loose.get(&name).is_some_and(|count| *count >= TOGETHER) {
                self.pack(&name).await.map_err(said)?;
            }
        }
        if forgets {
            self.forget().await.map_err(said)?;
        }
        Ok(())
    }

    async fn pack(&mut self, pipeline: &Arc<str>) -> Result<(), RedisError> {
        let key = self.keys.records(pipeline);
        let mut oldest = redis::cmd("ZRANGE");
        oldest.arg(&key).arg(0).arg(TOGETHER - 1).arg("WITHSCORES");
        let oldest: Vec<(String, f64)> = self.link.ask(oldest).await?;
        self.loose.remove(pipeline);
        let (Some((_, first)), Some((_, last))) = (oldest.first(), oldest.last()) else { return Ok(()) };
        let text: String = oldest.iter().flat_map(|(record, _)| [record, "\n"]).collect();
        let Ok(body) = packed::pack(text.as_bytes()) else { return Ok(()) };
        let entry = super::read::entry(*first, *last, &body);
        let keys = [self.keys.one("fence"), key, self.keys.packed(pipeline), self.keys.one("sizes")];
        let mut command = script(include_str!("lua/pack.lua"), &keys);
        command.arg(self.standing.fence().0).arg(oldest.len()).arg(last).arg(entry).arg(&**pipeline);
        self.link.ask::<()>(command).await?;
        let left = self.link.ask(redis::cmd("ZCARD").arg(&keys[1]).to_owned()).await?;
        self.loose.insert(Arc::clone(pipeline), left);
        Ok(())
    }

    /// Deletes records from before the time they are kept for, and the oldest of all while they take too much.
    async fn forget(&mut self) -> Result<(), RedisError> {
        let age = TimeDelta::from_std(self.keep.age).unwrap_or(TimeDelta::MAX);
        let oldest = Utc::now().checked_sub_signed(age).unwrap_or_default().timestamp_micros();
        let names: Vec<String> = self.link.ask(redis::cmd("HKEYS").arg(self.keys.one("kept")).to_owned()).await?;
        for name in &names {
            while self.forget_before(name, oldest).await? > 0 {}
        }
        loop {
            let sizes: Vec<u64> = self.link.ask(redis::cmd("HVALS").arg(self.keys.one("sizes")).to_owned()).await?;
            if sizes.iter().sum::<u64>() <= self.keep.bytes {
                return Ok(());
            }
            let mut pipe = redis::pipe();
            for name in &names {
                pipe.cmd("ZRANGE").arg(self.keys.packed(name)).arg(0).arg(0).arg("WITHSCORES");
            }
            let firsts: Vec<Vec<(Vec<u8>, f64)>> = self.link.ask_all(&pipe).await?;
            let ends = names.iter().zip(&firsts).filter_map(|(name, first)| Some((name, first.first()?.1)));
            let Some((name, end)) = ends.min_by(|a, b| a.1.total_cmp(&b.1)) else { return Ok(()) };
            #[allow(clippy::cast_possible_truncation)] // Microseconds since 1970, exact as a float until 2255.
            if self.forget_before(name, end as i64 + 1).await? == 0 {
                return Ok(());
            }
        }
    }

    async fn forget_before(&self, pipeline: &str, time: i64) -> Result<u64, RedisError> {
        let keys =
            [self.keys.one("fence"), self.keys.records(pipeline), self.keys.packed(pipeline), self.keys.one("sizes")];
        let mut command = script(include_str!("lua/forget.lua"), &keys);
        command.arg(self.standing.fence().0).arg(time).arg(pipeline);
        self.link.ask(command).await
    }
}

/// What is kept is of a newer version.
pub(super) fn newer(version: &str) -> StateError {
    let known = super::lease::VERSION;
    StateError(format!("it was written by a newer autoscaler (version {version}, this one knows {known})"))
}
