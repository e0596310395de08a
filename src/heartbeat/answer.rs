//! Owns the answer to a request: a line of text, or JSON with the times for who asks for it; never kept by a cache.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{Beat, Heartbeat};

impl Heartbeat {
    /// The answer to a request with these headers: 200 and `Beat`, 500 and what is broken, or 403.
    pub async fn answer(&self, headers: &HeaderMap) -> Response {
        let mut response = if self.lets_in(headers) {
            said(headers, &self.beat().await)
        } else {
            (StatusCode::FORBIDDEN, "the token is missing or wrong\n").into_response()
        };
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    fn lets_in(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else { return true };
        let given = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
        // By their digests, so that the time it takes tells nothing of the token.
        Sha256::digest(given) == Sha256::digest(format!("Bearer {}", token.expose()))
    }
}

fn said(headers: &HeaderMap, beat: &Beat) -> Response {
    let status = if beat.error.is_some() { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK };
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("application/json") {
        let mut told: Map<String, Value> =
            beat.took.iter().map(|(name, took)| (format!("{name}_ms"), json!(took))).collect();
        if let Some(error) = &beat.error {
            told.insert("error".into(), json!(error));
        }
        return (status, axum::Json(told)).into_response();
    }
    (status, format!("{}\n", beat.error.as_deref().unwrap_or("Beat"))).into_response()
}
