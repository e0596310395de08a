//! Tests of simulations: the app and its two forms, the very same script in it, and the command.

// Counts are far below what a float holds exactly, and equal scores are equal bit by bit.
#![allow(clippy::cast_precision_loss, clippy::float_cmp)]

mod apps;
mod bad_input;
mod bench;
mod command;
mod compare;
mod measured;
mod named;
mod pictures;
mod scripts;
mod steady;
