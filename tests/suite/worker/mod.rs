//! The built command at work: running, stopping, following its script, and what people see of it.

mod actor;
mod bad_script;
mod bad_world;
mod check;
mod clock;
mod command_line;
mod gate;
mod incident;
mod levers;
mod once;
mod operated;
mod recovery;
mod reload;
mod retreat;
mod running;
mod stopping;
mod together;
mod units;
mod unreached;
mod watchdog;

use crate::harness::{AppServer, Autoscaler, FakeHeroku, Script, Worker};

/// The key of the fake platform, in the environment of a worker.
const KEY: (&str, &str) = ("HEROKU_API_KEY", "key-of-the-shop");

/// Ends a pipeline that needs no world: it scales a number in its own memory.
const NOWHERE: &str = "scale: #{ current: || 1, scale_to: |n| print(`scaled to ${n}`) }";

/// A pipeline that prints `word` at every tick, 50 ms apart, and changes nothing.
fn ticking(name: &str, word: &str) -> String {
    format!(
        "pipeline(\"{name}\", #{{\n    \
            measure: measure::custom(#{{ measurement_interval_in_seconds: 0.05 }}, || {{ print(\"{word}\"); 1 }}),\n    \
            decide: |m| hold(\"nothing to do\"),\n    \
            {NOWHERE},\n    \
            notify: notify::console(),\n\
        }});\n"
    )
}

/// A documented pipeline from `app` to `web` of `heroku`: slower than 600 ms is too slow, faster than 400 ms
/// is fast enough, two in a row count.
fn web(app: &AppServer, heroku: &FakeHeroku, max_dynos: u32) -> String {
    format!(
        "pipeline(\"web\", #{{
            measure: measure::response_time(#{{
                base_url: \"{}\", measurement_url: \"/\", measurement_interval_in_seconds: 0.05,
            }}),
            decide: decide::consecutive_threshold(#{{
                number_of_fails_to_scale_up_after: 2, number_of_passes_to_scale_down_after: 2,
                min_measurement_value: 400, max_measurement_value: 600,
                max_dynos: {max_dynos}, post_scale_wait_time_seconds: 0,
            }}),
            scale: {},
            notify: notify::console(#{{ notify_on_every_scale: true }}),
        }});",
        app.url(),
        heroku.scale(),
    )
}

/// A pipeline that always wants `up(1)` on `web` of `heroku`.
fn eager(heroku: &FakeHeroku) -> String {
    format!(
        "pipeline(\"web\", #{{
            measure: measure::custom(#{{ measurement_interval_in_seconds: 0.05 }}, || 1),
            decide: |m| up(1).because(\"eager\"), max_dynos: 2, post_scale_wait_time_seconds: 0,
            scale: {},
            notify: notify::console(#{{ notify_on_every_scale: true, notify_if_needs_exceed_max: false }}),
        }});",
        heroku.scale(),
    )
}

/// A worker on `script`, with the key of the fake platform.
fn run(script: &Script) -> Worker {
    Autoscaler::on("run", &script.path()).env(KEY.0, KEY.1).spawn()
}
