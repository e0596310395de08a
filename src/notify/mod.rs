//! Owns the notifying stage: the trait [`Notify`], one file per backend, the documented flags that say
//! what a backend hears, and the [`Audience`] that delivers without ever delaying a tick.

mod custom;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value as Json;

use crate::pipeline::{Event, PipelineSpec};
use crate::settings::{Constructor, Kind, Preset, Setting};
use crate::world::World;

pub use custom::Custom;

/// Settings that every `notify::` takes, next to its own.
pub static COMMON: &[Setting] = &[
    Setting {
        name: "notify_on_every_measurement",
        kind: Kind::Flag,
        preset: Preset::Flag(false),
        doc: "Tell every measurement.",
    },
    Setting { name: "notify_on_every_scale", kind: Kind::Flag, preset: Preset::Flag(false), doc: "Tell every scale." },
    Setting {
        name: "notify_if_needs_below_min",
        kind: Kind::Flag,
        preset: Preset::Flag(false),
        doc: "Tell when fewer dynos than the lower bound would do.",
    },
    Setting {
        name: "notify_if_needs_exceed_max",
        kind: Kind::Flag,
        preset: Preset::Flag(true),
        doc: "Tell when more dynos than the upper bound are needed.",
    },
    Setting {
        name: "notify_if_scaling_is_too_rapid",
        kind: Kind::Flag,
        preset: Preset::Flag(false),
        doc: "Tell when there are too many scales in one direction in too short a time.",
    },
    Setting {
        name: "notify_if_scaling_is_too_rapid_num_scales",
        kind: Kind::Whole,
        preset: Preset::Whole(5),
        doc: "More scales than this in one direction are too many.",
    },
    Setting {
        name: "notify_if_scaling_is_too_rapid_time_period_minutes",
        kind: Kind::Minutes,
        preset: Preset::Number(1.0),
        doc: "The period in which they are counted.",
    },
];

/// The documented notification settings, as resolved.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(clippy::struct_excessive_bools)]
pub struct Flags {
    /// `notify_on_every_measurement`
    pub every_measurement: bool,
    /// `notify_on_every_scale`
    pub every_scale: bool,
    /// `notify_if_needs_below_min`
    pub needs_below_min: bool,
    /// `notify_if_needs_exceed_max`
    pub needs_exceed_max: bool,
    /// `notify_if_scaling_is_too_rapid`
    pub too_rapid: bool,
    /// `notify_if_scaling_is_too_rapid_num_scales`
    pub too_rapid_scales: u32,
    /// `notify_if_scaling_is_too_rapid_time_period_minutes`
    pub too_rapid_period: Duration,
}

/// One notifying backend of a pipeline.
#[derive(Clone, Debug)]
pub struct NotifyStage {
    /// The backend.
    pub backend: Arc<dyn Notify>,
    /// What it hears; `None` for a bare function, which hears everything but `measured`.
    pub flags: Option<Flags>,
    /// The initial `this` of a scripted one.
    pub memory: Json,
}

/// A notifying backend with its settings.
#[async_trait]
pub trait Notify: Send + Sync + fmt::Debug {
    /// The documented name ("DjangoEmailBackend"), or "custom".
    fn backend(&self) -> &'static str;

    /// Its own settings as resolved, secrets masked, for `check --json`.
    fn settings(&self) -> Json;

    /// Equal for backends that reach the same people the same way: a worker-wide event goes to each
    /// distinct one once.
    fn recipient(&self) -> String;

    /// Whether its messages leave the machine (and are limited to 20 in 10 minutes).
    fn leaves_machine(&self) -> bool;

    /// What it reaches, for `check`.
    fn reaches(&self) -> Vec<String> {
        Vec::new()
    }

    /// Delivers one event. `memory` is the `this` of a scripted backend.
    ///
    /// # Errors
    /// Why it could not, without secrets.
    async fn deliver(
        &self,
        event: &Arc<Event>,
        memory: &std::sync::Mutex<Json>,
        world: &Arc<World>,
    ) -> Result<(), String>;
}

/// Hears what happened, decides who is told, and delivers in the background.
pub trait Audience: Send + Sync {
    /// Takes the events of one tick of `pipeline`; returns at once.
    fn tell(&self, pipeline: &Arc<PipelineSpec>, events: Vec<Event>);

    /// Takes an event that concerns the whole worker, for every distinct backend of `pipelines`.
    fn announce(&self, pipelines: &[Arc<PipelineSpec>], event: Event);
}

/// Every native constructor of `notify::`.
pub static CONSTRUCTORS: &[Constructor<Box<dyn Notify>>] = &[];
