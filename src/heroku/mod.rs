//! Owns everything that speaks to Heroku: the Platform API client, one target per app with its API
//! budget, the shared log tail of an app, the log drains that come in, and (`fake`) an API that answers the same way.

mod answer;
mod budget;
mod caps;
mod client;
mod doing;
pub mod drain;
pub mod fake;
mod hub;
mod known;
mod router_line;
mod tail;
mod target;
mod target_task;
pub mod traffic;
mod web_url;

use std::sync::Arc;

pub use answer::{
    About, ApiError, ApiErrorKind, AppInfo, Dyno, Formation, LogRequest, LogSession, Release, unknown_type,
};
pub use budget::{Budget, Estimate, Load, estimate};
pub use client::{CALL_TIMEOUT, Client, Listed, api_headers};
pub use drain::Drains;
pub use hub::Heroku;
pub use router_line::{RouterLine, pairs, router_line};
pub use tail::{LINE_TIMEOUT, Tail, Watch};
pub use target::Target;
pub use web_url::web_url;

use crate::secret::Secret;

/// The public API.
pub const PUBLIC_API: &str = "https://api.heroku.com";

/// Router errors that more dynos can help against (<https://devcenter.heroku.com/articles/error-codes>): backlog too
/// deep, time-outs, connections that are closed, refused or too many. The app of any other is crashed, stopped or
/// misconfigured.
pub const CAPACITY_CODES: &[&str] = &["H11", "H12", "H13", "H18", "H19", "H20", "H21", "H22"];

/// An app on Heroku, with the key to it and a process type of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct App {
    /// The API's base URL, without a slash at its end.
    pub api_url: Arc<str>,
    /// The app's name or id.
    pub name: Arc<str>,
    /// The API key.
    pub key: Secret,
    /// The process type that is scaled ("web").
    pub process_type: Arc<str>,
}

/// A random UUID (version 4), for request ids.
#[must_use]
pub fn uuid() -> String {
    let random = fastrand::u128(..);
    let bits = (random & !(0xf000_u128 << 64) & !(0xc000_u128 << 48)) | (0x4000_u128 << 64) | (0x8000_u128 << 48);
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
