//! Owns the faults of the matrix, and what each looks like on the wire.

use super::gate::{Door, Wire};

/// What goes wrong with a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Refused,
    Timeout,
    Reset,
    Status(u16),
    Garbage,
    HalfBody,
    WrongType,
}

impl Fault {
    /// Every column of the matrix.
    pub const ALL: [Self; 14] = [
        Self::Refused,
        Self::Timeout,
        Self::Reset,
        Self::Status(401),
        Self::Status(403),
        Self::Status(404),
        Self::Status(409),
        Self::Status(422),
        Self::Status(429),
        Self::Status(500),
        Self::Status(503),
        Self::Garbage,
        Self::HalfBody,
        Self::WrongType,
    ];

    /// As the page names it.
    pub fn name(self) -> String {
        match self {
            Self::Refused => "connection refused".into(),
            Self::Timeout => "no answer".into(),
            Self::Reset => "connection reset".into(),
            Self::Status(status) => status.to_string(),
            Self::Garbage => "garbage".into(),
            Self::HalfBody => "half an answer".into(),
            Self::WrongType => "an answer of another type".into(),
        }
    }

    /// What a door does to connections of `wire`; `None` where the protocol has no such fault. `wrong` is a whole
    /// answer of a type that nobody expects; empty where every
    /// answer will do.
    pub fn door(self, wire: Wire, wrong: &str) -> Option<Door> {
        let answers = |text: &str, ends| Some(Door::Answers { bytes: text.as_bytes().to_vec(), ends });
        match (self, wire) {
            (Self::Refused, _) => Some(Door::Refused),
            (Self::Timeout, _) => Some(Door::Hang),
            (Self::Reset, _) => Some(Door::Reset),
            (Self::Status(status), Wire::Http) => answers(&http(status, r#"{"id":"fault","message":"No."}"#), true),
            (Self::Status(401), Wire::Redis) => answers("-NOAUTH Authentication required.\r\n", false),
            (Self::Status(403), Wire::Redis) => {
                answers("-NOPERM this user has no permissions to run the command\r\n", false)
            }
            (Self::Status(429), Wire::Redis) => answers("-ERR max number of clients reached\r\n", true),
            (Self::Status(500), Wire::Redis) => answers("-ERR internal error\r\n", false),
            (Self::Status(503), Wire::Redis) => answers("-LOADING Redis is loading the dataset in memory\r\n", false),
            (Self::Status(401), Wire::Smtp) => answers("530 5.7.0 Authentication required\r\n", false),
            (Self::Status(403), Wire::Smtp) => answers("554 5.7.1 Access denied\r\n", false),
            (Self::Status(429), Wire::Smtp) => answers("450 4.7.1 Too many messages, slow down\r\n", false),
            (Self::Status(500), Wire::Smtp) => answers("554 5.3.0 Internal error\r\n", false),
            (Self::Status(503), Wire::Smtp) => answers("421 4.3.2 Service not available\r\n", true),
            (Self::Garbage, _) => answers("what is this?\r\n\r\n", true),
            (Self::HalfBody, Wire::Http) => answers(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"half\":",
                true,
            ),
            (Self::HalfBody, Wire::Redis) => answers("$100\r\nhalf", true),
            (Self::HalfBody, Wire::Smtp) => answers("220 hal", true),
            (Self::WrongType, _) if wrong.is_empty() => None,
            (Self::WrongType, Wire::Http) => answers(&http(200, wrong), true),
            (Self::WrongType, Wire::Redis) => answers(wrong, false),
            (Self::Status(_), Wire::Redis | Wire::Smtp) | (Self::WrongType, Wire::Smtp) => None,
        }
    }
}

fn http(status: u16, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
