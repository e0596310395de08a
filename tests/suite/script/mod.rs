//! Tests of script.

mod bench;
mod imports;
mod limits;
mod places;
mod requires;
mod traps;
mod values;
