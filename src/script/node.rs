//! Owns the way from a script value to a [`Node`]: every key with the place where it is written, every
//! function bound to its file, every captured value copied. It judges no setting.

use std::sync::Arc;

use rhai::{Dynamic, Map, NativeCallContext, Position};

use super::files::{Script, Surroundings};
use super::function::{ScriptFunction, Unbound};
use super::limits::NESTING;
use super::modules::http::RequestValue;
use super::modules::secret::ScriptSecret;
use super::places::{Call, Shape};
use super::session::{self, StageNumber};
use super::{MissingSecrets, context, convert};
use crate::rules;
use crate::settings::{Node, Place, Value, did_you_mean};

/// One call of a native function, as written.
pub(super) struct Written {
    surroundings: Arc<Surroundings>,
    /// The file in which the call stands.
    pub(super) script: Arc<Script>,
    name: String,
    position: Position,
}

/// Where a value was written, as far as that is known.
#[derive(Clone, Copy)]
struct Trace<'a> {
    shape: Option<&'a Shape>,
    /// The nearest known position.
    position: Position,
    /// Levels of nesting that may still follow.
    left: usize,
}

impl Written {
    /// The call that `native` answers. `None` when no script is being run.
    pub(super) fn new(native: &NativeCallContext) -> Option<Self> {
        let surroundings = context::surroundings()?;
        let (name, position) =
            (native.fn_name().rsplit("::").next().unwrap_or_default().to_string(), native.call_position());
        let script = current(native, &surroundings, |script| script.index.call_at(position, &name).is_some())?;
        Some(Self { surroundings, script, name, position })
    }

    /// Where the call stands.
    pub(super) fn place(&self) -> Place {
        let call = self.script.index.call_at(self.position, &self.name);
        self.script.place(call.map_or(self.position, |call| call.start))
    }

    /// Argument `at` as a node.
    pub(super) fn argument(&self, at: usize, value: &Dynamic) -> Node {
        let call: Option<&Call> = self.script.index.call_at(self.position, &self.name);
        let shape = call.and_then(|call| {
            // A method's first argument stands before its name.
            let at = if call.method { at.checked_sub(1)? } else { at };
            call.arguments.get(at)
        });
        let position = shape.map_or_else(|| call.map_or(self.position, |call| call.start), Shape::position);
        self.node(value, Trace { shape, position, left: NESTING })
    }

    fn node(&self, value: &Dynamic, trace: Trace<'_>) -> Node {
        Node { value: self.value(value, trace), place: Some(self.script.place(trace.position)) }
    }

    fn value(&self, value: &Dynamic, trace: Trace<'_>) -> Value {
        let Some(left) = trace.left.checked_sub(1) else {
            return Value::Other(format!("a value nested deeper than {NESTING}").into());
        };
        let trace = Trace { left, ..trace };
        if value.is_unit() {
            return self.unset(trace).unwrap_or(Value::Unit);
        }
        if let Ok(value) = value.as_bool() {
            return Value::Bool(value);
        }
        if let Ok(value) = value.as_int() {
            return Value::Int(value);
        }
        if let Ok(value) = value.as_float() {
            return Value::Float(value);
        }
        if let Ok(value) = value.as_char() {
            return Value::Text(value.to_string().into());
        }
        if let Some(text) = value.read_lock::<rhai::ImmutableString>() {
            return Value::Text(text.as_str().into());
        }
        if let Some(secret) = value.read_lock::<ScriptSecret>() {
            return secret.value();
        }
        if let Some(request) = value.read_lock::<RequestValue>() {
            return Value::Request(Arc::clone(&request.0));
        }
        if let Some(items) = value.read_lock::<rhai::Array>() {
            return Value::Array(self.items(&items, trace));
        }
        if let Some(entries) = value.read_lock::<Map>() {
            return Value::Map(self.entries(&entries, trace));
        }
        if let Some(pointer) = value.read_lock::<rhai::FnPtr>() {
            return self.function(&pointer, trace);
        }
        if let Some(number) = value.read_lock::<StageNumber>()
            && let Some(Some(stage)) = session::with(|session| session.take_stage(*number))
        {
            return Value::Stage(stage);
        }
        Value::Other(convert::describe(value).into())
    }

    /// `()` as what an environment variable that is not set left behind.
    fn unset(&self, trace: Trace<'_>) -> Option<Value> {
        let name = self.script.index.variable_read(trace.shape?)?;
        let pretended = self.surroundings.missing == MissingSecrets::Placeholder;
        self.surroundings.environment.variable(name).is_none().then(|| Value::Unset { name: name.into(), pretended })
    }

    fn items(&self, items: &[Dynamic], trace: Trace<'_>) -> Vec<Node> {
        let written = |at| trace.shape.and_then(|shape| self.script.index.element(shape, at));
        let nodes = items.iter().enumerate().map(|(at, item)| {
            let shape = written(at);
            self.node(item, Trace { shape, position: shape.map_or(trace.position, Shape::position), ..trace })
        });
        nodes.collect()
    }

    fn entries(&self, entries: &Map, trace: Trace<'_>) -> Vec<(Arc<str>, Node)> {
        let index = &self.script.index;
        let mut nodes: Vec<(Arc<str>, Node)> = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let traced = trace.shape.and_then(|shape| index.entry(shape, key));
            let node = match traced {
                Some((position, shape)) => {
                    let node = self.node(value, Trace { shape: Some(shape), position, ..trace });
                    // The key's own place, wherever the value was written.
                    Node { place: Some(self.script.place(position)), ..node }
                }
                None => self.untraced(key, value, trace),
            };
            nodes.push((key.as_str().into(), node));
        }
        // A map forgets the order of its keys: what is known of it is the order of their places.
        nodes.sort_by(|(_, a), (_, b)| a.place.cmp(&b.place));
        nodes
    }

    /// The value of a key whose map was not found: the key may still be written only once.
    fn untraced(&self, key: &str, value: &Dynamic, trace: Trace<'_>) -> Node {
        let files = self.surroundings.files.all();
        let ours = |script: &Script| script.name.starts_with("std/") && script.name != self.script.name;
        let mut found =
            files.iter().filter(|script| !ours(script)).filter_map(|script| Some((script, script.index.only(key)?)));
        let node = self.node(value, Trace { shape: None, ..trace });
        match (found.next(), found.next()) {
            (Some((script, position)), None) => Node { place: Some(script.place(position)), ..node },
            _ => node,
        }
    }

    fn function(&self, pointer: &rhai::FnPtr, trace: Trace<'_>) -> Value {
        let engine = session::with(|session| Arc::clone(&session.engine));
        let Some(engine) = engine else { return Value::Other("a function".into()) };
        let name = pointer.fn_name();
        let (message, help) = match ScriptFunction::bind(&engine, &self.surroundings, &self.script, pointer) {
            Ok(function) => return Value::Function(Arc::new(function)),
            Err(Unbound::Private) => {
                let help = format!("leave out `private`, or write `|…| {name}(…)`");
                (format!("`{name}` is private and cannot be handed over by its name"), Some(help))
            }
            Err(Unbound::TooDeep) => {
                let help = "does it hold itself?".to_owned();
                (format!("a function captures values nested deeper than {NESTING}"), Some(help))
            }
            Err(Unbound::Unknown) => {
                let known =
                    self.script.functions.keys().map(String::as_str).filter(|known| !known.starts_with("anon$"));
                (format!("there is no function `{name}` in {}", self.script.name), did_you_mean(name, known))
            }
        };
        let place = self.script.place(trace.position);
        session::with(|session| session.report.say(&rules::UNKNOWN_STAGE_FUNCTION, Some(&place), message, help));
        Value::Other("a function that cannot be used".into())
    }
}

/// The file in which the running code is written: the one whose functions were searched last, unless
/// `fits` says that only another one can be it.
pub(super) fn current(
    native: &NativeCallContext,
    surroundings: &Surroundings,
    fits: impl Fn(&Script) -> bool,
) -> Option<Arc<Script>> {
    let global = native.global_runtime_state();
    let names = global.lib.iter().rev().filter_map(|module| module.id()).chain(global.source.as_deref());
    let mut nearest = None;
    for name in names {
        let Some(script) = surroundings.files.named(name) else { continue };
        if fits(&script) {
            return Some(script);
        }
        nearest.get_or_insert(script);
    }
    surroundings.files.find(|script| fits(script)).or(nearest).or_else(|| surroundings.files.all().into_iter().next())
}
