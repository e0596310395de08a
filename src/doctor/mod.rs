//! Owns looking, before anything is scaled, for what will go wrong: keys, apps, sizes, measured URLs, queues, mail,
//! clocks, state. It reads only; the one thing that it may send is a test message. Each check has a time limit
//! of its own, and no answer, however strange, ends the others.

mod api;
mod app;
mod here;
mod heroku;
mod notify;
mod probe;
mod queue;
mod row;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

pub use queue::Queue;
pub use row::{Row, Verdict};

use crate::pipeline::PipelineSpec;
use crate::state::StateArg;
use crate::world::World;

/// A check that has not come to an end by then has failed. Longer than any single time-out in it.
pub const LIMIT: Duration = Duration::from_secs(25);

/// What is to be looked at beside the pipelines.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Whether a test message is sent to everybody who is told of events.
    pub notify: bool,
    /// Where the worker would keep its state.
    pub state: StateArg,
    /// The dyno that this runs in, if it runs in one.
    pub dyno: Option<String>,
    /// The variables that the script reads, and whether each is set here.
    pub needs: Vec<(Arc<str>, bool)>,
}

/// Checks that run together.
type Check<'a> = Pin<Box<dyn Future<Output = Vec<Row>> + Send + 'a>>;

/// Looks at everything that `specs` will need, all checks at once; rows in the order of the script.
pub async fn examine(specs: &[Arc<PipelineSpec>], world: &Arc<World>, subject: &Subject) -> Vec<Row> {
    let mut checks: Vec<Check<'_>> = vec![Box::pin(async { here::variables(&subject.needs) })];
    for account in heroku::accounts(specs) {
        let name = account.shown();
        checks.push(limited("key", name, async move { heroku::account(&account, world).await }));
    }
    for app in app::apps(specs) {
        checks.push(limited("app", app.name.to_string(), async move { app::app(&app, world).await }));
    }
    for spec in specs {
        for stage in spec.sources() {
            let name = spec.name.to_string();
            if let Some(probe) = stage.backend.probe() {
                checks.push(limited("url", name, async move { probe::probe(spec, stage, probe, world).await }));
            } else if let Some(queue) = stage.backend.queue() {
                checks.push(limited("queue", name, async move { queue::queue(spec, &queue, world).await }));
            }
        }
    }
    for (spec, stage) in notify::recipients(specs) {
        let check = if subject.notify { "message" } else { "mail" };
        checks.push(limited(check, spec.name.to_string(), notify::recipient(spec, stage, world, subject.notify)));
    }
    checks.push(Box::pin(async { here::zones(specs, world, subject.dyno.as_deref()) }));
    checks.push(limited("state", String::new(), here::state(&subject.state, subject.dyno.as_deref(), world)));
    join_all(checks).await.into_iter().flatten().collect()
}

/// `work` within the limit.
fn limited<'a>(check: &'static str, subject: String, work: impl Future<Output = Vec<Row>> + Send + 'a) -> Check<'a> {
    Box::pin(async move {
        tokio::time::timeout(LIMIT, work).await.unwrap_or_else(|_| {
            let found = format!("no answer within {} s", LIMIT.as_secs());
            vec![Row::fail(check, subject, found, "see whether this machine reaches it at all")]
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_check_without_an_end_fails_and_the_others_are_told() {
        let good = async { vec![Row::ok("url", "web", "answers")] };
        let checks = [limited("key", "heroku".into(), std::future::pending()), limited("url", "web".into(), good)];
        let rows: Vec<Row> = join_all(checks).await.into_iter().flatten().collect();
        assert_eq!((rows[0].check, rows[0].verdict, &*rows[0].found), ("key", Verdict::Fail, "no answer within 25 s"));
        assert_eq!(rows[1].verdict, Verdict::Ok);
    }
}
