//! Owns the HTTP of a log drain: `POST /logs`, its body read within limits of size and time, and the answer. What is
//! taken is `heroku::drain`'s.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use futures_util::StreamExt;
use tokio::time::{Instant, timeout};

use super::{Door, text};
use crate::heroku::drain::{Admitted, BODY_LIMIT, Delivered, Head, Refused};

/// A body comes within this time: Logplex itself waits no longer for the answer.
const BODY_TIME: Duration = Duration::from_secs(5);

/// Takes a delivery.
pub async fn receive(State(door): State<Door>, request: Request) -> Response {
    match take(&door, request).await {
        Ok(Delivered::Lines(lines)) => text(StatusCode::OK, &format!("{lines} lines")),
        // Not an error: the answer to the first of them was lost on its way.
        Ok(Delivered::Again) => text(StatusCode::OK, "this frame was taken before, and is ignored"),
        Err(refused) => {
            door.tell(&refused);
            let status = StatusCode::from_u16(refused.status()).unwrap_or(StatusCode::BAD_REQUEST);
            text(status, &refused.to_string())
        }
    }
}

async fn take(door: &Door, request: Request) -> Result<Delivered, Refused> {
    let drains = door.drains().ok_or(Refused::StandsBy)?;
    let (parts, body) = request.into_parts();
    let admitted = drains.admit(&head(&parts.headers, body.size_hint().exact()), Instant::now())?;
    let _turn = door.deliveries().try_acquire().map_err(|_| Refused::Busy)?;
    let read = timeout(BODY_TIME, read(body, &admitted)).await;
    let body = read.map_err(|_| Refused::Slow(BODY_TIME.as_secs()))??;
    admitted.take(&body, Instant::now())
}

fn head(headers: &HeaderMap, length: Option<u64>) -> Head<'_> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    Head {
        content_type: text(header::CONTENT_TYPE.as_str()),
        encoding: text(header::CONTENT_ENCODING.as_str()),
        length,
        token: text("logplex-drain-token"),
        frame: text("logplex-frame-id"),
        count: text("logplex-msg-count"),
    }
}

async fn read(body: Body, admitted: &Admitted) -> Result<Vec<u8>, Refused> {
    let (mut pieces, mut whole) = (body.into_data_stream(), Vec::new());
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| Refused::BrokenOff)?;
        if whole.len() + piece.len() > BODY_LIMIT {
            admitted.lose(Instant::now());
            return Err(Refused::TooLarge);
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole)
}
