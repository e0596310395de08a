//! Owns the sandboxed engine of one generation: the language's standard functions, ours, every limit,
//! and what is off.

use std::sync::{Arc, OnceLock};

use rhai::packages::{Package, StandardPackage};
use rhai::{Dynamic, Engine, Module, OptimizationLevel, Position, Shared};

use super::files::Surroundings;
use super::resolver::Resolver;
use super::{context, diagnose, limits, modules};

/// The standard functions, made once per process: they cost more than the rest of the engine.
fn standard() -> Shared<Module> {
    static STANDARD: OnceLock<Shared<Module>> = OnceLock::new();
    Arc::clone(STANDARD.get_or_init(|| StandardPackage::new().as_shared_module()))
}

/// An engine for one generation.
pub(super) fn build(surroundings: &Arc<Surroundings>) -> Engine {
    let mut engine = Engine::new_raw();
    engine.register_global_module(standard());
    // The optimizer folds map literals into constants and forgets where their keys stand.
    engine.set_optimization_level(OptimizationLevel::None);
    engine.set_strict_variables(true);
    // Else comparing a missing value with a number is silently false.
    engine.set_fast_operators(false);
    limits::apply(&mut engine);
    engine.set_module_resolver(Resolver::new(surroundings));
    engine.disable_symbol("eval");
    switch_off(&mut engine);
    function_names(&mut engine);
    modules::register(&mut engine);
    engine
}

/// What blocks a thread, asks the machine's clock or ends a script without a word.
fn switch_off(engine: &mut Engine) {
    let off = |name: &'static str| {
        let (message, help) = diagnose::refused(name);
        diagnose::complaint(message, help, Position::NONE)
    };
    engine.register_fn("sleep", move |_: i64| -> Result<Dynamic, Box<rhai::EvalAltResult>> { Err(off("sleep")) });
    engine.register_fn("sleep", move |_: f64| -> Result<Dynamic, Box<rhai::EvalAltResult>> { Err(off("sleep")) });
    engine.register_fn("timestamp", move || -> Result<Dynamic, Box<rhai::EvalAltResult>> { Err(off("timestamp")) });
    engine.register_fn("exit", move || -> Result<Dynamic, Box<rhai::EvalAltResult>> { Err(off("exit")) });
    engine.register_fn("exit", move |_: Dynamic| -> Result<Dynamic, Box<rhai::EvalAltResult>> { Err(off("exit")) });
}

/// A function's name as a value means the function of the file where the name is written; the
/// language would take the first file that has one.
fn function_names(engine: &mut Engine) {
    // The API is unstable, not deprecated: rhai is pinned for such reasons.
    #[allow(deprecated)]
    engine.on_var(|name, index, context| {
        if index > 0 || context.scope().contains(name) {
            return Ok(None);
        }
        let Some(surroundings) = context::surroundings() else { return Ok(None) };
        let global = context.global_runtime_state();
        let file = global.lib.last().and_then(|module| module.id()).or(global.source.as_deref());
        let script = file.and_then(|file| surroundings.files.named(file));
        Ok(script.and_then(|script| script.pointer(name)).map(Dynamic::from))
    });
}
