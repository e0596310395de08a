//! Pipelines: declaring them, deciding, ticking, telling.

mod bench;
mod policies;
mod predecessor;
mod semantics;
