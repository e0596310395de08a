//! Owns how a measurement is taken: live by the backend itself, pretended in `test` and `simulate`.

use async_trait::async_trait;
use std::sync::Arc;

use super::World;
use crate::measure::{MeasureContext, MeasureStage};
use crate::pipeline::Measurement;

/// Takes measurements.
#[async_trait]
pub trait Sources: Send + Sync {
    /// One measurement of `stage`.
    async fn measure(&self, stage: &MeasureStage, context: &MeasureContext<'_>, world: &Arc<World>) -> Measurement;
}

/// The backends themselves.
#[derive(Clone, Copy, Debug, Default)]
pub struct LiveSources;

#[async_trait]
impl Sources for LiveSources {
    async fn measure(&self, stage: &MeasureStage, context: &MeasureContext<'_>, world: &Arc<World>) -> Measurement {
        stage.measure(context, world).await
    }
}
