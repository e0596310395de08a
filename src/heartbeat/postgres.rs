//! Owns the touching of a PostgreSQL database: `SELECT 1` over one connection, opened when it is first needed and
//! again after it broke.

use std::error::Error as _;

use async_trait::async_trait;
use percent_encoding::percent_decode_str;
use tokio::sync::Mutex;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config};
use url::Url;

use super::Touch;
use super::postgres_tls::Tls;
use crate::secret::Secret;

/// A database.
pub struct Postgres {
    config: Config,
    tls: Tls,
    open: Mutex<Option<Client>>,
}

impl Postgres {
    /// `postgres://user:password@host:port/name?sslmode=…`; other options are for other clients.
    pub fn new(url: &str) -> Result<Self, String> {
        let url = Url::parse(url).map_err(|fault| format!("the URL of the database is none: {fault}"))?;
        let decoded = |text: &str| {
            let text = percent_decode_str(text).decode_utf8();
            text.map(std::borrow::Cow::into_owned).map_err(|_| "the URL of the database is no UTF-8".to_owned())
        };
        let option = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let mut config = Config::new();
        config.application_name("autoscaler heartbeat");
        let socket = option("host").filter(|host| host.starts_with('/'));
        let host = socket.or_else(|| url.host_str().map(|host| host.trim_matches(['[', ']']).to_owned()));
        config.host(decoded(host.as_deref().unwrap_or("localhost"))?);
        config.port(url.port().unwrap_or(5432));
        let user = decoded(url.username())?;
        config.user(if user.is_empty() { "postgres" } else { &user });
        if let Some(password) = url.password() {
            let password = decoded(password)?;
            // So that no message shows it.
            Secret::new(password.as_str());
            config.password(password);
        }
        let name = decoded(url.path().trim_start_matches('/'))?;
        if !name.is_empty() {
            config.dbname(name);
        }
        let mode = option("sslmode").unwrap_or_else(|| "prefer".to_owned());
        config.ssl_mode(match &*mode {
            "disable" => SslMode::Disable,
            "allow" | "prefer" => SslMode::Prefer,
            "require" | "verify-ca" | "verify-full" => SslMode::Require,
            other => return Err(format!("the URL of the database has `sslmode={other}`, which there is not")),
        });
        let tls = Tls::new(mode.starts_with("verify"))?;
        Ok(Self { config, tls, open: Mutex::new(None) })
    }

    async fn connect(&self) -> Result<Client, String> {
        let (client, connection) = self.config.connect(self.tls.clone()).await.map_err(|error| told(&error))?;
        // It ends with the client.
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("the connection to the database ended: {error}");
            }
        });
        Ok(client)
    }
}

#[async_trait]
impl Touch for Postgres {
    async fn touch(&self) -> Result<(), String> {
        let mut open = self.open.lock().await;
        if let Some(client) = &*open
            && !client.is_closed()
            && client.simple_query("SELECT 1").await.is_ok()
        {
            return Ok(());
        }
        // Also after a failed question: what is broken stays broken on a new one.
        let client = open.insert(self.connect().await?);
        client.simple_query("SELECT 1").await.map(drop).map_err(|error| told(&error))
    }
}

/// What the server says, or why it says nothing.
fn told(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(said), _) => said.message().to_owned(),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    }
}
