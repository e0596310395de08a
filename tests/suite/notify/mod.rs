//! Tests of the notifying stage: what is heard, in which order and how often, and that it arrives.

mod audience;
mod backends;
mod email;
pub mod pretend;
pub mod smtp;
