//! Owns the demo where no one looks at a terminal: a line for each scale, reload and trouble. Ticks that
//! change nothing are left out.

use std::io::{self, Write};

use tokio_util::sync::CancellationToken;

use super::feed::{Feed, News, Scene};
use super::story::{self, Line, clock};
use super::summary::Summary;

/// Writes what happens to `out` until `stop`; returns what is to be said at the end.
///
/// # Errors
/// When `out` cannot be written; a reader that has gone (`| head`) is an ordinary end.
pub async fn run(scene: Scene, mut feed: Feed, out: &mut impl Write, stop: CancellationToken) -> io::Result<Summary> {
    let mut summary = Summary::new(scene.started);
    let mut written = write(out, &introduction(&scene));
    while written.is_ok() {
        let news = tokio::select! {
            () = stop.cancelled() => break,
            news = feed.next() => news,
        };
        let lines = match &news {
            News::Record(record) => {
                summary.push(record);
                story::of_record(record)
            }
            News::Event(event) => vec![story::of_event(event)],
        };
        written = lines.iter().try_for_each(|line| write(out, &sentence(&scene, line)));
    }
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(summary),
        written => written.map(|()| summary),
    }
}

fn write(out: &mut impl Write, line: &str) -> io::Result<()> {
    writeln!(out, "{line}")?;
    out.flush()
}

fn introduction(scene: &Scene) -> String {
    let Scene { script, app_url, .. } = scene;
    format!("The demo's app is at {app_url}, scaled by {script}: edit it and save, it takes effect at the next tick.")
}

/// `0:12 web: Scaled to (2) dynos. (why)`
fn sentence(scene: &Scene, line: &Line) -> String {
    let name = if line.pipeline.is_empty() { String::new() } else { format!("{}: ", line.pipeline) };
    let reason = if line.reason.is_empty() { String::new() } else { format!(" ({})", line.reason) };
    format!("{} {name}{}{reason}", clock(scene.started, line.at), line.text)
}
