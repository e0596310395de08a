//! Owns the errors of the fake API, in the words of the real one.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// An answer that says no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    status: u16,
    id: &'static str,
    message: String,
    limit: Option<u32>,
}

impl Refusal {
    /// An error as the API words it.
    pub fn new(status: u16, id: &'static str, message: impl Into<String>) -> Self {
        Self { status, id, message: message.into(), limit: None }
    }

    /// 401.
    pub fn unauthorized() -> Self {
        Self::new(401, "unauthorized", "Invalid credentials provided.")
    }

    /// 404 for what is called `what` ("app", "process type (worker)").
    pub fn not_found(what: &str) -> Self {
        Self::new(404, "not_found", format!("Couldn't find that {what}."))
    }

    /// 404 for a route that there is not.
    pub fn no_endpoint() -> Self {
        let message = "The requested API endpoint was not found. Are you using the right HTTP verb (i.e. `GET` vs. \
                       `POST`), and did you specify your intended version with the `Accept` header?";
        Self::new(404, "not_found", message)
    }

    /// 422.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(422, "invalid_params", message)
    }

    /// 422 with the number that was exceeded.
    pub fn above_limit(limit: u32, message: String) -> Self {
        Self { limit: Some(limit), ..Self::new(422, "cannot_update_above_limit", message) }
    }

    /// 429.
    pub fn rate_limit() -> Self {
        Self::new(429, "rate_limit", "Your account reached the API rate limit")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut body = json!({ "id": self.id, "message": self.message });
        if let Some(limit) = self.limit {
            body["limit"] = Value::from(limit);
        }
        if self.status == 429 {
            body["url"] = Value::from("https://devcenter.heroku.com/articles/platform-api-reference#rate-limits");
        }
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(body)).into_response()
    }
}
