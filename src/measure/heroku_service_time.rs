//! Owns the measurement of Heroku's own service time (`HerokuServiceTimeBackend`): a probe with a
//! request id of ours, and the `service=` of the router line with that id. Where no line comes the
//! measurement fails; no number is made up.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::probe::{self, Probe};
use super::{Measure, MeasureContext, Reading, Surroundings};
use crate::heroku::{App, Heroku, RouterLine, uuid};
use crate::pipeline::Failure;
use crate::rules;
use crate::scale::heroku as settings;
use crate::secret::Secret;
use crate::settings::{Constructor, Fields, Kind, Place, Preset, Report, Setting, StageKind};
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
        Setting {
            name: "app_name",
            kind: Kind::Text,
            preset: Preset::None("that of the pipeline's `scale::heroku`"),
            doc: "The app whose router log is read.",
        },
        Setting {
            name: "api_key",
            kind: Kind::Secret,
            preset: Preset::None("that of the pipeline's `scale::heroku`"),
            doc: "A key that may read the app's log.",
        },
        Setting {
            name: "api_url",
            kind: Kind::Text,
            preset: Preset::None("that of the pipeline's `scale::heroku`, else the public one"),
            doc: "Where the Platform API is.",
        },
    ],
    read,
};

/// The header by which Heroku's router takes over a request id.
const REQUEST_ID: &str = "X-Request-ID";

/// Router errors that more dynos can help against
/// (<https://devcenter.heroku.com/articles/error-codes>): backlog too deep, time-outs, connections that
/// are closed, refused or too many. The app of any other is crashed, stopped or misconfigured.
const LOAD_CODES: &[&str] = &["H11", "H12", "H13", "H18", "H19", "H20", "H21", "H22"];

/// The backend with its settings.
#[derive(Debug)]
struct HerokuServiceTime {
    probe: Probe,
    own: Own,
    /// Where it is written, for what is missing.
    place: Option<Place>,
    /// Whose log is read; known once the pipeline is settled.
    app: Option<App>,
}

/// What the script writes of the app itself.
#[derive(Debug)]
struct Own {
    name: Option<Arc<str>>,
    key: Option<Secret>,
    api_url: Option<Arc<str>>,
}

fn read(fields: &mut Fields<'_>) -> Option<Box<dyn Measure>> {
    // What is not written comes from the scale stage; what is written wrongly is reported once.
    let name = fields.has("app_name").then(|| settings::app_name(fields));
    let key = fields.has("api_key").then(|| settings::api_key(fields));
    let api_url = fields.has("api_url").then(|| settings::api_url(fields));
    let place = fields.place("app_name");
    let probe = Probe::read(fields);
    let wrong = matches!(name, Some(None)) || matches!(key, Some(None)) || matches!(api_url, Some(None));
    let own = Own { name: name.flatten(), key: key.flatten(), api_url: api_url.flatten() };
    (!wrong).then_some(Box::new(HerokuServiceTime { probe: probe?, own, place, app: None }))
}

impl HerokuServiceTime {
    fn judge(line: &RouterLine) -> Result<f64, Failure> {
        let Some((code, description)) = &line.code else {
            let missing = || Failure::not_load("the router line of the request has no `service=`");
            return line.service_ms.ok_or_else(missing);
        };
        let message = format!("heroku's router answered {code} ({description})");
        Err(if LOAD_CODES.contains(&code.as_str()) { Failure::overload(message) } else { Failure::not_load(message) })
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
            settings.insert("app_name".into(), json!(&*app.name));
            settings.insert("api_key".into(), json!(app.key));
            settings.insert("api_url".into(), json!(&*app.api_url));
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
        let owner = "`measure::heroku_service_time`";
        let scale = around.scale.heroku();
        let name = self.own.name.clone().or_else(|| scale.map(|app| Arc::clone(&app.name)));
        let key = self.own.key.clone().or_else(|| scale.map(|app| app.key.clone()));
        let api_url = self.own.api_url.clone().or_else(|| scale.map(|app| Arc::clone(&app.api_url)));
        let (Some(name), Some(key)) = (name, key) else {
            let message = format!("{owner} reads the router log of an app on heroku, and no app is known");
            let help = "give it `app_name` and `api_key`, or scale the pipeline with `scale::heroku`";
            report.say(&rules::MISSING_SETTING, self.place.as_ref(), message, help.to_owned());
            return;
        };
        let api_url = api_url.unwrap_or_else(|| Arc::from(crate::heroku::PUBLIC_API));
        let process_type = scale.map_or_else(|| Arc::from(""), |app| Arc::clone(&app.process_type));
        let app = App { api_url, name, key, process_type };
        self.probe.settle_app(&app);
        self.app = Some(app);
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
