//! A table whose format is known at run time.

use super::{Bf16, F16, F32, Format, I4, I8, Table, U2, U4, U8};

/// A table in one of the formats, chosen at run time: by a file's header, by a setting.
///
/// [`gather`](Self::gather), [`pool`](Self::pool) and the others look at the format once a call.
///
/// ```
/// use nanoembed::table::{AnyTable, Table};
/// let table = AnyTable::from(Table::from_rows(&[[0.5; 8]; 3]));
/// assert_eq!((table.format(), table.rows(), table.dim()), ("f32", 3, 8));
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum AnyTable<'a> {
    /// In [`F32`].
    F32(Table<'a, F32>),
    /// In [`F16`].
    F16(Table<'a, F16>),
    /// In [`Bf16`].
    Bf16(Table<'a, Bf16>),
    /// In [`U8`].
    U8(Table<'a, U8>),
    /// In [`U4`].
    U4(Table<'a, U4>),
    /// In [`U2`].
    U2(Table<'a, U2>),
    /// In [`I8`].
    I8(Table<'a, I8>),
    /// In [`I4`].
    I4(Table<'a, I4>),
}

/// Does the same with the table of whatever format.
macro_rules! with_table {
    ($any:expr, |$table:ident| $work:expr) => {
        match $any {
            $crate::table::AnyTable::F32($table) => $work,
            $crate::table::AnyTable::F16($table) => $work,
            $crate::table::AnyTable::Bf16($table) => $work,
            $crate::table::AnyTable::U8($table) => $work,
            $crate::table::AnyTable::U4($table) => $work,
            $crate::table::AnyTable::U2($table) => $work,
            $crate::table::AnyTable::I8($table) => $work,
            $crate::table::AnyTable::I4($table) => $work,
        }
    };
}
pub(crate) use with_table;

macro_rules! from_tables {
    ($($format:ident)*) => {$(
        impl<'a> From<Table<'a, $format>> for AnyTable<'a> {
            #[inline]
            fn from(table: Table<'a, $format>) -> Self {
                Self::$format(table)
            }
        }
    )*};
}
from_tables!(F32 F16 Bf16 U8 U4 U2 I8 I4);

/// The name of a table's format.
fn name<F: Format>(_: Table<'_, F>) -> &'static str {
    F::NAME
}

impl AnyTable<'_> {
    /// The format's name: `"f32"`, `"f16"`, `"bf16"`, `"u8"`, `"u4"`, `"u2"`, `"i8"`, `"i4"`.
    pub fn format(&self) -> &'static str {
        with_table!(*self, |table| name(table))
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        with_table!(self, |table| table.rows())
    }

    /// Numbers in a row.
    pub fn dim(&self) -> usize {
        with_table!(self, |table| table.dim())
    }
}
