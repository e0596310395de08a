//! Owns the measurement of Heroku's own service time (`HerokuServiceTimeBackend`): a probe with a
//! request id of ours, and the `service=` of the router line with that id. Where no line comes the
//! measurement fails; no number is made up.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::heroku_app::{self, HerokuApp};
use super::probe::{self, Probe};
use super::{Measure, MeasureContext, Reading, Surroundings};
use crate::heroku::{App, CAPACITY_CODES, Heroku, RouterLine, uuid};
use crate::pipeline::Failure;
use crate::settings::{Constructor, Fields, Report, StageKind};
use crate::world::World;

/// `measure::heroku_service_time`
pub const CONSTRUCTOR: Constructor<Box<dyn Measure>> = Constructor {
    kind: StageKind::Measure,
    name: "heroku_service_time",
    backend: "HerokuServiceTimeBackend",
    doc: "Asks a URL of the app and reads from Heroku's router log how many milliseconds the dyno took.",
    settings: &[
        probe::measurement_url("/measurement"),
        probe::BASE_URL,
        probe::TIMEOUT,
        probe::HEADERS,
        heroku_app::APP_NAME,
        heroku_app::API_KEY,
        heroku_app::API_URL,
    ],
    read,
};

/// The header by which Heroku's router takes over a request id.
const REQUEST_ID: &str = "X-Request-ID";

/// The backend with its settings.
#[derive(Debug)]
struct HerokuServiceTime {
    probe: Probe,
    own: HerokuApp,
    /// Whose log is read; known once the pipeline is settled.
    app: Option<App>,
}

fn read(fields: &mut Fields<'_>) -> Option<Box<dyn Measure>> {
    let own = HerokuApp::read(fields);
    let probe = Probe::read(fields);
    Some(Box::new(HerokuServiceTime { probe: probe?, own: own?, app: None }))
}

impl HerokuServiceTime {
    fn judge(line: &RouterLine) -> Result<f64, Failure> {
        let Some((code, description)) = &line.code else {
            let missing = || Failure::not_load("the router line of the request has no `service=`");
            return line.service_ms.ok_or_else(missing);
        };
        let message = format!("heroku's router answered {code} ({description})");
        Err(if CAPACITY_CODES.contains(&code.as_str()) {
            Failure::overload(message)
        } else {
            Failure::not_load(message)
        })
    }
}

#[async_trait]
impl Measure for HerokuServiceTime {
    fn backend(&self) -> &'static str {
        CONSTRUCTOR.backend
    }

    fn settings(&self) -> Json {
        let mut settings = self.probe.settings();
        if let Some(app) = &self.app {
            heroku_app::shown(app, &mut settings);
        }
        settings.into()
    }

    fn source(&self) -> String {
        let app = self.app.as_ref().map_or_else(String::new, |app| format!(" in the log of {}", app.name));
        format!("milliseconds of heroku service time of {}{app}", self.probe.source())
    }

    fn unit(&self) -> Option<&'static str> {
        Some("ms")
    }

    fn settle(&mut self, around: &Surroundings<'_>, report: &mut Report) {
        let help = "give it `app_name` and `api_key`, or scale the pipeline with `scale::heroku`";
        self.app = self.own.settle(around, "`measure::heroku_service_time`", help, report);
        if let Some(app) = &self.app {
            self.probe.settle_app(app);
        }
    }

    fn probe(&self) -> Option<&Probe> {
        Some(&self.probe)
    }

    fn reaches(&self) -> Vec<String> {
        let log = self.app.iter().map(|app| format!("{}/apps/{}/log-sessions", app.api_url, app.name));
        self.probe.reaches().into_iter().chain(log).collect()
    }

    async fn measure(&self, _context: &MeasureContext<'_>, world: &Arc<World>) -> Result<Reading, Failure> {
        let app = self.app.as_ref().ok_or_else(|| Failure::not_load("no app is known whose log could be read"))?;
        let tail = match world.platforms.heroku() {
            Some(heroku) => heroku.tail(app, world),
            None => Heroku::default().tail(app, world),
        };
        let id = uuid();
        // Watched before it is sent: the line may come before the reply.
        let watch = tail.watch(&id).await.map_err(Failure::not_load)?;
        self.probe.ask(world, &[(REQUEST_ID.into(), id)]).await?;
        let line = watch.line().await.map_err(Failure::not_load)?;
        let service = Self::judge(&line)?;
        Ok(Reading { data: json!(service), value: Some(service) })
    }
}
