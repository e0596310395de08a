//! Owns `.map(…)`: functions of the script that rework what a backend measured, one after the other.
//! They reach nothing, and one that fails makes the measurement fail.

use std::sync::Arc;

use super::custom::reading;
use super::{MeasureContext, Reading};
use crate::function::{Argument, Function};
use crate::pipeline::Failure;
use crate::world::World;

/// `measured` after all of `functions`.
///
/// # Errors
/// What the first function that failed threw or answered.
pub async fn rework(
    measured: Reading,
    functions: &[Function],
    context: &MeasureContext<'_>,
    world: &Arc<World>,
) -> Result<Reading, Failure> {
    let mut current = measured;
    for function in functions {
        let called = world.calls.pure(function, Argument::Data(current.data), context.memory, context.pipeline);
        let returned = called.await.map_err(|error| Failure::not_load(format!("`.map`: {error}")))?;
        current = reading(returned, "the function of `.map`")?;
    }
    Ok(current)
}
