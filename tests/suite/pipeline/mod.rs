//! Pipelines: declaring them, deciding, ticking, telling.

mod bench_app;
mod predecessor;
