//! Owns the setting `headers` of the HTTP measurements: texts that may be shown and secrets that may
//! not, checked while the script loads.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use crate::rules;
use crate::secret::{MASK, Secret};
use crate::settings::{Fields, Value};
use crate::world::Request;

/// Headers that carry credentials even where the script writes them as a plain text.
const CREDENTIALS: &[&str] = &["authorization", "proxy-authorization", "cookie", "x-api-key", "x-auth-token"];

/// Whether the header `name` carries a credential.
#[must_use]
pub fn is_credential(name: &str) -> bool {
    CREDENTIALS.contains(&&*name.to_lowercase())
}

/// Headers of our own.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    plain: Vec<(String, String)>,
    secret: Vec<(String, Secret)>,
    /// Names of those whose secret is not set here.
    missing: Vec<String>,
}

impl Headers {
    /// Reads `headers`; `None` if anything in it cannot be sent.
    pub fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let mut headers = Self::default();
        let Some(node) = fields.node("headers") else { return Some(headers) };
        let Value::Map(entries) = &node.value else {
            let help = "write `headers: #{ \"X-Probe\": \"1\" }`";
            fields.error("headers", format!("`headers` takes a map, not {}", node.describe()), Some(help.into()));
            return None;
        };
        let mut good = true;
        for (name, node) in entries {
            let problem = match &node.value {
                _ if reqwest::header::HeaderName::from_bytes(name.as_bytes()).is_err() => {
                    Some(format!("`{name}` cannot be the name of a header"))
                }
                Value::MissingSecret(_) => {
                    headers.missing.push(name.to_string());
                    None
                }
                Value::Secret(secret) => headers.keep(name, secret.expose(), Some(secret.clone())),
                Value::Text(text) => {
                    headers.keep(name, text, is_credential(name).then(|| Secret::new(Arc::clone(text))))
                }
                _ => Some(format!("the header `{name}` takes a text or a secret, not {}", node.describe())),
            };
            if let Some(message) = problem {
                good = false;
                fields.report().say(&rules::WRONG_TYPE, node.place.as_ref(), message, None);
            }
        }
        good.then_some(headers)
    }

    /// Takes one header, or says why it cannot be sent.
    fn keep(&mut self, name: &str, text: &str, secret: Option<Secret>) -> Option<String> {
        if reqwest::header::HeaderValue::from_str(text).is_err() {
            return Some(format!("the value of the header `{name}` holds a character that no header may hold"));
        }
        if let Some(secret) = secret {
            self.secret.push((name.to_owned(), secret));
        } else {
            self.plain.push((name.to_owned(), text.to_owned()));
        }
        None
    }

    /// Adds them to `request`.
    pub fn add_to(&self, request: &mut Request) {
        request.headers.extend_from_slice(&self.plain);
        request.secret_headers.extend_from_slice(&self.secret);
    }

    /// Names to values, secrets masked.
    pub fn shown(&self) -> Json {
        let plain = self.plain.iter().map(|(name, value)| (name.clone(), json!(value)));
        let secret =
            self.secret.iter().map(|(name, _)| name).chain(&self.missing).map(|name| (name.clone(), json!(MASK)));
        Json::Object(plain.chain(secret).collect::<Map<_, _>>())
    }
}
