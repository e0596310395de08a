//! Owns what `import` may reach: the embedded `std/` and files of the script's own folder, read while
//! the script loads. It follows no path out of that folder and reads nothing later.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rhai::{Engine, EvalAltResult, GlobalRuntimeState, Module, ModuleResolver, Position, Scope, Shared};

use super::diagnose::complaint;
use super::files::{Script, Surroundings};
use super::{limits, load, session, sources};
use crate::settings::did_you_mean;

/// The embedded modules: name behind `std/`, text.
pub(super) const STANDARD: &[(&str, &str)] = &[
    ("business_hours", include_str!("../../stdlib/business_hours.rhai")),
    ("pagerduty", include_str!("../../stdlib/pagerduty.rhai")),
    ("policy/adapt", include_str!("../../stdlib/policy/adapt.rhai")),
    ("policy/backlog_per_dyno", include_str!("../../stdlib/policy/backlog_per_dyno.rhai")),
    ("policy/erlang", include_str!("../../stdlib/policy/erlang.rhai")),
    ("policy/hpa", include_str!("../../stdlib/policy/hpa.rhai")),
    ("policy/kpa", include_str!("../../stdlib/policy/kpa.rhai")),
    ("policy/p95_response", include_str!("../../stdlib/policy/p95_response.rhai")),
    ("policy/queue_time", include_str!("../../stdlib/policy/queue_time.rhai")),
    ("policy/react", include_str!("../../stdlib/policy/react.rhai")),
    ("policy/reg", include_str!("../../stdlib/policy/reg.rhai")),
    ("policy/schedule", include_str!("../../stdlib/policy/schedule.rhai")),
    ("policy/seasonal", include_str!("../../stdlib/policy/seasonal.rhai")),
    ("policy/steady", include_str!("../../stdlib/policy/steady.rhai")),
    ("policy/target_tracking", include_str!("../../stdlib/policy/target_tracking.rhai")),
    ("prometheus", include_str!("../../stdlib/prometheus.rhai")),
    ("rabbitmq", include_str!("../../stdlib/rabbitmq.rhai")),
    ("render", include_str!("../../stdlib/render.rhai")),
    ("slack", include_str!("../../stdlib/slack.rhai")),
    ("webhook", include_str!("../../stdlib/webhook.rhai")),
];

/// The line that a standard module's tests begin with.
const TESTS: &str = "\n// --- Tests:";

/// Resolves the imports of one generation.
pub(super) struct Resolver {
    surroundings: Arc<Surroundings>,
}

/// A file as found.
struct Found {
    name: Arc<str>,
    path: Option<PathBuf>,
    text: Option<Arc<str>>,
}

type Failed = (String, Option<String>);

impl Resolver {
    pub(super) fn new(surroundings: &Arc<Surroundings>) -> Self {
        Self { surroundings: Arc::clone(surroundings) }
    }

    fn find(&self, path: &str) -> Result<Found, Failed> {
        if let Some(name) = path.strip_prefix("std/") {
            let name = name.strip_suffix(".rhai").unwrap_or(name);
            let names = STANDARD.iter().map(|(name, _)| *name);
            let Some((_, text)) = STANDARD.iter().find(|(known, _)| *known == name) else {
                let whole: Vec<String> = names.clone().map(|name| format!("std/{name}")).collect();
                let help = did_you_mean(&format!("std/{name}"), whole.iter().map(String::as_str))
                    .unwrap_or_else(|| format!("there are {}", names.collect::<Vec<_>>().join(", ")));
                return Err((format!("there is no standard module `{path}`"), Some(help)));
            };
            // Its tests declare pipelines, which are none of the script's.
            let text = text.split(TESTS).next().unwrap_or(text);
            return Ok(Found { name: format!("std/{name}.rhai").into(), path: None, text: Some(text.into()) });
        }
        let relative = relative(path)?;
        let outside = || {
            let help = "move the file into the script's folder";
            (format!("the import `{path}` leaves the script's folder"), Some(help.to_owned()))
        };
        let Some(root) = &self.surroundings.root else {
            return Err((format!("the import `{path}` has no folder to be found in"), None));
        };
        let shown = self.surroundings.shown_root.join(&relative);
        if let Some(text) = self.surroundings.kept.as_ref().and_then(|kept| kept.get(&relative)) {
            let name = shown.display().to_string().into();
            return Ok(Found { name, path: Some(root.join(&relative)), text: Some(Arc::clone(text)) });
        }
        let Ok(real) = root.join(&relative).canonicalize() else {
            let help = super::diagnose::imported(path.strip_suffix(".rhai").unwrap_or(path));
            let help =
                help.unwrap_or_else(|| "a path starts at the script's folder, and `.rhai` may be left out".into());
            return Err((format!("the import `{path}` is not found: there is no {}", shown.display()), Some(help)));
        };
        if !real.starts_with(root) {
            return Err(outside());
        }
        // One file, however it is spelt or linked, is one module.
        let known = self.surroundings.files.find(|script| script.path.as_ref() == Some(&real));
        let name = known.map_or_else(|| shown.display().to_string().into(), |script| Arc::clone(&script.name));
        Ok(Found { name, path: Some(real), text: None })
    }

    fn module(
        &self,
        engine: &Engine,
        level: usize,
        path: &str,
        position: Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        let fail = |(message, help): Failed| complaint(message, help, position);
        let files = &self.surroundings.files;
        if let Some(module) = files.imported(path).and_then(|script| script.module.get().cloned()) {
            return Ok(module);
        }
        let found = self.find(path).map_err(fail)?;
        files.found(path, &found.name);
        if let Some(script) = files.named(&found.name) {
            return script.module.get().cloned().ok_or_else(|| round(&script, position));
        }
        if files.all().len() >= limits::FILES {
            return Err(complaint(format!("more than {} files are imported", limits::FILES), None, position));
        }
        let entered = session::with(|session| session.importing.push(Arc::clone(&found.name)));
        if entered.is_none() {
            let help = "write the `import` at the top of the file, with its path as a plain text";
            return Err(complaint(
                format!("`{path}` cannot be imported later than at load"),
                Some(help.into()),
                position,
            ));
        }
        let module = self.read(engine, level, &found, position);
        session::with(|session| session.importing.pop());
        module
    }

    fn read(
        &self,
        engine: &Engine,
        level: usize,
        found: &Found,
        position: Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        let text: Arc<str> = match (&found.text, &found.path) {
            (Some(text), _) => Arc::clone(text),
            (None, Some(path)) => sources::read_file(path, &found.name).map_err(|said| {
                // The watcher must see it mended.
                let files = &self.surroundings.files;
                files.add(Arc::new(Script::empty(Arc::clone(&found.name), found.path.clone(), "".into())));
                complaint(said.message, said.help, position)
            })?,
            (None, None) => "".into(),
        };
        let within = |error| Box::new(EvalAltResult::ErrorInModule(found.name.to_string(), error, position));
        let (ast, script) =
            load::compile(engine, &self.surroundings, Arc::clone(&found.name), found.path.clone(), text)
                .map_err(within)?;
        let mut global = engine.new_global_runtime_state();
        global.level = level + 1;
        let module = Module::eval_ast_as_new_raw(engine, &mut Scope::new(), &mut global, &ast).map_err(within)?;
        let module: Shared<Module> = module.into();
        // Set once: a file is evaluated by the first import only.
        let _ = script.module.set(Arc::clone(&module));
        load::import_all(engine, &script).map_err(within)?;
        Ok(module)
    }
}

fn round(script: &Script, position: Position) -> Box<EvalAltResult> {
    let importing = session::with(|session| session.importing.clone()).unwrap_or_default();
    if importing.contains(&script.name) || script.path.is_some() && importing.is_empty() {
        let way = importing.iter().map(|name| &**name).chain([&*script.name]).collect::<Vec<_>>().join(" → ");
        return complaint(format!("files import each other in a circle: {way}"), None, position);
    }
    complaint(format!("{} did not load", script.name), None, position)
}

/// The path below the script's folder that `path` means.
fn relative(path: &str) -> Result<PathBuf, Failed> {
    let stays = "a path is relative to the script's folder, without `..`";
    let mut relative = PathBuf::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(part) => relative.push(part),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err((format!("the import `{path}` leaves the script's folder"), Some(stays.into())));
            }
        }
    }
    if relative.as_os_str().is_empty() {
        return Err(("an import needs the path of a file".into(), Some(stays.into())));
    }
    if relative.extension().is_none_or(|extension| extension != "rhai") {
        relative.as_mut_os_string().push(".rhai");
    }
    Ok(relative)
}

impl ModuleResolver for Resolver {
    fn resolve(
        &self,
        engine: &Engine,
        _source: Option<&str>,
        path: &str,
        position: Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        self.module(engine, 0, path, position)
    }

    fn resolve_raw(
        &self,
        engine: &Engine,
        global: &mut GlobalRuntimeState,
        _scope: &mut Scope,
        path: &str,
        position: Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        self.module(engine, global.level, path, position)
    }
}
