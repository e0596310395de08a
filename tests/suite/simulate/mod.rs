//! Tests of simulations: the app and its two forms, the very same script in it, and the command.

mod apps;
mod bad_input;
mod bench;
mod command;
mod measured;
mod scripts;
