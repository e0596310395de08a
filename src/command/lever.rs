//! `autoscaler pause`, `resume`, `set`, `scale-in`, `scale-out`: levers, pulled at a running worker, or written
//! where the next one finds them.

use std::process::ExitCode;
use std::time::Duration;

use chrono::{TimeDelta, Utc};

use super::{fail, records, worker};
use crate::cli::{PauseArgs, ResumeArgs, SetArgs, Switch, SwitchArgs, WhoseArgs, WhyArgs, WorkerArgs};
use crate::control::{Answer, Ask, NoAnswer, Place};
use crate::levers::{Answered, Lever, Levers, Pull, Pulled, Whom, apply};

/// Runs `pause`.
pub async fn pause(args: PauseArgs) -> ExitCode {
    pull(&args.worker, whom(args.whose), Lever::Pause, args.why).await
}

/// Runs `resume`.
pub async fn resume(args: ResumeArgs) -> ExitCode {
    let why = WhyArgs { duration: None, reason: args.reason };
    pull(&args.worker, whom(args.whose), Lever::Resume, why).await
}

/// Runs `set`.
pub async fn set(args: SetArgs) -> ExitCode {
    let lever = Lever::Set { dynos: args.dynos, beyond_bounds: args.beyond_bounds };
    pull(&args.worker, Whom::Pipeline(args.name), lever, args.why).await
}

/// Runs `scale-in`.
pub async fn scale_in(args: SwitchArgs) -> ExitCode {
    switch(args, |on| Lever::ScaleIn { on }).await
}

/// Runs `scale-out`.
pub async fn scale_out(args: SwitchArgs) -> ExitCode {
    switch(args, |on| Lever::ScaleOut { on }).await
}

async fn switch(args: SwitchArgs, lever: impl FnOnce(bool) -> Lever) -> ExitCode {
    let on = args.switch == Switch::On;
    if on && args.why.duration.is_some() {
        fail("`--for` belongs to `off`: what is on again stays on");
        return ExitCode::from(super::USAGE);
    }
    pull(&args.worker, whom(args.whose), lever(on), args.why).await
}

fn whom(whose: WhoseArgs) -> Whom {
    whose.name.map_or(Whom::All, Whom::Pipeline)
}

async fn pull(args: &WorkerArgs, whom: Whom, lever: Lever, why: WhyArgs) -> ExitCode {
    if matches!(&whom, Whom::Pipeline(name) if name.trim().is_empty()) {
        return fail("the name of the pipeline is empty");
    }
    let place = match worker::place(args).await {
        Ok(place) => place,
        Err(help) => return fail(help),
    };
    let now = Utc::now();
    let until = |span: Duration| TimeDelta::from_std(span).ok().and_then(|span| now.checked_add_signed(span));
    let (until, reason) = (why.duration.and_then(until), why.reason.map(|reason| crate::notify::one_line(&reason)));
    let pulled = Pulled { whom, lever, pull: Pull { by: worker::operator(), at: now, until, reason } };
    let unreached = match place.ask(&Ask::Pull(pulled.clone())).await {
        Ok(answer) => return worker::print(answer),
        Err(NoAnswer::NoWorker) => worker::holder(&place),
        Err(NoAnswer::Silent(who)) if matches!(place, Place::Folder(_)) => Some(who),
        Err(error) => return fail(error),
    };
    let (written, unreached) = match (write(args, &place, &pulled).await, unreached) {
        (Ok(written), unreached) => (written, unreached),
        (Err(why), None) => return fail(why),
        (Err(why), Some(unreached)) => return fail(format!("{unreached}; and {why}")),
    };
    let Some(unreached) = unreached else {
        let force = "no worker runs: in force when one starts with this state";
        return worker::print(Answer::Done(vec![written, force.into()]));
    };
    worker::print(Answer::Done(vec![written]));
    // It is not known to be in force: whoever goes on after this command must not take it for that.
    fail(format!("{unreached}; it is written in {place}: in force as soon as the worker ticks again"))
}

/// Writes the lever into the state, where no worker was reached, and says what it is.
async fn write(args: &WorkerArgs, place: &Place, pulled: &Pulled) -> Result<String, String> {
    let state = worker::levers(args, place).await?;
    let mut levers = state.levers().await.map_err(|error| error.to_string())?;
    let pulled = &known(args, pulled, &levers).await?;
    let whose = match &pulled.whom {
        Whom::All => "all pipelines",
        Whom::Pipeline(name) => name,
    };
    if apply(&mut levers, pulled, pulled.pull.at) == Answered::Nothing {
        return Ok(format!("{whose}: there was nothing to let go of"));
    }
    state.keep_levers(&levers).await.map_err(|error| error.to_string())?;
    Ok(format!("{whose}: {}", pulled.told(super::local_zone())))
}

/// `pulled`, its pipeline by its whole name as the state knows it. Before the first tick any name may be right.
///
/// # Errors
/// The state knows pipelines, and none of that name.
async fn known(args: &WorkerArgs, pulled: &Pulled, levers: &Levers) -> Result<Pulled, String> {
    let Whom::Pipeline(name) = &pulled.whom else { return Ok(pulled.clone()) };
    // What is pulled can be let go of, also where its pipeline is gone.
    if levers.pipelines.contains_key(name.as_str()) {
        return Ok(pulled.clone());
    }
    // A store that cannot be read must not stop a pause.
    let Ok(state) = worker::read(args).await else { return Ok(pulled.clone()) };
    if state.load(name).await.is_ok_and(|kept| kept.is_some()) {
        return Ok(pulled.clone());
    }
    let found = records::of_state(state).await;
    if found.names().await.unwrap_or_default().is_empty() {
        return Ok(pulled.clone());
    }
    let whole = found.pipeline(Some(name)).await?;
    Ok(Pulled { whom: Whom::Pipeline(whole.to_string()), ..pulled.clone() })
}
