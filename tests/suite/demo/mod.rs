//! Tests of demo.

mod day;
