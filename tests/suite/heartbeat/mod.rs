//! The measurement URL for apps that are not Django: the library's routes, the command against real servers, and the
//! snippets of docs/heartbeat.md in the servers of their languages.

mod command;
mod library;
mod postgres;
mod snippets;

use std::io::{Read, Write};
use std::net::TcpStream;

/// Status, headers and body of the answer to `GET path` with these header lines, each with its end.
fn ask(port: u16, path: &str, headers: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n{headers}\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), head.to_ascii_lowercase(), body.trim_end().to_owned())
}

/// Status and body, as text.
fn text(port: u16) -> (u16, String) {
    let (status, head, body) = ask(port, autoscaler::heartbeat::PATH, "");
    assert!(head.contains("cache-control: no-store") && head.contains("content-type: text/plain"), "{head}");
    (status, body)
}

const JSON: &str = "Accept: application/json\r\n";
