//! Owns serving HTTP: connections within limits, so that whoever sends slowly, much or nonsense harms nobody else.
//! What is answered is the routes' own.

mod door;
mod drain;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use door::{Door, routes};

/// Connections at one time; further ones wait until one of them ends.
const MOST_CONNECTIONS: usize = 256;

/// A head comes within this time, and so does the next one on the same connection.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// Octets of a head and of what is read ahead.
const BUFFER: usize = 64 << 10;

/// The pause after a connection that could not be taken: the process may be out of files.
const PAUSE: Duration = Duration::from_millis(100);

/// Requests in hand when the server stops are answered within this time.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// An address that is listened on.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Listens on `address`, `HOST:PORT`; with port 0 on a free one.
    ///
    /// # Errors
    /// Why it cannot.
    pub async fn bind(address: &str) -> Result<Self, String> {
        let cannot =
            |error| format!("`{address}` cannot be listened on: {error}; write HOST:PORT, such as 0.0.0.0:8080");
        let listener = TcpListener::bind(address).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers with `routes` until `stop`.
    pub async fn run(self, routes: Router, stop: CancellationToken) {
        let (connections, tasks) = (Arc::new(Semaphore::new(MOST_CONNECTIONS)), TaskTracker::new());
        loop {
            let free = tokio::select! {
                () = stop.cancelled() => break,
                free = Arc::clone(&connections).acquire_owned() => free,
            };
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    let (routes, stop) = (routes.clone(), stop.clone());
                    tasks.spawn(async move {
                        connection(stream, routes, stop).await;
                        drop(free);
                    });
                }
                Err(error) => {
                    tracing::debug!("a connection could not be taken: {error}");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        tasks.close();
        let _ = tokio::time::timeout(LAST_ANSWERS, tasks.wait()).await;
    }
}

async fn connection(stream: TcpStream, routes: Router, stop: CancellationToken) {
    let service = TowerToHyperService::new(routes);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(BUFFER).half_close(false);
    let mut served = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    // How a client ends its connection is its own affair.
    tokio::select! {
        _ = &mut served => {}
        () = stop.cancelled() => {
            served.as_mut().graceful_shutdown();
            let _ = served.await;
        }
    }
}

/// A line of text.
#[must_use]
pub fn text(status: StatusCode, line: &str) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, format!("{line}\n")).into_response()
}

/// What is not there.
pub async fn not_found() -> Result<Response, Infallible> {
    Ok(text(StatusCode::NOT_FOUND, "there is nothing here"))
}
