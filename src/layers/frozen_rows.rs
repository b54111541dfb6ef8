//! A table of which some rows learn and others do not.

use super::packed::TableLayer;
use super::{
    ActivationKind, Batch, BatchMut, Bytes, Context, Layer, LayerSummary, Parameters, Records,
    bytes_of_fields,
};
use crate::error::{InputError, NotFinite, RowOutOfRange};
use crate::optim::{Optimizer, Step, has_bit};
use rand_core::Rng;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The layer `L`, an [`Embedding`](super::Embedding) or [`EmbeddingBag`](super::EmbeddingBag), with rows that
/// keep their bits: words with pretrained vectors stay while all others learn, or the other way round.
///
/// Which rows, the model keeps beside the table, a bit a row in `WORDS` = ceil(rows / 32) numbers: it is part
/// of images and checkpoints. At first none is frozen. A frozen row has no gradient, so it does not count in
/// a norm over the model either, and no weight decay. Where all rows are to stay, [`Frozen`](super::Frozen)
/// takes no memory for gradients.
///
/// ```
/// use nanoembed::layers::{Embedding, FrozenRows, Layer};
/// let mut words = FrozenRows::<Embedding<4, 50, 8>, 2>::zeroed();
/// words.layer.rows[7] = [1.0; 8];
/// words.freeze(7)?;
/// assert!(words.is_frozen(7) && !words.is_frozen(8));
/// assert!(words.freeze(50).is_err());
/// # Ok::<(), nanoembed::error::RowOutOfRange>(())
/// ```
///
/// Another `WORDS` is a compile error:
///
/// ```compile_fail
/// use nanoembed::layers::{Embedding, FrozenRows, Layer};
/// let _ = FrozenRows::<Embedding<4, 50, 8>, 1>::zeroed();
/// ```
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct FrozenRows<L, const WORDS: usize> {
    /// The layer.
    pub layer: L,
    frozen: Bits<WORDS>,
}

bytes_of_fields!(impl[L: Bytes, const WORDS: usize] FrozenRows<L, WORDS> { layer: L, frozen: Bits<WORDS> });

/// A bit for each row.
#[derive(Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(transparent)]
pub struct Bits<const WORDS: usize>([u32; WORDS]);

impl<const WORDS: usize> Bits<WORDS> {
    fn contains(&self, row: usize) -> bool {
        has_bit(&self.0, row)
    }

    fn set(&mut self, row: usize, to: bool) {
        if let Some(word) = self.0.get_mut(row / 32) {
            let bit = 1 << (row % 32);
            *word = if to { *word | bit } else { *word & !bit };
        }
    }
}

impl<const WORDS: usize> Bytes for Bits<WORDS> {
    const BYTES: usize = size_of::<[u32; WORDS]>();
    // A choice, not a parameter.
    const IN_ARRAYS: bool = true;

    fn visit(&self, part: &mut dyn FnMut(&[u8])) {
        part(self.as_bytes());
    }

    fn visit_mut(&mut self, part: &mut dyn FnMut(&mut [u8])) {
        part(self.as_mut_bytes());
    }
}

impl<L: TableLayer, const WORDS: usize> FrozenRows<L, WORDS> {
    /// From here on the row keeps its bits.
    ///
    /// An exact form must be up to date when a row is frozen or thawed, as it is after an epoch or a
    /// [`flush`](crate::train::Trainer::flush): a frozen row then has nothing to make up for, neither
    /// momentum nor decay of its weights.
    ///
    /// # Errors
    /// If the table has no such row.
    pub fn freeze(&mut self, row: usize) -> Result<(), RowOutOfRange> {
        RowOutOfRange::check(row, L::ROWS)?;
        self.frozen.set(row, true);
        Ok(())
    }

    /// From here on the row learns, with the moments that it had when it was frozen. See
    /// [`freeze`](Self::freeze) for exact forms.
    ///
    /// # Errors
    /// If the table has no such row.
    pub fn thaw(&mut self, row: usize) -> Result<(), RowOutOfRange> {
        RowOutOfRange::check(row, L::ROWS)?;
        self.frozen.set(row, false);
        Ok(())
    }

    /// Whether the row keeps its bits.
    pub fn is_frozen(&self, row: usize) -> bool {
        self.frozen.contains(row)
    }
}

/// A filter on rows: those that are frozen have no gradient and are up to date.
impl<L: TableLayer, const WORDS: usize> Parameters for FrozenRows<L, WORDS> {
    type Gradient<const BATCH: usize> = L::Gradient<BATCH>;
    type Slots<O: Optimizer> = L::Slots<O>;

    const HAS_ROWS: bool = L::HAS_ROWS;

    fn sum_of_squares<const BATCH: usize>(
        gradient: &mut L::Gradient<BATCH>,
        keras3_duplicates: bool,
        sum: f32,
    ) -> f32 {
        L::sum_of_squares::<BATCH>(gradient, keras3_duplicates, sum)
    }

    fn step<O: Optimizer, const BATCH: usize>(
        &mut self,
        optimizer: &O,
        step: Step<O::Rule>,
        gradient: &mut L::Gradient<BATCH>,
        slots: &mut Self::Slots<O>,
    ) {
        self.layer.step::<O, BATCH>(optimizer, step, gradient, slots);
    }

    fn flush<O: Optimizer>(&mut self, optimizer: &O, until: u32, slots: &mut Self::Slots<O>) {
        let Self { layer, frozen } = self;
        L::pass_over((0..L::ROWS).filter(|row| frozen.contains(*row)), until, slots);
        let rows = (0..L::ROWS).filter(|row| !frozen.contains(*row));
        layer.catch_up_rows(rows, optimizer, until, slots);
    }
}

impl<L: TableLayer, const WORDS: usize> Layer for FrozenRows<L, WORDS> {
    type Input = L::Input;
    type Output = L::Output;
    type InputGradient = L::InputGradient;
    type Workspace<const BATCH: usize> = L::Workspace<BATCH>;
    type Cache<const BATCH: usize> = L::Cache<BATCH>;

    const ACTIVATION: ActivationKind = L::ACTIVATION;
    const LAST_ACTIVATION: ActivationKind = L::LAST_ACTIVATION;
    const LAYERS: usize = L::LAYERS;
    const NAME: &'static str = L::NAME;
    const RECORDS: Records = {
        assert!(WORDS == L::ROWS.div_ceil(32), "FrozenRows<L, WORDS>: WORDS must be ceil(rows / 32)");
        Records::layer(L::RECORDS.table().frozen_rows())
    };
    const STALLS_AT_ZERO: bool = L::STALLS_AT_ZERO;

    /// Leaves which rows are frozen as it is; their numbers are drawn like all others.
    fn init(&mut self, random: &mut impl Rng) {
        self.layer.init(random);
    }

    fn check(inputs: &[L::Input]) -> Result<(), InputError> {
        L::check(inputs)
    }

    fn infer<const BATCH: usize>(
        &self,
        x: Batch<'_, L::Input>,
        workspace: &mut L::Workspace<BATCH>,
        y: BatchMut<'_, L::Output>,
    ) {
        self.layer.infer(x, workspace, y);
    }

    fn forward<const BATCH: usize>(
        &self,
        x: BatchMut<'_, L::Input>,
        cache: &mut L::Cache<BATCH>,
        context: Context,
    ) {
        self.layer.forward::<BATCH>(x, cache, context);
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, L::Input>,
        cache: &mut L::Cache<BATCH>,
        gradient: Option<&mut L::Gradient<BATCH>>,
        d_x: Option<&mut [L::InputGradient]>,
    ) {
        let Some(gradient) = gradient else { return self.layer.backward::<BATCH>(x, cache, None, d_x) };
        self.layer.backward::<BATCH>(x, cache, Some(&mut *gradient), d_x);
        L::retain(gradient, |row| !self.is_frozen(row));
    }

    fn outputs<'a, const BATCH: usize>(
        x: BatchMut<'a, L::Input>,
        cache: &'a mut L::Cache<BATCH>,
    ) -> BatchMut<'a, L::Output> {
        L::outputs::<BATCH>(x, cache)
    }

    fn flows<'a, const BATCH: usize>(
        x: Batch<'a, L::Input>,
        cache: &'a mut L::Cache<BATCH>,
        gradient: Option<&'a mut L::Gradient<BATCH>>,
        d_x: Option<&'a mut [L::InputGradient]>,
    ) -> (Batch<'a, L::Output>, Option<&'a mut [L::Output]>) {
        L::flows::<BATCH>(x, cache, gradient, d_x)
    }

    fn catch_up<O: Optimizer>(
        &mut self,
        x: &[L::Input],
        optimizer: &O,
        until: u32,
        slots: &mut Self::Slots<O>,
    ) {
        let Self { layer, frozen } = self;
        L::pass_over(L::rows_of(x).filter(|row| frozen.contains(*row)), until, slots);
        let rows = L::rows_of(x).filter(|row| !frozen.contains(*row));
        layer.catch_up_rows(rows, optimizer, until, slots);
    }

    fn not_finite<const BATCH: usize>(
        &self,
        x: Batch<'_, L::Input>,
        cache: &mut L::Cache<BATCH>,
    ) -> Option<NotFinite> {
        self.layer.not_finite::<BATCH>(x, cache)
    }

    fn describe(visit: &mut dyn FnMut(LayerSummary)) {
        L::describe(&mut |layer| visit(LayerSummary { bytes: Self::BYTES, ..layer }));
    }
}
