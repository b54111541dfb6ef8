//! The loops over numbers. Each is written once, as safe code, and compiled for each level of the processor.
//! It checks its arguments first and cannot fail after that, and it gives the same bits at every level.
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
//! | noise and norms | [`dropout`], [`Noise`], [`sum_of_squares`] |
//! | repeated rows | [`distinct_rows`], with [`Repeats`] |
//!
//! What an optimizer does to the rows of a table is in [`sparse`](crate::sparse).
//!
//! The documentation of the first kernel of a file has the loop in pseudo-code, each way in which the code
//! differs from it with the reason, and the cost: the bytes that it moves. Nearly all kernels run at the
//! speed of a cache or of memory.

mod activation;
mod ahead;
mod any;
mod axpy;
mod columns;
mod convolution;
mod dot;
mod dropout;
mod gather;
mod gemm;
mod lstm;
mod noise;
mod pool;
mod quantise;
mod repeats;
mod scatter;
mod steps;
mod transpose;
mod weights;

use ahead::row_ahead;
pub(crate) use ahead::worth_prefetching;
use axpy::add_multiple;
pub(crate) use columns::{Columns, column_blocks, columns_mut};
pub(crate) use dot::squares;
pub(crate) use gather::convert;
use gemm::{Across, Left, add_product};

pub use activation::{
    exp, ln, log_sum_exp, relu, relu_backward, sigmoid, sigmoid_backward, softmax, softmax_backward, tanh,
    tanh_backward,
};
pub use any::{dequantise_any, gather_any, pool_any, pool_max_any};
pub use axpy::{axpy, ger};
pub use convolution::{convolve, convolve_backward_input, convolve_backward_kernel, convolve_repeated};
pub use dot::{dot, gemm_nt, gemv, sum, sum_of_squares};
pub use dropout::dropout;
pub use gather::{gather, gather_stream};
pub use gemm::{gemm, gemm_tn};
pub use lstm::{lstm_gates, lstm_gates_backward};
pub use noise::Noise;
pub use pool::{NO_ID, pool, pool_max};
pub use quantise::{dequantise, dequantise_row, quantise, quantise_rounded, quantise_row};
pub use repeats::{Repeats, distinct_rows};
pub use scatter::{divide_by_bags, scatter_add, scatter_add_bags, scatter_add_max};
pub use steps::{max_over_steps, max_over_steps_backward, mean_over_steps, mean_over_steps_backward};
pub use transpose::transpose;
pub use weights::weight_gradients;

/// The same kernels at a chosen level, for tests and benches: `internals` gives them out.
pub(crate) mod at {
    pub use super::activation::{
        exp_at, ln_at, log_sum_exp_at, relu_at, relu_backward_at, sigmoid_at, sigmoid_backward_at,
        softmax_at, softmax_backward_at, tanh_at, tanh_backward_at,
    };
    pub use super::axpy::{axpy_at, ger_at};
    pub use super::convolution::{
        convolve_at, convolve_backward_input_at, convolve_backward_kernel_at, convolve_repeated_at,
    };
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
    pub(crate) use super::dot::shaped::*;
    pub(crate) use super::dropout::shaped::*;
    pub(crate) use super::gather::shaped::*;
    pub(crate) use super::gemm::shaped::*;
    pub(crate) use super::lstm::shaped::*;
    pub(crate) use super::pool::shaped::*;
    pub(crate) use super::quantise::shaped::*;
    pub(crate) use super::repeats::shaped::*;
    pub(crate) use super::scatter::shaped::*;
    pub(crate) use super::steps::shaped::*;
    pub(crate) use super::transpose::shaped::*;
    pub(crate) use super::weights::shaped::*;
    // These have no shapes that could disagree.
    pub(crate) use super::{exp, ln, log_sum_exp, relu, sigmoid, softmax, sum, sum_of_squares, tanh};
}

#[cfg(test)]
mod tests {
    use super::shaped;

    /// In a release build the loop ends with the shorter of the two.
    #[test]
    #[cfg_attr(debug_assertions, should_panic(expected = "axpy"))]
    fn a_debug_build_asserts_the_shapes() {
        let mut y = [0.0; 2];
        shaped::axpy(1.0, &[7.0], &mut y);
        assert_eq!(y, [7.0, 0.0]);
    }
}
