//! Owns what the native functions of a script find around them on the current thread: whether the
//! script loads or one of its functions is called, for which pipeline, and what that call may reach.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use serde_json::Value as Json;

use super::files::Surroundings;
use super::limits::{self, Halt};
use super::modules::{self, missing::Missing};
use crate::function::{Permit, Reach};
use crate::request::Response;
use crate::settings::Place;

/// One run: a load or a call.
struct Running {
    surroundings: Arc<Surroundings>,
    /// `None` while the script loads.
    permit: Option<Permit>,
    /// Answers (`up(1)` …) made so far, by number, as written.
    answers: Vec<(u64, String)>,
    next_answer: u64,
    /// Lines said so far.
    said: u32,
    /// Where a secret was about to be shown.
    shown_at: Option<Place>,
    /// What was asked for and is `()`, the first few.
    missing: Vec<Missing>,
    /// What was measured, as far as the run was given it or read it.
    data: Vec<Data>,
}

/// Data that a run was given, or can be read again.
enum Data {
    Given(Json),
    Reply(Arc<Response>),
}

/// Replies that are remembered within one run.
const MOST_REPLIES: usize = 8;

/// Things that are missing, named in an error that one of them caused.
const MOST_MISSING: usize = 3;

/// Lines that one run may say: a loop could fill a disk.
const MOST_SAID: u32 = 100;

thread_local! {
    static RUNNING: RefCell<Vec<Running>> = const { RefCell::new(Vec::new()) };
}

/// Ends the run when dropped.
pub(super) struct Entered;

impl Drop for Entered {
    fn drop(&mut self) {
        let Some(running) = RUNNING.with_borrow_mut(Vec::pop) else { return };
        if let Some(left_out) = running.said.checked_sub(MOST_SAID).filter(|left_out| *left_out > 0) {
            modules::log::left_out(running.permit.map(|permit| permit.pipeline).as_deref(), left_out);
        }
    }
}

/// A function is tried on a sample: nothing is said, nothing is reached.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trying {
    /// `reaches` says whether the function could reach the world if this were no trial; `doubtful`, whether it
    /// asked for something that may be there in production.
    Goes { reaches: bool, doubtful: bool },
    /// It came to something that a sample cannot stand for.
    Over,
}

thread_local! {
    static TRYING: Cell<Option<Trying>> = const { Cell::new(None) };
}

/// A trial, until dropped.
pub(super) struct Trial(());

impl Trial {
    pub(super) fn start(reaches: bool) -> Self {
        TRYING.set(Some(Trying::Goes { reaches, doubtful: false }));
        Self(())
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        TRYING.set(None);
    }
}

/// Whether the current run is a trial.
pub(super) fn is_trial() -> bool {
    TRYING.get().is_some()
}

/// Whether the current run is a trial of a function that may reach the world.
pub(super) fn is_reaching_trial() -> bool {
    matches!(TRYING.get(), Some(Trying::Goes { reaches: true, .. }))
}

/// Notes that what goes wrong from here on in a trial may go right in production.
pub(super) fn doubt_trial() {
    if let Some(Trying::Goes { reaches, .. }) = TRYING.get() {
        TRYING.set(Some(Trying::Goes { reaches, doubtful: true }));
    }
}

/// Whether a failure of the trial says nothing.
pub(super) fn trial_is_doubtful() -> bool {
    matches!(TRYING.get(), Some(Trying::Goes { doubtful: true, .. }))
}

/// Ends the trial without a word, if the current run is one: what follows depends on the world.
pub(super) fn end_trial() {
    if is_trial() {
        TRYING.set(Some(Trying::Over));
        limits::halt(Halt::Trial);
    }
}

/// Whether the trial was ended.
pub(super) fn trial_is_over() -> bool {
    TRYING.get() == Some(Trying::Over)
}

/// Starts a run: a call with `permit`, or a load without.
pub(super) fn enter(surroundings: &Arc<Surroundings>, permit: Option<&Permit>) -> Entered {
    let running = Running {
        surroundings: Arc::clone(surroundings),
        permit: permit.cloned(),
        answers: Vec::new(),
        next_answer: 0,
        said: 0,
        shown_at: None,
        missing: Vec::new(),
        data: Vec::new(),
    };
    RUNNING.with_borrow_mut(|stack| stack.push(running));
    Entered
}

/// What surrounds the current run.
pub(super) fn surroundings() -> Option<Arc<Surroundings>> {
    RUNNING.with_borrow(|stack| stack.last().map(|running| Arc::clone(&running.surroundings)))
}

/// The pipeline of the current call; `None` while the script loads.
pub(super) fn pipeline() -> Option<Arc<str>> {
    RUNNING.with_borrow(|stack| Some(Arc::clone(&stack.last()?.permit.as_ref()?.pipeline)))
}

/// What the current call may reach; `None` while the script loads.
pub(super) fn reach() -> Option<Reach> {
    RUNNING.with_borrow(|stack| Some(stack.last()?.permit.as_ref()?.reach.clone()))
}

/// Notes that the current run says a line; whether it may.
pub(super) fn may_say() -> bool {
    RUNNING.with_borrow_mut(|stack| {
        let Some(running) = stack.last_mut() else { return true };
        running.said = running.said.saturating_add(1);
        running.said <= MOST_SAID
    })
}

/// Notes an answer as made; its number tells it from others that read the same.
pub(super) fn made(text: String) -> u64 {
    RUNNING.with_borrow_mut(|stack| {
        let Some(running) = stack.last_mut() else { return 0 };
        running.next_answer += 1;
        // A loop may make thousands: the first hundred say what there is to say.
        if running.answers.len() < 100 {
            running.answers.push((running.next_answer, text));
        }
        running.next_answer
    })
}

/// The answers made in the current run but for number `returned`, as written.
pub(super) fn dropped(returned: u64) -> Vec<String> {
    RUNNING.with_borrow_mut(|stack| {
        let answers = stack.last_mut().map(|running| std::mem::take(&mut running.answers)).unwrap_or_default();
        answers.into_iter().filter(|(number, _)| *number != returned).map(|(_, text)| text).collect()
    })
}

/// Notes that a secret was about to be shown at `place`.
pub(super) fn show_at(place: Place) {
    RUNNING.with_borrow_mut(|stack| {
        if let Some(running) = stack.last_mut() {
            running.shown_at.get_or_insert(place);
        }
    });
}

/// Where a secret was about to be shown in the current run, if one was.
pub(super) fn shown_at() -> Option<Place> {
    RUNNING.with_borrow(|stack| stack.last()?.shown_at.clone())
}

/// Notes that the current run was given `()` for `what`.
pub(super) fn note_missing(what: Missing) {
    RUNNING.with_borrow_mut(|stack| {
        let Some(missing) = stack.last_mut().map(|running| &mut running.missing) else { return };
        if missing.len() < MOST_MISSING && !missing.contains(&what) {
            missing.push(what);
        }
    });
}

/// What the current run was given `()` for.
pub(super) fn missing() -> Vec<Missing> {
    RUNNING.with_borrow(|stack| stack.last().map(|running| running.missing.clone()).unwrap_or_default())
}

/// Notes the data that the current run was given.
pub(super) fn note_data(data: Json) {
    note(Data::Given(data));
}

/// Notes a reply that the current run reads as JSON.
pub(super) fn note_reply(reply: &Arc<Response>) {
    note(Data::Reply(Arc::clone(reply)));
}

fn note(data: Data) {
    RUNNING.with_borrow_mut(|stack| {
        if let Some(running) = stack.last_mut().filter(|running| running.data.len() < MOST_REPLIES) {
            running.data.push(data);
        }
    });
}

/// What the current run has measured.
pub(super) fn data() -> Vec<Json> {
    RUNNING.with_borrow(|stack| {
        let data = stack.last().map(|running| running.data.as_slice()).unwrap_or_default();
        let json = |data: &Data| match data {
            Data::Given(json) => Some(json.clone()),
            Data::Reply(reply) => reply.json().ok(),
        };
        data.iter().filter_map(json).collect()
    })
}
