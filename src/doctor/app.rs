//! Owns the checks of an app on Heroku: it exists, its process types and their sizes are what the pipelines need,
//! and nothing else scales it.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::Value as Json;

use super::api::{Account, Read};
use super::row::Row;
use crate::decide::DynosByTime;
use crate::heroku::{Formation, unknown_type};
use crate::pipeline::{Mode, PipelineSpec};
use crate::world::World;

/// An app and what pipelines want of it.
pub struct AppUsed {
    account: Account,
    /// Its name.
    pub name: Arc<str>,
    /// What each pipeline wants of it.
    wanted: Vec<Wanted>,
}

struct Wanted {
    pipeline: Arc<str>,
    process_type: Arc<str>,
    most: u32,
}

/// How many dynos of one process type a size allows, by the beginning of its name.
/// Source: <https://devcenter.heroku.com/articles/dyno-types>
const CAPS: &[(&str, u32)] = &[("eco", 1), ("basic", 1), ("performance", 10), ("private", 10), ("shield", 10)];

/// Dynos of an app over all its types, unless Heroku has raised it.
const PER_APP: u32 = 100;

/// Add-ons that scale.
const SCALERS: &[&str] = &["judoscale", "rails-autoscale", "adept-scale", "dynoscale", "hirefire", "autoscale"];

/// Every app of `specs`, once.
pub fn apps(specs: &[Arc<PipelineSpec>]) -> Vec<AppUsed> {
    let mut apps: Vec<AppUsed> = Vec::new();
    for spec in specs {
        let Some(app) = spec.scale.heroku().filter(|app| !app.key.expose().is_empty()) else { continue };
        let account = Account { url: Arc::clone(&app.api_url), key: app.key.clone() };
        let most = if spec.mode == Mode::Paused { 0 } else { highest(&spec.decide.max_dynos) };
        let wanted = Wanted { pipeline: Arc::clone(&spec.name), process_type: Arc::clone(&app.process_type), most };
        match apps.iter_mut().find(|known| known.account == account && known.name == app.name) {
            Some(known) => known.wanted.push(wanted),
            None => apps.push(AppUsed { account, name: Arc::clone(&app.name), wanted: vec![wanted] }),
        }
    }
    apps
}

fn highest(bound: &DynosByTime) -> u32 {
    match bound {
        DynosByTime::Always(dynos) => *dynos,
        DynosByTime::Table(entries) => entries.iter().map(|entry| entry.dynos).max().unwrap_or_default(),
    }
}

/// Checks one app.
pub async fn app(used: &AppUsed, world: &Arc<World>) -> Vec<Row> {
    let (account, name) = (&used.account, &*used.name);
    let task = format!("read the app `{name}`");
    let mut rows = Vec::new();
    match account.read(world, &format!("/apps/{name}"), name, &task).await {
        Read::Good(_, json) if json["maintenance"] == Json::Bool(true) => {
            let found = "the app is in maintenance mode: its URLs answer 503";
            rows.push(Row::warn("app", name, found, "`heroku maintenance:off`, when it is meant to be up"));
        }
        Read::Good(_, json) => {
            let served =
                json["web_url"].as_str().map_or_else(|| "without a web address".into(), |url| format!("at {url}"));
            rows.push(Row::ok("app", name, format!("exists, {served}")));
        }
        Read::Refused(_, message) => {
            rows.push(Row::fail("app", name, message, "see `heroku apps` with the same key"));
            return rows;
        }
        Read::Nothing(error) => {
            rows.push(Row::fail("app", name, error.message, "see whether this machine reaches the API"));
            return rows;
        }
    }
    rows.extend(types(used, world).await);
    rows.push(other_scaler(used, world).await);
    rows
}

/// The process types: there, at a count that is in order, of a size that can do what the pipeline may ask for.
async fn types(used: &AppUsed, world: &Arc<World>) -> Vec<Row> {
    let name = &*used.name;
    let task = format!("read the dynos of `{name}`");
    let read = used.account.read(world, &format!("/apps/{name}/formation"), name, &task).await;
    let list = match read {
        Read::Good(_, Json::Array(list)) => list,
        Read::Good(..) => {
            let found = "heroku's list of process types is none";
            return vec![Row::fail("type", name, found, "try again later")];
        }
        Read::Refused(_, message) => return vec![Row::fail("type", name, message, "see `heroku ps`")],
        Read::Nothing(error) => return vec![Row::fail("type", name, error.message, "try again later")],
    };
    let known: Vec<Formation> = list.iter().filter_map(|item| serde_json::from_value(item.clone()).ok()).collect();
    let mut rows = Vec::new();
    for wanted in &used.wanted {
        let subject = format!("{name} {}", wanted.process_type);
        let Some(at) = known.iter().position(|known| *known.process_type == *wanted.process_type) else {
            let why = unknown_type(name, &wanted.process_type, &known).message;
            rows.push(Row::fail("type", subject, why, "see `heroku ps`"));
            continue;
        };
        let found = &known[at];
        rows.push(if found.quantity == 0 {
            let text = "there, at 0 dynos: it counts as switched off by a person, and is left alone";
            Row::warn("type", &subject, text, "`heroku ps:scale` it to 1, or write `start_from_zero: true`")
        } else {
            Row::ok("type", &subject, format!("there, at {}", dynos(found.quantity)))
        });
        let size = list.iter().find(|item| item["type"] == *wanted.process_type);
        let size = size.and_then(|item| item["dyno_size"]["name"].as_str().or(item["size"].as_str()));
        rows.push(sized(&subject, size, wanted));
    }
    let most: u32 = used.wanted.iter().map(|wanted| wanted.most).fold(0, u32::saturating_add);
    if most > PER_APP {
        let found = format!("its pipelines may ask for {most} dynos, and heroku allows {PER_APP} of an app at first");
        rows.push(Row::warn("size", name, found, "lower `max_dynos`, or ask heroku for more"));
    }
    rows
}

fn sized(subject: &str, size: Option<&str>, wanted: &Wanted) -> Row {
    let Some(size) = size else {
        return Row::warn("size", subject, "heroku does not tell the dyno size", "see `heroku ps`");
    };
    let lower = size.to_lowercase();
    let cap = CAPS.iter().find(|(beginning, _)| lower.starts_with(beginning)).map(|(_, cap)| *cap);
    match cap {
        Some(1) if wanted.most > 1 => {
            let found =
                format!("{size}: one dyno per type, and `max_dynos` of `{}` is {}", wanted.pipeline, wanted.most);
            Row::fail(
                "size",
                subject,
                found,
                "`heroku ps:resize` it to Standard-1X or larger: this size cannot be scaled",
            )
        }
        Some(cap) if wanted.most > cap => {
            let found = format!(
                "{size}: at most {cap} dynos per type, and `max_dynos` of `{}` is {}",
                wanted.pipeline, wanted.most
            );
            Row::warn("size", subject, found, format!("set `max_dynos` to {cap}, or ask heroku for more"))
        }
        Some(cap) => Row::ok("size", subject, format!("{size}: at most {} per type, enough", dynos(cap))),
        None => Row::ok("size", subject, format!("{size}, enough for {}", dynos(wanted.most))),
    }
}

fn dynos(count: u32) -> String {
    if count == 1 { "1 dyno".into() } else { format!("{count} dynos") }
}

/// Whether somebody else scales the app: Heroku itself, or an add-on.
async fn other_scaler(used: &AppUsed, world: &Arc<World>) -> Row {
    let (account, name) = (&used.account, &*used.name);
    let mut unknown = Vec::new();
    // All at once: an app may have many process types.
    let reads = used.wanted.iter().map(|wanted| async move {
        let path = format!("/apps/{name}/formation/{}/monitors", wanted.process_type);
        (wanted, account.read_metrics(world, &path, name, "read heroku's own autoscaling").await)
    });
    for (wanted, read) in join_all(reads).await {
        match read {
            Read::Good(_, Json::Array(monitors)) => {
                let scales = |item: &Json| item["action_type"] == "scale" && item["is_active"] != Json::Bool(false);
                if monitors.iter().any(scales) {
                    let found =
                        format!("heroku's own autoscaling is on for `{}`: two would scale it", wanted.process_type);
                    let mend = format!("`heroku ps:autoscale:disable -a {name}`, or take the pipeline out");
                    return Row::fail("autoscaler", name, found, mend);
                }
            }
            // There is none for this kind of app.
            Read::Refused(404, _) | Read::Good(..) => {}
            Read::Refused(_, message) => unknown.push(message),
            Read::Nothing(error) => unknown.push(error.message),
        }
    }
    match account.read(world, &format!("/apps/{name}/addons"), name, "read the add-ons").await {
        Read::Good(_, Json::Array(addons)) => {
            let service = |item: &Json| item["addon_service"]["name"].as_str().map(str::to_owned);
            if let Some(other) = addons.iter().filter_map(service).find(|service| SCALERS.contains(&&**service)) {
                let found = format!("the add-on `{other}` is attached, which scales too");
                return Row::warn("autoscaler", name, found, "switch its scaling off, or take it off the app");
            }
        }
        Read::Good(..) => {}
        Read::Refused(_, message) => unknown.push(message),
        Read::Nothing(error) => unknown.push(error.message),
    }
    match unknown.into_iter().next() {
        None => Row::ok("autoscaler", name, "nothing else scales it"),
        Some(why) => {
            Row::warn("autoscaler", name, format!("not known: {why}"), "see `heroku ps:autoscale` and `heroku addons`")
        }
    }
}
