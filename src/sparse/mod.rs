//! The rows that occur in a batch: which they are, what their gradients come to, and what an optimizer does
//! to them and to no other row.
//!
//! | family | items |
//! |---|---|
//! | where each row occurs, an [`Occurrence`] each | [`Indices::occurrences`], [`Bags::occurrences`]; for a thread's range of rows: [`Indices::occurrences_in`], [`Bags::occurrences_in`] |
//! | the occurrences of a row side by side | [`SortedOccurrences`], by [`sort`](SortedOccurrences::sort) |
//! | a gradient of rows | [`SparseGradient`]; its norm: [`sum_of_squares`](SparseGradient::sum_of_squares); its rows and their sums: [`coalesce`](SortedOccurrences::coalesce) |
//! | steps of an optimizer | [`Optimizer::update_rows`], by an [`UpdateRule`]; on rows of 16 or 8 bits: [`update_rows_rounded`] |
//! | steps that a row has missed | [`Optimizer::catch_up`], by a [`Replay`], which says what [`Moves`]; by their sum, a [`Gap`], of a [`Summed`] optimizer and its [`Factors`]; without a look at weights: [`Exact::decay_rows`](crate::optim::Exact::decay_rows) |
//! | rows that are too long | [`RowNorm::limit_rows`] |
//!
//! ```text
//! ids of a batch
//!     │  Indices::occurrences, Bags::occurrences     which row, and which gradient
//!     ▼
//! list of occurrences
//!     │  SortedOccurrences::sort                     those of one row are side by side
//!     ▼
//! SparseGradient                                     the sorted list, and the gradients that it names
//!     │  sum_of_squares                              for clipping
//!     │  Optimizer::update_rows, update_rows_rounded  one step on each row
//!     │  coalesce                                    the rows and their sums, for a step of another kind
//!     ▼
//! table, slots
//! ```
//!
//! A gradient of the shape of the table is never made. An optimizer says what it does to a row by an
//! [`UpdateRule`]. By [`Replay`] it says what its dense form does to a row without a gradient, so that the
//! steps that a row has missed can be made up for. The optimizers themselves, and the entry points that most
//! programs use, are in [`optim`](crate::optim).
//!
//! [`Indices::occurrences`]: crate::table::Indices::occurrences
//! [`Indices::occurrences_in`]: crate::table::Indices::occurrences_in
//! [`Bags::occurrences`]: crate::table::Bags::occurrences
//! [`Bags::occurrences_in`]: crate::table::Bags::occurrences_in
//! [`Optimizer::update_rows`]: crate::optim::Optimizer::update_rows
//! [`Optimizer::catch_up`]: crate::optim::Optimizer::catch_up

mod catch_up;
mod coalesce;
mod gap;
mod max_norm;
mod norm;
mod occurrences;
mod rule;
mod series;
mod sort;
mod update;
mod update_rounded;

use rule::apply;

pub(crate) use catch_up::{check_lagging, lags};
pub(crate) use gap::power;
pub(crate) use rule::clamp;
pub(crate) use update::{check_block, check_update};

pub use catch_up::{Moves, Replay};
pub use gap::{Factors, Gap, Summed};
pub use max_norm::RowNorm;
pub use occurrences::Occurrence;
pub use rule::UpdateRule;
pub use sort::SortedOccurrences;
pub use update::SparseGradient;
pub use update_rounded::update_rows_rounded;

pub(crate) use inner::*;

/// What optimizers, layers and methods call. It is no part of the interface: `internals` gives it out.
pub(crate) mod inner {
    pub use super::catch_up::{Lagging, Rows, catch_up_rows, decay_rows, leaves_unmoved};
    pub use super::coalesce::coalesce;
    pub use super::max_norm::max_norm;
    pub use super::norm::sum_of_squares_of_rows;
    pub use super::rule::State;
    pub use super::series::close_gaps;
    pub use super::update::{update_block, update_rows};
}

/// The same loops at a chosen level, for tests and benches: `internals` gives them out.
pub(crate) mod at {
    pub use super::catch_up::{catch_up_rows_at, decay_rows_at};
    pub use super::coalesce::coalesce_at;
    pub use super::max_norm::max_norm_at;
    pub use super::norm::sum_of_squares_of_rows_at;
    pub use super::series::close_gaps_at;
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
    pub(crate) use super::series::shaped::*;
    pub(crate) use super::sort::shaped::*;
    pub(crate) use super::update::shaped::*;
    pub(crate) use super::update_rounded::shaped::*;
}
