//! Owns what every request to the fake API goes through: it is noted, faults on demand are served, and
//! key, `Accept` header and rate limit are checked as Heroku does.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use super::cut::Cut;
use super::refusal::Refusal;
use super::{Fake, SeenRequest};

/// The largest request and reply: the real ones are a few kilobytes.
const BODY_LIMIT: usize = 1 << 20;

/// What goes wrong with one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This is answered; nothing is done.
    Reply {
        /// The status code.
        status: u16,
        /// The body, as it is.
        body: String,
    },
    /// It is done and answered after this time.
    Slow(Duration),
    /// Never answered; nothing is done.
    Hang,
    /// Done, and never answered.
    DoneAndHang,
    /// The connection is reset; nothing is done.
    Reset,
    /// Done, and the connection is reset.
    DoneAndReset,
    /// Done, and only the first half of the answer is sent.
    HalfBody,
}

impl Fault {
    /// An error of Heroku's with a JSON body.
    #[must_use]
    pub fn error(status: u16, id: &str, message: &str) -> Self {
        Self::Reply { status, body: serde_json::json!({ "id": id, "message": message }).to_string() }
    }

    /// A 200 with something that is not what was asked for.
    #[must_use]
    pub fn garbage(body: &str) -> Self {
        Self::Reply { status: 200, body: body.into() }
    }
}

/// Lets a request in, or does to it what the fault that is due says.
pub async fn gate(
    State(fake): State<Fake>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return Refusal::new(400, "bad_request", "The request body is too large.").into_response();
    };
    let path = parts.extensions.get::<MatchedPath>().map_or(parts.uri.path(), MatchedPath::as_str);
    let route = format!("{} {path}", parts.method);
    let fault = fake.note(
        &route,
        SeenRequest {
            route: route.clone(),
            path: parts.uri.path().to_owned(),
            body: String::from_utf8_lossy(&body).into_owned(),
            headers: shown(&parts.headers),
            at: std::time::Instant::now(),
        },
    );
    let headers = parts.headers.clone();
    let answer = answer(&fake, Request::from_parts(parts, Body::from(body)), &headers, next);
    match fault {
        None => answer.await,
        Some(Fault::Reply { status, body }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            dressed(&fake, &headers, (status, body).into_response())
        }
        Some(Fault::Slow(time)) => {
            tokio::time::sleep(time).await;
            answer.await
        }
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::DoneAndHang) => {
            answer.await;
            std::future::pending().await
        }
        Some(Fault::Reset) => {
            cut.cut();
            StatusCode::OK.into_response()
        }
        Some(Fault::DoneAndReset) => {
            let response = answer.await;
            cut.cut();
            response
        }
        Some(Fault::HalfBody) => half(answer.await).await,
    }
}

/// The answer without any fault.
async fn answer(fake: &Fake, request: Request, headers: &HeaderMap, next: Next) -> Response {
    if request.uri().path().starts_with(super::logs::PREFIX) {
        return next.run(request).await;
    }
    if !fake.knows(headers) {
        return dressed(fake, headers, Refusal::unauthorized().into_response());
    }
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !accept.starts_with("application/vnd.heroku+json; version=3") {
        let message = "The `Accept` header must name version 3 of the API.";
        return dressed(fake, headers, Refusal::new(406, "not_acceptable", message).into_response());
    }
    // The one call that does not count.
    if request.uri().path() != "/account/rate-limits" && !fake.take_token() {
        return dressed(fake, headers, Refusal::rate_limit().into_response());
    }
    let get = request.method() == "GET";
    let response = next.run(request).await;
    let response = if get && response.status().is_success() { tagged(headers, response).await } else { response };
    dressed(fake, headers, response)
}

/// With the headers that every answer has.
fn dressed(fake: &Fake, asked: &HeaderMap, mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert("ratelimit-remaining", HeaderValue::from(fake.remaining()));
    let id = asked.get("request-id").cloned();
    let id = id.or_else(|| HeaderValue::from_str(&super::app::random_id()).ok());
    if let Some(id) = id {
        headers.insert("request-id", id);
    }
    response
}

/// With an `ETag`, or 304 where the asker has it already.
async fn tagged(asked: &HeaderMap, response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    let tag = format!("W/\"{:016x}\"", hasher.finish());
    let known = asked.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()) == Some(tag.as_str());
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, tag);
    }
    if known {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(body))
}

/// The first half of the body, and then nothing more.
async fn half(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await.unwrap_or_default();
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    let broken = io::Error::from(io::ErrorKind::ConnectionReset);
    let pieces: Vec<io::Result<Bytes>> = vec![Ok(body.slice(..body.len() / 2)), Err(broken)];
    Response::from_parts(parts, Body::from_stream(stream::iter(pieces)))
}

/// The headers that tests look at; the key is not among them.
fn shown(headers: &HeaderMap) -> Vec<(String, String)> {
    let open = headers.iter().filter(|(name, _)| *name != header::AUTHORIZATION);
    open.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect()
}
