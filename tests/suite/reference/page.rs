//! The page and the definition files are those that the tables make.

use std::collections::BTreeSet;

use autoscaler::reference::{GROUPS, constructors, definitions, markdown};
use autoscaler::script::{Form, entries};

#[test]
fn the_page_in_docs_is_what_the_tables_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference.md");
    let page = std::fs::read_to_string(path).unwrap_or_default();
    let (page, due) = (page.lines().collect::<Vec<_>>(), markdown());
    let due: Vec<&str> = due.lines().collect();
    let stale = page.iter().zip(&due).position(|(is, due)| is != due).or((page.len() != due.len()).then_some(0));
    let mend = "write it anew: `cargo run -- reference > docs/reference.md`";
    assert_eq!(stale.map(|line| (line + 1, page.get(line), due.get(line))), None, "docs/reference.md is stale; {mend}");
}

#[test]
fn the_page_has_every_name() {
    let page = markdown();
    for entry in entries() {
        assert!(page.contains(&format!("#### {}\n", entry.title())), "{}", entry.title());
    }
    let constructors = constructors();
    for made in &constructors {
        assert!(page.contains(&format!("#### {}\n", made.title())), "{}", made.title());
    }
    let own = constructors.iter().flat_map(|made| made.settings);
    for setting in own.chain(GROUPS.iter().flat_map(|group| group.settings)) {
        assert!(page.contains(&format!("| `{}` |", setting.name)), "{}", setting.name);
    }
}

#[test]
fn definitions_have_the_form_of_the_language_and_name_everything() {
    let files = definitions();
    let mut defined = BTreeSet::new();
    for (file, text) in &files {
        let mut lines = text.lines().skip_while(|line| line.starts_with("///"));
        let module = lines.next().unwrap_or_default();
        let stem = file.strip_suffix(".d.rhai").expect("the ending that editors look for");
        let name = if stem == "__static__" { "static" } else { stem };
        assert_eq!(module, format!("module {name};"), "{file}");
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with("///")) {
            let sound = match line.split_once(' ') {
                Some(("type", rest)) => rest.ends_with(" = ?;"),
                Some(("fn", rest)) => is_function(rest),
                _ => false,
            };
            assert!(sound, "{file}: `{line}` is no definition");
            let (head, _) = line.split_once(['(', '=']).expect("checked above");
            defined.insert((stem.to_owned(), head.trim().rsplit(' ').next().unwrap_or_default().to_owned()));
        }
    }
    let has = |file: &str, name: &str| defined.contains(&(file.to_owned(), name.to_owned()));
    for entry in entries() {
        let found = match entry.form {
            Form::Member(module) => has(module, entry.name),
            Form::Index(_) => has("__static__", "index_get"),
            Form::Function | Form::Method(_) | Form::Property(_) => has("__static__", entry.name),
        };
        assert!(found, "{} is not defined", entry.title());
    }
    for made in constructors() {
        assert!(has(made.kind.module(), made.name), "{} is not defined", made.title());
    }
}

/// Whether `text` is `name(parameter: type, …) -> type;`, or the same behind `get`.
fn is_function(text: &str) -> bool {
    let word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let kind = |text: &str| text.split(" | ").all(|one| ["()", "?"].contains(&one) || word(one));
    let parameter = |text: &str| text.split_once(": ").is_some_and(|(name, of)| word(name) && kind(of));
    let Some((name, rest)) = text.strip_prefix("get ").unwrap_or(text).split_once('(') else { return false };
    let Some((parameters, gives)) = rest.split_once(") -> ") else { return false };
    let all = parameters.is_empty() || parameters.split(", ").all(parameter);
    word(name) && all && gives.strip_suffix(';').is_some_and(kind)
}
