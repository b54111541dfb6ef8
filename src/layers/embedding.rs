//! Ids to rows: the layer that the crate is named for.

use super::flow::{Keeps, Outputs};
use super::packed::TableLayer;
use super::row_gradient::flows_into_rows;
use super::value::Value;
use super::{Batch, BatchMut, ByRow, Layer, LayerKind, Record, Records, parameters, uniform};
use crate::error::InputError;
use crate::kernels::shaped::gather;
use crate::optim::Optimizer;
use crate::sparse::Rows;
use crate::table::{Format, Index, Indices, Numbers, Table};
use core::marker::PhantomData;
use rand_core::Rng;
use zerocopy::{FromBytes, Immutable, KnownLayout};

/// Whether id 0 is padding: [`NoMask`] or [`MaskZero`].
pub trait Masking: Copy {
    /// Keras' `mask_zero`.
    const MASK_ZERO: bool;
}

/// All ids are words.
#[derive(Clone, Copy, Debug)]
pub struct NoMask;
/// Id 0 is padding: the layers that follow leave its steps out.
#[derive(Clone, Copy, Debug)]
pub struct MaskZero;

impl Masking for NoMask {
    const MASK_ZERO: bool = false;
}
impl Masking for MaskZero {
    const MASK_ZERO: bool = true;
}

/// Keras' `Embedding(input_dim=ROWS, output_dim=DIM, input_length=LEN)`: y\[t\] = E\[id\[t\]\].
///
/// # Shapes
/// ids `[LEN]`, E (`rows`) `[ROWS, DIM]`, y `[LEN, DIM]`.
///
/// Initial values: E uniform in [−0.05, 0.05). With [`MaskZero`] steps with id 0 are marked as padding,
/// mask\[t\] = id\[t\] ≠ 0; row 0 is still gathered. In training only rows that occur learn; all others keep
/// their bits.
///
/// ```
/// use nanoembed::layers::{Embedding, Layer};
/// let mut words = Embedding::<3, 50, 8>::zeroed();
/// words.rows[7] = [1.0; 8];
/// assert_eq!(words.predict(&[7, 0, 7])?, [[1.0; 8], [0.0; 8], [1.0; 8]]);
/// # Ok::<(), nanoembed::error::InputError>(())
/// ```
///
/// An extent of 0 is a compile error:
///
/// ```compile_fail
/// use nanoembed::layers::{Embedding, Layer};
/// let _ = Embedding::<3, 0, 8>::zeroed();
/// ```
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Embedding<const LEN: usize, const ROWS: usize, const DIM: usize, I = u16, M = NoMask> {
    /// E.
    pub rows: [[f32; DIM]; ROWS],
    options: PhantomData<(I, M)>,
}

parameters!(impl[const LEN: usize, const ROWS: usize, const DIM: usize, I, M]
    Embedding<LEN, ROWS, DIM, I, M> { rows: [[f32; DIM]; ROWS] => ByRow<LEN, LEN> });

/// The record of an embedding of this kind, whose sizes are right.
pub(super) const fn record<I: Index, M: Masking>(kind: LayerKind, [len, rows, dim]: [usize; 3]) -> Record {
    assert!(len > 0 && rows > 0 && dim > 0, "Embedding<LEN, ROWS, DIM>: all must be at least 1");
    assert!(rows <= u32::MAX as usize, "Embedding<LEN, ROWS, DIM>: at most u32::MAX rows");
    assert!(
        rows as u64 - 1 <= I::MAX,
        "Embedding<LEN, ROWS, DIM>: the type of the ids (u16 where none is given) is too small for the rows: Embedding<LEN, ROWS, DIM, u32>"
    );
    Record::new(kind, &[len, rows, dim]).options([M::MASK_ZERO as u16, 0, 0])
}

/// Whether the ids of examples name rows of a table of `rows` rows.
pub(super) fn check_ids<const LEN: usize, I: Index>(
    inputs: &[[I; LEN]],
    rows: usize,
) -> Result<(), InputError> {
    Indices::new(inputs.as_flattened(), rows).map(drop).map_err(|error| InputError::of_examples(LEN, error))
}

/// Writes which steps are no padding.
pub(super) fn mask_ids<const LEN: usize, I: Index, M: Masking>(ids: &[[I; LEN]], masks: &mut [[bool; LEN]]) {
    for (mask, ids) in masks.iter_mut().zip(ids) {
        for (valid, id) in mask.iter_mut().zip(ids) {
            *valid = !M::MASK_ZERO || id.to_usize() != Some(0);
        }
    }
}

impl<const LEN: usize, const ROWS: usize, const DIM: usize, I, M> Layer for Embedding<LEN, ROWS, DIM, I, M>
where
    I: Index,
    [I; LEN]: Value<Mask = ()>,
    M: Masking,
{
    type Input = [I; LEN];
    type Output = [[f32; DIM]; LEN];
    type InputGradient = ();
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = Outputs<[[f32; DIM]; LEN], BATCH>;

    const NAME: &'static str = "Embedding";
    const RECORDS: Records = Records::layer(record::<I, M>(LayerKind::Embedding, [LEN, ROWS, DIM]));

    fn init(&mut self, random: &mut impl Rng) {
        uniform(self.rows.as_numbers_mut(), 0.05, random);
    }

    fn check(inputs: &[[I; LEN]]) -> Result<(), InputError> {
        check_ids(inputs, ROWS)
    }

    fn infer<const BATCH: usize>(
        &self,
        x: Batch<'_, [I; LEN]>,
        (): &mut (),
        y: BatchMut<'_, [[f32; DIM]; LEN]>,
    ) {
        Self::infer_from(self.table(), x, y);
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
            let rows = Indices::skipping(ids, ROWS);
            gradient.push(rows.iter().enumerate().filter_map(|(t, row)| Some((row? as u32, t))));
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
        self.catch_up_rows(Self::rows_of(x), optimizer, until, slots);
    }
}

impl<const LEN: usize, const ROWS: usize, const DIM: usize, I, M> TableLayer
    for Embedding<LEN, ROWS, DIM, I, M>
where
    I: Index,
    [I; LEN]: Value<Mask = ()>,
    M: Masking,
{
    const ROWS: usize = ROWS;
    const DIM: usize = DIM;

    fn table(&self) -> Table<'_> {
        Table::from_rows(&self.rows)
    }

    fn infer_from<F: Format>(
        table: Table<'_, F>,
        x: Batch<'_, [I; LEN]>,
        y: BatchMut<'_, [[f32; DIM]; LEN]>,
    ) {
        let ids = Indices::skipping(x.values.as_flattened(), ROWS);
        gather(table, ids, y.values.as_flattened_mut().as_flattened_mut());
        mask_ids::<LEN, I, M>(x.values, y.masks);
    }

    fn rows_of(x: &[[I; LEN]]) -> impl Rows {
        Indices::skipping(x.as_flattened(), ROWS).iter().flatten()
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
