//! Owns everything that speaks to Heroku: the Platform API client, one target per app with its API
//! budget, the shared log tail of an app, and (`fake`) an API that answers the same way.

mod web_url;

use std::sync::Arc;

use crate::secret::Secret;

pub use web_url::web_url;

/// The public API.
pub const PUBLIC_API: &str = "https://api.heroku.com";

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
