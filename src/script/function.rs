//! Owns a function of the script as the engine calls it: bound to its file and generation, captured
//! values copied. Nothing else ever calls a function pointer: a pointer is only a name, and means
//! another function in another file or generation.

use std::fmt;
use std::sync::Arc;

use rhai::{Dynamic, Engine, EvalAltResult, FnPtr, Map, NativeCallContext, Position};
use serde_json::Value as Json;

use super::files::{Script, Surroundings};
use super::limits::{MEMORY_BYTES, Metered};
use super::modules::{event::EventValue, moment::MomentValue};
use super::{context, convert, diagnose};
use crate::function::{Argument, CallError, Callable, Permit, Returned};
use crate::settings::Place;

/// A function of one file of one generation.
pub(super) struct ScriptFunction {
    engine: Arc<Engine>,
    surroundings: Arc<Surroundings>,
    home: Arc<Script>,
    pointer: FnPtr,
    position: Position,
    arity: usize,
    place: Place,
    fingerprint: String,
}

impl fmt::Debug for ScriptFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "function at {}", self.place)
    }
}

impl ScriptFunction {
    /// Binds what `pointer` names when seen from the file `current`; `None` where there is no such
    /// function.
    pub(super) fn bind(
        engine: &Arc<Engine>,
        surroundings: &Arc<Surroundings>,
        current: &Arc<Script>,
        pointer: &FnPtr,
    ) -> Option<Self> {
        let home = surroundings.files.home(pointer, current)?;
        let defined = home.function(pointer.fn_name()).filter(|_| !home.is_private(pointer.fn_name()))?;
        let captured: Vec<Dynamic> = pointer.iter_curry().map(|value| copied(value, surroundings, current)).collect();
        let mut fingerprint = home.text_of(defined);
        for value in pointer.iter_curry() {
            fingerprint.push('\n');
            fingerprint.push_str(&shown(value, surroundings, current));
        }
        let arity = defined.definition.params.len().checked_sub(captured.len())?;
        let (position, place) = (defined.position, home.place(defined.position));
        let mut pointer = FnPtr::from(rhai::Shared::clone(&defined.definition));
        pointer.set_curry(captured);
        let (engine, surroundings) = (Arc::clone(engine), Arc::clone(surroundings));
        Some(Self { engine, surroundings, home, pointer, position, arity, place, fingerprint })
    }

    fn arguments(argument: Argument) -> Vec<Dynamic> {
        match argument {
            Argument::Nothing => Vec::new(),
            Argument::Moment(moment) => vec![Dynamic::from(MomentValue(moment))],
            Argument::Data(data) => vec![convert::from_json(&data)],
            Argument::Event(event) => vec![Dynamic::from(EventValue(event))],
            Argument::Dynos(dynos) => vec![Dynamic::from_int(i64::from(dynos))],
        }
    }

    fn error(&self, message: impl Into<String>) -> CallError {
        CallError::Script { message: message.into(), place: Some(self.place.clone()) }
    }

    /// What `this` became, if it may be kept.
    fn kept(&self, this: &Dynamic) -> Result<Json, CallError> {
        if !this.is_map() {
            return Err(self.error("`this` is a map, and cannot be replaced by something else"));
        }
        let memory = convert::to_json(this)
            .map_err(|what| self.error(format!("`this` can hold texts, numbers, arrays and maps, not {what}")))?;
        Ok(memory)
    }
}

impl Callable for ScriptFunction {
    fn arity(&self) -> usize {
        self.arity
    }

    fn place(&self) -> &Place {
        &self.place
    }

    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn call(&self, argument: Argument, memory: &mut Json, permit: &Permit) -> Result<Returned, CallError> {
        let _entered = context::enter(&self.surroundings, Some(permit));
        let _metered = Metered::start(permit.budget);
        let mut this = match &*memory {
            Json::Object(_) => convert::from_json(memory),
            _ => Dynamic::from_map(Map::new()),
        };
        let arguments = Self::arguments(argument);
        if arguments.len() != self.arity {
            let takes = diagnose::parameters(self.arity);
            return Err(self.error(format!("the function takes {takes}, and is called with {}", arguments.len())));
        }
        let result = call_home(&self.engine, &self.home, &self.pointer, 0, self.position, Some(&mut this), arguments);
        if super::limits::halted().is_some() || result.is_err() {
            let error = result.err();
            return Err(diagnose::call_error(error.as_deref(), &self.surroundings, &self.home, &self.place));
        }
        let value = result.unwrap_or(Dynamic::UNIT);
        let returned = convert::returned(value)
            .map_err(|what| self.error(format!("the function returned {what}, which no stage can use")))?;
        let kept = self.kept(&this)?;
        if kept != *memory {
            let bytes = kept.to_string().len();
            if bytes > MEMORY_BYTES {
                let limit = MEMORY_BYTES / 1024;
                return Err(self.error(format!("`this` has grown to {bytes} bytes, and may have {limit} KiB")));
            }
            *memory = kept;
        }
        Ok(returned)
    }
}

/// Calls `pointer` with the functions, imports and constants of its own file, and of no other.
fn call_home(
    engine: &Engine,
    home: &Script,
    pointer: &FnPtr,
    level: usize,
    position: Position,
    this: Option<&mut Dynamic>,
    arguments: Vec<Dynamic>,
) -> Result<Dynamic, Box<EvalAltResult>> {
    let Some(module) = home.module.get() else {
        let message = format!("{} did not load to its end: its functions cannot be called", home.name);
        return Err(diagnose::complaint(message, None, position));
    };
    let mut global = engine.new_global_runtime_state();
    global.lib.push(Arc::clone(module));
    global.source = Some(home.name.as_ref().into());
    global.level = level;
    let native = NativeCallContext::new_with_all_fields(engine, pointer.fn_name(), None, &global, position);
    pointer.call_raw(&native, this, arguments)
}

/// A copy of a captured value that shares nothing with the original, functions in it bound to their
/// own files: without that a closure that captures a closure would look for it in the wrong file.
fn copied(value: &Dynamic, surroundings: &Arc<Surroundings>, current: &Arc<Script>) -> Dynamic {
    let value = value.flatten_clone();
    if let Some(items) = value.read_lock::<rhai::Array>() {
        return Dynamic::from_array(items.iter().map(|item| copied(item, surroundings, current)).collect());
    }
    if let Some(entries) = value.read_lock::<Map>() {
        let entries = entries.iter().map(|(key, value)| (key.clone(), copied(value, surroundings, current)));
        return Dynamic::from_map(entries.collect());
    }
    let Some(pointer) = value.read_lock::<FnPtr>().map(|pointer| pointer.clone()) else { return value };
    bound(&pointer, surroundings, current).map_or(value, Dynamic::from)
}

/// A pointer that calls what `pointer` names in its own file, from wherever it is called.
fn bound(pointer: &FnPtr, surroundings: &Arc<Surroundings>, current: &Arc<Script>) -> Option<FnPtr> {
    let home = surroundings.files.home(pointer, current)?;
    let defined = home.function(pointer.fn_name())?;
    let captured: Vec<Dynamic> = pointer.iter_curry().map(|value| copied(value, surroundings, current)).collect();
    let arity = defined.definition.params.len().checked_sub(captured.len())?;
    let mut own = FnPtr::from(rhai::Shared::clone(&defined.definition));
    own.set_curry(captured);
    let call = move |native: NativeCallContext, given: &mut [&mut Dynamic]| {
        let (level, position) = (native.call_level(), native.call_position());
        let mut given: Vec<Dynamic> = given.iter_mut().map(|value| value.take()).collect();
        // One more than it takes: `this` comes first (`array.map(f)`).
        let mut this = (given.len() == arity + 1).then(|| given.remove(0));
        if given.len() != arity {
            // Array functions try again with the index, as they do for any closure.
            return Err(EvalAltResult::ErrorFunctionNotFound(CAPTURED.into(), position).into());
        }
        call_home(native.engine(), &home, &own, level + 1, position, this.as_mut(), given)
    };
    // The API is unstable, not deprecated: rhai is pinned for such reasons.
    #[allow(deprecated)]
    FnPtr::from_fn(CAPTURED, call).ok()
}

/// What a captured function is called inside; never shown.
const CAPTURED: &str = "captured_function";

/// A captured value as text: equal for equal values, from one run to the next.
fn shown(value: &Dynamic, surroundings: &Arc<Surroundings>, current: &Arc<Script>) -> String {
    let value = value.flatten_clone();
    if let Some(items) = value.read_lock::<rhai::Array>() {
        let items: Vec<String> = items.iter().map(|item| shown(item, surroundings, current)).collect();
        return format!("[{}]", items.join(", "));
    }
    if let Some(entries) = value.read_lock::<Map>() {
        let entries: Vec<String> =
            entries.iter().map(|(key, value)| format!("{key:?}: {}", shown(value, surroundings, current))).collect();
        return format!("#{{{}}}", entries.join(", "));
    }
    if let Some(pointer) = value.read_lock::<FnPtr>() {
        let Some(home) = surroundings.files.home(&pointer, current) else { return pointer.fn_name().to_string() };
        let text = home.function(pointer.fn_name()).map(|defined| home.text_of(defined)).unwrap_or_default();
        let captured: Vec<String> = pointer.iter_curry().map(|value| shown(value, surroundings, current)).collect();
        return format!("{text} [{}]", captured.join(", "));
    }
    if let Some(secret) = value.read_lock::<super::modules::secret::ScriptSecret>() {
        return secret.fingerprint();
    }
    format!("{value:?}")
}
