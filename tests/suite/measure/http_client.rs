//! The live HTTP client against servers that misbehave.

use std::io::Write;
use std::sync::atomic::Ordering;
use std::time::Duration;

use autoscaler::net::{BODY_LIMIT, Client, install_tls};
use autoscaler::secret::Secret;
use autoscaler::world::{Http, HttpError, HttpErrorKind as Kind, Reply, Request};

use super::processes::{certificate, https};
use super::web::{After, Web, dribble, nobody, reply};

fn client() -> Client {
    install_tls();
    Client::new().unwrap()
}

async fn fetch(url: &str) -> Result<Reply, HttpError> {
    client().send(Request::get(url, Duration::from_secs(5))).await
}

async fn fetch_within(url: &str, timeout: Duration) -> Result<Reply, HttpError> {
    client().send(Request::get(url, timeout)).await
}

fn error(reply: Result<Reply, HttpError>) -> (Kind, String) {
    let error = reply.expect_err("an error");
    (error.kind, error.message)
}

const SOON: Duration = Duration::from_millis(300);
const PAUSE: Duration = Duration::from_millis(5);

#[tokio::test]
async fn a_reply_is_read_whole() {
    let web = Web::start(|_, stream| reply(stream, 418, "X-Tea: Yes\r\n", b"short and stout"));
    let reply = fetch(&web.url("/pot")).await.unwrap();
    assert_eq!((reply.status, &*reply.body, reply.header("x-tea")), (418, &b"short and stout"[..], Some("Yes")));
    let head = web.heads().remove(0);
    assert!(head.starts_with("GET /pot HTTP/1.1\r\n") && head.contains("user-agent: autoscaler/"), "{head}");
}

#[tokio::test]
async fn nobody_listens() {
    let address = nobody();
    let refused = (Kind::Refused, format!("connection refused by {address}"));
    assert_eq!(error(fetch(&format!("http://{address}/")).await), refused);
}

#[tokio::test]
async fn a_name_that_nobody_has() {
    let (kind, message) = error(fetch("http://nope.invalid/x").await);
    assert_eq!((kind, &*message), (Kind::Dns, "the name `nope.invalid` does not resolve"));
}

#[tokio::test]
async fn a_connection_that_is_reset() {
    // A socket that is closed with unread bytes in it is reset.
    let web = Web::accept(|stream, _| {
        let _ = stream.peek(&mut [0; 1]);
    });
    assert_eq!(error(fetch(&web.url("/")).await), (Kind::Broken, format!("connection reset by {}", web.host())));
}

#[tokio::test]
async fn a_connection_closed_without_an_answer() {
    let web = Web::start(|_, _| After::Close);
    let message = format!("{} closed the connection before its reply was complete", web.host());
    assert_eq!(error(fetch(&web.url("/")).await), (Kind::Broken, message));
}

#[tokio::test]
async fn half_a_body() {
    let web = Web::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        After::Close
    });
    let message = format!("{} closed the connection before its reply was complete", web.host());
    assert_eq!(error(fetch(&web.url("/")).await), (Kind::Broken, message));
}

#[tokio::test]
async fn something_that_is_not_http() {
    let web = Web::start(|_, stream| {
        let _ = stream.write_all(b"220 mail.test ESMTP\r\n");
        After::Close
    });
    let (kind, message) = error(fetch(&web.url("/")).await);
    assert_eq!(kind, Kind::Broken);
    assert_eq!(message, format!("{} does not answer in HTTP: invalid HTTP version parsed", web.host()));
}

#[tokio::test]
async fn a_head_that_comes_byte_by_byte() {
    let web = Web::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX: ");
        dribble(stream, b"x", PAUSE)
    });
    let late = (Kind::Timeout, "no answer within 0.3 s".to_owned());
    assert_eq!(error(fetch_within(&web.url("/"), SOON).await), late);
}

#[tokio::test]
async fn a_body_that_comes_byte_by_byte() {
    let web = Web::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        dribble(stream, b"1\r\nx\r\n", PAUSE)
    });
    let late = (Kind::Timeout, "the reply was not complete within 0.3 s".to_owned());
    assert_eq!(error(fetch_within(&web.url("/"), SOON).await), late);
}

#[tokio::test]
async fn a_body_without_end() {
    let web = Web::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
        dribble(stream, chunk.as_bytes(), Duration::ZERO)
    });
    let large = (Kind::TooLarge, format!("the reply of {} is larger than 1 MiB", web.host()));
    assert_eq!(error(fetch(&web.url("/")).await), large);
}

#[tokio::test]
async fn a_body_may_be_one_mebibyte_and_no_more() {
    let web = Web::start(|target, stream| {
        let size = if target == "/fits" { BODY_LIMIT } else { BODY_LIMIT + 1 };
        reply(stream, 200, "", &vec![b'x'; size])
    });
    assert_eq!(fetch(&web.url("/fits")).await.unwrap().body.len(), BODY_LIMIT);
    assert_eq!(error(fetch(&web.url("/not")).await).0, Kind::TooLarge);
}

#[tokio::test]
async fn a_small_reply_that_unfolds_into_a_large_one() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("zeros");
    std::fs::write(&file, vec![0; 8 * BODY_LIMIT]).unwrap();
    let zipped = std::process::Command::new("gzip").arg("-c").arg(&file).output().unwrap().stdout;
    assert!((1..BODY_LIMIT / 8).contains(&zipped.len()));
    let web = Web::start(move |_, stream| reply(stream, 200, "Content-Encoding: gzip\r\n", &zipped));
    let large = (Kind::TooLarge, format!("the reply of {} is larger than 1 MiB", web.host()));
    assert_eq!(error(fetch(&web.url("/")).await), large);
}

#[tokio::test]
async fn a_reply_that_is_not_zipped_as_it_says() {
    let web = Web::start(|_, stream| reply(stream, 200, "Content-Encoding: gzip\r\n", b"plain"));
    let (kind, message) = error(fetch(&web.url("/")).await);
    assert_eq!((kind, message), (Kind::Broken, format!("the reply of {} is not encoded as it says", web.host())));
}

#[tokio::test]
async fn a_redirect_to_a_login_page_is_named_and_gets_no_secret() {
    let login = Web::saying(200, "log in");
    let there = login.url("/login?next=/m");
    let web = Web::start(move |_, stream| reply(stream, 302, &format!("Location: {there}\r\n"), b""));
    let mut request = Request::get(web.url("/m"), Duration::from_secs(5));
    request.headers.push(("x-mine".into(), "mine".into()));
    request.secret_headers.push(("authorization".into(), Secret::new("Bearer never-elsewhere")));
    let (kind, message) = error(client().send(request).await);
    let (from, to) = (web.url("/m"), login.url("/login"));
    let text = format!(
        "`{from}` redirects to `{to}`, which is another host or path; if that is what is meant, write it in its place"
    );
    assert_eq!((kind, message), (Kind::Redirect, text));
    assert!(web.heads()[0].contains("never-elsewhere") && web.heads()[0].contains("x-mine"));
    let elsewhere = login.heads().remove(0);
    assert!(!elsewhere.contains("never-elsewhere") && !elsewhere.contains("x-mine"), "{elsewhere}");
}

#[tokio::test]
async fn a_redirect_that_only_adds_a_slash_is_another_path() {
    let web = Web::start(|target, stream| match target {
        "/m" => reply(stream, 301, "Location: /m/\r\n", b""),
        _ => reply(stream, 200, "", b"1"),
    });
    let (kind, message) = error(fetch(&web.url("/m")).await);
    assert_eq!(kind, Kind::Redirect);
    assert!(message.contains(&format!("redirects to `{}`", web.url("/m/"))), "{message}");
}

#[tokio::test]
async fn a_redirect_to_the_same_path_is_followed() {
    let web = Web::start(|target, stream| match target {
        "/m" => reply(stream, 302, "Location: /m?warm=1\r\n", b""),
        _ => reply(stream, 200, "", b"1"),
    });
    assert_eq!(fetch(&web.url("/m")).await.unwrap().status, 200);
}

#[tokio::test]
async fn redirects_in_a_circle_and_without_end() {
    let web = Web::start(|target, stream| match target {
        "/a" => reply(stream, 302, "Location: /b\r\n", b""),
        "/b" => reply(stream, 302, "Location: /a\r\n", b""),
        more => reply(stream, 302, &format!("Location: {more}x\r\n"), b""),
    });
    let (a, b) = (web.url("/a"), web.url("/b"));
    assert_eq!(error(fetch(&b).await), (Kind::Redirect, format!("`{b}` redirects in a circle, back to `{b}`")));
    assert_eq!(error(fetch(&a).await), (Kind::Redirect, format!("`{a}` redirects in a circle, back to `{a}`")));
    let (more, last) = (web.url("/x"), web.url(&format!("/{}", "x".repeat(12))));
    let endless = format!("`{more}` redirects more than 10 times, lastly to `{last}`");
    assert_eq!(error(fetch(&more).await), (Kind::Redirect, endless));
}

#[tokio::test]
async fn a_change_is_never_sent_twice_by_a_redirect() {
    let web = Web::start(|_, stream| reply(stream, 307, "Location: /other\r\n", b""));
    let request = Request { method: "PATCH".into(), ..Request::get(web.url("/m"), Duration::from_secs(5)) };
    assert_eq!(error(client().send(request).await).0, Kind::Redirect);
    assert_eq!(web.heads().len(), 1);
}

#[tokio::test]
async fn link_local_addresses_are_refused() {
    let text =
        |name: &str| format!("`{name}` is a link-local address, which is refused; name the app by its public host");
    for (url, name) in [
        ("http://169.254.169.254/latest/meta-data/", "169.254.169.254"),
        ("http://2852039166/", "169.254.169.254"),
        ("http://[fe80::1]/", "[fe80::1]"),
    ] {
        assert_eq!(error(fetch(url).await), (Kind::Invalid, text(name)), "{url}");
    }
    let web = Web::start(|_, stream| reply(stream, 302, "Location: http://169.254.169.254/x\r\n", b""));
    assert_eq!(error(fetch(&web.url("/x")).await).0, Kind::Redirect);
}

#[tokio::test]
async fn what_is_no_url_and_what_is_no_header() {
    let invalid = |why: &str| (Kind::Invalid, format!("the URL of the request is no web address: {why}"));
    assert_eq!(error(fetch("measurement").await), invalid("relative URL without a base"));
    assert_eq!(error(fetch("ftp://a.test/").await), invalid("it begins with `ftp:`, not with `http:` or `https:`"));
    let mut request = Request::get("http://a.test/", SOON);
    request.headers.push(("x-split".into(), "a\r\nb: c".into()));
    let message = "the value of the header `x-split` of the request to a.test:80 cannot be sent";
    assert_eq!(error(client().send(request).await), (Kind::Invalid, message.into()));
}

#[tokio::test]
async fn tls_that_is_none_and_a_certificate_that_nobody_knows() {
    let web = Web::accept(|mut stream, _| {
        reply(&mut stream, 400, "", b"this is not TLS");
        let _ = std::io::Read::read_to_end(&mut stream, &mut Vec::new());
    });
    let (kind, message) = error(fetch(&web.url("/").replace("http:", "https:")).await);
    assert_eq!(kind, Kind::Tls, "{message}");
    assert!(message.starts_with(&format!("no TLS connection to {}: ", web.host())), "{message}");
    let dir = tempfile::tempdir().unwrap();
    certificate(dir.path());
    let server = https(dir.path());
    let host = format!("localhost:{}", server.port);
    let (kind, message) = error(fetch(&format!("https://{host}/")).await);
    let text = format!("the certificate of {host} is not accepted: invalid peer certificate: UnknownIssuer");
    assert_eq!((kind, message), (Kind::Tls, text));
}

#[tokio::test]
async fn a_connection_is_kept_and_a_stale_one_replaced() {
    let web = Web::saying(200, "");
    let client = client();
    for _ in 0..3 {
        client.send(Request::get(web.url("/"), Duration::from_secs(5))).await.unwrap();
    }
    assert_eq!(web.connections.load(Ordering::SeqCst), 1);
    // Closes each connection when it is used a second time, without an answer.
    let forgetful = Web::accept(|mut stream, _| {
        let _ = stream.peek(&mut [0; 1]);
        let mut buffer = [0; 4096];
        let _ = std::io::Read::read(&mut stream, &mut buffer);
        let _ = reply(&mut stream, 200, "", b"");
        let _ = stream.peek(&mut [0; 1]);
    });
    for _ in 0..3 {
        client.send(Request::get(forgetful.url("/"), Duration::from_secs(5))).await.unwrap();
    }
    assert_eq!(forgetful.connections.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn the_clock_runs_to_the_last_byte() {
    const WAIT: Duration = Duration::from_millis(120);
    let web = Web::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na");
        // Nobody unparks this thread, and a wake-up for no reason only shortens the wait by a loop.
        let until = std::time::Instant::now() + WAIT;
        while let Some(left) = until.checked_duration_since(std::time::Instant::now()) {
            std::thread::park_timeout(left);
        }
        let _ = stream.write_all(b"b");
        After::Keep
    });
    let took = fetch(&web.url("/")).await.unwrap().took;
    assert!(took >= WAIT && took < 20 * WAIT, "{took:?}");
}
