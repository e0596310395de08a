//! Tests of script.

mod bench;
mod bounds;
mod described;
mod http;
mod imports;
mod inferred;
mod limits;
mod mutated;
mod places;
mod programs;
pub mod reaching;
mod redis;
mod requires;
mod server;
mod stdlib;
mod traps;
mod unset;
mod values;
mod wrong;
