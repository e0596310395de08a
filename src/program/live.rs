//! Owns the running of programs: a process group of its own, killed whole at its time limit, and its
//! output within a limit. It judges no exit status.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::net::seconds;
use crate::request::Response;
use crate::secret::scrub;
use crate::world::{Program, ProgramError, Programs};

/// The most that is read of what a program writes: 1 MiB.
const OUTPUT: u64 = 1 << 20;

/// Of what it complains about, the beginning is kept.
const COMPLAINT: usize = 4096;

/// What a program inherits.
const INHERITED: &[&str] = &["PATH", "HOME", "LANG"];

/// After a program has ended, what still holds its output open has this long to let go.
const LET_GO: Duration = Duration::from_secs(1);

/// Runs programs of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Runner;

/// Kills a process group when dropped: also when whoever waits for it is cancelled.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(pid) = self.0 {
            // Nobody is left in it: all is well.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

#[async_trait]
impl Programs for Runner {
    async fn run(&self, program: Program) -> Result<Response, ProgramError> {
        let name = program.name().to_owned();
        let started = Instant::now();
        let mut child =
            start(&program).map_err(|error| failed(&format!("cannot run `{name}`: {}", plain(&error)), false))?;
        let group = Group(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw));
        let limit = program.timeout;
        let ended = timeout(limit, talk(&mut child, &program.input, group)).await;
        let (status, output, complaint) = match ended {
            Ok(Ok(ended)) => ended,
            Ok(Err(error)) => return Err(failed(&format!("`{name}` {error}"), true)),
            Err(_) => {
                let message = format!("`{name}` was killed: it did not end within {}", seconds(limit));
                return Err(failed(&message, true));
            }
        };
        let complaint = String::from_utf8_lossy(&complaint);
        let last = complaint.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let code = status.code().map_or_else(|| 128 + i64::from(status.signal().unwrap_or(0)), i64::from);
        Ok(Response::of_program(name, code, output, &scrub(last), started.elapsed()))
    }
}

fn start(program: &Program) -> io::Result<Child> {
    let (name, arguments) =
        program.command.split_first().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no program"))?;
    let mut command = Command::new(&**name);
    command.args(arguments.iter().map(|argument| &**argument)).env_clear();
    command.envs(INHERITED.iter().filter_map(|name| Some((*name, std::env::var_os(name)?))));
    command.envs(program.environment.iter().map(|(name, value)| (&**name, value.expose())));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.process_group(0).kill_on_drop(true).spawn()
}

/// Feeds `child`, reads it and waits for it.
async fn talk(child: &mut Child, input: &Bytes, group: Group) -> Result<(ExitStatus, Bytes, Vec<u8>), String> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feed = async {
        if let Some(mut stdin) = stdin {
            // One that does not read what it is given may still be right.
            let _ = stdin.write_all(input).await;
        }
    };
    let output = async {
        let mut output = Vec::new();
        if let Some(stdout) = stdout {
            stdout.take(OUTPUT + 1).read_to_end(&mut output).await.map_err(|error| plain(&error))?;
        }
        if output.len() as u64 > OUTPUT {
            return Err("was killed: it wrote more than 1 MiB".to_owned());
        }
        Ok(output)
    };
    let read = async {
        let complaint = async {
            match stderr {
                Some(stderr) => drain(stderr).await,
                None => Vec::new(),
            }
        };
        // Too much output ends it at once: the program may write for ever.
        let ((), output, complaint) = tokio::try_join!(
            async {
                feed.await;
                Ok(())
            },
            output,
            async { Ok(complaint.await) }
        )?;
        Ok::<_, String>((output, complaint))
    };
    tokio::pin!(read);
    let mut early = None;
    let status = loop {
        tokio::select! {
            read = &mut read, if early.is_none() => early = Some(read?),
            status = child.wait() => break status.map_err(|error| plain(&error))?,
        }
    };
    // What it left running holds its output open.
    drop(group);
    let (output, complaint) = match early {
        Some(read) => read,
        None => timeout(LET_GO, read).await.map_err(|_| "ended, and its output did not".to_owned())??,
    };
    Ok((status, output.into(), complaint))
}

/// Reads to the end and keeps the beginning.
async fn drain(mut from: impl AsyncRead + Unpin) -> Vec<u8> {
    let (mut kept, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let room = COMPLAINT.saturating_sub(kept.len()).min(read);
        kept.extend_from_slice(&buffer[..room]);
    }
    kept
}

fn failed(message: &str, started: bool) -> ProgramError {
    ProgramError { message: scrub(message).into_owned(), started }
}

/// Without the "(os error 2)".
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
