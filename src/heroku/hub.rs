//! Owns which targets, tails, drains and budgets there are: one target and one tail per app and key, one budget
//! per key. A target ends with the last pipeline that uses it; a tail closes when nobody waits for lines.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::target::WeakTarget;
use super::{App, Budget, Client, Drains, Tail, Target};
use crate::secret::Secret;
use crate::world::World;

/// Everything that pipelines share of Heroku.
#[derive(Default)]
pub struct Heroku {
    known: Mutex<Known>,
    drains: Arc<Drains>,
}

#[derive(Default)]
struct Known {
    budgets: HashMap<Account, Arc<Budget>>,
    targets: HashMap<(Account, Arc<str>), WeakTarget>,
    tails: HashMap<(Account, Arc<str>), Tail>,
}

/// An API and a key to it.
type Account = (Arc<str>, Secret);

impl Heroku {
    /// The target of `app`, whatever its process type. Must be called within a tokio runtime.
    pub fn target(&self, app: &App, world: &World) -> Target {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (account(app), Arc::clone(&app.name));
        if let Some(target) = known.targets.get(&key).and_then(WeakTarget::upgrade) {
            return target;
        }
        known.targets.retain(|_, target| target.upgrade().is_some());
        let target = Target::start(app, known.client(app, world), Arc::clone(&world.clock));
        known.targets.insert(key, target.downgrade());
        target
    }

    /// The log tail of `app`. Must be called within a tokio runtime.
    pub fn tail(&self, app: &App, world: &World) -> Tail {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (account(app), Arc::clone(&app.name));
        if let Some(tail) = known.tails.get(&key) {
            return tail.clone();
        }
        let client = known.client(app, world);
        let tail = Tail::start(Arc::clone(&app.name), client, Arc::clone(&world.http), Arc::clone(&world.clock));
        // Kept: a measuring backend asks for it anew each time. Without a watch it is a parked task.
        known.tails.insert(key, tail.clone());
        tail
    }

    /// The log drains that come in.
    #[must_use]
    pub fn drains(&self) -> &Arc<Drains> {
        &self.drains
    }
}

impl Known {
    fn client(&mut self, app: &App, world: &World) -> Client {
        let budget = self.budgets.entry(account(app)).or_insert_with(|| Arc::new(Budget::new(Instant::now())));
        Client::new(Arc::clone(&world.http), Arc::clone(&app.api_url), &app.key, Arc::clone(budget))
    }
}

fn account(app: &App) -> Account {
    (Arc::clone(&app.api_url), app.key.clone())
}

impl fmt::Debug for Heroku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Heroku")
    }
}
