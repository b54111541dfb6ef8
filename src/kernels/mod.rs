//! The loops over numbers. Each is written once, as safe code, and compiled for each level of the processor.
//! It checks its arguments first and cannot fail after that, and it gives the same bits at every level.
//!
//! | family | kernels |
//! |---|---|
//! | rows out of a table | [`gather`], [`gather_stream`], [`pool`], [`pool_max`] |
//! | the same, for a format that is known only at run time | the methods of [`AnyTable`](crate::table::AnyTable) |
//! | gradients into rows | [`scatter_add`], [`scatter_add_bags`], [`scatter_add_max`]; [`Bags::divide`], [`Bags::weight_gradients`] |
//! | packed rows | [`TableMut::quantise`], [`Table::dequantise`], and for one row [`TableMut::quantise_row`], [`Table::dequantise_row`]; random rounding takes a [`Noise`] |
//! | vectors and matrices | [`dot`], [`gemv`], [`gemm`] |
//! | vectors and the rows of a table | [`similarity`](crate::similarity) |
//! | activations, in place | [`ActivationFunction::activate`](crate::layers::ActivationFunction::activate) |
//!
//! The kernels that only layers call (convolution, the gates of an LSTM, maxima and means over time steps,
//! dropout) are not public.
//!
//! What an optimizer does to the rows of a table is in [`sparse`](crate::sparse).
//!
//! The documentation of the first kernel of a file has the loop in pseudo-code, each way in which the code
//! differs from it with the reason, and the cost: the bytes that it moves. Nearly all kernels run at the
//! speed of a cache or of memory.
//!
//! [`Bags::divide`]: crate::table::Bags::divide
//! [`Bags::weight_gradients`]: crate::table::Bags::weight_gradients
//! [`Table::dequantise`]: crate::table::Table::dequantise
//! [`Table::dequantise_row`]: crate::table::Table::dequantise_row
//! [`TableMut::quantise`]: crate::table::TableMut::quantise
//! [`TableMut::quantise_row`]: crate::table::TableMut::quantise_row

mod activation;
mod ahead;
mod any;
mod axpy;
mod blocks;
mod codes;
mod columns;
mod convolution;
mod convolution_gradients;
mod dense_gradients;
mod dot;
mod dropout;
mod ends;
mod gather;
mod gemm;
mod groups;
mod integers;
mod lstm;
mod noise;
mod pool;
mod quantise;
mod repeats;
mod scatter;
mod scores;
mod skip_gram;
mod steps;
mod sums;
mod transpose;
mod weights;

pub(crate) use ahead::ask_for_rows;
use ahead::row_ahead;
pub(crate) use ahead::worth_prefetching;
use axpy::add_multiple;
pub(crate) use columns::{Columns, column_blocks, columns_mut};
pub(crate) use dot::squares;
pub(crate) use gather::convert;
use gemm::{Across, Left, add_product};
pub(crate) use integers::MOST_IDS;
pub(crate) use scores::inverse_norm;

pub use dot::{dot, gemv};
pub use gather::{gather, gather_stream};
pub use gemm::gemm;
pub use noise::Noise;
pub use pool::{pool, pool_max};
pub use scatter::{scatter_add, scatter_add_bags, scatter_add_max};

pub(crate) use inner::*;

/// What layers, optimizers and methods of tables call. It is no part of the interface: `internals` gives it
/// out.
pub(crate) mod inner {
    pub use super::activation::{
        exp, ln, log_sum_exp, relu, relu_backward, sigmoid, sigmoid_backward, softmax, softmax_backward,
        tanh, tanh_backward,
    };
    pub use super::axpy::{axpy, ger};
    pub use super::convolution::{convolve, convolve_repeated};
    pub use super::convolution_gradients::{convolve_backward_input, convolve_backward_kernel};
    pub use super::dot::{gemm_nt, sum, sum_of_squares};
    pub use super::dropout::dropout;
    pub use super::gemm::gemm_tn;
    pub use super::lstm::{lstm_gates, lstm_gates_backward};
    pub use super::pool::NO_ID;
    pub use super::quantise::{dequantise, dequantise_row, quantise, quantise_rounded, quantise_row};
    pub use super::repeats::{Repeats, distinct_rows};
    pub use super::scores::{inverse_norms, scores};
    pub use super::skip_gram::{
        MOST_NEGATIVES, Negatives, SubwordRows, WordBags, learn_bags, learn_groups, learn_pairs,
        mean_of_word, pair,
    };
    pub use super::steps::{
        max_over_steps, max_over_steps_backward, mean_over_steps, mean_over_steps_backward,
    };
    pub use super::transpose::transpose;
    pub use super::weights::weight_gradients;
}

/// The same kernels at a chosen level, for tests and benches: `internals` gives them out.
pub(crate) mod at {
    pub use super::activation::{
        exp_at, ln_at, log_sum_exp_at, relu_at, relu_backward_at, sigmoid_at, sigmoid_backward_at,
        softmax_at, softmax_backward_at, tanh_at, tanh_backward_at,
    };
    pub use super::axpy::{axpy_at, ger_at};
    pub use super::convolution::{convolve_at, convolve_repeated_at};
    pub use super::convolution_gradients::{convolve_backward_input_at, convolve_backward_kernel_at};
    pub use super::dot::{dot_at, gemm_nt_at, gemv_at, sum_at, sum_of_squares_at};
    pub use super::dropout::dropout_at;
    pub use super::gather::{gather_at, gather_stream_at};
    pub use super::gemm::{gemm_at, gemm_tn_at};
    pub use super::lstm::{lstm_gates_at, lstm_gates_backward_at};
    pub use super::pool::{pool_at, pool_max_at};
    pub use super::quantise::{
        dequantise_at, dequantise_row_at, quantise_at, quantise_rounded_at, quantise_row_at,
    };
    pub use super::repeats::distinct_rows_at;
    pub use super::scatter::{scatter_add_at, scatter_add_bags_at};
    pub use super::scores::{inverse_norms_at, scores_at};
    pub use super::skip_gram::{learn_bags_at, learn_groups_at, learn_pairs_at, mean_of_word_at};
    pub use super::steps::{
        max_over_steps_at, max_over_steps_backward_at, mean_over_steps_at, mean_over_steps_backward_at,
    };
    pub use super::transpose::transpose_at;
    pub use super::weights::weight_gradients_at;
}

/// The kernels for shapes that are known to agree, as the types of layers and of their slots fix them: they
/// give no `Result`, so that none can be dropped. A debug build asserts the shapes.
#[allow(unused_imports, reason = "one form for all kernels, also those that no layer calls")]
pub(crate) mod shaped {
    pub(crate) use super::activation::shaped::*;
    pub(crate) use super::axpy::shaped::*;
    pub(crate) use super::convolution::shaped::*;
    pub(crate) use super::convolution_gradients::shaped::*;
    pub(crate) use super::dot::shaped::*;
    pub(crate) use super::dropout::shaped::*;
    pub(crate) use super::gather::shaped::*;
    pub(crate) use super::gemm::shaped::*;
    pub(crate) use super::lstm::shaped::*;
    pub(crate) use super::pool::shaped::*;
    pub(crate) use super::quantise::shaped::*;
    pub(crate) use super::repeats::shaped::*;
    pub(crate) use super::scatter::shaped::*;
    pub(crate) use super::scores::shaped::*;
    pub(crate) use super::steps::shaped::*;
    pub(crate) use super::transpose::shaped::*;
    pub(crate) use super::weights::shaped::*;
    // These have no shapes that could disagree.
    pub(crate) use super::{exp, ln, log_sum_exp, relu, sigmoid, softmax, sum, sum_of_squares, tanh};
}

#[cfg(test)]
mod tests {
    use super::shaped;

    /// In a release build nothing is done.
    #[test]
    #[cfg_attr(debug_assertions, should_panic(expected = "axpy"))]
    fn a_debug_build_asserts_the_shapes() {
        let mut y = [0.0; 2];
        shaped::axpy(1.0, &[7.0], &mut y);
        assert_eq!(y, [0.0, 0.0]);
    }
}
