//! `autoscaler demo`: the ordinary worker, an app to scale and a platform to scale it on, all on loopback.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{ProcessEnvironment, draw, local_zone};
use crate::cli::DemoArgs;
use crate::demo::app::App;
use crate::demo::audience::{Listening, Silent as SilentConsole};
use crate::demo::environment::Overlay;
use crate::demo::feed::{Feed, Scene, Thresholds};
use crate::demo::load::Load;
use crate::demo::queue::Shape;
use crate::demo::{self, plain, view};
use crate::heroku::fake::Fake;
use crate::pipeline::PipelineSpec;
use crate::script::MissingSecrets;
use crate::state::MemoryState;
use crate::worker::{Actor, Loading, Options, Services, Supervisor};

/// The key to the embedded API. It opens nothing else.
const KEY: &str = "demo-key-of-the-embedded-api";

/// The same demo every time.
const SEED: u64 = 7;

/// Where the script lies in a checkout.
const SCRIPT: &str = "scripts/demo.rhai";

/// Runs the command.
pub async fn run(args: DemoArgs) -> ExitCode {
    match play(args).await {
        Ok(code) => code,
        Err(error) => super::fail(format!("{error:#}")),
    }
}

async fn play(args: DemoArgs) -> anyhow::Result<ExitCode> {
    let stop = super::run::stop_signal()?;
    let stage = Stage::build(&stop).await?;
    let script = script(args.script)?;
    let on_terminal = std::io::stdout().is_terminal() && !args.plain;

    let state = Arc::new(MemoryState::default());
    let records = state.subscribe();
    // The console stays silent: the view tells every scale itself, and would be torn by other lines.
    let mut events = None;
    let services = Services::start_with(state, Arc::new(SilentConsole), |live| {
        let listening = Listening::new(Some(live));
        events = Some(listening.announced());
        Arc::new(listening)
    });
    let (services, events) = (services.map_err(anyhow::Error::msg)?, events.context("an audience is put in front")?);
    let worker = match Supervisor::load(stage.loading(script.clone()), services.world()) {
        Ok(worker) => worker,
        Err(problems) => {
            draw::print(&problems.report, &problems.files);
            return Ok(ExitCode::from(super::FAILED));
        }
    };
    let specs = worker.follow_specs();
    let thresholds: Thresholds = Arc::new(move |name| thresholds(&specs.borrow(), name));
    let feed = Feed::new(records, events, stage.app.gauge(), thresholds);
    let scene = Scene {
        script: script.display().to_string(),
        app_url: stage.app_url.clone(),
        started: chrono::Utc::now(),
        length: args.duration,
    };

    let reload = Arc::new(Notify::new());
    let working = tokio::spawn(worker.run(stop.clone(), reload));
    if let Some(duration) = args.duration {
        let stop = stop.clone();
        tokio::spawn(async move {
            tokio::time::sleep(duration).await;
            stop.cancel();
        });
    }
    let summary = if on_terminal {
        view::run(scene, feed, stop.clone()).await
    } else {
        plain::run(scene, feed, &mut std::io::stdout(), stop.clone()).await
    };
    stop.cancel();
    let _ = working.await;
    services.close().await;
    match write!(std::io::stdout(), "{}", summary?.report(chrono::Utc::now())) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// The app and its platform, running.
struct Stage {
    app: App,
    app_url: String,
    api_url: String,
}

impl Stage {
    async fn build(stop: &CancellationToken) -> anyhow::Result<Self> {
        let (app_listener, api_listener) =
            (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
        let app_url = format!("http://{}", app_listener.local_addr()?);
        let api_url = format!("http://{}", api_listener.local_addr()?);
        let fake = Fake::new(KEY);
        fake.add_app(demo::APP_NAME, &[(demo::PROCESS_TYPE, demo::START_DYNOS)]);
        fake.set_boot(demo::BOOT);
        fake.set_web_url(demo::APP_NAME, Some(&app_url));
        let platform = fake.clone();
        let dynos = Arc::new(move || platform.dynos_up(demo::APP_NAME, demo::PROCESS_TYPE));
        let app = App::new(Shape::default(), Load::new(demo::DAY, SEED), SEED, dynos);
        let (serving, stopping) = (app.clone(), stop.clone());
        tokio::spawn(serving.serve(app_listener, stopping));
        let stopping = stop.clone();
        tokio::spawn(async move { fake.serve(api_listener, async move { stopping.cancelled().await }).await });
        Ok(Self { app, app_url, api_url })
    }

    fn loading(&self, script: PathBuf) -> Loading {
        let variables = vec![
            (demo::APP_URL_VARIABLE, self.app_url.clone()),
            (demo::API_URL_VARIABLE, self.api_url.clone()),
            (demo::API_KEY_VARIABLE, KEY.to_owned()),
        ];
        let options = Options { script, dry_run: false, only: Vec::new(), secrets: MissingSecrets::Error };
        Loading {
            options: Arc::new(options),
            environment: Arc::new(Overlay::new(Arc::new(ProcessEnvironment::default()), variables)),
            actor: Actor::default(),
            zone: local_zone(),
        }
    }
}

/// The script to edit: the one given, the one of the checkout, or a copy of the embedded one.
fn script(given: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    if let Some(given) = given {
        return Ok(given);
    }
    if Path::new(SCRIPT).is_file() {
        return Ok(SCRIPT.into());
    }
    let folder = std::env::temp_dir().join(format!("autoscaler-demo-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let path = folder.join("demo.rhai");
    std::fs::write(&path, demo::SCRIPT)?;
    Ok(path)
}

fn thresholds(specs: &[Arc<PipelineSpec>], name: &str) -> Option<(f64, f64)> {
    let spec = specs.iter().find(|spec| &*spec.name == name)?;
    spec.decide.policies.first().and_then(|policy| policy.kind.thresholds())
}
