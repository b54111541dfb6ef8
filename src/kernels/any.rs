//! Kernels for tables whose format is known at run time: one look at the format, then the kernel for it.

use super::{dequantise, gather, pool, pool_max};
use crate::error::ShapeMismatch;
use crate::table::{AnyTable, Bags, Index, Indices, Policy, Pooling, TableMut, with_table};

/// What is done with a table of any format: one look at the format a call, then the kernel for it.
impl AnyTable<'_> {
    /// [`gather`](gather()) from this table.
    ///
    /// # Errors
    /// As `gather`.
    pub fn gather<I: Index, P: Policy>(
        self,
        indices: Indices<'_, I, P>,
        out: &mut [f32],
    ) -> Result<(), ShapeMismatch> {
        with_table!(self, |table| gather(table, indices, out))
    }

    /// [`pool`](pool()) from this table.
    ///
    /// ```
    /// use nanoembed::table::{AnyTable, Bags, F16, Indices, Pooling, Table};
    /// let halves = [1.0, 2.0, 3.0, 4.0].map(F16::from_f32);
    /// let table = AnyTable::from(Table::<F16>::packed(&halves, 2, 2)?);
    /// let bags = Bags::fixed(Indices::new(&[0_u8, 1, 1], table.rows())?, 1, 3)?;
    /// let mut out = [0.0; 2];
    /// table.pool(&bags, Pooling::Sum, &mut out)?;
    /// assert_eq!(out, [7.0, 10.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As `pool`.
    pub fn pool<I: Index, P: Policy, O: Index>(
        self,
        bags: &Bags<'_, I, P, O>,
        pooling: Pooling,
        out: &mut [f32],
    ) -> Result<(), ShapeMismatch> {
        with_table!(self, |table| pool(table, bags, pooling, out))
    }

    /// [`pool_max`](pool_max()) from this table.
    ///
    /// # Errors
    /// As `pool_max`.
    pub fn pool_max<I: Index, P: Policy, O: Index>(
        self,
        bags: &Bags<'_, I, P, O>,
        out: &mut [f32],
        arg_max: &mut [u32],
    ) -> Result<(), ShapeMismatch> {
        with_table!(self, |table| pool_max(table, bags, out, arg_max))
    }

    /// [`dequantise`](dequantise()) of this table; one of floats is copied.
    ///
    /// # Errors
    /// As `dequantise`.
    pub fn dequantise(self, to: &mut TableMut<'_>) -> Result<(), ShapeMismatch> {
        with_table!(self, |table| dequantise(table, to))
    }
}
