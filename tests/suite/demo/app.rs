//! The demo's app over real HTTP: what a request takes is what the queue makes of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use autoscaler::demo::app::{App, MEASUREMENT_PATH};
use autoscaler::demo::load::Load;
use autoscaler::demo::queue::Shape;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// The demo's app under the load of a day's start: some six requests a second.
struct Server {
    address: std::net::SocketAddr,
    dynos: Arc<AtomicU32>,
    stop: CancellationToken,
    gauge: tokio::sync::watch::Receiver<autoscaler::demo::queue::Gauge>,
}

impl Server {
    async fn start(shape: Shape, dynos: u32) -> Self {
        let dynos = Arc::new(AtomicU32::new(dynos));
        let running = Arc::clone(&dynos);
        // A day so long that the load stays at its start.
        let load = Load::new(Duration::from_secs(86_400), 1);
        let app = App::new(shape, load, 1, Arc::new(move || running.load(Ordering::Relaxed)));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let (address, stop) = (listener.local_addr().expect("bound"), CancellationToken::new());
        let gauge = app.gauge();
        tokio::spawn(app.serve(listener, stop.clone()));
        Self { address, dynos, stop, gauge }
    }

    /// Status, body and time (to the last byte) of one request to `path`.
    async fn request(&self, path: &str) -> (String, String, Duration) {
        let started = Instant::now();
        let mut stream = TcpStream::connect(self.address).await.expect("it listens");
        let request = format!("GET {path} HTTP/1.1\r\nhost: demo\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("it reads");
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.expect("it answers");
        let (head, body) = reply.split_once("\r\n\r\n").expect("head and body");
        let status = head.split(' ').nth(1).expect("a status").to_owned();
        (status, body.to_owned(), started.elapsed())
    }

    /// Measures until `good` or a deadline; says how it went last.
    async fn until(&self, good: impl Fn(&str, Duration) -> bool) -> (String, Duration) {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let (status, _, took) = self.request(MEASUREMENT_PATH).await;
            if good(&status, took) || Instant::now() > deadline {
                return (status, took);
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// One worker per dyno that takes 250 ms: a dyno serves 4 requests a second of the 6 that arrive.
const SLOW: Shape = Shape {
    workers_per_dyno: 1,
    service: Duration::from_millis(250),
    contention: 0.0,
    longest_wait: Duration::from_millis(1500),
    backlog: 100,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_dyno_is_too_slow_for_the_load_and_three_are_fast() {
    let server = Server::start(SLOW, 1).await;
    let (status, slow) = server.until(|_, took| took > Duration::from_secs(1)).await;
    assert!(slow > Duration::from_secs(1), "{status} after {slow:?}");
    server.dynos.store(3, Ordering::Relaxed);
    let fast = |status: &str, took| status == "200" && took < Duration::from_millis(450);
    let (status, took) = server.until(fast).await;
    assert!(fast(&status, took), "{status} after {took:?}");
    assert!(took >= Duration::from_millis(220), "a request takes its service time, not {took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_waits_too_long_gets_503_at_that_time() {
    let server = Server::start(Shape { longest_wait: Duration::from_millis(300), ..SLOW }, 0).await;
    let (status, _, took) = server.request(MEASUREMENT_PATH).await;
    assert_eq!(status, "503");
    assert!((Duration::from_millis(300)..Duration::from_millis(1400)).contains(&took), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_at_once_share_the_workers() {
    let shape = Shape { workers_per_dyno: 2, service: Duration::from_millis(300), ..SLOW };
    let server = Server::start(Shape { longest_wait: Duration::from_secs(9), ..shape }, 2).await;
    let one = || server.request(MEASUREMENT_PATH);
    let all = tokio::join!(one(), one(), one(), one(), one(), one(), one(), one());
    let all = [all.0, all.1, all.2, all.3, all.4, all.5, all.6, all.7];
    let slowest = all.iter().map(|(_, _, took)| *took).max().expect("eight");
    assert!(all.iter().all(|(status, _, _)| status == "200"));
    assert!(slowest > Duration::from_millis(520), "eight requests on four workers take two turns, not {slowest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_front_page_is_for_people_and_other_paths_are_not_there() {
    let server = Server::start(SLOW, 9).await;
    let (status, page, _) = server.request("/").await;
    assert!(status == "200" && page.contains("9 dynos") && page.contains("7:30"), "{status} {page}");
    assert_eq!(server.request("/nowhere").await.0, "404");
    let mut gauge = server.gauge.clone();
    let gauge = gauge.wait_for(|gauge| gauge.served > 3).await.expect("it runs");
    assert_eq!((gauge.dynos, gauge.workers), (9, 9));
    assert!((5.0..8.0).contains(&gauge.load), "{}", gauge.load);
}
