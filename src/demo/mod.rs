//! Owns what `autoscaler demo` shows a newcomer: an app with its queue ([`app`], [`queue`]), a day of
//! load ([`load`]), and three ways to watch it being scaled ([`view`], [`plain`], [`summary`]). It
//! scales nothing and loads no script: the command wires these parts to the ordinary worker.

pub mod app;
pub mod audience;
pub mod environment;
pub mod feed;
pub mod load;
pub mod plain;
pub mod queue;
pub mod story;
pub mod summary;
pub mod view;

use std::time::Duration;

/// The name of the demo's app in the embedded API; `scripts/demo.rhai` writes it too.
pub const APP_NAME: &str = "demo";

/// The process type that is scaled; the pipeline of `scripts/demo.rhai` has its name.
pub const PROCESS_TYPE: &str = "web";

/// Dynos at the start: fewer than the day's first hours need, so that a newcomer soon sees a scale.
pub const START_DYNOS: u32 = 1;

/// How long a dyno of the demo boots: long enough to be seen, shorter than the script's wait after a scale.
pub const BOOT: Duration = Duration::from_secs(2);

/// How long the demo's day takes.
pub const DAY: Duration = Duration::from_secs(180);

/// The variable that tells `scripts/demo.rhai` where the app is.
pub const APP_URL_VARIABLE: &str = "DEMO_APP_URL";

/// The variable that tells `scripts/demo.rhai` where the embedded API is.
pub const API_URL_VARIABLE: &str = "DEMO_API_URL";

/// The variable that tells `scripts/demo.rhai` the key to the embedded API.
pub const API_KEY_VARIABLE: &str = "DEMO_API_KEY";

/// The demo's script, as written by `autoscaler demo` where there is none.
pub const SCRIPT: &str = include_str!("../../scripts/demo.rhai");
