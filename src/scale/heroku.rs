//! Owns `scale::heroku`: its settings, and a platform that hands everything to the app's target.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value as Json, json};
use url::Url;

use super::Scale;
use crate::heroku::{App, Heroku, PUBLIC_API, Target};
use crate::rules;
use crate::secret::Secret;
use crate::settings::{Constructor, Fields, Kind, Place, Preset, Report, Setting, StageKind, Value};
use crate::world::{Condition, Freshness, Platform, ScaleError, Supply, Wants, World};

static SETTINGS: &[Setting] = &[
    Setting { name: "app_name", kind: Kind::Text, preset: Preset::Required, doc: "The app's name on Heroku." },
    Setting {
        name: "api_key",
        kind: Kind::Secret,
        preset: Preset::Required,
        doc: "A key that may scale the app, as `heroku authorizations:create` makes it.",
    },
    Setting {
        name: "process_type",
        kind: Kind::Text,
        preset: Preset::None("the pipeline's name after its last `/`"),
        doc: "The process type that is scaled, as in the Procfile.",
    },
    Setting { name: "api_url", kind: Kind::Text, preset: Preset::Text(PUBLIC_API), doc: "Where the Platform API is." },
];

/// `scale::heroku(#{ … })`.
pub const HEROKU: Constructor<Box<dyn Scale>> = Constructor {
    kind: StageKind::Scale,
    name: "heroku",
    backend: BACKEND,
    doc: "Scales a process type of an app on Heroku.",
    settings: SETTINGS,
    read: |fields| Some(Box::new(read(fields)?) as Box<dyn Scale>),
};

/// Documented under this name, and as `HerokuScaleBackend`.
const BACKEND: &str = "HerokuBackend";

/// The longest name of a process type that Heroku takes.
const LONGEST_TYPE: usize = 128;

/// An app on Heroku that is scaled.
#[derive(Clone, Debug)]
pub struct HerokuScale {
    app: App,
    /// Whether the script wrote the process type itself.
    written: bool,
    place: Option<Place>,
}

fn read(fields: &mut Fields<'_>) -> Option<HerokuScale> {
    let (name, key) = (app_name(fields), api_key(fields));
    let (process_type, api_url) = (fields.text("process_type"), api_url(fields));
    if let Some(process_type) = &process_type
        && !is_process_type(process_type)
    {
        let message = format!("`process_type` is \"{process_type}\", and must be a name as in the Procfile");
        fields.error("process_type", message, Some("letters, digits, `-` and `_`, at most 128".into()));
    }
    let (written, place) = (process_type.is_some(), fields.place("process_type"));
    let process_type = process_type.unwrap_or_default();
    Some(HerokuScale { app: App { api_url: api_url?, name: name?, key: key?, process_type }, written, place })
}

/// Reads `app_name`: what may stand in a path as it is.
pub(crate) fn app_name(fields: &mut Fields<'_>) -> Option<Arc<str>> {
    let name = fields.text("app_name")?;
    if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
        return Some(name);
    }
    let help = "the name as in `heroku apps`, such as \"dancing-forest-1234\"";
    fields.error("app_name", format!("`app_name` is \"{name}\", which is no name of an app"), Some(help.into()));
    None
}

/// Reads `api_key`: a secret that is missing here is an empty one, a written empty text is an error.
pub(crate) fn api_key(fields: &mut Fields<'_>) -> Option<Secret> {
    let empty = match fields.node("api_key").map(|node| &node.value) {
        Some(Value::Text(text)) => text.trim().is_empty(),
        Some(Value::Secret(secret)) => secret.expose().trim().is_empty(),
        _ => false,
    };
    if empty {
        let help = "make a key with `heroku authorizations:create`";
        fields.error("api_key", "`api_key` is empty", Some(help.into()));
        return None;
    }
    let key = fields.secret("api_key")?;
    let fits = |c: char| c.is_ascii_graphic();
    if key.expose().chars().all(fits) {
        return Some(key);
    }
    fields.error("api_key", "`api_key` has characters that no key has, such as a space or a line end", None);
    None
}

/// Reads `api_url`: without its slash at the end.
pub(crate) fn api_url(fields: &mut Fields<'_>) -> Option<Arc<str>> {
    let text = fields.text("api_url")?;
    let trimmed = text.trim_end_matches('/');
    if let Ok(url) = Url::parse(trimmed) {
        // It is refused below; from now on it is masked, whoever shows it.
        drop(Secret::new(url.password().unwrap_or(url.username())));
    }
    let url = Url::parse(trimmed).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    });
    let Some(url) = url else {
        let help = format!("a web address such as \"{PUBLIC_API}\", without a key or query in it");
        fields.error("api_url", "`api_url` is no address of an API", Some(help));
        return None;
    };
    let here = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if url.scheme() == "http" && !here {
        let message = "`api_url` sends the API key over the network for everybody to read";
        fields.warning("api_url", message, Some("write `https://`".into()));
    }
    Some(Arc::from(trimmed))
}

fn is_process_type(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !text.is_empty() && text.len() <= LONGEST_TYPE && text.chars().all(fits)
}

impl Scale for HerokuScale {
    fn backend(&self) -> &'static str {
        BACKEND
    }

    fn settings(&self) -> Json {
        let App { api_url, name, key, process_type } = &self.app;
        json!({ "app_name": &**name, "api_key": key, "process_type": &**process_type, "api_url": &**api_url })
    }

    fn target(&self) -> Option<String> {
        let App { api_url, name, process_type, .. } = &self.app;
        Some(format!("heroku {api_url} app {name} {process_type}"))
    }

    fn heroku(&self) -> Option<&App> {
        Some(&self.app)
    }

    fn settle(&mut self, pipeline: &str, report: &mut Report) {
        if self.written {
            return;
        }
        let name = pipeline.rsplit('/').next().unwrap_or(pipeline);
        if !is_process_type(name) {
            let message = format!("the pipeline's name `{name}` cannot be a process type");
            let help = "set `process_type` to a name of the Procfile".to_owned();
            report.say(&rules::MISSING_SETTING, self.place.as_ref(), message, help);
        }
        self.app.process_type = Arc::from(name);
    }

    /// Heroku stops the dynos with the highest numbers.
    fn stops_any(&self) -> bool {
        true
    }

    fn tells_condition(&self) -> bool {
        true
    }

    fn reaches(&self) -> Vec<String> {
        vec![self.app.api_url.to_string()]
    }

    fn open(self: Arc<Self>, _pipeline: &Arc<str>, world: &Arc<World>) -> Arc<dyn Platform> {
        let target = match world.platforms.heroku() {
            Some(heroku) => heroku.target(&self.app, world),
            None => Heroku::default().target(&self.app, world),
        };
        Arc::new(HerokuPlatform { target, process_type: Arc::clone(&self.app.process_type) })
    }
}

/// One process type of a target.
#[derive(Debug)]
struct HerokuPlatform {
    target: Target,
    process_type: Arc<str>,
}

#[async_trait]
impl Platform for HerokuPlatform {
    async fn observe(&self, freshness: Freshness) -> Result<Supply, ScaleError> {
        self.target.observe(&self.process_type, freshness).await
    }

    async fn condition(&self, wants: Wants) -> Result<Condition, ScaleError> {
        self.target.condition(&self.process_type, wants).await
    }

    async fn scale_to(&self, dynos: u32) -> Result<Supply, ScaleError> {
        self.target.scale(&self.process_type, dynos).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Node;

    fn text(text: &str) -> Node {
        Node::bare(Value::Text(text.into()))
    }

    fn read_from(entries: &[(&str, &str)]) -> (Option<HerokuScale>, String) {
        let entries = entries.iter().map(|(key, value)| (Arc::from(*key), text(value))).collect();
        let (node, mut report) = (Node::bare(Value::Map(entries)), Report::default());
        let scale = read(&mut Fields::open("`scale::heroku`", &node, vec![SETTINGS], &mut report));
        (scale, report.to_string())
    }

    const BOTH: [(&str, &str); 2] = [("app_name", "dancing-forest-1234"), ("api_key", "0123-key-4567")];

    #[test]
    fn the_process_type_comes_from_the_pipeline_and_the_key_is_masked() {
        let (scale, said) = read_from(&BOTH);
        assert_eq!(said, "");
        let mut scale = scale.unwrap();
        scale.settle("shop/web", &mut Report::default());
        let expected = json!({
            "app_name": "dancing-forest-1234",
            "api_key": "***",
            "process_type": "web",
            "api_url": "https://api.heroku.com",
        });
        assert_eq!(scale.settings(), expected);
        assert_eq!(scale.target().unwrap(), "heroku https://api.heroku.com app dancing-forest-1234 web");
    }

    #[test]
    fn both_documented_settings_are_required() {
        let said = read_from(&[]).1;
        assert!(said.contains("`scale::heroku` needs the setting `app_name`"), "{said}");
        assert!(said.contains("`scale::heroku` needs the setting `api_key`"), "{said}");
    }

    #[test]
    fn bad_values_are_named() {
        for (key, value, expected) in [
            ("app_name", "a/../b", "`app_name` is \"a/../b\", which is no name of an app"),
            ("api_key", "", "`api_key` is empty"),
            ("api_key", "two words", "`api_key` has characters that no key has"),
            ("process_type", "web 1", "`process_type` is \"web 1\", and must be a name as in the Procfile"),
            ("api_url", "api.heroku.com", "`api_url` is no address of an API"),
            ("api_url", "https://key@api.heroku.com", "`api_url` is no address of an API"),
            ("api_url", "http://api.example.com", "sends the API key over the network"),
        ] {
            let mut entries: Vec<_> = BOTH.into_iter().filter(|(name, _)| *name != key).collect();
            entries.push((key, value));
            let said = read_from(&entries).1;
            assert!(said.contains(expected), "{key} {value}: {said}");
        }
        assert_eq!(read_from(&[BOTH[0], BOTH[1], ("api_url", "http://127.0.0.1:5000/")]).1, "");
    }

    #[test]
    fn a_pipeline_whose_name_is_no_process_type_is_told_so() {
        let (mut scale, mut report) = (read_from(&BOTH).0.unwrap(), Report::default());
        scale.settle("my pipeline", &mut report);
        assert!(report.to_string().contains("`my pipeline` cannot be a process type"), "{report}");
    }
}
