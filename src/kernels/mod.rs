//! The loops over floats. Each is written once and compiled for each level of the processor; all levels give the same bits.

pub mod activation;
pub mod linear;
