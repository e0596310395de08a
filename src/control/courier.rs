//! Owns answering what is asked through the Redis that keeps a worker's state, where commands run on another
//! machine. Whoever can write there may pull levers, since they are kept there; a script it gets from nobody.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Answer, Ask, Desk};
use crate::state::Mailbox;

/// It looks this often whether anything is asked.
const LOOK: Duration = Duration::from_millis(500);

/// Answers until `stop`.
pub async fn serve(mailbox: Mailbox, desk: Arc<Desk>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        // A server that is lost is told by whoever writes to it.
        while let Ok(Some((id, text))) = mailbox.next().await {
            let answer = match serde_json::from_str(&text) {
                Ok(Ask::Try(_) | Ask::Confirm { .. }) => Answer::Refused(
                    "a script is not taken from Redis: try it where the worker runs, or sign it by `autoscaler push`"
                        .into(),
                ),
                Ok(ask) => desk.answer(ask).await,
                Err(error) => Answer::Refused(format!("the worker does not know what is asked: {error}")),
            };
            if let Ok(text) = serde_json::to_string(&answer) {
                // Whoever asked finds no answer, and says so.
                let _ = mailbox.answer(&id, &text).await;
            }
        }
    }
}
