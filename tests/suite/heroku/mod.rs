//! Heroku: the client, target and tail against the fake API and against pretended replies on tokio's
//! paused clock, and the fake API against the official CLI.

mod api;
mod cli;
mod custom_scale;
mod doing;
mod drain;
mod failures;
mod pretend;
mod router_log;
mod service_time;
mod support;
mod tail;
mod target;
