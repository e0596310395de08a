//! Owns the size of the store and the speed of its questions: ten pipelines at 30 s, for as long as records are kept.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use autoscaler::pipeline::{
    ControlState, Decided, DynoCounts, History, Measurement, MeasurementRecord, Outcome, ProposalRecord,
    RECORD_VERSION, Reason, Record, ScriptVersion,
};
use autoscaler::state::{self, Batch, FolderState, Keep, Kept, Query, State, StateArg};
use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use crate::Form;
use crate::table::{self, row, spread};

const PIPELINES: u64 = 10;
const INTERVAL: i64 = 30;

/// Prints the table.
pub async fn measure(form: Form) {
    let days = form.pick(3, 30);
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let start = Utc::now() - TimeDelta::days(days);
    let ticks = u64::try_from(days * 86_400 / INTERVAL).unwrap_or(0);
    let began = Instant::now();
    fill(folder.path(), start, ticks).await;
    let (records, seconds) = (ticks * PIPELINES, began.elapsed().as_secs_f64());
    let size = std::fs::read_dir(folder.path()).into_iter().flatten().flatten();
    let size: u64 = size.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum();
    let middle = start + TimeDelta::days(days) / 2;
    let web = || Query { pipeline: Some("web3".into()), ..Query::default() };
    let hours = |hours: i64| Query { since: Some(middle), until: Some(middle + TimeDelta::hours(hours)), ..web() };
    table::print(&[
        row([&format!("{days} days of ten pipelines at 30 s: {records} records"), "goal for 30 days", "measured"]),
        row(["size", "≤ 200 MB", &megabytes(size)]),
        row(["a record", "", &format!("{:.0} bytes", size as f64 / records as f64)]),
        row(["written", "", &format!("{:.0} records a second", records as f64 / seconds)]),
        row(["one moment (an hour of one pipeline), ms", "≤ 100", &asked(folder.path(), &hours(1)).await]),
        row(["six hours of one pipeline, ms", "≤ 100", &asked(folder.path(), &hours(6)).await]),
        row(["the newest 20 of one pipeline, ms", "≤ 100", &asked(folder.path(), &Query::newest("web3", 20)).await]),
        row(["an hour of all pipelines, ms", "", &asked(folder.path(), &Query { pipeline: None, ..hours(1) }).await]),
    ]);
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// How long `query` takes from opening the folder, in milliseconds.
async fn asked(folder: &Path, query: &Query) -> String {
    let mut times = Vec::new();
    for _ in 0..15 {
        let began = Instant::now();
        let state = FolderState::read(folder).expect("it is there");
        let records = state.records(query).await.expect("it can be read");
        times.push(began.elapsed().as_secs_f64() * 1000.0);
        assert!(records.len() >= 20, "something is found");
    }
    spread(&times, 1)
}

async fn fill(folder: &Path, start: DateTime<Utc>, ticks: u64) {
    let arg = StateArg::Folder(folder.to_owned());
    let opened = state::open(&arg, Path::new("bench.rhai"), Keep::default(), &CancellationToken::new()).await;
    let state = opened.expect("nobody stops it").state;
    let names: Vec<Arc<str>> = (0..PIPELINES).map(|index| format!("web{index}").into()).collect();
    let script = Arc::new(ScriptVersion { hash: "5e884898da28047151d0e56f8dc62927".repeat(2), revision: None });
    let mut random = fastrand::Rng::with_seed(7);
    let mut dynos = 2;
    for tick in 1..=ticks {
        let at = start + TimeDelta::seconds(INTERVAL) * i32::try_from(tick).unwrap_or(i32::MAX);
        for name in &names {
            let record = record(name, tick, at, &script, &mut dynos, &mut random);
            let control = ControlState { tick, ..ControlState::default() };
            let mut history = History::default();
            let measured = &record.measurements[0];
            history.push(Measurement::good("ResponseTimeBackend", measured.data.clone(), at), 10);
            let kept = Kept { control, history: Arc::new(history), ..Kept::default() };
            let batch = Batch { kept, intent: None, record: Some(Arc::new(record)) };
            state.commit(name, state.fence(), batch).await.expect("it can be written");
        }
        if tick % 50 == 0 {
            state.flush().await.expect("it can be written");
        }
    }
    state.flush().await.expect("it can be written");
}

/// As a worker records them: most hold, with a text that has the numbers of that tick in it; one in forty scales.
fn record(
    name: &Arc<str>,
    tick: u64,
    at: DateTime<Utc>,
    script: &Arc<ScriptVersion>,
    dynos: &mut u32,
    random: &mut fastrand::Rng,
) -> Record {
    let value = 200.0 + 400.0 * random.f64();
    let scales = random.u32(0..40) == 0;
    let from = *dynos;
    if scales {
        *dynos = if from > 5 { from - 1 } else { from + 1 };
    }
    let decision = match (*dynos).cmp(&from) {
        std::cmp::Ordering::Less => Decided::Down,
        std::cmp::Ordering::Equal => Decided::Hold,
        std::cmp::Ordering::Greater => Decided::Up,
    };
    let text = format!(
        "{value:.1} ms: {} of 3 in a row above 500 ms, {} of 3 in a row below 300 ms",
        random.u32(0..3),
        random.u32(0..3)
    );
    Record {
        v: RECORD_VERSION,
        pipeline: Arc::clone(name),
        generation: 3,
        script: Some(Arc::clone(script)),
        tick,
        at,
        mode: "live".into(),
        measurements: vec![MeasurementRecord {
            name: "measurement".into(),
            backend: "ResponseTimeBackend".into(),
            data: value.into(),
            value: Some(value),
            success: true,
            error: None,
            failure: None,
            at,
            took_ms: value + 3.0 * random.f64(),
        }],
        dynos: DynoCounts {
            current: Some(from),
            booting: 0,
            proposed: scales.then_some(*dynos),
            desired: Some(*dynos),
            min: 1,
            max: 10,
        },
        proposals: vec![ProposalRecord {
            name: "decision".into(),
            dynos: scales.then_some(*dynos),
            text: text.clone(),
        }],
        decision,
        reasons: vec![Reason { guard: "policy".into(), from: Some(from), to: Some(*dynos), text }],
        outcome: if scales { Outcome::Scaled } else { Outcome::None },
        events: Vec::new(),
        error: None,
        reloaded: None,
        shadow: None,
    }
}
