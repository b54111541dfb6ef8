//! `plot`: pictures of rows, trainings, mistakes and bytes.

mod bytes;
mod confusion;
mod map;
mod training;

use crate::arguments::Plot;
use crate::failure::Failure;

pub(crate) fn run(arguments: &Plot) -> Result<(), Failure> {
    match arguments {
        Plot::Map(arguments) => map::run(arguments),
        Plot::Training(arguments) => training::run(arguments),
        Plot::Confusion(arguments) => confusion::run(arguments),
        Plot::Bytes(arguments) => bytes::run(arguments),
    }
}
