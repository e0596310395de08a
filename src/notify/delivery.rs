//! Owns one delivery: its time limit, trying again after a passing fault, and the log's word when it
//! fails. It chooses neither what is told nor to whom.

use std::sync::Weak;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Undelivered;
use super::outbox::Letter;
use crate::secret::scrub;
use crate::world::World;

/// Pauses before the second and the third try: a mail server that restarts is back after the second.
const PAUSES: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(10)];

/// The longest a single try may take, whatever the backend does: longer than a mail server's or a
/// function's own limit.
const LONGEST_TRY: Duration = Duration::from_secs(60);

/// Delivers `letter`, or logs why not. When the worker is `closing`, pauses are cut short.
pub(super) async fn deliver(letter: Letter, world: Weak<World>, closing: CancellationToken) {
    let mut pauses = PAUSES.iter();
    loop {
        let Err(error) = attempt(&letter, &world).await else { return };
        match pauses.next() {
            Some(pause) if error.transient && !closing.is_cancelled() => {
                tokio::select! {
                    () = tokio::time::sleep(*pause) => {}
                    () = closing.cancelled() => {}
                }
            }
            _ => {
                let (backend, kind) = (letter.backend.backend(), letter.event.kind.name());
                let error = scrub(&error.message).into_owned();
                tracing::warn!(
                    target: "autoscaler::notify",
                    pipeline = &*letter.event.pipeline, kind, backend,
                    "not notified: {error}"
                );
                return;
            }
        }
    }
}

async fn attempt(letter: &Letter, world: &Weak<World>) -> Result<(), Undelivered> {
    let Some(world) = world.upgrade() else { return Err(Undelivered::for_good("the worker is stopping")) };
    let delivery = letter.backend.deliver(&letter.event, &letter.memory, &world);
    match tokio::time::timeout(LONGEST_TRY, delivery).await {
        Ok(delivered) => delivered,
        Err(_) => Err(Undelivered::for_good(format!("not delivered within {} s", LONGEST_TRY.as_secs()))),
    }
}
