//! Owns the files of one generation of a script: text, functions, places, and the module each became.
//! Functions of several files are never merged: every file keeps its own.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use rhai::{AST, ASTNode, Caches, FnPtr, ImmutableString, Position, ScriptFuncDef, Shared, Stmt};

use super::places::Index;
use super::{Environment, MissingSecrets};
use crate::settings::Place;

/// What every run of one generation has around it.
pub(super) struct Surroundings {
    /// The variables that `env::` reads.
    pub(super) environment: Arc<dyn Environment>,
    /// What a secret that is not set means.
    pub(super) missing: MissingSecrets,
    /// The script's own folder, links followed: imports stay in it. `None` where there is none.
    pub(super) root: Option<PathBuf>,
    /// That folder as messages name it.
    pub(super) shown_root: PathBuf,
    /// The texts that imports lead to, by their paths below that folder, in place of what is on disk: those of a
    /// version that was kept.
    pub(super) kept: Option<HashMap<PathBuf, Arc<str>>>,
    /// The files, the script first.
    pub(super) files: Files,
}

/// The files of a generation: added while it loads, read afterwards.
#[derive(Default)]
pub(super) struct Files {
    scripts: RwLock<Vec<Arc<Script>>>,
    /// What each path of an `import` led to: a later import of it reads nothing.
    imported: RwLock<HashMap<String, Arc<str>>>,
}

/// One file.
pub(super) struct Script {
    /// As messages name it.
    pub(super) name: Arc<str>,
    /// The same as the engine takes it, which every call hands over.
    pub(super) source: ImmutableString,
    /// Where it is on disk; `None` for what is embedded.
    pub(super) path: Option<PathBuf>,
    /// Its text.
    pub(super) text: Arc<str>,
    /// Blank lines put before the text to tell its closures from those of another file.
    pub(super) shift: usize,
    /// Where calls, maps and variables stand.
    pub(super) index: Index,
    /// Its functions and closures by name.
    pub(super) functions: HashMap<String, Vec<Defined>>,
    /// The functions alone, for looking into them.
    library: AST,
    /// Each function alone, made when one is first looked into.
    bodies: OnceLock<HashMap<Signature, AST>>,
    /// What it became when it had run; closures are called with this.
    pub(super) module: OnceLock<Shared<rhai::Module>>,
    /// What calls of its functions have looked up, where that is the same for all of them.
    lookups: Mutex<Vec<Caches>>,
}

/// Sets of lookups that are kept of a file: as many calls of it are rarely made at once.
const MOST_LOOKUPS: usize = 8;

/// The name and the number of parameters of a function.
type Signature = (String, usize);

/// One function or closure.
pub(super) struct Defined {
    /// The definition.
    pub(super) definition: Shared<ScriptFuncDef>,
    /// Where it starts.
    pub(super) position: Position,
    /// Whether it has a name of its own.
    pub(super) anonymous: bool,
    /// For a named one: its name in a memory of its own, which tells a pointer to it from a pointer
    /// to a function of the same name in another file.
    own_name: ImmutableString,
}

impl Files {
    /// Adds a file.
    pub(super) fn add(&self, script: Arc<Script>) {
        self.scripts.write().unwrap_or_else(PoisonError::into_inner).push(script);
    }

    /// Notes that `path` leads to the file `name`.
    pub(super) fn found(&self, path: &str, name: &Arc<str>) {
        self.imported.write().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), Arc::clone(name));
    }

    /// The file that `path` led to before.
    pub(super) fn imported(&self, path: &str) -> Option<Arc<Script>> {
        let name = self.imported.read().unwrap_or_else(PoisonError::into_inner).get(path).cloned()?;
        self.named(&name)
    }

    /// All of them, the script first.
    pub(super) fn all(&self) -> Vec<Arc<Script>> {
        self.scripts.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The file that messages name `name`.
    pub(super) fn named(&self, name: &str) -> Option<Arc<Script>> {
        self.find(|script| &*script.name == name)
    }

    /// The first file for which `wanted` holds.
    pub(super) fn find(&self, wanted: impl Fn(&Script) -> bool) -> Option<Arc<Script>> {
        let scripts = self.scripts.read().unwrap_or_else(PoisonError::into_inner);
        scripts.iter().find(|script| wanted(script)).cloned()
    }

    /// The file whose function `name` went wrong at `position`: the engine says `said`, but takes the
    /// file of the caller for functions that call each other within an imported one.
    pub(super) fn owner(
        &self,
        name: &str,
        position: Position,
        caller: &Arc<Script>,
        said: &str,
    ) -> Option<Arc<Script>> {
        if name.starts_with("anon$") {
            return self.find(|script| script.functions.contains_key(name));
        }
        let said = self.named(said);
        [Some(Arc::clone(caller)), said.clone()]
            .into_iter()
            .flatten()
            .find(|script| script.has_at(name, position))
            .or_else(|| self.find(|script| script.has_at(name, position)))
            .or(said)
    }

    /// The file of the function that `pointer` names: for a closure the one that has it (closures of
    /// two files never share a name, see `load::compile`), for a named function the one whose own
    /// name it carries, else `current`.
    pub(super) fn home(&self, pointer: &FnPtr, current: &Arc<Script>) -> Option<Arc<Script>> {
        let name = pointer.fn_name();
        if pointer.is_anonymous() {
            return self.find(|script| script.functions.contains_key(name));
        }
        self.find(|script| {
            let defined = script.functions.get(name).into_iter().flatten();
            defined.into_iter().any(|defined| std::ptr::eq(defined.own_name.as_ptr(), name.as_ptr()))
        })
        .or_else(|| current.functions.contains_key(name).then(|| Arc::clone(current)))
    }
}

/// Splits `library` into its functions. By halves: each cut copies the list of what is left.
fn split(library: &AST, names: &[Signature], into: &mut HashMap<Signature, AST>) {
    let (left, right) = match names {
        [] => return,
        [only] => {
            into.insert(only.clone(), library.clone());
            return;
        }
        _ => names.split_at(names.len() / 2),
    };
    for half in [left, right] {
        let wanted: HashSet<(&str, usize)> = half.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        let mut part = library.clone();
        part.retain_functions(|_, _, name, count| wanted.contains(&(name, count)));
        split(&part, half, into);
    }
}

impl Script {
    /// Takes `ast` apart.
    pub(super) fn new(name: Arc<str>, path: Option<PathBuf>, text: Arc<str>, shift: usize, ast: &AST) -> Self {
        let index = Index::of(ast);
        let mut functions: HashMap<String, Vec<Defined>> = HashMap::new();
        for (.., definition) in ast.shared_lib().iter_script_fn_info() {
            let anonymous = definition.name.starts_with("anon$");
            let position = index.closure(&definition.name).unwrap_or_else(|| definition.body.start_position());
            let own_name = ImmutableString::from(definition.name.to_string());
            let defined = Defined { definition: Shared::clone(definition), position, anonymous, own_name };
            functions.entry(definition.name.to_string()).or_default().push(defined);
        }
        let source = ImmutableString::from(&*name);
        let library = ast.clone_functions_only();
        let (bodies, module, lookups) = (OnceLock::new(), OnceLock::new(), Mutex::default());
        Self { name, source, path, text, shift, index, functions, library, bodies, module, lookups }
    }

    /// What earlier calls have looked up, to be handed back when the call is over: operators, properties and
    /// functions are looked up by name and types, which takes longer than most of them.
    pub(super) fn lookups(&self) -> Caches {
        self.lookups.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Keeps what a call has looked up for the next one. A function of an imported file finds others than this
    /// file does, and what it found must not be found here.
    pub(super) fn keep_lookups(&self, lookups: Caches) {
        let mut kept = self.lookups.lock().unwrap_or_else(PoisonError::into_inner);
        if self.index.imports().is_empty() && kept.len() < MOST_LOOKUPS {
            kept.push(lookups);
        }
    }

    /// Where the call that the engine reports at `position` starts: at its module, if it has one.
    pub(super) fn call_place(&self, position: Position) -> Place {
        self.place(self.index.start(position))
    }

    /// The place of `position` in this file; the file alone where there is none.
    pub(super) fn place(&self, position: Position) -> Place {
        let Some(line) = position.line() else { return Place::file(Arc::clone(&self.name)) };
        let line = u32::try_from(line.saturating_sub(self.shift)).unwrap_or(0);
        let column = u32::try_from(position.position().unwrap_or(0)).unwrap_or(0);
        Place { file: Arc::clone(&self.name), line, column }
    }

    /// The function `name` of this file; among several the one that a stage would be called with.
    pub(super) fn function(&self, name: &str) -> Option<&Defined> {
        let named = self.functions.get(name)?;
        let with = |count: usize| named.iter().find(|defined| defined.definition.params.len() == count);
        with(1).or_else(|| with(0)).or_else(|| named.first())
    }

    /// The statements of the body of `defined`: the engine shows them only to those who walk.
    pub(super) fn statements(&self, defined: &Defined) -> Vec<Stmt> {
        let bodies = self.bodies.get_or_init(|| {
            let all = self.functions.values().flatten();
            let names: Vec<Signature> =
                all.map(|f| (f.definition.name.to_string(), f.definition.params.len())).collect();
            let mut bodies = HashMap::with_capacity(names.len());
            split(&self.library, &names, &mut bodies);
            bodies
        });
        let mut statements = Vec::new();
        let signature = (defined.definition.name.to_string(), defined.definition.params.len());
        if let Some(alone) = bodies.get(&signature) {
            alone.walk(&mut |path: &[ASTNode]| {
                if let [ASTNode::Stmt(statement)] = path {
                    statements.push(Stmt::clone(statement));
                }
                true
            });
        }
        statements
    }

    /// The functions named `test_…`, in the order written.
    pub(super) fn tests(&self) -> impl Iterator<Item = (&str, &Defined)> {
        let mut tests: Vec<(&str, &Defined)> = self
            .functions
            .iter()
            .filter(|(name, _)| name.starts_with("test_"))
            .flat_map(|(name, all)| all.iter().map(move |defined| (name.as_str(), defined)))
            .collect();
        tests.sort_by_key(|(_, defined)| defined.position);
        tests.into_iter()
    }

    /// Whether `position` lies in the body of a function `name` of this file.
    fn has_at(&self, name: &str, position: Position) -> bool {
        let bodies = self.functions.get(name).into_iter().flatten().map(|defined| &defined.definition.body);
        bodies.into_iter().any(|body| body.start_position() <= position && position <= body.end_position())
    }

    /// Whether the function `name` is private: the module that the file becomes does not have it.
    pub(super) fn is_private(&self, name: &str) -> bool {
        self.function(name).is_some_and(|defined| defined.definition.access == rhai::FnAccess::Private)
    }

    /// A pointer to the function `name` of this file, which [`Files::home`] knows again.
    pub(super) fn pointer(&self, name: &str) -> Option<FnPtr> {
        let defined = self.function(name).filter(|defined| !defined.anonymous)?;
        FnPtr::new(defined.own_name.clone()).ok()
    }

    /// The text of a definition, up to where its body ends.
    pub(super) fn text_of(&self, defined: &Defined) -> String {
        if defined.anonymous {
            // From its first bar on: the body's own position may lie in the middle of an expression.
            let text = self.from(defined.position);
            let parameters = text.strip_prefix('|').and_then(|rest| rest.find('|')).map_or(0, |bar| bar + 2);
            let body = text.get(parameters..).unwrap_or_default();
            let blank = body.len() - body.trim_start().len();
            let end = parameters + blank + super::text::extent(&body[blank..]);
            return text.get(..end).unwrap_or(text).trim_end().to_owned();
        }
        let text = self.from(defined.definition.body.start_position());
        let (name, parameters) = (&defined.definition.name, defined.definition.params.join(", "));
        format!("fn {name}({parameters}) {}", &text[..super::text::extent(text)])
    }

    /// Whether `"` stands at `position`.
    pub(super) fn starts_with_quote(&self, position: Position) -> bool {
        self.from(position).starts_with('"')
    }

    /// The text from `position` on.
    pub(super) fn from(&self, position: Position) -> &str {
        let line = position.line().unwrap_or(0).saturating_sub(self.shift + 1);
        let start: usize = self.text.split_inclusive('\n').take(line).map(str::len).sum();
        let rest = self.text.get(start..).unwrap_or_default();
        let column = position.position().unwrap_or(1).saturating_sub(1);
        let offset = rest.char_indices().nth(column).map_or(0, |(offset, _)| offset);
        rest.get(offset..).unwrap_or_default()
    }
}
