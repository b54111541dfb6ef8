//! Tables of 16, 8, 4 or 2 bits a number inside a model: trained as `f32`, shipped packed, read where they lie.

use super::flow::Outputs;
use super::{ActivationKind, Batch, BatchMut, Bytes, Layer, LayerSummary, Records, parameters};
use crate::error::InputError;
use crate::kernels::shaped::quantise;
use crate::memory::padding;
use crate::optim::Optimizer;
use crate::slices::first_mut;
use crate::sparse::Rows;
use crate::table::{Bf16, F16, Format, I4, I8, Table, TableMut, U2, U4, U8};
use core::marker::PhantomData;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A row of a packed table as plain bytes: [`F16Row`], [`Bf16Row`], [`U8Row`], [`U4Row`], [`U2Row`], [`I8Row`]
/// or [`I4Row`].
pub trait PackedRow: FromBytes + IntoBytes + KnownLayout + Immutable + sealed::Sealed {
    /// How its numbers are stored.
    type Format: Format;
    /// How many there are.
    const DIM: usize;
    /// Evaluated by what uses a row; asserts that its bytes are those of `DIM` numbers.
    #[doc(hidden)]
    const CHECK: () = ();
}

mod sealed {
    pub trait Sealed {}
}

/// `DIM` numbers in [`F16`]: half the bytes of `f32`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(transparent)]
pub struct F16Row<const DIM: usize>([u16; DIM]);

/// `DIM` numbers in [`Bf16`]: half the bytes of `f32`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(transparent)]
pub struct Bf16Row<const DIM: usize>([u16; DIM]);

/// `DIM` numbers in [`U8`]: `DIM + 8` bytes, instead of `4 DIM`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct U8Row<const DIM: usize> {
    codes: [u8; DIM],
    scale_and_bias: [u8; 8],
}

/// `DIM` numbers in [`U4`]: `BYTES` = ⌈`DIM` / 2⌉ + 4.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(transparent)]
pub struct U4Row<const DIM: usize, const BYTES: usize>([u8; BYTES]);

/// `DIM` numbers in [`U2`]: `BYTES` = ⌈`DIM` / 4⌉ + 4.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(transparent)]
pub struct U2Row<const DIM: usize, const BYTES: usize>([u8; BYTES]);

/// `DIM` numbers in [`I8`]: a byte each.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(transparent)]
pub struct I8Row<const DIM: usize>([u8; DIM]);

/// `DIM` numbers in [`I4`]: `BYTES` = ⌈`DIM` / 2⌉.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(transparent)]
pub struct I4Row<const DIM: usize, const BYTES: usize>([u8; BYTES]);

impl<const DIM: usize> sealed::Sealed for F16Row<DIM> {}
impl<const DIM: usize> sealed::Sealed for Bf16Row<DIM> {}
impl<const DIM: usize> sealed::Sealed for U8Row<DIM> {}
impl<const DIM: usize, const BYTES: usize> sealed::Sealed for U4Row<DIM, BYTES> {}
impl<const DIM: usize, const BYTES: usize> sealed::Sealed for U2Row<DIM, BYTES> {}

impl<const DIM: usize> sealed::Sealed for I8Row<DIM> {}
impl<const DIM: usize, const BYTES: usize> sealed::Sealed for I4Row<DIM, BYTES> {}

impl<const DIM: usize> PackedRow for F16Row<DIM> {
    type Format = F16;
    const DIM: usize = DIM;
}

impl<const DIM: usize> PackedRow for Bf16Row<DIM> {
    type Format = Bf16;
    const DIM: usize = DIM;
}

impl<const DIM: usize> PackedRow for U8Row<DIM> {
    type Format = U8;
    const DIM: usize = DIM;
}

impl<const DIM: usize, const BYTES: usize> PackedRow for U4Row<DIM, BYTES> {
    type Format = U4;
    const DIM: usize = DIM;
    const CHECK: () =
        assert!(BYTES == DIM.div_ceil(2) + 4, "U4Row<DIM, BYTES>: BYTES must be ceil(DIM / 2) + 4");
}

impl<const DIM: usize, const BYTES: usize> PackedRow for U2Row<DIM, BYTES> {
    type Format = U2;
    const DIM: usize = DIM;
    const CHECK: () =
        assert!(BYTES == DIM.div_ceil(4) + 4, "U2Row<DIM, BYTES>: BYTES must be ceil(DIM / 4) + 4");
}

impl<const DIM: usize> PackedRow for I8Row<DIM> {
    type Format = I8;
    const DIM: usize = DIM;
}

impl<const DIM: usize, const BYTES: usize> PackedRow for I4Row<DIM, BYTES> {
    type Format = I4;
    const DIM: usize = DIM;
    const CHECK: () = assert!(BYTES == DIM.div_ceil(2), "I4Row<DIM, BYTES>: BYTES must be ceil(DIM / 2)");
}

/// What the table of rows `R` is scaled by.
type ScaleOf<R> = <<R as PackedRow>::Format as Format>::Scale;

/// A layer that is nothing but a table, and whose outputs can be computed from a table of another format:
/// [`Embedding`](super::Embedding), [`EmbeddingBag`](super::EmbeddingBag).
pub trait TableLayer: Layer {
    /// Rows of the table.
    const ROWS: usize;
    /// Numbers in a row.
    const DIM: usize;

    /// The layer's table.
    fn table(&self) -> Table<'_>;

    /// [`infer`](Layer::infer) with the rows of `table`.
    fn infer_from<F: Format>(table: Table<'_, F>, x: Batch<'_, Self::Input>, y: BatchMut<'_, Self::Output>);

    /// The rows that inputs name, in order.
    fn rows_of(x: &[Self::Input]) -> impl Rows;

    /// Forgets the gradients of the rows that `keep` does not keep.
    fn retain<const BATCH: usize>(gradient: &mut Self::Gradient<BATCH>, keep: impl Fn(usize) -> bool);

    /// Takes these rows for up to date at step `until`, as they are.
    fn pass_over<O: Optimizer>(rows: impl Rows, until: u32, slots: &mut Self::Slots<O>);

    /// [`catch_up`](Layer::catch_up) of these rows.
    fn catch_up_rows<O: Optimizer>(
        &mut self,
        rows: impl Rows,
        optimizer: &O,
        until: u32,
        slots: &mut Self::Slots<O>,
    );
}

/// The layer `L` with its table of `ROWS` rows `R`: for inference, made from a trained `L` by
/// [`quantise_from`](Self::quantise_from).
///
/// A table of 20,000 words in 64 numbers takes 5120 KB as `f32`, 2560 KB with [`F16Row`], 1440 KB with
/// [`U8Row`], 720 KB with [`U4Row`] and 400 KB with [`U2Row`]. It is read from where it lies, so an image in
/// flash takes no RAM.
///
/// How many bytes a row takes, by its format and DIM, and when to choose it:
///
/// | row | bytes | DIM 4 | 8 | 16 | 64 | choose it |
/// |---|---|---|---|---|---|---|
/// | `f32` | 4 DIM | 16 | 32 | 64 | 256 | to train |
/// | [`F16Row`], [`Bf16Row`] | 2 DIM | 8 | 16 | 32 | 128 | up to DIM 8, where it is as small as [`U8Row`], nearer, and has no scale to apply |
/// | [`U8Row`] | DIM + 8 | 12 | 16 | 24 | 72 | above DIM 8 |
/// | [`U4Row`] | ⌈DIM / 2⌉ + 4 | 6 | 8 | 12 | 36 | where 16 values a row are enough |
/// | [`U2Row`] | ⌈DIM / 4⌉ + 4 | 5 | 6 | 8 | 20 | where 4 values a row are enough |
/// | [`I8Row`] | DIM | 4 | 8 | 16 | 64 | the smallest of 8 bits, most so for short rows; bags are sums of integers |
/// | [`I4Row`] | ⌈DIM / 2⌉ | 2 | 4 | 8 | 32 | the same for 4 bits |
///
/// A row of [`U8Row`], [`U4Row`] or [`U2Row`] keeps its scale and bias beside its codes: the 8 or 4 bytes that
/// make short rows no smaller. [`I8Row`] and [`I4Row`] share one scale, so their rows should be of about the
/// same size, as those of trained tables are.
///
/// Up to three bytes after the rows fill up the last four, so that numbers can follow; the scale of [`I8Row`] and
/// [`I4Row`] is the first number after them.
///
/// ```
/// use nanoembed::{layers::*, sequential};
/// type Trained = sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
/// type Shipped = sequential![Packed<Embedding<4, 50, 8>, U8Row<8>, 50>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
///
/// let mut words = Embedding::<4, 50, 8>::zeroed();
/// words.rows[7] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 255.0];
/// let mut packed = Packed::<Embedding<4, 50, 8>, U8Row<8>, 50>::zeroed();
/// packed.quantise_from(&words);
/// assert_eq!(packed.predict(&[7, 0, 7, 7])?, words.predict(&[7, 0, 7, 7])?);
/// assert_eq!((size_of_val(&words), size_of_val(&packed)), (1600, 800));
/// # Ok::<(), nanoembed::error::InputError>(())
/// ```
///
/// Rows of another shape than the layer's are a compile error, and so is a wrong number of bytes:
///
/// ```compile_fail
/// use nanoembed::layers::{Embedding, Layer, Packed, U8Row};
/// let _ = Packed::<Embedding<4, 50, 8>, U8Row<7>, 50>::zeroed();
/// ```
///
/// ```compile_fail
/// use nanoembed::layers::{Embedding, Layer, Packed, U4Row};
/// let _ = Packed::<Embedding<4, 50, 8>, U4Row<8, 9>, 50>::zeroed();
/// ```
// Aligned, so that the numbers of a layer after it can follow whatever the bytes of the rows are.
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C, align(4))]
pub struct Packed<L, R: PackedRow, const ROWS: usize> {
    rows: [R; ROWS],
    scale: ScaleOf<R>,
    layer: PhantomData<L>,
}

impl<L: TableLayer, R: PackedRow, const ROWS: usize> Packed<L, R, ROWS> {
    /// The table, to be read.
    pub fn table(&self) -> Table<'_, R::Format> {
        Table::<R::Format>::from_packed(&self.rows, R::DIM).scaled(self.scale)
    }

    /// Takes over the table of `layer`, rounded to the format of the rows; that of integers with the scale
    /// of the least squared error ([`I8::scale_of`](crate::table::I8::scale_of)), which is NaN if a number of
    /// the table is infinite or NaN.
    pub fn quantise_from(&mut self, layer: &L) {
        let _: u64 = const { Self::FINGERPRINT.value() };
        self.scale = R::Format::scale_for(layer.table().iter());
        let mut rows = TableMut::<R::Format>::from_packed(&mut self.rows, R::DIM).scaled(self.scale);
        quantise(layer.table(), &mut rows);
    }
}

impl<L: TableLayer, R: PackedRow, const ROWS: usize> Bytes for Packed<L, R, ROWS> {
    const BYTES: usize = size_of::<Self>();

    #[inline]
    fn visit(&self, part: &mut dyn FnMut(&[u8])) {
        part(self.rows.as_bytes());
        part(const { padding(size_of::<[R; ROWS]>()) });
        part(self.scale.as_bytes());
    }

    #[inline]
    fn visit_mut(&mut self, part: &mut dyn FnMut(&mut [u8])) {
        part(self.rows.as_mut_bytes());
        let mut rest = [0; 3];
        part(first_mut(&mut rest, const { padding(size_of::<[R; ROWS]>()).len() }));
        part(self.scale.as_mut_bytes());
    }
}

parameters!(@nothing impl[L: TableLayer, R: PackedRow, const ROWS: usize] Packed<L, R, ROWS>);

impl<L: TableLayer, R: PackedRow, const ROWS: usize> Layer for Packed<L, R, ROWS> {
    type Input = L::Input;
    type Output = L::Output;
    type InputGradient = L::InputGradient;
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = Outputs<L::Output, BATCH>;

    const ACTIVATION: ActivationKind = L::ACTIVATION;
    const NAME: &'static str = L::NAME;
    const RECORDS: Records = {
        let () = R::CHECK;
        assert!(ROWS == L::ROWS, "Packed<L, R, ROWS>: L has another number of rows");
        assert!(R::DIM == L::DIM, "Packed<L, R, ROWS>: the rows of L have another dim");
        Records::layer(L::RECORDS.table().format(R::Format::ROW_FORMAT))
    };

    fn check(inputs: &[L::Input]) -> Result<(), InputError> {
        L::check(inputs)
    }

    fn infer<const BATCH: usize>(&self, x: Batch<'_, L::Input>, (): &mut (), y: BatchMut<'_, L::Output>) {
        L::infer_from(self.table(), x, y);
    }

    fn backward<const BATCH: usize>(
        &self,
        _: Batch<'_, L::Input>,
        _: &mut Self::Cache<BATCH>,
        _: Option<&mut ()>,
        _: Option<&mut [L::InputGradient]>,
    ) {
    }

    fn describe(visit: &mut dyn FnMut(LayerSummary)) {
        L::describe(&mut |layer| visit(LayerSummary { bytes: Self::BYTES, trainable: false, ..layer }));
    }
}
