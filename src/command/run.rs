//! `autoscaler run SCRIPT`: the worker, until it is told to stop.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{ProcessEnvironment, draw, loading};
use crate::cli::RunArgs;
use crate::control::{Socket, answer_mail};
use crate::host::Host;
use crate::pipeline::PipelineSpec;
use crate::script::MissingSecrets;
use crate::serve::{self, Door, Server};
use crate::state::{self, Mailbox, ScriptKey, State};
use crate::worker::{self, Follower, Loading, Options, Services, Supervisor};

/// A worker looks this often whether another one has taken its state over.
const LOOK: Duration = Duration::from_secs(1);

/// Runs the command.
pub async fn run(args: RunArgs) -> ExitCode {
    if let Err(code) = super::start_log(&args.log) {
        return code;
    }
    let mut loading = loading(
        Options {
            script: args.script.script.clone(),
            dry_run: args.dry_run,
            only: args.only.only.clone(),
            secrets: MissingSecrets::Error,
        },
        &args.reach,
    );
    let stop = match stop_signal() {
        Ok(stop) => stop,
        Err(error) => return super::fail(format!("cannot listen for signals: {error}")),
    };
    let host = match Host::of_environment().await {
        Ok(host) => host,
        Err(why) => return super::fail(why),
    };
    if let Some(host) = &host {
        loading.zone = host.zone().unwrap_or(loading.zone);
        loading.environment =
            Arc::new(ProcessEnvironment { bounds: args.reach.bounds(), host: Some(Arc::clone(host)) });
        tokio::spawn(stop_with(Arc::clone(host), stop.clone()));
    }
    let door = Door::default();
    if let Err(why) = open_to_http(args.listen.as_deref(), &door, &stop).await {
        return super::fail(why);
    }
    let reload = Arc::new(Notify::new());
    on_hangup(Arc::clone(&reload));
    if let Some(why) = loading.actor.stands_by() {
        tracing::warn!("{why}");
        stop.cancelled().await;
        return ExitCode::SUCCESS;
    }
    if let Err(why) = args.keep.state().check() {
        return super::fail(why);
    }
    limit_is_no_end();
    loop {
        let ended = work(&args, loading.clone(), &door, &stop, &reload, host.as_ref()).await;
        door.close();
        match ended {
            Ended::Stopped(code) => return code,
            Ended::TakenOver => tracing::warn!("this worker stands by again, since another one has its state"),
        }
    }
}

/// Why a worker came to its end.
enum Ended {
    /// It was told to, or cannot go on.
    Stopped(ExitCode),
    /// Another one has its state.
    TakenOver,
}

/// Waits for the state, and works until `stop`, or until another worker has taken the state over.
async fn work(
    args: &RunArgs,
    mut loading: Loading,
    door: &Door,
    stop: &CancellationToken,
    reload: &Arc<Notify>,
    host: Option<&Arc<Host>>,
) -> Ended {
    let failed = |why: String| Ended::Stopped(super::fail(why));
    let opened = state::open(&args.keep.state(), &args.script.script, args.keep.keep(), stop).await;
    let Some(opened) = opened else { return Ended::Stopped(ExitCode::SUCCESS) };
    let on_a_dyno = loading.actor.dyno.is_some();
    let mut follower = None;
    if args.script.script == Path::new(state::PUSHED) {
        let new = ScriptKey::from_environment().and_then(|key| Follower::new(Arc::clone(&opened.state), key));
        let mut following = match new {
            Ok(following) => following,
            Err(why) => return failed(why),
        };
        let Some(script) = following.first(stop).await else { return Ended::Stopped(ExitCode::SUCCESS) };
        loading.options = Arc::new(Options { script, ..(*loading.options).clone() });
        follower = Some(following);
    }
    let services = match Services::start(Arc::clone(&opened.state), host.cloned()) {
        Ok(services) => services,
        Err(error) => return failed(error),
    };
    let worker = match Supervisor::start(loading, services.world(), args.strict_start).await {
        Ok(worker) => worker,
        Err(problems) => {
            if crate::log::is_for_people(&args.log) {
                draw::print(&problems.report, &problems.files);
            } else {
                worker::log(&problems.report);
            }
            return Ended::Stopped(ExitCode::from(super::FAILED));
        }
    };
    for unit in worker.units() {
        worker::log(&unit.generation.report);
    }
    let specs = match super::selected(&worker) {
        Ok(specs) => specs,
        Err(error) => return failed(error),
    };
    let pipelines: Vec<String> = specs.iter().map(|spec| in_short(spec)).collect();
    let script = args.script.script.display();
    let dry_run = if args.dry_run { "; dry run: nothing is scaled" } else { "" };
    tracing::info!("autoscaler {} runs {} from {script}{dry_run}", env!("CARGO_PKG_VERSION"), pipelines.join(", "));
    if on_a_dyno && !args.keep.state().is_redis() {
        tracing::warn!(
            "what this worker remembers ends with its dyno, whose disk is not kept; `--state redis` keeps it in the \
             Redis of REDIS_URL"
        );
    }
    if let (Some(_), Some(heroku)) = (&args.listen, services.world().platforms.heroku()) {
        door.open(heroku.drains());
    }
    let work = stop.child_token();
    warn_of_tests(&worker, work.clone());
    let answering = listen(&worker, opened.folder, opened.mailbox, &work);
    let watching = tokio::spawn(until_taken_over(Arc::clone(&opened.state), work.clone()));
    let following = follower.map(|follower| tokio::spawn(follower.follow(worker.refusals(), work.clone())));
    worker.run(work.clone(), Arc::clone(reload)).await;
    work.cancel();
    if let Some(following) = following {
        let _ = following.await;
    }
    // The socket goes with it.
    if let Some(answering) = answering {
        let _ = answering.await;
    }
    let _ = watching.await;
    services.close().await;
    if opened.state.must_stand_by() && !stop.is_cancelled() {
        return Ended::TakenOver;
    }
    if let Err(error) = opened.state.flush().await {
        tracing::error!("the last state is not kept: {error}");
    }
    tracing::info!("stopped");
    Ended::Stopped(ExitCode::SUCCESS)
}

/// Listens for HTTP at `address`, if there is one, until `stop`: also while this worker stands by, so that a platform
/// that looks for an open port finds it.
async fn open_to_http(address: Option<&str>, door: &Door, stop: &CancellationToken) -> Result<(), String> {
    let Some(address) = address.filter(|address| !address.is_empty()) else { return Ok(()) };
    let server = Server::bind(address).await?;
    tracing::info!("listens on http://{}", server.address());
    tokio::spawn(server.run(serve::routes(door.clone()), stop.clone()));
    Ok(())
}

/// The host that started this worker would start another one.
async fn stop_with(host: Arc<Host>, stop: CancellationToken) {
    tokio::select! {
        () = host.gone().cancelled_owned() => {
            tracing::warn!("{} has gone, and the worker stops with it", host.program());
            stop.cancel();
        }
        () = host.stop().cancelled_owned() => stop.cancel(),
        () = stop.cancelled() => {}
    }
}

/// Cancels `work` when another worker has taken `state` over.
async fn until_taken_over(state: Arc<dyn State>, work: CancellationToken) {
    while !state.must_stand_by() {
        tokio::select! {
            () = work.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        state.look_after().await;
    }
    work.cancel();
}

/// Lets commands ask this worker, where it has a folder or a Redis to be found in.
fn listen(
    worker: &Supervisor,
    folder: Option<PathBuf>,
    mailbox: Option<Mailbox>,
    stop: &CancellationToken,
) -> Option<JoinHandle<()>> {
    if let Some(mailbox) = mailbox {
        let desk = Arc::new(worker.desk(Some(mailbox.to_string())));
        return Some(tokio::spawn(answer_mail(mailbox, desk, stop.clone())));
    }
    let folder = folder?;
    match Socket::bind(&folder) {
        Ok(socket) => {
            if !socket.path().starts_with(&folder) {
                tracing::warn!(
                    "`{}` takes no socket: commands reach this worker by `{}`",
                    folder.display(),
                    socket.path().display()
                );
            }
            Some(tokio::spawn(socket.serve(Arc::new(worker.desk(Some(folder.display().to_string()))), stop.clone())))
        }
        Err(error) => {
            tracing::warn!("{error}");
            None
        }
    }
}

/// `web (my-app, every 30 s)`.
fn in_short(spec: &PipelineSpec) -> String {
    let app = spec.scale.heroku().map_or_else(String::new, |app| format!("{}, ", app.name));
    format!("{} ({app}every {} s)", spec.name, spec.interval().as_secs_f64())
}

/// A worker that starts is not kept from it by a test: the script may be an old one, and load is now.
fn warn_of_tests(worker: &Supervisor, stop: CancellationToken) {
    let generations: Vec<_> = worker.units().iter().map(|unit| Arc::clone(&unit.generation)).collect();
    tokio::task::spawn_blocking(move || {
        for generation in generations.iter().filter(|generation| generation.test_on_reload) {
            for objection in generation.suite.objections(&stop).diagnostics() {
                let place = objection.place.as_ref().map_or_else(String::new, |place| format!("{place}: "));
                tracing::warn!("{place}test {}", objection.message);
            }
        }
    });
}

/// Cancelled by the first SIGINT or SIGTERM; a second one ends the process at once.
pub(super) fn stop_signal() -> std::io::Result<CancellationToken> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        for first in [true, false] {
            let name = tokio::select! {
                _ = interrupt.recv() => "SIGINT",
                _ = terminate.recv() => "SIGTERM",
            };
            if first {
                tracing::info!("stopping on {name}");
                token.cancel();
            } else {
                // 128 + SIGINT, as a shell reports it.
                std::process::exit(130);
            }
        }
    });
    Ok(stop)
}

/// A file that may not grow any more is a full disk, which ends nobody: its signal is heard, and the write fails.
fn limit_is_no_end() {
    /// SIGXFSZ, which has this number on every system that knows it.
    const TOO_LARGE: i32 = 25;
    let Ok(mut too_large) = signal(SignalKind::from_raw(TOO_LARGE)) else { return };
    tokio::spawn(async move { while too_large.recv().await.is_some() {} });
}

/// SIGHUP reloads the script.
fn on_hangup(reload: Arc<Notify>) {
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            reload.notify_one();
        }
    });
}
