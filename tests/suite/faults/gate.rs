//! Owns a door in front of a real server: open, it passes everything on; shut, it does to each
//! connection what a fault does. It lives on threads of its own, outside of any virtual time.

use std::net::SocketAddr;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

/// Where the doors live.
static OUTSIDE: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
});

/// What is done to a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Door {
    /// It is passed on.
    Open,
    /// Nobody listens.
    Refused,
    /// It is read, and never answered.
    Hang,
    /// It is reset once the question is there.
    Reset,
    /// These bytes answer every question; then nothing more comes, and where it says so the connection ends.
    Answers { bytes: Vec<u8>, ends: bool },
}

/// How a protocol asks: a question is complete, and may be answered, where one of these is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    Http,
    Redis,
    /// The server speaks first.
    Smtp,
}

/// A door on a port of its own, until it is dropped.
pub struct Gate {
    address: SocketAddr,
    door: watch::Sender<Door>,
    /// Says each time that the door stands as asked for.
    stands: Mutex<std::sync::mpsc::Receiver<()>>,
    _stop: oneshot::Sender<()>,
}

impl Gate {
    /// In front of the server on `port`.
    pub fn before(port: u16, wire: Wire) -> Self {
        let (door, doors) = watch::channel(Door::Open);
        let (said, stands) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let listener = OUTSIDE.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = listener.local_addr().expect("an address");
        OUTSIDE.spawn(async move {
            tokio::select! {
                _ = stopped => {}
                () = keep(listener, address, port, wire, doors, said) => {}
            }
        });
        stands.recv().expect("the gate lives");
        Self { address, door, stands: Mutex::new(stands), _stop: stop }
    }

    /// "127.0.0.1:1234".
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Lets the door stand so, for new connections and for those that are there.
    pub fn set(&self, door: Door) {
        self.door.send_replace(door);
        self.stands.lock().unwrap().recv_timeout(Duration::from_secs(30)).expect("the gate lives");
    }
}

async fn keep(
    listener: TcpListener,
    address: SocketAddr,
    port: u16,
    wire: Wire,
    mut doors: watch::Receiver<Door>,
    said: std::sync::mpsc::Sender<()>,
) {
    let (mut listener, mut connections) = (Some(listener), JoinSet::new());
    loop {
        connections.shutdown().await;
        let door = doors.borrow_and_update().clone();
        if door == Door::Refused {
            drop(listener.take());
        } else if listener.is_none() {
            listener = Some(TcpListener::bind(address).await.expect("the port is still ours"));
        }
        let _ = said.send(());
        loop {
            let accepted = async {
                match &listener {
                    Some(listener) => listener.accept().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = doors.changed() => match changed {
                    Ok(()) => break,
                    Err(_) => return,
                },
                Ok((stream, _)) = accepted => {
                    let door = door.clone();
                    connections.spawn(async move { serve(stream, &door, port, wire).await });
                }
            }
        }
    }
}

async fn serve(mut stream: TcpStream, door: &Door, port: u16, wire: Wire) {
    match door {
        Door::Open => {
            let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
            if wire == Wire::Http && single(&mut stream, &mut server).await.is_none() {
                return;
            }
            let _ = copy_bidirectional(&mut stream, &mut server).await;
        }
        Door::Refused => {}
        Door::Hang => while question(&mut stream, wire).await.is_some() {},
        Door::Reset => {
            if wire != Wire::Smtp {
                question(&mut stream, wire).await;
            }
            let _ = stream.set_zero_linger();
        }
        Door::Answers { bytes, ends } => {
            if wire == Wire::Smtp {
                let _ = stream.write_all(bytes).await;
                if *ends {
                    return;
                }
            }
            while let Some(count) = question(&mut stream, wire).await {
                for _ in 0..count {
                    if stream.write_all(bytes).await.is_err() {
                        return;
                    }
                }
                if *ends {
                    let _ = stream.shutdown().await;
                }
            }
        }
    }
}

/// Passes the head of a request on, and asks for the connection to end with its answer: one that is kept would be
/// cut at the next turn of the door, at a moment that differs from run to run.
async fn single(stream: &mut TcpStream, server: &mut TcpStream) -> Option<()> {
    let (mut head, mut bytes) = (Vec::new(), vec![0; 64 * 1024]);
    let end = loop {
        let read = stream.read(&mut bytes).await.ok().filter(|read| *read > 0)?;
        head.extend_from_slice(&bytes[..read]);
        if let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
    };
    head.splice(end..end, *b"\r\nConnection: close");
    server.write_all(&head).await.ok()
}

/// Waits for the next bytes; how many questions end in them. `None`: the other side is gone.
async fn question(stream: &mut TcpStream, wire: Wire) -> Option<usize> {
    let mut bytes = vec![0; 64 * 1024];
    let read = stream.read(&mut bytes).await.ok().filter(|read| *read > 0)?;
    let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
    Some(match wire {
        Wire::Http => text.matches("\r\n\r\n").count(),
        Wire::Redis => text.lines().filter(|line| line.starts_with('*')).count(),
        Wire::Smtp => text.matches("\r\n").count(),
    })
}
