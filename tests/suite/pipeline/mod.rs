//! Pipelines: declaring them, deciding, ticking, telling.

pub mod bench;
mod controller;
mod declare;
mod events;
mod guarded;
mod guards;
mod levers;
mod limits;
mod policies;
mod predecessor;
mod properties;
mod resilience;
mod scripted;
mod semantics;
mod several;
mod shadow;
