//! What each subcommand does.

pub(crate) mod analogy;
pub(crate) mod convert;
mod defaults;
pub(crate) mod evaluate;
pub(crate) mod export;
pub(crate) mod fit;
pub(crate) mod import;
pub(crate) mod inspect;
pub(crate) mod neighbours;
pub(crate) mod plot;
pub(crate) mod predict;
pub(crate) mod quantise;
pub(crate) mod similarity;
pub(crate) mod train;
pub(crate) mod word2vec;

use crate::failure::Failure;
use std::io::{self, Write};
use std::num::NonZero;
use std::thread;

/// The part of the lines that models are tried on, if no one says otherwise.
const HOLD_OUT: f64 = 0.1;

/// Prints a text to standard output.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
}

/// So many threads; as many as there are processors, if no one says otherwise.
fn threads(told: Option<NonZero<usize>>) -> usize {
    told.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZero::get)
}
