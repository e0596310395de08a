//! Owns mathematics that scripts and the simulation share: waiting by Erlang's formulas, polynomials through
//! what was measured, and profiles of a day or a week. All of it is pure; it knows no clock and no script.

mod erlang;
mod fit;
mod profile;

pub use erlang::{Capacity, Delays, Demand, MOST_SERVERS, delayed};
pub use fit::{MOST_DEGREE, extrapolate};
pub use profile::{MOST_SLOTS, at, note};
