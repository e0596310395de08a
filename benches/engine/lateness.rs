//! Owns the lateness of ticks: how long after its due time a tick begins to measure, with 1,000 pipelines.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use autoscaler::measure::{MeasureContext, MeasureStage};
use autoscaler::pipeline::Measurement;
use autoscaler::world::{LiveSources, Sources, World};

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
    let server = Server::start();
    let watched = Arc::new(Watched::default());
    let sources: Arc<dyn Sources> = Arc::clone(&watched) as _;
    let text = script(&server, PIPELINES, INTERVAL, Apps::Own, NATIVE, "/m");
    let worker = Worker::start(&text, |live| Arc::new(World { sources, ..World::clone(&live) }));
    tokio::time::sleep(WARM_UP).await;
    watched.late.lock().expect("nobody panics").clear();
    tokio::time::sleep(time).await;
    let late = std::mem::take(&mut *watched.late.lock().expect("nobody panics"));
    assert_eq!(worker.fault().await, None);
    worker.stop().await;
    let figures = [50.0, 90.0, 99.0, 99.9, 100.0].map(|p| format!("{:.1}", percentile(&late, p)));
    let [middle, ninety, goal, beyond, worst] = &figures;
    let ticks = format!("{:.0}", late.len() as f64 / time.as_secs_f64());
    table::print(&[
        row(["1,000 pipelines, 1 s", "ticks per s", "p50", "p90", "p99 (goal ≤ 20)", "p99.9", "worst"]),
        row(["lateness, ms", &ticks, middle, ninety, goal, beyond, worst]),
    ]);
}
