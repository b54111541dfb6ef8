//! The executable specification: one plain loop per kernel, without SIMD, blocks or early exits, to the same
//! rules and so with the same bits.
//!
//! For tests, fuzz targets and benches, which compare the kernels with it; never a fallback. Shapes are the
//! caller's care: a wrong one may panic.

mod activation;
mod coalesce;
mod convolution;
mod divisor;
mod dropout;
mod formats;
mod gather;
pub mod integers;
mod lanes;
mod linear;
mod lstm;
mod norm;
mod pool;
mod scatter;
mod scores;
mod steps;
mod update;
mod weights;

use divisor::divisor;

pub use activation::{
    exp, ln, log_sum_exp, relu, relu_backward, sigmoid, sigmoid_backward, softmax, softmax_backward, tanh,
    tanh_backward,
};
pub use coalesce::coalesce;
pub use convolution::{convolve, convolve_backward_input, convolve_backward_kernel};
pub use dropout::dropout;
pub use formats::{
    FormatSpec, RoundedFormatSpec, bf16_nearest, bf16_value, dequantise, f16_nearest, f16_value, noise,
    quantise,
};
pub use gather::gather;
pub use lanes::lane_sum;
pub use linear::{axpy, dot, gemm, gemm_nt, gemm_tn, gemv, ger, sum};
pub use lstm::{lstm_gates, lstm_gates_backward};
pub use norm::{max_norm, sum_of_squares_of_rows};
pub use pool::{pool, pool_max};
pub use scatter::{scatter_add, scatter_add_bags, scatter_add_max};
pub use scores::{inverse_norms, scores};
pub use steps::{max_over_steps, max_over_steps_backward, mean_over_steps, mean_over_steps_backward};
pub use update::{
    adadelta, adagrad, adam, amsgrad, momentum, nadam, rmsprop, rowwise_adagrad, sgd, update_rows,
};
pub use weights::weight_gradients;
