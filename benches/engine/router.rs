//! Owns what log drains cost: deliveries of router lines, from the head of the request to the window.

use std::sync::Arc;
use std::time::{Duration, Instant};

use autoscaler::heroku::Drains;
use autoscaler::heroku::drain::{Delivered, Head};
use autoscaler::secret::Secret;

use crate::Form;
use crate::table::{self, row, spread};

/// Lines of one delivery: what Logplex sends at most.
const LINES: usize = 1024;

const TOKEN: &str = "d.fc6b856b-3332-4546-93de-7d0ee272c3bd";

/// Prints the table.
pub fn measure(form: Form) {
    let (rounds, deliveries) = (form.pick(3, 10), form.pick(200, 1000));
    let drains = Arc::new(Drains::default());
    let now = tokio::time::Instant::now();
    // Two pipelines with windows of their own.
    let traffic = drains.traffic(&Secret::new(TOKEN), now);
    traffic.look(Duration::from_secs(60), now);
    traffic.look(Duration::from_secs(300), now);
    let body = body();
    let mut rates = Vec::new();
    for round in 0..rounds {
        let started = Instant::now();
        for delivery in 0..deliveries {
            let frame = format!("{round}-{delivery}");
            let count = LINES.to_string();
            let head = Head {
                content_type: Some("application/logplex-1"),
                length: Some(body.len() as u64),
                token: Some(TOKEN),
                frame: Some(&frame),
                count: Some(&count),
                ..Head::default()
            };
            let admitted = drains.admit(&head, now).expect("a good head");
            assert_eq!(admitted.take(&body, now), Ok(Delivered::Lines(LINES)));
        }
        rates.push((deliveries * LINES) as f64 / started.elapsed().as_secs_f64() / 1000.0);
    }
    table::print(&[
        row(["deliveries of router lines into two windows", "thousands a second, one core"]),
        row(["parsed, checked and counted", &spread(&rates, 0)]),
    ]);
}

fn body() -> Vec<u8> {
    let line = |at: usize| {
        let message = format!(
            "<158>1 2026-11-24T03:47:20.123456+00:00 host heroku router - at=info method=GET path=\"/shop/items?page={at}\" \
             host=dancing-forest-1234.herokuapp.com request_id=8601b555-6a83-4c12-8269-{at:012} fwd=\"204.204.204.204\" \
             dyno=web.1 connect=1ms service={}ms status=200 bytes=13842 protocol=https\n",
            at * 7 % 900
        );
        format!("{} {message}", message.len())
    };
    (0..LINES).flat_map(|at| line(at).into_bytes()).collect()
}
