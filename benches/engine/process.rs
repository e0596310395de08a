//! Owns the figures of the program itself: its size, its memory, how soon it works, how soon it follows.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Form;
use crate::server::{Server, since_1970};
use crate::table::{self, row, spread};
use crate::worker::{Apps, NATIVE, script, written};

/// The program: that of `cargo bench`, or the one that this variable names.
const PROGRAM: &str = "AUTOSCALER_BENCH_PROGRAM";

/// A running worker, killed when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(program: &str, script: &Path) -> Running {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AUTOSCALER_")) {
        command.env_remove(name);
    }
    // Its state is gone with the script, not kept in the home of whoever measures.
    command.env("XDG_STATE_HOME", script.parent().expect("a script is in a folder"));
    command.env_remove("DYNO").arg(script).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Running(command.spawn().expect("the program starts"))
}

/// Waits until `path` has been asked for, and says when that was.
async fn first(server: &mut Server, path: &str) -> Duration {
    for _ in 0..5_000 {
        if let Some(at) = server.first(path) {
            return at;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("nobody asked for {path} within 10 s");
}

/// Prints the table.
pub async fn measure(form: Form) {
    let program = std::env::var(PROGRAM).unwrap_or_else(|_| env!("CARGO_BIN_EXE_autoscaler").into());
    let rounds = form.pick(10, 40);
    let mut server = Server::start();
    let size = std::fs::metadata(&program).expect("cargo built the program").len() as f64 / 1e6;
    let mut rows = vec![row(["the program", "goal", "median (range)"])];
    rows.push(row(["size, MB", "≤ 20", &format!("{size:.1}")]));
    let starts = starts(&program, &mut server, rounds).await;
    rows.push(row(["start to first request, ms", "≤ 30", &spread(&starts, 1)]));
    let (memory, private) = memory(&program, &mut server, form.pick(8, 60)).await;
    rows.push(row(["resident memory, one pipeline, MB", "≤ 18", &format!("{memory:.1}, {private:.1} of it private")]));
    for (how, save) in [("written in place", in_place as fn(&Path, &str)), ("renamed into place", renamed)] {
        let saves = saves(&program, &mut server, rounds, save).await;
        rows.push(row([&format!("save to in force, {how}, ms"), "≤ 150", &spread(&saves, 1)]));
    }
    table::print(&rows);
}

/// Milliseconds from starting the program to its first request.
async fn starts(program: &str, server: &mut Server, rounds: usize) -> Vec<f64> {
    let mut times = Vec::new();
    for round in 0..rounds {
        let path = format!("/start/{round}");
        let text = script(server, 1, Duration::from_secs(30), Apps::Own, NATIVE, &path);
        let (_folder, file) = written(&text);
        let begun = since_1970();
        let _running = run(program, &file);
        times.push(first(server, &path).await.saturating_sub(begun).as_secs_f64() * 1000.0);
    }
    times
}

/// Megabytes resident after `seconds` of ticks every 0.2 s: all of it, and what is not mapped from files.
async fn memory(program: &str, server: &mut Server, seconds: u64) -> (f64, f64) {
    let text = script(server, 1, Duration::from_millis(200), Apps::Own, NATIVE, "/memory");
    let (_folder, file) = written(&text);
    let running = run(program, &file);
    first(server, "/memory").await;
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let Ok(status) = std::fs::read_to_string(format!("/proc/{}/status", running.0.id())) else {
        // Only Linux tells.
        return (f64::NAN, f64::NAN);
    };
    let megabytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("Linux tells both");
        let kibibytes: f64 = line.trim_end_matches("kB").trim().parse().expect("a number of kB");
        kibibytes * 1024.0 / 1e6
    };
    (megabytes("VmRSS:"), megabytes("RssAnon:"))
}

fn in_place(file: &Path, text: &str) {
    std::fs::write(file, text).expect("there is room for a file");
}

fn renamed(file: &Path, text: &str) {
    let aside = file.with_extension("new");
    in_place(&aside, text);
    std::fs::rename(&aside, file).expect("it is the same folder");
}

/// Milliseconds from saving another URL to the first request for it, at an interval of 10 ms.
async fn saves(program: &str, server: &mut Server, rounds: usize, save: fn(&Path, &str)) -> Vec<f64> {
    let how = save as usize;
    let path = |round: usize| format!("/save/{how}/{round}");
    let interval = Duration::from_millis(10);
    let (_folder, file) = written(&script(server, 1, interval, Apps::Own, NATIVE, &path(0)));
    let _running = run(program, &file);
    first(server, &path(0)).await;
    let mut times = Vec::new();
    for round in 1..=rounds {
        // Not in step with anything that the worker does every so often.
        tokio::time::sleep(Duration::from_millis(150 + 37 * (round as u64 % 7))).await;
        let text = script(server, 1, interval, Apps::Own, NATIVE, &path(round));
        let begun = since_1970();
        save(&file, &text);
        times.push(first(server, &path(round)).await.saturating_sub(begun).as_secs_f64() * 1000.0);
    }
    times
}
