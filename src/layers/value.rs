//! What flows between layers: values, and beside them the masks of sequences.

use crate::error::CapacityExceeded;
use crate::message::Message;
use crate::slices::{self, first};
use crate::table::Index;
use zerocopy::FromZeros;

/// One example of what a layer takes or gives.
///
/// Sequences carry a mask beside their values: `true` where a step is valid, `false` where it is padding.
pub trait Value: Copy + FromZeros {
    /// `[bool; LEN]` for a sequence, `()` for everything else.
    type Mask: Copy + FromZeros;
    /// The mask of an example without padding.
    const VALID: Self::Mask;
    /// The extents of one example, outermost first; 0 ends the list.
    const SHAPE: [usize; 2];
    /// The same in words, for the errors of layers that do not fit: `8 numbers`.
    const WORDS: Message<64> = numbers(Self::SHAPE);
    /// How many inputs it is: those of both parts of a [`Pair`], else 1.
    const INPUTS: usize = 1;

    /// Whether all numbers are finite; ids are.
    fn is_finite(&self) -> bool {
        true
    }

    /// The mask of steps that are valid in one of two sequences at least.
    fn valid_in_either(_: &Self::Mask, _: &Self::Mask) -> Self::Mask {
        Self::VALID
    }
}

/// A shape in words.
const fn numbers(shape: [usize; 2]) -> Message<64> {
    let words = match shape {
        [n, 0] => Message::new().number(n),
        [len, dim] => Message::new().number(len).text(" x ").number(dim),
    };
    words.text(" numbers")
}

impl<const N: usize> Value for [f32; N] {
    type Mask = ();
    const VALID: () = ();
    const SHAPE: [usize; 2] = [N, 0];

    fn is_finite(&self) -> bool {
        self.iter().all(|x| x.is_finite())
    }
}

impl<const DIM: usize, const LEN: usize> Value for [[f32; DIM]; LEN] {
    type Mask = [bool; LEN];
    const VALID: [bool; LEN] = [true; LEN];
    const SHAPE: [usize; 2] = [LEN, DIM];

    fn is_finite(&self) -> bool {
        self.as_flattened().iter().all(|x| x.is_finite())
    }

    fn valid_in_either(a: &[bool; LEN], b: &[bool; LEN]) -> [bool; LEN] {
        let mut either = *a;
        for (either, b) in either.iter_mut().zip(b) {
            *either |= b;
        }
        either
    }
}

/// Codes of 8 bits, which layers of [`integer`](super::integer) pass on; ids are no `i8`.
impl<const N: usize> Value for [i8; N] {
    type Mask = ();
    const VALID: () = ();
    const SHAPE: [usize; 2] = [N, 0];
    const WORDS: Message<64> = Message::new().number(N).text(" codes");
}

impl<const DIM: usize, const LEN: usize> Value for [[i8; DIM]; LEN] {
    type Mask = [bool; LEN];
    const VALID: [bool; LEN] = [true; LEN];
    const SHAPE: [usize; 2] = [LEN, DIM];
    const WORDS: Message<64> = Message::new().number(LEN).text(" x ").number(DIM).text(" codes");
}

macro_rules! ids_are_values {
    ($($id:ty)*) => {$(
        impl<const LEN: usize> Value for [$id; LEN] {
            type Mask = ();
            const VALID: () = ();
            const SHAPE: [usize; 2] = [LEN, 0];
            const WORDS: Message<64> = Message::new().number(LEN).text(concat!(" ids of ", stringify!($id)));
        }
    )*};
}
ids_are_values!(u8 u16 u32 u64 usize i32 i64);

/// The ids of one text, at most `CAPACITY`: the input of [`EmbeddingBag`](super::EmbeddingBag).
///
/// ```
/// use nanoembed::layers::Bag;
/// let bag = Bag::<8>::from_ids([11, 21])?;
/// assert_eq!(bag.ids(), [11, 21]);
/// # Ok::<(), nanoembed::error::CapacityExceeded>(())
/// ```
#[derive(Clone, Copy, Debug, FromZeros)]
pub struct Bag<const CAPACITY: usize, I = u16> {
    ids: [I; CAPACITY],
    len: usize,
}

impl<const CAPACITY: usize, I: Index + Default> Bag<CAPACITY, I> {
    /// The bag of these ids.
    ///
    /// # Errors
    /// If there are more than `CAPACITY`; they are counted to the last.
    pub fn from_ids(ids: impl IntoIterator<Item = I>) -> Result<Self, CapacityExceeded> {
        let mut ids = ids.into_iter();
        let bag = Self::from_first(ids.by_ref().take(CAPACITY));
        CapacityExceeded::check("ids of a bag (CAPACITY)", CAPACITY, bag.len + ids.count())?;
        Ok(bag)
    }

    /// The bag of the first `CAPACITY` of these ids; what follows is left out.
    pub fn from_first(ids: impl IntoIterator<Item = I>) -> Self {
        let mut bag = Self::default();
        for (slot, id) in bag.ids.iter_mut().zip(ids) {
            *slot = id;
            bag.len += 1;
        }
        bag
    }
}

impl<const CAPACITY: usize, I> Bag<CAPACITY, I> {
    /// The ids in order.
    #[inline]
    pub fn ids(&self) -> &[I] {
        first(&self.ids, self.len)
    }
}

impl<const CAPACITY: usize, I: Copy + Default> Default for Bag<CAPACITY, I> {
    /// The empty bag.
    fn default() -> Self {
        Self { ids: [I::default(); CAPACITY], len: 0 }
    }
}

impl<const CAPACITY: usize, I: PartialEq> PartialEq for Bag<CAPACITY, I> {
    fn eq(&self, other: &Self) -> bool {
        self.ids() == other.ids()
    }
}

impl<const CAPACITY: usize, I: Copy + FromZeros> Value for Bag<CAPACITY, I> {
    type Mask = ();
    const VALID: () = ();
    const SHAPE: [usize; 2] = [CAPACITY, 0];
    const WORDS: Message<64> = Message::new().text("a bag of up to ").number(CAPACITY).text(" ids");
}

/// Two inputs of one example: columns of a table, a user and an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, FromZeros)]
pub struct Pair<A, B> {
    /// The first input.
    pub first: A,
    /// The second input; another `Pair` for more than two.
    pub second: B,
}

impl<A: Value, B: Value> Value for Pair<A, B> {
    type Mask = (A::Mask, B::Mask);
    const VALID: (A::Mask, B::Mask) = (A::VALID, B::VALID);
    const SHAPE: [usize; 2] = [2, 0];
    const WORDS: Message<64> =
        Message::new().text("(").text(A::WORDS.as_str()).text(", ").text(B::WORDS.as_str()).text(")");
    const INPUTS: usize = A::INPUTS + B::INPUTS;

    fn is_finite(&self) -> bool {
        self.first.is_finite() && self.second.is_finite()
    }
}

/// Examples to read, with their masks; slices of one length.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a, V: Value> {
    /// The values, one an example.
    pub values: &'a [V],
    /// The masks, one an example.
    pub masks: &'a [V::Mask],
}

/// Examples to write, with their masks; slices of one length.
#[derive(Debug)]
pub struct BatchMut<'a, V: Value> {
    /// The values, one an example.
    pub values: &'a mut [V],
    /// The masks, one an example.
    pub masks: &'a mut [V::Mask],
}

impl<V: Value> BatchMut<'_, V> {
    /// The same examples, for a while.
    #[inline]
    pub fn reborrow(&mut self) -> BatchMut<'_, V> {
        BatchMut { values: self.values, masks: self.masks }
    }
}

impl<'a, V: Value> From<BatchMut<'a, V>> for Batch<'a, V> {
    #[inline]
    fn from(batch: BatchMut<'a, V>) -> Self {
        Self { values: batch.values, masks: batch.masks }
    }
}

/// Copies values and masks.
pub(super) fn copy<V: Value>(x: Batch<'_, V>, y: BatchMut<'_, V>) {
    let BatchMut { values, masks } = y;
    slices::copy(x.values, values);
    slices::copy(x.masks, masks);
}
