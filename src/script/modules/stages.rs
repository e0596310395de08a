//! Owns what a script declares with: `pipeline`, `settings` and the constructors of the four modules.
//! They record what was written and judge nothing.

use std::collections::VecDeque;
use std::sync::Arc;

use rhai::{Dynamic, Engine, FnPtr, Module, NativeCallContext, Position};

use super::{Answered, change, text};
use crate::rules;
use crate::script::Declaration;
use crate::script::context;
use crate::script::diagnose::complaint;
use crate::script::entry::{Entry, Example, Form, Frame, Stands, script, takes};
use crate::script::habits::tokens::{Kind, Token, tokens};
use crate::script::node::Written;
use crate::script::requires;
use crate::script::session::{self, Session, StageNumber};
use crate::settings::{Node, Place, Stage, StageKind, Value};
use crate::{decide, measure, notify, scale};

/// The value of a stage.
const fn expression(frame: Frame, text: &'static str) -> Example {
    Example { frame, text }
}

/// What is registered here, but for the constructors of the tables.
pub(super) static DOCS: &[Entry] = &[
    Entry {
        form: Form::Function,
        name: "pipeline",
        parameters: &[takes("name", "String"), takes("settings", "Map")],
        gives: "()",
        doc: "Declares a pipeline. Its settings are its four stages and what concerns the whole pipeline.",
        stands: Stands::Load,
        example: script(
            r#"pipeline("web", #{
    measure: measure::response_time(#{ base_url: "https://www.example.com" }),
    decide: decide::consecutive_threshold(#{ max_dynos: 5 }),
    scale: scale::heroku(#{ app_name: "dancing-forest-1234", api_key: env::secret("HEROKU_API_KEY") }),
    notify: notify::console(),
});"#,
        ),
    },
    Entry {
        form: Form::Function,
        name: "settings",
        parameters: &[takes("settings", "Map")],
        gives: "()",
        doc: "Sets what concerns the whole script. It is called once.",
        stands: Stands::Load,
        example: script(
            r#"settings(#{ time_zone: "America/Vancouver", mode: "dry_run" });

pipeline("web", #{
    measure: || 250,
    decide: |m| if m.now.hour < 8 { to(1) } else { to(3) },
    scale: #{ current: || 2, scale_to: |n| () },
});"#,
        ),
    },
    Entry {
        form: Form::Function,
        name: "requires",
        parameters: &[takes("version", "String")],
        gives: "()",
        doc: "The oldest autoscaler that the file runs on. It stands before everything else of its file.",
        stands: Stands::Load,
        example: script(
            r#"requires("0.1");

pipeline("web", #{
    measure: || 250,
    decide: |m| if m.value > 200 { up(1) },
    scale: #{ current: || 2, scale_to: |n| () },
});"#,
        ),
    },
    Entry {
        form: Form::Method("Stage"),
        name: "map",
        parameters: &[takes("rework", "FnPtr")],
        gives: "Stage",
        doc: "A measurement reworked: the function `|data| …` is given what was measured and answers what is judged.",
        stands: Stands::Load,
        example: expression(
            Frame::Measure,
            r#"measure::app_decision(#{ base_url: "https://www.example.com" }).map(|data| data.waiting + data.running)"#,
        ),
    },
    Entry {
        form: Form::Member("measure"),
        name: "custom",
        parameters: &[takes("settings", "Map"), takes("measure", "FnPtr")],
        gives: "Stage",
        doc: "Measures with a function `|| …`, which answers a number, any JSON-like value, or `measure::failed(\"why\")`.",
        stands: Stands::Load,
        example: expression(
            Frame::Measure,
            r"measure::custom(#{ measurement_interval_in_seconds: 10, memory: #{ n: 0 } }, || {
    this.n += 1;
    this.n
})",
        ),
    },
    Entry {
        form: Form::Member("decide"),
        name: "custom",
        parameters: &[takes("settings", "Map"), takes("decide", "FnPtr")],
        gives: "Stage",
        doc: "Decides with a function `|m| …`, which answers `up(n)`, `down(n)`, `to(n)`, `hold(\"why\")`, a number (as `to`) or nothing (as `hold`).",
        stands: Stands::Load,
        example: expression(
            Frame::Decide,
            r"decide::custom(#{ memory: #{ seen: 0 } }, |m| {
    this.seen += 1;
    if m.value > 1000 { up(1) }
})",
        ),
    },
    Entry {
        form: Form::Member("scale"),
        name: "custom",
        parameters: &[takes("settings", "Map"), takes("current", "FnPtr"), takes("scale_to", "FnPtr")],
        gives: "Stage",
        doc: "Counts with a function `|| …` and scales with a function `|n| …`: it asks for n in all, and fails by throwing.",
        stands: Stands::Load,
        example: expression(Frame::Scale, "scale::custom(#{ memory: #{ n: 2 } }, || this.n, |n| { this.n = n; })"),
    },
    Entry {
        form: Form::Member("scale"),
        name: "observe",
        parameters: &[takes("target", "Stage")],
        gives: "Stage",
        doc: "Counts the dynos of another target and never scales it, whatever `mode` says: to run beside what scales it today, and see in the records what this pipeline would do.",
        stands: Stands::Load,
        example: expression(
            Frame::Scale,
            r#"scale::observe(scale::heroku(#{ app_name: "dancing-forest-1234", api_key: env::secret("HEROKU_API_KEY") }))"#,
        ),
    },
    Entry {
        form: Form::Member("notify"),
        name: "custom",
        parameters: &[takes("settings", "Map"), takes("notify", "FnPtr")],
        gives: "Stage",
        doc: "Notifies with a function `|event| …` that hears what the settings say.",
        stands: Stands::Load,
        example: expression(
            Frame::Notify,
            "notify::custom(#{ notify_on_every_scale: true }, |event| log::info(event.message))",
        ),
    },
    Entry {
        form: Form::Member("notify"),
        name: "all",
        parameters: &[takes("settings", "Map"), takes("backends", "Array")],
        gives: "Stage",
        doc: "Gives several backends the same settings.",
        stands: Stands::Load,
        example: expression(
            Frame::Notify,
            "notify::all(#{ notify_on_every_scale: true }, [notify::console(), notify::logger()])",
        ),
    },
];

/// Registers everything that declares.
pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<StageNumber>("a stage");
    engine.register_fn("pipeline", |native: NativeCallContext, name: Dynamic, settings: Dynamic| {
        pipeline(&native, &name, &settings)
    });
    engine.register_fn("settings", |native: NativeCallContext, settings: Dynamic| whole_script(&native, &settings));
    engine.register_fn("requires", |native: NativeCallContext, version: Dynamic| requires::called(&native, version));
    engine.register_fn("map", |native: NativeCallContext, stage: &mut StageNumber, function: FnPtr| {
        map(&native, *stage, function)
    });
    constructors(engine, &[]);
}

const STAGES: [StageKind; 4] = [StageKind::Measure, StageKind::Decide, StageKind::Scale, StageKind::Notify];

/// Registers the four modules, with constructors for the `unknown` ones too: they are told of when the file is
/// looked at, and the load goes on to what else is wrong.
fn constructors(engine: &mut Engine, unknown: &[(StageKind, String)]) {
    for kind in STAGES {
        let mut module = Module::new();
        for name in names(kind) {
            constructor(&mut module, kind, name);
        }
        by_hand(&mut module, kind);
        for (_, name) in unknown.iter().filter(|(of, _)| *of == kind) {
            let named = [name.clone(), name.clone(), name.clone()];
            let [none, one, two] = named;
            module.set_native_fn(name, move |native: NativeCallContext| make(&native, kind, &none, &[]));
            module.set_native_fn(name, move |native: NativeCallContext, a: Dynamic| make(&native, kind, &one, &[a]));
            module.set_native_fn(name, move |native: NativeCallContext, a: Dynamic, b: Dynamic| {
                make(&native, kind, &two, &[a, b])
            });
        }
        engine.register_static_module(kind.module(), module.into());
    }
}

/// Makes the load of `text` go on at constructors that do not exist.
pub(in crate::script) fn tolerate(engine: &mut Engine, text: &str) {
    let tokens = tokens(text);
    let called = |of: &[Token<'_>]| {
        let kind = STAGES.into_iter().find(|kind| of[0].is(kind.module()))?;
        let name = of[2].text;
        let known = [names(kind), vec!["custom", "all", "failed"]].concat().contains(&name);
        (of[1].is("::") && of[2].kind == Kind::Word && of[3].is("(") && !known).then(|| (kind, name.to_owned()))
    };
    let unknown: Vec<(StageKind, String)> = tokens.windows(4).filter_map(called).collect();
    if !unknown.is_empty() {
        constructors(engine, &unknown);
    }
}

/// The constructors of a module's table.
fn names(kind: StageKind) -> Vec<&'static str> {
    match kind {
        StageKind::Measure => measure::CONSTRUCTORS.iter().map(|constructor| constructor.name).collect(),
        StageKind::Decide => decide::CONSTRUCTORS.iter().map(|constructor| constructor.name).collect(),
        StageKind::Scale => scale::CONSTRUCTORS.iter().map(|constructor| constructor.name).collect(),
        StageKind::Notify => notify::CONSTRUCTORS.iter().map(|constructor| constructor.name).collect(),
    }
}

fn constructor(module: &mut Module, kind: StageKind, name: &'static str) {
    module.set_native_fn(name, move |native: NativeCallContext| make(&native, kind, name, &[]));
    module.set_native_fn(name, move |native: NativeCallContext, settings: Dynamic| {
        make(&native, kind, name, &[settings])
    });
}

/// Those with further arguments.
fn by_hand(module: &mut Module, kind: StageKind) {
    match kind {
        StageKind::Scale => {
            module.set_native_fn("custom", move |native: NativeCallContext, a: Dynamic, b: Dynamic, c: Dynamic| {
                make(&native, kind, "custom", &[a, b, c])
            });
            module.set_native_fn("observe", move |native: NativeCallContext, target: Dynamic| {
                make(&native, kind, "observe", &[target])
            });
        }
        StageKind::Measure | StageKind::Decide | StageKind::Notify => {
            module.set_native_fn("custom", move |native: NativeCallContext, settings: Dynamic, function: Dynamic| {
                make(&native, kind, "custom", &[settings, function])
            });
        }
    }
    if kind == StageKind::Measure {
        change::failed(module);
    }
    if kind == StageKind::Notify {
        for (name, _) in notify::LAST_ARGUMENT.iter().copied() {
            module.set_native_fn(name, move |native: NativeCallContext, settings: Dynamic, function: Dynamic| {
                make(&native, kind, name, &[settings, function])
            });
        }
        module.set_native_fn("all", move |native: NativeCallContext, settings: Dynamic, backends: Dynamic| {
            make(&native, kind, "all", &[settings, backends])
        });
    }
}

/// Keeps a stage: its settings are the first argument.
fn make(native: &NativeCallContext, kind: StageKind, name: &str, given: &[Dynamic]) -> Answered<StageNumber> {
    let what = format!("{kind}::{name}");
    let written = written(native, &what)?;
    let place = Some(written.place());
    programs(&what, name, place.as_ref());
    let mut nodes: VecDeque<Node> = given.iter().enumerate().map(|(at, value)| written.argument(at, value)).collect();
    let last = if kind == StageKind::Notify { last_argument(name, &mut nodes) } else { None };
    let empty = || Node { value: Value::Map(Vec::new()), place: place.clone() };
    let mut settings = nodes.pop_front().unwrap_or_else(empty);
    if let (Some((setting, function)), Value::Map(entries)) = (last, &mut settings.value) {
        entries.retain(|(known, _)| **known != *setting);
        entries.push((setting.into(), function));
    }
    let arguments = nodes.into();
    let stage = Stage { kind, name: name.into(), settings, arguments, map: Vec::new(), place };
    session::loading(&what, |session| session.keep_stage(stage))
}

/// The function that stands behind the settings, or in place of them, and the setting that it is.
fn last_argument(name: &str, given: &mut VecDeque<Node>) -> Option<(&'static str, Node)> {
    let (_, setting) = notify::LAST_ARGUMENT.iter().find(|(known, _)| *known == name)?;
    let last = given.back()?;
    let alone = given.len() == 1 && matches!(last.value, Value::Map(_));
    if alone { None } else { given.pop_back().map(|function| (*setting, function)) }
}

/// Refuses a stage that runs programs where the command line does not allow it; the load goes on.
fn programs(what: &str, name: &str, place: Option<&Place>) {
    let Some(surroundings) = context::surroundings().filter(|_| name == "command") else { return };
    if let Err((message, help)) = surroundings.environment.bounds().program(what) {
        session::with(|session| session.report.say(&rules::PROGRAM_NOT_ALLOWED, place, message, help));
    }
}

/// `stage.map(|data| …)`.
fn map(native: &NativeCallContext, stage: StageNumber, function: FnPtr) -> Answered<StageNumber> {
    let written = written(native, "map")?;
    let node = written.argument(1, &Dynamic::from(function));
    let Some(stage) = session::loading("map", |session| session.take_stage(stage))? else {
        return Err(complaint("the stage belongs to another load", None, Position::NONE));
    };
    if stage.kind != StageKind::Measure {
        let message = format!("`{}::{}` has no `map`: only measurements can be reworked", stage.kind, stage.name);
        return Err(complaint(message, None, Position::NONE));
    }
    let mut mapped = Stage::clone(&stage);
    if let Value::Function(function) = node.value {
        mapped.map.push(function);
    }
    session::loading("map", |session| session.keep_stage(mapped))
}

fn pipeline(native: &NativeCallContext, name: &Dynamic, settings: &Dynamic) -> Answered<()> {
    let written = written(native, "pipeline")?;
    let name: Arc<str> = text("the first argument of `pipeline`, its name,", name)?.into();
    let declaration = Declaration { name, place: Some(written.place()), settings: written.argument(1, settings) };
    session::loading("pipeline", |session: &mut Session| session.declarations.push(declaration))
}

fn whole_script(native: &NativeCallContext, settings: &Dynamic) -> Answered<()> {
    let written = written(native, "settings")?;
    let node = written.argument(0, settings);
    let first = session::loading("settings", |session| {
        if let Some(first) = &session.settings {
            return first.place.clone();
        }
        session.settings = Some(node);
        None
    })?;
    let Some(first) = first else { return Ok(()) };
    Err(complaint("`settings` is called a second time", Some(format!("the first is at {first}")), Position::NONE))
}

fn written(native: &NativeCallContext, what: &str) -> Answered<Written> {
    // The error of a call that comes too late.
    session::loading(what, |_| ())?;
    Written::new(native).ok_or_else(|| complaint(format!("`{what}` works only in a script"), None, Position::NONE))
}
