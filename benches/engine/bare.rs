//! Owns what the engine is held against: a bare loop of the same HTTP client on the same runtime, which
//! makes the same requests on time and reads their replies. It decides, keeps and records nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use autoscaler::heroku::Formation;
use autoscaler::net::Client;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::server::Server;
use crate::worker::Apps;

/// As long as the engine waits by default.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Running loops, ended when this is dropped.
pub struct Bare {
    ticks: Arc<AtomicU64>,
    _loops: JoinSet<()>,
}

impl Bare {
    /// Starts `count` loops. One tick in `read_every` reads the formation too.
    pub fn start(server: &Server, count: usize, interval: Duration, apps: Apps, read_every: f64) -> Self {
        let client = Client::builder().build().expect("there is a network");
        let (ticks, mut loops) = (Arc::<AtomicU64>::default(), JoinSet::new());
        let start = Instant::now();
        for index in 0..count {
            let (client, ticks) = (client.clone(), Arc::clone(&ticks));
            let page = format!("{}/m", server.url);
            let app = if apps == Apps::One { "many".to_owned() } else { format!("app{index}") };
            let formation = format!("{}/apps/{app}/formation", server.url);
            let mut due = start + interval.mul_f64(index as f64 / count as f64);
            // Spread like the engine's reads: not all loops read in one round.
            let mut since_read = read_every * index as f64 / count as f64;
            loops.spawn(async move {
                loop {
                    tokio::time::sleep_until(due).await;
                    let started = Instant::now();
                    let reply = client.get(&page).timeout(TIMEOUT).send().await.expect("the server answers");
                    let status = reply.status();
                    let body = reply.bytes().await.expect("the reply is whole");
                    std::hint::black_box((status, body, started.elapsed()));
                    since_read += 1.0;
                    if since_read >= read_every {
                        since_read -= read_every;
                        read(&client, &formation).await;
                    }
                    ticks.fetch_add(1, Ordering::Relaxed);
                    due = Instant::max(due + interval, Instant::now());
                }
            });
        }
        Self { ticks, _loops: loops }
    }

    /// How often all loops went round so far.
    pub fn ticks(&self) -> u64 {
        self.ticks.load(Ordering::Relaxed)
    }
}

async fn read(client: &reqwest::Client, formation: &str) {
    let request = client.get(formation).timeout(TIMEOUT);
    let request = request.header("Accept", "application/vnd.heroku+json; version=3");
    let reply = request.header("Authorization", "Bearer bench-key-0123456789").send().await;
    let types: Vec<Formation> = reply.expect("the server answers").json().await.expect("the list can be read");
    assert!(!types.is_empty(), "every app has a process type");
    std::hint::black_box(types);
}
