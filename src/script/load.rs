//! Owns loading: reading, compiling and running a script once, which declares its pipelines and does
//! no I/O but reading the script's own files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rhai::{AST, Engine, EvalAltResult, Module, Scope};

use super::files::{Files, Script, Surroundings};
use super::function::ScriptFunction;
use super::limits::{self, Metered};
use super::session::{self, Session};
use super::{Environment, Loaded, MissingSecrets, Source, SourceFile};
use super::{check, context, diagnose, engine, lint, modules, requires, sources, text};
use crate::rules;
use crate::settings::{Diagnostic, Place, Report, Severity};
use crate::testing::Test;

/// How often a file is laid out anew because a closure in it looks like one of another file.
const MOST_SHIFTS: usize = 100;

/// Loads `source`. Everything that is wrong is in the report of what it returns.
///
/// It parses (at most 1 MiB), runs the script (at most 10 s) and reads files: call it where that
/// may block.
#[must_use]
pub fn load(source: &Source, environment: &Arc<dyn Environment>, missing: MissingSecrets) -> Loaded {
    load_from(source, None, environment, missing)
}

/// Loads an earlier version of `source`: `files` with their paths below its folder, the script itself first. What
/// is on disk does not count, but for an import that is not among them.
#[must_use]
pub fn load_kept(
    source: &Source,
    files: &[(String, String)],
    environment: &Arc<dyn Environment>,
    missing: MissingSecrets,
) -> Loaded {
    load_from(source, Some(files), environment, missing)
}

fn load_from(
    source: &Source,
    kept: Option<&[(String, String)]>,
    environment: &Arc<dyn Environment>,
    missing: MissingSecrets,
) -> Loaded {
    let name: Arc<str> = match &source.text {
        Some(_) => source.path.file_name().map_or_else(|| "stdin.rhai".into(), |name| name.to_string_lossy().into()),
        None => source.path.display().to_string().into(),
    };
    let own = kept.and_then(|files| files.first()).map(|(_, text)| Arc::from(text.as_str()));
    let text = match own.map_or_else(|| sources::read(source, &name), Ok) {
        Ok(text) => text,
        Err(said) => return refused(source, name, *said),
    };
    let folder = match source.path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let surroundings = Arc::new(Surroundings {
        environment: Arc::clone(environment),
        missing,
        root: folder.canonicalize().ok(),
        shown_root: source.path.parent().map(Path::to_owned).unwrap_or_default(),
        kept: kept.map(|files| files.iter().skip(1).map(|(path, text)| (path.into(), text.as_str().into())).collect()),
        files: Files::default(),
    });
    let path = source.path.canonicalize().unwrap_or_else(|_| source.path.clone());
    // A thread of its own, for its stack; it logs where this one does.
    let log = tracing::dispatcher::get_default(Clone::clone);
    std::thread::scope(|scope| {
        let work =
            || tracing::dispatcher::with_default(&log, || declare(source, &surroundings, name.clone(), path, text));
        let thread = std::thread::Builder::new().name("script".into()).stack_size(limits::LOAD_STACK);
        let declared = thread.spawn_scoped(scope, work).map(std::thread::ScopedJoinHandle::join);
        declared.ok().and_then(Result::ok).unwrap_or_else(|| {
            let message = format!("loading `{name}` broke down; this is a bug of autoscaler");
            let place = Some(Place::file(Arc::clone(&name)));
            refused(
                source,
                Arc::clone(&name),
                Diagnostic { rule: None, severity: Severity::Error, place, message, help: None },
            )
        })
    })
}

/// Runs the script on this thread and collects what it declares.
fn declare(source: &Source, surroundings: &Arc<Surroundings>, name: Arc<str>, path: PathBuf, text: Arc<str>) -> Loaded {
    let mut engine = engine::build(surroundings);
    check::learn(&engine);
    modules::stages::tolerate(&mut engine, &text);
    let engine = Arc::new(engine);
    Session::open(&engine);
    let entered = context::enter(surroundings, None);
    let metered = Metered::start(limits::LOAD);
    let result = run(&engine, surroundings, name, path, text);
    let said = match (&result, surroundings.files.all().first()) {
        (Err(error), Some(script)) => Some(diagnose::diagnostic(error, surroundings, script)),
        _ if limits::halted().is_some() => {
            let (message, help) = diagnose::halted_words();
            let rule = Some(if context::shown_at().is_some() { &rules::SECRET_IN_TEXT } else { &rules::SCRIPT_FAILED });
            Some(Diagnostic { rule, severity: Severity::Error, place: context::shown_at(), message, help })
        }
        _ => None,
    };
    drop(metered);
    drop(entered);
    if said.is_none() {
        secrets_of_functions(surroundings);
    }
    let tests = if said.is_none() { tests(&engine, surroundings) } else { Vec::new() };
    Loaded { tests, ..loaded(Session::close(), said, source, surroundings) }
}

/// The tests of the script itself; one that cannot be run is warned of.
fn tests(engine: &Arc<Engine>, surroundings: &Arc<Surroundings>) -> Vec<Test> {
    let Some(script) = surroundings.files.all().into_iter().next() else { return Vec::new() };
    session::with(|session| {
        if !session.declarations.is_empty() {
            lint::unused(&script, &mut session.report);
        }
    });
    let mut tests = Vec::new();
    for (name, defined) in script.tests() {
        let bound = (defined.definition.params.is_empty())
            .then(|| script.pointer(name))
            .flatten()
            .and_then(|pointer| ScriptFunction::bind(engine, surroundings, &script, &pointer).ok());
        let Some(function) = bound else {
            let message = format!("`{name}` is not run: a test is no private function and takes no parameters");
            let place = script.place(defined.position);
            session::with(|session| session.report.say(&rules::TEST_NOT_RUN, Some(&place), message, None));
            continue;
        };
        tests.push(Test { name: name.into(), function: Arc::new(function) });
    }
    tests
}

/// What is returned for a file that cannot be read.
fn refused(source: &Source, name: Arc<str>, said: Diagnostic) -> Loaded {
    let mut report = Report::default();
    report.push(said);
    let files = vec![SourceFile { path: source.path.clone(), name, text: "".into() }];
    Loaded { report, files, ..Loaded::default() }
}

fn loaded(session: Option<Session>, said: Option<Diagnostic>, source: &Source, surroundings: &Surroundings) -> Loaded {
    let Some(session) = session else { return Loaded::default() };
    let unused_stages = session.unused_stages();
    let mut report = session.report;
    // An unknown function is found by looking and, if the script comes that far, by running: once is enough.
    let known = |said: &Diagnostic| {
        let line = |place: &Option<Place>| place.as_ref().map(|place| (Arc::clone(&place.file), place.line));
        report.diagnostics().iter().any(|known| {
            let alike = known.place == said.place || said.message.starts_with(&known.message);
            said.place.is_some() && line(&known.place) == line(&said.place) && alike
        })
    };
    if let Some(said) = said.filter(|said| !known(said)) {
        report.push(said);
    }
    for (standing, memory, function) in lint::functions(&session.declarations, &unused_stages) {
        function.examine(&standing, memory, &mut report);
    }
    let scripts = surroundings.files.all();
    let main = scripts.first().map(|script| Arc::clone(&script.name));
    let files = scripts.iter().filter_map(|script| {
        // The script itself by the path it was named with: a link may later lead elsewhere.
        let own = Some(&script.name) == main.as_ref();
        let path = if own { source.path.clone() } else { script.path.clone()? };
        Some(SourceFile { path, name: Arc::clone(&script.name), text: Arc::clone(&script.text) })
    });
    Loaded {
        declarations: session.declarations,
        settings: session.settings,
        report,
        files: files.collect(),
        needs: session.needs,
        unused_stages,
        tests: Vec::new(),
    }
}

/// Looks for secrets that only functions ask for: one that is missing is better told now than at the
/// first incident. Functions of imported files may never be called: theirs are not asked for.
fn secrets_of_functions(surroundings: &Surroundings) {
    let Some(script) = surroundings.files.all().into_iter().next() else { return };
    session::with(|session| {
        for (name, position) in script.index.secrets() {
            if !session.needs.iter().any(|(known, _)| **known == **name) {
                modules::env::need(session, surroundings, name, Some(&script.place(*position)));
            }
        }
    });
}

fn run(
    engine: &Engine,
    surroundings: &Arc<Surroundings>,
    name: Arc<str>,
    path: PathBuf,
    text: Arc<str>,
) -> Result<(), Box<EvalAltResult>> {
    session::with(|session| session.importing.push(Arc::clone(&name)));
    let (ast, script) = compile(engine, surroundings, name, Some(path), text)?;
    let mut global = engine.new_global_runtime_state();
    let module = Module::eval_ast_as_new_raw(engine, &mut Scope::new(), &mut global, &ast)?;
    let _ = script.module.set(module.into());
    import_all(engine, &script)
}

/// Compiles one file, adds it to the generation and looks for what can be told without running it.
pub(super) fn compile(
    engine: &Engine,
    surroundings: &Surroundings,
    name: Arc<str>,
    path: Option<PathBuf>,
    text: Arc<str>,
) -> Result<(AST, Arc<Script>), Box<EvalAltResult>> {
    if let Err(error) = requires::look(&text) {
        surroundings.files.add(Arc::new(Script::empty(name, path, text)));
        return Err(error);
    }
    // A function may be named before it is defined: the parser takes these names for variables.
    let mut names = Scope::new();
    for function in text::functions(&text) {
        if !names.contains(function) {
            names.push_constant(function.to_owned(), ());
        }
    }
    let mut shift = 0;
    let (ast, script) = loop {
        let shifted = format!("{}{text}", "\n".repeat(shift));
        let mut ast = match engine.compile_with_scope(&names, shifted) {
            Ok(ast) => ast,
            Err(error) => {
                surroundings.files.add(Arc::new(Script::empty(name, path, text)));
                return Err(error.into());
            }
        };
        ast.set_source(name.as_ref());
        let script = Script::new(Arc::clone(&name), path.clone(), Arc::clone(&text), shift, &ast);
        // Closures are named by their text and position: two files that look alike would share them.
        let taken =
            |other: &Script| script.functions.keys().any(|f| f.starts_with("anon$") && other.functions.contains_key(f));
        if shift == MOST_SHIFTS || surroundings.files.find(taken).is_none() {
            break (ast, Arc::new(script));
        }
        shift += 1;
    };
    surroundings.files.add(Arc::clone(&script));
    session::with(|session| check::script(engine, &script, &mut session.report));
    Ok((ast, script))
}

/// Reads what the functions of `script` import: later nothing is read.
pub(super) fn import_all(engine: &Engine, script: &Script) -> Result<(), Box<EvalAltResult>> {
    for import in script.index.imports() {
        if let Some(path) = &import.path {
            engine.module_resolver().resolve(engine, Some(&script.name), path, import.position)?;
        }
    }
    Ok(())
}

impl Script {
    /// A file that could not be compiled: it has a text and a name.
    pub(super) fn empty(name: Arc<str>, path: Option<PathBuf>, text: Arc<str>) -> Self {
        Self::new(name, path, text, 0, &AST::empty())
    }
}
