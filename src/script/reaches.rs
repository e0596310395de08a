//! Owns what a function may speak to, as far as its text and its captured values tell: addresses written
//! in it or in functions that it calls, and hosts that its secrets are bound to. Nothing is run.

use std::collections::HashSet;
use std::sync::Arc;

use rhai::{AST, ASTNode, Dynamic, Expr, FnPtr, Map, Module, Shared, Stmt};

use super::files::{Script, Surroundings};
use super::limits::NESTING;
use super::modules::http::RequestValue;
use super::modules::redis::RedisServerValue;
use super::modules::secret::ScriptSecret;
use crate::reach::Host;
use crate::world::RedisServer;

/// Modules whose functions lead out.
const LEADING_OUT: &[&str] = &["http", "redis"];

/// What is found while functions are looked through.
struct Look<'a> {
    surroundings: &'a Surroundings,
    seen: HashSet<(Arc<str>, String)>,
    /// Whether anything in it leads out: else an address is only a text.
    leads_out: bool,
    /// Hosts of addresses written somewhere.
    written: Vec<String>,
    /// Hosts that are spoken to for certain.
    hosts: Vec<String>,
}

/// The hosts that the function named `name` of `home`, with the values `captured`, may speak to.
pub(super) fn of<'a>(
    surroundings: &Surroundings,
    home: &Arc<Script>,
    name: &str,
    captured: impl Iterator<Item = &'a Dynamic>,
) -> Vec<String> {
    let (seen, written, hosts) = (HashSet::new(), Vec::new(), Vec::new());
    let mut look = Look { surroundings, seen, leads_out: false, written, hosts };
    look.function(home, name);
    for value in captured {
        look.value(home, value, NESTING);
    }
    let written = if look.leads_out { std::mem::take(&mut look.written) } else { Vec::new() };
    let mut found = look.hosts;
    found.extend(written);
    let mut known = HashSet::new();
    found.retain(|host| known.insert(host.clone()));
    found
}

impl Look<'_> {
    fn function(&mut self, home: &Arc<Script>, name: &str) {
        if !self.seen.insert((Arc::clone(&home.name), name.to_owned())) {
            return;
        }
        for defined in home.functions.get(name).into_iter().flatten() {
            let mut called = Vec::new();
            // The body alone cannot be named: a file of this one function can be walked.
            let mut alone = Module::new();
            alone.set_script_fn(Shared::clone(&defined.definition));
            AST::new_from_module(alone).walk(&mut |path: &[ASTNode]| {
                self.node(path, &mut called);
                true
            });
            for (module, name) in called {
                if let Some(home) = self.home(home, &module) {
                    self.function(&home, &name);
                }
            }
        }
    }

    /// The file that `module` names in `home`.
    fn home(&self, home: &Arc<Script>, module: &str) -> Option<Arc<Script>> {
        if module.is_empty() {
            return Some(Arc::clone(home));
        }
        let import = home.index.imports().iter().find(|import| import.alias == module)?;
        self.surroundings.files.imported(import.path.as_ref()?)
    }

    fn node(&mut self, path: &[ASTNode], called: &mut Vec<(String, String)>) {
        match path.last() {
            Some(
                ASTNode::Expr(Expr::FnCall(call, _) | Expr::MethodCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _)),
            ) => {
                let module = if call.is_qualified() { call.namespace.root() } else { "" };
                if LEADING_OUT.contains(&module) {
                    self.leads_out = true;
                } else {
                    called.push((module.to_owned(), call.name.to_string()));
                }
            }
            Some(ASTNode::Expr(Expr::DynamicConstant(value, _))) => {
                if let Some(pointer) = value.read_lock::<FnPtr>() {
                    called.push((String::new(), pointer.fn_name().to_owned()));
                }
            }
            Some(ASTNode::Expr(Expr::StringConstant(text, _))) => {
                let inside = |wanted: fn(&Expr) -> bool| {
                    path.iter().any(|node| matches!(node, ASTNode::Expr(expression) if wanted(expression)))
                };
                if inside(|expression| is_call(expression, "env", "secret")) {
                    // The hosts that the secret is bound to; its name has no dot.
                    self.hosts.extend(Some(text.to_string()).filter(|text| text.contains('.') || text.contains(':')));
                } else if !inside(|expression| matches!(expression, Expr::MethodCall(..))) {
                    self.written.extend(host_in(text));
                }
            }
            _ => {}
        }
    }

    fn value(&mut self, home: &Arc<Script>, value: &Dynamic, left: usize) {
        let Some(left) = left.checked_sub(1) else { return };
        let value = value.flatten_clone();
        if let Some(text) = value.read_lock::<rhai::ImmutableString>() {
            self.written.extend(host_in(&text));
        } else if let Some(secret) = value.read_lock::<ScriptSecret>() {
            self.hosts.extend(secret.hosts());
        } else if let Some(request) = value.read_lock::<RequestValue>() {
            self.hosts.extend(request.0.host().iter().map(ToString::to_string));
        } else if let Some(server) = value.read_lock::<RedisServerValue>() {
            self.leads_out = true;
            if let RedisServerValue::Known(server) = &*server {
                self.hosts.extend(server.hosts().iter().map(ToString::to_string));
            }
        } else if let Some(items) = value.read_lock::<rhai::Array>() {
            items.iter().for_each(|item| self.value(home, item, left));
        } else if let Some(entries) = value.read_lock::<Map>() {
            entries.values().for_each(|entry| self.value(home, entry, left));
        } else if let Some(pointer) = value.read_lock::<FnPtr>() {
            if let Some(home) = self.surroundings.files.home(&pointer, home) {
                self.function(&home, pointer.fn_name());
            }
            pointer.iter_curry().for_each(|captured| self.value(home, captured, left));
        }
    }
}

fn is_call(expression: &Expr, module: &str, name: &str) -> bool {
    matches!(expression, Expr::FnCall(call, _) if call.is_qualified() && call.namespace.root() == module && call.name == name)
}

/// The host of the address that `text` is, or begins with.
fn host_in(text: &str) -> Option<String> {
    if text.starts_with("http://") || text.starts_with("https://") {
        return Host::of(&url::Url::parse(text).ok()?).map(|host| host.to_string());
    }
    let redis = ["redis://", "rediss://"].iter().any(|scheme| text.starts_with(scheme));
    let server: RedisServer = crate::measure::redis_url::parse(text, None).ok().filter(|_| redis)?;
    server.hosts().first().map(ToString::to_string)
}
