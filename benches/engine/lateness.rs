//! Owns the lateness of ticks: how long after its due time a tick begins to measure, with 1,000 pipelines.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use autoscaler::measure::{MeasureContext, MeasureStage};
use autoscaler::pipeline::Measurement;
use autoscaler::state::{self, Keep, Query, State, StateArg};
use autoscaler::world::{LiveSources, Sources, World};

use tokio_util::sync::CancellationToken;

use crate::Form;
use crate::server::Server;
use crate::table::{self, percentile, row};
use crate::worker::{Apps, NATIVE, Worker, script};

const PIPELINES: usize = 1_000;
const INTERVAL: Duration = Duration::from_secs(1);

/// Connections are opened in this time.
const WARM_UP: Duration = Duration::from_secs(3);

/// Measures live, and notes how late it is asked to.
#[derive(Default)]
struct Watched {
    /// Milliseconds.
    late: Mutex<Vec<f64>>,
}

#[async_trait]
impl Sources for Watched {
    async fn measure(&self, stage: &MeasureStage, context: &MeasureContext<'_>, world: &Arc<World>) -> Measurement {
        let late = (world.clock.now() - context.at).num_microseconds().unwrap_or(i64::MAX) as f64 / 1000.0;
        self.late.lock().expect("nobody panics").push(late);
        LiveSources.measure(stage, context, world).await
    }
}

/// Prints the table.
pub async fn measure(form: Form) {
    let time = form.pick(Duration::from_secs(8), Duration::from_secs(30));
    let mut rows =
        vec![row(["1,000 pipelines, 1 s", "ticks per s", "p50", "p90", "p99 (goal ≤ 20)", "p99.9", "worst"])];
    rows.push(figures("lateness, ms, state in memory", &late(time, None).await, time));
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let arg = StateArg::Folder(folder.path().to_owned());
    let opened = state::open(&arg, Path::new("bench.rhai"), Keep::default(), &CancellationToken::new()).await;
    let state = opened.expect("nobody stops it").state;
    assert!(!state.is_degraded(), "the file can be written");
    rows.push(figures("the same, state in a file", &late(time, Some(Arc::clone(&state))).await, time));
    state.flush().await.expect("everything can be written");
    let records = state.records(&Query::default()).await.expect("they can be read");
    assert!(records.len() > PIPELINES * 5, "it was written");
    table::print(&rows);
}

/// How late ticks began, in milliseconds; with state in memory where there is no other.
async fn late(time: Duration, state: Option<Arc<dyn State>>) -> Vec<f64> {
    let server = Server::start();
    let watched = Arc::new(Watched::default());
    let sources: Arc<dyn Sources> = Arc::clone(&watched) as _;
    let text = script(&server, PIPELINES, INTERVAL, Apps::Own, NATIVE, "/m");
    let worker = Worker::start(&text, |live| {
        let state = state.unwrap_or_else(|| Arc::clone(&live.state));
        Arc::new(World { sources, state, ..World::clone(&live) })
    });
    tokio::time::sleep(WARM_UP).await;
    watched.late.lock().expect("nobody panics").clear();
    tokio::time::sleep(time).await;
    let late = std::mem::take(&mut *watched.late.lock().expect("nobody panics"));
    assert_eq!(worker.fault().await, None);
    worker.stop().await;
    late
}

fn figures(what: &str, late: &[f64], time: Duration) -> Vec<String> {
    let figures = [50.0, 90.0, 99.0, 99.9, 100.0].map(|p| format!("{:.1}", percentile(late, p)));
    let [middle, ninety, goal, beyond, worst] = &figures;
    let ticks = format!("{:.0}", late.len() as f64 / time.as_secs_f64());
    row([what, &ticks, middle, ninety, goal, beyond, worst])
}
