//! Owns the check of a measured URL: asked once, what it answers, where it ends, and whether a number comes of it.

use std::sync::{Arc, Mutex};

use super::row::Row;
use crate::function::This;
use crate::measure::probe::Probe;
use crate::measure::{MeasureContext, MeasureStage};
use crate::pipeline::PipelineSpec;
use crate::world::{HttpErrorKind, Reply, World};

/// Asks the URL of one measuring stage.
pub async fn probe(spec: &PipelineSpec, stage: &MeasureStage, probe: &Probe, world: &Arc<World>) -> Vec<Row> {
    let name = spec.name.to_string();
    let (url, reply) = match probe.look(world).await {
        Ok(looked) => (looked.url, looked.reply),
        Err(why) => {
            let advice = "write `base_url`, or see what `app` and `key` say above";
            return vec![Row::fail("url", name, format!("the URL is not known: {why}"), advice)];
        }
    };
    let url = url.split('?').next().unwrap_or(&url).to_owned();
    let row = match reply {
        Ok(reply) => answered(&name, &url, &reply),
        Err(error) => {
            let advice = match error.kind {
                HttpErrorKind::Redirect => {
                    "write the URL at which it ends as `measurement_url`; a page behind a login is not measured"
                }
                HttpErrorKind::Dns => "see how the host is written in `measurement_url` or `base_url`",
                HttpErrorKind::Tls => "see the certificate: `openssl s_client -connect HOST:443 -servername HOST`",
                HttpErrorKind::Timeout => "see why it is that slow: no measurement would come in time",
                _ => "see whether the app is up, and whether this machine reaches it",
            };
            Row::fail("url", &name, format!("`{url}`: {}", error.message), advice)
        }
    };
    let good = row.verdict != super::Verdict::Fail;
    let mut rows = vec![row];
    // The time that a reply took needs no more than the reply; all others make their number of something else.
    if good && stage.backend.backend() != "ResponseTimeBackend" {
        let memory = Mutex::new(This::default());
        let context = MeasureContext { pipeline: &spec.name, at: world.clock.now(), memory: &memory };
        rows.push(match stage.backend.measure(&context, world).await {
            Ok(reading) => match reading.value {
                Some(value) => Row::ok("value", &name, format!("{value} is measured")),
                None => {
                    Row::warn("value", &name, "what comes is no number", "write `value`, a dotted path to the number")
                }
            },
            Err(failure) => Row::fail("value", &name, failure.message, "see what the URL answers: `curl -i`"),
        });
    }
    rows
}

fn answered(name: &str, url: &str, reply: &Reply) -> Row {
    let took = reply.took.as_secs_f64() * 1000.0;
    let found = format!("`{url}` answers {} in {took:.0} ms", reply.status);
    match reply.status {
        200..=299 => {
            let kept = reply.header("cache-control").is_some_and(|value| {
                value.contains("no-store") || value.contains("no-cache") || value.contains("private")
            });
            let cached =
                reply.header("age").is_some() || reply.header("x-cache").is_some_and(|hit| hit.contains("HIT"));
            if cached && !kept {
                let advice = "send `Cache-Control: no-store`: a cache answers, and its time says nothing of the app";
                return Row::warn("url", name, format!("{found}, out of a cache"), advice);
            }
            Row::ok("url", name, found)
        }
        400 => Row::fail(
            "url",
            name,
            found,
            "a Django app answers 400 where ALLOWED_HOSTS lacks the host of the URL: add it there, or send the right one in `headers`",
        ),
        401 | 403 => Row::fail("url", name, found, "let it in without a login, or give it one in `headers`"),
        404 => Row::fail("url", name, found, "see whether `measurement_url` is right, and its view is deployed"),
        429 => Row::fail("url", name, found, "let the worker past the limit of requests, or measure more rarely"),
        500.. => Row::fail("url", name, found, "see the log of the app: as it is, every measurement fails"),
        _ => Row::fail("url", name, found, "only an answer of 2xx is a measurement"),
    }
}
