//! Tables of rows: views over borrowed numbers.

mod view;

pub use view::{Table, TableMut};
