//! The loops over floats. Each is written once, as safe code, and compiled for each level of the processor: checked first, then
//! without an error path, the same bits at every level.

mod activation;
mod ahead;
mod catch_up;
mod coalesce;
mod columns;
mod gather;
mod linear;
mod max_norm;
mod norm;
mod pool;
mod rule;
mod scatter;
mod update;

use ahead::{Ahead, Look, Never, pays};
use columns::{column_blocks, columns, columns_mut};
use rule::apply;

pub use activation::{
    log_sum_exp, relu, relu_backward, sigmoid, sigmoid_backward, softmax, softmax_backward, tanh,
    tanh_backward,
};
pub use catch_up::{Lagging, Moves, Replay, Rows, catch_up_rows, decay_rows, leaves_unmoved};
pub use coalesce::{Occurrence, SortedOccurrences, coalesce, occurrences, sort_by_row};
pub use gather::gather;
pub use linear::{axpy, dot, gemm, gemm_nt, gemm_tn, gemv, sum};
pub use max_norm::{RowNorm, max_norm};
pub use norm::{sum_of_squares, sum_of_squares_of_rows};
pub use pool::pool;
pub use rule::{State, UpdateRule};
pub use scatter::{scatter_add, scatter_add_bags};
pub(crate) use update::check_update;
pub use update::{Touched, update_block, update_rows};

#[doc(hidden)]
pub use {
    activation::{
        log_sum_exp_at, relu_at, relu_backward_at, sigmoid_at, sigmoid_backward_at, softmax_at,
        softmax_backward_at, tanh_at, tanh_backward_at,
    },
    catch_up::{catch_up_rows_at, decay_rows_at},
    coalesce::coalesce_at,
    gather::gather_at,
    linear::{axpy_at, dot_at, gemm_at, gemm_nt_at, gemm_tn_at, gemv_at, sum_at},
    max_norm::max_norm_at,
    norm::{sum_of_squares_at, sum_of_squares_of_rows_at},
    pool::pool_at,
    scatter::{scatter_add_at, scatter_add_bags_at},
    update::{update_block_at, update_rows_at},
};
