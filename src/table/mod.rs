//! Tables of rows: views over borrowed numbers in several formats, storage on cache lines, checked row numbers and groups of them.

mod aligned;
mod any;
mod bags;
mod format;
mod indices;
mod numbers;
mod packed;
mod view;

pub use aligned::Aligned;
pub use any::AnyTable;
pub(crate) use any::with_table;
pub use bags::{BagView, Bags, Entry, Pooling};
pub use format::{Bf16, F16, F32, Format, Trainable};
#[doc(hidden)]
pub use format::{Nearest, Rounding};
pub use indices::{FromEnd, Index, Indices, MapTo, Policy, Reject, Skip};
pub use numbers::Numbers;
pub use packed::{U2, U4, U8};
pub use view::{Table, TableMut};
