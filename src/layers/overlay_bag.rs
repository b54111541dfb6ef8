//! A few trainable rows beside a table that is frozen.

use super::flow::{Keeps, Outputs};
use super::options::Sum;
use super::parameters::Learns;
use super::row_gradient::flows_into_rows;
use super::value::Bag;
use super::{
    BagPooling, Batch, BatchMut, ByRow, Bytes, Layer, LayerKind, LayerSummary, Record, Records, parameters,
};
use crate::error::CapacityExceeded;
use crate::optim::{Optimizer, Step};
use crate::passes::overlay;
use crate::table::{Index, Table};
use core::marker::PhantomData;
use rand_core::Rng;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// `ROWS` rows that learn, for a few of the many ids of a table that does not: the sum (or mean, or sum over
/// √n) of the rows of those ids of a bag that were given one.
///
/// A table in flash cannot learn, and a copy of it does not fit in RAM. What it gives is an input of this
/// layer's model, which [adds](super::Add) what these rows give; [`Corrected`](super::Corrected) holds the two.
/// Before a step, [`admit`](Self::admit) gives rows to ids. Ids without a row count as if they were not there:
/// they give nothing and learn nothing.
///
/// # Shapes
/// x [`Bag<CAPACITY, I>`](Bag) with any ids, E (`rows`) `[ROWS, DIM]`, y `[DIM]`.
///
/// A bag without a row gives zeros, and so does a row that has learnt nothing. Initial values: all rows zero
/// and free.
///
/// ```
/// use nanoembed::layers::{Bag, Layer, OverlayBag};
/// let mut overlay = OverlayBag::<8, 3, 2>::zeroed();
/// overlay.admit([40_000, 7])?;
/// let row = overlay.row_of(7).unwrap();
/// overlay.rows[row] = [1.0, 2.0];
/// assert_eq!(overlay.predict(&Bag::from_ids([7, 9, 40_000])?)?, [1.0, 2.0]);
///
/// let error = overlay.admit([7, 8, 9]).unwrap_err();
/// assert_eq!((error.capacity, error.needed), (3, 4));
/// assert_eq!(overlay.free(), 1); // nothing was written
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// An extent of 0 is a compile error:
///
/// ```compile_fail
/// use nanoembed::layers::{Layer, OverlayBag};
/// let _ = OverlayBag::<8, 0, 2>::zeroed();
/// ```
///
/// # Cost
/// 4 (DIM + 1) bytes a row. An id is found in a hash table as long as the table of rows: one that has no row
/// takes about (1 + 1 / (1 − a)²) / 2 looks at an id if a share a of the rows is taken, and `ROWS` if all are.
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct OverlayBag<const CAPACITY: usize, const ROWS: usize, const DIM: usize, P = Sum, I = u16> {
    /// E.
    pub rows: [[f32; DIM]; ROWS],
    ids: Ids<ROWS>,
    options: PhantomData<(P, I)>,
}

/// Which id has which row: number i is 0 if row i is free, else 1 + its id.
#[derive(Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(transparent)]
pub struct Ids<const ROWS: usize>([u32; ROWS]);

/// What is given, not learnt.
#[derive(Debug)]
pub struct Given;

parameters!(impl[const CAPACITY: usize, const ROWS: usize, const DIM: usize, P, I]
OverlayBag<CAPACITY, ROWS, DIM, P, I> {
    rows: [[f32; DIM]; ROWS] => ByRow<CAPACITY, 1>,
    ids: Ids<ROWS> => Given,
});

impl<const ROWS: usize> Bytes for Ids<ROWS> {
    const BYTES: usize = size_of::<[u32; ROWS]>();
    // Not a parameter: no number of it is shown.
    const IN_ARRAYS: bool = true;

    fn visit(&self, part: &mut dyn FnMut(&[u8])) {
        part(self.as_bytes());
    }

    fn visit_mut(&mut self, part: &mut dyn FnMut(&mut [u8])) {
        part(self.as_mut_bytes());
    }
}

impl<const ROWS: usize> Learns<Ids<ROWS>> for Given {
    type Gradient<const BATCH: usize> = ();
    type Slots<O: Optimizer> = ();

    fn sum_of_squares<const BATCH: usize>((): &mut (), _: bool, sum: f32) -> f32 {
        sum
    }

    fn step<O: Optimizer, const BATCH: usize>(
        _: &mut Ids<ROWS>,
        _: &O,
        _: Step<O::Rule>,
        (): &mut (),
        (): &mut (),
    ) {
    }

    fn flush<O: Optimizer>(_: &mut Ids<ROWS>, _: &O, _: u32, (): &mut ()) {}
}

impl<const CAPACITY: usize, const ROWS: usize, const DIM: usize, P, I: Index>
    OverlayBag<CAPACITY, ROWS, DIM, P, I>
{
    /// Gives a row to each of these ids that has none. An id that no table can have, negative or above
    /// `u32::MAX` − 1, is left out.
    ///
    /// # Errors
    /// If there are fewer free rows than ids that need one; no id has been given a row then. When the overlay is
    /// full, learn from the ids that have rows, or start anew with one of more rows.
    pub fn admit(
        &mut self,
        ids: impl IntoIterator<Item = I, IntoIter: Clone>,
    ) -> Result<(), CapacityExceeded> {
        let ids = ids.into_iter();
        let map = &mut self.ids.0;
        let free = map.iter().filter(|id| **id == 0).count();
        let is_new = |(place, id): &(usize, I)| {
            overlay::is_new(map, id.to_bits64()) && !ids.clone().take(*place).any(|other| other == *id)
        };
        let new = ids.clone().enumerate().filter(is_new).count();
        CapacityExceeded::check("rows of an overlay (ROWS)", ROWS, ROWS - free + new)?;
        for id in ids {
            overlay::insert(map, id.to_bits64());
        }
        Ok(())
    }

    /// How many more ids can be given a row.
    pub fn free(&self) -> usize {
        self.ids.0.iter().filter(|id| **id == 0).count()
    }

    /// The row of an id, if it was given one.
    pub fn row_of(&self, id: I) -> Option<usize> {
        overlay::row_of(&self.ids.0, id.to_bits64())
    }

    /// The rows of a bag.
    fn rows_of<'a>(&'a self, bag: &'a Bag<CAPACITY, I>) -> impl Iterator<Item = usize> + Clone + 'a {
        overlay::rows(&self.ids.0, bag.ids().iter().map(|id| id.to_bits64()))
    }
}

impl<const CAPACITY: usize, const ROWS: usize, const DIM: usize, P, I> Layer
    for OverlayBag<CAPACITY, ROWS, DIM, P, I>
where
    P: BagPooling,
    I: Index + FromZeros,
{
    type Input = Bag<CAPACITY, I>;
    type Output = [f32; DIM];
    type InputGradient = ();
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = Outputs<[f32; DIM], BATCH>;

    const NAME: &'static str = "OverlayBag";
    const RECORDS: Records = {
        assert!(
            CAPACITY > 0 && ROWS > 0 && DIM > 0,
            "OverlayBag<CAPACITY, ROWS, DIM>: all must be at least 1"
        );
        assert!(ROWS <= u32::MAX as usize, "OverlayBag<CAPACITY, ROWS, DIM>: at most u32::MAX rows");
        Records::layer(Record::new(LayerKind::OverlayBag, &[ROWS, DIM]).pooling(P::POOLING))
    };

    /// All rows zero and free.
    fn init(&mut self, _: &mut impl Rng) {
        self.zero();
    }

    fn infer<const BATCH: usize>(
        &self,
        x: Batch<'_, Bag<CAPACITY, I>>,
        (): &mut (),
        y: BatchMut<'_, [f32; DIM]>,
    ) {
        let table = Table::from_rows(&self.rows);
        for (bag, y) in x.values.iter().zip(y.values) {
            let ids = bag.ids().iter().map(|id| id.to_bits64());
            overlay::pool(&self.ids.0, table, ids, P::POOLING, y);
        }
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, Bag<CAPACITY, I>>,
        _: &mut Self::Cache<BATCH>,
        gradient: Option<&mut Self::Gradient<BATCH>>,
        _: Option<&mut [()]>,
    ) {
        let Some(gradient) = gradient else { return };
        let Some(d_rows) = gradient.rows.rows_mut(x.values.len()) else { return };
        for (bag, [d_row]) in x.values.iter().zip(d_rows) {
            if let Some(divisor) = overlay::divisor(P::POOLING, self.rows_of(bag).count()) {
                *d_row = d_row.map(|d| d / divisor);
            }
        }
        for bag in x.values {
            gradient.rows.push(self.rows_of(bag).map(|row| (row as u32, 0)));
        }
    }

    flows_into_rows!(|gradient, n| Some(gradient.rows.rows_mut(n)?.as_flattened_mut()));

    fn catch_up<O: Optimizer>(
        &mut self,
        x: &[Bag<CAPACITY, I>],
        optimizer: &O,
        until: u32,
        slots: &mut Self::Slots<O>,
    ) {
        let Self { rows, ids: Ids(map), .. } = self;
        let ids = x.iter().flat_map(|bag| bag.ids().iter().map(|id| id.to_bits64()));
        slots.rows.catch_up(overlay::rows(map, ids), optimizer, until, rows);
    }

    /// The ids of the rows are bytes, but no parameters.
    fn describe(visit: &mut dyn FnMut(LayerSummary)) {
        visit(LayerSummary {
            name: Self::NAME,
            shape: [DIM, 0],
            parameters: ROWS * DIM,
            bytes: Self::BYTES,
            trainable: true,
        });
    }
}
