//! Owns the demo on a terminal: it follows the feed, draws ten times a second, listens to `q` and
//! Ctrl-C, and gives the terminal back as it was, also after a panic. What is shown is in [`DemoState`],
//! how it looks in [`draw`].

mod draw;
mod plot;
mod state;

use std::io;
use std::time::Duration;

use chrono::Utc;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tokio_util::sync::CancellationToken;

pub use draw::draw;
pub use state::{DemoState, Row, Sample};

use super::feed::{Feed, News, Scene};
use super::summary::Summary;

/// Between two drawings: fast enough for a key to feel answered, slow enough to cost nothing.
const FRAME: Duration = Duration::from_millis(100);

/// Shows what happens until somebody quits or `stop`; returns what is to be said at the end.
///
/// # Errors
/// When the terminal cannot be drawn on.
pub async fn run(scene: Scene, mut feed: Feed, stop: CancellationToken) -> io::Result<Summary> {
    let mut state = DemoState::new(scene);
    let mut terminal = ratatui::try_init()?;
    let _restored = Restored;
    let mut frame = tokio::time::interval(FRAME);
    frame.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            news = feed.next() => match news {
                News::Record(record) => state.push(&record, feed.gauge(), feed.thresholds(&record.pipeline)),
                News::Event(event) => state.note(&event),
            },
            _ = frame.tick() => {
                if quits() {
                    break;
                }
                state.observe(feed.gauge());
                terminal.draw(|frame| draw(frame, &state, Utc::now()))?;
            }
        }
    }
    // A terminal that was resized may keep what it moved about; nothing can be done where this fails.
    let _ = terminal.clear();
    Ok(state.into_summary())
}

/// Gives the terminal back when the view ends, however it ends.
struct Restored;

impl Drop for Restored {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// Whether one of the keys that wait says so. A terminal without keys cannot.
fn quits() -> bool {
    while event::poll(Duration::ZERO).unwrap_or(false) {
        match event::read() {
            Ok(Event::Key(key)) if is_quit(key) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
    false
}

fn is_quit(key: KeyEvent) -> bool {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let pressed = key.kind != KeyEventKind::Release;
    pressed
        && match key.code {
            KeyCode::Char('q' | 'Q') | KeyCode::Esc => true,
            KeyCode::Char('c' | 'd') => control,
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_escape_and_control_c_quit_and_a_bare_c_does_not() {
        let plain = |code| is_quit(KeyEvent::new(code, KeyModifiers::NONE));
        assert!(plain(KeyCode::Char('q')) && plain(KeyCode::Esc));
        assert!(is_quit(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)));
        assert!(!plain(KeyCode::Char('c')) && !plain(KeyCode::Enter));
    }
}
