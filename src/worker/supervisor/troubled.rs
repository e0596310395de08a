//! Owns telling people that the state is in trouble, and that it is over. What is wrong is the state's to say, and in
//! the log already.

use std::time::Duration;

use super::Supervisor;
use super::announce::Word;
use crate::pipeline::{EventKind, Phase};

/// The state is asked this often what is wrong.
pub(super) const LOOK: Duration = Duration::from_secs(2);

impl Supervisor {
    /// Tells what happened to the state since the last look.
    pub(super) fn tell_of_state(&mut self) {
        for what in self.world.state.notices() {
            self.announce_state(Phase::Once, format!("{}.", capital(&what)), Some(what));
        }
        match (self.world.state.trouble(), self.in_trouble) {
            (Some(why), false) => {
                self.in_trouble = true;
                let message =
                    format!("State cannot be kept: {why}. The worker goes on, and does not scale in meanwhile.");
                self.announce_state(Phase::Begin, message, Some(why));
            }
            (None, true) => {
                self.in_trouble = false;
                self.announce_state(Phase::End, "State is kept again.".into(), None);
            }
            _ => {}
        }
    }

    fn announce_state(&self, phase: Phase, message: String, reason: Option<String>) {
        let (kind, over) = (EventKind::StateTrouble, phase == Phase::End);
        self.say(Word {
            kind,
            phase,
            key: kind.to_string(),
            severity: if over { "info" } else { "error" },
            subject: if over { "State is kept again" } else { "State in trouble" },
            message,
            reason,
        });
    }
}

/// `text` with a capital.
fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
