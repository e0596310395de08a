//! Owns the reference as a page, `docs/reference.md`.

use std::fmt::Write;

use super::{GROUPS, Made, constructors, preset};
use crate::script::{Entry, Example, Form, Frame, entries, modules, standard_modules, types};
use crate::settings::Setting;

/// The page's beginning.
const HEAD: &str = "# Reference

Everything that a script can call, read or set. `autoscaler reference` prints this page from the tables that the engine itself
works with, `autoscaler reference NAME` what it says of one name, and `autoscaler definitions DIR` the same for editors.

Every example is run by a test. The word behind `rhai` at its fence says what stands around it in a script:

| word | stands in |
|---|---|
| none | it is a whole script |
| `measure`, `decide`, `scale`, `notify` | the stage of that name: `measure: …` |
| `measuring`, `sending` | `measure: \\|\\| { … }` |
| `deciding` | `decide: \\|m\\| { … }` |
| `notifying` | `notify: \\|event\\| { … }` |
| `testing` | `fn test_example() { … }` |

Types are those of the language (`int`, `float`, `bool`, `String`, `Array`, `Map`, `FnPtr` for a function, `()` for nothing, `?` for
any) and [ours](#types). An `int` is accepted wherever a `float` is. A parameter with `?` behind its name may be left out.
";

/// The whole page.
#[must_use]
pub fn markdown() -> String {
    let mut page = HEAD.to_owned();
    page.push_str("\n## Functions\n");
    for entry in entries().filter(|entry| entry.form == Form::Function) {
        describe(&mut page, entry);
    }
    page.push_str("\n## Settings of pipelines and scripts\n");
    for group in GROUPS.iter().filter(|group| !group.title.contains("::`") || group.title.contains("pipeline")) {
        let _ = write!(page, "\nIn {}:\n\n", group.title);
        table(&mut page, group.settings);
    }
    let constructors = constructors();
    for (module, doc) in modules() {
        let _ = write!(page, "\n## {module}::\n\n{doc}\n");
        for group in GROUPS.iter().filter(|group| group.title == format!("every `{module}::`")) {
            let _ = write!(page, "\nIn {}, next to its own:\n\n", group.title);
            table(&mut page, group.settings);
        }
        for made in constructors.iter().filter(|made| made.kind.module() == *module) {
            constructor(&mut page, made);
        }
        for entry in entries().filter(|entry| entry.form == Form::Member(module)) {
            describe(&mut page, entry);
        }
    }
    page.push_str("\n## Types\n");
    for kind in types() {
        let _ = write!(page, "\n### {}\n\n{}\n", kind.name, kind.doc);
        let own =
            |form: Form| matches!(form, Form::Method(of) | Form::Property(of) | Form::Index(of) if of == kind.name);
        for entry in entries().filter(|entry| own(entry.form)) {
            describe(&mut page, entry);
        }
    }
    page.push_str("\n## Standard modules\n\nWritten in the script language itself, and imported by name.\n");
    for (name, text) in standard_modules() {
        let comment: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//")).map(str::trim).collect();
        let _ = write!(page, "\n### std/{name}\n\n{}\n", comment.join("\n").trim());
    }
    page
}

fn describe(page: &mut String, entry: &Entry) {
    let stands = entry.stands.words();
    let _ = write!(page, "\n#### {}\n\n`{}`, {stands}\n\n{}\n", entry.title(), entry.signature(), entry.doc);
    example(page, &entry.example);
}

fn constructor(page: &mut String, made: &Made) {
    let Made { backend, doc, settings, .. } = made;
    let _ = write!(page, "\n#### {}\n\n`{}`, documented as {backend}\n\n{doc}\n", made.title(), made.signature());
    if !settings.is_empty() {
        page.push('\n');
        table(page, settings);
    }
    if let Some(shown) = &made.example {
        example(page, shown);
    }
}

fn example(page: &mut String, example: &Example) {
    let space = if example.frame == Frame::Script { "" } else { " " };
    let _ = write!(page, "\n```rhai{space}{}\n{}\n```\n", example.frame.word(), example.text);
}

fn table(page: &mut String, settings: &[Setting]) {
    page.push_str("| setting | takes | default | |\n|---|---|---|---|\n");
    for setting in settings {
        let cells = [format!("`{}`", setting.name), setting.kind.expected(), preset(setting), setting.doc.into()];
        let cells = cells.map(|cell| cell.replace('|', "\\|"));
        let _ = writeln!(page, "| {} |", cells.join(" | "));
    }
}
