//! Owns what can be done with a lever: the requests of operators, and what they make of the levers. Pure:
//! who may pull one, and where the levers are kept, is not its matter.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Levers, PipelineLevers, Pull, SetDynos};

/// Whose lever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whom {
    /// Every pipeline's.
    All,
    /// One pipeline's.
    Pipeline(String),
}

/// What is done with a lever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lever {
    /// Measure and hold.
    Pause,
    /// Let go of the pause and of the count.
    Resume,
    /// Hold this count.
    Set {
        /// Dynos in all.
        dynos: u32,
        /// Whether the bounds do not count meanwhile.
        beyond_bounds: bool,
    },
    /// Scaling in, off or on again.
    ScaleIn {
        /// Whether it is on.
        on: bool,
    },
    /// Scaling out, off or on again.
    ScaleOut {
        /// Whether it is on.
        on: bool,
    },
}

/// A lever, whose, and who pulls it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulled {
    /// Whose.
    pub whom: Whom,
    /// Which.
    pub lever: Lever,
    /// Who, until when, and why.
    pub pull: Pull,
}

/// What came of a pull.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// The levers are others now.
    Changed,
    /// There was nothing to let go of.
    Nothing,
}

/// Applies `pulled` to `levers`. What is let go of for all is let go of for every single pipeline too.
pub fn apply(levers: &mut Levers, pulled: &Pulled, now: DateTime<Utc>) -> Answered {
    levers.let_go(now);
    let before = levers.clone();
    let lets_go = matches!(pulled.lever, Lever::Resume | Lever::ScaleIn { on: true } | Lever::ScaleOut { on: true });
    match &pulled.whom {
        Whom::All => {
            change(&mut levers.all, pulled);
            if lets_go {
                levers.pipelines.values_mut().for_each(|own| change(own, pulled));
            }
        }
        Whom::Pipeline(name) => change(levers.pipelines.entry(name.clone()).or_default(), pulled),
    }
    levers.pipelines.retain(|_, own| *own != PipelineLevers::default());
    if *levers == before { Answered::Nothing } else { Answered::Changed }
}

fn change(levers: &mut PipelineLevers, pulled: &Pulled) {
    let pull = || Some(pulled.pull.clone());
    match pulled.lever {
        Lever::Pause => levers.pause = pull(),
        Lever::Resume => (levers.pause, levers.dynos) = (None, None),
        Lever::Set { dynos, beyond_bounds } => {
            levers.dynos = Some(SetDynos { dynos, beyond_bounds, pull: pulled.pull.clone() });
        }
        Lever::ScaleIn { on } => levers.no_scale_in = if on { None } else { pull() },
        Lever::ScaleOut { on } => levers.no_scale_out = if on { None } else { pull() },
    }
}

impl Pulled {
    /// In words: "paused by ann@ops", "set to 5 dynos by ann@ops".
    #[must_use]
    pub fn told(&self, zone: chrono_tz::Tz) -> String {
        format!("{} {}", self.lever, self.pull.told(zone))
    }
}

impl std::fmt::Display for Lever {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pause => f.write_str("paused"),
            Self::Resume => f.write_str("resumed"),
            Self::Set { dynos, beyond_bounds } => {
                let beyond = if *beyond_bounds { ", beyond the bounds," } else { "" };
                write!(f, "set to {}{beyond}", crate::counted::dynos(*dynos))
            }
            Self::ScaleIn { on } => write!(f, "scale-in switched {}", if *on { "on" } else { "off" }),
            Self::ScaleOut { on } => write!(f, "scale-out switched {}", if *on { "on" } else { "off" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn pulled(whom: Whom, lever: Lever) -> Pulled {
        Pulled { whom, lever, pull: Pull { by: "ann@ops".into(), at: at(0), until: Some(at(60)), reason: None } }
    }

    #[test]
    fn what_is_let_go_of_for_all_is_let_go_of_for_each() {
        let mut levers = Levers::default();
        let web = || Whom::Pipeline("web".into());
        for (whom, lever) in [
            (web(), Lever::Pause),
            (web(), Lever::Set { dynos: 5, beyond_bounds: false }),
            (web(), Lever::ScaleIn { on: false }),
            (Whom::All, Lever::Pause),
        ] {
            assert_eq!(apply(&mut levers, &pulled(whom, lever), at(0)), Answered::Changed, "{lever:?}");
        }
        assert_eq!(apply(&mut levers, &pulled(Whom::All, Lever::Resume), at(0)), Answered::Changed);
        let active = levers.active("web", at(0));
        assert!(active.pause.is_none() && active.dynos.is_none() && active.no_scale_in.is_some());
        assert_eq!(apply(&mut levers, &pulled(Whom::All, Lever::Resume), at(0)), Answered::Nothing);
        assert_eq!(apply(&mut levers, &pulled(web(), Lever::ScaleIn { on: true }), at(0)), Answered::Changed);
        assert_eq!(levers, Levers::default());
    }

    #[test]
    fn a_pause_of_one_that_has_run_out_is_nothing_to_let_go_of() {
        let mut levers = Levers::default();
        apply(&mut levers, &pulled(Whom::Pipeline("web".into()), Lever::Pause), at(0));
        assert_eq!(apply(&mut levers, &pulled(Whom::All, Lever::Resume), at(60)), Answered::Nothing);
        assert_eq!(levers, Levers::default());
    }
}
