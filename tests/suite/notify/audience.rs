//! The audience on tokio's paused clock: order, joining, flood, tries, and the end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use autoscaler::notify::{Undelivered, audience};
use autoscaler::pipeline::{Event, EventKind, Phase};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, timeout};
use tracing::subscriber::DefaultGuard;

use super::pretend::{Answer, Recorder, Told, event, failure, pipeline, stage, world, world_of};

/// Longer than any window, pause or period here.
const DAY: Duration = Duration::from_secs(86_400);

async fn next(heard: &mut UnboundedReceiver<Told>) -> (u64, String) {
    let told = timeout(DAY, heard.recv()).await.expect("something is told").unwrap();
    (told.after.as_secs(), told.event.message.clone())
}

async fn nothing_more(heard: &mut UnboundedReceiver<Told>) {
    let told = timeout(DAY, heard.recv()).await;
    assert!(told.is_err(), "told too much: {told:?}");
}

/// Lets every task do what it can at this moment.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Captures what this thread logs until the guard goes.
    pub fn capture() -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn scaled(pipeline: &str, number: usize) -> Event {
    event(pipeline, EventKind::Scaled, &format!("Scaled to ({number}) dynos."))
}

#[tokio::test(start_paused = true)]
async fn a_stuck_recipient_delays_no_other_and_gets_its_messages_in_order() {
    let (world, _deliveries, _) = world();
    let (stuck, mut stuck_heard) = Recorder::new("stuck");
    let (quick, mut quick_heard) = Recorder::new("quick");
    let held = stuck.gate.forget_permits(usize::MAX);
    let web = pipeline("web", vec![stage(&stuck), stage(&quick)]);
    for number in 1..=30 {
        world.audience.tell(&web, vec![scaled("web", number)]);
    }
    for number in 1..=30 {
        assert_eq!(next(&mut quick_heard).await, (0, format!("Scaled to ({number}) dynos.")));
    }
    assert!(stuck_heard.try_recv().is_err());
    stuck.gate.add_permits(held.min(1_000));
    for number in 1..=30 {
        assert_eq!(next(&mut stuck_heard).await, (0, format!("Scaled to ({number}) dynos.")));
    }
}

#[tokio::test(start_paused = true)]
async fn one_cause_that_hits_many_pipelines_is_one_message() {
    let (world, _deliveries, _) = world();
    let (recorder, mut heard) = Recorder::with("mail", true, []);
    let kind = EventKind::MeasurementFailed;
    for name in ["web", "celery", "clock"] {
        let pipeline = pipeline(name, vec![stage(&recorder)]);
        world.audience.tell(&pipeline, vec![failure(name, kind, "connection refused")]);
        settle().await;
        tokio::time::advance(Duration::from_millis(600)).await;
    }
    let other = pipeline("other", vec![stage(&recorder)]);
    world.audience.tell(&other, vec![failure("other", kind, "HTTP 404")]);

    let joined = timeout(DAY, heard.recv()).await.unwrap().unwrap();
    assert_eq!(joined.after, Duration::from_secs(2));
    assert_eq!(joined.event.message, "The measurement fails for 3 pipelines (celery, clock, web): connection refused");
    assert_eq!(joined.event.subject, "measurement_failed of web (3 pipelines)");
    assert_eq!((&*joined.event.pipeline, &*joined.event.key), ("", "web/measurement_failed"));
    assert_eq!(next(&mut heard).await, (3, "measurement_failed of other".into()));

    world.audience.tell(&other, vec![failure("other", kind, "connection refused")]);
    assert_eq!(next(&mut heard).await.1, "measurement_failed of other");
    nothing_more(&mut heard).await;
}

#[tokio::test(start_paused = true)]
async fn the_end_of_one_cause_is_one_message_too() {
    let (world, _deliveries, _) = world();
    let (recorder, mut heard) = Recorder::new("mail");
    for name in ["web", "celery"] {
        let over = Event {
            phase: Phase::End,
            message: "The measurement works again.".into(),
            ..failure(name, EventKind::MeasurementFailed, "connection refused")
        };
        world.audience.tell(&pipeline(name, vec![stage(&recorder)]), vec![over]);
    }
    assert_eq!(next(&mut heard).await, (2, "2 pipelines (celery, web): The measurement works again.".into()));
    nothing_more(&mut heard).await;
}

#[tokio::test(start_paused = true)]
async fn the_events_of_one_pipeline_are_all_told_and_in_order() {
    let (world, _deliveries, _) = world();
    let (recorder, mut heard) = Recorder::new("mail");
    let (web, celery) = (pipeline("web", vec![stage(&recorder)]), pipeline("celery", vec![stage(&recorder)]));
    let kind = EventKind::ScaleFailed;
    world.audience.tell(&web, vec![failure("web", kind, "503")]);
    world.audience.tell(&celery, vec![scaled("celery", 2)]);
    // Cannot join web's failure: it would overtake celery's own scale.
    world.audience.tell(&celery, vec![failure("celery", kind, "503")]);
    world.audience.tell(&web, vec![failure("web", kind, "503"), scaled("web", 3)]);
    let mut told = Vec::new();
    for _ in 0..4 {
        told.push(next(&mut heard).await.1);
    }
    assert_eq!(
        told,
        [
            "scale_failed of web",
            "Scaled to (2) dynos.",
            "Just tried to scale, and it failed for 2 pipelines (celery, web): 503",
            "Scaled to (3) dynos.",
        ]
    );
    nothing_more(&mut heard).await;
}

#[tokio::test(start_paused = true)]
async fn twenty_messages_leave_the_machine_in_ten_minutes_and_then_a_summary() {
    let (world, _deliveries, _) = world();
    let (mail, mut mail_heard) = Recorder::with("mail", true, []);
    let (console, mut console_heard) = Recorder::new("console");
    let web = pipeline("web", vec![stage(&mail), stage(&console)]);
    for number in 1..=30 {
        world.audience.tell(&web, vec![scaled("web", number)]);
    }
    world.audience.tell(&web, vec![Event { severity: "error".into(), ..event("web", EventKind::SwitchedOff, "off") }]);
    for number in 1..=30 {
        assert_eq!(next(&mut console_heard).await, (0, format!("Scaled to ({number}) dynos.")));
    }
    for number in 1..=20 {
        assert_eq!(next(&mut mail_heard).await, (0, format!("Scaled to ({number}) dynos.")));
    }
    let summary = timeout(DAY, mail_heard.recv()).await.unwrap().unwrap();
    assert_eq!(summary.after, Duration::from_secs(600));
    assert_eq!(
        summary.event.message,
        "11 notifications were held back, since only 20 go out in 10 minutes: 10 scaled, 1 switched_off, of web. \
         The newest: web: off"
    );
    assert_eq!(summary.event.subject, "11 notifications were held back");
    assert_eq!((summary.event.kind, &*summary.event.severity), (EventKind::SwitchedOff, "error"));
    world.audience.tell(&web, vec![scaled("web", 1)]);
    assert_eq!(next(&mut mail_heard).await.1, "Scaled to (1) dynos.");
    nothing_more(&mut mail_heard).await;
}

#[tokio::test(start_paused = true)]
async fn a_single_message_that_was_held_back_comes_as_it_is() {
    let (world, _deliveries, _) = world();
    let (mail, mut heard) = Recorder::with("mail", true, []);
    let web = pipeline("web", vec![stage(&mail)]);
    for number in 1..=21 {
        world.audience.tell(&web, vec![scaled("web", number)]);
    }
    for number in 1..=20 {
        assert_eq!(next(&mut heard).await, (0, format!("Scaled to ({number}) dynos.")));
    }
    assert_eq!(next(&mut heard).await, (600, "Scaled to (21) dynos.".into()));
    nothing_more(&mut heard).await;
}

#[tokio::test(start_paused = true)]
async fn a_passing_fault_is_tried_twice_more_and_then_logged() {
    let (log, _guard) = Log::capture();
    let (world, _deliveries, _) = world();
    let busy = || Answer::Undelivered(Undelivered::for_now("451 busy"));
    let (mail, mut heard) = Recorder::with("mail", true, [busy(), busy(), busy(), busy(), busy()]);
    let web = pipeline("web", vec![stage(&mail)]);
    world.audience.tell(&web, vec![scaled("web", 2), scaled("web", 3)]);
    for (after, number) in [(0, 2), (2, 2), (12, 2), (12, 3), (14, 3), (24, 3)] {
        assert_eq!(next(&mut heard).await, (after, format!("Scaled to ({number}) dynos.")));
    }
    nothing_more(&mut heard).await;
    let told = log.text().matches("not notified: 451 busy").count();
    assert_eq!(told, 1, "{}", log.text());
    assert!(log.text().contains("WARN") && log.text().contains("pipeline=\"web\""), "{}", log.text());
}

#[tokio::test(start_paused = true)]
async fn a_lasting_fault_is_not_tried_again_and_a_bug_stops_nothing() {
    let (log, _guard) = Log::capture();
    let (world, _deliveries, _) = world();
    let refused = Answer::Undelivered(Undelivered::for_good("550 no"));
    let (mail, mut heard) = Recorder::with("mail", true, [refused, Answer::Panic]);
    let web = pipeline("web", vec![stage(&mail)]);
    world.audience.tell(&web, vec![scaled("web", 1), scaled("web", 2), scaled("web", 3)]);
    for number in 1..=3 {
        assert_eq!(next(&mut heard).await, (0, format!("Scaled to ({number}) dynos.")));
    }
    nothing_more(&mut heard).await;
    assert!(log.text().contains("not notified: 550 no"), "{}", log.text());
    assert!(log.text().contains("a notification broke down"), "{}", log.text());
}

#[tokio::test(start_paused = true)]
async fn what_concerns_the_whole_worker_goes_once_to_each_recipient() {
    let (world, _deliveries, _) = world();
    let (mail, mut mail_heard) = Recorder::with("mail", true, []);
    let (same_mail, mut same_heard) = Recorder::with("mail", true, []);
    let (chat, mut chat_heard) = Recorder::with("chat", true, []);
    let pipelines = [pipeline("web", vec![stage(&mail)]), pipeline("celery", vec![stage(&same_mail), stage(&chat)])];
    world.audience.announce(&pipelines, event("", EventKind::ReloadFailed, "line 3 is wrong"));
    assert_eq!(next(&mut mail_heard).await, (0, "line 3 is wrong".into()));
    assert_eq!(next(&mut chat_heard).await, (0, "line 3 is wrong".into()));
    nothing_more(&mut mail_heard).await;
    nothing_more(&mut same_heard).await;
    nothing_more(&mut chat_heard).await;
}

#[tokio::test(start_paused = true)]
async fn a_reload_is_told_only_to_those_who_want_reloads() {
    let (world, _deliveries, _) = world();
    let (mail, mut mail_heard) = Recorder::with("mail", true, []);
    let (console, mut console_heard) = Recorder::new("console");
    let mut console = Arc::into_inner(console).unwrap();
    console.reloads = true;
    let pipelines = [pipeline("web", vec![stage(&mail), stage(&Arc::new(console))])];
    world.audience.announce(&pipelines, event("", EventKind::Reloaded, "generation 2 is in force"));
    assert_eq!(next(&mut console_heard).await.1, "generation 2 is in force");
    nothing_more(&mut mail_heard).await;
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_drops_and_says_so_and_telling_never_waits() {
    let (log, _guard) = Log::capture();
    let (world, _deliveries, _) = world();
    let (recorder, mut heard) = Recorder::new("console");
    let web = pipeline("web", vec![stage(&recorder)]);
    // Never yields: the queue cannot be emptied meanwhile.
    for number in 1..=1_500 {
        world.audience.tell(&web, vec![scaled("web", number)]);
    }
    let mut told = 0;
    while timeout(DAY, heard.recv()).await.is_ok() {
        told += 1;
    }
    assert!((1..=1_024).contains(&told), "{told}");
    let dropped: usize = log
        .text()
        .lines()
        .filter(|line| line.contains("were dropped"))
        .map(|line| line.split_whitespace().find_map(|word| word.parse::<usize>().ok()).unwrap())
        .sum();
    assert_eq!(told + dropped, 1_500, "{}", log.text());
}

#[tokio::test(start_paused = true)]
async fn closing_delivers_what_waits_at_once() {
    let (world, deliveries, _) = world();
    let (mail, mut heard) = Recorder::with("mail", true, []);
    let web = pipeline("web", vec![stage(&mail)]);
    for number in 1..=25 {
        world.audience.tell(&web, vec![scaled("web", number)]);
    }
    world.audience.tell(&web, vec![failure("web", EventKind::MeasurementFailed, "refused")]);
    let start = Instant::now();
    assert_eq!(deliveries.close(Duration::from_secs(3)).await, 0);
    assert_eq!(start.elapsed(), Duration::ZERO);
    for number in 1..=20 {
        assert_eq!(next(&mut heard).await.1, format!("Scaled to ({number}) dynos."));
    }
    assert!(next(&mut heard).await.1.starts_with("6 notifications were held back"));
    assert!(heard.try_recv().is_err());
    world.audience.tell(&web, vec![scaled("web", 1)]);
    nothing_more(&mut heard).await;
}

#[tokio::test(start_paused = true)]
async fn closing_waits_for_no_one_beyond_its_deadline() {
    let (log, _guard) = Log::capture();
    let (world, deliveries, _) = world();
    let (stuck, _heard) = Recorder::with("mail", true, []);
    stuck.gate.forget_permits(usize::MAX);
    let web = pipeline("web", vec![stage(&stuck)]);
    world.audience.tell(&web, vec![scaled("web", 1), scaled("web", 2), scaled("web", 3)]);
    settle().await;
    let start = Instant::now();
    assert_eq!(deliveries.close(Duration::from_secs(3)).await, 3);
    assert_eq!(start.elapsed(), Duration::from_secs(3));
    assert!(log.text().contains("3 notifications were not delivered"), "{}", log.text());
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_never_ends_is_given_up() {
    let (log, _guard) = Log::capture();
    let (world, _deliveries, _) = world();
    let (stuck, mut heard) = Recorder::new("stuck");
    stuck.gate.forget_permits(usize::MAX);
    let web = pipeline("web", vec![stage(&stuck)]);
    world.audience.tell(&web, vec![scaled("web", 1)]);
    nothing_more(&mut heard).await;
    assert!(log.text().contains("not notified: not delivered within 60 s"), "{}", log.text());
}

#[tokio::test(start_paused = true)]
async fn no_secret_leaves_in_a_text() {
    let (world, _deliveries, _) = world();
    let (mail, mut heard) = Recorder::with("mail", true, []);
    let _secret = autoscaler::secret::Secret::new("swordfish-4711");
    let web = pipeline("web", vec![stage(&mail)]);
    let mut told = failure("web", EventKind::ScaleFailed, "401 for key swordfish-4711");
    told.message = "key swordfish-4711 is wrong".into();
    world.audience.tell(&web, vec![told]);
    let told = timeout(DAY, heard.recv()).await.unwrap().unwrap().event;
    assert_eq!(told.message, "key *** is wrong");
    assert_eq!(told.reason.as_deref(), Some("401 for key ***"));
}

#[tokio::test(start_paused = true)]
async fn the_task_goes_with_its_world() {
    let (live, delivery) = audience();
    let (world, _) = world_of(live);
    let deliveries = delivery.start(&world);
    let (mail, mut heard) = Recorder::new("mail");
    world.audience.tell(&pipeline("web", vec![stage(&mail)]), vec![scaled("web", 1)]);
    assert_eq!(next(&mut heard).await.1, "Scaled to (1) dynos.");
    settle().await;
    let weak = Arc::downgrade(&world);
    drop(world);
    settle().await;
    assert_eq!(weak.strong_count(), 0);
    assert_eq!(deliveries.close(DAY).await, 0);
}
