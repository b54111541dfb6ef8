//! A pool and the linear layer after it, made into one table of integers.

use super::embedding_bag::{BagPooling, Mean, check_bags};
use super::flow::Outputs;
use super::packed::PackedRow;
use super::scores::Scores;
use super::value::Bag;
use super::{Batch, BatchMut, Bytes, Layer, LayerKind, LayerSummary, Record, Records, parameters};
use crate::error::InputError;
use crate::memory::padding;
use crate::passes::folded;
use crate::slices::first_mut;
use crate::table::{Format, Index, Indices, IntegerFormat, Pooling, Table};
use core::marker::PhantomData;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// The rows of a [`Folded`] layer: all of them, `[R; ROWS]`, or [`KeptRows`].
pub trait FoldedRows: FromBytes + KnownLayout + Immutable {
    /// How they are stored.
    type Format: IntegerFormat;
    /// Rows that ids name.
    const ROWS: usize;
    /// Rows that are kept.
    const KEPT: usize;
    /// Scores in a row.
    const DIM: usize;
    /// Evaluated by what uses the rows; asserts that their sizes agree.
    const CHECK: () = ();

    /// The scores of the rows that are kept.
    fn codes(&self) -> Table<'_, Self::Format>;

    /// Which rows they are of; `None` if of all.
    fn kept(&self) -> Option<&[[u32; 2]]>;

    /// Shows the bytes.
    fn visit(&self, part: &mut dyn FnMut(&[u8]));

    /// The same, to write.
    fn visit_mut(&mut self, part: &mut dyn FnMut(&mut [u8]));
}

impl<R: PackedRow<Format: IntegerFormat>, const ROWS: usize> FoldedRows for [R; ROWS] {
    type Format = R::Format;
    const ROWS: usize = ROWS;
    const KEPT: usize = ROWS;
    const DIM: usize = R::DIM;
    const CHECK: () = R::CHECK;

    fn codes(&self) -> Table<'_, R::Format> {
        Table::from_packed(self, R::DIM)
    }

    fn kept(&self) -> Option<&[[u32; 2]]> {
        None
    }

    fn visit(&self, part: &mut dyn FnMut(&[u8])) {
        part(self.as_bytes());
        part(const { padding(size_of::<Self>()) });
    }

    fn visit_mut(&mut self, part: &mut dyn FnMut(&mut [u8])) {
        part(self.as_mut_bytes());
        let mut rest = [0; 3];
        part(first_mut(&mut rest, const { padding(size_of::<Self>()).len() }));
    }
}

/// `KEPT` of `ROWS` rows `R`, and a bitmap that names them in `WORDS` = ⌈`ROWS` / 32⌉ pairs of words. An id
/// whose row was left out counts as if it were not there.
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct KeptRows<R, const KEPT: usize, const ROWS: usize, const WORDS: usize> {
    rows: [R; KEPT],
    kept: [[u32; 2]; WORDS],
}

impl<R, const KEPT: usize, const ROWS: usize, const WORDS: usize> FoldedRows
    for KeptRows<R, KEPT, ROWS, WORDS>
where
    R: PackedRow<Format: IntegerFormat>,
{
    type Format = R::Format;
    const ROWS: usize = ROWS;
    const KEPT: usize = KEPT;
    const DIM: usize = R::DIM;
    const CHECK: () = {
        let () = R::CHECK;
        assert!(KEPT < ROWS, "KeptRows<R, KEPT, ROWS, WORDS>: with KEPT = ROWS write [R; ROWS]");
        assert!(WORDS == ROWS.div_ceil(32), "KeptRows<R, KEPT, ROWS, WORDS>: WORDS must be ceil(ROWS / 32)");
    };

    fn codes(&self) -> Table<'_, R::Format> {
        Table::from_packed(&self.rows, R::DIM)
    }

    fn kept(&self) -> Option<&[[u32; 2]]> {
        Some(&self.kept)
    }

    fn visit(&self, part: &mut dyn FnMut(&[u8])) {
        self.rows.visit(part);
        part(self.kept.as_bytes());
    }

    fn visit_mut(&mut self, part: &mut dyn FnMut(&mut [u8])) {
        self.rows.visit_mut(part);
        part(self.kept.as_mut_bytes());
    }
}

/// A bag classifier as one table of integers: `EmbeddingBag` and `Dense` after each other, of which
/// `models::fold` (feature `alloc`) made the scores of each class for each row.
///
/// y = scale · Σ q\[id\] / n, the mean of the rows of n ids; with [`Sum`](super::options::Sum), scale · (bias
/// + Σ q\[id\]). The biases of a mean stand in its rows; scale · bias / 4096 is the answer to an empty bag.
///
/// # Shapes
/// x [`Bag<CAPACITY, I>`](Bag), q (`T`) `[ROWS, CLASSES]`, y `[CLASSES]`.
///
/// A text costs an addition for each of its ids and each class. Sums are 32-bit integers: they are exact in
/// any order, and need no floating-point unit. [`scores`](Self::scores) takes the ids of a text as they
/// come, without a `Bag` and its capacity, and no float is used:
///
#[cfg_attr(feature = "alloc", doc = "```")]
#[cfg_attr(not(feature = "alloc"), doc = "```ignore")]
/// use nanoembed::{image, layers::*, models::{self, Folding}, sequential, table::RowFormat};
/// use nanoembed::text::HashingTokenizer;
/// type Trained = sequential![EmbeddingBag<64, 50, 4>, Dense<4, 2, Softmax>];
/// type Shipped = sequential![Folded<[I8Row<2>; 50], 2>, Activation<[f32; 2], Softmax>];
/// const TOKENIZER: HashingTokenizer = HashingTokenizer::for_table::<Shipped>();
///
/// // On the host: a model that has learnt one word.
/// let mut trained = Trained::zeroed();
/// let [word]: [usize; 1] = TOKENIZER.encode("awful")?;
/// trained.first.rows[word] = [1.0; 4];
/// trained.second.kernel = [[-1.0, 1.0]; 4];
/// let image = models::fold(&trained, Folding::new(RowFormat::I8), &Default::default())?;
///
/// // In the firmware.
/// let model: &Shipped = image::read(&image)?;
/// let scores = model.first.scores(TOKENIZER.ids("What an awful place!"));
/// assert_eq!(scores.class(), 1);
/// assert!(scores.probabilities()[1] > 50_000); // of 65,535
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It does not learn. Nothing but `[I8Row<CLASSES>; ROWS]`, `[I4Row<CLASSES, BYTES>; ROWS]` and [`KeptRows`]
/// of them is a `T`.
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C, align(4))]
pub struct Folded<T: FoldedRows, const CLASSES: usize, const CAPACITY: usize = 64, P = Mean, I = u16> {
    rows: T,
    scale: f32,
    bias: [i32; CLASSES],
    options: PhantomData<(P, I)>,
}

impl<T: FoldedRows, const CLASSES: usize, const CAPACITY: usize, P: BagPooling, I>
    Folded<T, CLASSES, CAPACITY, P, I>
{
    /// The scores of the rows that these ids name, which are added as they come: up to 8 million. An id
    /// without a row, or whose row was left out, counts as if it were not there.
    #[inline]
    pub fn scores(&self, ids: impl IntoIterator<Item = usize>) -> Scores<CLASSES> {
        let mut sums = [0; CLASSES];
        let count = self.view().sum(ids.into_iter(), &mut sums);
        Scores { sums, count, scale: self.scale }
    }

    fn view(&self) -> folded::Folded<'_, T::Format> {
        folded::Folded {
            codes: self.rows.codes().with_scale(self.scale),
            kept: self.rows.kept(),
            bias: &self.bias,
            pooling: P::POOLING,
        }
    }
}

impl<T: FoldedRows, const CLASSES: usize, const CAPACITY: usize, P, I> Bytes
    for Folded<T, CLASSES, CAPACITY, P, I>
{
    const BYTES: usize = size_of::<Self>();

    fn visit(&self, part: &mut dyn FnMut(&[u8])) {
        self.rows.visit(part);
        part(self.scale.as_bytes());
        part(self.bias.as_bytes());
    }

    fn visit_mut(&mut self, part: &mut dyn FnMut(&mut [u8])) {
        self.rows.visit_mut(part);
        part(self.scale.as_mut_bytes());
        part(self.bias.as_mut_bytes());
    }
}

parameters!(@nothing impl[T: FoldedRows, const CLASSES: usize, const CAPACITY: usize, P, I]
    Folded<T, CLASSES, CAPACITY, P, I>);

impl<T, const CLASSES: usize, const CAPACITY: usize, P, I> Layer for Folded<T, CLASSES, CAPACITY, P, I>
where
    T: FoldedRows,
    P: BagPooling,
    I: Index + FromZeros,
{
    type Input = Bag<CAPACITY, I>;
    type Output = [f32; CLASSES];
    type InputGradient = ();
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = Outputs<[f32; CLASSES], BATCH>;

    const NAME: &'static str = "Folded";
    const RECORDS: Records = {
        let () = T::CHECK;
        assert!(T::KEPT > 0 && CLASSES > 0, "Folded<T, CLASSES>: rows and classes must be at least 1");
        assert!(T::DIM == CLASSES, "Folded<T, CLASSES>: the rows have another number of classes");
        assert!(
            T::ROWS as u64 - 1 <= I::MAX,
            "Folded<T, CLASSES, CAPACITY, P, I>: I is too small for the rows"
        );
        assert!(
            matches!(P::POOLING, Pooling::Mean | Pooling::Sum),
            "Folded<T, CLASSES, CAPACITY, P>: P must be Mean or Sum"
        );
        let record = Record::new(LayerKind::Folded, &[T::ROWS, CLASSES, T::KEPT]);
        Records::layer(record.format(T::Format::ROW_FORMAT).pooling(P::POOLING))
    };

    fn check(inputs: &[Bag<CAPACITY, I>]) -> Result<(), InputError> {
        check_bags(inputs, T::ROWS)
    }

    fn infer<const BATCH: usize>(
        &self,
        x: Batch<'_, Bag<CAPACITY, I>>,
        (): &mut (),
        y: BatchMut<'_, [f32; CLASSES]>,
    ) {
        for (bag, y) in x.values.iter().zip(y.values) {
            self.view().logits(Indices::skipping(bag.ids(), T::ROWS).iter().flatten(), y);
        }
    }

    fn backward<const BATCH: usize>(
        &self,
        _: Batch<'_, Bag<CAPACITY, I>>,
        _: &mut Self::Cache<BATCH>,
        _: Option<&mut ()>,
        _: Option<&mut [()]>,
    ) {
    }

    fn describe(visit: &mut dyn FnMut(LayerSummary)) {
        visit(LayerSummary {
            name: Self::NAME,
            shape: [CLASSES, 0],
            parameters: T::KEPT * CLASSES + CLASSES,
            bytes: Self::BYTES,
            trainable: false,
        });
    }
}
