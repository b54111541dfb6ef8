//! Ids of any size to rows of a small table, several rows an id.

use super::flow::{Keeps, Outputs};
use super::row_gradient::flows_into_rows;
use super::value::Value;
use super::{Batch, BatchMut, ByRow, Layer, LayerKind, Record, Records, parameters, uniform};
use crate::optim::Optimizer;
use crate::passes::hashed::{Hashing, WORDS};
use crate::sparse::Rows;
use crate::table::{Index, Numbers, Table};
use core::marker::PhantomData;
use rand_core::Rng;
use zerocopy::{FromBytes, Immutable, KnownLayout};

/// Hash embeddings (Svenstrup et al., 2017), Bloom embeddings (Serrà and Karatzoglou, 2017), thinc's
/// `HashEmbed`: y\[t\] = Σₖ E\[hₖ(id\[t\]) mod ROWS\], k below HASHES = `NAMES / LEN`, at most 4.
///
/// The table does not grow with the ids, which may be any numbers: hashes of words, for example. Two ids that
/// share one row differ in the others, so that with several rows an id far fewer rows than ids keep almost
/// all ids apart: of n ids a share of about n HASHES! / ROWS^HASHES has all rows in common with another,
/// against n / ROWS for a table with one row an id.
///
/// The hashes are the four words of `MurmurHash3` x86 128 of the id as thinc computes it, so with four hashes
/// and the same table this is `HashEmbed(DIM, ROWS, seed=SEED)`. An id counts as its 64 bits.
///
/// # Shapes
/// ids `[LEN]`, E (`rows`) `[ROWS, DIM]`, y `[LEN, DIM]`; `NAMES` is `LEN` times the number of hashes.
///
/// Initial values: E uniform in [−0.05, 0.05). In training only rows that ids name learn.
///
/// ```
/// use nanoembed::layers::{HashedEmbedding, Layer};
/// // 3 ids, 1000 rows of 8 numbers, 2 rows an id.
/// let mut words = HashedEmbedding::<3, 1000, 8, 6, u64>::zeroed();
/// for row in HashedEmbedding::<3, 1000, 8, 6, u64>::rows_of(1 << 40) {
///     words.rows[row] = [0.5; 8];
/// }
/// assert_eq!(words.predict(&[0, 1 << 40, 7])?[1], [1.0; 8]);
/// # Ok::<(), nanoembed::error::InputError>(())
/// ```
///
/// `NAMES` that is no multiple of `LEN` is a compile error:
///
/// ```compile_fail
/// use nanoembed::layers::{HashedEmbedding, Layer};
/// let _ = HashedEmbedding::<3, 1000, 8, 7>::zeroed();
/// ```
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct HashedEmbedding<
    const LEN: usize,
    const ROWS: usize,
    const DIM: usize,
    const NAMES: usize,
    I = u32,
    const SEED: u32 = 0,
> {
    /// E.
    pub rows: [[f32; DIM]; ROWS],
    options: PhantomData<I>,
}

parameters!(impl[const LEN: usize, const ROWS: usize, const DIM: usize, const NAMES: usize, I, const SEED: u32]
    HashedEmbedding<LEN, ROWS, DIM, NAMES, I, SEED> { rows: [[f32; DIM]; ROWS] => ByRow<NAMES, LEN> });

impl<const LEN: usize, const ROWS: usize, const DIM: usize, const NAMES: usize, I: Index, const SEED: u32>
    HashedEmbedding<LEN, ROWS, DIM, NAMES, I, SEED>
{
    /// Rows an id.
    const HASHES: usize = match NAMES.checked_div(LEN) {
        Some(hashes) => hashes,
        None => 0,
    };

    const HASHING: Hashing = Hashing { rows: ROWS, hashes: Self::HASHES, seed: SEED };

    /// The rows whose sum is the embedding of `id`.
    pub fn rows_of(id: I) -> impl Rows {
        Self::HASHING.rows_of(id.to_bits64())
    }
}

impl<const LEN: usize, const ROWS: usize, const DIM: usize, const NAMES: usize, I, const SEED: u32> Layer
    for HashedEmbedding<LEN, ROWS, DIM, NAMES, I, SEED>
where
    I: Index,
    [I; LEN]: Value<Mask = ()>,
{
    type Input = [I; LEN];
    type Output = [[f32; DIM]; LEN];
    type InputGradient = ();
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = Outputs<[[f32; DIM]; LEN], BATCH>;

    const NAME: &'static str = "HashedEmbedding";
    const RECORDS: Records = {
        assert!(
            LEN > 0 && ROWS > 0 && DIM > 0,
            "HashedEmbedding<LEN, ROWS, DIM, NAMES>: all must be at least 1"
        );
        assert!(ROWS <= u32::MAX as usize, "HashedEmbedding<LEN, ROWS, DIM, NAMES>: at most u32::MAX rows");
        assert!(
            NAMES == LEN * Self::HASHES && Self::HASHES > 0 && Self::HASHES <= WORDS,
            "HashedEmbedding<LEN, ROWS, DIM, NAMES>: NAMES must be LEN, 2 * LEN, 3 * LEN or 4 * LEN"
        );
        let extents = [LEN, ROWS, DIM, Self::HASHES, SEED as usize];
        Records::layer(Record::new(LayerKind::HashedEmbedding, &extents))
    };

    fn init(&mut self, random: &mut impl Rng) {
        uniform(self.rows.as_numbers_mut(), 0.05, random);
    }

    fn infer<const BATCH: usize>(
        &self,
        x: Batch<'_, [I; LEN]>,
        (): &mut (),
        y: BatchMut<'_, [[f32; DIM]; LEN]>,
    ) {
        for (ids, y) in x.values.iter().zip(y.values) {
            let mut names = [0_u32; NAMES];
            let (ids, table) = (ids.iter().map(|id| id.to_bits64()), Table::from_rows(&self.rows));
            Self::HASHING.forward(ids, LEN, table, &mut names, y.as_flattened_mut());
        }
        for mask in y.masks {
            *mask = [true; LEN];
        }
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, [I; LEN]>,
        _: &mut Self::Cache<BATCH>,
        gradient: Option<&mut Self::Gradient<BATCH>>,
        _: Option<&mut [()]>,
    ) {
        let Some(gradient) = gradient else { return };
        // Examples without gradient rows learn nothing.
        let Some(_) = gradient.rows_mut(x.values.len()) else { return };
        for ids in x.values {
            let named = |(t, id): (usize, &I)| Self::rows_of(*id).map(move |row| (row as u32, t));
            gradient.push(ids.iter().enumerate().flat_map(named));
        }
    }

    flows_into_rows!(|gradient, n| gradient.rows_mut(n));

    fn catch_up<O: Optimizer>(
        &mut self,
        x: &[[I; LEN]],
        optimizer: &O,
        until: u32,
        slots: &mut Self::Slots<O>,
    ) {
        let rows = x.as_flattened().iter().flat_map(|id| Self::rows_of(*id));
        slots.catch_up(rows, optimizer, until, &mut self.rows);
    }
}
