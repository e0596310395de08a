//! Owns what the HTTP measurements share: where the measurement URL is, how it is asked, and which
//! failures can be a sign of load. It judges no body but Heroku's own error pages.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value as Json, json};
use url::Url;

use super::Surroundings;
use super::headers::Headers;
use crate::heroku::{self, App};
use crate::pipeline::Failure;
use crate::reach::Host;
use crate::rules;
use crate::secret::{MASK, Secret, masked_url, scrub};
use crate::settings::{Fields, Kind, Place, Preset, Private, Report, Setting};
use crate::world::{HttpError, HttpErrorKind, Reply, Request, World};

/// The setting `measurement_url` with the documented default of one backend.
#[must_use]
pub const fn measurement_url(preset: &'static str) -> Setting {
    Setting {
        name: "measurement_url",
        kind: Kind::Text,
        preset: Preset::Text(preset),
        doc: "The URL to ask: absolute, or a path below `base_url`; a text or a secret.",
    }
}

/// The setting `base_url`.
pub const BASE_URL: Setting = Setting {
    name: "base_url",
    kind: Kind::Text,
    preset: Preset::None("the `web_url` that the Heroku API gives for the app of `scale::heroku`"),
    doc: "What a relative `measurement_url` is appended to; a text or a secret.",
};

/// The setting `timeout_seconds`.
pub const TIMEOUT: Setting = Setting {
    name: "timeout_seconds",
    kind: Kind::Seconds,
    preset: Preset::Number(10.0),
    doc: "Seconds for one whole exchange; for `response_time` at least its maximum threshold, which the default follows.",
};

/// The setting `headers`.
pub const HEADERS: Setting = Setting {
    name: "headers",
    kind: Kind::Map,
    preset: Preset::None("`#{}`"),
    doc: "Headers to send, names to texts or secrets; they reach no other host.",
};

/// How one URL is asked.
#[derive(Debug)]
pub struct Probe {
    /// The setting with the URL.
    name: &'static str,
    /// The URL as written.
    written: Private,
    /// `base_url` as written.
    base: Option<Private>,
    place: Option<Place>,
    target: Target,
    headers: Headers,
    /// Time for the whole exchange.
    pub timeout: Duration,
    /// Where `timeout_seconds` is written; `None` where it is the default.
    timeout_place: Option<Place>,
    /// The app's web address once it is known. It changes only with the app's name or domain, and a
    /// renamed app answers elsewhere with 404: asked again after every failure.
    web_url: Mutex<Option<Arc<str>>>,
}

#[derive(Clone, Debug)]
enum Target {
    /// A whole URL.
    Url(Arc<str>),
    /// One that a secret belongs to which is not set here.
    Missing,
    /// A path below the address of an app on Heroku.
    BelowApp(Box<App>),
    /// A path, and nothing it could stand below.
    Nowhere,
}

/// A good reply and how long it took.
#[derive(Debug)]
pub struct Answer {
    /// The reply: a status of 2xx.
    pub reply: Reply,
    /// The URL that was asked, as messages show it.
    pub url: String,
}

/// What a look at the URL saw.
#[derive(Debug)]
pub struct Looked {
    /// The URL, as messages show it.
    pub url: String,
    /// The reply, whatever its status.
    pub reply: Result<Reply, HttpError>,
}

impl Probe {
    /// Reads [`measurement_url`], [`BASE_URL`], [`TIMEOUT`] and [`HEADERS`].
    pub fn read(fields: &mut Fields<'_>) -> Option<Self> {
        Self::read_named("measurement_url", fields)
    }

    /// As [`Probe::read`], with the URL in the setting `name`.
    pub fn read_named(name: &'static str, fields: &mut Fields<'_>) -> Option<Self> {
        let written = fields.private_text(name)?;
        let base = fields.private_text("base_url");
        let timeout = fields.seconds("timeout_seconds")?;
        let timeout_place = fields.has("timeout_seconds").then(|| fields.place("timeout_seconds")).flatten();
        let headers = Headers::read(fields);
        let target = target(fields, name, &written, base.as_ref())?;
        let place = fields.place(name);
        let web_url = Mutex::new(None);
        Some(Self { name, written, base, place, target, headers: headers?, timeout, timeout_place, web_url })
    }

    /// Takes the app of the pipeline's scale stage for a relative URL without `base_url`.
    pub fn settle(&mut self, owner: &str, around: &Surroundings<'_>, report: &mut Report) {
        if !matches!(self.target, Target::Nowhere) {
            return;
        }
        if let Some(app) = around.scale.heroku() {
            self.target = Target::BelowApp(Box::new(app.clone()));
            return;
        }
        let message =
            format!("`{}` of {owner} is \"{}\", and no host is known for it", self.name, shown(&self.written));
        let help =
            "write the whole URL, or `base_url: \"https://…\"`; with `scale::heroku` the app's own address is used";
        report.say(&rules::MISSING_SETTING, self.place.as_ref(), message, help.to_owned());
    }

    /// Takes `app` for a relative URL without `base_url`.
    pub fn settle_app(&mut self, app: &App) {
        if matches!(self.target, Target::Nowhere) {
            self.target = Target::BelowApp(Box::new(app.clone()));
        }
    }

    /// Makes the default of `timeout_seconds` as long as a reply of `slowest_ms`; a written one that
    /// is shorter is an error, since that slow a reply would never be measured.
    pub fn allow(&mut self, slowest_ms: f64, report: &mut Report) {
        let Ok(slowest) = Duration::try_from_secs_f64(slowest_ms / 1000.0) else { return };
        if slowest <= self.timeout {
            return;
        }
        let Some(place) = &self.timeout_place else {
            self.timeout = slowest;
            return;
        };
        let message = format!(
            "`timeout_seconds` is {}, and the upper threshold is {slowest_ms} ms: no reply that slow could be measured",
            self.timeout.as_secs_f64()
        );
        report.say(&rules::WRONG_VALUE, Some(place), message, format!("write at least {}", slowest.as_secs_f64()));
    }

    /// The settings as resolved, for `check --json`.
    pub fn settings(&self) -> Map<String, Json> {
        let mut settings = Map::new();
        settings.insert(self.name.into(), json!(shown(&self.written)));
        if let Some(base) = self.base.as_ref().filter(|_| !is_whole(self.written.expose())) {
            settings.insert("base_url".into(), json!(shown(base)));
        }
        settings.insert("timeout_seconds".into(), json!(self.timeout.as_secs_f64()));
        settings.insert("headers".into(), self.headers.shown());
        settings
    }

    /// What is asked, as far as it is known without asking: the URL, or the path and the app.
    pub fn source(&self) -> String {
        match &self.target {
            Target::BelowApp(app) => format!("{} of the app {} of {}", shown(&self.written), app.name, app.api_url),
            // A query that changes is another source; this is compared, and shown nowhere.
            Target::Url(url) if !self.is_secret() => url.to_string(),
            Target::Url(_) | Target::Missing | Target::Nowhere => self.shown(None),
        }
    }

    /// What it reaches, for `check`.
    pub fn reaches(&self) -> Vec<String> {
        match &self.target {
            Target::Url(_) | Target::Missing => vec![self.shown(None)],
            Target::BelowApp(app) => {
                vec![format!("{}/apps/{}", app.api_url, app.name), format!("{} of that app", shown(&self.written))]
            }
            Target::Nowhere => Vec::new(),
        }
    }

    fn is_secret(&self) -> bool {
        let plain = |part: &Private| matches!(part, Private::Plain(_));
        !plain(&self.written) || self.base.as_ref().is_some_and(|base| !plain(base))
    }

    /// The URL without what is secret in it; `app` is the address of the app, where it is asked for.
    fn shown(&self, app: Option<&str>) -> String {
        let base = self.base.as_ref().map(shown).or_else(|| app.map(masked_url));
        match base.filter(|_| !is_whole(self.written.expose())) {
            Some(base) => join(&base, &shown(&self.written)),
            None => shown(&self.written),
        }
    }

    /// Asks once, with `extra` headers.
    ///
    /// # Errors
    /// When there is no reply or none of 2xx; says whether that can be a sign of load.
    pub async fn ask(&self, world: &Arc<World>, extra: &[(String, String)]) -> Result<Answer, Failure> {
        let url = self.url(world).await.map_err(Failure::not_load)?;
        let mut request = Request::get(&*url, self.timeout);
        self.headers.add_to(&mut request);
        request.headers.extend_from_slice(extra);
        let answer = match world.http.send(request).await {
            Ok(reply) => {
                let base = self.web_url.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let url = self.shown(base.as_deref());
                judge(&reply, &url).map_or(Ok(Answer { reply, url }), Err)
            }
            Err(error) => Err(failure(error, world.http.has_answered(&url))),
        };
        if answer.is_err() {
            self.web_url.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
        answer
    }

    /// Asks once, for a look: the URL as it may be shown, and whatever came of it.
    ///
    /// # Errors
    /// The URL is not known.
    pub async fn look(&self, world: &Arc<World>) -> Result<Looked, String> {
        let url = self.url(world).await?;
        let mut request = Request::get(&*url, self.timeout);
        self.headers.add_to(&mut request);
        let reply = world.http.send(request).await;
        let base = self.web_url.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Looked { url: self.shown(base.as_deref()), reply })
    }

    /// The URL to ask; of an app on Heroku, asked for when it is first needed.
    async fn url(&self, world: &Arc<World>) -> Result<String, String> {
        let app = match &self.target {
            Target::Url(url) => return Ok(url.to_string()),
            Target::BelowApp(app) => app,
            Target::Missing => return Err(format!("the secret in `base_url` or `{}` is not set here", self.name)),
            Target::Nowhere => {
                return Err(format!("no host is known for `{}` \"{}\"", self.name, shown(&self.written)));
            }
        };
        let known = self.web_url.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let base = if let Some(base) = known {
            base
        } else {
            let base: Arc<str> = heroku::web_url(world, app).await?.into();
            absolute(&base).map_err(|why| format!("the Heroku API gives an address that is none: {why}"))?;
            *self.web_url.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&base));
            base
        };
        Ok(join(&base, self.written.expose()))
    }
}

/// A setting as it may be shown.
fn shown(text: &Private) -> String {
    match text {
        Private::Plain(text) => masked_url(text),
        Private::Secret(_) | Private::Missing => MASK.to_owned(),
    }
}

/// Whether a `measurement_url` needs no base.
fn is_whole(url: &str) -> bool {
    url.contains("://") || url.starts_with("//")
}

/// Turns the two settings into one target, and reports what is no address.
fn target(fields: &mut Fields<'_>, name: &str, written: &Private, base: Option<&Private>) -> Option<Target> {
    if *written == Private::Missing {
        return Some(Target::Missing);
    }
    let path = written.expose();
    if is_whole(path) {
        if base.is_some() {
            let message = format!("`base_url` is not used, since `{name}` is a whole URL");
            fields.warning("base_url", message, None);
        }
        return checked(fields, name, path, &[written]).map(Target::Url);
    }
    match base {
        None => Some(Target::Nowhere),
        Some(Private::Missing) => Some(Target::Missing),
        Some(base) => {
            checked(fields, "base_url", base.expose(), &[base])?;
            checked(fields, name, &join(base.expose(), path), &[base, written]).map(Target::Url)
        }
    }
}

/// The address `text`, made of `parts`, if it is one, and one that they may be sent to.
fn checked(fields: &mut Fields<'_>, name: &str, text: &str, parts: &[&Private]) -> Option<Arc<str>> {
    let url = match absolute(text) {
        Ok(url) => url,
        Err(why) => {
            let help = "an address such as \"https://example.com/measurement\"";
            let secret = parts.iter().any(|part| matches!(part, Private::Secret(_)));
            let text = if secret { MASK.to_owned() } else { masked_url(text) };
            fields.error(name, format!("`{name}` is \"{text}\", which is no web address: {why}"), Some(help.into()));
            return None;
        }
    };
    if let Some(password) = url.password() {
        // From now on the log masks it, whoever writes it there.
        drop(Secret::new(password));
    }
    for part in parts {
        if let (Private::Secret(secret), Some(host)) = (part, Host::of(&url))
            && let Err(why) = secret.may_go_to(&host)
        {
            fields.say(&rules::SECRET_ELSEWHERE, name, format!("the secret in `{name}` {why}"), None);
            return None;
        }
    }
    Some(text.into())
}

fn absolute(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|fault| fault.to_string())?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        scheme => Err(format!("it begins with `{scheme}:`, not with `https:` or `http:`")),
    }
}

/// `path` below `base`: a base with a path of its own keeps it.
fn join(base: &str, path: &str) -> String {
    format!("{}/{}", base.trim_end_matches('/'), below(path))
}

fn below(path: &str) -> &str {
    path.trim_start_matches('/')
}

/// What a failed exchange says of load: a host that has never answered is misspelt or not deployed.
pub(super) fn failure(error: HttpError, has_answered: bool) -> Failure {
    use HttpErrorKind as K;
    match error.kind {
        K::Timeout | K::Refused | K::Broken if has_answered => Failure::overload(error.message),
        K::Timeout | K::Refused | K::Broken => {
            Failure::not_load(format!("{}; it has never answered since the start", error.message))
        }
        K::Dns | K::Tls | K::Unreachable | K::Redirect | K::TooLarge | K::Invalid => Failure::not_load(error.message),
    }
}

/// What a reply other than 2xx says of load.
fn judge(reply: &Reply, url: &str) -> Option<Failure> {
    let status = reply.status;
    // No path of the measurement URL is secret, its query may be.
    let url = url.split('?').next().unwrap_or(url);
    match status {
        200..=299 => None,
        500.. => Some(match heroku_page(reply) {
            Some(page) => Failure::not_load(format!("`{}` answered {status}: {page}", scrub(url))),
            None => Failure::overload(format!("`{}` answered {}", scrub(url), named(status))),
        }),
        404 => {
            Some(Failure::not_load(format!("`{}` answered {}; is `measurement_url` right?", scrub(url), named(status))))
        }
        401 | 403 => Some(Failure::not_load(format!(
            "`{}` answered {}; a URL that asks for a login can be given one in `headers`",
            scrub(url),
            named(status)
        ))),
        _ => Some(Failure::not_load(format!("`{}` answered {}", scrub(url), named(status)))),
    }
}

/// The status with its usual name.
fn named(status: u16) -> String {
    let name = reqwest::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    name.map_or_else(|| status.to_string(), |name| format!("{status} {name}"))
}

/// Pages that Heroku's router answers with in place of an app that is not meant to run. Its page for
/// all other faults (`application-error.html`) is the same for an app that is crashed and one that is
/// overloaded, and so counts as any 503 does. Source: <https://devcenter.heroku.com/articles/error-pages>
fn heroku_page(reply: &Reply) -> Option<&'static str> {
    let page = String::from_utf8_lossy(&reply.body);
    let has = |text: &str| page.contains(text);
    if has("herokucdn.com/error-pages/maintenance-mode") || has("code=H80") {
        return Some("the app is in Heroku's maintenance mode");
    }
    let none = has("herokucdn.com/error-pages/no-web-process") || has("code=H14") || has("No web processes running");
    none.then_some("the app has no web dyno running (H14)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::FailureKind;

    fn reply(status: u16, body: &'static str) -> Reply {
        Reply { status, headers: Vec::new(), body: body.into(), took: Duration::ZERO }
    }

    #[test]
    fn a_path_stands_below_its_base() {
        assert_eq!(join("https://a.test", "/m/"), "https://a.test/m/");
        assert_eq!(join("https://a.test/sub/", "m"), "https://a.test/sub/m");
    }

    #[test]
    fn load_is_told_from_what_is_none() {
        let kind = |status, body| judge(&reply(status, body), "http://a.test/m?key=1").map(|failure| failure.kind);
        assert_eq!(kind(204, ""), None);
        for status in [304, 400, 404, 429] {
            assert_eq!(kind(status, ""), Some(FailureKind::NotLoad), "{status}");
        }
        let crashed = r#"<iframe src="//www.herokucdn.com/error-pages/application-error.html"></iframe>"#;
        for (status, body) in [(500, ""), (502, ""), (503, crashed)] {
            assert_eq!(kind(status, body), Some(FailureKind::Overload), "{status}");
        }
        let maintenance = r#"<iframe src="//www.herokucdn.com/error-pages/maintenance-mode.html"></iframe>"#;
        let failure = judge(&reply(503, maintenance), "http://a.test/m?key=1").unwrap();
        assert_eq!(
            failure,
            Failure::not_load("`http://a.test/m` answered 503: the app is in Heroku's maintenance mode")
        );
    }

    #[test]
    fn a_host_that_has_never_answered_is_not_overloaded() {
        let refused = HttpError { kind: HttpErrorKind::Refused, message: "connection refused by a.test:80".into() };
        assert_eq!(failure(refused.clone(), true), Failure::overload("connection refused by a.test:80"));
        let never = "connection refused by a.test:80; it has never answered since the start";
        assert_eq!(failure(refused, false), Failure::not_load(never));
    }
}
