//! Owns where script functions run. Pure ones run in place with a small budget, and once more on a
//! script thread with the full one if that was not enough; those that may reach the world run on a
//! bounded pool of their own. A slow script never stalls another pipeline.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::{Argument, Budget, CallError, Function, Permit, Reach, Returned, This};
use crate::world::World;

/// In place: what a common decision needs, tens of times over, and short enough not to stall the
/// tasks of the same thread.
pub const IN_PLACE: Budget = Budget { operations: 5_000, time: Duration::from_millis(2) };

/// The full budget of a pure function.
pub const FULL: Budget = Budget { operations: 500_000, time: Duration::from_millis(250) };

/// The budget of a function that may wait for the world.
pub const REACHING: Budget = Budget { operations: 1_000_000, time: Duration::from_secs(30) };

/// Wall time where it must decide nothing: operations end a function long before.
const PATIENCE: Duration = Duration::from_secs(30);

/// Script threads for pure functions that need their full budget: few, they are busy ones.
const PURE_THREADS: usize = 2;

/// Script threads for functions that wait for the world: they mostly sleep.
const REACHING_THREADS: usize = 64;

/// Runs script functions.
#[derive(Clone, Debug)]
pub struct Calls {
    pure: Arc<Semaphore>,
    reaching: Arc<Semaphore>,
    in_place: Budget,
    full: Budget,
}

impl Default for Calls {
    fn default() -> Self {
        Self {
            pure: Arc::new(Semaphore::new(PURE_THREADS)),
            reaching: Arc::new(Semaphore::new(REACHING_THREADS)),
            in_place: IN_PLACE,
            full: FULL,
        }
    }
}

impl Calls {
    /// As usual, but for the wall time: what a simulated decision comes to must not depend on how busy the
    /// machine is. Operations are counted as ever.
    #[must_use]
    pub fn patient() -> Self {
        let patient = |budget: Budget| Budget { time: PATIENCE, ..budget };
        let usual = Self::default();
        Self { in_place: patient(usual.in_place), full: patient(usual.full), ..usual }
    }

    /// Calls a function that reaches nothing: `decide`, `.map`. `memory` is its `this`, replaced only
    /// if the call succeeds.
    ///
    /// # Errors
    /// What the function threw, or the limit it ran into.
    pub async fn pure(
        &self,
        function: &Function,
        argument: Argument,
        memory: &Mutex<This>,
        pipeline: &Arc<str>,
    ) -> Result<Returned, CallError> {
        let permit = |budget| Permit { pipeline: Arc::clone(pipeline), budget, reach: Reach::Pure };
        match with_copy(function, argument.clone(), memory, &permit(self.in_place)) {
            Err(CallError::Budget { .. }) => on_thread(&self.pure, function, argument, memory, permit(self.full)).await,
            answer => answer,
        }
    }

    /// Calls a function that may `.send()`: `measure`, `scale`, `notify`.
    ///
    /// # Errors
    /// What the function threw, or the limit it ran into.
    pub async fn reaching(
        &self,
        function: &Function,
        argument: Argument,
        memory: &Mutex<This>,
        pipeline: &Arc<str>,
        world: &Arc<World>,
    ) -> Result<Returned, CallError> {
        let reach = Reach::World { world: Arc::clone(world), runtime: tokio::runtime::Handle::current() };
        let permit = Permit { pipeline: Arc::clone(pipeline), budget: REACHING, reach };
        on_thread(&self.reaching, function, argument, memory, permit).await
    }
}

/// Calls on a copy of `memory` and keeps the copy if the call succeeded.
fn with_copy(
    function: &Function,
    argument: Argument,
    memory: &Mutex<This>,
    permit: &Permit,
) -> Result<Returned, CallError> {
    // Never locked while the script runs: a view may look at the memory meanwhile.
    let mut copy = memory.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let returned = function.call(argument, &mut copy, permit)?;
    *memory.lock().unwrap_or_else(PoisonError::into_inner) = copy;
    Ok(returned)
}

async fn on_thread(
    threads: &Arc<Semaphore>,
    function: &Function,
    argument: Argument,
    memory: &Mutex<This>,
    permit: Permit,
) -> Result<Returned, CallError> {
    let lost = || CallError::Script { message: "the worker is stopping".into(), place: None };
    let slot = Arc::clone(threads).acquire_owned().await.map_err(|_| lost())?;
    let function = Arc::clone(function);
    let mut copy = memory.lock().unwrap_or_else(PoisonError::into_inner).clone();
    // What it prints goes where its caller logs (a test collects it).
    let log = tracing::dispatcher::get_default(Clone::clone);
    let ran = tokio::task::spawn_blocking(move || {
        let returned = tracing::dispatcher::with_default(&log, || function.call(argument, &mut copy, &permit));
        drop(slot);
        (returned, copy)
    });
    let (returned, copy) = ran.await.map_err(|error| CallError::Script {
        message: format!("the function broke down: {error}; this is a bug of autoscaler"),
        place: None,
    })?;
    let returned = returned?;
    *memory.lock().unwrap_or_else(PoisonError::into_inner) = copy;
    Ok(returned)
}
