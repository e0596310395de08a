//! Log drains that come in: what is taken and what is refused, over HTTP, and a drain of the fake API to a worker.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use autoscaler::heroku::Drains;
use autoscaler::heroku::traffic::Traffic;
use autoscaler::secret::Secret;
use autoscaler::serve::{Door, Server, routes};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::support::Served;
use crate::harness::{APP, Autoscaler, FakeHeroku, KEY, SOON, Script, Signal, eventually};

const TOKEN: &str = "d.fc6b856b-3332-4546-93de-7d0ee272c3bd";
const MINUTE: Duration = Duration::from_secs(60);
const ROUTER: &str = "<158>1 2012-10-11T03:47:20+00:00 host heroku router - at=info method=GET path=\"/\" host=myapp.herokuapp.com \
                      fwd=\"204.204.204.204\" dyno=web.1 connect=1ms service=18ms status=200 bytes=13\n";

fn framed(message: &str) -> String {
    format!("{} {message}", message.len())
}

/// A worker's door, with one drain known.
struct Receiver {
    address: std::net::SocketAddr,
    drains: Arc<Drains>,
    door: Door,
    traffic: Arc<Traffic>,
    stop: CancellationToken,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Receiver {
    async fn start() -> Self {
        let (drains, door, stop) = (Arc::new(Drains::default()), Door::default(), CancellationToken::new());
        let server = Server::bind("127.0.0.1:0").await.unwrap();
        let address = server.address();
        door.open(&drains);
        let traffic = drains.traffic(&Secret::new(TOKEN), Instant::now());
        traffic.look(MINUTE, Instant::now());
        tokio::spawn(server.run(routes(door.clone()), stop.clone()));
        Self { address, drains, door, traffic, stop }
    }

    /// Requests, and lines that are known to be lost.
    fn seen(&self) -> (u64, u64) {
        let sum = self.traffic.look(MINUTE, Instant::now());
        (sum.requests, sum.lost)
    }

    /// Sends `head` and `body` as they are; gives status and text of the answer.
    async fn raw(&self, head: &str, body: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        // It may be refused before it is sent.
        let _ = stream.write_all(body).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        let status = answer.get(9..12).map_or(0, |status| status.parse().unwrap());
        (status, answer.split_once("\r\n\r\n").map_or_else(String::new, |(_, text)| text.trim_end().to_owned()))
    }

    async fn post(&self, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
        let mut lines: Vec<(&str, String)> = vec![
            ("Host", "worker.test".into()),
            ("Content-Type", "application/logplex-1".into()),
            ("Content-Length", body.len().to_string()),
            ("Logplex-Msg-Count", "1".into()),
            ("Logplex-Frame-Id", "09C557EAFCFB6CF2740EE62F62971098".into()),
            ("Logplex-Drain-Token", TOKEN.into()),
            ("Connection", "close".into()),
        ];
        for (name, value) in headers {
            lines.retain(|(known, _)| known != name);
            if !value.is_empty() {
                lines.push((name, (*value).to_owned()));
            }
        }
        let lines = lines.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect::<Vec<_>>().concat();
        self.raw(&format!("POST /logs HTTP/1.1\r\n{lines}\r\n"), body).await
    }
}

#[tokio::test]
async fn a_delivery_is_taken_once() {
    let receiver = Receiver::start().await;
    let body =
        [framed("<40>1 2012-11-30T06:45:29+00:00 host app web.3 - up\n"), framed(ROUTER), framed(ROUTER)].concat();
    let two = [("Logplex-Msg-Count", "3")];
    assert_eq!(receiver.post(&two, body.as_bytes()).await, (200, "3 lines".into()));
    assert_eq!(receiver.seen(), (2, 0));
    let (status, said) = receiver.post(&two, body.as_bytes()).await;
    assert_eq!((status, said.as_str()), (200, "this frame was taken before, and is ignored"));
    assert_eq!(receiver.seen(), (2, 0));
    let other = [two[0], ("Logplex-Frame-Id", "another")];
    assert_eq!(receiver.post(&other, body.as_bytes()).await.0, 200);
    let sum = receiver.traffic.look(MINUTE, Instant::now());
    assert_eq!((sum.requests, sum.lines, sum.service.unwrap().max()), (4, 6, 18));
}

#[tokio::test]
async fn what_is_no_delivery_is_refused_with_its_reason_and_harms_nothing() {
    let receiver = Receiver::start().await;
    let good = framed(ROUTER);
    let half = &good[..good.len() - 9];
    let type_of = |kind| [("Content-Type", kind)];
    for (headers, body, status, reason) in [
        (&[("Logplex-Drain-Token", "")][..], good.as_str(), 401, "the header Logplex-Drain-Token is missing"),
        (&type_of("text/plain"), &good, 415, "the Content-Type must be application/logplex-1"),
        (&type_of(""), &good, 415, "the Content-Type must be application/logplex-1"),
        (&[("Content-Encoding", "gzip")], &good, 415, "the body must not be encoded; leave Content-Encoding out"),
        (&[("Logplex-Msg-Count", "")], &good, 400, "the header Logplex-Msg-Count is missing or no number"),
        (&[("Logplex-Msg-Count", "-1")], &good, 400, "the header Logplex-Msg-Count is missing or no number"),
        (
            &[("Logplex-Frame-Id", "")],
            &good,
            400,
            "the header Logplex-Frame-Id is missing, empty or longer than 128 characters",
        ),
    ] {
        assert_eq!(receiver.post(headers, body.as_bytes()).await, (status, reason.to_owned()));
    }
    assert_eq!(receiver.seen(), (0, 0));
    // What Logplex drops after a refusal is known to be lost.
    for (headers, body, status, reason) in [
        (
            &[("Logplex-Msg-Count", "2")][..],
            good.as_str(),
            400,
            "Logplex-Msg-Count says 2 messages, and the body has 1".to_owned(),
        ),
        (&[("Logplex-Msg-Count", "0")], &good, 400, "Logplex-Msg-Count says 0 messages, and the body has 1".into()),
        (
            &[],
            half,
            400,
            format!("the frame at byte 0 of the body says {} octets, and {} are left", ROUTER.len(), ROUTER.len() - 9),
        ),
        (&[], "<html>", 400, "at byte 0 of the body must stand a number of octets and a space".into()),
        (&[("Content-Length", "4194305")], &good, 413, "the body is larger than 4 MiB".into()),
    ] {
        assert_eq!(receiver.post(headers, body.as_bytes()).await, (status, reason));
    }
    assert_eq!(receiver.seen(), (0, 5));
    // Something compressed that calls itself plain is garbage, and stays as small as it is.
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(&vec![b'0'; 8 << 20]).unwrap();
    let bomb = bomb.finish().unwrap();
    assert_eq!(receiver.post(&[], &bomb).await.0, 400);
    assert_eq!(receiver.post(&[], good.as_bytes()).await, (200, "1 lines".into()));
}

#[tokio::test]
async fn a_body_without_a_length_is_cut_at_the_limit_and_one_that_breaks_off_is_nothing() {
    let receiver = Receiver::start().await;
    let chunked = [("Content-Length", ""), ("Transfer-Encoding", "chunked")];
    let chunk = format!("100000\r\n{}\r\n", "x".repeat(0x10_0000));
    let (status, _) = receiver.post(&chunked, chunk.repeat(6).as_bytes()).await;
    // The answer comes in the middle of the body, and may be lost with the connection.
    assert!([413, 0].contains(&status), "{status}");
    assert_eq!(receiver.seen(), (0, 1));
    receiver.post(&[("Content-Length", "999999")], framed(ROUTER).as_bytes()).await;
    assert_eq!(receiver.seen(), (0, 1));
    assert_eq!(receiver.post(&[], framed(ROUTER).as_bytes()).await.0, 200);
}

#[tokio::test]
async fn a_forged_token_is_refused_and_one_of_a_worker_that_just_began_is_to_come_again() {
    let receiver = Receiver::start().await;
    let forged = [("Logplex-Drain-Token", "d.00000000-0000-0000-0000-000000000000")];
    let (status, said) = receiver.post(&forged, framed(ROUTER).as_bytes()).await;
    assert_eq!(
        (status, said.split(';').next()),
        (503, Some("the worker has just started, and does not know its drains yet"))
    );
    let head = autoscaler::heroku::drain::Head { token: Some(forged[0].1), ..Default::default() };
    let later = Instant::now() + MINUTE;
    let refused = receiver.drains.admit(&head, later).unwrap_err();
    assert_eq!(refused.status(), 403);
    assert!(refused.to_string().contains("no pipeline reads a drain with this token"), "{refused}");
    receiver.door.close();
    let (status, said) = receiver.post(&[], framed(ROUTER).as_bytes()).await;
    assert_eq!((status, said.as_str()), (503, "this worker stands by; send again"));
    assert_eq!(receiver.raw("GET /health HTTP/1.0\r\n\r\n", b"").await, (200, "ok".into()));
    assert_eq!(receiver.raw("GET /logs HTTP/1.0\r\n\r\n", b"").await.0, 405);
    assert_eq!(receiver.raw("GET /other HTTP/1.0\r\n\r\n", b"").await, (404, "there is nothing here".into()));
    assert_eq!(receiver.raw("what is this?\r\n\r\n", b"").await.0, 400);
    assert_eq!(receiver.raw(&format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(200_000)), b"").await.0, 431);
}

#[tokio::test]
async fn a_flood_is_told_to_come_again_and_what_is_slow_is_let_go() {
    let receiver = Receiver::start().await;
    // Eight that have begun and do not go on.
    let mut slow = Vec::new();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(receiver.address).await.unwrap();
        let head = format!(
            "POST /logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/logplex-1\r\nContent-Length: 99\r\nLogplex-Msg-Count: 1\r\n\
             Logplex-Frame-Id: a\r\nLogplex-Drain-Token: {TOKEN}\r\nExpect: 100-continue\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // It is asked for its body: now it is in hand.
        let mut asked = [0; 12];
        stream.read_exact(&mut asked).await.unwrap();
        assert_eq!(&asked, b"HTTP/1.1 100");
        slow.push(stream);
    }
    let (status, said) = receiver.post(&[], framed(ROUTER).as_bytes()).await;
    assert_eq!((status, said.as_str()), (503, "too many deliveries at once; send again"));
    // Whoever goes makes room.
    drop(slow);
    let deadline = Instant::now() + SOON;
    while receiver.post(&[], framed(ROUTER).as_bytes()).await.0 != 200 {
        assert!(Instant::now() < deadline, "the slow ones are still in hand");
    }
    assert_eq!(receiver.seen(), (1, 0));
}

#[tokio::test]
async fn the_drain_of_an_app_brings_its_lines_and_tells_what_was_lost() {
    let (served, receiver) = (Served::start().await, Receiver::start().await);
    let url = format!("http://user:word@{}/logs", receiver.address);
    let token = served.fake.add_drain(APP, &url).unwrap();
    let traffic = receiver.drains.traffic(&Secret::new(token), Instant::now());
    traffic.look(MINUTE, Instant::now());
    // More than the drain's buffer holds.
    for _ in 0..1500 {
        served.fake.log_request(APP, "id", "/", 20, 200);
    }
    let deadline = Instant::now() + SOON;
    let sum = loop {
        served.fake.log_error(APP, "H12", "Request timeout", 30_000);
        let sum = traffic.look(MINUTE, Instant::now());
        if sum.lost > 0 && !sum.codes.is_empty() {
            break sum;
        }
        assert!(Instant::now() < deadline, "{sum:?}");
        tokio::task::yield_now().await;
    };
    assert!(sum.lost >= 400 && sum.requests >= 500, "{sum:?}");
    assert_eq!(sum.service.unwrap().min(), 20);
    assert_eq!(sum.codes[0].0.to_string(), "H12");
}

/// A port on which nobody listens now.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_worker_scales_on_what_its_drain_tells() {
    let (heroku, port) = (FakeHeroku::start(), free_port());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let token =
        runtime.block_on(async { heroku.fake.add_drain(APP, &format!("http://127.0.0.1:{port}/logs")).unwrap() });
    let script = Script::new(&format!(
        r#"pipeline("web", #{{
    measure: measure::heroku_router_log(#{{
        drain_token: env::secret("DRAIN_TOKEN"), window_seconds: 5, measurement_interval_in_seconds: 0.1,
    }}),
    decide: decide::consecutive_threshold(#{{
        min_measurement_value: 100, max_measurement_value: 500, max_dynos: 2, post_scale_wait_time_seconds: 0.1,
    }}),
    scale: {},
    notify: notify::console(),
}});"#,
        heroku.scale()
    ));
    let mut worker = Autoscaler::on("run", &script.path())
        .arg("--listen")
        .arg(&format!("127.0.0.1:{port}"))
        .env("HEROKU_API_KEY", KEY)
        .env("DRAIN_TOKEN", &token)
        .spawn();
    worker.line(&format!("listens on http://127.0.0.1:{port}"));
    // Until then the drain is silent: nothing is known, and nothing is scaled.
    worker.line("nothing came from the log drain in the last 5 s");
    for _ in 0..100 {
        heroku.fake.log_request(APP, "id", "/", 900, 200);
    }
    worker.line("scaled from 1 to 2 dynos: the last 3 of 3 above 500 ms: 900, 900, 900");
    let mark = worker.mark();
    let scaled_in = || {
        heroku.fake.log_request(APP, "id", "/", 20, 200);
        worker.count(mark, "scaled from 2 to 1 dyno:") > 0
    };
    assert!(eventually(SOON, scaled_in), "{}", worker.text());
    assert_eq!(heroku.web(), 1);
    worker.stop(Signal::Terminate);
}
