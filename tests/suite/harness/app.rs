//! Owns a web app on loopback whose manners can be changed at any time. It is no HTTP library: it sends
//! exactly the bytes that a test wants to be sent.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How the app answers.
#[derive(Clone, Debug)]
pub enum Manner {
    /// With a status, further headers and a body, after a time.
    Answer { after: Duration, status: u16, headers: Vec<(&'static str, String)>, body: String },
    /// The connection is closed without an answer.
    Close,
    /// Nothing is ever sent.
    Hang,
    /// One byte of a header every 20 ms, without an end.
    Drip,
    /// A body without an end.
    Endless,
}

impl Manner {
    /// A 200 with `body` at once.
    pub fn ok(body: &str) -> Self {
        Self::status(200, body)
    }

    /// A status with `body` at once.
    pub fn status(status: u16, body: &str) -> Self {
        Self::Answer { after: Duration::ZERO, status, headers: Vec::new(), body: body.into() }
    }

    /// A 200 after so long.
    pub fn slow(after: Duration) -> Self {
        Self::Answer { after, status: 200, headers: Vec::new(), body: "ok".into() }
    }

    /// A redirect.
    pub fn redirect(to: &str) -> Self {
        let headers = vec![("Location", to.to_owned())];
        Self::Answer { after: Duration::ZERO, status: 302, headers, body: String::new() }
    }
}

/// The app. It ends when it is dropped.
pub struct AppServer {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    manner: Mutex<Manner>,
    hits: AtomicUsize,
    /// Requests that are being answered, and the most there ever were.
    at_once: Mutex<(usize, usize)>,
    over: AtomicBool,
}

impl AppServer {
    /// Answers 200 at once.
    pub fn start() -> Self {
        Self::start_on(0)
    }

    /// On a port that an earlier one had, as an app that comes back.
    pub fn start_on(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (manner, hits, over) = (Mutex::new(Manner::ok("ok")), AtomicUsize::new(0), AtomicBool::new(false));
        let shared = Arc::new(Shared { manner, hits, at_once: Mutex::default(), over });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.over.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), serving) = (stream, Arc::clone(&serving)) else { continue };
                std::thread::spawn(move || serve(&stream, &serving));
            }
        });
        Self { port, shared }
    }

    /// "http://127.0.0.1:1234".
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Answers like this from now on.
    pub fn set(&self, manner: Manner) {
        *self.shared.manner.lock().unwrap() = manner;
    }

    /// The most requests that were ever answered at once.
    pub fn most_at_once(&self) -> usize {
        self.shared.at_once.lock().unwrap().1
    }

    /// Requests that came.
    pub fn hits(&self) -> usize {
        self.shared.hits.load(Ordering::SeqCst)
    }
}

impl Drop for AppServer {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn serve(stream: &TcpStream, shared: &Shared) {
    let mut lines = BufReader::new(stream);
    // One connection may bring many requests.
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            match lines.read_line(&mut head) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
        shared.hits.fetch_add(1, Ordering::SeqCst);
        let manner = shared.manner.lock().unwrap().clone();
        {
            let mut at_once = shared.at_once.lock().unwrap();
            at_once.0 += 1;
            at_once.1 = at_once.1.max(at_once.0);
        }
        let answered = answer(stream, &manner, &shared.over);
        shared.at_once.lock().unwrap().0 -= 1;
        if answered.is_none() || shared.over.load(Ordering::SeqCst) {
            return;
        }
    }
}

fn answer(mut stream: &TcpStream, manner: &Manner, over: &AtomicBool) -> Option<()> {
    match manner {
        Manner::Answer { after, status, headers, body } => {
            pass(*after, over)?;
            let more: String = headers.iter().flat_map(|(name, value)| [name, ": ", value, "\r\n"]).collect();
            let length = body.len();
            let text = format!("HTTP/1.1 {status} Status\r\nContent-Length: {length}\r\n{more}\r\n{body}");
            stream.write_all(text.as_bytes()).ok()
        }
        Manner::Close => None,
        Manner::Hang => {
            pass(Duration::from_secs(120), over)?;
            None
        }
        Manner::Drip => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nX-Slow: ").ok()?;
            loop {
                pass(Duration::from_millis(20), over)?;
                stream.write_all(b"z").ok()?;
            }
        }
        Manner::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
            loop {
                stream.write_all(&[b'x'; 16_384]).ok()?;
            }
        }
    }
}

/// Lets time pass; `None` when the server is over before.
fn pass(time: Duration, over: &AtomicBool) -> Option<()> {
    let end = Instant::now() + time;
    while Instant::now() < end {
        if over.load(Ordering::SeqCst) {
            return None;
        }
        std::thread::park_timeout((end - Instant::now().min(end)).min(Duration::from_millis(50)));
    }
    Some(())
}
