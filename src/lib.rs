//! An autoscaling engine whose settings file is a Rhai script: the script declares pipelines, each of
//! which measures, decides, scales and notifies; the engine owns time, I/O, state and safety.
//!
//! This page is the map of the crate; ARCHITECTURE.md draws it and names what must stay true.
//!
//! ```text
//! script ──load──▶ Generation ──diff──▶ Supervisor ──▶ Pipeline (one task each) ◀──▶ Target (one per app)
//!                                          every tick:
//!   Measurements ─▶ Proposal (policy) ─▶ controller (guards, pure) ─▶ Decision ─▶ Outcome ─▶ Record
//! ```
//!
//! From the script to what runs:
//! - [`script`]: the script language, named nowhere else: files and imports, places, functions.
//! - [`settings`]: what a script wrote as values with their places; the typed reader; the tables of all
//!   settings and defaults; what is said of mistakes. [`rules`]: all that can be said, by id.
//! - [`rules`]: what is said of scripts, by name: the registry of diagnostics.
//! - [`function`]: a function of the script as everybody else sees it, and where its calls run.
//!
//! A pipeline and its four stages, each a trait and a file per backend:
//! - [`pipeline`]: spec, history, bounds by time of day, the pure controller with its guards, the tick
//!   and its record.
//! - [`measure`], [`decide`], [`scale`], [`notify`].
//!
//! The outside:
//! - [`world`]: everything a tick touches outside, as one value of capabilities; `world::pretend` reaches
//!   nothing.
//! - [`net`]: HTTP and Redis behind those capabilities. [`heroku`]: the platform, and a fake of it.
//! - [`state`]: what is kept, in memory, SQLite or elsewhere. [`levers`]: what an operator pulls in an incident.
//! - [`host`]: what the program that started this one gave it.
//! - [`secret`]: what is never shown. [`log`]: what the log looks like.
//!
//! The program:
//! - [`worker`]: generations, tasks, reloading, stopping.
//! - [`mod@reference`]: what a script can call, read and set, gathered from the tables above.
//! - [`simulate`]: a pretended app under recorded load, in which the very same ticks are run and scored.
//! - [`stats`]: mathematics that scripts and simulations share.
//! - [`compare`]: families of policies on many loads, and the tables of what came of them.
//! - [`picture`]: how a simulation looks, as a page and in a terminal.
//! - [`replay`]: a new script over what a running one has recorded.
//! - [`explain`]: why a tick scaled or did not, told from its record; a test made of it.
//! - [`testing`]: the tests that scripts hold, run on a virtual clock.
//! - [`heartbeat`]: the measurement URL for apps that are not Django; Rust apps mount it themselves.
//! - [`counted`]: how a number of things is told.
//! - [`serve`]: HTTP that comes in: log drains, and whether the worker lives.
//! - [`control`]: the talk between a worker and the commands that ask it.
//! - [`doctor`]: looking for what will go wrong. [`import`]: the settings of the predecessor as a script.
//! - [`cli`] and [`command`]: what can be typed, and what it does. [`demo`]: an app to scale.

pub mod cli;
pub mod command;
pub mod compare;
pub mod control;
pub mod counted;
pub mod decide;
pub mod demo;
pub mod doctor;
pub mod explain;
pub mod function;
pub mod heartbeat;
pub mod heroku;
pub mod host;
pub mod import;
pub mod levers;
pub mod log;
pub mod measure;
pub mod net;
pub mod notify;
pub mod picture;
pub mod pipeline;
pub mod program;
pub mod reach;
pub mod reference;
pub mod replay;
pub mod request;
pub mod rules;
pub mod scale;
pub mod script;
pub mod secret;
pub mod serve;
pub mod settings;
pub mod simulate;
pub mod state;
pub mod stats;
pub mod testing;
pub mod worker;
pub mod world;
