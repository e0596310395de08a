//! Owns what a script may use: sizes and depths that the engine enforces by itself, and the
//! operations and wall time of one run, which are counted per thread since one engine serves many.

use std::cell::Cell;
use std::time::{Duration, Instant};

use rhai::Engine;

use crate::function::Budget;

/// The largest script file.
pub(super) const FILE_BYTES: usize = 1024 * 1024;

/// The most lines of a file: places are counted in 16 bits.
pub(super) const FILE_LINES: usize = 65_000;

/// The most closures and functions of one file: the parser is quadratic in them and cannot be
/// interrupted (2,000 take about 0.1 s).
pub(super) const FILE_FUNCTIONS: usize = 2_000;

/// The most files of one script.
pub(super) const FILES: usize = 256;

/// The largest `this`, as JSON.
pub(super) const MEMORY_BYTES: usize = 64 * 1024;

/// The deepest nesting of values that leave the script: settings, captured values, answers, `this`.
pub(super) const NESTING: usize = 64;

/// The stack of a thread that loads: what a script piles up while it loads must be dropped there.
pub(super) const LOAD_STACK: usize = 32 * 1024 * 1024;

/// What loading a script may use.
pub(super) const LOAD: Budget = Budget { operations: 50_000_000, time: Duration::from_secs(10) };

/// The deepest nesting of calls: it must fit the 2 MiB stack of a thread in a debug build too.
const CALL_LEVELS: usize = 32;

/// The deepest nesting of an expression, at the top and in a function.
const EXPRESSION_DEPTHS: (usize, usize) = (64, 32);

/// The longest text. Native calls count as one operation, whatever they build: sizes must be bounded.
const STRING_BYTES: usize = 1024 * 1024;

/// The most elements of an array, those of its elements included: they may be nested, and must be
/// dropped within the 2 MiB stack of a thread (a debug build overflows beyond 9,000 levels).
const ARRAY_ELEMENTS: usize = 6_000;

/// The most entries of a map, those of its values included.
const MAP_ENTRIES: usize = 3_000;

/// The most variables in scope.
const VARIABLES: usize = 10_000;

/// Operations between two looks at the clock.
const CLOCK_EVERY: u64 = 256;

/// Why a run was stopped from outside of the script's own logic: cannot be caught by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// It used up its operations.
    Operations(u64),
    /// It used up its time.
    Time(Duration),
    /// It turned a secret into plain text.
    SecretShown,
    /// It was a trial, and came to something that a sample cannot stand for.
    Trial,
}

struct Meter {
    left: Cell<u64>,
    granted: Cell<Budget>,
    deadline: Cell<Option<Instant>>,
    halt: Cell<Option<Halt>>,
}

thread_local! {
    static METER: Meter = const {
        Meter {
            left: Cell::new(u64::MAX),
            granted: Cell::new(LOAD),
            deadline: Cell::new(None),
            halt: Cell::new(None),
        }
    };
}

/// Counts one run on this thread; the run around it, if any, goes on where it was when this is dropped.
pub(super) struct Metered {
    left: u64,
    granted: Budget,
    deadline: Option<Instant>,
    halt: Option<Halt>,
}

impl Metered {
    /// Starts a run with `budget`.
    pub(super) fn start(budget: Budget) -> Self {
        METER.with(|meter| Self {
            left: meter.left.replace(budget.operations),
            granted: meter.granted.replace(budget),
            deadline: meter.deadline.replace(Instant::now().checked_add(budget.time)),
            halt: meter.halt.replace(None),
        })
    }
}

impl Drop for Metered {
    fn drop(&mut self) {
        METER.with(|meter| {
            meter.left.set(self.left);
            meter.granted.set(self.granted);
            meter.deadline.set(self.deadline);
            meter.halt.set(self.halt);
        });
    }
}

/// Why the current run was stopped, if it was.
pub(super) fn halted() -> Option<Halt> {
    METER.with(|meter| meter.halt.get())
}

/// Stops the current run at its next operation.
pub(super) fn halt(why: Halt) {
    METER.with(|meter| meter.halt.set(meter.halt.get().or(Some(why))));
}

/// The time that the current run has left.
pub(super) fn time_left() -> Duration {
    let deadline = METER.with(|meter| meter.deadline.get());
    deadline.map_or(LOAD.time, |deadline| deadline.saturating_duration_since(Instant::now()))
}

/// The time that the current run was granted.
pub(super) fn time_granted() -> Duration {
    METER.with(|meter| meter.granted.get().time)
}

/// Whether the time of the current run is used up; then it is stopped.
pub(super) fn overdue() -> bool {
    METER.with(|meter| {
        let overdue = meter.deadline.get().is_some_and(|deadline| Instant::now() >= deadline);
        if overdue {
            halt(Halt::Time(meter.granted.get().time));
        }
        overdue
    })
}

/// Counts one operation; says whether the run must stop.
fn spend() -> bool {
    METER.with(|meter| {
        if meter.halt.get().is_some() {
            return true;
        }
        let left = meter.left.get();
        let Some(rest) = left.checked_sub(1) else {
            meter.halt.set(Some(Halt::Operations(meter.granted.get().operations)));
            return true;
        };
        meter.left.set(rest);
        if rest.is_multiple_of(CLOCK_EVERY) && meter.deadline.get().is_some_and(|deadline| Instant::now() >= deadline) {
            meter.halt.set(Some(Halt::Time(meter.granted.get().time)));
            return true;
        }
        false
    })
}

/// Sets every limit of `engine`. All of them: their defaults differ between debug and release builds.
pub(super) fn apply(engine: &mut Engine) {
    engine.set_max_call_levels(CALL_LEVELS);
    engine.set_max_expr_depths(EXPRESSION_DEPTHS.0, EXPRESSION_DEPTHS.1);
    engine.set_max_string_size(STRING_BYTES);
    engine.set_max_array_size(ARRAY_ELEMENTS);
    engine.set_max_map_size(MAP_ENTRIES);
    engine.set_max_variables(VARIABLES);
    engine.set_max_functions(FILE_FUNCTIONS);
    engine.set_max_modules(FILES);
    // Counted by the meter instead: one engine serves runs with different budgets.
    engine.set_max_operations(0);
    engine.on_progress(|_| spend().then_some(rhai::Dynamic::UNIT));
}
