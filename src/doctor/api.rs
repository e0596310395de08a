//! Owns reading from Heroku's Platform API for a look: any answer is one, also a refusal.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::heroku::{About, ApiError, CALL_TIMEOUT, PUBLIC_API, api_headers};
use crate::secret::Secret;
use crate::world::{HttpError, Reply, Request, World};

/// Where Heroku tells of its own autoscaling.
const PUBLIC_METRICS: &str = "https://api.metrics.heroku.com";

/// An API and a key to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The API's base URL.
    pub url: Arc<str>,
    /// The key; empty where it is not set here.
    pub key: Secret,
}

/// What came of a read.
pub enum Read {
    /// A good answer.
    Good(Reply, Json),
    /// A refusal: its status, and what it means.
    Refused(u16, String),
    /// None: why.
    Nothing(HttpError),
}

impl Account {
    /// What messages call it: the host, for another API than the public one.
    pub fn shown(&self) -> String {
        if &*self.url == PUBLIC_API { "heroku".into() } else { format!("heroku at {}", self.url) }
    }

    /// Reads `path` for `task` about `app`.
    pub async fn read(&self, world: &Arc<World>, path: &str, app: &str, task: &str) -> Read {
        self.read_at(world, &self.url, path, app, task).await
    }

    /// Reads `path` of the service that tells of Heroku's own autoscaling.
    pub async fn read_metrics(&self, world: &Arc<World>, path: &str, app: &str, task: &str) -> Read {
        let url = if &*self.url == PUBLIC_API { PUBLIC_METRICS } else { &self.url };
        self.read_at(world, url, path, app, task).await
    }

    async fn read_at(&self, world: &Arc<World>, url: &str, path: &str, app: &str, task: &str) -> Read {
        let mut request = Request::get(format!("{url}{path}"), CALL_TIMEOUT);
        request.headers.extend(api_headers());
        let bearer = Secret::new(format!("Bearer {}", self.key.expose()));
        request.secret_headers.push(("Authorization".into(), bearer));
        let reply = match world.http.send(request).await {
            Ok(reply) => reply,
            Err(error) => return Read::Nothing(error),
        };
        let about = About { app, task };
        if !(200..300).contains(&reply.status) {
            return Read::Refused(reply.status, ApiError::status(about, &reply).message);
        }
        match serde_json::from_slice(&reply.body) {
            Ok(json) => Read::Good(reply, json),
            Err(why) => Read::Refused(reply.status, ApiError::unreadable(about, &reply, &why).message),
        }
    }
}
