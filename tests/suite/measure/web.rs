//! A web server on a raw socket, for replies that no web server gives.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What becomes of the connection after an answer.
#[derive(PartialEq)]
pub enum After {
    Keep,
    Close,
}

/// A server on a port of its own, until it is dropped.
pub struct Web {
    address: SocketAddr,
    /// The head of every request, in order.
    pub requests: Arc<Mutex<Vec<String>>>,
    /// Connections accepted so far.
    pub connections: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
}

impl Web {
    /// Answers each request by `answer`, which is given the request's target ("/path?query").
    pub fn start(answer: impl Fn(&str, &mut TcpStream) -> After + Send + Sync + 'static) -> Self {
        Self::accept(move |mut stream, requests| {
            while let Some(head) = read_head(&mut stream) {
                let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
                requests.lock().unwrap().push(head);
                if answer(&target, &mut stream) == After::Close {
                    break;
                }
            }
        })
    }

    /// Hands each connection to `serve`, unread.
    pub fn accept(serve: impl Fn(TcpStream, &Mutex<Vec<String>>) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let stopped = Arc::new(AtomicBool::new(false));
        let (seen, count, stop) = (Arc::clone(&requests), Arc::clone(&connections), Arc::clone(&stopped));
        let serve = Arc::new(serve);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                count.fetch_add(1, Ordering::SeqCst);
                let (serve, seen) = (Arc::clone(&serve), Arc::clone(&seen));
                std::thread::spawn(move || serve(stream, &seen));
            }
        });
        Self { address, requests, connections, stopped }
    }

    /// Answers every request with `status` and `body`.
    pub fn saying(status: u16, body: &'static str) -> Self {
        Self::start(move |_, stream| reply(stream, status, "", body.as_bytes()))
    }

    pub fn host(&self) -> String {
        self.address.to_string()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The heads of the requests so far.
    pub fn heads(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

/// Writes one whole reply; `headers` are lines that end with "\r\n".
pub fn reply(stream: &mut TcpStream, status: u16, headers: &str, body: &[u8]) -> After {
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    After::Keep
}

/// Writes `bytes` again and again, `pause` apart, until the other side has gone.
pub fn dribble(stream: &mut TcpStream, bytes: &[u8], pause: Duration) -> After {
    while stream.write_all(bytes).is_ok() {
        std::thread::park_timeout(pause);
    }
    After::Close
}

fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}

/// An address that nobody listens on.
pub fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
