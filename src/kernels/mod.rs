//! The loops over numbers. Each is written once, as safe code, and compiled for each level of the processor. It checks its
//! arguments first and cannot fail after that, and it gives the same bits at every level.
//!
//! | family | kernels |
//! |---|---|
//! | rows out of a table | [`gather`], [`gather_stream`], [`pool`], [`pool_max`] |
//! | the same, for a format that is known only at run time | [`gather_any`], [`pool_any`], [`pool_max_any`], [`dequantise_any`] |
//! | gradients into rows | [`scatter_add`], [`scatter_add_bags`], [`scatter_add_max`], [`divide_by_bags`], [`weight_gradients`] |
//! | packed rows | [`quantise`], [`dequantise`], [`quantise_row`], [`dequantise_row`], [`quantise_rounded`] |
//! | vectors and matrices | [`dot`], [`sum`], [`axpy`], [`ger`], [`gemv`], [`gemm`], [`gemm_nt`], [`gemm_tn`], [`transpose`] |
//! | activations, in place | [`exp`], [`ln`], [`sigmoid`], [`tanh`], [`relu`], [`softmax`], [`log_sum_exp`] |
//! | their gradients | [`sigmoid_backward`], [`tanh_backward`], [`relu_backward`], [`softmax_backward`] |
//! | convolution | [`convolve`], [`convolve_repeated`], [`convolve_backward_input`], [`convolve_backward_kernel`] |
//! | sequences | [`max_over_steps`], [`mean_over_steps`], [`lstm_gates`], each with its `_backward` |
//! | noise and norms | [`dropout`], [`max_norm`], [`sum_of_squares`], [`sum_of_squares_of_rows`] |
//! | where each row occurs | [`occurrences`], [`occurrences_of_bags`], [`occurrences_in`], [`occurrences_of_bags_in`], [`sort_by_row`] |
//! | repeated rows | [`coalesce`], [`distinct_rows`], [`Repeats`], [`bag_numbers`] |
//! | steps of an optimizer | [`update_rows`], [`update_rows_rounded`], [`update_block`], by an [`UpdateRule`] with a [`State`] |
//! | missed steps | [`catch_up_rows`], [`decay_rows`], by a [`Replay`] |
//!
//! The file of each kernel opens with its loop in pseudo-code, every way in which the code differs from it with the reason,
//! and the bytes that it moves.

mod activation;
mod ahead;
mod any;
mod axpy;
mod catch_up;
mod coalesce;
mod columns;
mod convolution;
mod dot;
mod dropout;
mod gather;
mod gemm;
mod lstm;
mod max_norm;
mod norm;
mod occurrences;
mod pool;
mod quantise;
mod repeats;
mod rule;
mod scatter;
mod sort;
mod steps;
mod transpose;
mod update;
mod update_rounded;
mod weights;

use ahead::{Ahead, Look, Never, worth_prefetching};
use axpy::add_multiple;
use columns::{Columns, column_blocks, columns_mut};
use gather::convert;
use gemm::{Across, Left, add_product};
use rule::apply;
pub(crate) use rule::clamp;

pub use activation::{
    exp, ln, log_sum_exp, relu, relu_backward, sigmoid, sigmoid_backward, softmax, softmax_backward, tanh,
    tanh_backward,
};
pub use any::{dequantise_any, gather_any, pool_any, pool_max_any};
pub use axpy::{axpy, ger};
pub use catch_up::{Lagging, Moves, Replay, Rows, catch_up_rows, decay_rows, leaves_unmoved};
pub use coalesce::coalesce;
pub use convolution::{convolve, convolve_backward_input, convolve_backward_kernel, convolve_repeated};
pub use dot::{dot, gemm_nt, gemv, sum};
pub use dropout::dropout;
pub use gather::{gather, gather_stream};
pub use gemm::{gemm, gemm_tn};
pub use lstm::{lstm_gates, lstm_gates_backward};
pub use max_norm::{RowNorm, max_norm};
pub use norm::{sum_of_squares, sum_of_squares_of_rows};
pub use occurrences::{
    Occurrence, bag_numbers, occurrences, occurrences_in, occurrences_of_bags, occurrences_of_bags_in,
};
pub use pool::{NO_ID, pool, pool_max};
pub use quantise::{dequantise, dequantise_row, quantise, quantise_row};
pub use repeats::{Repeats, distinct_rows};
pub use rule::{State, UpdateRule};
pub use scatter::{divide_by_bags, scatter_add, scatter_add_bags, scatter_add_max};
pub use sort::{SortedOccurrences, sort_by_row};
pub use steps::{max_over_steps, max_over_steps_backward, mean_over_steps, mean_over_steps_backward};
pub use transpose::transpose;
pub(crate) use update::check_update;
pub use update::{SparseGradient, update_block, update_rows};
pub use update_rounded::{Noise, quantise_rounded, update_rows_rounded};
pub use weights::weight_gradients;

#[doc(hidden)]
pub use {
    activation::{
        exp_at, ln_at, log_sum_exp_at, relu_at, relu_backward_at, sigmoid_at, sigmoid_backward_at,
        softmax_at, softmax_backward_at, tanh_at, tanh_backward_at,
    },
    axpy::{axpy_at, ger_at},
    catch_up::{catch_up_rows_at, decay_rows_at},
    coalesce::coalesce_at,
    convolution::{
        convolve_at, convolve_backward_input_at, convolve_backward_kernel_at, convolve_repeated_at,
    },
    dot::{dot_at, gemm_nt_at, gemv_at, sum_at},
    dropout::dropout_at,
    gather::{gather_at, gather_stream_at},
    gemm::{gemm_at, gemm_tn_at},
    lstm::{lstm_gates_at, lstm_gates_backward_at},
    max_norm::max_norm_at,
    norm::{sum_of_squares_at, sum_of_squares_of_rows_at},
    pool::{pool_at, pool_max_at},
    quantise::{dequantise_at, dequantise_row_at, quantise_at, quantise_row_at},
    repeats::distinct_rows_at,
    scatter::{scatter_add_at, scatter_add_bags_at},
    steps::{max_over_steps_at, max_over_steps_backward_at, mean_over_steps_at, mean_over_steps_backward_at},
    transpose::transpose_at,
    update::{update_block_at, update_rows_at},
    update_rounded::{quantise_rounded_at, update_rows_rounded_at},
    weights::weight_gradients_at,
};

/// Spreads every bit over all bits, one-to-one: the last step of MurmurHash3 x86 32 (Appleby).
#[inline(always)]
fn mix(mut h: u32) -> u32 {
    h = (h ^ h >> 16).wrapping_mul(0x85eb_ca6b);
    h = (h ^ h >> 13).wrapping_mul(0xc2b2_ae35);
    h ^ h >> 16
}
