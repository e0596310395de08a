//! Owns what a script declares while it loads: pipelines, settings, stages, needs. There is at most
//! one session per thread, and none when functions are called: constructors then fail.

use std::cell::RefCell;
use std::sync::Arc;

use rhai::{Engine, EvalAltResult, Position};

use super::Declaration;
use super::diagnose::complaint;
use crate::settings::{Node, Report, Stage};

/// What one script has declared so far.
pub(super) struct Session {
    /// The engine that will call its functions.
    pub(super) engine: Arc<Engine>,
    pub(super) declarations: Vec<Declaration>,
    pub(super) settings: Option<Node>,
    pub(super) report: Report,
    pub(super) needs: Vec<(Arc<str>, bool)>,
    /// Every stage made, and whether something uses it. Scripts hold numbers, not stages: a constant
    /// that held one would keep its own generation alive for ever.
    stages: Vec<(Arc<Stage>, bool)>,
    /// The files being imported, outermost first.
    pub(super) importing: Vec<Arc<str>>,
}

/// What a script holds in place of a stage.
#[derive(Clone, Copy, Debug)]
pub(super) struct StageNumber(usize);

thread_local! {
    static SESSION: RefCell<Option<Session>> = const { RefCell::new(None) };
}

impl Session {
    /// Opens the session of this thread.
    pub(super) fn open(engine: &Arc<Engine>) {
        let session = Self {
            engine: Arc::clone(engine),
            declarations: Vec::new(),
            settings: None,
            report: Report::default(),
            needs: Vec::new(),
            stages: Vec::new(),
            importing: Vec::new(),
        };
        SESSION.set(Some(session));
    }

    /// Closes the session of this thread and takes it.
    pub(super) fn close() -> Option<Self> {
        SESSION.take()
    }

    /// Keeps a stage; it is unused until [`Session::take_stage`].
    pub(super) fn keep_stage(&mut self, stage: Stage) -> StageNumber {
        self.stages.push((Arc::new(stage), false));
        StageNumber(self.stages.len() - 1)
    }

    /// The stage `number`, from now on used.
    pub(super) fn take_stage(&mut self, number: StageNumber) -> Option<Arc<Stage>> {
        let (stage, used) = self.stages.get_mut(number.0)?;
        *used = true;
        Some(Arc::clone(stage))
    }

    /// The stages that nothing used.
    pub(super) fn unused_stages(&self) -> Vec<Arc<Stage>> {
        self.stages.iter().filter(|(_, used)| !used).map(|(stage, _)| Arc::clone(stage)).collect()
    }

    /// Notes that the script asked for variable `name`.
    pub(super) fn need(&mut self, name: &str, set: bool) {
        if !self.needs.iter().any(|(known, _)| &**known == name) {
            self.needs.push((Arc::from(name), set));
        }
    }
}

/// Looks at the session, which is never held while the script runs.
pub(super) fn with<T>(look: impl FnOnce(&mut Session) -> T) -> Option<T> {
    SESSION.with_borrow_mut(|session| session.as_mut().map(look))
}

/// Looks at the session on behalf of `what`, which works only while the script loads.
pub(super) fn loading<T>(what: &str, look: impl FnOnce(&mut Session) -> T) -> Result<T, Box<EvalAltResult>> {
    with(look).ok_or_else(|| {
        let message = format!("`{what}` works only while the script loads, not in a function that is called later");
        complaint(message, Some("call it at the top of the script".into()), Position::NONE)
    })
}
