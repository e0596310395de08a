//! A store that is lost while a worker runs, and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use autoscaler::levers::{Levers, PipelineLevers, Pull};
use autoscaler::pipeline::{Decided, Pipeline, Record};
use autoscaler::state::{Batch, Fence, Kept, KeptGeneration, MemoryState, Query, State, StateError};
use autoscaler::world::World;
use autoscaler::world::pretend::Pretend;

use super::{Place, at, batch, kept, url};
use crate::harness::{Autoscaler, Script, Signal};
use crate::measure::processes;
use crate::pipeline::bench::{App, Draft, guards, noon, times, why};

#[test]
fn a_worker_goes_on_without_its_server_and_writes_everything_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    // A server that has everything again when it starts again.
    let arguments = ["--appendonly", "yes", "--appendfsync", "no"];
    let server = processes::redis(folder.path(), &arguments);
    let (port, state) = (server.port, url(&server));
    let script = Script::new(
        "pipeline(\"web\", #{
            measure: measure::custom(
                #{ memory: #{ n: 0 }, measurement_interval_in_seconds: 0.02 },
                || { this.n += 1; print(this.n); this.n },
            ),
            decide: |m| up(1), max_dynos: 1000, post_scale_wait_time_seconds: 0,
            scale: scale::custom(#{ memory: #{ n: 1 } }, || this.n, |n| { this.n = n; }),
        });",
    );
    let mut worker = Autoscaler::on("run", &script.path()).arg("--state").arg(&state).spawn();
    worker.line("web: 3");
    server.stop();
    let said = worker.line("state cannot be written: ");
    assert!(said.text.contains("the worker goes on, holds it in memory and tries again"), "{}", said.text);
    let mark = worker.mark();
    worker.line_after(mark, "scaled from ");
    worker.line_after(mark, "web: ");
    let _server = processes::redis_on(port, folder.path(), &arguments);
    worker.line("state is written again, and nothing is lost");
    worker.stop(Signal::Terminate);
    let records = Autoscaler::new(["records", "export", "--state", &state]).run().expect(0).json();
    let ticks: Vec<u64> = records.as_array().unwrap().iter().map(|record| record["tick"].as_u64().unwrap()).collect();
    assert_eq!(ticks, (1..=ticks.len() as u64).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_server_that_lost_everything_is_told_again() {
    let place = Place::redis();
    let state = place.open().await;
    let pull = Pull { by: "ann@ops".into(), at: at(0), until: None, reason: None };
    let all = PipelineLevers { pause: Some(pull), ..PipelineLevers::default() };
    let levers = Levers { all, ..Levers::default() };
    state.keep_levers(&levers).await.unwrap();
    let files = vec![("web.rhai".into(), "// 1".into())];
    let generation = KeptGeneration {
        unit: "web".into(),
        id: 1,
        at: at(0),
        hash: "a".repeat(64),
        revision: None,
        files,
        instead_of: None,
    };
    state.keep_generation(generation.clone()).await.unwrap();
    assert_eq!(processes::command(place.server.as_ref().unwrap().port, "FLUSHALL"), "+OK\r\n");
    state.commit(&"web".into(), state.fence(), batch("web", 5)).await.unwrap();
    state.flush().await.unwrap();
    let reader = place.read().await;
    assert_eq!(reader.levers().await.unwrap(), levers, "a pause is not forgotten");
    assert_eq!(reader.generations("web").await.unwrap(), [generation]);
    assert_eq!(reader.load("web").await.unwrap(), Some(kept(5)));
    // Nor does it let an older worker in.
    let fence = state.fence();
    drop(state);
    assert!(place.open().await.fence() > fence);
}

#[tokio::test]
async fn a_worker_that_starts_without_its_server_goes_on_and_joins_it() {
    let mut place = Place::redis();
    let port = place.server.as_ref().unwrap().port;
    place.server.take().unwrap().stop();
    let state = place.open().await;
    assert!(state.is_degraded() && !state.is_taken_over());
    assert_eq!(state.load("web").await.unwrap(), None);
    state.commit(&"web".into(), state.fence(), batch("web", 1)).await.unwrap();
    assert_eq!(state.load("web").await.unwrap(), Some(kept(1)), "in memory");
    let _server = processes::redis_on(port, place.folder.path(), &[]);
    // With the fence that it had at its start.
    state.commit(&"web".into(), Fence::default(), batch("web", 2)).await.unwrap();
    state.flush().await.unwrap();
    assert!(!state.is_degraded());
    let reader = place.read().await;
    assert_eq!(reader.load("web").await.unwrap(), Some(kept(2)));
    assert_eq!(reader.records(&Query::default()).await.unwrap().len(), 2);
}

/// A store that can be lost and come back.
#[derive(Default)]
struct Unsteady {
    memory: MemoryState,
    lost: AtomicBool,
}

#[async_trait]
impl State for Unsteady {
    async fn load(&self, pipeline: &str) -> Result<Option<Kept>, StateError> {
        self.memory.load(pipeline).await
    }

    async fn commit(&self, pipeline: &Arc<str>, fence: Fence, batch: Batch) -> Result<(), StateError> {
        self.memory.commit(pipeline, fence, batch).await
    }

    async fn records(&self, query: &Query) -> Result<Vec<Arc<Record>>, StateError> {
        self.memory.records(query).await
    }

    async fn levers(&self) -> Result<Levers, StateError> {
        self.memory.levers().await
    }

    async fn keep_levers(&self, levers: &Levers) -> Result<(), StateError> {
        self.memory.keep_levers(levers).await
    }

    async fn generations(&self, unit: &str) -> Result<Vec<KeptGeneration>, StateError> {
        self.memory.generations(unit).await
    }

    async fn keep_generation(&self, generation: KeptGeneration) -> Result<(), StateError> {
        self.memory.keep_generation(generation).await
    }

    fn is_degraded(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn nothing_is_taken_away_while_the_store_is_lost() {
    let pretend = Pretend::starting_at(noon());
    pretend.platforms.set("web", 5);
    let state = Arc::new(Unsteady::default());
    let world = Arc::new(World { state: Arc::clone(&state) as Arc<dyn State>, ..(*pretend.world).clone() });
    let draft = Draft {
        measure: "measure::custom(#{ measurement_interval_in_seconds: 30 }, || 0)".into(),
        decide: "decide::consecutive_threshold(#{ min_measurement_value: 100, max_measurement_value: 200, \
                 min_dynos: 1, max_dynos: 10, post_scale_wait_time_seconds: 0 })"
            .into(),
        ..Draft::default()
    };
    let pipeline = Pipeline::open(draft.spec(), world, state.fence()).await;
    let mut app = App { pretend, pipeline, now: noon(), events: Vec::new(), records: Vec::new() };
    app.feed(times(10.0, 4)).await;
    state.lost.store(true, Ordering::Relaxed);
    let record = app.feed(times(10.0, 4)).await;
    assert!(guards(&record).contains(&"degraded_state"), "{}", why(&record));
    assert_eq!(app.dynos(), 5);
    assert_eq!(app.feed(times(900.0, 3)).await.decision, Decided::Up, "it scales out");
    state.lost.store(false, Ordering::Relaxed);
    app.feed(times(10.0, 6)).await;
    assert!(app.dynos() < 6, "{}", app.dynos());
}
