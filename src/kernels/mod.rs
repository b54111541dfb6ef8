//! The loops over floats. Each is written once, as safe code, and compiled for each level of the processor: checked first, then
//! without an error path, the same bits at every level.

mod activation;
mod ahead;
mod axpy;
mod catch_up;
mod coalesce;
mod columns;
mod dot;
mod gather;
mod gemm;
mod pool;
mod scatter;
mod update;

use ahead::{Ahead, Look, Never, pays};
use columns::{column_blocks, columns, columns_mut};

pub use activation::{
    exp, ln, log_sum_exp, relu, relu_backward, sigmoid, sigmoid_backward, softmax, softmax_backward, tanh,
    tanh_backward,
};
pub use axpy::{axpy, ger};
pub use catch_up::{Replay, catch_up_row, leaves_unmoved};
pub use coalesce::{Occurrence, SortedOccurrences, coalesce, occurrences, sort_by_row};
pub use dot::{dot, gemm_nt, gemv, sum};
pub use gather::gather;
pub use gemm::{gemm, gemm_tn};
pub use pool::pool;
pub use scatter::{scatter_add, scatter_add_bags};
pub(crate) use update::check_update;
pub use update::{Touched, UpdateRule, update_block, update_rows};

#[doc(hidden)]
pub use {
    activation::{
        exp_at, ln_at, log_sum_exp_at, relu_at, relu_backward_at, sigmoid_at, sigmoid_backward_at,
        softmax_at, softmax_backward_at, tanh_at, tanh_backward_at,
    },
    axpy::{axpy_at, ger_at},
    catch_up::catch_up_row_at,
    coalesce::coalesce_at,
    dot::{dot_at, gemm_nt_at, gemv_at, sum_at},
    gather::gather_at,
    gemm::{gemm_at, gemm_tn_at},
    pool::pool_at,
    scatter::{scatter_add_at, scatter_add_bags_at},
    update::{update_block_at, update_rows_at},
};
