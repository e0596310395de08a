//! Telling why a pipeline scaled or did not: flips of policies, explanations of ticks, the commands that look
//! back, and tests made from incidents.

mod command;
mod docs;
mod flips;
mod pin;
mod replay;
mod state;
mod story;
mod support;
