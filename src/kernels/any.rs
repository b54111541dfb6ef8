//! Kernels for tables whose format is known at run time: one look at the format, then the kernel for it.

use super::{dequantise, gather, pool, pool_max};
use crate::error::ShapeMismatch;
use crate::table::{AnyTable, Bags, Index, Indices, Policy, Pooling, TableMut, with_table};

/// [`gather`](gather()) from a table of any format.
///
/// # Errors
/// As `gather`.
pub fn gather_any<I: Index, P: Policy>(
    table: AnyTable<'_>,
    indices: Indices<'_, I, P>,
    out: &mut [f32],
) -> Result<(), ShapeMismatch> {
    with_table!(table, |table| gather(table, indices, out))
}

/// [`pool`](pool()) from a table of any format.
///
/// ```
/// use nanoembed::kernels::pool_any;
/// use nanoembed::table::{AnyTable, Bags, F16, Indices, Pooling, Table};
/// let halves = [1.0, 2.0, 3.0, 4.0].map(F16::from_f32);
/// let table = AnyTable::from(Table::<F16>::packed(&halves, 2, 2)?);
/// let bags = Bags::fixed(Indices::new(&[0_u8, 1, 1], table.rows())?, 1, 3)?;
/// let mut out = [0.0; 2];
/// pool_any(table, &bags, Pooling::Sum, &mut out)?;
/// assert_eq!(out, [7.0, 10.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As `pool`.
pub fn pool_any<I: Index, P: Policy, O: Index>(
    table: AnyTable<'_>,
    bags: &Bags<'_, I, P, O>,
    pooling: Pooling,
    out: &mut [f32],
) -> Result<(), ShapeMismatch> {
    with_table!(table, |table| pool(table, bags, pooling, out))
}

/// [`pool_max`](pool_max()) from a table of any format.
///
/// # Errors
/// As `pool_max`.
pub fn pool_max_any<I: Index, P: Policy, O: Index>(
    table: AnyTable<'_>,
    bags: &Bags<'_, I, P, O>,
    out: &mut [f32],
    arg_max: &mut [u32],
) -> Result<(), ShapeMismatch> {
    with_table!(table, |table| pool_max(table, bags, out, arg_max))
}

/// [`dequantise`](dequantise()) of a table of any format; one of floats is copied.
///
/// # Errors
/// As `dequantise`.
pub fn dequantise_any(from: AnyTable<'_>, to: &mut TableMut<'_>) -> Result<(), ShapeMismatch> {
    with_table!(from, |from| dequantise(from, to))
}
