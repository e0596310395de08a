//! Owns a profile: what is usual in each slot of a day or a week, as a text, so that it costs little to keep: 8
//! hexadecimal digits a slot, the bits of a number of single precision. It does not know what a slot is.

/// Slots of a week of five minutes each.
pub const MOST_SLOTS: usize = 2_016;

/// Digits of a slot.
const WIDTH: usize = 8;

/// A slot of which nothing is known.
const UNKNOWN: &str = "........";

/// The value of `slot`; `None` where nothing is known of it, or it is none of the profile's.
#[must_use]
pub fn at(profile: &str, slot: usize) -> Option<f64> {
    let digits = profile.get(slot.checked_mul(WIDTH)?..slot.checked_mul(WIDTH)?.checked_add(WIDTH)?)?;
    let value = f32::from_bits(u32::from_str_radix(digits, 16).ok()?);
    value.is_finite().then(|| value.into())
}

/// `profile` with `value` noted at `slot`, counted with `weight` (0 to 1) against what was known of the slot; all
/// of it where nothing was. A profile of another number of slots is begun anew.
#[must_use]
pub fn note(profile: &str, slots: usize, slot: usize, value: f64, weight: f64) -> String {
    let slots = slots.clamp(1, MOST_SLOTS);
    let whole = profile.len() == slots * WIDTH && profile.is_ascii();
    let mut noted = if whole { profile.to_owned() } else { UNKNOWN.repeat(slots) };
    let slot = slot % slots;
    let mixed = at(&noted, slot).map_or(value, |known| known + weight * (value - known));
    #[allow(clippy::cast_possible_truncation)]
    noted.replace_range(slot * WIDTH..(slot + 1) * WIDTH, &format!("{:08x}", (mixed as f32).to_bits()));
    noted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_what_was_noted_there_newer_values_by_their_weight() {
        let once = note("", 288, 7, 100.0, 0.5);
        assert_eq!((at(&once, 7), at(&once, 6), at(&once, 288)), (Some(100.0), None, None));
        let twice = note(&once, 288, 7, 50.0, 0.5);
        assert_eq!((at(&twice, 7), twice.len()), (Some(75.0), 288 * 8));
    }

    #[test]
    fn a_damaged_profile_is_begun_anew_and_knows_nothing() {
        assert_eq!(at("ééééé", 0), None);
        assert_eq!(at("ffffffff", 0), None);
        let begun = note("ééééé", 2, 1, 3.0, 0.5);
        assert_eq!((at(&begun, 0), at(&begun, 1)), (None, Some(3.0)));
        assert_eq!(at(&note("", 3, usize::MAX, 1.0, 1.0), usize::MAX % 3), Some(1.0));
    }
}
