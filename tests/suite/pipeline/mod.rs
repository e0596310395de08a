//! Pipelines: declaring them, deciding, ticking, telling.

pub mod bench;
mod controller;
mod declare;
mod events;
mod levers;
mod policies;
mod predecessor;
mod resilience;
mod scripted;
mod semantics;
