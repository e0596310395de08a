//! Owns the dynos of the simulated app: ready ones and those that boot. Taking one away is immediate,
//! and the newest go first, those that boot before those that are ready.

/// Dynos, in whole seconds of the simulation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fleet {
    ready: u32,
    /// When each booting one will be ready, in the order in which they were asked for.
    booting: Vec<u64>,
}

impl Fleet {
    /// `ready` dynos, all of them ready.
    #[must_use]
    pub fn of(ready: u32) -> Self {
        Self { ready, booting: Vec::new() }
    }

    /// Dynos that take load.
    #[must_use]
    pub fn ready(&self) -> u32 {
        self.ready
    }

    /// Dynos that boot.
    #[must_use]
    pub fn booting(&self) -> u32 {
        u32::try_from(self.booting.len()).unwrap_or(u32::MAX)
    }

    /// Dynos that are paid for: ready and booting ones.
    #[must_use]
    pub fn all(&self) -> u32 {
        self.ready + self.booting()
    }

    /// Asks for `dynos` in all at second `now`; `boot` tells for each new one how long it takes.
    pub fn scale_to(&mut self, dynos: u32, now: u64, mut boot: impl FnMut() -> u64) {
        let kept = dynos.saturating_sub(self.ready) as usize;
        self.booting.truncate(kept);
        self.ready = self.ready.min(dynos);
        while self.all() < dynos {
            self.booting.push(now + boot());
        }
        self.advance(now);
    }

    /// Those that have booted by second `now` are ready.
    pub fn advance(&mut self, now: u64) {
        if self.booting.is_empty() {
            return;
        }
        let before = self.booting();
        self.booting.retain(|ready_at| *ready_at > now);
        self.ready += before - self.booting();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dyno_boots_and_the_newest_go_first() {
        let mut fleet = Fleet::of(2);
        fleet.scale_to(4, 100, || 60);
        fleet.scale_to(5, 130, || 60);
        assert_eq!((fleet.ready(), fleet.booting(), fleet.all()), (2, 3, 5));
        fleet.advance(159);
        assert_eq!(fleet.ready(), 2);
        fleet.advance(160);
        assert_eq!((fleet.ready(), fleet.booting()), (4, 1));
        fleet.scale_to(4, 170, || 60);
        assert_eq!((fleet.ready(), fleet.booting()), (4, 0));
        fleet.scale_to(1, 171, || 60);
        assert_eq!((fleet.ready(), fleet.all()), (1, 1));
        fleet.scale_to(2, 200, || 0);
        assert_eq!(fleet.ready(), 2);
    }
}
