//! Owns what operators ask of the supervisor: going back, trying another script, keeping it. What goes on by
//! itself (a trial that ends, a generation that fails) is `retreat`'s.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::Instant;

use super::{Supervisor, announce};
use crate::control::{Answer, Ask, Order, Script};
use crate::script::Source;
use crate::settings::did_you_mean;
use crate::worker::unit::{Aside, AsideKind};

impl Supervisor {
    pub(super) async fn obey(&mut self, order: Order) {
        let answer = match order.ask {
            Ask::Rollback { unit, by } => match self.unit(unit.as_deref()) {
                Ok(index) => self.roll_back(index, &by).await,
                Err(why) => Err(why),
            },
            Ask::Try(script) => self.try_script(script).await,
            Ask::Confirm { unit, by } => match self.unit(unit.as_deref()) {
                Ok(index) => self.confirm(index, &by).await,
                Err(why) => Err(why),
            },
            Ask::Revert { unit, by } => self.unit(unit.as_deref()).and_then(|index| self.revert_by(index, &by)),
            // The desk answers these itself.
            Ask::Health | Ask::Status | Ask::Pull(_) => Err("that is not for the supervisor".into()),
        };
        self.show_units();
        let answer = answer.map_or_else(Answer::Refused, Answer::Done);
        // Whoever asked may have gone.
        let _ = order.answer.send(answer);
    }

    /// The unit called `name`; the only one where no name is given.
    fn unit(&self, name: Option<&str>) -> Result<usize, String> {
        let names = || self.units.iter().filter_map(|unit| unit.source.unit.as_deref());
        match name {
            None if self.units.len() == 1 => Ok(0),
            None => {
                let names: Vec<&str> = names().collect();
                Err(format!("the worker runs several scripts: name one by `--unit`, of {}", names.join(", ")))
            }
            Some(name) => {
                self.units.iter().position(|unit| unit.source.unit.as_deref() == Some(name)).ok_or_else(|| {
                    let help = did_you_mean(name, names()).unwrap_or_else(|| match names().collect::<Vec<_>>() {
                        names if names.is_empty() => "it runs one script, so leave `--unit` out".into(),
                        names => format!("there are {}", names.join(", ")),
                    });
                    format!("the worker runs no script `{name}`; {help}")
                })
            }
        }
    }

    async fn roll_back(&mut self, index: usize, by: &str) -> Result<Vec<String>, String> {
        let unit = &self.units[index];
        match unit.aside.as_ref().map(|aside| &aside.kind) {
            Some(AsideKind::Trial { .. }) => return self.revert_by(index, by),
            Some(AsideKind::RolledBack(why)) => {
                return Err(format!(
                    "the worker has gone back already ({why}): save the script to go forward, or send the worker \
                     SIGHUP"
                ));
            }
            None => {}
        }
        let from = unit.generation.id;
        self.remember_previous(index).await;
        let to = self.go_back(index, &format!("by {by}"), false)?;
        self.keep_gone_back(index).await;
        let script = announce::name(&self.units[index].source);
        Ok(vec![
            format!("{script}: generation {to} is in force again, in place of {from}"),
            "it stays until the file is saved".into(),
        ])
    }

    async fn try_script(&mut self, script: Script) -> Result<Vec<String>, String> {
        let index = self.unit(script.unit.as_deref())?;
        let text: Arc<str> = script.text.into();
        let source = Source { text: Some(Arc::clone(&text)), ..self.units[index].source.clone() };
        let loaded = loop {
            // A save meanwhile is looked at afterwards.
            if let Some(loaded) = self.load_aside(&source).await {
                break loaded;
            }
        };
        let own = self.units[index].source.clone();
        let generation = loaded.and_then(|generation| self.unshared(&own, generation));
        let generation = generation.map_err(|refused| {
            let own = announce::name(&own);
            format!("{} is refused (its places are those of {own}): {}", script.name, announce::told(&refused.report))
        })?;
        self.newest = generation.id;
        let now = self.world.clock.now();
        let span = Duration::from_secs(script.seconds);
        let until = now + TimeDelta::from_std(span).unwrap_or(TimeDelta::MAX);
        let unit = &mut self.units[index];
        let before = std::mem::replace(&mut unit.generation, Arc::new(generation));
        unit.since = now;
        let (base, disk, rolled_back) = match unit.aside.take() {
            Some(Aside { disk, kind: AsideKind::Trial { base, rolled_back, .. } }) => (base, disk, rolled_back),
            Some(Aside { disk, kind: AsideKind::RolledBack(why) }) => (Arc::clone(&before), disk, Some(why)),
            None => {
                // It would take the place of what is tried.
                let checking = unit.checking.take().map(|checking| checking.generation.files);
                (Arc::clone(&before), checking.unwrap_or_else(|| before.files.clone()), None)
            }
        };
        let back = base.id;
        let (name, by, end) = (script.name, script.by, Instant::now() + span);
        let kind = AsideKind::Trial { name: name.clone(), text, by: by.clone(), until, end, base, rolled_back };
        unit.aside = Some(Aside { disk, kind });
        self.apply();
        let until = until.with_timezone(&self.loading.zone).format("%Y-%m-%d %H:%M:%S %Z");
        let own = announce::name(&own);
        tracing::warn!(script = own, "{by} tries {name} until {until}; then generation {back} comes back");
        self.announce_reloaded(index, &before, false);
        Ok(vec![
            format!("{name} runs in place of {own} until {until}; then generation {back} comes back"),
            format!(
                "`autoscaler try --confirm` keeps it: it is written over {own}; `autoscaler try --revert` ends it now"
            ),
        ])
    }

    async fn confirm(&mut self, index: usize, by: &str) -> Result<Vec<String>, String> {
        let unit = &mut self.units[index];
        let own = announce::name(&unit.source);
        let Some(Aside { kind: AsideKind::Trial { name, text, .. }, .. }) = &unit.aside else {
            return Err(format!("nothing is being tried in place of {own}"));
        };
        if unit.source.text.is_some() {
            return Err(format!("{own} came from standard input: start the worker anew with {name}"));
        }
        write_over(&unit.source.path, text).map_err(|error| {
            format!("{own} cannot be written: {error}; copy {name} over it yourself, and it is kept")
        })?;
        let name = name.clone();
        let unit = &mut self.units[index];
        if let Some(Aside { kind: AsideKind::Trial { base, .. }, .. }) = unit.aside.take() {
            unit.previous = Some(base);
        }
        // It is what is on disk now, whatever was wrong with that before.
        (unit.refused, unit.last_good) = (None, None);
        self.keep_generation(&self.units[index]).await;
        tracing::info!(script = own, "{by} keeps {name}: it is written over {own}");
        Ok(vec![format!("{name} is kept: it is written over {own}"), "`autoscaler rollback` goes back".into()])
    }

    fn revert_by(&mut self, index: usize, by: &str) -> Result<Vec<String>, String> {
        let own = announce::name(&self.units[index].source);
        match self.revert(index, &format!("ended by {by}"), false) {
            Some(id) => Ok(vec![format!("{own}: the trial is over, generation {id} is in force again")]),
            None => Err(format!("nothing is being tried in place of {own}")),
        }
    }
}

/// Replaces the file that `path` is, or links to, as a whole: nobody ever reads half of it.
fn write_over(path: &Path, text: &str) -> std::io::Result<()> {
    let path = path.canonicalize()?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = folder.join(name);
    let written = || {
        let mut file = std::fs::File::create(&new)?;
        file.write_all(text.as_bytes())?;
        file.set_permissions(std::fs::metadata(&path)?.permissions())?;
        file.sync_all()?;
        std::fs::rename(&new, &path)
    };
    written().inspect_err(|_| {
        let _ = std::fs::remove_file(&new);
    })
}
