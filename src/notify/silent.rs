//! Owns the audience that hears nothing: `once` without `--act`, whose record says it all.

use std::sync::Arc;

use super::Audience;
use crate::pipeline::{Event, PipelineSpec};

/// Nobody is told anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Audience for Silent {
    fn tell(&self, _: &Arc<PipelineSpec>, _: Vec<Event>) {}

    fn announce(&self, _: &[Arc<PipelineSpec>], _: Event) {}
}
