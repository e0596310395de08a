//! What is kept: in a file, over restarts and crashes, and in trouble.

mod crash;
mod export;
mod folder;
mod interrupted;
mod last_good;
mod lost;
mod push;
mod redis;
mod removed;
mod restart;
mod store;
mod trouble;
mod versions;

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use autoscaler::pipeline::{
    ControlState, Decided, DynoCounts, History, Measurement, MeasurementRecord, Outcome, ProposalRecord,
    RECORD_VERSION, Reason, Record,
};
use autoscaler::state::{self, Batch, Keep, Kept, Measured, Opened, State, StateArg};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::measure::processes::{self, Running};

/// A time of the tests, `seconds` after their start, which lies some days back: nothing is too old.
fn at(seconds: i64) -> DateTime<Utc> {
    let today = Utc::now().date_naive().and_hms_opt(0, 0, 0).unwrap().and_utc();
    today - TimeDelta::days(5) + TimeDelta::seconds(seconds)
}

/// Opens the state in `folder` as a worker does.
async fn open(folder: &Path) -> Opened {
    open_keeping(folder, Keep::default()).await
}

async fn open_keeping(folder: &Path, keep: Keep) -> Opened {
    open_at(&StateArg::Folder(folder.to_owned()), keep).await
}

async fn open_at(arg: &StateArg, keep: Keep) -> Opened {
    let script = Path::new("/nowhere/web.rhai");
    state::open(arg, script, keep, &CancellationToken::new()).await.unwrap()
}

/// Somewhere to keep state, as long as it lives.
struct Place {
    what: &'static str,
    arg: StateArg,
    folder: tempfile::TempDir,
    server: Option<Running>,
}

impl Place {
    fn memory() -> Self {
        Self { what: "memory", arg: StateArg::Memory, folder: tempfile::tempdir().unwrap(), server: None }
    }

    fn folder() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { what: "a file", arg: StateArg::Folder(folder.path().to_owned()), folder, server: None }
    }

    fn redis() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = processes::redis(folder.path(), &[]);
        let arg = StateArg::parse(&url(&server)).unwrap();
        Self { what: "redis", arg, folder, server: Some(server) }
    }

    /// Those that outlive a process.
    fn lasting() -> [Self; 2] {
        [Self::folder(), Self::redis()]
    }

    fn all() -> [Self; 3] {
        [Self::memory(), Self::folder(), Self::redis()]
    }

    /// As its worker.
    async fn open(&self) -> Arc<dyn State> {
        self.open_keeping(Keep::default()).await
    }

    async fn open_keeping(&self, keep: Keep) -> Arc<dyn State> {
        open_at(&self.arg, keep).await.state
    }

    /// As somebody else.
    async fn read(&self) -> Arc<dyn State> {
        state::look(&self.arg, None).await.map_err(|why| format!("{}: {why}", self.what)).unwrap().state
    }

    /// Makes the lock one that does not hold, as on some network file systems, and in Redis a lease that ended.
    fn unlock(&self) {
        match &self.server {
            None => std::fs::remove_file(self.folder.path().join("lock")).unwrap(),
            Some(server) => {
                let lease = "autoscaler:{web.rhai-SUM}:lease".replace("web.rhai-SUM", &name_of_state());
                assert!(processes::command(server.port, &format!("DEL {lease}")).starts_with(":1"), "no lease");
            }
        }
    }
}

/// What the state of the script in [`open_at`] is called.
fn name_of_state() -> String {
    // The first 8 digits of SHA-256 of "/nowhere/web.rhai".
    "web.rhai-2b2946f3".into()
}

fn url(server: &Running) -> String {
    format!("redis://127.0.0.1:{}/0", server.port)
}

/// What is kept after `ticks` ticks: a history of at most 10.
fn kept(ticks: u64) -> Kept {
    let mut history = History::default();
    for tick in 1..=ticks {
        let seconds = u32::try_from(tick).unwrap() * 30;
        let value = json!(0.1 + 0.2 * f64::from(seconds));
        history.push(Measurement::good("custom", value, at(seconds.into())), 10);
    }
    let control = ControlState { tick: ticks, last_scale: Some(at(30)), ..ControlState::default() };
    let memory = [("decide".to_owned(), json!({ "seen": ticks }).into())].into();
    let history = Arc::new(history);
    let measured = Measured { history: Arc::clone(&history), source: Some("redis".into()) };
    let named = [("queue".to_owned(), measured)].into();
    Kept { control, history, named, memory, target: Some("heroku:shop:web".into()), ..Kept::default() }
}

/// The record of the `tick`-th tick of `pipeline`, 30 s after the one before: mostly it holds.
fn record(pipeline: &str, tick: u64) -> Arc<Record> {
    let seconds = i64::try_from(tick).unwrap() * 30;
    let value = 300.0 + f64::from(u32::try_from(tick * 7919 % 1000).unwrap()) / 3.0;
    let text = format!("{value:.0} ms is above 250 ms and below 500 ms; 1 of the last 3 measurements were above");
    Arc::new(Record {
        v: RECORD_VERSION,
        pipeline: pipeline.into(),
        generation: 1,
        script: None,
        tick,
        at: at(seconds),
        mode: Cow::Borrowed("live"),
        measurements: vec![MeasurementRecord {
            name: "measurement".into(),
            backend: "ResponseTimeBackend".into(),
            data: json!(value),
            value: Some(value),
            success: true,
            error: None,
            failure: None,
            at: at(seconds),
            took_ms: value + 1.0 / 7.0,
        }],
        dynos: DynoCounts { current: Some(2), booting: 0, proposed: None, desired: Some(2), min: 1, max: 10 },
        proposals: vec![ProposalRecord { name: "decision".into(), dynos: None, text: text.clone() }],
        decision: Decided::Hold,
        reasons: vec![Reason { guard: "policy".into(), from: Some(2), to: Some(2), text }],
        outcome: Outcome::None,
        events: Vec::new(),
        error: None,
        reloaded: None,
        shadow: None,
    })
}

fn batch(pipeline: &str, tick: u64) -> Batch {
    Batch { kept: kept(tick), intent: None, record: Some(record(pipeline, tick)) }
}
