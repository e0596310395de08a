//! Owns mathematics that scripts and the simulation share: waiting by Erlang's formulas, polynomials through
//! what was measured, profiles of a day or a week, what a rate will be and how far that may be off, and what that is
//! worth in dynos. All of it is pure; it knows no clock and no script.

mod erlang;
mod fit;
mod outlook;
mod profile;
mod settled;
mod steady;
mod text;
mod worth;

pub use erlang::{Capacity, Delays, Demand, MOST_SERVERS, delayed};
pub use fit::{MOST_DEGREE, extrapolate};
pub use outlook::{Measured, Outlook};
pub use profile::{MOST_SLOTS, at, note};
pub use settled::Settled;
pub use steady::{Aim, Seen, Steady, Verdict};
pub use worth::Worth;
