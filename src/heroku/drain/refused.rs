//! Owns what is said of a delivery that is not taken, and with which status. Logplex sends again after a 429 or 5xx,
//! and drops the lines after any other.

use super::FrameError;

/// Why a delivery is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No token.
    #[error("the header Logplex-Drain-Token is missing")]
    NoToken,
    /// Nobody has this token.
    #[error("no pipeline reads a drain with this token; write it as `drain_token` of `measure::heroku_router_log`")]
    WrongToken,
    /// It may be a good one.
    #[error("the worker has just started, and does not know its drains yet; send again")]
    Starting,
    /// Another worker works.
    #[error("this worker stands by; send again")]
    StandsBy,
    /// Not Logplex's.
    #[error("the Content-Type must be application/logplex-1")]
    Type,
    /// Logplex compresses nothing.
    #[error("the body must not be encoded; leave Content-Encoding out")]
    Encoded,
    /// No number of messages.
    #[error("the header Logplex-Msg-Count is missing or no number")]
    NoCount,
    /// No id.
    #[error("the header Logplex-Frame-Id is missing, empty or longer than 128 characters")]
    NoFrameId,
    /// Beyond the limit.
    #[error("the body is larger than 4 MiB")]
    TooLarge,
    /// The body is not what its head says.
    #[error("Logplex-Msg-Count says {told} messages, and the body has {found}")]
    Count {
        /// The header.
        told: usize,
        /// The body.
        found: usize,
    },
    /// The body is broken.
    #[error("{0}")]
    Frame(#[from] FrameError),
    /// Others are being read.
    #[error("too many deliveries at once; send again")]
    Busy,
    /// The body came too slowly, or not at all.
    #[error("the body did not come within {0} s")]
    Slow(u64),
    /// The connection broke in the middle.
    #[error("the body broke off")]
    BrokenOff,
}

impl Refused {
    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::NoToken => 401,
            Self::WrongToken => 403,
            Self::Type | Self::Encoded => 415,
            Self::NoCount | Self::NoFrameId | Self::Count { .. } | Self::Frame(_) | Self::BrokenOff => 400,
            Self::TooLarge => 413,
            // Sent again.
            Self::Starting | Self::StandsBy | Self::Busy | Self::Slow(_) => 503,
        }
    }
}
