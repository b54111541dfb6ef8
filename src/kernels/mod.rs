//! The loops over floats: checked first, then without an error path, the same bits at every level.

mod ahead;
mod columns;
mod gather;
mod pool;
mod scatter;

use ahead::{Ahead, Look, Never, pays};
use columns::{column_blocks, columns, columns_mut};
pub use gather::{gather, gather_at};
pub use pool::{pool, pool_at};
pub use scatter::{scatter_add, scatter_add_at, scatter_add_bags, scatter_add_bags_at};
