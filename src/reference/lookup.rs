//! Owns the answer to a name: what the reference says of a function, a member or a setting.

use std::fmt::Write;

use super::{GROUPS, constructors, preset};
use crate::script::{entries, standard_modules};
use crate::settings::{Setting, did_you_mean};

/// One thing of the name that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// How it is written.
    pub signature: String,
    /// What it does, where it may stand, its settings.
    pub text: String,
    /// How it is used.
    pub example: Option<&'static str>,
}

/// Every name that can be asked for, with and without what it belongs to.
#[must_use]
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = entries().flat_map(|entry| [entry.title(), entry.name.to_owned()]).collect();
    for made in constructors() {
        names.extend([made.title(), made.name.to_owned()]);
        names.extend(made.settings.iter().map(|setting| setting.name.to_owned()));
    }
    names.extend(GROUPS.iter().flat_map(|group| group.settings).map(|setting| setting.name.to_owned()));
    names.retain(|name| !name.is_empty());
    names.sort();
    names.dedup();
    names
}

/// What is called `name`, as in `up`, `stats::mean`, `History.average`, `m.value`, `max_dynos`.
///
/// # Errors
/// Nothing is; the nearest name, if one is near.
pub fn find(name: &str) -> Result<Vec<Found>, Option<String>> {
    let asked = name.trim().trim_end_matches("()").replace("m.now.", "Time.").replace("m.history.", "History.");
    let asked = asked.strip_prefix("p.").map_or_else(|| asked.clone(), |rest| format!("UnderTest.{rest}"));
    let asked = asked.strip_prefix("m.").map_or_else(|| asked.clone(), |rest| format!("Moment.{rest}"));
    let same = |title: &str, own: &str| {
        asked.eq_ignore_ascii_case(title) || asked.eq_ignore_ascii_case(own) && !own.is_empty()
    };
    let mut found: Vec<Found> = standard(&asked).into_iter().collect();
    if asked == "this" {
        found.push(Found { signature: "this".into(), text: THIS.into(), example: None });
    }
    for entry in entries().filter(|entry| same(&entry.title(), entry.name)) {
        let text = format!("{}\nStands {}.", entry.doc, entry.stands.words());
        found.push(Found { signature: entry.signature(), text, example: Some(entry.example.text) });
    }
    for made in constructors() {
        if same(&made.title(), made.name) {
            let mut text = format!("{} Documented as {}.", made.doc, made.backend);
            for setting in made.settings {
                let _ = write!(text, "\n  {}", line(setting));
            }
            found.push(Found { signature: made.signature(), text, example: made.example.map(|example| example.text) });
        }
        for setting in made.settings.iter().filter(|setting| same("", setting.name)) {
            found.push(of_setting(setting, &format!("`{}`", made.title())));
        }
    }
    for group in GROUPS {
        for setting in group.settings.iter().filter(|setting| same("", setting.name)) {
            found.push(of_setting(setting, group.title));
        }
    }
    if found.is_empty() { Err(did_you_mean(&asked, names().iter().map(String::as_str))) } else { Ok(found) }
}

/// What `this` is.
const THIS: &str = "The memory of the function that is called: a map that is kept between ticks and restarts.\n\
                    `memory: #{ n: 0 }` in the pipeline or the stage says what it begins with; `this.n += 1` changes it.\n\
                    Stands in functions of stages; a closure within one has none: copy what it needs before.";

/// What the standard module `asked` says of itself, with and without `std/`.
fn standard(asked: &str) -> Option<Found> {
    let path = asked.strip_prefix("std/").unwrap_or(asked);
    let (name, text) = standard_modules().iter().find(|(name, _)| *name == path)?;
    let alias = name.rsplit('/').next().unwrap_or(name);
    let said = text.lines().take_while(|line| line.starts_with("//") || line.trim().is_empty());
    let said: Vec<&str> = said.map(|line| line.trim_start_matches('/').trim_start_matches('!').trim()).collect();
    let signature = format!("import \"std/{name}\" as {alias};");
    Some(Found { signature, text: said.join("\n").trim().to_owned(), example: None })
}

fn of_setting(setting: &Setting, stands: &str) -> Found {
    let text =
        format!("{}\nTakes {}; {}.\nStands in {stands}.", setting.doc, setting.kind.expected(), default(setting));
    Found { signature: setting.name.into(), text, example: None }
}

fn line(setting: &Setting) -> String {
    format!("{}: {} ({})", setting.name, setting.kind.expected(), default(setting))
}

fn default(setting: &Setting) -> String {
    let default = preset(setting);
    if default == "required" { default } else { format!("default: {default}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_with_and_without_what_it_belongs_to() {
        let signatures = |name: &str| -> Vec<String> {
            find(name).unwrap_or_default().into_iter().map(|found| found.signature).collect()
        };
        assert_eq!(signatures("up"), ["up(n: int | float) -> Answer"]);
        assert_eq!(signatures("m.value"), ["Moment.value -> float | ()"]);
        assert_eq!(signatures("m.history.slope"), ["History.slope(n: int) -> float | ()"]);
        assert_eq!(signatures("History.LEN").len(), 2);
        assert_eq!(signatures("time_zone").len(), 2);
        assert!(signatures("heroku")[0].starts_with("scale::heroku("));
        assert_eq!(signatures("std/slack"), ["import \"std/slack\" as slack;"]);
        assert_eq!((signatures("slack"), signatures("this")), (signatures("std/slack"), vec!["this".to_owned()]));
        assert_eq!(signatures("p.feed"), signatures("UnderTest.feed"));
        assert!(!signatures("p.feed").is_empty());
        assert_eq!(find("persentile"), Err(Some("did you mean `percentile`?".into())));
        assert_eq!(find("qqqq"), Err(None));
    }
}
