//! Owns a real worker inside this process: a script from disk, the supervisor, a live world.

use std::sync::Arc;
use std::time::Duration;

use autoscaler::pipeline::PipelineSpec;
use autoscaler::script::{Environment, MissingSecrets};
use autoscaler::state::{MemoryState, Query, State};
use autoscaler::worker::{Actor, Loading, Options, Services, Supervisor};
use autoscaler::world::World;
use tempfile::TempDir;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::server::Server;

/// A running worker.
pub struct Worker {
    state: Arc<MemoryState>,
    specs: Vec<Arc<PipelineSpec>>,
    stop: CancellationToken,
    running: JoinHandle<()>,
    services: Services,
    _folder: TempDir,
}

/// No variables: the scripts here need none.
pub struct NoVariables;

impl Environment for NoVariables {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }
}

/// What the pipelines of a script scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apps {
    /// All of them one app, each a process type of its own.
    One,
    /// Each an app of its own.
    Own,
}

/// The documented native decision with its defaults.
pub const NATIVE: &str = "decide::consecutive_threshold(#{})";

/// A script of `count` pipelines that measure response time at `path` of `server`.
pub fn script(server: &Server, count: usize, interval: Duration, apps: Apps, decide: &str, path: &str) -> String {
    let url = &server.url;
    let app = match apps {
        Apps::One => "app_name: \"many\", process_type: `p${i}`",
        Apps::Own => "app_name: `app${i}`, process_type: \"p0\"",
    };
    format!(
        "for i in 0..{count} {{
    pipeline(`web${{i}}`, #{{
        measure: measure::response_time(#{{
            measurement_url: \"{url}{path}\",
            measurement_interval_in_seconds: {},
        }}),
        decide: {decide},
        scale: scale::heroku(#{{ {app}, api_key: \"bench-key-0123456789\", api_url: \"{url}\" }}),
        notify: notify::logger(),
    }});
}}
",
        interval.as_secs_f64()
    )
}

/// Writes `script` into a folder of its own.
pub fn written(script: &str) -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("there is room for a file");
    let path = folder.path().join("bench.rhai");
    std::fs::write(&path, script).expect("there is room for a file");
    (folder, path)
}

impl Worker {
    /// Runs `script` in a live world, which `change` may change.
    pub fn start(script: &str, change: impl FnOnce(Arc<World>) -> Arc<World>) -> Self {
        let (folder, path) = written(script);
        let state = Arc::new(MemoryState::default());
        let services = Services::start(Arc::clone(&state) as Arc<dyn State>, None).expect("there is a network");
        let loading = Loading {
            options: Arc::new(Options {
                script: path,
                dry_run: false,
                only: Vec::new(),
                secrets: MissingSecrets::Error,
            }),
            environment: Arc::new(NoVariables),
            actor: Actor::default(),
            zone: chrono_tz::UTC,
        };
        let supervisor = match Supervisor::load(loading, change(services.world())) {
            Ok(supervisor) => supervisor,
            Err(refused) => panic!("{}", refused.report),
        };
        let specs = supervisor.specs();
        let stop = CancellationToken::new();
        let running = tokio::spawn(supervisor.run(stop.clone(), Arc::new(Notify::new())));
        Self { state, specs, stop, running, services, _folder: folder }
    }

    /// What it runs.
    pub fn specs(&self) -> &[Arc<PipelineSpec>] {
        &self.specs
    }

    /// How often all pipelines ticked so far.
    pub async fn ticks(&self) -> u64 {
        let mut ticks = 0;
        for spec in &self.specs {
            let kept = self.state.load(&spec.name).await.expect("memory can be read");
            ticks += kept.map_or(0, |kept| kept.control.tick);
        }
        ticks
    }

    /// The newest error of any pipeline: a measurement of failures would measure nothing.
    pub async fn fault(&self) -> Option<String> {
        for spec in &self.specs {
            let records = self.state.records(&Query::newest(&spec.name, 1)).await.expect("memory can be read");
            for record in records {
                let failed = record.measurements.iter().find_map(|measurement| measurement.error.clone());
                if let Some(fault) = record.error.clone().or(failed) {
                    return Some(fault);
                }
                if record.dynos.current.is_none() {
                    return Some(format!("{:?}", record.reasons));
                }
            }
        }
        None
    }

    /// Stops it.
    pub async fn stop(self) {
        self.stop.cancel();
        self.running.await.expect("the worker stops without a panic");
        self.services.close().await;
    }
}
