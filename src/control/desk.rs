//! Owns the answers of a running worker: levers are pulled here, at once, also while a script loads; what changes
//! the generation is handed to the supervisor, which owns it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use tokio::sync::{Mutex, mpsc, oneshot, watch};

use super::status::{levers_of_all, pipelines};
use super::{Answer, Ask, Health, Status, StoreStatus, UnitStatus, WorkerStatus};
use crate::levers::{Answered, Lever, Levers, Pulled, Whom, apply};
use crate::pipeline::{Event, EventKind, Mode, Phase, PipelineSpec, condition_key};
use crate::settings::did_you_mean;
use crate::world::World;

/// Something for the supervisor to do, and whom to tell.
pub struct Order {
    /// What.
    pub ask: Ask,
    /// Whom.
    pub answer: oneshot::Sender<Answer>,
}

/// Answers for a worker.
pub struct Desk {
    world: Arc<World>,
    specs: watch::Receiver<Vec<Arc<PipelineSpec>>>,
    units: watch::Receiver<Vec<UnitStatus>>,
    orders: mpsc::Sender<Order>,
    place: Option<String>,
    since: DateTime<Utc>,
    zone: Tz,
    /// One lever at a time.
    pulling: Mutex<()>,
}

impl Desk {
    /// A desk of a worker whose state is in `place`, on whose machine it is as late as in `zone`.
    #[must_use]
    pub fn new(
        world: Arc<World>,
        specs: watch::Receiver<Vec<Arc<PipelineSpec>>>,
        units: watch::Receiver<Vec<UnitStatus>>,
        orders: mpsc::Sender<Order>,
        place: Option<String>,
        zone: Tz,
    ) -> Self {
        let since = world.clock.now();
        Self { world, specs, units, orders, place, since, zone, pulling: Mutex::default() }
    }

    /// Answers.
    pub async fn answer(&self, ask: Ask) -> Answer {
        match ask {
            Ask::Health => Answer::Health(Health { pid: std::process::id(), trouble: self.world.state.trouble() }),
            Ask::Status => self.status().await,
            Ask::Pull(pulled) => self.pull(&pulled).await,
            ask => {
                let (answer, answered) = oneshot::channel();
                let stopping = || Answer::Refused("the worker is stopping".into());
                if self.orders.send(Order { ask, answer }).await.is_err() {
                    return stopping();
                }
                answered.await.unwrap_or_else(|_| stopping())
            }
        }
    }

    /// Whether the worker is the one of its state.
    #[must_use]
    pub(super) fn is_the_one(&self) -> bool {
        !self.world.state.must_stand_by()
    }

    async fn status(&self) -> Answer {
        let (now, specs) = (self.world.clock.now(), self.specs.borrow().clone());
        let levers = self.world.levers.levers();
        let pipelines = pipelines(&self.world.state, Some(&specs), &levers, now).await;
        let unread = pipelines.as_ref().err().map(ToString::to_string);
        let error = unread.or_else(|| self.world.state.trouble());
        let folder = self.place.clone();
        Answer::Status(Box::new(Status {
            v: 1,
            at: now,
            worker: Some(WorkerStatus {
                version: env!("CARGO_PKG_VERSION").into(),
                pid: std::process::id(),
                since: self.since,
            }),
            unreached: None,
            units: self.units.borrow().clone(),
            levers: levers_of_all(&levers, now),
            store: StoreStatus {
                healthy: folder.is_some() && error.is_none() && !self.world.state.is_degraded(),
                folder,
                error,
            },
            pipelines: pipelines.unwrap_or_default(),
        }))
    }

    async fn pull(&self, pulled: &Pulled) -> Answer {
        let _one = self.pulling.lock().await;
        let (now, specs) = (self.world.clock.now(), self.specs.borrow().clone());
        let pulled = match known(pulled, &specs) {
            Ok(pulled) => pulled,
            Err(why) => return Answer::Refused(why),
        };
        let mut levers = (*self.world.levers.levers()).clone();
        if apply(&mut levers, &pulled, now) == Answered::Nothing {
            return Answer::Done(vec![format!("{}: there was nothing to let go of", whom(&pulled))]);
        }
        // In force before it is kept: a full disk must not stop a pause.
        self.world.levers.set(levers.clone());
        self.announce(&pulled, &specs, now);
        let mut lines = told(&pulled, &specs, &levers, now, self.zone_of(&pulled, &specs));
        if let Err(error) = self.world.state.keep_levers(&levers).await {
            tracing::error!("a lever is in force and ends with this worker, since it was not kept: {error}");
            lines.push(format!("it ends with this worker, since it was not kept: {error}"));
        }
        Answer::Done(lines)
    }

    /// The clock that the pipeline goes by: what is told now is told in the same zone as what its records say of it.
    fn zone_of(&self, pulled: &Pulled, specs: &[Arc<PipelineSpec>]) -> Tz {
        let Whom::Pipeline(name) = &pulled.whom else { return self.zone };
        specs.iter().find(|spec| *spec.name == **name).map_or(self.zone, |spec| spec.decide.zone)
    }

    fn announce(&self, pulled: &Pulled, specs: &[Arc<PipelineSpec>], now: DateTime<Utc>) {
        let told = pulled.told(self.zone_of(pulled, specs));
        let pipeline: Arc<str> = match &pulled.whom {
            Whom::All => "".into(),
            Whom::Pipeline(name) => name.as_str().into(),
        };
        let (capital, subject) = (whom(pulled), format!("{}: {}", whom(pulled), pulled.lever));
        match &pulled.whom {
            Whom::All => tracing::info!("{capital}: {told}"),
            Whom::Pipeline(_) => tracing::info!(pipeline = &*pipeline, "{told}"),
        }
        let set = if let Lever::Set { dynos, .. } = pulled.lever { Some(dynos) } else { None };
        let message = match &pulled.whom {
            Whom::All => format!("All pipelines: {told}."),
            Whom::Pipeline(_) => format!("{}.", sentence(&told)),
        };
        let event = Event {
            kind: EventKind::LeverPulled,
            phase: Phase::Once,
            key: match &pulled.whom {
                Whom::All => EventKind::LeverPulled.to_string(),
                Whom::Pipeline(name) => condition_key(name, EventKind::LeverPulled),
            },
            severity: "info".into(),
            pipeline: Arc::clone(&pipeline),
            message,
            subject,
            dynos: None,
            from: None,
            to: set,
            measurement: None,
            unit: None,
            target: None,
            reason: pulled.pull.reason.clone(),
            at: now,
        };
        match specs.iter().find(|spec| spec.name == pipeline) {
            Some(spec) => self.world.audience.tell(spec, vec![event]),
            None => self.world.audience.announce(specs, event),
        }
    }
}

/// `text` with a capital.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// "all pipelines", or the pipeline's name.
fn whom(pulled: &Pulled) -> &str {
    match &pulled.whom {
        Whom::All => "all pipelines",
        Whom::Pipeline(name) => name,
    }
}

/// `pulled`, its pipeline by its whole name: in a folder of scripts the part after the `/` will do where it is the
/// only one.
fn known(pulled: &Pulled, specs: &[Arc<PipelineSpec>]) -> Result<Pulled, String> {
    let Whom::Pipeline(name) = &pulled.whom else { return Ok(pulled.clone()) };
    if specs.iter().any(|spec| *spec.name == **name) {
        return Ok(pulled.clone());
    }
    let ends = |spec: &&Arc<PipelineSpec>| spec.name.rsplit_once('/').is_some_and(|(_, own)| own == name);
    let mut alike = specs.iter().filter(ends);
    if let (Some(spec), None) = (alike.next(), alike.next()) {
        return Ok(Pulled { whom: Whom::Pipeline(spec.name.to_string()), ..pulled.clone() });
    }
    let names = || specs.iter().map(|spec| &*spec.name);
    let help = did_you_mean(name, names()).unwrap_or_else(|| {
        let names: Vec<&str> = names().collect();
        if names.is_empty() { "the worker runs none".into() } else { format!("there are {}", names.join(", ")) }
    });
    Err(format!("the worker runs no pipeline `{name}`; {help}"))
}

/// What an operator is told of a lever that is in force.
fn told(pulled: &Pulled, specs: &[Arc<PipelineSpec>], levers: &Levers, now: DateTime<Utc>, zone: Tz) -> Vec<String> {
    let mut lines = vec![format!("{}: {}", whom(pulled), pulled.told(zone))];
    let meant = |spec: &&Arc<PipelineSpec>| match &pulled.whom {
        Whom::All => true,
        Whom::Pipeline(name) => *spec.name == **name,
    };
    let specs: Vec<_> = specs.iter().filter(meant).collect();
    for spec in &specs {
        let active = levers.active(&spec.name, now);
        let paused = active.pause.is_some() || spec.mode == Mode::Paused;
        let Lever::Set { dynos, beyond_bounds } = pulled.lever else {
            if pulled.lever == Lever::Resume && spec.mode == Mode::Paused {
                lines.push(format!("{} stays paused: the script says `mode: \"paused\"`", spec.name));
            }
            continue;
        };
        let bounds = spec.decide.bounds(now);
        if paused {
            lines.push(format!("{} is paused, which is stronger: `autoscaler resume {0}` lets go of both", spec.name));
        } else if !beyond_bounds && !(bounds.min..=bounds.max).contains(&dynos) {
            let (held, which) = if dynos > bounds.max { (bounds.max, "maximum") } else { (bounds.min, "minimum") };
            lines.push(format!(
                "{} is held at {held}, its {which} now; `--beyond-bounds` lifts the bounds meanwhile",
                spec.name
            ));
        }
        if spec.mode == Mode::DryRun {
            lines.push(format!("{} is a dry run, and scales nothing", spec.name));
        }
    }
    let slowest = specs.iter().map(|spec| spec.interval()).max().unwrap_or_default().as_secs_f64();
    lines.push(format!("in force from the next tick, within {slowest} s"));
    lines
}
