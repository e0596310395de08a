//! Tests of script.

mod bench;
mod imports;
mod limits;
mod places;
mod traps;
mod values;
