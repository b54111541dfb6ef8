//! The executable specification: one plain loop a kernel, without SIMD, blocks or early exits. For tests, fuzz targets and benches; never
//! a fallback. Shapes are the caller's care: a wrong one panics.

mod gather;
mod pool;
mod scatter;

pub use gather::gather;
pub use pool::pool;
pub use scatter::{scatter_add, scatter_add_bags};
