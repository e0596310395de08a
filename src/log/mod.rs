//! Owns the worker's log: three forms of a line, each scrubbed of secrets and at most 8 kB long. What
//! is worth a line is decided where it happens.

mod line;

use std::io::IsTerminal;

use tracing::{Event, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::cli::{LogArgs, LogFormat};
use line::Line;

/// The variable behind `--log`.
const VARIABLE: &str = "AUTOSCALER_LOG";

/// What is told where nothing is said of it.
const DEFAULT: &str = "info";

/// Starts the log on standard error. Without `--log-format` it is pretty, and logfmt under `DYNO`. A variable
/// that cannot be read is told, and the default is used: a slip in a configuration neither ends nor silences
/// a worker.
///
/// # Errors
/// When the filter of `--log` cannot be read.
pub fn start(args: &LogArgs) -> Result<(), String> {
    let (on_heroku, format) = (on_heroku(), format(args));
    let form = Form { format, time: !on_heroku, colour: std::io::stderr().is_terminal() && !no_colour() };
    let given = args.log.as_str();
    let (targets, ignored) = match filter(given) {
        Ok(targets) => (targets, None),
        Err(why) if std::env::var(VARIABLE).is_ok_and(|text| text == given) => (filter(DEFAULT)?, Some(why)),
        Err(why) => return Err(format!("`--log {given}`: {why}")),
    };
    let layer = tracing_subscriber::fmt::layer().event_format(form).with_writer(std::io::stderr);
    let _ = tracing_subscriber::registry().with(targets).with(layer).try_init();
    if let Some(why) = ignored {
        tracing::warn!("`{VARIABLE}={given}`: {why}; it is taken for `{DEFAULT}`");
    }
    Ok(())
}

/// Whether a person reads the log where it is written: then an error may take several lines.
#[must_use]
pub fn is_for_people(args: &LogArgs) -> bool {
    format(args) == LogFormat::Pretty
}

fn format(args: &LogArgs) -> LogFormat {
    args.log_format.unwrap_or(if on_heroku() { LogFormat::Logfmt } else { LogFormat::Pretty })
}

fn on_heroku() -> bool {
    std::env::var_os("DYNO").is_some()
}

/// A bare level concerns us; other crates speak up from `warn` on. In a list it concerns everything that the
/// list does not name, and a list without one changes the default.
fn filter(given: &str) -> Result<Targets, String> {
    const OURS: &str = "autoscaler";
    let given = given.to_lowercase();
    let parts: Vec<&str> = given.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let alone = |ours: LevelFilter| {
        // The more verbose level is the greater one.
        Targets::new().with_default(ours.min(LevelFilter::WARN)).with_target(OURS, ours)
    };
    let mut targets = match parts[..] {
        [] => return filter(DEFAULT),
        [single] if !single.contains('=') => return level(single).map(alone),
        _ => alone(level(DEFAULT)?),
    };
    for rest in parts.iter().filter(|part| !part.contains('=')) {
        targets = Targets::new().with_default(level(rest)?);
    }
    for part in parts {
        let Some((target, at_level)) = part.split_once('=') else { continue };
        if target.is_empty() || !target.chars().all(|c| c.is_alphanumeric() || matches!(c, ':' | '_' | '-')) {
            return Err(format!("`{target}` is no name of a module, such as `{OURS}`"));
        }
        targets = targets.with_target(target.to_owned(), level(at_level)?);
    }
    Ok(targets)
}

fn level(text: &str) -> Result<LevelFilter, String> {
    Ok(match text {
        "off" => LevelFilter::OFF,
        "error" => LevelFilter::ERROR,
        "warn" | "warning" => LevelFilter::WARN,
        "info" => LevelFilter::INFO,
        "debug" => LevelFilter::DEBUG,
        "trace" => LevelFilter::TRACE,
        _ => {
            let choices = "write `error`, `warn`, `info`, `debug`, `trace`, `off`, or such as `autoscaler=debug`";
            return Err(format!("`{text}` is no level: {choices}"));
        }
    })
}

/// Whether the user asked for no colour.
#[must_use]
pub fn no_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// One of the three forms.
#[derive(Clone, Copy, Debug)]
struct Form {
    format: LogFormat,
    /// Heroku's own log stamps every line.
    time: bool,
    colour: bool,
}

impl<S, N> FormatEvent<S, N> for Form
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> std::fmt::Result {
        let time = self.time.then(|| chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true));
        let line = Line::of(event, time);
        let text = match self.format {
            LogFormat::Pretty => line.pretty(self.colour),
            LogFormat::Json => line.json(),
            LogFormat::Logfmt => line.logfmt(),
        };
        writeln!(writer, "{text}")
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn a_level_concerns_us_and_a_filter_whom_it_names() {
        let enabled = |given: &str, target: &str, level: Level| filter(given).unwrap().would_enable(target, &level);
        assert!(enabled("info", "autoscaler::worker", Level::INFO));
        assert!(!enabled("info", "autoscaler::worker", Level::DEBUG));
        assert!(!enabled("debug", "hyper", Level::INFO) && enabled("debug", "hyper", Level::WARN));
        assert!(!enabled("error", "hyper", Level::WARN));
        assert!(enabled("warn,autoscaler::net=trace", "autoscaler::net", Level::TRACE));
        assert!(!enabled("warn,autoscaler::net=trace", "autoscaler::heroku", Level::INFO));
        assert!(enabled("warning", "autoscaler::worker", Level::WARN));
        assert!(!enabled("warning", "autoscaler::worker", Level::INFO));
        assert!(enabled(" ", "autoscaler::worker", Level::INFO) && !enabled("", "hyper", Level::INFO));
        assert!(
            enabled("hyper=debug", "autoscaler::worker", Level::INFO) && enabled("hyper=debug", "hyper", Level::DEBUG)
        );
        assert!(!enabled("off", "autoscaler::worker", Level::ERROR));
        for wrong in ["autoscaler=loud", "verbose", "nonsense=", "=info", "info,loud", "x=y=z"] {
            assert!(filter(wrong).is_err_and(|why| why.contains("`warn`") || why.contains("no name")), "{wrong}");
        }
    }
}
