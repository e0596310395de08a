//! Owns one line of the log: its fields, and how it reads in each form.

use std::fmt::{self, Write};

use anstyle::{AnsiColor, Style};
use serde_json::{Map, Value as Json};
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

use crate::secret::scrub;

/// The field that holds a tick's record as JSON.
pub(crate) const RECORD: &str = "record";

/// Heroku's log cuts longer lines in two.
const LONGEST: usize = 8_000;

/// One event of the log, read out.
#[derive(Debug)]
pub(super) struct Line {
    time: Option<String>,
    level: Level,
    message: String,
    fields: Vec<(&'static str, Json)>,
}

impl Line {
    pub(super) fn of(event: &Event<'_>, time: Option<String>) -> Self {
        let mut line = Self { time, level: *event.metadata().level(), message: String::new(), fields: Vec::new() };
        event.record(&mut line);
        line
    }

    /// `12:01:02 WARN  web: cannot reach the app error="…"`.
    pub(super) fn pretty(&self, colour: bool) -> String {
        let (dim, pipeline_style, level_style) = if colour {
            (Style::new().dimmed(), Style::new().bold(), level_style(self.level))
        } else {
            (Style::new(), Style::new(), Style::new())
        };
        let mut text = String::new();
        if let Some(clock) = self.time.as_deref().and_then(|time| time.get(11..19)) {
            let _ = write!(text, "{dim}{clock}{dim:#} ");
        }
        let _ = write!(text, "{level_style}{:<5}{level_style:#} ", self.level);
        if let Some(pipeline) = self.pipeline() {
            let _ = write!(text, "{pipeline_style}{pipeline}{pipeline_style:#}: ");
        }
        text.push_str(&clean(&self.message));
        // People read the message; the record is for `explain`.
        for (name, value) in self.fields.iter().filter(|(name, _)| !matches!(*name, "pipeline" | RECORD)) {
            let _ = write!(text, " {dim}{name}={}{dim:#}", quoted(value));
        }
        shorten(text)
    }

    /// `level=warn pipeline=web msg="cannot reach the app" error="…"`.
    pub(super) fn logfmt(&self) -> String {
        let mut text = String::new();
        if let Some(time) = &self.time {
            let _ = write!(text, "time={time} ");
        }
        let _ = write!(text, "level={} ", self.level.as_str().to_lowercase());
        if let Some(pipeline) = self.pipeline() {
            let _ = write!(text, "pipeline={} ", quoted(&Json::from(pipeline)));
        }
        let _ = write!(text, "msg={}", quoted(&Json::from(self.message.as_str())));
        for (name, value) in self.fields.iter().filter(|(name, _)| *name != "pipeline") {
            let _ = write!(text, " {name}={}", quoted(value));
        }
        shorten(text)
    }

    /// `{"time":…,"level":"warn","msg":…,"pipeline":"web",…}`.
    pub(super) fn json(&self) -> String {
        // A cut JSON line could not be read: a text that would make it too long is cut before.
        for longest in [LONGEST / 2, LONGEST / 8, LONGEST / 64] {
            let text = Json::Object(self.object(longest)).to_string();
            if text.len() <= LONGEST {
                return text;
            }
        }
        let text =
            serde_json::json!({ "level": self.level.as_str().to_lowercase(), "msg": "a line too long to write" });
        text.to_string()
    }

    fn object(&self, longest: usize) -> Map<String, Json> {
        let mut object = Map::new();
        if let Some(time) = &self.time {
            object.insert("time".into(), Json::from(time.as_str()));
        }
        object.insert("level".into(), Json::from(self.level.as_str().to_lowercase()));
        object.insert("msg".into(), Json::from(cut(scrub(&self.message).into_owned(), longest)));
        for (name, value) in &self.fields {
            let value = match value {
                Json::String(text) if *name == RECORD => serde_json::from_str(&scrub(text)).unwrap_or(Json::Null),
                Json::String(text) => Json::from(cut(scrub(text).into_owned(), longest)),
                other => other.clone(),
            };
            object.insert((*name).into(), value);
        }
        object
    }

    fn pipeline(&self) -> Option<&str> {
        self.fields.iter().find(|(name, _)| *name == "pipeline").and_then(|(_, value)| value.as_str())
    }

    fn push(&mut self, field: &Field, value: Json) {
        match (field.name(), value) {
            ("message", Json::String(text)) => self.message = text,
            // What concerns the whole worker concerns no pipeline.
            ("pipeline", Json::String(name)) if name.is_empty() => {}
            (name, value) => self.fields.push((name, value)),
        }
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.push(field, Json::from(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.push(field, Json::from(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.push(field, Json::from(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.push(field, Json::from(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.push(field, Json::from(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.push(field, Json::from(value));
    }
}

fn level_style(level: Level) -> Style {
    let colour = match level {
        Level::ERROR => AnsiColor::Red,
        Level::WARN => AnsiColor::Yellow,
        Level::INFO => AnsiColor::Green,
        _ => AnsiColor::Blue,
    };
    Style::new().fg_color(Some(colour.into()))
}

/// Scrubbed, and on one line: control characters are written as escapes.
fn clean(text: &str) -> String {
    let scrubbed = scrub(text);
    if !scrubbed.contains(char::is_control) {
        return scrubbed.into_owned();
    }
    scrubbed.chars().fold(String::new(), |mut text, c| {
        if c.is_control() {
            text.extend(c.escape_default());
        } else {
            text.push(c);
        }
        text
    })
}

/// A value of logfmt: quoted where it has to be.
fn quoted(value: &Json) -> String {
    let Json::String(text) = value else { return value.to_string() };
    let text = scrub(text);
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '"' | '=' | '\\');
    if !text.is_empty() && text.chars().all(plain) {
        return text.into_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.extend(c.escape_default()),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn shorten(text: String) -> String {
    cut(text, LONGEST)
}

/// `text` if it is no longer than `longest` bytes, else its beginning and a mark.
fn cut(mut text: String, longest: usize) -> String {
    const MARK: &str = "…";
    if text.len() <= longest {
        return text;
    }
    let end = (0..=longest.saturating_sub(MARK.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    text.truncate(end);
    text.push_str(MARK);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn line(message: &str) -> Line {
        Line {
            time: Some("2026-11-24T07:32:36.123Z".into()),
            level: Level::WARN,
            message: message.into(),
            fields: vec![("pipeline", "web".into()), ("error", "not \"there\"".into()), ("n", 3.into())],
        }
    }

    #[test]
    fn each_form_reads_as_documented() {
        let line = line("cannot reach the app");
        assert_eq!(line.pretty(false), r#"07:32:36 WARN  web: cannot reach the app error="not \"there\"" n=3"#);
        assert_eq!(
            line.logfmt(),
            r#"time=2026-11-24T07:32:36.123Z level=warn pipeline=web msg="cannot reach the app" error="not \"there\"" n=3"#
        );
        assert_eq!(
            line.json(),
            r#"{"time":"2026-11-24T07:32:36.123Z","level":"warn","msg":"cannot reach the app","pipeline":"web","error":"not \"there\"","n":3}"#
        );
    }

    #[test]
    fn no_form_shows_a_secret_or_a_second_line() {
        let secret = Secret::new("swordfish-1234");
        let line = line(&format!("{}\nlevel=error msg=forged", secret.expose()));
        for text in [line.pretty(false), line.logfmt(), line.json()] {
            assert!(!text.contains("swordfish"), "{text}");
            assert!(!text.contains('\n'), "{text}");
        }
    }

    #[test]
    fn a_line_is_at_most_8_kb() {
        let line = line(&"é".repeat(20_000));
        for text in [line.pretty(false), line.logfmt(), line.json()] {
            assert!(text.len() <= LONGEST, "{}", text.len());
        }
        assert!(serde_json::from_str::<Json>(&line.json()).is_ok());
    }
}
