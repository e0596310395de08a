//! Owns limits that several pipelines share: who takes part, what is left for each, and the ledger of what
//! each has and was granted. It reads no platform and scales nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::guards::LIMIT;
use super::{Decision, Mode, PipelineSpec};
use crate::decide::DynosByTime;

/// So many dynos for several pipelines together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Who shares it; whoever comes first is granted first.
    pub members: Vec<Member>,
    /// Dynos of all of them together.
    pub max_dynos: u32,
}

/// A pipeline that shares a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The pipeline's name.
    pub name: Arc<str>,
    /// Its lower bound, which no other one may take from it.
    pub min_dynos: DynosByTime,
    /// Its upper bound: more it cannot want.
    pub max_dynos: DynosByTime,
    /// The zone of both.
    pub zone: Tz,
}

/// What a limit leaves to a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// The limit, by its position in [`PipelineSpec::limits`].
    pub limit: usize,
    /// So many dynos in all.
    pub left: u32,
}

impl Limit {
    /// The words for leaving `left` dynos to `pipeline`.
    #[must_use]
    pub fn leaves(&self, pipeline: &str, left: u32) -> String {
        format!("the limit of {} leaves {left} to {pipeline}", self.describe())
    }

    /// "12 dynos for web and celery".
    #[must_use]
    pub fn describe(&self) -> String {
        let names: Vec<&str> = self.members.iter().map(|member| &*member.name).collect();
        let names = match names.as_slice() {
            [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            names => names.join(", "),
        };
        format!("{} for {names}", crate::counted::dynos(self.max_dynos))
    }

    /// What it leaves to `pipeline`, for the accounts of the others.
    fn left(&self, pipeline: &str, now: DateTime<Utc>, account: impl Fn(&Member) -> Account) -> u32 {
        let own = self.members.iter().position(|member| *member.name == *pipeline).unwrap_or(usize::MAX);
        let others = self.members.iter().enumerate().filter(|(position, _)| *position != own);
        let taken = others.map(|(position, member)| {
            let (account, most) = (account(member), member.at(&member.max_dynos, now));
            // One that nobody has counted yet may have all that it may have.
            let held = account.count.unwrap_or(most).max(account.granted).max(member.at(&member.min_dynos, now));
            // What comes first in the order and is not served yet is left to it.
            if position < own { held.max(account.wish.min(most)) } else { held }
        });
        taken.fold(self.max_dynos, u32::saturating_sub)
    }
}

impl Member {
    fn at(&self, dynos: &DynosByTime, now: DateTime<Utc>) -> u32 {
        dynos.at_time(now, self.zone)
    }
}

/// The most that the lower bounds of `members` are together at any minute of a week without a date of its own.
pub(super) fn most_of_minima(members: &[Member]) -> u32 {
    // Zones may differ: what counts is the same instant for all. Bounds change on whole minutes.
    let week = (0..7 * 24 * 60).map(|minute| DateTime::UNIX_EPOCH + TimeDelta::minutes(minute));
    let together = |now| members.iter().map(|member| member.at(&member.min_dynos, now)).fold(0, u32::saturating_add);
    let fixed = members.iter().all(|member| matches!(member.min_dynos, DynosByTime::Always(_)));
    if fixed { together(DateTime::UNIX_EPOCH) } else { week.map(together).max().unwrap_or(0) }
}

/// What is known of one pipeline.
#[derive(Clone, Copy, Debug, Default)]
struct Account {
    /// As counted last.
    count: Option<u32>,
    /// Granted, and not yet known to be there; 0 for nothing.
    granted: u32,
    /// Wanted and not granted; 0 for nothing.
    wish: u32,
}

/// What pipelines that share a limit have and were granted. Decisions of such pipelines are made one at a time,
/// so that two which tick at once never get the same dynos.
#[derive(Debug, Default)]
pub struct Ledger {
    accounts: Mutex<HashMap<Arc<str>, Account>>,
    /// Whether one that nobody has counted is taken to have its least, not its most.
    alone: bool,
}

impl Ledger {
    /// The ledger of a world in which the other pipelines only come in as far as it is told of them: tests.
    #[must_use]
    pub fn alone() -> Self {
        Self { alone: true, ..Self::default() }
    }

    /// Takes note that `pipeline` has `count` dynos, and waits for none.
    pub fn note(&self, pipeline: &Arc<str>, count: u32) {
        let account = Account { count: Some(count), ..Account::default() };
        self.accounts().insert(Arc::clone(pipeline), account);
    }

    /// Decides a tick of `spec` that is due at `now` and grants what is decided. `current` is its count, where
    /// it is known; `open` the target of a call whose outcome is not. `decide` is given what the limits leave.
    pub(super) fn decide<T>(
        &self,
        spec: &PipelineSpec,
        current: Option<u32>,
        open: Option<u32>,
        now: DateTime<Utc>,
        decide: impl FnOnce(Option<Room>) -> (Decision, T),
    ) -> (Decision, T) {
        if spec.limits.is_empty() {
            return decide(None);
        }
        let mut accounts = self.accounts();
        let room = self.room(&accounts, spec, now);
        let (decision, rest) = decide(room);
        let account = accounts.entry(Arc::clone(&spec.name)).or_default();
        account.count = current.or(account.count);
        // What a dry run wants, it does not get.
        let granted = decision.change().filter(|_| spec.mode == Mode::Live).map_or(0, |(_, to)| to);
        account.granted = granted.max(open.unwrap_or(0));
        let limited = decision.reasons.iter().find(|cause| cause.guard == LIMIT);
        account.wish = limited.and_then(|cause| cause.from).filter(|_| spec.mode == Mode::Live).unwrap_or(0);
        (decision, rest)
    }

    /// Takes note that `spec` has `count` dynos, as soon as that is known: others may be deciding meanwhile.
    pub(super) fn counted(&self, spec: &PipelineSpec, count: u32) {
        if !spec.limits.is_empty() {
            self.accounts().entry(Arc::clone(&spec.name)).or_default().count = Some(count);
        }
    }

    /// Takes note of how the scale of `spec` ended: at `count` dynos, or refused.
    pub(super) fn settle(&self, spec: &PipelineSpec, count: Option<u32>) {
        if spec.limits.is_empty() {
            return;
        }
        let mut accounts = self.accounts();
        let account = accounts.entry(Arc::clone(&spec.name)).or_default();
        account.count = count.or(account.count);
        account.granted = 0;
    }

    /// What the tightest limit leaves to `spec`.
    fn room(&self, accounts: &HashMap<Arc<str>, Account>, spec: &PipelineSpec, now: DateTime<Utc>) -> Option<Room> {
        let account = |member: &Member| {
            let known = accounts.get(&member.name).copied().unwrap_or_default();
            if self.alone { Account { count: known.count.or(Some(0)), ..known } } else { known }
        };
        let rooms = spec.limits.iter().enumerate();
        let rooms = rooms.map(|(limit, shared)| Room { limit, left: shared.left(&spec.name, now, account) });
        rooms.min_by_key(|room| room.left)
    }

    fn accounts(&self) -> std::sync::MutexGuard<'_, HashMap<Arc<str>, Account>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, min: u32, max: u32) -> Member {
        let always = DynosByTime::Always;
        Member { name: name.into(), min_dynos: always(min), max_dynos: always(max), zone: Tz::UTC }
    }

    fn left(pipeline: &str, accounts: &[(&str, Account)]) -> u32 {
        let members = vec![member("web", 2, 8), member("celery", 1, 10), member("mail", 1, 3)];
        let limit = Limit { members, max_dynos: 12 };
        let account = |member: &Member| {
            accounts.iter().find(|(name, _)| *name == &*member.name).map(|(_, account)| *account).unwrap_or_default()
        };
        limit.left(pipeline, DateTime::UNIX_EPOCH, account)
    }

    fn counted(count: u32) -> Account {
        Account { count: Some(count), ..Account::default() }
    }

    #[test]
    fn what_others_have_were_granted_or_must_have_is_not_left() {
        assert_eq!(left("web", &[("celery", counted(5)), ("mail", counted(2))]), 5);
        // Below its minimum the minimum is kept for it, and so is what was granted and is not there yet.
        assert_eq!(left("web", &[("celery", counted(0)), ("mail", counted(0))]), 10);
        let granted = Account { granted: 7, ..counted(5) };
        assert_eq!(left("web", &[("celery", granted), ("mail", counted(2))]), 3);
        assert_eq!(left("web", &[("celery", counted(20)), ("mail", counted(2))]), 0);
    }

    #[test]
    fn one_that_nobody_has_counted_may_have_its_most() {
        assert_eq!(left("web", &[("mail", counted(1))]), 1);
    }

    #[test]
    fn the_first_in_the_order_is_served_first_up_to_its_maximum() {
        let wish = |count, wish| Account { wish, ..counted(count) };
        assert_eq!(left("celery", &[("web", wish(3, 6)), ("mail", counted(1))]), 5);
        assert_eq!(left("celery", &[("web", wish(3, 100)), ("mail", counted(1))]), 3);
        assert_eq!(left("web", &[("celery", wish(3, 9)), ("mail", counted(1))]), 8);
    }
}
