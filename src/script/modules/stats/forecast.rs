//! Owns the functions of `stats::` about what is to come: polynomials through what was, and profiles of a day or
//! a week. What they mean is `crate::stats`'s.

use rhai::{Dynamic, Module, Position};

use super::super::{Answered, number, optional, text};
use super::values;
use crate::script::diagnose::complaint;
use crate::script::entry::{Entry, Form, Stands, deciding, takes};
use crate::stats::{MOST_DEGREE, MOST_SLOTS, at, extrapolate, note};

/// What is registered here.
pub(in crate::script::modules) static DOCS: &[Entry] = &[
    Entry {
        form: Form::Member("stats"),
        name: "extrapolate",
        parameters: &[takes("of", "History | Array"), takes("degree", "int"), takes("ahead", "int | float")],
        gives: "float | ()",
        doc: "Where the polynomial (degree 0 to 3) through equally spaced values, fitted by least squares, is so many steps after the newest. `()` where there is no value; a missing one among them is an error.",
        stands: Stands::Anywhere,
        example: deciding("if (stats::extrapolate(m.history, 1, 4) ?? 0.0) > 1000 { up(1) }"),
    },
    Entry {
        form: Form::Member("stats"),
        name: "profile_note",
        parameters: &[
            takes("profile", "String"),
            takes("slots", "int"),
            takes("slot", "int"),
            takes("value", "int | float"),
            takes("weight", "int | float"),
        ],
        gives: "String",
        doc: "Notes a value in one slot (from 0) of a profile of a day or a week kept in `this`, against what was known with a weight of 0 to 1, and all of it where nothing was. At most 2016 slots; begin with `\"\"`.",
        stands: Stands::Anywhere,
        example: deciding(
            r#"this.day = stats::profile_note(this.day ?? "", 24, m.now.hour, m.value, 0.5);
to(stats::profile_at(this.day, (m.now.hour + 1) % 24) ?? m.dynos)"#,
        ),
    },
    Entry {
        form: Form::Member("stats"),
        name: "profile_at",
        parameters: &[takes("profile", "String"), takes("slot", "int")],
        gives: "float | ()",
        doc: "What is usual in a slot of a profile; `()` where nothing is known.",
        stands: Stands::Anywhere,
        example: deciding(
            r#"this.day = stats::profile_note(this.day ?? "", 24, m.now.hour, m.value, 0.5);
if (stats::profile_at(this.day, 9) ?? 0.0) > 1000 { up(1) }"#,
        ),
    },
];

/// Adds the functions.
pub(super) fn add(module: &mut Module) {
    module.set_native_fn("extrapolate", |of: Dynamic, degree: Dynamic, ahead: Dynamic| -> Answered<Dynamic> {
        let what = "`stats::extrapolate`";
        let degree = whole(what, "degree", &degree, MOST_DEGREE)?;
        Ok(optional(extrapolate(&values(what, &of)?, degree, number(what, &ahead)?)))
    });
    module.set_native_fn(
        "profile_note",
        |profile: Dynamic, slots: Dynamic, slot: Dynamic, value: Dynamic, weight: Dynamic| -> Answered<String> {
            let what = "`stats::profile_note`";
            let slots = whole(what, "slots", &slots, MOST_SLOTS)?.max(1);
            let slot = whole(what, "slot", &slot, slots - 1)?;
            let weight = number(what, &weight)?.clamp(0.0, 1.0);
            Ok(note(&text(what, &profile)?, slots, slot, number(what, &value)?, weight))
        },
    );
    module.set_native_fn("profile_at", |profile: Dynamic, slot: Dynamic| -> Answered<Dynamic> {
        let what = "`stats::profile_at`";
        let slot = whole(what, "slot", &slot, MOST_SLOTS - 1)?;
        Ok(optional(at(&text(what, &profile)?, slot)))
    });
}

/// A whole number from 0 to `most`.
fn whole(what: &str, name: &str, value: &Dynamic, most: usize) -> Answered<usize> {
    let given = number(what, value)?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let found = given.max(0.0) as usize;
    if given >= 0.0 && given.fract() == 0.0 && found <= most {
        return Ok(found);
    }
    let message = format!("`{name}` of {what} takes a whole number of 0 to {most}, not {given}");
    Err(complaint(message, None, Position::NONE))
}
