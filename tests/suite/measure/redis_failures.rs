//! Answers of Redis that a healthy server does not give, from a socket that gives them.

use std::io::{BufRead, BufReader, Write};

use autoscaler::pipeline::FailureKind::{NotLoad, Overload};

use super::support::{failed, map, measure, stage, text, world};
use super::web::Web;

/// A server that answers every command of the Redis protocol by `answer`.
fn answering(answer: &'static str) -> Web {
    Web::accept(move |stream, _| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut stream, mut line) = (stream, String::new());
        while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
            // One array header begins each command.
            if line.starts_with('*') && stream.write_all(answer.as_bytes()).is_err() {
                break;
            }
            line.clear();
        }
    })
}

#[tokio::test]
async fn each_answer_is_told() {
    let world = world();
    for (answer, kind, says) in [
        ("-LOADING Redis is loading the dataset in memory\r\n", Overload, "is still loading its data (LOADING)"),
        ("-ERR max number of clients reached\r\n", Overload, "answered: ERR max number of clients reached"),
        (
            "-READONLY You can't write against a read only replica.\r\n",
            Overload,
            "answered: READONLY You can't write against a read only replica.",
        ),
        ("-MASTERDOWN Link with MASTER is down\r\n", Overload, "answered: MASTERDOWN Link with MASTER is down"),
        ("+OK\r\n", NotLoad, "does not answer as redis does; is the port right?"),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", Overload, "broke off the connection, or does not speak as redis does"),
    ] {
        let server = answering(answer);
        let stage =
            stage("celery_redis_queue_size", &map([("redis_url", text(&format!("redis://{}", server.host())))]));
        let message = format!("redis at {} {says}", server.host());
        assert_eq!(failed(&measure(&stage, &world).await), (kind, &*message), "{answer}");
    }
}

#[tokio::test]
async fn tls_to_a_server_that_does_not_speak_it() {
    let hint = "if the server does not speak TLS, the URL begins with `redis://`";
    let world = world();
    for answer in [&b"-ERR unknown command\r\n"[..], b""] {
        let server = Web::accept(move |mut stream, _| {
            let _ = std::io::Read::read(&mut stream, &mut [0; 512]);
            let _ = stream.write_all(answer);
        });
        let stage =
            stage("celery_redis_queue_size", &map([("redis_url", text(&format!("rediss://{}", server.host())))]));
        let measurement = measure(&stage, &world).await;
        let (_, message) = failed(&measurement);
        assert!(message.contains(hint), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing() {
    let server = Web::accept(|mut stream, _| {
        let _ = std::io::Read::read_to_end(&mut stream, &mut Vec::new());
    });
    let stage = stage("celery_redis_queue_size", &map([("redis_url", text(&format!("redis://{}", server.host())))]));
    let message = format!("no answer from redis at {} within 10 s", server.host());
    assert_eq!(failed(&measure(&stage, &world()).await), (Overload, &*message));
}

#[tokio::test]
async fn a_name_that_nobody_has() {
    let stage = stage("celery_redis_queue_size", &map([("redis_url", text("redis://nope.invalid"))]));
    assert_eq!(failed(&measure(&stage, &world()).await), (NotLoad, "the name `nope.invalid` does not resolve"));
    let link_local = map([("redis_url", text("redis://169.254.169.254"))]);
    let message = "`169.254.169.254` is a link-local address, which is refused; name the app by its public host";
    let measurement = measure(&super::support::stage("celery_redis_queue_size", &link_local), &world()).await;
    assert_eq!(failed(&measurement), (NotLoad, message));
}
