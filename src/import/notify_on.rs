//! Owns `NOTIFY_ON`, the list of version 3, as the documented flags.

use super::names::did_you_mean;
use super::plan::Setting;
use super::said::Said;
use super::sections::set;
use super::value::{Node, Value};

/// The words of the list and the flag that each is.
const WORDS: &[(&str, &str)] = &[
    ("MEASUREMENT", "notify_on_every_measurement"),
    ("SCALE", "notify_on_every_scale"),
    ("BELOW_MIN", "notify_if_needs_below_min"),
    ("ABOVE_MAX", "notify_if_needs_exceed_max"),
    ("TOO_RAPID", "notify_if_scaling_is_too_rapid"),
];

/// Sets the flags that `node` lists. The only one that is on by default is switched off where it is not listed.
pub fn flags(node: &Node, said: &mut Said, written: &mut Vec<Setting>) {
    let Value::List(words) = &node.value else {
        said.error(
            node.at,
            format!("`NOTIFY_ON` is {}, and must be a list such as [\"SCALE\", \"ABOVE_MAX\"]", node.is()),
            "",
        );
        return;
    };
    let mut listed = Vec::new();
    for word in words {
        let Value::Text(text) = &word.value else {
            said.error(word.at, format!("`NOTIFY_ON` lists {}, and must list words", word.is()), "");
            continue;
        };
        if let Some((_, flag)) = WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(text)) {
            listed.push(*flag);
            set(written, Setting { name: flag, text: "true".into(), at: word.at });
        } else {
            let help = did_you_mean(text, WORDS.iter().map(|(known, _)| *known))
                .unwrap_or_else(|| "there are MEASUREMENT, SCALE, BELOW_MIN, ABOVE_MAX and TOO_RAPID".into());
            said.error(word.at, format!("`NOTIFY_ON` lists an unknown word `{text}`"), help);
        }
    }
    if !listed.contains(&"notify_if_needs_exceed_max") {
        set(written, Setting { name: "notify_if_needs_exceed_max", text: "false".into(), at: node.at });
    }
}
