//! The rows that occur in a batch: which they are, what their gradients come to, and what an optimizer does
//! to them and to no other row.
//!
//! | family | items |
//! |---|---|
//! | where each row occurs | [`occurrences`], [`occurrences_of_bags`]; for a thread's range of rows: [`occurrences_in`], [`occurrences_of_bags_in`] |
//! | the occurrences of a row side by side | [`sort_by_row`], which gives [`SortedOccurrences`] |
//! | a gradient of rows | [`SparseGradient`]; its [`sum_of_squares_of_rows`]; its rows and their sums: [`coalesce`] |
//! | steps of an optimizer | [`update_rows`], [`update_rows_rounded`], [`update_block`], by an [`UpdateRule`] with a [`State`] |
//! | steps that a row has missed | [`catch_up_rows`], [`decay_rows`], by a [`Replay`], on a [`Lagging`] table |
//! | rows that are too long | [`max_norm`] |
//!
//! ```text
//! ids of a batch
//!     │  occurrences, occurrences_of_bags            which row, and which gradient
//!     ▼
//! list of occurrences
//!     │  sort_by_row                                 those of one row are side by side
//!     ▼
//! SparseGradient                                     the sorted list, and the gradients that it names
//!     │  sum_of_squares_of_rows                      for clipping
//!     │  update_rows, update_rows_rounded            one step on each row
//!     │  coalesce                                    the rows and their sums, for a step of another kind
//!     ▼
//! table, slots
//! ```
//!
//! A gradient of the shape of the table is never made. An optimizer says what it does to a row by an
//! [`UpdateRule`]. By [`Replay`] it says what its dense form does to a row without a gradient;
//! [`catch_up_rows`](catch_up_rows()) and [`decay_rows`](decay_rows()) make up for the steps that a row has
//! missed. The optimizers themselves, and the entry points that most programs use, are in
//! [`optim`](crate::optim).

mod catch_up;
mod coalesce;
mod max_norm;
mod norm;
mod occurrences;
mod rule;
mod sort;
mod update;
mod update_rounded;

use rule::apply;

pub(crate) use catch_up::check_lagging;
pub(crate) use rule::clamp;
pub(crate) use update::{check_block, check_update};

pub use catch_up::{Lagging, Moves, Replay, Rows, catch_up_rows, decay_rows, leaves_unmoved};
pub use coalesce::coalesce;
pub use max_norm::{RowNorm, max_norm};
pub use norm::sum_of_squares_of_rows;
pub use occurrences::{
    Occurrence, bag_numbers, occurrences, occurrences_in, occurrences_of_bags, occurrences_of_bags_in,
};
pub use rule::{State, UpdateRule};
pub use sort::{SortedOccurrences, sort_by_row};
pub use update::{SparseGradient, update_block, update_rows};
pub use update_rounded::update_rows_rounded;

/// The same loops at a chosen level, for tests and benches: `internals` gives them out.
pub(crate) mod at {
    pub use super::catch_up::{catch_up_rows_at, decay_rows_at};
    pub use super::coalesce::coalesce_at;
    pub use super::max_norm::max_norm_at;
    pub use super::norm::sum_of_squares_of_rows_at;
    pub use super::update::{update_block_at, update_rows_at};
    pub use super::update_rounded::update_rows_rounded_at;
}

/// What [`kernels::shaped`](crate::kernels::shaped) is to the kernels: for shapes that are known to agree.
#[allow(unused_imports, reason = "one form for all, also what no layer calls")]
pub(crate) mod shaped {
    pub(crate) use super::catch_up::shaped::*;
    pub(crate) use super::coalesce::shaped::*;
    pub(crate) use super::max_norm::shaped::*;
    pub(crate) use super::norm::shaped::*;
    pub(crate) use super::sort::shaped::*;
    pub(crate) use super::update::shaped::*;
    pub(crate) use super::update_rounded::shaped::*;
}
