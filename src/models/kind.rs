//! Kinds of layers, and how a program names those that it wants linked.

use super::shape::{RecordError, Spec};
use crate::error::InputError;
use crate::layers::Context;
use crate::recipe::Record;
use rand_core::Rng;

/// One input of a model, for `n` examples.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Input<'a> {
    /// Ids `[n, len]`.
    Ids(&'a [u32]),
    /// Ids of 64 bits, `[n, len]`.
    LongIds(&'a [u64]),
    /// Bags: all ids, and the `n + 1` offsets between which those of each example lie.
    Bags {
        /// The ids of all examples.
        ids: &'a [u32],
        /// Where the ids of each example start, and where the last end.
        offsets: &'a [u32],
    },
    /// Numbers, `[n, ..]`.
    Numbers(&'a [f32]),
}

impl Input<'_> {
    /// Whether it is that of no example.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Ids(ids) => ids.is_empty(),
            Self::LongIds(ids) => ids.is_empty(),
            Self::Bags { offsets, .. } => offsets.len() < 2,
            Self::Numbers(numbers) => numbers.is_empty(),
        }
    }
}

/// Values of a batch: numbers `[n, ..]`, and the masks of sequences, `[n, len]`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Values<'a> {
    /// The numbers.
    pub numbers: &'a [f32],
    /// True where a step is valid.
    pub masks: &'a [bool],
}

/// The same, to write.
#[derive(Debug)]
pub struct ValuesMut<'a> {
    /// The numbers.
    pub numbers: &'a mut [f32],
    /// True where a step is valid.
    pub masks: &'a mut [bool],
}

/// What a layer takes.
#[derive(Clone, Copy, Debug)]
pub enum Taken<'a> {
    /// Ids, as the model was given them.
    Input(Input<'a>),
    /// What one layer gave, or numbers that the model was given.
    Value(Values<'a>),
    /// What two layers gave.
    Pair(Values<'a>, Values<'a>),
}

impl<'a> Taken<'a> {
    /// The one value; nothing if it is ids or two.
    pub fn value(self) -> Values<'a> {
        match self {
            Self::Value(values) => values,
            _ => Values::default(),
        }
    }

    /// Both values.
    pub fn pair(self) -> (Values<'a>, Values<'a>) {
        match self {
            Self::Pair(first, second) => (first, second),
            _ => (Values::default(), Values::default()),
        }
    }
}

/// A layer in use: its record, its parameters, and how many examples there are.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// What it is.
    pub record: &'a Record,
    /// Its parameters, block after block.
    pub parameters: &'a [f32],
    /// Examples of the batch.
    pub n: usize,
}

/// A training pass: its context, and whether the last activation of the layer is the loss's.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    /// For layers that draw random numbers.
    pub context: Context,
    /// Whether outputs are logits, and gradients those of logits.
    pub logits: bool,
}

/// The backward pass of a layer: what it reads, and what it writes.
#[derive(Debug)]
pub struct Backward<'a> {
    /// What the layer took.
    pub x: Taken<'a>,
    /// What it gave.
    pub y: Values<'a>,
    /// The gradients of that, which may be overwritten.
    pub d_y: &'a mut [f32],
    /// What the forward pass kept.
    pub kept: &'a mut [f32],
    /// The gradients of its parameters, block after block, to add to; of rows, nothing, since theirs are
    /// `d_y`; of the second table of two, its gradient rows.
    pub gradient: Option<&'a mut [f32]>,
    /// The gradients of what it took, to write.
    pub d_x: [Option<&'a mut [f32]>; 2],
}

/// A kind of layer, of which a list of kinds is made: see [`open`](super::open).
///
/// Sizes were checked before: slices have the lengths that [`spec`](Self::spec) says.
pub trait Kind {
    /// Whether it takes two values.
    const PAIRS: bool = false;
    /// Whether it takes or gives sequences, whose steps have masks.
    const SEQUENCES: bool = true;

    /// Whether a record is of this kind, and its rows of this format.
    fn is_of(record: &Record) -> bool;

    /// What the record says.
    ///
    /// # Errors
    /// If it is none of this kind.
    fn spec(record: &Record) -> Result<Spec, RecordError>;

    /// Whether the ids can be used.
    ///
    /// # Errors
    /// The first that cannot.
    fn check(record: &Record, input: Input<'_>) -> Result<(), InputError> {
        let _ = (record, input);
        Ok(())
    }

    /// Fills the parameters with Keras' initial values.
    fn init(record: &Record, parameters: &mut [f32], random: &mut impl Rng) {
        let _ = (record, parameters, random);
    }

    /// The outputs with their masks, for use; logits if they are asked for.
    fn infer(layer: View<'_>, x: Taken<'_>, y: ValuesMut<'_>, scratch: &mut [f32], logits: bool);

    /// The outputs with their masks, for training.
    fn forward(layer: View<'_>, x: Taken<'_>, y: ValuesMut<'_>, kept: &mut [f32], pass: Pass) {
        Self::infer(layer, x, y, kept, pass.logits);
    }

    /// Adds the gradients of the parameters, and writes those of what the layer took.
    fn backward(layer: View<'_>, backward: Backward<'_>, pass: Pass);

    /// Shows for each id of a table, the first or the second of the layer's, its row and which of the
    /// gradient rows is its; ids without a row are left out.
    fn occurrences(record: &Record, input: Input<'_>, table: usize, visit: &mut dyn FnMut(u32, u32)) {
        let _ = (record, input, table, visit);
    }
}

/// What is done with the kind of a record.
pub trait Visit {
    /// What comes of it.
    type Output;

    /// Does it.
    fn visit<K: Kind>(self) -> Self::Output;
}

/// The kinds of layers that a program opens: a tuple of the types of [`kinds`](super::kinds), or of such
/// tuples. No other is linked.
pub trait Kinds {
    /// Whether one of them takes two values. If none does, a model is a chain: each layer takes what the one
    /// before it gives.
    #[doc(hidden)]
    const PAIRS: bool;
    /// Whether one of them takes or gives sequences. If none does, there are no masks.
    #[doc(hidden)]
    const SEQUENCES: bool;

    /// Visits the kind of a record.
    ///
    /// # Errors
    /// `visit` itself, if the kind is not among these.
    #[doc(hidden)]
    fn with<V: Visit>(record: &Record, visit: V) -> Result<V::Output, V>;
}

impl<K: Kind> Kinds for K {
    const PAIRS: bool = K::PAIRS;
    const SEQUENCES: bool = K::SEQUENCES;

    #[inline]
    fn with<V: Visit>(record: &Record, visit: V) -> Result<V::Output, V> {
        if K::is_of(record) { Ok(visit.visit::<K>()) } else { Err(visit) }
    }
}

macro_rules! kinds_of_tuples {
    ($(($($kinds:ident)+))*) => {$(
        impl<$($kinds: Kinds),+> Kinds for ($($kinds,)+) {
            const PAIRS: bool = $($kinds::PAIRS)||+;
            const SEQUENCES: bool = $($kinds::SEQUENCES)||+;

            #[inline]
            fn with<V: Visit>(record: &Record, visit: V) -> Result<V::Output, V> {
                $(let visit = match $kinds::with(record, visit) {
                    Ok(output) => return Ok(output),
                    Err(visit) => visit,
                };)+
                Err(visit)
            }
        }
    )*};
}
kinds_of_tuples! {
    (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H)
}

/// What a record of one of these kinds says.
// One body on a device: it is called from several places.
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline)]
pub(crate) fn spec<K: Kinds>(record: &Record) -> Result<Spec, RecordError> {
    struct Read<'a>(&'a Record);
    impl Visit for Read<'_> {
        type Output = Result<Spec, RecordError>;

        #[inline]
        fn visit<K: Kind>(self) -> Self::Output {
            K::spec(self.0)
        }
    }
    match K::with(record, Read(record)) {
        Ok(spec) => spec,
        Err(_) => Err(RecordError::UnsupportedLayer { kind: record.kind, format: record.format }),
    }
}
