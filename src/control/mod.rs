//! Owns the talk between a running worker and the commands that ask something of it: one line of JSON each way
//! over a socket in the worker's state folder, or where that takes none in one among those of running programs, which
//! only its own user can reach; or through the Redis of its state. What is answered from is the worker's; what is
//! printed is the commands'.

mod ask;
mod client;
mod courier;
mod desk;
mod server;
mod status;

pub use ask::{Answer, Ask, Health, Script};
pub use client::{NoAnswer, Place, ask};
pub use courier::serve as answer_mail;
pub use desk::{Desk, Order};
pub use server::{Socket, SocketError};
pub use status::{
    ErrorStatus, HeldLever, LastDecision, PipelineStatus, Refusal, Status, StoreStatus, TrialStatus, UnitStatus,
    WorkerStatus, by_levers, levers_of_all, pipelines,
};

/// The socket's name in the state folder.
const SOCKET: &str = "control.sock";

/// No line is longer: a script of a whole mebibyte, escaped.
const LONGEST_LINE: u64 = 4 * 1024 * 1024;
