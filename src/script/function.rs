//! Owns a function of the script as the engine calls it: bound to its file and generation, captured
//! values copied. Nothing else ever calls a function pointer: a pointer is only a name, and means
//! another function in another file or generation.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rhai::{Dynamic, Engine, EvalAltResult, FnPtr, Map, NativeCallContext, Position};
use serde_json::Value as Json;

use super::files::{Script, Surroundings};
use super::limits::{MEMORY_BYTES, Metered, NESTING};
use super::modules::http::RequestValue;
use super::modules::{event::EventValue, moment::MomentValue, reaching::ReplyValue, secret::ScriptSecret};
use super::{context, convert, diagnose, lint, reaches, slips};
use crate::function::{
    Argument, Budget, CallError, Callable, FULL, Memory, Outline, Permit, Reach, Returned, Spoken, Standing, This,
};
use crate::settings::{Place, Report};

/// What a trial may use: the operations of a decision; more time than it has, since this machine may be a slow one.
const TRIAL: Budget = Budget { operations: FULL.operations, time: Duration::from_secs(1) };

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

/// `this` as a function left it: JSON-like values that share nothing, and so nothing of a generation.
struct Kept(Dynamic);

impl Spoken for Kept {
    fn json(&self) -> Json {
        convert::to_json(&self.0).unwrap_or(Json::Null)
    }
}

impl ScriptFunction {
    /// Binds what `pointer` names when seen from the file `current`.
    ///
    /// # Errors
    /// Why it cannot be bound.
    pub(super) fn bind(
        engine: &Arc<Engine>,
        surroundings: &Arc<Surroundings>,
        current: &Arc<Script>,
        pointer: &FnPtr,
    ) -> Result<Self, Unbound> {
        let (home, own) = Copies { surroundings, current, left: NESTING }.own(pointer)?;
        let defined = home.function(own.fn_name()).ok_or(Unbound::Unknown)?;
        let fingerprint = Copies { surroundings, current, left: NESTING }.text(pointer);
        let arity = defined.definition.params.len().saturating_sub(own.curry().len());
        let (position, place) = (defined.position, home.place(defined.position));
        let (engine, surroundings) = (Arc::clone(engine), Arc::clone(surroundings));
        Ok(Self { engine, surroundings, home, pointer: own, position, arity, place, fingerprint })
    }

    fn arguments(argument: Argument) -> Vec<Dynamic> {
        match argument {
            Argument::Nothing => Vec::new(),
            Argument::Moment(moment) => vec![Dynamic::from(MomentValue(moment))],
            Argument::Data(data) => {
                let value = convert::from_json(&data);
                context::note_data(data);
                vec![value]
            }
            Argument::Event(event) => vec![Dynamic::from(EventValue(event))],
            Argument::Response(response) => vec![Dynamic::from(ReplyValue(response))],
            Argument::Dynos(dynos) => vec![Dynamic::from_int(i64::from(dynos))],
        }
    }

    /// The key that it reads from what was measured and that is not there.
    fn slip(&self) -> Option<String> {
        slips::missing_key(&self.home, self.home.function(self.pointer.fn_name())?)
    }

    /// `error`, with the key that is not there where a missing value was in the way.
    fn with_slip(&self, error: CallError) -> CallError {
        match error {
            CallError::Script { message, place } if message.contains("`()`") => {
                let slip = self.slip().map_or_else(String::new, |slip| format!("; {slip}"));
                CallError::Script { message: format!("{message}{slip}"), place }
            }
            other => other,
        }
    }

    fn error(&self, message: impl Into<String>) -> CallError {
        CallError::Script { message: message.into(), place: Some(self.place.clone()) }
    }

    /// What `this` became, if it may be kept.
    fn kept(&self, this: Dynamic) -> Result<This, CallError> {
        match this.read_lock::<Map>().map(|map| map.is_empty()) {
            None => return Err(self.error("`this` is a map, and cannot be replaced by something else")),
            Some(true) => return Ok(This::default()),
            Some(false) => {}
        }
        let not_kept = |what| self.error(format!("`this` can hold texts, numbers, arrays and maps, not {what}"));
        if let Some(most) = convert::json_bytes(&this)
            && most <= MEMORY_BYTES
        {
            return Ok(This::spoken(Kept(this)));
        }
        let memory = convert::to_json(&this).map_err(not_kept)?;
        let bytes = memory.to_string().len();
        if bytes > MEMORY_BYTES {
            let limit = MEMORY_BYTES / 1024;
            return Err(self.error(format!("`this` has grown to {bytes} bytes, and may have {limit} KiB")));
        }
        Ok(memory.into())
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

    fn reaches(&self) -> Vec<String> {
        reaches::of(&self.surroundings, &self.home, self.pointer.fn_name(), self.pointer.iter_curry())
    }

    fn examine(&self, standing: &Standing, memory: Memory<'_>, report: &mut Report) {
        let handed = lint::Handed { standing, captures: self.pointer.curry(), memory };
        lint::examine(&self.engine, &self.home, self.pointer.fn_name(), &handed, report);
    }

    fn outline(&self) -> Outline {
        lint::outline(&self.home, self.pointer.fn_name(), self.pointer.curry())
    }

    fn plain_answer(&self, n: i64) -> Option<Place> {
        let defined = self.home.function(self.pointer.fn_name())?;
        lint::plain(&self.home.statements(defined), n).map(|position| self.home.place(position))
    }

    fn rehearse(&self, argument: Argument, memory: &Json) -> Result<Option<Returned>, CallError> {
        let reaches = matches!(argument, Argument::Event(_));
        let _trial = context::Trial::start(reaches);
        let permit = Permit { pipeline: "".into(), budget: TRIAL, reach: Reach::Pure };
        let answer = self.call(argument, &mut memory.into(), &permit);
        let says_nothing = context::trial_is_over() || answer.is_err() && context::trial_is_doubtful();
        if says_nothing { Ok(None) } else { answer.map(Some) }
    }

    fn call(&self, argument: Argument, memory: &mut This, permit: &Permit) -> Result<Returned, CallError> {
        let _entered = context::enter(&self.surroundings, Some(permit));
        let _metered = Metered::start(permit.budget);
        let mut this = match (memory.as_spoken::<Kept>(), memory.holds_something()) {
            (Some(kept), _) => kept.0.clone(),
            (None, true) => convert::from_json(memory.json()),
            (None, false) => Dynamic::from_map(Map::new()),
        };
        // `|event| request.send()`, `|n| request.send()`: what they answer is ignored.
        let answer_ignored = matches!(argument, Argument::Event(_) | Argument::Dynos(_));
        let measures = matches!(argument, Argument::Nothing | Argument::Data(_) | Argument::Response(_));
        let arguments = Self::arguments(argument);
        if arguments.len() != self.arity {
            let takes = diagnose::parameters(self.arity);
            return Err(self.error(format!("the function takes {takes}, and is called with {}", arguments.len())));
        }
        // A panic of the language or of ours must not take the pipeline's task with it.
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            call_home(&self.engine, &self.home, &self.pointer, 0, self.position, Some(&mut this), arguments)
        }))
        .map_err(|_| self.error("the function broke down; this is a bug of autoscaler"))?;
        if super::limits::halted().is_some() || result.is_err() {
            let error = result.err();
            let named = (self.pointer.fn_name(), &self.place);
            let error = diagnose::call_error(error.as_deref(), &self.surroundings, &self.home, named);
            return Err(self.with_slip(error));
        }
        if matches!(permit.reach, Reach::Test(_)) {
            // A test answers nothing and remembers nothing.
            return Ok(Returned::Nothing);
        }
        let value = result.unwrap_or(Dynamic::UNIT);
        if measures
            && value.is_unit()
            && let Some(slip) = self.slip()
        {
            return Err(self.error(format!("the function answered nothing, `()`: {slip}")));
        }
        let value = if answer_ignored && value.is::<ReplyValue>() { Dynamic::UNIT } else { value };
        let returned = convert::returned(value)
            .map_err(|what| self.error(format!("the function returned {what}, which no stage can use")))?;
        // Most functions have no memory.
        if memory.holds_something() || this.read_lock::<Map>().is_none_or(|map| !map.is_empty()) {
            *memory = self.kept(this)?;
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
    global.source = Some(home.source.clone());
    global.level = level;
    let mut given: Vec<Dynamic> = pointer.curry().iter().cloned().chain(arguments).collect();
    let has_this = this.is_some();
    let mut all: Vec<&mut Dynamic> = this.into_iter().chain(&mut given).collect();
    let mut lookups = home.lookups();
    let mut scope = rhai::Scope::new();
    let called = rhai::EvalContext::new(engine, &mut global, &mut lookups, &mut scope, None).call_fn_raw(
        pointer.fn_name(),
        has_this,
        has_this,
        &mut all,
    );
    home.keep_lookups(lookups);
    called.map_err(|mut error| {
        if error.position().is_none() {
            error.set_position(position);
        }
        error
    })
}

/// Why a pointer cannot be bound to a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unbound {
    /// There is no such function.
    Unknown,
    /// It is private.
    Private,
    /// It captured values nested too deeply, or itself.
    TooDeep,
}

/// What captured functions are called inside; never shown.
const CAPTURED: &str = "captured_function";

/// Copies captured values so that they share nothing with the originals, functions in them bound to
/// their own files: without that a closure that captures a closure would look for it in a wrong file.
#[derive(Clone, Copy)]
struct Copies<'a> {
    surroundings: &'a Arc<Surroundings>,
    /// The file in which the pointer was handed over.
    current: &'a Arc<Script>,
    /// Levels of nesting that may still follow.
    left: usize,
}

impl Copies<'_> {
    fn deeper(self) -> Result<Self, Unbound> {
        let left = self.left.checked_sub(1).ok_or(Unbound::TooDeep)?;
        Ok(Self { left, ..self })
    }

    /// The home of `pointer` and a pointer to be called there.
    fn own(self, pointer: &FnPtr) -> Result<(Arc<Script>, FnPtr), Unbound> {
        let name = pointer.fn_name();
        let home = self.surroundings.files.home(pointer, self.current).ok_or(Unbound::Unknown)?;
        if home.is_private(name) {
            return Err(Unbound::Private);
        }
        let defined = home.function(name).ok_or(Unbound::Unknown)?;
        let captured: Result<Vec<Dynamic>, Unbound> = pointer.iter_curry().map(|value| self.copy(value)).collect();
        let mut own = FnPtr::from(rhai::Shared::clone(&defined.definition));
        own.set_curry(captured?);
        Ok((home, own))
    }

    fn copy(self, value: &Dynamic) -> Result<Dynamic, Unbound> {
        let copies = self.deeper()?;
        let value = value.flatten_clone();
        if let Some(items) = value.read_lock::<rhai::Array>() {
            let items: Result<_, _> = items.iter().map(|item| copies.copy(item)).collect();
            return items.map(Dynamic::from_array);
        }
        if let Some(entries) = value.read_lock::<Map>() {
            let entries = entries.iter().map(|(key, value)| Ok((key.clone(), copies.copy(value)?)));
            return entries.collect::<Result<Map, Unbound>>().map(Dynamic::from_map);
        }
        let Some(pointer) = value.read_lock::<FnPtr>().map(|pointer| pointer.clone()) else { return Ok(value) };
        match copies.own(&pointer) {
            Ok((home, own)) => Ok(bound(home, own).map_or(value, Dynamic::from)),
            // A function of the language by its name, or one that only this file can see.
            Err(Unbound::Unknown | Unbound::Private) => Ok(value),
            Err(Unbound::TooDeep) => Err(Unbound::TooDeep),
        }
    }

    /// The text of a function and of what it captured: equal for equal ones, from run to run.
    fn text(self, pointer: &FnPtr) -> String {
        let Ok(copies) = self.deeper() else { return "…".into() };
        let home = self.surroundings.files.home(pointer, self.current);
        let mut text = home.map_or_else(String::new, |home| {
            home.function(pointer.fn_name())
                .map_or_else(|| pointer.fn_name().to_owned(), |defined| home.text_of(defined))
        });
        for value in pointer.iter_curry() {
            text.push('\n');
            text.push_str(&copies.shown(value));
        }
        text
    }

    fn shown(self, value: &Dynamic) -> String {
        let Ok(copies) = self.deeper() else { return "…".into() };
        let value = value.flatten_clone();
        if let Some(items) = value.read_lock::<rhai::Array>() {
            let items: Vec<String> = items.iter().map(|item| copies.shown(item)).collect();
            return format!("[{}]", items.join(", "));
        }
        if let Some(entries) = value.read_lock::<Map>() {
            let entries: Vec<String> =
                entries.iter().map(|(key, value)| format!("{key:?}: {}", copies.shown(value))).collect();
            return format!("#{{{}}}", entries.join(", "));
        }
        if let Some(pointer) = value.read_lock::<FnPtr>() {
            return copies.text(&pointer);
        }
        if let Some(secret) = value.read_lock::<ScriptSecret>() {
            return secret.fingerprint();
        }
        if let Some(request) = value.read_lock::<RequestValue>() {
            return request.0.fingerprint();
        }
        format!("{value:?}")
    }
}

/// A pointer that calls `own` in its own file, from wherever it is called.
fn bound(home: Arc<Script>, own: FnPtr) -> Option<FnPtr> {
    let arity = home.function(own.fn_name())?.definition.params.len().checked_sub(own.curry().len())?;
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
