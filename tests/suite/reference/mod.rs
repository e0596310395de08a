//! Tests of reference: the page is what the tables say, its examples run, editors get definitions of all of
//! it, and the command answers to a name.

mod command;
mod examples;
mod page;
