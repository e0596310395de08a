//! Owns the measurement of how long requests waited before the app took them up, as the app's own
//! middleware notes it from `X-Request-Start`: of one process through a URL, of all of them through Redis. It
//! knows nothing of how long they took then.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::json::parse;
use super::probe::{self, Probe};
use super::redis_source::{self, RedisSource};
use super::{Measure, MeasureContext, Reading, Surroundings};
use crate::pipeline::Failure;
use crate::settings::{Constructor, Fields, Kind, Preset, Report, Setting, StageKind};
use crate::world::{RedisQuestion, RedisValue, World};

/// The most reports that are read: those of 80 processes in a minute, all together below 1 MiB.
const MOST_REPORTS: i64 = 999;

/// A process reports every five seconds: after three times that it is not there.
const REPORTS_WITHIN: f64 = 15.0;

/// `measure::request_queue_time`
pub const CONSTRUCTOR: Constructor<Box<dyn Measure>> = Constructor {
    kind: StageKind::Measure,
    name: "request_queue_time",
    backend: "RequestQueueTimeBackend",
    doc: "Measures the milliseconds that requests waited before the app took them up, as the middleware of \
          `autoscaler_django` notes them.",
    settings: &[
        Setting {
            name: "percentile",
            kind: Kind::Number,
            preset: Preset::Number(95.0),
            doc: "Which of the waits counts: 95 is the one that 95 of 100 requests stay below.",
        },
        Setting {
            name: "window_seconds",
            kind: Kind::Seconds,
            preset: Preset::Number(60.0),
            doc: "The requests of so many seconds are looked at; by `url` those that the app tells.",
        },
        Setting {
            name: "url",
            kind: Kind::Text,
            preset: Preset::None("Redis is read"),
            doc: "Where the app tells the waits of the process that answers: for apps of one process.",
        },
        probe::BASE_URL,
        probe::TIMEOUT,
        probe::HEADERS,
        redis_source::REDIS_URL,
        redis_source::MASTER_NAME,
        Setting {
            name: "redis_key",
            kind: Kind::Text,
            preset: Preset::Text("autoscaler:queue-time"),
            doc: "The list that all processes of the app report to.",
        },
    ],
    read,
};

#[derive(Debug)]
struct QueueTime {
    percentile: f64,
    /// Seconds.
    window: f64,
    from: From,
}

#[derive(Debug)]
enum From {
    Url(Box<Probe>),
    Redis { source: Box<RedisSource>, key: Arc<str> },
}

/// What a process reports: how many requests waited so many milliseconds.
#[derive(Debug, Deserialize)]
struct Waits {
    /// When, as Unix seconds.
    #[serde(default)]
    at: f64,
    ms: BTreeMap<String, u64>,
}

fn read(fields: &mut Fields<'_>) -> Option<Box<dyn Measure>> {
    let percentile = fields.number("percentile")?;
    let window = fields.seconds("window_seconds")?.as_secs_f64();
    if !(0.0..=100.0).contains(&percentile) {
        fields.error("percentile", format!("`percentile` is {percentile}, and must be between 0 and 100"), None);
        return None;
    }
    let from = if fields.has("url") {
        if fields.has("redis_url") {
            let help = "`url` is for an app of one process, `redis_url` for all of several";
            fields.error("redis_url", "`url` and `redis_url` are both written, and one is read", Some(help.into()));
            return None;
        }
        From::Url(Box::new(Probe::read_named("url", fields)?))
    } else {
        From::Redis { source: Box::new(RedisSource::read(fields)?), key: fields.text("redis_key")? }
    };
    Some(Box::new(QueueTime { percentile, window, from }))
}

impl QueueTime {
    /// The wait at the percentile, nearest rank; 0 where no request came. `None`: a report is none.
    fn judge(&self, reports: &[Waits]) -> Option<Reading> {
        let mut waits: Vec<(f64, u64)> = Vec::new();
        for (ms, count) in reports.iter().flat_map(|report| &report.ms) {
            let ms: f64 = ms.parse().ok().filter(|ms: &f64| ms.is_finite() && *ms >= 0.0)?;
            waits.push((ms, *count));
        }
        waits.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let requests = waits.iter().fold(0_u64, |sum, (_, count)| sum.saturating_add(*count));
        // Requests of one window fit into 53 bits.
        #[allow(clippy::cast_precision_loss)]
        let rank = (self.percentile / 100.0 * requests as f64).ceil().max(1.0);
        let mut passed = 0.0;
        #[allow(clippy::cast_precision_loss)]
        let at = waits.iter().find(|(_, count)| {
            passed += *count as f64;
            passed >= rank
        });
        let value = at.map_or(0.0, |(ms, _)| *ms);
        Some(Reading { data: json!({ "ms": value, "requests": requests }), value: Some(value) })
    }

    async fn by_url(&self, probe: &Probe, world: &Arc<World>) -> Result<Reading, Failure> {
        let answer = probe.ask(world, &[]).await?;
        let url = answer.url.split('?').next().unwrap_or_default();
        let why = || format!("`{url}` does not answer as the view `queue_time` of `autoscaler_django` does");
        let waits = parse(&answer.reply.body).ok().and_then(|data| Waits::deserialize(data).ok());
        waits.and_then(|waits| self.judge(&[waits])).ok_or_else(|| Failure::not_load(why()))
    }

    async fn by_redis(&self, source: &RedisSource, key: &str, world: &Arc<World>) -> Result<Reading, Failure> {
        let server = source.server()?;
        let arguments = vec![b"0".to_vec(), MOST_REPORTS.to_string().into_bytes()];
        let question = RedisQuestion { command: "LRANGE", key: key.as_bytes().to_vec(), arguments };
        let answer = world.redis.read(server, &question).await.map_err(redis_source::failure)?;
        let RedisValue::List(texts) = answer else {
            return Err(Failure::not_load(format!("`{key}` in {server} is no list of reports")));
        };
        #[allow(clippy::cast_precision_loss)]
        let now = world.clock.now().timestamp_millis() as f64 / 1000.0;
        let mut reports = Vec::new();
        for text in &texts {
            let waits = parse(text.as_bytes()).ok().and_then(|data| Waits::deserialize(data).ok());
            let why = || Failure::not_load(format!("`{key}` in {server} holds something that is no report"));
            let waits = waits.ok_or_else(why)?;
            if now - waits.at <= self.window.max(REPORTS_WITHIN) {
                reports.push(waits);
            }
        }
        // Without requests a process still reports that none came. One without the middleware never does.
        if reports.iter().all(|report| now - report.at > REPORTS_WITHIN) {
            return Err(Failure::not_load(format!(
                "no process has reported its waits to `{key}` in {server} for {REPORTS_WITHIN} s; is the middleware \
                 `autoscaler_django.middleware.QueueTime` on, and its Redis the same?"
            )));
        }
        reports.retain(|report| now - report.at <= self.window);
        self.judge(&reports)
            .ok_or_else(|| Failure::not_load(format!("`{key}` in {server} holds something that is no report")))
    }
}

#[async_trait]
impl Measure for QueueTime {
    fn backend(&self) -> &'static str {
        CONSTRUCTOR.backend
    }

    fn settings(&self) -> Json {
        let mut settings = match &self.from {
            From::Url(probe) => probe.settings(),
            From::Redis { source, key } => {
                let mut settings = Map::new();
                source.show(&mut settings);
                settings.insert("redis_key".into(), json!(key));
                settings
            }
        };
        settings.insert("percentile".into(), json!(self.percentile));
        settings.insert("window_seconds".into(), json!(self.window));
        settings.into()
    }

    fn source(&self) -> String {
        let from = match &self.from {
            From::Url(probe) => probe.source(),
            From::Redis { source, key } => format!("{key} of {}", source.shown()),
        };
        format!("p{} of request queue times in ms from {from}", self.percentile)
    }

    fn unit(&self) -> Option<&'static str> {
        Some("ms")
    }

    fn needs(&self) -> Vec<(Arc<str>, bool)> {
        match &self.from {
            From::Url(_) => Vec::new(),
            From::Redis { source, .. } => source.needs(),
        }
    }

    fn settle(&mut self, around: &Surroundings<'_>, report: &mut Report) {
        if let From::Url(probe) = &mut self.from {
            probe.settle("`measure::request_queue_time`", around, report);
        }
    }

    fn probe(&self) -> Option<&Probe> {
        match &self.from {
            From::Url(probe) => Some(probe),
            From::Redis { .. } => None,
        }
    }

    fn reaches(&self) -> Vec<String> {
        match &self.from {
            From::Url(probe) => probe.reaches(),
            From::Redis { source, .. } => source.reaches(),
        }
    }

    async fn measure(&self, _context: &MeasureContext<'_>, world: &Arc<World>) -> Result<Reading, Failure> {
        match &self.from {
            From::Url(probe) => self.by_url(probe, world).await,
            From::Redis { source, key } => self.by_redis(source, key, world).await,
        }
    }
}
