//! Owns where the commands that look back find records and the script: a worker's state, or a log on standard
//! input or in a file. Whatever is asked of state is bounded by time and number.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::{draw, loading, local_zone, worker};
use crate::cli::{ReachArgs, RecordsArgs, WorkerArgs};
use crate::control::{Answer, Ask, Health, NoAnswer, Place};
use crate::explain::logs::{Log, ScaleLine};
use crate::explain::time;
use crate::pipeline::{PipelineSpec, Record};
use crate::script::{self, MissingSecrets, Source};
use crate::settings::did_you_mean;
use crate::state::{self, Query, State};
use crate::worker::{Generation, Loading, Options};

/// So many records at most are looked at around one tick.
pub const MOST: usize = 20_000;

/// So many of the newest records tell which pipelines there are.
const NAMES: usize = 200;

/// So far back a scale is looked for.
const SCALE_BACK: TimeDelta = TimeDelta::hours(24);

/// Where records are.
pub enum Records {
    /// In the state of a worker.
    Kept(Arc<dyn State>),
    /// In a log that was read.
    Read(Log),
}

/// The script of a worker.
#[derive(Default)]
pub struct Scripts {
    /// Its files, and what each declares.
    pub units: Vec<(Source, Generation)>,
    /// Whether they are files that can be changed.
    pub on_disk: bool,
}

/// What loading needs where nothing will be reached.
pub fn pretending(script: &Path) -> Loading {
    let options =
        Options { script: script.to_owned(), dry_run: false, only: Vec::new(), secrets: MissingSecrets::Placeholder };
    loading(options, &ReachArgs { allow_run: true, ..ReachArgs::default() })
}

/// What a command that looks back works with.
pub struct Found {
    /// The records.
    pub records: Records,
    /// The script, empty where none is known.
    pub scripts: Scripts,
    /// What stands for now: of a log its newest record.
    pub now: DateTime<Utc>,
}

/// Opens what `args` and `log` name.
///
/// # Errors
/// What to say and do.
pub async fn open(args: &RecordsArgs, log: Option<&Path>) -> Result<Found, String> {
    let records = if let Some(log) = log {
        Records::Read(read(log)?)
    } else {
        let (state, trouble) = tokio::join!(kept(args), trouble(args));
        if let Some(trouble) = &trouble {
            say_how_far(&state, trouble).await;
        }
        Records::Kept(state?.state)
    };
    let scripts = match (&args.script, &records) {
        (Some(script), _) => Scripts::load(script)?,
        (None, Records::Kept(state)) => Scripts::kept(state).await,
        (None, Records::Read(_)) => Scripts::default(),
    };
    let now = records.now();
    Ok(Found { records, scripts, now })
}

impl Records {
    /// What stands for now.
    fn now(&self) -> DateTime<Utc> {
        match self {
            Self::Kept(_) => Utc::now(),
            Self::Read(log) => log.records.last().map_or_else(Utc::now, |record| record.at),
        }
    }
}

/// The records that `args` and `log` name, for the script at `new` in place of the worker's own.
///
/// # Errors
/// What to say and do.
pub async fn open_for(new: &Path, args: &RecordsArgs, log: Option<&Path>) -> Result<Found, String> {
    let records = match log {
        Some(log) => Records::Read(read(log)?),
        None => Records::Kept(kept(args).await?.state),
    };
    let scripts = Scripts::load(new)?;
    let now = records.now();
    Ok(Found { records, scripts, now })
}

/// What `state` holds, with the scripts that it keeps.
pub async fn of_state(state: Arc<dyn State>) -> Found {
    let scripts = Scripts::kept(&state).await;
    Found { records: Records::Kept(state), scripts, now: Utc::now() }
}

/// The records of a worker with the scripts that are kept with them: those of the script that `args` name, or of the
/// only worker there is.
///
/// # Errors
/// What to say and do.
pub async fn open_kept(args: &RecordsArgs) -> Result<Found, String> {
    let found = match (kept(args).await, &args.script) {
        (Err(_), Some(_)) => kept(&RecordsArgs { script: None, ..args.clone() }).await?,
        (found, _) => found?,
    };
    Ok(of_state(found.state).await)
}

/// Why what others read in the state that `args` name is not all of it, where that is so.
async fn trouble(args: &RecordsArgs) -> Option<String> {
    let args = WorkerArgs { script: args.script.clone(), state: args.state.clone() };
    // What is wrong with them is said of the records.
    let place = worker::place(&args).await.ok()?;
    if matches!(place, Place::Redis(_)) {
        // A worker that cannot write there cannot answer there either.
        return None;
    }
    match place.ask(&Ask::Health).await {
        Ok(Answer::Health(Health { pid, trouble })) => {
            trouble.map(|trouble| format!("the worker (process {pid}) cannot keep what it records: {trouble}"))
        }
        Err(NoAnswer::Silent(why)) => Some(why),
        _ => None,
    }
}

/// Says up to when the records of `state` reach, and why not further.
async fn say_how_far(state: &Result<state::Found, String>, why: &str) {
    let newest = match state {
        Ok(found) => found.state.records(&Query { newest: Some(1), ..Query::default() }).await.unwrap_or_default(),
        // The same is said of the records themselves.
        Err(error) if error.split(';').next().is_some_and(|error| why.contains(error)) => return,
        Err(_) => Vec::new(),
    };
    let zone = local_zone();
    let reach = match newest.first() {
        Some(newest) => format!("the records end at {} ({zone})", time::dated(newest.at, zone)),
        None => "there are no records of it".into(),
    };
    super::warn(format!("{reach}: {why}"));
}

/// The state of the worker that `args` name, for reading.
async fn kept(args: &RecordsArgs) -> Result<state::Found, String> {
    let found = state::look(&args.state.clone().unwrap_or_default(), args.script.as_deref()).await;
    found.map_err(|why| format!("{why}; or name a log, with - for one on standard input"))
}

fn read(log: &Path) -> Result<Log, String> {
    let read = if log == Path::new("-") {
        Log::read(std::io::stdin().lock())
    } else {
        std::fs::File::open(log).and_then(Log::read)
    };
    read.map_err(|error| format!("`{}` cannot be read: {error}", log.display()))
}

impl Scripts {
    /// The newest versions that a worker kept in `state`, the newest of all first; they are no files.
    async fn kept(state: &Arc<dyn State>) -> Self {
        let newest = state.records(&Query { newest: Some(NAMES), ..Query::default() }).await.unwrap_or_default();
        let is_recorded = |generation: &Generation| {
            generation.specs.iter().any(|spec| newest.iter().any(|record| record.pipeline == spec.name))
        };
        let mut kept = Vec::new();
        for unit in state.units().await.unwrap_or_default() {
            kept.extend(state.generations(&unit).await.unwrap_or_default().into_iter().next());
        }
        // Of a script that was renamed, the older name is kept too.
        kept.sort_by_key(|one| std::cmp::Reverse(one.at));
        let prefixes: Vec<&str> =
            newest.iter().filter_map(|record| record.pipeline.rsplit_once('/')).map(|(unit, _)| unit).collect();
        let is_folder = kept.iter().any(|one| prefixes.contains(&one.unit.as_str()));
        let mut units = Vec::new();
        for one in &kept {
            let load = |is_unit: bool| {
                let path: PathBuf = format!("{}.rhai", one.unit).into();
                let loading = pretending(&path);
                let source = Source { path, text: None, unit: is_unit.then(|| one.unit.as_str().into()) };
                let generation = Generation::load_kept(&source, one, &loading).ok()?;
                Some((source, generation))
            };
            units.extend(if is_folder {
                // A script may also name a pipeline as if it were one of a folder.
                let recorded = |(_, generation): &(Source, Generation)| is_recorded(generation);
                load(true).filter(recorded).or_else(|| load(false).filter(recorded))
            } else {
                load(false)
            });
        }
        Self { units, on_disk: false }
    }

    /// Loads the script at `path`, reaching nothing; what is wrong with it is drawn.
    pub fn load(path: &Path) -> Result<Self, String> {
        let sources = script::sources(path).map_err(|said| said.to_string())?;
        let loading = pretending(path);
        let mut units = Vec::new();
        for source in sources {
            match Generation::load(&source, 1, &loading) {
                Ok(generation) => units.push((source, generation)),
                Err(refused) => {
                    draw::print(&refused.report, &refused.files);
                    return Err(format!("`{}` does not load", source.path.display()));
                }
            }
        }
        Ok(Self { units, on_disk: true })
    }

    /// The pipeline `name`.
    pub fn spec(&self, name: &str) -> Option<&Arc<PipelineSpec>> {
        self.units.iter().flat_map(|(_, generation)| &generation.specs).find(|spec| *spec.name == *name)
    }

    /// The file that declares the pipeline `name`.
    pub fn unit(&self, name: &str) -> Option<&(Source, Generation)> {
        self.units.iter().find(|(_, generation)| generation.specs.iter().any(|spec| *spec.name == *name))
    }
}

impl Found {
    /// The records that `query` asks for.
    pub async fn records(&self, query: &Query) -> Result<Vec<Arc<Record>>, String> {
        match &self.records {
            Records::Kept(state) => state.records(query).await.map_err(|error| error.to_string()),
            Records::Read(log) => {
                let asked = log.records.iter().filter(|record| query.matches(record));
                let mut found: Vec<Arc<Record>> = asked.cloned().collect();
                let skipped = query.newest.map_or(0, |newest| found.len().saturating_sub(newest));
                found.drain(..skipped);
                Ok(found)
            }
        }
    }

    /// The scales that a log tells of without records.
    pub fn scale_lines(&self) -> &[ScaleLine] {
        match &self.records {
            Records::Kept(_) => &[],
            Records::Read(log) => &log.scales,
        }
    }

    /// Whether a log holds records of `pipeline`.
    pub fn has_records(&self, pipeline: &str) -> bool {
        matches!(&self.records, Records::Read(log) if log.records.iter().any(|record| *record.pipeline == *pipeline))
    }

    /// The full name of the pipeline that `given` means.
    ///
    /// # Errors
    /// When there is none of that name, or nothing is given and there are several.
    pub async fn pipeline(&self, given: Option<&str>) -> Result<Arc<str>, String> {
        // Most often it is one that there is: nothing else needs to be read then.
        if let Some(given) = given
            && (self.scripts.spec(given).is_some() || !self.records(&Query::newest(given, 1)).await?.is_empty())
        {
            return Ok(given.into());
        }
        let names = self.names().await?;
        let listed = || names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let Some(given) = given else {
            return match &names[..] {
                [only] => Ok(Arc::clone(only)),
                [] => Err(self.nothing()),
                _ => Err(format!("which pipeline? there are {}", listed())),
            };
        };
        if let Some(name) = names.iter().find(|name| ***name == *given) {
            return Ok(Arc::clone(name));
        }
        // In a folder the name of the file may be left out.
        let short: Vec<&Arc<str>> =
            names.iter().filter(|name| name.rsplit_once('/').is_some_and(|(_, own)| own == given)).collect();
        match (&short[..], &names[..]) {
            ([only], _) => Ok(Arc::clone(only)),
            (_, []) => Err(self.nothing()),
            _ => {
                let help = did_you_mean(given, names.iter().map(|name| &**name));
                let help = help.unwrap_or_else(|| format!("there are {}", listed()));
                Err(format!("there is no pipeline `{given}`; {help}"))
            }
        }
    }

    /// The pipelines of which there are records.
    pub async fn names_recorded(&self) -> Result<Vec<Arc<str>>, String> {
        let newest = self.records(&Query { newest: Some(NAMES), ..Query::default() }).await?;
        let mut names: Vec<Arc<str>> = newest.iter().map(|record| Arc::clone(&record.pipeline)).collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// The pipelines that are recorded, declared or told of.
    pub async fn names(&self) -> Result<Vec<Arc<str>>, String> {
        let mut names = self.names_recorded().await?;
        let declared = self.scripts.units.iter().flat_map(|(_, generation)| &generation.specs);
        names.extend(declared.map(|spec| Arc::clone(&spec.name)));
        names.extend(self.scale_lines().iter().map(|line| line.pipeline.as_str().into()));
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// What to say where there are no records.
    pub fn nothing(&self) -> String {
        match &self.records {
            Records::Kept(_) => "nothing is recorded yet: a worker writes a record at every tick".into(),
            Records::Read(log) => format!(
                "there is no record in these {} lines: run the worker with `--log debug` (AUTOSCALER_LOG=debug), whose \
                 lines hold one, or give what `once --json` or `history --json` printed",
                log.lines
            ),
        }
    }

    /// The zone of `pipeline`; the machine's own where its script is not known.
    pub fn zone(&self, pipeline: &str) -> Tz {
        self.scripts.spec(pipeline).map_or_else(local_zone, |spec| spec.decide.zone)
    }

    /// The newest tick of `pipeline` at or before `at`.
    ///
    /// # Errors
    /// Which times there are, where it is none of them.
    pub async fn tick(&self, pipeline: &Arc<str>, at: Option<DateTime<Utc>>) -> Result<Arc<Record>, String> {
        let before = |until: Option<DateTime<Utc>>| Query { until, ..Query::newest(pipeline, 1) };
        // The query ends before its time, and the tick may be due at it.
        let until = at.and_then(|at| at.checked_add_signed(TimeDelta::nanoseconds(1)));
        if let Some(record) = self.records(&before(until)).await?.pop() {
            return Ok(record);
        }
        let Some(newest) = self.records(&before(None)).await?.pop() else { return Err(self.nothing()) };
        let zone = self.zone(pipeline);
        let mut first = newest.at;
        // Whether anything lies before a time is cheap to ask, so the first record is found by halves.
        let mut low = at.unwrap_or(newest.at);
        while first - low > TimeDelta::milliseconds(1) {
            let middle = low + (first - low) / 2;
            match self.records(&before(Some(middle))).await?.pop() {
                Some(record) => first = record.at,
                None => low = middle,
            }
        }
        let asked = at.map_or_else(String::new, |at| format!(" at {} or before", time::dated(at, zone)));
        Err(format!(
            "nothing is recorded of `{pipeline}`{asked}: its records are of {} to {} ({zone})",
            time::dated(first, zone),
            time::dated(newest.at, zone)
        ))
    }

    /// The last scale of `pipeline` before `before`, not further back than a day.
    pub async fn last_scale(&self, pipeline: &Arc<str>, before: DateTime<Utc>) -> Result<Option<Arc<Record>>, String> {
        let known = match &self.records {
            Records::Kept(state) => state.load(pipeline).await.ok().flatten().and_then(|kept| kept.control.last_scale),
            Records::Read(_) => None,
        };
        let since = match known.filter(|known| *known < before) {
            Some(known) => known,
            None => before - SCALE_BACK,
        };
        let until = if known == Some(since) { since + TimeDelta::seconds(1) } else { before };
        let query =
            Query { pipeline: Some(Arc::clone(pipeline)), since: Some(since), until: Some(until), newest: Some(MOST) };
        Ok(self.records(&query).await?.into_iter().rev().find(|record| record.scaled().is_some()))
    }
}
