//! Tables of rows: views over borrowed numbers, storage on cache lines, checked row numbers and groups of them.

mod aligned;
mod bags;
mod indices;
mod numbers;
mod shares;
mod view;

pub use aligned::Aligned;
pub use bags::{BagView, Bags, Entry, Pooling};
pub use indices::{FromEnd, Index, Indices, MapTo, Policy, Reject, Skip};
pub use numbers::Numbers;
pub use shares::shares;
pub use view::{Table, TableMut};
