//! Owns the check of a saved script against its gate: it begins aside, in a process of its own, while the old
//! version runs and orders are obeyed; its end lets the script go live or refuses it, and a newer save ends it.

use tokio_util::task::AbortOnDropHandle;

use super::{Supervisor, announce};
use crate::worker::gate::{self, GateVerdict};
use crate::worker::generation::Generation;
use crate::worker::unit::Checking;

/// A gate that was tried: the check's number, and what came of it.
pub(super) type Checked = (u64, Result<GateVerdict, String>);

impl Supervisor {
    /// Begins to check `generation`, which was saved.
    pub(super) fn begin_check(&mut self, index: usize, generation: Generation) {
        self.newest_check += 1;
        let (number, unit) = (self.newest_check, &mut self.units[index]);
        let limit = generation.gate.as_ref().map_or_else(Default::default, |gate| gate.limit);
        let program = gate::program(&unit.source, &generation.needs, &self.loading, limit);
        let checks = self.checks.clone();
        let task = tokio::spawn(async move {
            let verdict = match program {
                Ok(program) => gate::judge(program).await,
                Err(why) => Err(why),
            };
            // A worker that stops asks no more.
            let _ = checks.send((number, verdict));
        });
        let (script, running) = (announce::name(&unit.source), unit.generation.id);
        let trace = generation.gate.as_ref().map_or("", |gate| &gate.trace);
        let seconds = limit.as_secs_f64();
        tracing::info!(
            script,
            generation = running,
            "checking the saved script against {trace}, for {seconds} s at most; the old one runs on"
        );
        let (since, task) = (self.world.clock.now(), AbortOnDropHandle::new(task));
        unit.checking = Some(Checking { generation, number, since, task });
        self.show_units();
    }

    /// Ends the check of unit `index`, if there is one: its process is killed.
    pub(super) fn give_up_check(&mut self, index: usize) {
        let unit = &mut self.units[index];
        if unit.checking.take().is_some() {
            tracing::info!(script = announce::name(&unit.source), "the check is off: there is a newer save");
            self.show_units();
        }
    }

    /// Does what came of a check.
    pub(super) async fn take_verdict(&mut self, (number, verdict): Checked) {
        let checked = |checking: &Checking| checking.number == number;
        let Some(index) = self.units.iter().position(|unit| unit.checking.as_ref().is_some_and(checked)) else {
            return;
        };
        if !self.units[index].is_checking() {
            // The process may have read the newer text: the next look loads that.
            return self.give_up_check(index);
        }
        let Some(Checking { mut generation, .. }) = self.units[index].checking.take() else { return };
        let source = self.units[index].source.clone();
        let objections = match (verdict, &generation.gate) {
            (Ok(verdict), _) => verdict.objections,
            (Err(why), _) => vec![format!("the saved script could not be checked against its gate: {why}")],
        };
        let gate = generation.gate.clone();
        if let Some(gate) = gate.filter(|_| !objections.is_empty()) {
            self.refuse(index, gate.refusal(generation, objections));
        } else {
            // Another unit may have taken a number meanwhile.
            generation.renumber(self.newest + 1);
            match self.unshared(&source, generation) {
                Ok(generation) => self.take_up(index, generation).await,
                Err(refused) => self.refuse(index, refused),
            }
        }
        self.follow_files();
        self.show_units();
    }
}
