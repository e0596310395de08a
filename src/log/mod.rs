//! Owns the worker's log: three forms of a line, each scrubbed of secrets and at most 8 kB long. What
//! is worth a line is decided where it happens.

mod line;

use std::io::IsTerminal;

use tracing::{Event, Subscriber};
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::cli::{LogArgs, LogFormat};
use line::Line;

/// Starts the log on standard error. Without `--log-format` it is pretty, and logfmt under `DYNO`.
///
/// # Errors
/// When the filter of `--log` cannot be read.
pub fn start(args: &LogArgs) -> Result<(), String> {
    let (on_heroku, format) = (on_heroku(), format(args));
    let form = Form { format, time: !on_heroku, colour: std::io::stderr().is_terminal() && !no_colour() };
    let filter = filter(&args.log).map_err(|error| format!("`--log {}`: {error}", args.log))?;
    let layer = tracing_subscriber::fmt::layer().event_format(form).with_writer(std::io::stderr);
    let _ = tracing_subscriber::registry().with(filter).with(layer).try_init();
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

/// A bare level concerns us; other crates speak up from `warn` on.
fn filter(given: &str) -> Result<Targets, ParseError> {
    match given.to_lowercase().as_str() {
        level @ ("error" | "warn" | "info" | "debug" | "trace") => {
            let others = if level == "error" { "error" } else { "warn" };
            format!("{others},autoscaler={level}").parse()
        }
        _ => given.parse(),
    }
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
        assert!(filter("autoscaler=loud").is_err());
    }
}
