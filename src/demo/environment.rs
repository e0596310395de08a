//! Owns the variables that only the demo's script sees: where its app and its API are. Every other
//! variable comes from the environment beneath; the process's own is never changed.

use std::sync::Arc;

use crate::reach::Bounds;
use crate::script::Environment;

/// An environment with some variables laid over it.
pub struct Overlay {
    beneath: Arc<dyn Environment>,
    variables: Vec<(&'static str, String)>,
}

impl Overlay {
    /// `variables` over `beneath`.
    #[must_use]
    pub fn new(beneath: Arc<dyn Environment>, variables: Vec<(&'static str, String)>) -> Self {
        Self { beneath, variables }
    }
}

impl Environment for Overlay {
    fn variable(&self, name: &str) -> Option<String> {
        let own = self.variables.iter().find(|(own, _)| *own == name);
        own.map_or_else(|| self.beneath.variable(name), |(_, value)| Some(value.clone()))
    }

    fn bounds(&self) -> &Bounds {
        self.beneath.bounds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Beneath;

    impl Environment for Beneath {
        fn variable(&self, name: &str) -> Option<String> {
            (name != "MISSING").then(|| format!("{name} beneath"))
        }
    }

    #[test]
    fn its_own_variables_hide_those_beneath() {
        let overlay = Overlay::new(Arc::new(Beneath), vec![("DEMO_APP_URL", "http://here".to_owned())]);
        assert_eq!(overlay.variable("DEMO_APP_URL").as_deref(), Some("http://here"));
        assert_eq!(overlay.variable("HOME").as_deref(), Some("HOME beneath"));
        assert_eq!(overlay.variable("MISSING"), None);
    }
}
