//! Owns which app on Heroku a measurement is about: the one that it writes, else the one that its pipeline scales.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::Surroundings;
use crate::heroku::{App, PUBLIC_API};
use crate::rules;
use crate::scale::heroku as settings;
use crate::secret::{MASK, Secret};
use crate::settings::{Fields, Kind, Place, Preset, Report, Setting};

/// The setting `app_name`.
pub const APP_NAME: Setting = Setting {
    name: "app_name",
    kind: Kind::Text,
    preset: Preset::None("that of the pipeline's `scale::heroku`"),
    doc: "The app whose router log is read.",
};

/// The setting `api_key`.
pub const API_KEY: Setting = Setting {
    name: "api_key",
    kind: Kind::Secret,
    preset: Preset::None("that of the pipeline's `scale::heroku`"),
    doc: "A key that may read the app's log.",
};

/// The setting `api_url`.
pub const API_URL: Setting = Setting {
    name: "api_url",
    kind: Kind::Text,
    preset: Preset::None("that of the pipeline's `scale::heroku`, else the public one"),
    doc: "Where the Platform API is.",
};

/// What the script writes of the app itself.
#[derive(Debug)]
pub struct HerokuApp {
    name: Option<Arc<str>>,
    key: Option<Secret>,
    api_url: Option<Arc<str>>,
    /// Where it is written, for what is missing.
    place: Option<Place>,
}

impl HerokuApp {
    /// Reads it. What is not written comes from the scale stage; what is written wrongly is reported once.
    pub fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let name = fields.has("app_name").then(|| settings::app_name(fields));
        let key = fields.has("api_key").then(|| settings::api_key(fields));
        let api_url = fields.has("api_url").then(|| settings::api_url(fields));
        let place = fields.place("app_name");
        let wrong = matches!(name, Some(None)) || matches!(key, Some(None)) || matches!(api_url, Some(None));
        let own = Self { name: name.flatten(), key: key.flatten(), api_url: api_url.flatten(), place };
        (!wrong).then_some(own)
    }

    /// The app, or a report that none is known to `owner`; `help` says what to write.
    pub fn settle(&self, around: &Surroundings<'_>, owner: &str, help: &str, report: &mut Report) -> Option<App> {
        let scale = around.scale.heroku();
        let name = self.name.clone().or_else(|| scale.map(|app| Arc::clone(&app.name)));
        let key = self.key.clone().or_else(|| scale.map(|app| app.key.clone()));
        let api_url = self.api_url.clone().or_else(|| scale.map(|app| Arc::clone(&app.api_url)));
        let (Some(name), Some(key)) = (name, key) else {
            let message = format!("{owner} reads the router log of an app on heroku, and no app is known");
            report.say(&rules::MISSING_SETTING, self.place.as_ref(), message, help.to_owned());
            return None;
        };
        let api_url = api_url.unwrap_or_else(|| Arc::from(PUBLIC_API));
        let process_type = scale.map_or_else(|| Arc::from(""), |app| Arc::clone(&app.process_type));
        Some(App { api_url, name, key, process_type })
    }
}

/// Adds an app to the settings as resolved.
pub fn shown(app: &App, settings: &mut Map<String, Json>) {
    settings.insert("app_name".into(), json!(app.name));
    settings.insert("api_key".into(), json!(MASK));
    settings.insert("api_url".into(), json!(app.api_url));
}
