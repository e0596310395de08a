//! A world with Heroku in it and nothing else, and a fake API on a free port.

use std::sync::Arc;

use async_trait::async_trait;
use autoscaler::function::Calls;
use autoscaler::heroku::fake::Fake;
use autoscaler::heroku::{App, Heroku, Target};
use autoscaler::net::{Client, install_tls};
use autoscaler::notify::Audience;
use autoscaler::pipeline::{Event, PipelineSpec};
use autoscaler::scale::LivePlatforms;
use autoscaler::secret::Secret;
use autoscaler::state::MemoryState;
use autoscaler::world::{
    Http, LiveSources, Redis, RedisError, RedisErrorKind, RedisServer, Standard, SystemClock, World,
};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub const KEY: &str = "key-of-the-shop";

/// A fake API that is served until it is dropped, with the app `shop`.
pub struct Served {
    pub fake: Fake,
    pub url: String,
    task: JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Served {
    /// Three process types: `web` 1, `worker` 2, `clock` 0.
    pub async fn start() -> Self {
        let fake = Fake::new(KEY);
        fake.add_app("shop", &[("web", 1), ("worker", 2), ("clock", 0)]);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let served = fake.clone();
        let task = tokio::spawn(async move { served.serve(listener, std::future::pending()).await.unwrap() });
        Self { fake, url, task }
    }

    /// The process type `web` of `shop`.
    pub fn app(&self) -> App {
        app(&self.url)
    }

    /// The target of `shop` in a new world.
    pub fn target(&self) -> Target {
        let world = world(live_http());
        world.platforms.heroku().unwrap().target(&self.app(), &world)
    }
}

pub fn app(api_url: &str) -> App {
    App { api_url: api_url.into(), name: "shop".into(), key: Secret::new(KEY), process_type: "web".into() }
}

pub fn live_http() -> Arc<dyn Http> {
    install_tls();
    Arc::new(Client::new().unwrap())
}

/// A live world with this HTTP. Within a tokio runtime.
pub fn world(http: Arc<dyn Http>) -> Arc<World> {
    Arc::new(World {
        clock: Arc::new(SystemClock),
        calls: Calls::default(),
        http,
        redis: Arc::new(Nothing),
        programs: Arc::new(autoscaler::program::Runner),
        sources: Arc::new(LiveSources),
        platforms: Arc::new(LivePlatforms::default()),
        console: Arc::new(Standard::Error),
        audience: Arc::new(Nothing),
        state: Arc::new(MemoryState::default()),
        levers: Arc::default(),
        host: None,
        ledger: Arc::default(),
    })
}

pub fn heroku(world: &World) -> &Heroku {
    world.platforms.heroku().expect("live platforms speak to Heroku")
}

/// What no test here touches.
struct Nothing;

#[async_trait]
impl Redis for Nothing {
    async fn list_lengths(&self, _server: &RedisServer, _keys: &[Vec<u8>]) -> Result<Vec<u64>, RedisError> {
        Err(RedisError { kind: RedisErrorKind::Wrong, message: "no redis here".into() })
    }
}

impl Audience for Nothing {
    fn tell(&self, _pipeline: &Arc<PipelineSpec>, _events: Vec<Event>) {}
    fn announce(&self, _pipelines: &[Arc<PipelineSpec>], _event: Event) {}
}
