//! Owns the notifying stage: the trait [`Notify`], one file per backend, the documented flags that say
//! what a backend hears, and the [`Audience`] that delivers without ever delaying a tick.

mod audience;
mod command;
mod console;
mod custom;
mod delivery;
mod django_email;
mod email;
mod flags;
mod flood;
mod http;
mod logger;
mod mail;
mod mail_server;
mod mailbox;
mod memories;
mod outbox;
mod silent;
mod test;
#[cfg(test)]
mod testing;
mod text;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value as Json;

pub use audience::{Deliveries, Delivery, LiveAudience, audience};
pub use console::Console;
pub use custom::{Custom, SETTINGS as CUSTOM_SETTINGS};
pub use email::Email;
pub use flags::{Flags, hears};
pub use logger::Logger;
pub use silent::Silent;
pub use test::Test;
pub use text::{further_reason, one_line, told};

use crate::function::This;
use crate::pipeline::{Event, PipelineSpec};
use crate::settings::{Constructor, Kind, Preset, Setting};
use crate::world::World;

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

impl NotifyStage {
    /// Whether it is told of `event`.
    #[must_use]
    pub fn hears(&self, event: &Event) -> bool {
        hears(self.flags.as_ref(), self.backend.hears_reloads(), event)
    }
}

/// Why a message was not delivered: without secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Undelivered {
    /// What happened, lower case, with the mend where there is one.
    pub message: String,
    /// Whether it is worth trying again in a few seconds.
    pub transient: bool,
}

impl Undelivered {
    /// Trying again may help.
    #[must_use]
    pub fn for_now(message: impl Into<String>) -> Self {
        Self { message: message.into(), transient: true }
    }

    /// Trying again would not help.
    #[must_use]
    pub fn for_good(message: impl Into<String>) -> Self {
        Self { message: message.into(), transient: false }
    }
}

/// A notifying backend with its settings.
#[async_trait]
pub trait Notify: Send + Sync + fmt::Debug {
    /// The documented name (`DjangoEmailBackend`), or `custom`.
    fn backend(&self) -> &'static str;

    /// Its own settings as resolved, secrets masked, for `check --json`.
    fn settings(&self) -> Json;

    /// Equal for backends that reach the same people the same way: a worker-wide event goes to each
    /// distinct one once.
    fn recipient(&self) -> String;

    /// Whether its messages leave the machine (and are limited to 20 in 10 minutes).
    fn leaves_machine(&self) -> bool;

    /// Whether it is told of every saved script that is in force.
    fn hears_reloads(&self) -> bool {
        false
    }

    /// Whether it writes to the worker's log: what it is told need not be logged again.
    fn is_log(&self) -> bool {
        false
    }

    /// Whether it may be delivered to in a test: what it does outside goes through the world alone.
    fn rehearses(&self) -> bool {
        false
    }

    /// What it kept of what it was told, oldest first (`notify::test`).
    fn kept(&self) -> Vec<Arc<Event>> {
        Vec::new()
    }

    /// The function of the script that it calls, if it calls one.
    fn function(&self) -> Option<&crate::function::Function> {
        None
    }

    /// Sees whether its server lets us in, without telling anybody anything; the server as it may be shown. `None`:
    /// there is nothing to be seen.
    async fn knock(&self) -> Option<Result<String, Undelivered>> {
        None
    }

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
        memory: &std::sync::Mutex<This>,
        world: &Arc<World>,
    ) -> Result<(), Undelivered>;
}

/// Hears what happened, decides who is told, and delivers in the background.
pub trait Audience: Send + Sync {
    /// Takes the events of one tick of `pipeline`; returns at once.
    fn tell(&self, pipeline: &Arc<PipelineSpec>, events: Vec<Event>);

    /// Takes an event that concerns the whole worker, for every distinct backend of `pipelines`.
    fn announce(&self, pipelines: &[Arc<PipelineSpec>], event: Event);

    /// `this` of the scripted backends of `pipeline`, by the stage's name ("notify.0"), to be kept.
    fn memories(&self, _pipeline: &str) -> BTreeMap<String, This> {
        BTreeMap::new()
    }

    /// Takes back what [`Audience::memories`] gave, before the first event is told; other names are
    /// passed over.
    fn recall(&self, _pipeline: &Arc<str>, _memories: &BTreeMap<String, This>) {}
}

/// Every native constructor of `notify::`.
pub static CONSTRUCTORS: &[Constructor<Box<dyn Notify>>] = &[
    console::CONSTRUCTOR,
    email::CONSTRUCTOR,
    django_email::CONSTRUCTOR,
    logger::CONSTRUCTOR,
    test::CONSTRUCTOR,
    http::CONSTRUCTOR,
    command::CONSTRUCTOR,
];

/// Constructors whose last argument may be a function in place of the setting named.
pub static LAST_ARGUMENT: &[(&str, &str)] = &[("http", "request")];
