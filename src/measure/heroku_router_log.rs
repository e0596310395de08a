//! Owns the measurement of an app's real traffic on Heroku: percentiles of its requests' times, how many there are,
//! and how many fail for want of capacity, from the router's log over a window. It sends no request of its own, and
//! a window in which nothing is known has no value.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value as Json, json};
use tokio::time::Instant;

use super::heroku_app::{self, HerokuApp};
use super::{Measure, MeasureContext, Reading, Surroundings};
use crate::heroku::traffic::{Code, Summary, Times, Traffic};
use crate::heroku::{App, CAPACITY_CODES, Heroku};
use crate::pipeline::Failure;
use crate::secret::{MASK, Secret};
use crate::settings::{Constructor, Fields, Kind, Preset, Report, Setting, StageKind};
use crate::world::World;

/// `measure::heroku_router_log`
pub const CONSTRUCTOR: Constructor<Box<dyn Measure>> = Constructor {
    kind: StageKind::Measure,
    name: "heroku_router_log",
    backend: "HerokuRouterLogBackend",
    doc: "Measures the app's real requests over a window, from Heroku's router log: a percentile of their times in \
        milliseconds, requests a second, or errors that more dynos help against.",
    settings: &[
        Setting {
            name: "of",
            kind: Kind::OneOf(&["service", "connect", "total", "requests", "errors"]),
            preset: Preset::Text("service"),
            doc: "What is judged: a percentile of the time at the dyno (its queue included), to connect to it, or \
                of both; requests per second; or the number of requests in the window that ended in one of `codes`.",
        },
        Setting {
            name: "percentile",
            kind: Kind::Number,
            preset: Preset::Number(95.0),
            doc: "Which percentile of a time, above 0 and at most 100.",
        },
        Setting {
            name: "window_seconds",
            kind: Kind::Seconds,
            preset: Preset::Number(60.0),
            doc: "How far back it looks, 5 to 3600.",
        },
        Setting {
            name: "codes",
            kind: Kind::Texts,
            preset: Preset::None("those of want of capacity: H11, H12, H13, H18 to H22"),
            doc: "The error codes that `of: \"errors\"` counts; with a drain also those of dynos, such as \"R14\".",
        },
        Setting {
            name: "no_requests",
            kind: Kind::OneOf(&["hold", "zero"]),
            preset: Preset::Text("hold"),
            doc: "What a time is when the log is followed and no request came: no value, or 0.",
        },
        Setting {
            name: "drain_token",
            kind: Kind::Secret,
            preset: Preset::None("none: a log session is followed"),
            doc: "The token of the app's log drain, `d.…`, whose lines come to `--listen`.",
        },
        heroku_app::APP_NAME,
        heroku_app::API_KEY,
        heroku_app::API_URL,
    ],
    read,
};

/// Windows that make sense: the ring has twelve slices.
const SHORTEST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(3600);

/// A log session sends what came before within this time.
const BEFORE: Duration = Duration::from_secs(1);

/// With more lines lost than one in so many, the window says nothing.
const LOST: u64 = 10;

/// What is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Service,
    Connect,
    Total,
    Requests,
    Errors,
}

/// The backend with its settings.
#[derive(Debug)]
struct RouterLog {
    of: Of,
    word: &'static str,
    percentile: f64,
    window: Duration,
    codes: Vec<Code>,
    /// Whether no requests are a time of 0.
    zero: bool,
    drain: Option<Secret>,
    own: HerokuApp,
    /// Whose log is followed; known once the pipeline is settled, and only without a drain.
    app: Option<App>,
}

fn read(fields: &mut Fields<'_>) -> Option<Box<dyn Measure>> {
    let word = fields.word("of")?;
    let of = match word {
        "connect" => Of::Connect,
        "total" => Of::Total,
        "requests" => Of::Requests,
        "errors" => Of::Errors,
        _ => Of::Service,
    };
    let percentile = fields.number("percentile")?;
    let mut good = true;
    if !(percentile > 0.0 && percentile <= 100.0) {
        fields.error("percentile", format!("`percentile` is {percentile}, and must be above 0 and at most 100"), None);
        good = false;
    }
    let window = fields.seconds("window_seconds")?;
    if !(SHORTEST..=LONGEST).contains(&window) {
        let (low, high) = (SHORTEST.as_secs(), LONGEST.as_secs());
        let message = format!("`window_seconds` is {}, and must be between {low} and {high}", window.as_secs_f64());
        fields.error("window_seconds", message, None);
        good = false;
    }
    let codes = codes(fields);
    let zero = fields.word("no_requests") == Some("zero");
    let drain = if fields.has("drain_token") { Some(fields.secret("drain_token")?) } else { None };
    let own = HerokuApp::read(fields)?;
    let codes = codes?;
    good.then(|| Box::new(RouterLog { of, word, percentile, window, codes, zero, drain, own, app: None }) as _)
}

fn codes(fields: &mut Fields<'_>) -> Option<Vec<Code>> {
    if !fields.has("codes") {
        return Some(CAPACITY_CODES.iter().copied().filter_map(Code::read).collect());
    }
    let texts = fields.texts("codes")?;
    let read = |text: &Arc<str>| Code::read(text).ok_or_else(|| Arc::clone(text));
    match texts.iter().map(read).collect::<Result<Vec<_>, _>>() {
        Ok(mut codes) => {
            codes.sort_unstable();
            codes.dedup();
            Some(codes)
        }
        Err(text) => {
            let help = "a code of Heroku's is a letter and two digits, such as \"H12\"".to_owned();
            fields.error("codes", format!("`codes` has `{text}`, which is no error code"), Some(help));
            None
        }
    }
}

impl RouterLog {
    /// The requests, from wherever they come.
    async fn traffic(&self, world: &Arc<World>) -> Result<Arc<Traffic>, Failure> {
        let nowhere = || Failure::not_load("this world reads no log of heroku's");
        let heroku = world.platforms.heroku().ok_or_else(nowhere)?;
        if let Some(token) = &self.drain {
            let traffic = heroku.drains().traffic(token, Instant::now());
            // Counted from now on, whatever is said.
            traffic.look(self.window, Instant::now());
            if !heroku.drains().is_listening() {
                let why = "the log drain has nowhere to come to: start the worker with `--listen 0.0.0.0:$PORT`";
                return Err(Failure::not_load(why));
            }
            return Ok(traffic);
        }
        let app = self.app.as_ref().ok_or_else(|| Failure::not_load("no app is known whose log could be read"))?;
        self.follow(heroku, app, world).await
    }

    async fn follow(&self, heroku: &Heroku, app: &App, world: &World) -> Result<Arc<Traffic>, Failure> {
        let tail = heroku.tail(app, world);
        let traffic = Arc::clone(tail.traffic());
        let fresh = traffic.look(self.window, Instant::now()).lines == 0;
        tail.follow().await.map_err(Failure::not_load)?;
        if fresh {
            tokio::time::sleep(BEFORE).await;
        }
        Ok(traffic)
    }

    /// The number to judge.
    fn judge(&self, sum: &Summary) -> Result<f64, Failure> {
        let seconds = self.window.as_secs_f64();
        if self.drain.is_some() && sum.lines == 0 {
            return Err(Failure::not_load(format!(
                "nothing came from the log drain in the last {seconds} s: there is no traffic at all, or the drain does \
                 not come here (`heroku drains`)"
            )));
        }
        if sum.lost > 0 && sum.lost.saturating_mul(LOST) > sum.lines.saturating_add(sum.lost) {
            let of = sum.lines.saturating_add(sum.lost);
            return Err(Failure::overload(format!("{} of {of} lines of the log were lost", sum.lost)));
        }
        let whole = sum.covered >= self.window;
        let times = match self.of {
            Of::Service => &sum.service,
            Of::Connect => &sum.connect,
            Of::Total => &sum.total,
            Of::Requests | Of::Errors if !whole => {
                return Err(Failure::not_load(format!(
                    "the log is known for {:.0} s, and the window has {seconds} s",
                    sum.covered.as_secs_f64()
                )));
            }
            Of::Requests => return Ok(per_second(sum)),
            Of::Errors => return Ok(count(sum, &self.codes)),
        };
        match times {
            Some(times) => Ok(quantile(times, self.percentile)),
            None if whole && self.zero && sum.requests == 0 => Ok(0.0),
            None => {
                let seconds = seconds.min(sum.covered.as_secs_f64()).round();
                let mend = if self.zero || !whole { "" } else { "; `no_requests: \"zero\"` counts that as 0" };
                Err(Failure::not_load(format!("no request was answered in the last {seconds} s{mend}")))
            }
        }
    }

    /// Everything that is known of the window.
    fn data(&self, sum: &Summary) -> Json {
        let errors: Map<String, Json> =
            sum.codes.iter().map(|(code, times)| (code.to_string(), json!(times))).collect();
        json!({
            "requests": sum.requests,
            "per_second": rounded(per_second(sum)),
            "service_ms": self.percentiles(&sum.service),
            "connect_ms": self.percentiles(&sum.connect),
            "total_ms": self.percentiles(&sum.total),
            "errors": errors,
            "lost": sum.lost,
            "seconds": rounded(sum.covered.min(self.window).as_secs_f64()),
        })
    }

    fn percentiles(&self, times: &Times) -> Json {
        let Some(times) = times else { return Json::Null };
        let mut shown = Map::new();
        for percentile in [50.0, 95.0, 99.0, self.percentile] {
            shown.insert(format!("p{percentile}"), json!(quantile(times, percentile)));
        }
        shown.into()
    }
}

#[allow(clippy::cast_precision_loss)]
fn quantile(times: &hdrhistogram::Histogram<u32>, percentile: f64) -> f64 {
    // Times within 1 % are not told apart; of those the shortest is shown, which is a round one.
    times.lowest_equivalent(times.value_at_quantile(percentile / 100.0)) as f64
}

#[allow(clippy::cast_precision_loss)]
fn per_second(sum: &Summary) -> f64 {
    if sum.covered.is_zero() { 0.0 } else { sum.requests as f64 / sum.covered.as_secs_f64() }
}

#[allow(clippy::cast_precision_loss)]
fn count(sum: &Summary, codes: &[Code]) -> f64 {
    sum.codes.iter().filter(|(code, _)| codes.contains(code)).map(|(_, times)| *times).sum::<u64>() as f64
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[async_trait]
impl Measure for RouterLog {
    fn backend(&self) -> &'static str {
        CONSTRUCTOR.backend
    }

    fn settings(&self) -> Json {
        let mut settings = Map::new();
        settings.insert("of".into(), json!(self.word));
        settings.insert("percentile".into(), json!(self.percentile));
        settings.insert("window_seconds".into(), json!(self.window.as_secs_f64()));
        settings.insert("codes".into(), self.codes.iter().map(ToString::to_string).collect::<Vec<_>>().into());
        settings.insert("no_requests".into(), json!(if self.zero { "zero" } else { "hold" }));
        if self.drain.is_some() {
            settings.insert("drain_token".into(), json!(MASK));
        }
        if let Some(app) = &self.app {
            heroku_app::shown(app, &mut settings);
        }
        settings.into()
    }

    fn source(&self) -> String {
        let what = match self.of {
            Of::Requests => "requests a second".to_owned(),
            Of::Errors => "errors".to_owned(),
            _ => format!("p{} of {} milliseconds", self.percentile, self.word),
        };
        let from = self.app.as_ref().map_or_else(|| "a log drain".to_owned(), |app| format!("the log of {}", app.name));
        format!("{what} over {} s in {from}", self.window.as_secs_f64())
    }

    fn unit(&self) -> Option<&'static str> {
        match self.of {
            Of::Service | Of::Connect | Of::Total => Some("ms"),
            Of::Requests => Some("requests/s"),
            Of::Errors => Some("errors"),
        }
    }

    fn settle(&mut self, around: &Surroundings<'_>, report: &mut Report) {
        if self.drain.is_none() {
            let help = "give it `app_name` and `api_key`, the `drain_token` of a log drain, or scale the pipeline with \
                        `scale::heroku`";
            self.app = self.own.settle(around, "`measure::heroku_router_log`", help, report);
        }
    }

    fn reaches(&self) -> Vec<String> {
        self.app.iter().map(|app| format!("{}/apps/{}/log-sessions", app.api_url, app.name)).collect()
    }

    async fn measure(&self, _context: &MeasureContext<'_>, world: &Arc<World>) -> Result<Reading, Failure> {
        let traffic = self.traffic(world).await?;
        let sum = traffic.look(self.window, Instant::now());
        let value = self.judge(&sum)?;
        Ok(Reading { data: self.data(&sum), value: Some(value) })
    }
}
