//! Owns the putting together of a live world: the machine's clock, the network, the platforms, and the
//! people who are told.

use std::sync::Arc;
use std::time::Duration;

use crate::function::Calls;
use crate::net;
use crate::notify::{Audience, Deliveries, Silent, audience};
use crate::program::Runner;
use crate::scale::LivePlatforms;
use crate::state::State;
use crate::world::{Console, LiveSources, Standard, SystemClock, World};

/// Messages still waiting when the worker stops are delivered within this time, or left.
const LAST_MESSAGES: Duration = Duration::from_secs(2);

/// A live world and the task that delivers its notifications.
pub struct Services {
    world: Arc<World>,
    deliveries: Option<Deliveries>,
}

impl Services {
    /// Everything live; state is kept in `state`. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When there is no network client to be had.
    pub fn start(state: Arc<dyn State>) -> Result<Self, String> {
        Self::start_with(state, Arc::new(Standard::Output), |live| live)
    }

    /// As [`Services::start`], with another console and the audience that `wrap` puts in front of the
    /// live one.
    ///
    /// # Errors
    /// When there is no network client to be had.
    pub fn start_with(
        state: Arc<dyn State>,
        console: Arc<dyn Console>,
        wrap: impl FnOnce(Arc<dyn Audience>) -> Arc<dyn Audience>,
    ) -> Result<Self, String> {
        let (live, delivery) = audience();
        let world = world(state, wrap(Arc::new(live)), console)?;
        let deliveries = Some(delivery.start(&world));
        Ok(Self { world, deliveries })
    }

    /// Everything live, but nobody is told anything.
    ///
    /// # Errors
    /// When there is no network client to be had.
    pub fn start_silent(state: Arc<dyn State>) -> Result<Self, String> {
        let world = world(state, Arc::new(Silent), Arc::new(Standard::Error))?;
        Ok(Self { world, deliveries: None })
    }

    /// The world.
    #[must_use]
    pub fn world(&self) -> Arc<World> {
        Arc::clone(&self.world)
    }

    /// Delivers what waits, within a limit.
    pub async fn close(self) {
        if let Some(deliveries) = self.deliveries {
            deliveries.close(LAST_MESSAGES).await;
        }
    }
}

fn world(state: Arc<dyn State>, audience: Arc<dyn Audience>, console: Arc<dyn Console>) -> Result<Arc<World>, String> {
    Ok(Arc::new(World {
        clock: Arc::new(SystemClock),
        calls: Calls::default(),
        http: Arc::new(net::Client::new()?),
        redis: Arc::new(net::RedisConnections::default()),
        programs: Arc::new(Runner),
        sources: Arc::new(LiveSources),
        platforms: Arc::new(LivePlatforms::default()),
        console,
        audience,
        state,
        ledger: Arc::default(),
        levers: Arc::default(),
    }))
}
