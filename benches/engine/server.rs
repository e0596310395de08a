//! Owns the other side: an app to measure and a formation to read, in a process of their own, which counts
//! what it is asked. Parent and child speak in lines over the child's standard streams.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use tokio::net::TcpListener;

/// Process types of the app `many`; every other app has one, `p0`.
const MANY: usize = 100;

/// What the app answers: as much as a small JSON page.
const PAGE: &str = r#"{"status":"ok","checks":{"database":"ok","cache":"ok","queue":"ok"},"version":"2026.11.24"}"#;

/// Under this name the reads of a formation are counted, whatever the app.
const READS: &str = "formation";

/// How often each path was asked for, and when first, in nanoseconds since 1970.
type Seen = Arc<Mutex<HashMap<String, (u64, u128)>>>;

/// The server process, ended when this is dropped.
pub struct Server {
    child: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// Where the app and the API are, without a path.
    pub url: String,
}

impl Server {
    /// Starts it.
    pub fn start() -> Self {
        let program = std::env::current_exe().expect("this program has a path");
        let mut child = Command::new(program)
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program can be started again");
        let asks = child.stdin.take().expect("it is piped");
        let answers = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut server = Self { child, asks, answers, url: String::new() };
        server.url = server.ask("url");
        server
    }

    fn ask(&mut self, question: &str) -> String {
        writeln!(self.asks, "{question}").expect("the server process is there");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("the server process answers in text");
        answer.trim_end().to_owned()
    }

    /// How often the formation was read so far.
    pub fn reads(&mut self) -> u64 {
        self.ask("reads").parse().expect("a count")
    }

    /// When `path` was first asked for, as the time since 1970.
    pub fn first(&mut self, path: &str) -> Option<Duration> {
        let nanoseconds: u64 = self.ask(&format!("first {path}")).parse().expect("nanoseconds");
        (nanoseconds > 0).then(|| Duration::from_nanos(nanoseconds))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The time since 1970.
pub fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970")
}

/// The server process: answers until its standard input ends.
pub fn serve() {
    let seen = Seen::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("this machine has sockets");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let address = listener.local_addr().expect("it is bound");
        let asked = Arc::clone(&seen);
        std::thread::spawn(move || {
            for question in std::io::stdin().lines().map_while(Result::ok) {
                println!("{}", told(&question, address, &asked.lock().expect("nobody panics")));
            }
            // The parent is gone.
            std::process::exit(0);
        });
        let routes = Router::new().route("/apps/{app}/formation", get(formation)).fallback(page).with_state(seen);
        axum::serve(listener, routes).await.expect("the listener holds");
    });
}

fn told(question: &str, address: SocketAddr, seen: &HashMap<String, (u64, u128)>) -> String {
    match question.split_once(' ') {
        Some(("first", path)) => seen.get(path).map_or(0, |(_, first)| *first).to_string(),
        _ if question == "reads" => seen.get(READS).map_or(0, |(count, _)| *count).to_string(),
        _ => format!("http://{address}"),
    }
}

fn note(seen: &Seen, path: &str) {
    let mut seen = seen.lock().expect("nobody panics");
    match seen.get_mut(path) {
        Some((count, _)) => *count += 1,
        None => drop(seen.insert(path.to_owned(), (1, since_1970().as_nanos()))),
    }
}

async fn page(State(seen): State<Seen>, uri: Uri) -> &'static str {
    note(&seen, uri.path());
    PAGE
}

/// A formation as Heroku lists it.
async fn formation(State(seen): State<Seen>, Path(app): Path<String>) -> impl IntoResponse {
    note(&seen, READS);
    let count = if app == "many" { MANY } else { 1 };
    let types = (0..count).map(|index| {
        json!({
            "app": { "id": "01234567-89ab-cdef-0123-456789abcdef", "name": app },
            "command": "bin/serve",
            "created_at": "2026-11-24T09:00:00Z",
            "dyno_size": { "id": "01234567-89ab-cdef-0123-456789abcdef", "name": "Standard-1X" },
            "id": "01234567-89ab-cdef-0123-456789abcdef",
            "quantity": 1,
            "size": "Standard-1X",
            "type": format!("p{index}"),
            "updated_at": "2026-11-24T09:00:00Z",
        })
    });
    ([("RateLimit-Remaining", "4499")], Json(types.collect::<Vec<_>>()))
}
