//! Owns the putting together of a live world: the machine's clock, the network, the platforms, and the
//! people who are told.

use std::sync::Arc;
use std::time::Duration;

use crate::function::Calls;
use crate::host::Host;
use crate::net;
use crate::notify::{Audience, Deliveries, Delivery, Silent, audience};
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
    /// Everything live; state is kept in `state`, and `host` started this program. Must be called within a
    /// tokio runtime.
    ///
    /// # Errors
    /// When there is no network client to be had.
    pub fn start(state: Arc<dyn State>, host: Option<Arc<Host>>) -> Result<Self, String> {
        let (live, delivery) = audience();
        let world = World { host, ..world(state, Arc::new(live), Arc::new(Standard::Output))? };
        Ok(Self::of(world, Some(delivery)))
    }

    fn of(world: World, delivery: Option<Delivery>) -> Self {
        let world = Arc::new(world);
        let deliveries = delivery.map(|delivery| delivery.start(&world));
        Self { world, deliveries }
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
        Ok(Self::of(world(state, wrap(Arc::new(live)), console)?, Some(delivery)))
    }

    /// Everything live, but nobody is told anything.
    ///
    /// # Errors
    /// When there is no network client to be had.
    pub fn start_silent(state: Arc<dyn State>) -> Result<Self, String> {
        Ok(Self::of(world(state, Arc::new(Silent), Arc::new(Standard::Error))?, None))
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

fn world(state: Arc<dyn State>, audience: Arc<dyn Audience>, console: Arc<dyn Console>) -> Result<World, String> {
    Ok(World {
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
        host: None,
    })
}
