//! Owns the checks of this machine: variables that are set, the zone of the bounds, and whether what the worker
//! remembers outlives it here.

use std::path::Path;
use std::sync::Arc;

use super::row::Row;
use crate::decide::DynosByTime;
use crate::pipeline::PipelineSpec;
use crate::state::StateArg;
use crate::world::{RedisQuestion, World};

/// The variables that the script reads.
pub fn variables(needs: &[(Arc<str>, bool)]) -> Vec<Row> {
    needs
        .iter()
        .map(|(name, set)| {
            if *set {
                Row::ok("variable", &**name, "is set")
            } else {
                let advice = format!("`export {name}=…`, or `heroku config:set {name}=…` on the worker's app");
                Row::fail("variable", &**name, "is not set here", advice)
            }
        })
        .collect()
}

/// The zone of each pipeline whose bounds go by the time of day.
pub fn zones(specs: &[Arc<PipelineSpec>], world: &Arc<World>, dyno: Option<&str>) -> Vec<Row> {
    let by_time = |bound: &DynosByTime| matches!(bound, DynosByTime::Table(_));
    let concerned = specs.iter().filter(|spec| by_time(&spec.decide.min_dynos) || by_time(&spec.decide.max_dynos));
    concerned
        .map(|spec| {
            let now = world.clock.now().with_timezone(&spec.decide.zone);
            let found = format!("bounds go by {}, where it is {} now", spec.decide.zone, now.format("%H:%M on %A"));
            // A dyno's own zone is UTC, whatever its app means.
            if dyno.is_some() && spec.decide.zone == chrono_tz::UTC {
                let advice = "write `time_zone: \"America/Vancouver\"` (or whichever is yours), unless UTC is meant";
                Row::warn("zone", &*spec.name, found, advice)
            } else {
                Row::ok("zone", &*spec.name, found)
            }
        })
        .collect()
}

/// Whether cooldowns, histories, levers and records outlive the worker.
pub async fn state(state: &StateArg, dyno: Option<&str>, world: &Arc<World>) -> Vec<Row> {
    let redis = "keep it in Redis: `--state redis`, or AUTOSCALER_STATE=redis";
    let ends = "the disk of a dyno ends with it: after every restart the worker starts anew";
    let row = match state {
        StateArg::Memory => {
            let found = "in memory: cooldowns, histories and levers end with the worker";
            Row::warn("state", "memory", found, "name a folder by `--state DIR`, or a Redis")
        }
        StateArg::Redis(place) => {
            let shown = place.to_string();
            let server = match place.server() {
                Ok(server) => server,
                Err(why) => return vec![Row::fail("state", shown, why, "see --state or AUTOSCALER_STATE")],
            };
            let question =
                RedisQuestion { command: "EXISTS", key: b"autoscaler:states".to_vec(), arguments: Vec::new() };
            match world.redis.read(&server, &question).await {
                Ok(_) => Row::ok("state", shown, "answers; what is remembered there outlives the worker"),
                Err(error) => Row::fail("state", shown, error.message, "see --state or AUTOSCALER_STATE"),
            }
        }
        StateArg::Home if dyno.is_some() => Row::warn("state", "this dyno", ends, redis),
        StateArg::Folder(folder) if dyno.is_some() => Row::warn("state", folder.display().to_string(), ends, redis),
        StateArg::Home => {
            if let Some(home) = std::env::var_os("XDG_STATE_HOME").or_else(|| std::env::var_os("HOME")) {
                folder(Path::new(&home), "a folder of the script's own below it outlives the worker")
            } else {
                let found = "neither HOME nor XDG_STATE_HOME is set: state would be kept in memory";
                Row::warn("state", "home", found, "name a folder by `--state DIR`")
            }
        }
        StateArg::Folder(path) => folder(path, "what is remembered there outlives the worker"),
    };
    vec![row]
}

/// Whether `path`, or the nearest folder above it that there is, can be written.
fn folder(path: &Path, good: &str) -> Row {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let shown = path.display().to_string();
    let there = path.ancestors().find(|folder| folder.exists());
    let writable =
        there.is_some_and(|folder| folder.is_dir() && rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok());
    if writable {
        Row::ok("state", shown, good)
    } else {
        let found = "cannot be written: state would be kept in memory";
        Row::fail("state", shown, found, "name a folder that this user may write by `--state DIR`")
    }
}
