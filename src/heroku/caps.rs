//! Owns the caps that Heroku named when it refused a scale: what they leave for a process type, and for
//! how long they are believed. Pure.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::answer::Formation;

/// A cap is believed so long: people raise them by changing the dyno size or asking Heroku.
const BELIEVED: Duration = Duration::from_secs(900);

/// The caps of one app.
#[derive(Clone, Debug, Default)]
pub struct Caps(HashMap<Arc<str>, Cap>);

#[derive(Clone, Debug)]
struct Cap {
    limit: u32,
    /// Whether it counts the dynos of all process types together.
    app_wide: bool,
    /// The dyno size it was named for; another size has another cap.
    size: Option<String>,
    until: Instant,
}

impl Caps {
    /// Remembers that `asked` dynos of `process_type` were refused with `limit`; returns what that leaves
    /// for the process type, which is less than `asked`.
    pub fn learn(
        &mut self,
        process_type: &Arc<str>,
        asked: u32,
        (limit, app_wide): (u32, bool),
        formation: &[Formation],
        now: Instant,
    ) -> u32 {
        // Refused although it is within the number: so the number counts other process types too.
        let app_wide = app_wide || asked <= limit;
        let size = find(formation, process_type).and_then(|formation| formation.size.clone());
        let cap = Cap { limit, app_wide, size, until: now + BELIEVED };
        let left = cap.left(process_type, formation).min(asked.saturating_sub(1));
        self.0.insert(Arc::clone(process_type), cap);
        left
    }

    /// How many dynos of `process_type` are allowed, as far as that is known.
    pub fn allowed(&self, process_type: &str, formation: &[Formation], now: Instant) -> Option<u32> {
        let cap = self.0.get(process_type)?;
        let size = find(formation, process_type).and_then(|formation| formation.size.as_ref());
        (now < cap.until && size == cap.size.as_ref()).then(|| cap.left(process_type, formation))
    }
}

impl Cap {
    fn left(&self, process_type: &str, formation: &[Formation]) -> u32 {
        if !self.app_wide {
            return self.limit;
        }
        let others = formation.iter().filter(|other| other.process_type != process_type);
        self.limit.saturating_sub(others.map(|other| other.quantity).fold(0, u32::saturating_add))
    }
}

/// The entry of `process_type`.
pub fn find<'a>(formation: &'a [Formation], process_type: &str) -> Option<&'a Formation> {
    formation.iter().find(|formation| formation.process_type == process_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formation(counts: &[(&str, u32)], size: &str) -> Vec<Formation> {
        let entry = |(name, quantity): &(&str, u32)| Formation {
            process_type: (*name).into(),
            quantity: *quantity,
            size: Some(size.into()),
        };
        counts.iter().map(entry).collect()
    }

    #[test]
    fn a_cap_is_obeyed_for_a_while_and_for_its_size() {
        let (mut caps, web, now) = (Caps::default(), Arc::from("web"), Instant::now());
        let basic = formation(&[("web", 1), ("worker", 4)], "Basic");
        assert_eq!(caps.learn(&web, 3, (1, false), &basic, now), 1);
        assert_eq!(caps.allowed("web", &basic, now), Some(1));
        assert_eq!(caps.allowed("worker", &basic, now), None);
        assert_eq!(caps.allowed("web", &formation(&[("web", 1)], "Standard-1X"), now), None);
        assert_eq!(caps.allowed("web", &basic, now + BELIEVED), None);
    }

    #[test]
    fn an_app_wide_cap_leaves_what_the_other_types_do_not_take() {
        let (mut caps, web, now) = (Caps::default(), Arc::from("web"), Instant::now());
        let three = formation(&[("web", 90), ("worker", 4), ("clock", 1)], "Standard-1X");
        assert_eq!(caps.learn(&web, 99, (100, true), &three, now), 95);
        assert_eq!(caps.allowed("web", &formation(&[("web", 90), ("worker", 9)], "Standard-1X"), now), Some(91));
    }

    #[test]
    fn a_number_that_was_not_exceeded_must_count_the_other_types() {
        let (mut caps, web, now) = (Caps::default(), Arc::from("web"), Instant::now());
        let eco = formation(&[("web", 1), ("worker", 1)], "Eco");
        assert_eq!(caps.learn(&web, 2, (2, false), &eco, now), 1);
        // Even where the arithmetic says otherwise, what was refused is not allowed.
        assert_eq!(caps.learn(&web, 2, (9, true), &[], now), 1);
    }
}
