//! Owns the touching of a Redis: a key that ends by itself is written and read back.

use async_trait::async_trait;

use super::Touch;
use crate::measure::redis_url;
use crate::net::RedisLink;

/// A server, asked over one connection.
pub struct Redis(RedisLink);

/// The key ends after so many seconds.
const KEPT_SECONDS: u64 = 30;

impl Redis {
    pub fn new(url: &str) -> Result<Self, String> {
        let server =
            redis_url::parse(url, None).map_err(|why| format!("the URL of redis {why}; {}", redis_url::EXAMPLE))?;
        Ok(Self(RedisLink::new(server)))
    }
}

#[async_trait]
impl Touch for Redis {
    async fn touch(&self) -> Result<(), String> {
        let text = crate::heroku::uuid();
        let key = format!("autoscaler-heartbeat-{text}");
        let failed = |error: crate::world::RedisError| error.message;
        let set = ::redis::Cmd::set_ex(&key, &text, KEPT_SECONDS);
        let _: ::redis::Value = self.0.ask(set).await.map_err(failed)?;
        let kept: Option<String> = self.0.ask(::redis::Cmd::get(&key)).await.map_err(failed)?;
        if kept.as_deref() == Some(&text) { Ok(()) } else { Err("it does not keep what it is given".into()) }
    }
}
