//! Ids to one pooled row.

use super::flow::{Keeps, Outputs};
use super::packed::TableLayer;
use super::row_gradient::flows_into_rows;
use super::value::Bag;
use super::{Batch, BatchMut, ByRow, Layer, LayerKind, Record, Records, parameters, uniform};
use crate::error::InputError;
use crate::kernels::shaped::pool;
use crate::optim::Optimizer;
use crate::sparse::Rows;
use crate::table::{Bags, Format, Index, Indices, Numbers, Pooling, Skip, Table};
use core::marker::PhantomData;
use rand_core::Rng;
use zerocopy::{FromBytes, FromZeros, Immutable, KnownLayout};

/// The reduction over a bag as a type parameter: [`Sum`], [`Mean`] or [`SqrtN`].
pub trait BagPooling: Copy {
    /// Which one it is.
    const POOLING: Pooling;
}

/// y = Σ E\[id\].
#[derive(Clone, Copy, Debug)]
pub struct Sum;
/// y = Σ E\[id\] / number of ids.
#[derive(Clone, Copy, Debug)]
pub struct Mean;
/// y = Σ E\[id\] / √(number of ids): sums of many independent rows then are as large as those of few.
#[derive(Clone, Copy, Debug)]
pub struct SqrtN;

impl BagPooling for Sum {
    const POOLING: Pooling = Pooling::Sum;
}
impl BagPooling for Mean {
    const POOLING: Pooling = Pooling::Mean;
}
impl BagPooling for SqrtN {
    const POOLING: Pooling = Pooling::SqrtN;
}

/// PyTorch's `EmbeddingBag(ROWS, DIM, mode)`, fastText's hidden layer: the mean (or sum, or sum over √n) of
/// the rows that a bag of at most `CAPACITY` ids names.
///
/// # Shapes
/// x [`Bag<CAPACITY, I>`](Bag), E (`rows`) `[ROWS, DIM]`, y `[DIM]`.
///
/// An empty bag gives zeros. Initial values: E uniform in [−0.05, 0.05).
///
/// An extent of 0 is a compile error:
///
/// ```compile_fail
/// use nanoembed::layers::{EmbeddingBag, Layer};
/// let _ = EmbeddingBag::<0, 50, 8>::zeroed();
/// ```
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct EmbeddingBag<const CAPACITY: usize, const ROWS: usize, const DIM: usize, P = Mean, I = u16> {
    /// E.
    pub rows: [[f32; DIM]; ROWS],
    options: PhantomData<(P, I)>,
}

parameters!(impl[const CAPACITY: usize, const ROWS: usize, const DIM: usize, P, I]
    EmbeddingBag<CAPACITY, ROWS, DIM, P, I> { rows: [[f32; DIM]; ROWS] => ByRow<CAPACITY, 1> });

/// Whether the ids of bags name rows of a table of `rows` rows.
pub(super) fn check_bags<const CAPACITY: usize, I: Index>(
    inputs: &[Bag<CAPACITY, I>],
    rows: usize,
) -> Result<(), InputError> {
    for (example, bag) in inputs.iter().enumerate() {
        Indices::new(bag.ids(), rows).map_err(|error| InputError::of_example(example, error))?;
    }
    Ok(())
}

impl<const CAPACITY: usize, const ROWS: usize, const DIM: usize, P, I: Index>
    EmbeddingBag<CAPACITY, ROWS, DIM, P, I>
{
    /// The ids of one example as a list of one bag.
    fn one_bag(bag: &Bag<CAPACITY, I>) -> Bags<'_, I, Skip> {
        Bags::one(Indices::skipping(bag.ids(), ROWS))
    }
}

impl<const CAPACITY: usize, const ROWS: usize, const DIM: usize, P, I> Layer
    for EmbeddingBag<CAPACITY, ROWS, DIM, P, I>
where
    P: BagPooling,
    I: Index + FromZeros,
{
    type Input = Bag<CAPACITY, I>;
    type Output = [f32; DIM];
    type InputGradient = ();
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = Outputs<[f32; DIM], BATCH>;

    const NAME: &'static str = "EmbeddingBag";
    const RECORDS: Records = {
        assert!(
            CAPACITY > 0 && ROWS > 0 && DIM > 0,
            "EmbeddingBag<CAPACITY, ROWS, DIM>: all must be at least 1"
        );
        assert!(ROWS <= u32::MAX as usize, "EmbeddingBag<CAPACITY, ROWS, DIM>: at most u32::MAX rows");
        assert!(
            ROWS as u64 - 1 <= I::MAX,
            "EmbeddingBag<CAPACITY, ROWS, DIM>: the type of the ids (u16 where none is given) is too small for the rows: EmbeddingBag<CAPACITY, ROWS, DIM, Mean, u32>"
        );
        Records::layer(Record::new(LayerKind::EmbeddingBag, &[ROWS, DIM]).pooling(P::POOLING))
    };

    fn init(&mut self, random: &mut impl Rng) {
        uniform(self.rows.as_numbers_mut(), 0.05, random);
    }

    fn check(inputs: &[Bag<CAPACITY, I>]) -> Result<(), InputError> {
        check_bags(inputs, ROWS)
    }

    fn infer<const BATCH: usize>(
        &self,
        x: Batch<'_, Bag<CAPACITY, I>>,
        (): &mut (),
        y: BatchMut<'_, [f32; DIM]>,
    ) {
        Self::infer_from(self.table(), x, y);
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, Bag<CAPACITY, I>>,
        _: &mut Self::Cache<BATCH>,
        gradient: Option<&mut Self::Gradient<BATCH>>,
        _: Option<&mut [()]>,
    ) {
        let Some(gradient) = gradient else { return };
        let Some(d_rows) = gradient.rows_mut(x.values.len()) else { return };
        for (bag, [d_row]) in x.values.iter().zip(d_rows) {
            if let Some(divisor) = Self::one_bag(bag).bag(0).and_then(|bag| bag.divisor(P::POOLING)) {
                *d_row = d_row.map(|d| d / divisor);
            }
        }
        for bag in x.values {
            let rows = Indices::skipping(bag.ids(), ROWS);
            gradient.push(rows.iter().flatten().map(|row| (row as u32, 0)));
        }
    }

    flows_into_rows!(|gradient, n| Some(gradient.rows_mut(n)?.as_flattened_mut()));

    fn catch_up<O: Optimizer>(
        &mut self,
        x: &[Bag<CAPACITY, I>],
        optimizer: &O,
        until: u32,
        slots: &mut Self::Slots<O>,
    ) {
        self.catch_up_rows(Self::rows_of(x), optimizer, until, slots);
    }
}

impl<const CAPACITY: usize, const ROWS: usize, const DIM: usize, P, I> TableLayer
    for EmbeddingBag<CAPACITY, ROWS, DIM, P, I>
where
    P: BagPooling,
    I: Index + FromZeros,
{
    const ROWS: usize = ROWS;
    const DIM: usize = DIM;

    fn table(&self) -> Table<'_> {
        Table::from_rows(&self.rows)
    }

    fn infer_from<F: Format>(
        table: Table<'_, F>,
        x: Batch<'_, Bag<CAPACITY, I>>,
        y: BatchMut<'_, [f32; DIM]>,
    ) {
        for (bag, y) in x.values.iter().zip(y.values) {
            pool(table, &Self::one_bag(bag), P::POOLING, y);
        }
    }

    fn rows_of(x: &[Bag<CAPACITY, I>]) -> impl Rows {
        x.iter().flat_map(|bag| Indices::skipping(bag.ids(), ROWS).iter().flatten())
    }

    fn retain<const BATCH: usize>(gradient: &mut Self::Gradient<BATCH>, keep: impl Fn(usize) -> bool) {
        gradient.retain(keep);
    }

    fn pass_over<O: Optimizer>(rows: impl Rows, until: u32, slots: &mut Self::Slots<O>) {
        slots.pass_over(rows, until);
    }

    fn catch_up_rows<O: Optimizer>(
        &mut self,
        rows: impl Rows,
        optimizer: &O,
        until: u32,
        slots: &mut Self::Slots<O>,
    ) {
        slots.catch_up(rows, optimizer, until, &mut self.rows);
    }
}
