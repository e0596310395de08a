//! The one test crate: a module per group of `tests/run`, and a harness that starts real servers.

mod demo;
mod django;
mod doctor;
mod explain;
mod faults;
mod harness;
mod heartbeat;
mod heroku;
mod import;
mod measure;
mod notify;
mod pipeline;
mod readme;
mod reference;
mod script;
mod shipping;
mod simulate;
mod state;
mod testing;
mod worker;
