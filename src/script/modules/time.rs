//! Owns `time::`: the wall clock, for functions that may reach it. A decision has its tick's time.

use chrono_tz::Tz;
use rhai::{Engine, Module, Position};

use super::Answered;
use super::moment::NowValue;
use crate::function::{Reach, sample_time};
use crate::script::context;
use crate::script::diagnose::complaint;
use crate::script::entry::{Entry, Form, Stands, measuring};

/// What is registered here.
pub(super) static DOCS: &[Entry] = &[Entry {
    form: Form::Member("time"),
    name: "now",
    parameters: &[],
    gives: "Time",
    doc: "The time now, in UTC. A decision has `m.now`, the time of its tick.",
    stands: Stands::Reaching,
    example: measuring("if time::now().hour < 6 { 0 } else { 12 }"),
}];

/// Registers the module.
pub(super) fn register(engine: &mut Engine) {
    let mut module = Module::new();
    module.set_native_fn("now", || -> Answered<NowValue> {
        let refuse = |message: &str, help: &str| Err(complaint(message, Some(help.into()), Position::NONE));
        match context::reach() {
            Some(Reach::World { world, .. }) => Ok(NowValue(world.clock.now().with_timezone(&Tz::UTC))),
            Some(Reach::Pure) if context::is_reaching_trial() => Ok(NowValue(sample_time().with_timezone(&Tz::UTC))),
            Some(Reach::Test(_)) => refuse("a test has no clock of its own", "use `p.now()`, the clock of a pipeline"),
            Some(Reach::Pure) => refuse("a decision has no clock of its own", "use `m.now`, the time of its tick"),
            None => refuse("loading a script reads no clock", "call `time::now()` in a function of a stage"),
        }
    });
    engine.register_static_module("time", module.into());
}
