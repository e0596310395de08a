//! Owns `stats::steady`: one decision of the policy that std/policy/steady offers, since a tick of it is hundreds of
//! steps. What it does is `crate::stats`'s.

use rhai::{Array, Dynamic, ImmutableString, Map, Module, Position};

use super::super::moment::{MomentValue, named_number, of_week};
use super::super::{Answered, expected, number};
use crate::script::context;
use crate::script::diagnose::complaint;
use crate::script::entry::{Entry, Form, Stands, script, takes};
use crate::stats::{Aim, Measured, Seen, Steady};

/// What is registered here.
pub(in crate::script::modules) static DOCS: &[Entry] = &[Entry {
    form: Form::Member("stats"),
    name: "steady",
    parameters: &[takes("kept", "Array"), takes("m", "Moment"), takes("settings", "Map")],
    gives: "Array",
    doc: "One decision of std/policy/steady, from its settings: `[0]` is to be kept in `this` (begin with `[]`), `[1]` the number of dynos, `()` where it stays, and `[2]` why.",
    stands: Stands::Deciding,
    example: script(
        r#"pipeline("web", #{
    measure: || #{ rate: 120, utilization: 0.6 },
    decide: |m| {
        let step = stats::steady(this.kept ?? [], m, #{
            wait_seconds: 0.4, late_percent: 5, rate_per_dyno: 0, workers: 1, boot_seconds: 0, rate_seconds: 60,
            price: 1.0, calm_dyno_seconds: 300,
        });
        this.kept = step[0];
        if step[1] == () { hold(step[2]) } else { to(step[1]).because(step[2]) }
    },
    scale: #{ current: || 2, scale_to: |n| () },
});"#,
    ),
}];

const WHAT: &str = "`stats::steady`";

/// Adds the function.
pub(super) fn add(module: &mut Module) {
    module.set_native_fn("steady", |kept: Array, m: MomentValue, settings: Map| steady(&kept, &m, &settings));
}

fn steady(kept: &Array, m: &MomentValue, settings: &Map) -> Answered<Array> {
    let setting = |name: &str| {
        let value = settings
            .get(name)
            .ok_or_else(|| complaint(format!("the settings of {WHAT} have no `{name}`"), None, Position::NONE))?;
        number(&format!("`{name}` of {WHAT}"), value)
    };
    let positive = |name: &str| {
        let value = setting(name)?;
        if value > 0.0 {
            Ok(value)
        } else {
            Err(expected(&format!("`{name}` of {WHAT}"), "more than 0", &value.into()))
        }
    };
    let told = |name: &str| setting(name).map(|value| Some(value).filter(|value| *value > 0.0));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let aim = Aim {
        wait: setting("wait_seconds")?.max(0.0),
        share: positive("late_percent")? / 100.0,
        price: positive("price")?,
        rate_per_dyno: told("rate_per_dyno")?,
        workers: positive("workers")?.max(1.0) as u32,
        boot: told("boot_seconds")?,
        calm: setting("calm_dyno_seconds")?,
    };
    let moment = &m.0;
    // Nobody knows what will be measured.
    context::end_trial();
    let plain = moment.measurement.value.filter(|_| !moment.judges_all);
    let Some(rate) = named_number(moment, "rate").or(plain).filter(|rate| rate.is_finite()) else {
        let why = "the rate was not measured";
        return Ok(vec![Dynamic::from_array(kept.clone()), Dynamic::UNIT, why.into()]);
    };
    let texts = [0, 1, 2, 3].map(|at| kept.get(at).and_then(Dynamic::read_lock::<ImmutableString>));
    let [lately, day, week, rest] = [0, 1, 2, 3].map(|at| texts[at].as_deref().map_or("", ImmutableString::as_str));
    let mut steady = Steady::of([lately, day, week, rest]);
    let measured = Measured {
        at: moment.now.timestamp(),
        of_week: of_week(&moment.now),
        rate: rate.max(0.0),
        window: positive("rate_seconds")?,
    };
    let seen = Seen {
        rate: measured,
        utilization: named_number(moment, "utilization").filter(|value| value.is_finite()),
        queue: named_number(moment, "queue").filter(|value| value.is_finite()),
        dynos: moment.dynos,
        ready: moment.dynos.saturating_sub(moment.booting),
    };
    let verdict = steady.decide(&seen, &aim);
    let newer = steady.texts();
    // A profile that stayed the same is not copied once more.
    let kept: Array = newer
        .into_iter()
        .zip([lately, day, week, rest].into_iter().zip(kept.iter().map(Some).chain(std::iter::repeat(None))))
        .map(|(newer, (older, value))| match value {
            Some(value) if newer == older => value.clone(),
            _ => newer.into(),
        })
        .collect();
    let dynos = verdict.dynos.map_or(Dynamic::UNIT, |dynos| i64::from(dynos).into());
    Ok(vec![Dynamic::from_array(kept), dynos, verdict.why.into()])
}
