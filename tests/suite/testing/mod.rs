//! Tests of the tests that scripts hold: what they are written with, the commands `test` and `init`, and
//! what they decide when a script is saved.

mod bench;
mod command;
mod docs;
mod init;
mod language;
mod properties;
mod reload;
mod watching;
