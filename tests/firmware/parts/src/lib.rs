//! What host and device share.
//!
//! The **digest** runs every part of the crate on made-up data and folds all output bits of a part into one hash. Equal hashes
//! on two processors mean equal bits. Every number comes from a small integer generator, so a processor gets the same input
//! by its integer operations alone.
#![no_std]

mod data;
mod dense;
mod formats;
#[allow(dead_code, reason = "programs for a device use it, and no part of the digest does")]
pub mod intents;
mod learning;
mod math;
mod optimizers;
mod recurrent;
pub mod reviews;
mod rows;
mod run_time;
mod sequences;
mod text;
mod training;

pub use data::Fold;

/// A part of the crate and what its output bits come to.
pub type Part = (&'static str, fn() -> u64);

/// All parts, in the order in which the modules build on each other.
pub fn parts() -> impl Iterator<Item = Part> {
    let lists: [&[Part]; 10] = [
        math::PARTS,
        text::PARTS,
        rows::PARTS,
        formats::PARTS,
        dense::PARTS,
        recurrent::PARTS,
        optimizers::PARTS,
        sequences::PARTS,
        training::PARTS,
        learning::PARTS,
    ];
    lists.into_iter().flatten().copied()
}
