//! Which rows are nearest.

use super::best::{Best, Neighbour};
use crate::error::ShapeMismatch;
use crate::kernels::{dot, inverse_norm, shaped};
use crate::slices::{first_mut, parts, parts_mut};
use crate::table::{F32, Format, Table, TableMut};

/// The cosine of the angle between two vectors, a · b · 1/|a| · 1/|b|: 1 for the same direction, 0 for a right
/// angle, −1 for opposite ones.
///
/// 0 if one of them is zero, or so small or so great that its sum of squares is no normal `f32` (lengths below
/// 1e-19 or above 1e19).
///
/// ```
/// use nanoembed::similarity::cosine;
/// assert_eq!(cosine(&[2.0, 0.0], &[0.0, 3.0])?, 0.0);
/// assert_eq!(cosine(&[2.0, 0.0], &[-3.0, 0.0])?, -1.0);
/// assert_eq!(cosine(&[2.0, 0.0], &[0.0, 0.0])?, 0.0);
/// # Ok::<(), nanoembed::error::ShapeMismatch>(())
/// ```
///
/// # Errors
/// If the lengths differ.
pub fn cosine(a: &[f32], b: &[f32]) -> Result<f32, ShapeMismatch> {
    let product = dot(a, b)?;
    Ok(product * inverse_length(b) * inverse_length(a))
}

/// 1 / |x|, or 0: see [`cosine`].
fn inverse_length(x: &[f32]) -> f32 {
    inverse_norm(shaped::sum_of_squares(x))
}

/// 1 / |row| for each row of a table, which [`Search::cosine`] takes; 0 for a row that is zero, or as good as
/// zero: see [`cosine`].
///
/// # Errors
/// If `out` has not a number for each row; it is then as it was.
///
/// # Cost
/// The table is read once.
pub fn inverse_norms<F: Format>(table: Table<'_, F>, out: &mut [f32]) -> Result<(), ShapeMismatch> {
    crate::kernels::inverse_norms(table, out)
}

/// How an analogy is computed: a is to b as c is to x, with cosines.
///
/// Both are of Levy and Goldberg, "Linguistic regularities in sparse and explicit word representations" (2014).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Analogy {
    /// 3CosAdd: cos(x, b) − cos(x, a) + cos(x, c), in this order.
    #[default]
    Add,
    /// 3CosMul: s(x, b) · s(x, c) / (s(x, a) + 0.001), with s = (cos + 1) / 2.
    Multiply,
}

/// A table in which rows are looked for.
///
/// The score of a row is its inner product with the vector ([`Self::inner_product`]), or their cosine
/// ([`Self::cosine`]). Rows whose score is NaN or −∞ are not found.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a, F: Format = F32> {
    table: Table<'a, F>,
    inverse_norms: Option<&'a [f32]>,
    without: &'a [usize],
}

/// Rows of which the scores are kept at once, at most.
const BLOCK: usize = 256;
/// And at least.
const LEAST_BLOCK: usize = 16;
/// Vectors of which they are.
const VECTORS: usize = 4;
/// Bytes of a block of rows: it stays in the first cache while vector after vector is compared with it.
const BLOCK_BYTES: usize = 1 << 14;

impl<'a, F: Format> Search<'a, F> {
    /// A search by inner product.
    pub fn inner_product(table: Table<'a, F>) -> Self {
        Self { table, inverse_norms: None, without: &[] }
    }

    /// A search by cosine, with the numbers that [`inverse_norms()`] gave for the table.
    ///
    /// # Errors
    /// If there is not a number for each row.
    pub fn cosine(table: Table<'a, F>, inverse_norms: &'a [f32]) -> Result<Self, ShapeMismatch> {
        ShapeMismatch::check("number of inverse norms", table.rows(), inverse_norms.len())?;
        Ok(Self { table, inverse_norms: Some(inverse_norms), without: &[] })
    }

    /// The same search, which passes over these rows: those of the vector itself. A row that the table does
    /// not have changes nothing.
    #[must_use]
    pub fn without(self, rows: &'a [usize]) -> Self {
        Self { without: rows, ..self }
    }

    /// The rows with the highest scores, the best first, as many as `found` has room for; fewer if fewer rows
    /// have a score.
    ///
    /// # Errors
    /// If the vector has not as many numbers as a row; `found` is then as it was.
    ///
    /// # Cost
    /// The table is read once, at the speed of memory. A row that is among the best so far costs
    /// log₂ `found.len()` steps.
    pub fn nearest<'f>(
        &self,
        vector: &[f32],
        found: &'f mut [Neighbour],
    ) -> Result<&'f [Neighbour], ShapeMismatch> {
        let vectors = Table::new(vector, 1, vector.len())?;
        let k = found.len();
        self.nearest_of_each(vectors, k, found)?;
        Ok(those_found(found))
    }

    /// For each vector, one after the other, the `k` rows with the highest scores, the best first, filled up
    /// with [`Neighbour::NONE`]. For each it is what [`nearest`](Self::nearest) finds, with the same bits.
    ///
    /// ```
    /// use nanoembed::similarity::{Neighbour, Search};
    /// use nanoembed::table::Table;
    /// let rows = [[0.0, 1.0], [1.0, 0.0], [3.0, 3.0]];
    /// let search = Search::inner_product(Table::from_rows(&rows));
    /// let mut found = [Neighbour::default(); 2];
    /// search.nearest_of_each(Table::from_rows(&[[1.0, 0.0], [-1.0, 0.0]]), 1, &mut found)?;
    /// assert_eq!(found, [Neighbour { row: 2, score: 3.0 }, Neighbour { row: 0, score: 0.0 }]);
    /// # Ok::<(), nanoembed::error::ShapeMismatch>(())
    /// ```
    ///
    /// # Errors
    /// If the vectors have not as many numbers as a row, or `found` has not room for `k` rows of each;
    /// `found` is then as it was.
    ///
    /// # Cost
    /// The table is read once for all vectors, in blocks of 16 KB.
    pub fn nearest_of_each(
        &self,
        vectors: Table<'_>,
        k: usize,
        found: &mut [Neighbour],
    ) -> Result<(), ShapeMismatch> {
        ShapeMismatch::check("dim of the vector", self.table.dim(), vectors.dim())?;
        ShapeMismatch::check("length of found", vectors.rows().saturating_mul(k), found.len())?;
        if k == 0 {
            return Ok(());
        }
        found.fill(Neighbour::NONE);
        let mut scores = [0.0; VECTORS * BLOCK];
        self.blocks(|first, block| {
            let (mut lists, mut i) = (parts_mut(found, k), 0);
            while i < vectors.rows() {
                let vectors = vectors.part(i, VECTORS);
                let scores = match self.inverse_norms {
                    Some(_) => self.cosines(vectors, first, block, &mut scores),
                    None => Self::products(vectors, block, &mut scores),
                };
                for (scores, list) in parts(scores, block.rows()).zip(&mut lists) {
                    self.offer(first, scores, Best::so_far(list));
                }
                i += VECTORS;
            }
        });
        for list in parts_mut(found, k) {
            Best::so_far(list).sort();
        }
        Ok(())
    }

    /// The rows x for which "a is to b as c is to x" holds best, given the vectors `[a, b, c]`, by the formula
    /// of `how`; as many as `found` has room for. The rows of a, b and c are among them, unless they are left
    /// out by [`without`](Self::without), as they nearly always are.
    ///
    /// In a search by inner product the rows are taken to be of length 1.
    ///
    /// # Errors
    /// If a vector has not as many numbers as a row; `found` is then as it was.
    ///
    /// # Cost
    /// The table is read once; each row is compared with three vectors.
    pub fn analogy<'f>(
        &self,
        [a, b, c]: [&[f32]; 3],
        how: Analogy,
        found: &'f mut [Neighbour],
    ) -> Result<&'f [Neighbour], ShapeMismatch> {
        let dim = self.table.dim();
        let mut tables = [Table::new(&[], 0, dim)?; 3];
        for (table, vector) in tables.iter_mut().zip([a, b, c]) {
            ShapeMismatch::check("dim of the vector", dim, vector.len())?;
            *table = Table::new(vector, 1, dim)?;
        }
        found.fill(Neighbour::NONE);
        let (mut of_a, mut of_b, mut of_c) = ([0.0; BLOCK], [0.0; BLOCK], [0.0; BLOCK]);
        self.blocks(|first, block| {
            let [a, b, c] = tables;
            let a = self.cosines(a, first, block, &mut of_a);
            let b = self.cosines(b, first, block, &mut of_b);
            let c = self.cosines(c, first, block, &mut of_c);
            for ((a, b), c) in a.iter_mut().zip(b).zip(c) {
                *a = match how {
                    Analogy::Add => *b - *a + *c,
                    Analogy::Multiply => {
                        let s = |cosine: f32| (cosine + 1.0) * 0.5;
                        s(*b) * s(*c) / (s(*a) + 0.001)
                    }
                };
            }
            self.offer(first, a, Best::so_far(found));
        });
        Best::so_far(found).sort();
        Ok(those_found(found))
    }

    /// Shows each block of rows, with the number of its first.
    fn blocks(&self, mut show: impl FnMut(usize, Table<'a, F>)) {
        let bytes = self.table.stride().saturating_mul(size_of::<F::Element>()).max(1);
        let rows = (BLOCK_BYTES / bytes).clamp(LEAST_BLOCK, BLOCK);
        let mut first = 0;
        while first < self.table.rows() {
            show(first, self.table.part(first, rows));
            first += rows;
        }
    }

    /// The inner products of each vector and the rows of a block, one vector after the other.
    fn products<'s>(vectors: Table<'_>, block: Table<'_, F>, products: &'s mut [f32]) -> &'s mut [f32] {
        let products = first_mut(products, vectors.rows() * block.rows());
        shaped::scores(vectors, block, &mut TableMut::of_rows(products, vectors.rows(), block.rows()));
        products
    }

    /// The cosines; rows are of length 1 if there are no norms.
    fn cosines<'s>(
        &self,
        vectors: Table<'_>,
        first: usize,
        block: Table<'_, F>,
        cosines: &'s mut [f32],
    ) -> &'s mut [f32] {
        let cosines = Self::products(vectors, block, cosines);
        for (vector, cosines) in vectors.iter().zip(parts_mut(cosines, block.rows())) {
            if let Some(inverse_norms) = self.inverse_norms.and_then(|norms| norms.get(first..)) {
                for (cosine, inverse_norm) in cosines.iter_mut().zip(inverse_norms) {
                    *cosine *= *inverse_norm;
                }
            }
            let length = inverse_length(vector);
            for cosine in cosines {
                *cosine *= length;
            }
        }
        cosines
    }

    /// Offers the rows of a block.
    #[inline]
    fn offer(&self, first: usize, scores: &[f32], mut best: Best<'_>) {
        let (mut bound, mut row) = (best.bound(), first);
        let (chunks, rest) = scores.as_chunks::<16>();
        // Nearly all rows are behind the bound: sixteen are compared at once.
        for scores in chunks.iter().map(<[f32; 16]>::as_slice).chain([rest]) {
            if scores.iter().fold(0, |above, score| above | u8::from(*score > bound)) != 0 {
                for (row, score) in (row..).zip(scores) {
                    if *score > bound && !self.without.contains(&row) {
                        best.offer(Neighbour { row, score: *score });
                        bound = best.bound();
                    }
                }
            }
            row += scores.len();
        }
    }
}

/// The entries before the first that is none.
fn those_found(found: &[Neighbour]) -> &[Neighbour] {
    let count = found.iter().take_while(|neighbour| neighbour.row != Neighbour::NONE.row).count();
    found.get(..count).unwrap_or_default()
}
