//! The executable specification: one plain loop per kernel, to the same rules and so with the same bits.
//!
//! For tests, fuzzing and benches, which compare the kernels with it; never a fallback.

pub mod activation;
mod lanes;
pub mod linear;

pub use lanes::lane_sum;
