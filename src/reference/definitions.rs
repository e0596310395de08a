//! Owns the reference as definition files (`.d.rhai`), which the language's editor tools read: one file per
//! module, and one for what has no module.

use std::fmt::Write;

use super::{constructors, preset};
use crate::script::{Entry, Form, Parameter, entries, modules, types};
use crate::settings::Setting;

/// The file of what has no module.
const GLOBAL: &str = "__static__.d.rhai";

/// The name and the text of every file.
#[must_use]
pub fn definitions() -> Vec<(String, String)> {
    let mut global = String::from("module static;\n");
    for kind in types() {
        let _ = write!(global, "\n/// {}\ntype {} = ?;\n", kind.doc, kind.name);
    }
    for entry in entries().filter(|entry| !matches!(entry.form, Form::Member(_))) {
        define(&mut global, entry);
    }
    let mut files = vec![(GLOBAL.to_owned(), global)];
    let constructors = constructors();
    for (module, doc) in modules() {
        let mut text = format!("/// {doc}\nmodule {module};\n");
        for made in constructors.iter().filter(|made| made.kind.module() == *module) {
            let doc = format!("{} Documented as {}.", made.doc, made.backend);
            let mut lines = vec![doc];
            lines.extend(made.settings.iter().map(setting));
            let example = made.example.map_or("", |example| example.text);
            comment(&mut text, &lines, example);
            let _ = writeln!(text, "fn {}() -> Stage;", made.name);
            comment(&mut text, &lines, example);
            let _ = writeln!(text, "fn {}(settings: Map) -> Stage;", made.name);
            if let Some(function) = made.function {
                comment(&mut text, &lines, example);
                let _ = writeln!(text, "fn {}(settings: Map, {function}: FnPtr) -> Stage;", made.name);
            }
        }
        for entry in entries().filter(|entry| entry.form == Form::Member(module)) {
            define(&mut text, entry);
        }
        files.push((format!("{module}.d.rhai"), text));
    }
    files
}

fn setting(setting: &Setting) -> String {
    let default = preset(setting);
    let default = if default == "required" { default } else { format!("default: {default}") };
    format!("- `{}`: {} ({default}). {}", setting.name, setting.kind.expected(), setting.doc)
}

/// One definition for each number of parameters.
fn define(text: &mut String, entry: &Entry) {
    for count in entry.counts() {
        let stands = format!("Stands {}.", entry.stands.words());
        comment(text, &[entry.doc.to_owned(), stands], entry.example.text);
        let mut parameters: Vec<String> = entry.parameters[..count].iter().map(typed).collect();
        let (prefix, name) = match entry.form {
            Form::Function | Form::Member(_) => ("", entry.name),
            Form::Method(of) => {
                parameters.insert(0, format!("this_: {of}"));
                ("", entry.name)
            }
            Form::Property(of) => {
                parameters.insert(0, format!("this_: {of}"));
                ("get ", entry.name)
            }
            Form::Index(of) => {
                parameters.insert(0, format!("this_: {of}"));
                ("", "index_get")
            }
        };
        let _ = writeln!(text, "fn {prefix}{name}({}) -> {};", parameters.join(", "), entry.gives);
    }
}

fn typed(parameter: &Parameter) -> String {
    format!("{}: {}", parameter.name, parameter.kind)
}

fn comment(text: &mut String, lines: &[String], example: &str) {
    text.push('\n');
    for line in lines {
        let _ = writeln!(text, "/// {line}");
    }
    if !example.is_empty() {
        text.push_str("///\n/// ```rhai\n");
        for line in example.lines() {
            let _ = writeln!(text, "/// {line}");
        }
        text.push_str("/// ```\n");
    }
}
