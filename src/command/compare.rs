//! `autoscaler compare`: the policies that have names, with many settings, on many loads. It reaches nothing but
//! the files it is given.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::simulate::{Refused, bounded, load};
use super::simulated::Watched;
use crate::cli::CompareArgs;
use crate::compare::{BLOCKS, Corpus, Family, Grid, Member, block, fill, template};
use crate::picture::{self, Destination, Form};
use crate::script::Source;
use crate::simulate::{Candidate, NAMED, Named, Preset, Progress, named};

const SECONDS_A_DAY: f64 = 86_400.0;

/// Runs the command.
pub async fn run(args: CompareArgs) -> ExitCode {
    let done = tokio::task::spawn_blocking(move || compare(&args)).await;
    done.unwrap_or_else(|error| super::fail(format!("the comparison broke down: {error}; this is a bug of autoscaler")))
}

fn compare(args: &CompareArgs) -> ExitCode {
    match compared(args) {
        Ok(code) => code,
        Err(Refused::Told) => ExitCode::from(super::FAILED),
        Err(Refused::Because(said)) => super::fail(said),
        Err(Refused::Usage(said)) => {
            super::fail(said);
            ExitCode::from(super::USAGE)
        }
    }
}

fn compared(args: &CompareArgs) -> Result<ExitCode, Refused> {
    let page = args.write.as_deref().map(Page::check).transpose()?;
    let preset = Preset::bar();
    if args.days.is_some_and(|days| days.is_nan() || days <= 0.0) {
        return Err(Refused::Usage("`--days` must be more than 0".into()));
    }
    let families = families(args, &preset)?;
    let corpus = Corpus::read(args.traces.as_deref(), args.days, args.seed)?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let warmup = (preset.warmup_days * SECONDS_A_DAY) as u64;
    let settings = Grid::settings(&corpus, warmup, args.seed);
    let members: usize = families.iter().map(|family| family.members.len()).sum();
    let progress = Arc::new(Progress::of(&settings, members * args.boot_seconds.len()));
    let watched = std::io::stderr().is_terminal().then(|| Watched::start(&progress));
    let grid = Grid::run(corpus, families, args.boot_seconds.clone(), &settings, &progress);
    drop(watched);
    let grid = grid?;
    for (policy, said) in &grid.wrong {
        anstream::eprintln!("warning: decisions of `{policy}` went wrong; the first: {said}");
    }
    if let Some(page) = page {
        page.write(&grid)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = anstream::stdout();
    let written = if args.json { writeln!(out, "{}", grid.json()) } else { print(&mut out, &grid) };
    Ok(super::written(written))
}

fn print(out: &mut impl Write, grid: &Grid) -> std::io::Result<()> {
    for name in BLOCKS {
        writeln!(out, "{}", block(grid, name).map_err(std::io::Error::other)?)?;
    }
    Ok(())
}

/// The page that is written, and the picture beside it.
struct Page {
    text: String,
    text_to: Destination,
    picture: Destination,
}

impl Page {
    /// Finds both fit to be written before anything is done.
    fn check(path: &Path) -> Result<Self, String> {
        let picture = path.with_extension("svg");
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                template(&picture.file_name().unwrap_or_default().to_string_lossy())
            }
            Err(error) => return Err(format!("`{}` cannot be read: {error}", path.display())),
        };
        fill(&text, |name| if BLOCKS.contains(&name) { Ok(String::new()) } else { Err(unknown(name)) })
            .map_err(|said| format!("`{}`: {said}", path.display()))?;
        let page = Destination::of(path, Form::Text)?;
        Ok(Self { text, text_to: page, picture: Destination::of(&picture, Form::Picture)? })
    }

    fn write(&self, grid: &Grid) -> Result<(), String> {
        let filled = fill(&self.text, |name| block(grid, name))?;
        self.picture.write(&picture::families(grid))?;
        self.text_to.write(&filled)
    }
}

fn unknown(name: &str) -> String {
    format!("there is no block `{name}`; there are {}", BLOCKS.join(", "))
}

/// The families: every value of the parameter of every policy, for every boot.
fn families(args: &CompareArgs, preset: &Preset) -> Result<Vec<Family>, Refused> {
    let policies: Vec<&Named> = if args.policy.is_empty() {
        NAMED.iter().collect()
    } else {
        args.policy.iter().map(|name| named(name)).collect::<Result<_, _>>().map_err(Refused::Usage)?
    };
    let family = |policy: &Named| {
        let member = |value: &&str| {
            let candidates = args.boot_seconds.iter().map(|boot| candidate(policy, value, *boot, preset));
            let candidates = candidates.collect::<Result<Vec<_>, Refused>>()?;
            Ok(Member { value: (*value).to_owned(), default: *value == policy.sweep.default, candidates })
        };
        let members = policy.sweep.values.iter().map(member).collect::<Result<Vec<_>, Refused>>()?;
        Ok(Family { name: policy.name.to_owned(), parameter: policy.sweep.parameter.to_owned(), members })
    };
    policies.into_iter().map(family).collect()
}

fn candidate(policy: &Named, value: &str, boot: u64, preset: &Preset) -> Result<Candidate, Refused> {
    let text = policy.script(value, boot);
    let source = Source { path: PathBuf::from(format!("{}.rhai", policy.name)), text: Some(text.into()), unit: None };
    let specs = load(&source)?;
    let spec = specs.first().ok_or_else(|| format!("`{}` has no pipeline", policy.name))?;
    let spec = bounded(spec, preset.bounds);
    #[allow(clippy::cast_precision_loss)]
    let boot = crate::simulate::Described { boot_seconds: Some(boot as f64), ..preset.described.clone() };
    let described = spec.simulate.as_deref().map_or_else(|| boot.clone(), |written| boot.clone().or(written));
    let backend = spec.measure.first().map_or("custom", |stage| stage.backend.backend());
    let model = described.model(&spec.name, backend)?;
    Ok(Candidate { name: format!("{} {} {value}", policy.name, policy.sweep.parameter), spec, model })
}
