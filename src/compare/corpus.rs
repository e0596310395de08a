//! Owns the loads that policies are compared on: those of a folder and made-up ones, each prepared alike, and
//! the groups over which means are taken.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::simulate::{PREFIX, Preset, SHAPES, Trace, make, read};

/// Loads are cut to so many days: weeks of the longest would count for more than they say.
const MOST_DAYS: f64 = 28.0;

/// Seconds over which growth is told.
const GROWTH_SECONDS: f64 = 300.0;

/// Where the load grows by more than this within [`GROWTH_SECONDS`] in one minute of a hundred, it is hard.
const HARD_GROWTH: f64 = 0.5;

/// What is known of files by the beginnings of their names: over how many seconds they are smoothed, and their
/// group where it is not told from the load.
const KNOWN: [(&str, f64, Option<Group>); 2] = [
    // Counts of single minutes are so low that scaling would make noise of them.
    ("wc98_", 300.0, None),
    // Nearly nothing but spikes: its figures would drown those of the others.
    ("nab_tweets", 0.0, Some(Group::Apart)),
];

/// A group of loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Recorded, and rarely growing by more than a half within five minutes.
    Smooth,
    /// Recorded, with spikes.
    Hard,
    /// Recorded, and in no mean.
    Apart,
    /// Made up.
    Synthetic,
}

impl Group {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Smooth, Self::Hard, Self::Apart, Self::Synthetic];

    /// As tables name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Smooth => "smooth",
            Self::Hard => "hard",
            Self::Apart => "apart",
            Self::Synthetic => "made up",
        }
    }
}

/// One load, as it is simulated.
#[derive(Clone, Debug)]
pub struct Load {
    /// Its short name.
    pub name: String,
    /// What is simulated: smoothed, scaled and cut.
    pub trace: Arc<Trace>,
    /// The group it belongs to.
    pub group: Group,
    /// By how much it grows within five minutes, as a share of what is there and one dyno: exceeded in one
    /// minute of a hundred.
    pub growth: f64,
    /// Over how many seconds it was smoothed.
    pub smoothed: f64,
}

/// All loads of a comparison, by group and name.
#[derive(Clone, Debug)]
pub struct Corpus {
    /// The loads.
    pub loads: Vec<Load>,
}

impl Corpus {
    /// The traces of `folder`, and one made-up load of each shape, no longer than `days`; `seed` is that of the
    /// made-up ones.
    ///
    /// # Errors
    /// When the folder or a trace in it cannot be used.
    pub fn read(folder: Option<&Path>, days: Option<f64>, seed: u64) -> Result<Self, String> {
        let most = days.unwrap_or(MOST_DAYS).min(MOST_DAYS);
        let mut loads = Vec::new();
        for path in folder.map(files).transpose()?.unwrap_or_default() {
            let (trace, _) = read(&path, false)?;
            let name = short(&path);
            loads.push(Load::prepared(name, trace, false, most)?);
        }
        for shape in SHAPES {
            let name = format!("{shape},seed={seed}");
            loads.push(Load::prepared(format!("{PREFIX}{shape}"), make(&name)?, true, most)?);
        }
        loads.sort_by(|a, b| a.group.cmp(&b.group).then_with(|| a.name.cmp(&b.name)));
        Ok(Self { loads })
    }

    /// The numbers of the loads of `group`.
    #[must_use]
    pub fn of(&self, group: Group) -> Vec<usize> {
        (0..self.loads.len()).filter(|at| self.loads[*at].group == group).collect()
    }

    /// The loads on which one setting must do for all: the smooth ones; where none is recorded, those of the
    /// made-up ones that are as smooth.
    #[must_use]
    pub fn ruling(&self) -> Vec<usize> {
        let smooth = self.of(Group::Smooth);
        if !smooth.is_empty() {
            return smooth;
        }
        let made_up = self.of(Group::Synthetic);
        made_up.into_iter().filter(|at| self.loads[*at].growth <= HARD_GROWTH).collect()
    }
}

impl Load {
    fn prepared(name: String, mut trace: Trace, made_up: bool, most_days: f64) -> Result<Self, String> {
        let bar = Preset::bar();
        let known = KNOWN.iter().find(|(beginning, ..)| !made_up && name.starts_with(beginning));
        let (smoothed, group) = known.map_or((0.0, None), |(_, seconds, group)| (*seconds, *group));
        if smoothed > 0.0 {
            trace.smooth(smoothed);
        }
        let of_a_dyno = bar.described.rate_per_dyno.unwrap_or(1.0);
        trace.scale(bar.quantile, bar.dynos * of_a_dyno)?;
        trace.cut(most_days);
        let growth = growth(&trace, of_a_dyno);
        let told = if growth > HARD_GROWTH { Group::Hard } else { Group::Smooth };
        let group = if made_up { Group::Synthetic } else { group.unwrap_or(told) };
        Ok(Self { name, trace: Arc::new(trace), group, growth, smoothed })
    }

    /// How long it lasts.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn days(&self) -> f64 {
        self.trace.seconds() as f64 / 86_400.0
    }
}

/// By how much a load grows within five minutes in one minute of a hundred; what `of_a_dyno` is counts as there.
#[allow(clippy::cast_precision_loss)]
fn growth(trace: &Trace, of_a_dyno: f64) -> f64 {
    let minutes = trace.seconds() / 60;
    let all = (0..minutes).map(|minute| {
        let second = minute as f64 * 60.0;
        let (now, then) = (trace.at(second), trace.at(second + GROWTH_SECONDS));
        (then - now) / (now + of_a_dyno)
    });
    let rates: Vec<f64> = all.collect();
    Trace { name: String::new(), first: 0.0, step: 60.0, rates }.quantile(0.99)
}

/// The `.csv` files of `folder`, by name.
fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let wrong = |error: std::io::Error| format!("the folder `{}` cannot be read: {error}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv")) {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(format!("the folder `{}` has no trace: no file that ends with .csv", folder.display()));
    }
    files.sort();
    Ok(files)
}

/// The name of a file without its ending and the step that stands at its end.
fn short(path: &Path) -> String {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let short = name.strip_suffix("_1m").or_else(|| name.strip_suffix("_5m")).map(str::to_owned);
    short.unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(rates: Vec<f64>) -> Trace {
        Trace { name: "test".into(), first: 0.0, step: 60.0, rates }
    }

    #[test]
    fn a_load_with_spikes_is_hard_and_a_wave_is_smooth() {
        let wave: Vec<f64> = (0..4_000).map(|minute| 20.0 + 10.0 * (f64::from(minute) / 200.0).sin()).collect();
        let mut spiky = wave.clone();
        for minute in (50..4_000).step_by(40) {
            spiky[minute] *= 10.0;
        }
        let group = |rates: Vec<f64>| Load::prepared("web".into(), minutes(rates), false, 28.0).unwrap().group;
        assert_eq!((group(wave.clone()), group(spiky)), (Group::Smooth, Group::Hard));
        let tweets = Load::prepared("nab_tweets_amzn".into(), minutes(wave.clone()), false, 28.0).unwrap();
        assert_eq!(tweets.group, Group::Apart);
        let smoothed = Load::prepared("wc98_may".into(), minutes(wave), false, 1.0).unwrap();
        assert!(smoothed.smoothed > 0.0 && (smoothed.days() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_folder_is_read_by_name_and_one_without_traces_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Corpus::read(Some(folder.path()), None, 1).unwrap_err().contains("no file that ends with .csv"));
        for name in ["b_1m.csv", "a_5m.csv", "notes.txt"] {
            let lines: Vec<String> = (0..3_000).map(|minute| format!("{},{}\n", minute * 60, 5 + minute % 7)).collect();
            std::fs::write(folder.path().join(name), format!("seconds,rate_per_s\n{}", lines.concat())).unwrap();
        }
        let corpus = Corpus::read(Some(folder.path()), Some(1.0), 1).unwrap();
        let recorded: Vec<&str> =
            corpus.loads.iter().filter(|load| load.group != Group::Synthetic).map(|load| &*load.name).collect();
        assert_eq!(recorded, ["a", "b"]);
        assert_eq!(corpus.of(Group::Synthetic).len(), SHAPES.len());
        assert!(corpus.loads.iter().all(|load| load.days() <= 1.0));
        assert!(Corpus::read(Some(Path::new("/nowhere")), None, 1).is_err());
    }
}
