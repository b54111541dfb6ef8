//! What a layer takes, gives and needs, as numbers.

use crate::layers::ActivationKind;
use crate::recipe::{LayerKind, Record, Source};
use crate::table::RowFormat;
use core::fmt;

/// What one example is, of what a layer takes or gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// So many ids.
    Ids(usize),
    /// So many ids of 64 bits; those of 32 bits are taken too.
    LongIds(usize),
    /// Any number of ids.
    Bag,
    /// So many numbers.
    Vector(usize),
    /// Steps of numbers.
    Sequence {
        /// How many steps.
        len: usize,
        /// Numbers of a step.
        dim: usize,
    },
}

impl Shape {
    /// How many numbers an example has: none if it is ids.
    // Called in many places, once a layer: on a device each of them would be code in flash.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub fn numbers(self) -> usize {
        match self {
            Self::Ids(_) | Self::LongIds(_) | Self::Bag => 0,
            Self::Vector(n) => n,
            Self::Sequence { len, dim } => len.saturating_mul(dim),
        }
    }

    /// The variants of [`Input`](super::Input) that are of this shape.
    pub(crate) fn input(self) -> &'static str {
        match self {
            Self::Ids(_) => "Input::Ids",
            Self::LongIds(_) => "Input::LongIds or Input::Ids",
            Self::Bag => "Input::Bags",
            Self::Vector(_) | Self::Sequence { .. } => "Input::Numbers",
        }
    }

    /// How many steps have a mask.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(crate) fn steps(self) -> usize {
        match self {
            Self::Sequence { len, .. } => len,
            _ => 0,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ids(len) => write!(f, "{len} ids"),
            Self::LongIds(len) => write!(f, "{len} ids of 64 bits"),
            Self::Bag => f.write_str("a bag of ids"),
            Self::Vector(n) => write!(f, "{n} numbers"),
            Self::Sequence { len, dim } => write!(f, "{len} x {dim} numbers"),
        }
    }
}

/// Memory that a layer needs, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// However many examples there are.
    pub fixed: usize,
    /// For each example.
    pub per_example: usize,
}

impl Room {
    /// For a batch; `None` if it is more than can be counted.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub fn of_batch(self, examples: usize) -> Option<usize> {
        self.per_example.checked_mul(examples)?.checked_add(self.fixed)
    }
}

/// One of the arrays that a layer's parameters are, and how it learns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Block {
    /// There is none.
    #[default]
    Nothing,
    /// Numbers, each of which has a gradient.
    Numbers(usize),
    /// The kernel of a convolution, `[inner, filters]`, whose gradient is summed filter by filter.
    ByFilter {
        /// Numbers of a filter.
        inner: usize,
        /// How many filters there are.
        filters: usize,
    },
    /// The rows of a table, of which those that occur have a gradient.
    Rows {
        /// How many there are.
        rows: usize,
        /// Numbers in a row.
        dim: usize,
        /// Ids of an example; `None` for a bag.
        ids: Option<usize>,
        /// Gradient rows of an example, which its ids share.
        sources: usize,
    },
    /// Words that do not learn.
    Words(usize),
    /// A bit for each row of the table before it, in so many words: rows whose bit is set do not learn.
    FrozenRows(usize),
}

impl Block {
    /// How many words of 32 bits it takes, in an image and in memory.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub fn words(self) -> Option<usize> {
        match self {
            Self::Nothing => Some(0),
            Self::Numbers(words) | Self::Words(words) | Self::FrozenRows(words) => Some(words),
            Self::ByFilter { inner, filters } => inner.checked_mul(filters),
            Self::Rows { rows, dim, .. } => rows.checked_mul(dim),
        }
    }
}

/// Everything about a layer that its record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// What it takes: one value, or two.
    pub takes: [Option<Shape>; 2],
    /// What it gives.
    pub gives: Shape,
    /// Its parameters, in order.
    pub blocks: [Block; 3],
    /// Scratch of inference.
    pub scratch: Room,
    /// What the forward pass of training keeps for the backward pass, beside the outputs.
    pub kept: Room,
    /// Whether no step counts as masked to it: the masks that it takes are true.
    pub ignores_masks: bool,
}

impl Spec {
    /// A layer without parameters or scratch, that takes one value.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub fn new(takes: Shape, gives: Shape) -> Self {
        Self {
            takes: [Some(takes), None],
            gives,
            blocks: [Block::Nothing; 3],
            scratch: Room::default(),
            kept: Room::default(),
            ignores_masks: false,
        }
    }

    /// Words of all parameters; `None` if they are more than can be counted.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub fn words(&self) -> Option<usize> {
        let [a, b, c] = self.blocks;
        a.words()?.checked_add(b.words()?)?.checked_add(c.words()?)
    }
}

/// What is wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordError {
    /// A layer of a kind that the caller did not name, or that this release does not know: the number of
    /// the kind, and of the format of its rows.
    UnsupportedLayer {
        /// The number of the kind.
        kind: u16,
        /// The number of the format.
        format: u16,
    },
    /// An activation that the caller did not name.
    UnsupportedActivation {
        /// The number of the activation.
        number: u16,
    },
    /// An extent that the kind cannot have, or that does not follow from the others.
    Extent {
        /// Which one, from 0.
        extent: usize,
        /// Its value.
        value: u32,
    },
    /// An option that the kind does not have.
    Option {
        /// Which one, from 0.
        option: usize,
        /// Its value.
        value: u16,
    },
    /// Bytes that must be zero are not.
    NotZero,
    /// Its numbers are more than can be counted.
    TooLarge,
    /// It takes another value than the one that it gets.
    Shape {
        /// What it takes.
        takes: Shape,
        /// What it gets.
        found: Shape,
    },
    /// It takes a value from where none is: the number of the source.
    Source {
        /// The number.
        source: u16,
    },
    /// Its output is taken twice, or not at all.
    Output,
}

/// Why a list of records is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecipeError {
    /// There is no layer.
    NoLayers,
    /// More than 512 layers.
    TooManyLayers {
        /// How many there are.
        found: usize,
    },
    /// A layer is wrong.
    Layer {
        /// Its number, from 0.
        layer: usize,
        /// The number of its [`LayerKind`].
        kind: u16,
        /// What is wrong.
        error: RecordError,
    },
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnsupportedLayer { kind, format } => match LayerKind::from_number(*kind) {
                Some(LayerKind::Own) => {
                    f.write_str("it is a layer of a user: read the image by the type of its model")
                }
                Some(of) if of.is_of_integers() => {
                    f.write_str("it computes with integers: read the image by the type of its model")
                }
                Some(of) => match (of, RowFormat::from_number(*format)) {
                    (_, None) => write!(f, "the format {format} of its rows is unknown: a later release may know it"),
                    (_, Some(RowFormat::F32)) => {
                        f.write_str("its kind is not among those that the program names: name it")
                    }
                    (LayerKind::Embedding | LayerKind::EmbeddingBag | LayerKind::Folded, Some(format)) => {
                        write!(f, "its kind with rows of {format:?} is not among those that the program names: name it")
                    }
                    (_, Some(format)) => {
                        write!(f, "it has no rows of {format:?}: an Embedding or an EmbeddingBag may")
                    }
                },
                None => write!(f, "kind {kind} is unknown: a later release may know it"),
            },
            Self::UnsupportedActivation { number } => {
                let activation = ActivationKind::ALL.get(usize::from(*number)).map_or("unknown", |kind| kind.name());
                write!(
                    f,
                    "activation {number} ({activation}) is not among those that the program names for this kind: name it"
                )
            }
            Self::Extent { extent, value } => {
                write!(f, "extent {extent} is {value}, which its kind and its other extents do not allow")
            }
            Self::Option { option, value: Record::NO_OPTION } => {
                write!(f, "option {option} was set by a name that is none of its kind's: the name says whose it is")
            }
            Self::Option { option, value } => {
                write!(f, "option {option} is {value}, which its kind does not have")
            }
            Self::NotZero => f.write_str("the zeros at the end of its record are not zero"),
            Self::TooLarge => f.write_str("it has more numbers than this processor can count"),
            Self::Shape { takes, found } => write!(f, "it takes {takes}, but gets {found}"),
            Self::Source { source } => match Source::from_number(*source) {
                Some(Source::Back(records)) => write!(
                    f,
                    "it takes what layer number {records} before it gives: there is none, or it takes no such value; the first layer takes an input, `from(Source::Input(0))`"
                ),
                Some(Source::Input(input)) => write!(
                    f,
                    "it takes input {input}: inputs are taken once, in order, by layers that have a use for them"
                ),
                None => f.write_str("it takes a value from nowhere: give it a source"),
            },
            Self::Output => f.write_str(
                "its output is taken twice, or not at all: one later layer takes it, and none the last layer's",
            ),
        }
    }
}

impl core::error::Error for RecordError {}

impl fmt::Display for RecipeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLayers => f.write_str("a model has at least one layer"),
            Self::TooManyLayers { found } => write!(f, "a model has at most 512 layers, not {found}"),
            Self::Layer { layer, kind, error } => {
                write!(f, "layer {layer}")?;
                let kind = LayerKind::from_number(*kind);
                kind.map_or(Ok(()), |kind| write!(f, " ({})", kind.name()))?;
                write!(f, ": {error}")?;
                match (kind, error) {
                    (Some(kind), RecordError::Extent { .. }) => write!(f, "; they are {}", kind.extents()),
                    _ => Ok(()),
                }
            }
        }
    }
}

impl core::error::Error for RecipeError {}

/// The extent `extent` of a record, which must be from 1 to `i32::MAX`, so that no sum of two overflows.
#[cfg_attr(not(target_os = "none"), inline(always))]
pub(crate) fn extent(record: &Record, extent: usize) -> Result<usize, RecordError> {
    match record.extents.get(extent) {
        Some(&value) if value > 0 && i32::try_from(value).is_ok() => Ok(value as usize),
        other => Err(RecordError::Extent { extent, value: other.copied().unwrap_or_default() }),
    }
}

/// The product of two extents.
pub(crate) fn product(a: usize, b: usize) -> Result<usize, RecordError> {
    a.checked_mul(b).ok_or(RecordError::TooLarge)
}

/// That the extents from number `used` on are 0, and so are the options that are not in `options`; of the
/// last option the bits `learning` may be set.
#[cfg_attr(not(target_os = "none"), inline(always))]
pub(crate) fn unused(
    record: &Record,
    used: usize,
    options: [bool; 3],
    learning: u16,
) -> Result<(), RecordError> {
    if let Some((extent, &value)) =
        record.extents.iter().enumerate().skip(used).find(|(_, value)| **value != 0)
    {
        return Err(RecordError::Extent { extent, value });
    }
    let [a, b, c] = options;
    for (option, (&value, used)) in record.options.iter().zip([a, b, c, false]).enumerate() {
        let allowed = if option == 3 { learning } else { 0 };
        if !used && value & !allowed != 0 {
            return Err(RecordError::Option { option, value });
        }
    }
    Ok(())
}

/// An option that is one of `choices`, which stand in the order of their numbers.
#[cfg_attr(not(target_os = "none"), inline(always))]
pub(crate) fn choice<T: Copy>(record: &Record, option: usize, choices: &[T]) -> Result<T, RecordError> {
    let value = record.options.get(option).copied().unwrap_or_default();
    choices.get(usize::from(value)).copied().ok_or(RecordError::Option { option, value })
}
