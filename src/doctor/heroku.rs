//! Owns the checks of a key to Heroku: valid, of whom, what it may do, how many calls are left, and how far the
//! clock of this machine is from Heroku's.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use super::api::{Account, Read};
use super::row::Row;
use crate::heroku::{Load, estimate};
use crate::pipeline::PipelineSpec;
use crate::world::{Reply, World};

/// An account and what pipelines will ask of it.
pub struct Used {
    account: Account,
    loads: Vec<Load>,
}

impl Used {
    /// What messages call it.
    pub fn shown(&self) -> String {
        self.account.shown()
    }
}

/// Every key of `specs`, once.
pub fn accounts(specs: &[Arc<PipelineSpec>]) -> Vec<Used> {
    let mut accounts: Vec<Used> = Vec::new();
    for spec in specs {
        let Some(app) = spec.scale.heroku() else { continue };
        let account = Account { url: Arc::clone(&app.api_url), key: app.key.clone() };
        let load = Load { app: Arc::clone(&app.name), interval: spec.interval() };
        match accounts.iter_mut().find(|known| known.account == account) {
            Some(known) => known.loads.push(load),
            None => accounts.push(Used { account, loads: vec![load] }),
        }
    }
    accounts
}

/// Checks one key.
pub async fn account(used: &Used, world: &Arc<World>) -> Vec<Row> {
    let Used { account, loads } = used;
    let name = account.shown();
    let make = "make a key with `heroku authorizations:create` and set it as `api_key`";
    if account.key.expose().is_empty() {
        return vec![Row::fail("key", name, "the key is not set here", "set the variable that `api_key` is read from")];
    }
    let before = world.clock.now();
    let read = account.read(world, "/account", "", "read whose key it is").await;
    let after = world.clock.now();
    let mut rows = Vec::new();
    match read {
        Read::Good(reply, json) => {
            let whose = json["email"].as_str().unwrap_or("an account without an address");
            rows.push(Row::ok("key", &name, format!("valid, of {whose}")));
            rows.push(scope(account, world).await);
            rows.push(budget(account, loads, &reply));
            rows.extend(clock(&name, &reply, before + (after - before) / 2));
        }
        // A narrow scope may not read the account: that it is valid is known all the same.
        Read::Refused(403, _) => {
            rows.push(Row::ok("key", &name, "valid; it may not read whose it is"));
            rows.push(scope(account, world).await);
        }
        Read::Refused(401, message) => rows.push(Row::fail("key", name, message, make)),
        Read::Refused(_, message) => {
            rows.push(Row::fail("key", name, message, "try again later; status.heroku.com tells of faults"));
        }
        Read::Nothing(error) => {
            rows.push(Row::fail("key", name, error.message, "see whether this machine reaches the API, and `api_url`"));
        }
    }
    rows
}

/// What the key may do, as far as it may say so itself.
async fn scope(account: &Account, world: &Arc<World>) -> Row {
    let name = account.shown();
    let mend = "make one with `heroku authorizations:create --scope global`, or `write`";
    match account.read(world, "/oauth/authorizations", "", "read what the key may do").await {
        Read::Good(_, Json::Array(all)) => {
            let ours = |item: &&Json| item["access_token"]["token"].as_str() == Some(account.key.expose());
            let Some(own) = all.iter().find(ours) else {
                return Row::ok("scope", name, "it may read authorizations, so it may do everything");
            };
            let scopes: Vec<&str> = own["scope"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
            let shown = scopes.join(", ");
            if !scopes.iter().any(|scope| ["global", "write", "write-protected"].contains(scope)) {
                return Row::fail("scope", name, format!("the key may only: {shown}"), mend);
            }
            match own["access_token"]["expires_in"].as_i64() {
                Some(left) if left < 30 * 86_400 => {
                    let found = format!("the key may: {shown}; it ends in {} days", left / 86_400);
                    Row::warn("scope", name, found, "make a new one in time: `heroku authorizations:create`")
                }
                _ => Row::ok("scope", name, format!("the key may: {shown}")),
            }
        }
        Read::Good(..) => Row::warn("scope", name, "heroku lists no authorizations", "see `heroku authorizations`"),
        Read::Refused(403, _) => {
            let found = "the key may not say what it may do: it is not global";
            Row::warn("scope", name, found, "see that `heroku authorizations` shows `write` for it")
        }
        Read::Refused(_, message) => Row::warn("scope", name, message, "see `heroku authorizations`"),
        Read::Nothing(error) => Row::warn("scope", name, error.message, "see `heroku authorizations`"),
    }
}

/// Fewer calls than this are left for a busy minute of other programs.
const FEW_CALLS: u32 = 450;

fn budget(account: &Account, loads: &[Load], reply: &Reply) -> Row {
    let name = account.shown();
    let estimate = estimate(loads);
    let left = reply.header("ratelimit-remaining").and_then(|text| text.parse::<u32>().ok());
    let Some(left) = left else {
        return Row::warn("budget", name, "heroku does not say how many calls are left", "look again later");
    };
    let found = format!("{left} of 4500 calls left; {}", estimate.text);
    if left < FEW_CALLS {
        Row::warn(
            "budget",
            name,
            found,
            "see which other programs use this account; give this one a key of its own account",
        )
    } else if estimate.overspent {
        Row::warn("budget", name, found, "lengthen intervals, or spread the apps over several accounts")
    } else {
        Row::ok("budget", name, found)
    }
}

/// Seconds that a clock may be off before anybody notices.
const SMALL_SKEW: i64 = 5;

/// Seconds from which bounds by time of day and records are plainly wrong.
const LARGE_SKEW: i64 = 60;

/// The clock of this machine against the reply's `Date`, which counts whole seconds.
fn clock(name: &str, reply: &Reply, now: DateTime<Utc>) -> Option<Row> {
    let date = reply.header("date")?;
    let Ok(theirs) = DateTime::parse_from_rfc2822(date) else {
        return Some(Row::warn("clock", name, "heroku sends a date that is none", "compare with `date -u`"));
    };
    let ahead = (now - theirs.with_timezone(&Utc)).num_seconds();
    let (off, side) = (ahead.abs(), if ahead > 0 { "ahead of" } else { "behind" });
    let found = format!("this machine's clock is {off} s {side} heroku's");
    let mend = "set the clock, and let it follow a time server (`timedatectl set-ntp true`)";
    Some(match off {
        off if off <= SMALL_SKEW => Row::ok("clock", name, "this machine's clock agrees with heroku's"),
        off if off <= LARGE_SKEW => Row::warn("clock", name, found, mend),
        _ => Row::fail("clock", name, found, mend),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::row::Verdict;
    use super::*;

    #[test]
    fn the_skew_of_a_clock_is_told_by_its_size() {
        let reply = |date: &str| Reply {
            status: 200,
            headers: vec![("date".into(), date.into())],
            body: bytes::Bytes::new(),
            took: Duration::ZERO,
        };
        let now = DateTime::parse_from_rfc3339("2026-11-24T12:00:00Z").unwrap().with_timezone(&Utc);
        let row = |date: &str| clock("heroku", &reply(date), now).unwrap();
        assert_eq!(row("Tue, 24 Nov 2026 12:00:03 GMT").verdict, Verdict::Ok);
        let late = row("Tue, 24 Nov 2026 12:00:20 GMT");
        assert_eq!((late.verdict, &*late.found), (Verdict::Warn, "this machine's clock is 20 s behind heroku's"));
        assert_eq!(row("Tue, 24 Nov 2026 11:50:00 GMT").verdict, Verdict::Fail);
        assert_eq!(row("yesterday").verdict, Verdict::Warn);
    }
}
