//! Owns the sending of a planned request: its tries, and the pauses between them. It judges no status
//! but to try again.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::{RequestPlan, Response};
use crate::secret::scrub;
use crate::world::{HttpError, HttpErrorKind, Reply, World};

/// The pause before the second try; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// All tries and pauses of one request take no longer, but for the last exchange: a delivery may take a
/// minute, and a server that asks for more is asked anew at the next tick.
pub const LONGEST: Duration = Duration::from_secs(40);

/// Sends `plan`, with as many further tries as it says, or `retries` where it says nothing: after 429
/// (as `Retry-After` says), 5xx, and failures of the network.
///
/// # Errors
/// When no whole reply came. Any status is a reply.
pub async fn send(plan: &RequestPlan, retries: u32, world: &World) -> Result<Response, HttpError> {
    let who = plan.shown();
    let end = Instant::now() + LONGEST;
    let (mut left, mut pause) = (plan.retries.unwrap_or(retries), FIRST_PAUSE);
    loop {
        let request = plan.request().map_err(|wrong| {
            let help = wrong.help.map_or_else(String::new, |help| format!(" ({help})"));
            HttpError { kind: HttpErrorKind::Invalid, message: format!("`{who}`: {}{help}", wrong.message) }
        })?;
        let answer = world.http.send(request).await;
        let again = left > 0 && is_passing(&answer);
        let wanted = answer.as_ref().ok().and_then(|reply| retry_after(reply, world.clock.now()));
        let wait = wanted.unwrap_or(pause).max(pause);
        if !again || Instant::now() + wait >= end {
            return match answer {
                Ok(reply) => Ok(Response::of_reply(reply, who)),
                Err(error) => {
                    let message = scrub(&format!("`{who}`: {}", error.message)).into_owned();
                    Err(HttpError { message, ..error })
                }
            };
        }
        let why = match &answer {
            Ok(reply) => format!("status {}", reply.status),
            Err(error) => scrub(&error.message).into_owned(),
        };
        tracing::debug!(target: "autoscaler::request", "{who} is tried again in {} ms: {why}", wait.as_millis());
        left -= 1;
        pause *= 2;
        tokio::time::sleep(wait).await;
    }
}

/// Whether the same request may fare better in a moment.
fn is_passing(answer: &Result<Reply, HttpError>) -> bool {
    use HttpErrorKind as K;
    match answer {
        Ok(reply) => reply.status == 429 || reply.status >= 500,
        Err(error) => match error.kind {
            K::Dns | K::Refused | K::Unreachable | K::Broken | K::Timeout => true,
            K::Tls | K::Redirect | K::TooLarge | K::Invalid => false,
        },
    }
}

/// What `Retry-After` asks for: seconds or a date. Source: RFC 9110, 10.2.3.
fn retry_after(reply: &Reply, now: DateTime<Utc>) -> Option<Duration> {
    if reply.status != 429 && reply.status != 503 {
        return None;
    }
    let text = reply.header("retry-after")?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTime::parse_from_rfc2822(text).ok()?;
    (date.to_utc() - now).to_std().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(status: u16, text: &str) -> Option<Duration> {
        let headers = vec![("retry-after".to_owned(), text.to_owned())];
        let reply = Reply { status, headers, body: "".into(), took: Duration::ZERO };
        retry_after(&reply, "2026-11-24T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_server_says_when_to_come_back_in_seconds_or_as_a_date() {
        assert_eq!(after(429, "7"), Some(Duration::from_secs(7)));
        assert_eq!(after(503, "Tue, 24 Nov 2026 12:00:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(after(503, "Tue, 24 Nov 2026 11:00:00 GMT"), None);
        assert_eq!(after(429, "soon"), None);
        assert_eq!(after(500, "7"), None);
    }
}
