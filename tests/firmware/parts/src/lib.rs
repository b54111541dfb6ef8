//! The **digest** runs every part of the crate on made-up data and folds all output bits of a part into one hash. Equal hashes
//! on two processors mean equal bits. Every number comes from a small integer generator, so a processor gets the same input
//! by its integer operations alone.
#![no_std]

mod dense;
mod formats;
mod integers;
mod learning;
mod math;
mod optimizers;
mod recurrent;
mod rows;
mod run_time;
mod sequences;
mod similarity;
// By its path, as a test of the crate takes this file by its own.
#[allow(
    dead_code,
    unused_attributes,
    reason = "it is a package, too, of which programs for a device use all"
)]
#[path = "../../shared/src/lib.rs"]
pub mod shared;
mod skip_gram;
mod text;
mod training;

use shared::{data, reviews};

/// A part of the crate and what its output bits come to.
pub type Part = (&'static str, fn() -> u64);

/// All parts, in the order in which the modules build on each other.
pub fn parts() -> impl Iterator<Item = Part> {
    let lists: [&[Part]; 13] = [
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
        integers::PARTS,
        similarity::PARTS,
        skip_gram::PARTS,
    ];
    lists.into_iter().flatten().copied()
}
