//! Owns what a scripted decision's answer means: the count it wants, a fraction rounded up, or why it
//! holds. Whatever a script answers, the result is a proposal.

use super::Proposal;
use crate::function::{CallError, Change, Movement, Returned};

/// The proposal that lies in the answer of a scripted decision made at `dynos` dynos.
///
/// # Errors
/// Why it holds, where the script went wrong or answered what is no decision.
pub fn proposal(answer: &Result<Returned, CallError>, dynos: u32) -> Result<Proposal, String> {
    match answer {
        Err(error) => Err(format!("the decision went wrong: {error}")),
        Ok(Returned::Nothing) => Ok(hold("the decision asked for nothing".into())),
        #[allow(clippy::cast_precision_loss)] // A count that a float cannot hold is refused all the same.
        Ok(Returned::Int(count)) => moved(Movement::To(*count as f64), None, dynos),
        Ok(Returned::Float(count)) => moved(Movement::To(*count), None, dynos),
        Ok(Returned::Change(change)) => changed(change, dynos),
        Ok(Returned::Data(data)) => Err(format!(
            "the decision answered {}, and must answer up(n), down(n), to(n), hold(\"why\") or a number",
            shortened(&data.to_string()),
        )),
        Ok(Returned::Request(plan)) => Err(format!(
            "the decision answered the request `{plan}`: a decision reaches nothing, measure it in `measure`"
        )),
        Ok(Returned::Failed(why)) => Err(format!("the decision answered measure::failed: {why}")),
    }
}

fn changed(change: &Change, dynos: u32) -> Result<Proposal, String> {
    let mut proposal = moved(change.movement, change.reason.as_deref(), dynos)?;
    if !change.dropped.is_empty() {
        let dropped: Vec<String> = change.dropped.iter().map(|answer| format!("`{answer}`")).collect();
        let verb = if dropped.len() == 1 { "was" } else { "were" };
        proposal.text = format!("{}; {} {verb} made and not returned", proposal.text, dropped.join(", "));
    }
    Ok(proposal)
}

fn moved(movement: Movement, reason: Option<&str>, dynos: u32) -> Result<Proposal, String> {
    let (name, n) = match movement {
        Movement::Up(n) => ("up", n),
        Movement::Down(n) => ("down", n),
        Movement::To(n) => ("to", n),
        Movement::Hold => return Ok(hold(reason.unwrap_or("the decision holds").into())),
    };
    let written = format!("{name}({n})");
    if !n.is_finite() {
        return Err(format!("the decision answered {written}, which is no number of dynos"));
    }
    if n < 0.0 {
        return Err(format!("the decision answered {written}, and a number of dynos is never negative"));
    }
    #[allow(clippy::cast_possible_truncation)] // Saturates, and bounds follow.
    let n = n.ceil().min(f64::from(u32::MAX)) as i64;
    let wanted = match movement {
        Movement::Up(_) => i64::from(dynos) + n,
        Movement::Down(_) => i64::from(dynos) - n,
        Movement::To(_) | Movement::Hold => n,
    };
    Ok(Proposal { dynos: Some(wanted), text: reason.map_or(written, str::to_owned) })
}

fn hold(text: String) -> Proposal {
    Proposal { dynos: None, text }
}

/// At most as much of an answer as a line of a log holds.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 80;
    if text.chars().count() <= LONGEST { text.into() } else { text.chars().take(LONGEST).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(movement: Movement) -> Option<i64> {
        let change = Change { movement, reason: None, dropped: Vec::new() };
        proposal(&Ok(Returned::Change(change)), 5).ok()?.dynos
    }

    #[test]
    fn a_fraction_rounds_up_and_what_is_no_count_holds() {
        assert_eq!(wants(Movement::Up(0.2)), Some(6));
        assert_eq!(wants(Movement::Down(1.0)), Some(4));
        assert_eq!(wants(Movement::To(2.1)), Some(3));
        assert_eq!(wants(Movement::Down(7.0)), Some(-2));
        for n in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
            assert_eq!((wants(Movement::Up(n)), wants(Movement::Down(n)), wants(Movement::To(n))), (None, None, None));
        }
        assert_eq!(wants(Movement::Up(1e300)), Some(5 + i64::from(u32::MAX)));
    }

    #[test]
    fn bare_answers_mean_to_and_others_hold_with_their_reason() {
        assert_eq!(proposal(&Ok(Returned::Int(3)), 5).unwrap().dynos, Some(3));
        assert_eq!(proposal(&Ok(Returned::Float(2.5)), 5).unwrap().dynos, Some(3));
        assert_eq!(proposal(&Ok(Returned::Nothing), 5).unwrap().dynos, None);
        let wrong = proposal(&Ok(Returned::Data(serde_json::json!("six"))), 5).unwrap_err();
        assert!(wrong.contains("\"six\""), "{wrong}");
        let change = Change { movement: Movement::Up(-1.0), reason: None, dropped: Vec::new() };
        let wrong = proposal(&Ok(Returned::Change(change)), 5).unwrap_err();
        assert!(wrong.contains("never negative"), "{wrong}");
    }

    #[test]
    fn an_answer_that_was_dropped_is_told() {
        let change = Change { movement: Movement::Up(2.0), reason: Some("busy".into()), dropped: vec!["up(1)".into()] };
        assert_eq!(proposal(&Ok(Returned::Change(change)), 5).unwrap().text, "busy; `up(1)` was made and not returned");
    }
}
