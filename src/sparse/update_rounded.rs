//! Optimizer steps on rows of 16 or 8 bits, rounded at random.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at [`update_rows_rounded`].

use super::UpdateRule;
use super::update::{SparseGradient, StepRows, check_update, step_rows};
use crate::error::ShapeMismatch;
use crate::kernels::{Columns, Noise, convert, worth_prefetching};
use crate::simd::{Lanes, simd_fn};
use crate::table::{TableMut, Trainable};

simd_fn! {
    /// One optimizer step on the touched rows of a table of 16 or 8 bits, whose state is in the rows of
    /// `slots`.
    ///
    /// `weights` is scratch for one row, `dim` numbers. Rows that do not occur keep their bytes. The rule is
    /// all of the optimizer that counts here: of an exact form it is the lazy step, and a norm to clip to
    /// must be in it ([`Clipped::with_norm`](crate::optim::Clipped::with_norm)).
    ///
    /// ```
    /// use nanoembed::kernels::Noise;
    /// use nanoembed::sparse::{Occurrence, SortedOccurrences, SparseGradient, update_rows_rounded};
    /// use nanoembed::optim::{Optimizer, Sgd};
    /// use nanoembed::table::{Bf16, Indices, Table, TableMut};
    ///
    /// let mut table = [Bf16::from_f32(1.0); 3 * 4];
    /// let mut list = [Occurrence::default(); 2];
    /// let list = Indices::new(&[2_u8, 0], 3)?.occurrences(&mut list)?;
    /// let mut touched = SparseGradient {
    ///     occurrences: SortedOccurrences::sort(list, &mut [Occurrence::default(); 2])?,
    ///     gradients: Table::from_rows(&[[0.1; 4]; 2]),
    ///     scratch: &mut [0.0; 8],
    /// };
    /// let sgd = Sgd::default(); // w -= 0.01 g: a quarter of the distance to the next number below 1
    /// let mut rows = TableMut::<Bf16>::packed(&mut table, 3, 4)?;
    /// let mut slots = TableMut::new(&mut [], 3, 0)?;
    /// for step in 1..=100 {
    ///     let noise = Noise { seed: 1, step, first_row: 0 };
    ///     update_rows_rounded(sgd.rule(step), noise, &mut rows, &mut slots, &mut touched, &mut [0.0; 4])?;
    /// }
    /// assert!((Bf16::to_f32(table[0]) - 0.9).abs() < 0.05); // to the nearest it would still be 1
    /// assert_eq!(table[4..8], [Bf16::from_f32(1.0); 4]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Optimizer::update_rows`](crate::optim::Optimizer::update_rows); also if `weights` does not hold
    /// `dim` numbers. Nothing has been written then.
    ///
    /// # How it is computed
    /// ```text
    /// for each distinct row r of the occurrences:
    ///     weights = decode(table[r])
    ///     rule(weights, g, slots[r])                           as in `update_rows`
    ///     table[r] = encode(weights), each number rounded up or down at random, so that the mean is the number
    /// ```
    ///
    /// A step is often smaller than half of the distance between two numbers that a short format holds;
    /// rounded to the nearest it would be lost, each time. Rounded at random it is kept in the mean (Gupta et
    /// al., 2015; FBGEMM does so for binary16). The random bits are a hash of (seed, step, row, column), so a
    /// step can be repeated, its rows taken in any order, and the bits are the same on every processor. The
    /// hash costs two multiplications for each number; the state in the slots stays `f32`.
    ///
    /// A `U8` row gets the range of its new weights; its least number is exact, all others move by less than
    /// one code.
    ///
    /// # Cost
    /// The packed row is read and written once, beside what the rule moves. The hash takes two
    /// multiplications a number.
    pub fn update_rows_rounded, update_rows_rounded_at[R: UpdateRule, F: Trainable](
        rule: R,
        noise: Noise,
        table: &mut TableMut<'_, F>,
        slots: &mut TableMut<'_>,
        touched: &mut SparseGradient<'_>,
        weights: &mut [f32],
    ) -> Result<(), ShapeMismatch>
        where {
            check_update::<R, F>(table, slots, touched)?;
            ShapeMismatch::check("weights length", table.dim(), weights.len())
        } = update_rows_rounded_loops;
}

/// Rows that are decoded, stepped on, and encoded.
struct Rounded<'a, 'b, L, F: Trainable> {
    lanes: L,
    table: &'a mut TableMut<'b, F>,
    noise: Noise,
    weights: &'a mut [f32],
}

impl<L: Lanes, F: Trainable> StepRows for Rounded<'_, '_, L, F> {
    #[inline(always)]
    fn prefetch(&self, row: usize) {
        Columns::new(self.table.as_table(), 0).prefetch(self.table.dim(), Some(row));
    }

    #[inline(always)]
    fn step(&mut self, row: usize, step: impl FnOnce(&mut [f32])) {
        if let Some(elements) = self.table.row_mut(row) {
            convert::<L, false, F>(self.lanes, 1.0, elements, self.weights);
            step(self.weights);
            F::encode(self.weights, elements, (), self.noise.row(row));
        }
    }
}

#[inline(always)]
fn update_rows_rounded_loops<L: Lanes, R: UpdateRule, F: Trainable>(
    lanes: L,
    rule: R,
    noise: Noise,
    table: &mut TableMut<'_, F>,
    slots: &mut TableMut<'_>,
    touched: &mut SparseGradient<'_>,
    weights: &mut [f32],
) {
    let prefetches = worth_prefetching(table.as_table());
    step_rows(lanes, rule, &mut Rounded { lanes, table, noise, weights }, slots, touched, prefetches);
}
