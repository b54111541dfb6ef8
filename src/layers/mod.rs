//! Layers: typed maps from one example to one output, trained by backpropagation.
//!
//! | family | items |
//! |---|---|
//! | composition | [`sequential!`](crate::sequential) makes a [`Chain`]; [`Branches`], [`Concatenate`], [`Input`] for several inputs |
//! | one row for each id | [`Embedding`]; with fewer rows than ids: [`HashedEmbedding`], [`QuotientRemainder`] |
//! | one row for each bag of ids | [`EmbeddingBag`], by its sum or its mean |
//! | tables of 16, 8, 4 or 2 bits | [`Packed`], with rows [`F16Row`], [`Bf16Row`], [`U8Row`], [`U4Row`], [`U2Row`], [`I8Row`] or [`I4Row`] |
//! | a pool and a linear layer as one table of integers | [`Folded`], with all rows or [`KeptRows`]; it gives [`Scores`] |
//! | inference by integers alone | the module [`integer`]: `Embedding`, `Conv1D`, `Lstm`, poolings, `Flatten`, `Dense`, and `Logits`, which give [`Scores`] |
//! | sequences | [`Conv1D`], [`Lstm`], [`GlobalMaxPooling1D`], [`GlobalAveragePooling1D`], [`Flatten`] |
//! | vectors | [`Dense`], [`Dot`], [`BiasedDot`] |
//! | two values of one shape | [`Add`] |
//! | what learns beside something frozen | [`OverlayBag`], in a [`Corrected`] model |
//! | activations | [`Sigmoid`], [`Softmax`], [`Relu`], [`Tanh`], [`Identity`]; as a layer: [`Activation`] |
//! | training only | [`Dropout`]; without learning: [`Frozen`], [`FrozenRows`] |
//! | options | the types of [`options`]: what padding means, how rows are pooled, what an LSTM returns |
//! | values that flow | [`Value`], [`Bag`], [`Pair`], [`Batch`], [`BatchMut`] |
//! | what a layer learns | [`parameters!`](crate::parameters) implements [`Parameters`] for its fields, which learn number by number, [`ByRow`] or [`ByLayer`] |
//! | for a layer of your own | the trait [`Layer`], [`Flow`] (lent as [`FlowParts`]) or [`Outputs`] for its outputs, [`Context`], [`Records`] of its [`Fingerprint`], [`LayerSummary`] |
//! | memory that is plain bytes | [`Bytes`] |
//!
//! A layer's sizes are const parameters, its parameters are arrays, and its memory is `size_of::<Layer>()`.
//! [`sequential!`](crate::sequential) composes only layers whose types fit. A slice of examples is a batch.
//! Scratch memory (what a forward pass keeps for the backward pass, the gradients, the optimizer's slots) is
//! a type as well, sized by the largest batch.
//!
//! The parts of a training step, as [`Trainer`](crate::train::Trainer) calls them:
//!
//! ```text
//! check      the inputs, before anything is written
//! catch_up   the rows that are about to be read (exact optimizers)
//! forward    values and masks, front to back, with the last activation unless the loss is fused with it
//! backward   gradients, back to front; those of the parameters add up, example by example
//! step       one step of the optimizer on all parameters that have a gradient
//! ```

mod activate;
mod activation;
mod add;
mod branches;
mod bytes;
mod chain;
mod concatenate;
mod conv1d;
mod corrected;
mod dense;
mod dot;
mod dropout;
mod embedding;
mod embedding_bag;
#[doc(hidden)]
pub mod fit;
mod flatten;
mod flow;
mod folded;
mod frozen;
mod frozen_rows;
mod hashed;
mod init;
pub mod integer;
mod lstm;
pub mod options;
mod overlay_bag;
mod packed;
mod padding;
mod parameters;
mod pooling;
mod quotient_remainder;
mod recurrence;
mod row_gradient;
mod scores;
mod summary;
mod value;

pub use activate::{Activation, Input};
pub use activation::{ActivationFunction, ActivationKind, Identity, Relu, Sigmoid, Softmax, Tanh};
pub use add::Add;
pub use branches::Branches;
pub(crate) use bytes::bytes_of_fields;
pub use bytes::{Bytes, Parameter};
pub use chain::Chain;
pub use concatenate::Concatenate;
pub use conv1d::Conv1D;
pub use corrected::Corrected;
pub use dense::Dense;
pub use dot::{BiasedDot, Dot};
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use embedding_bag::EmbeddingBag;
pub use flatten::Flatten;
pub use flow::{Flow, FlowParts, Keeps, Outputs};
pub use folded::{Folded, KeptRows};
pub use frozen::Frozen;
pub use frozen_rows::FrozenRows;
pub use hashed::HashedEmbedding;
pub(crate) use init::orthogonal;
pub(crate) use inner::*;
pub use lstm::Lstm;
pub use overlay_bag::OverlayBag;
pub use packed::{Bf16Row, F16Row, I4Row, I8Row, Packed, U2Row, U4Row, U8Row};
pub(crate) use parameters::parameters;
pub use parameters::{ByLayer, ByRow, Parameters};
pub use pooling::{GlobalAveragePooling1D, GlobalMaxPooling1D};
pub use quotient_remainder::QuotientRemainder;
pub use scores::Scores;
pub use summary::LayerSummary;
pub(crate) use summary::write_summary;
pub use value::{Bag, Batch, BatchMut, Pair, Value};

/// What macros name.
#[doc(hidden)]
pub mod macros {
    pub use super::concatenate::width;
    pub use super::parameters::{ByNumber, Learns};
}

/// Traits of options, and what methods name. It is no part of the interface: `internals` gives it out.
pub(crate) mod inner {
    pub use super::concatenate::Concatenated;
    pub use super::embedding::Masking;
    pub use super::embedding_bag::BagPooling;
    pub use super::flatten::MaskUse;
    pub use super::folded::FoldedRows;
    pub use super::init::{glorot_uniform, uniform};
    pub use super::integer::activation::{IntegerActivation, LogitsActivation};
    pub use super::packed::{PackedRow, TableLayer};
    pub use super::padding::ConvPadding;
    pub use super::quotient_remainder::Composition;
    pub use super::recurrence::{Direction, Returned};
    pub use super::summary::Summary;
}

use crate::error::{InputError, NotFinite};
#[cfg(feature = "alloc")]
use crate::memory;
use crate::memory::assert_fits_on_stack;
use crate::optim::Optimizer;
use crate::random::mix;
pub use crate::recipe::{Fingerprint, Records};
use crate::recipe::{LayerKind, Record};
use crate::simd::zeros;
use crate::slices;
use crate::text::HashingTokenizer;
use rand_core::Rng;
use zerocopy::FromZeros;

/// What a training pass knows beside its batch.
///
/// Random numbers of a layer are a hash of this context, the position of the layer and the place in the
/// batch, so that a step can be repeated and its work split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// Whether layers that act in training alone (dropout) act.
    pub training: bool,
    /// Different for each step.
    pub seed: u64,
    /// The number of the layer within the model, or of the first of several.
    pub layer: usize,
}

impl Context {
    /// A pass that learns nothing: evaluation.
    pub const EVALUATION: Self = Self { training: false, seed: 0, layer: 0 };

    /// The context of the layers after `L`.
    #[must_use]
    pub fn after<L: Layer>(self) -> Self {
        Self { layer: self.layer + const { L::RECORDS.count() }, ..self }
    }

    /// The seed of the layer.
    pub fn layer_seed(self) -> u64 {
        mix(self.seed, self.layer as u64)
    }
}

/// [`Layer::CLOSED`] of every layer.
pub(crate) const CLOSED_BIAS: f32 = -1e30;

/// A map from one [`Input`](Self::Input) to one [`Output`](Self::Output) with parameters that can be learnt.
///
/// A layer has the parameters that [`parameters!`](crate::parameters) lists, and three passes over a batch:
/// [`infer`](Self::infer), [`forward`](Self::forward), [`backward`](Self::backward). Slices in a call have
/// one length, the number of examples, at most `BATCH`. What a call computes for an example does not depend
/// on the other examples: a batch of one gives the bits of row 0 of a batch of many.
///
/// A layer is written for firmware too: its methods cannot panic, and they allocate nothing.
pub trait Layer: Parameters {
    /// One example: ids `[I; LEN]`, a [`Bag`], a vector `[f32; N]`, a sequence `[[f32; DIM]; LEN]`, or a
    /// [`Pair`] of those.
    type Input: Value;
    /// One result.
    type Output: Value;
    /// What the layer in front receives as gradient: the input's shape for numbers, `()` for ids.
    type InputGradient: FromZeros;
    /// Scratch of [`infer`](Self::infer).
    type Workspace<const BATCH: usize>: FromZeros;
    /// What [`forward`](Self::forward) keeps for [`backward`](Self::backward): the outputs with their
    /// gradients, [`Flow`], and what else the layer needs.
    type Cache<const BATCH: usize>: Keeps<Self::Output>;

    /// The activation that the outputs are given at the end, with which a loss can be fused.
    const ACTIVATION: ActivationKind = ActivationKind::Identity;
    /// The activation that was applied to the outputs last: another layer's where this one only passes on
    /// what it takes, as [`Dropout`] does.
    const LAST_ACTIVATION: ActivationKind = Self::ACTIVATION;
    /// How many layers it is made of, as [`describe`](Self::describe) shows them.
    const LAYERS: usize = 1;
    /// What Keras calls the kind of layer.
    const NAME: &'static str;
    /// The layer's kind, shape and options as plain numbers; of a layer of your own, its fingerprint
    /// ([`Records::own`]).
    ///
    /// Here a layer asserts that its sizes fit; what makes or uses a model evaluates it, so that wrong ones
    /// do not compile.
    const RECORDS: Records;
    /// A hash of [`RECORDS`](Self::RECORDS): equal for types that can read each other's images.
    const FINGERPRINT: Fingerprint = Self::RECORDS.fingerprint();
    /// Whether the layer learns next to nothing from parameters that are all zero, as two layers after each
    /// other do: each gradient is a product with zeros of the other. A trainer refuses a model that is all
    /// zero then.
    const STALLS_AT_ZERO: bool = false;
    /// Whether each number of the output is passed on as it came, but for the activation: what closes the
    /// output of the layer in front closes this one's.
    const PASSES_ON: bool = false;
    /// Whether each number of the output has a bias of its own that learns, by which
    /// [`close_outputs`](Self::close_outputs) closes it.
    const HAS_BIASES: bool = false;
    /// The bias of an output that is closed ([`close_outputs`](Self::close_outputs)): so low that a softmax
    /// gives the output 0 and the output learns nothing, whatever is added to it, and far from the end of
    /// what an f32 holds.
    const CLOSED: f32 = CLOSED_BIAS;
    /// A layer with all parameters zero, of any size: what a `static` starts as. It lies in `.bss`, so it
    /// takes no flash and never is on the stack. [`zeroed`](Self::zeroed) says what such a layer is for.
    ///
    /// ```
    /// use nanoembed::{layers::*, sequential};
    /// use nanoembed::{rand_core::SeedableRng, rand_xoshiro::Xoshiro128PlusPlus};
    /// use std::sync::Mutex;
    /// type Reviews = sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
    /// static MODEL: Mutex<Reviews> = Mutex::new(Reviews::ZEROED);
    /// let mut model = MODEL.lock()?;
    /// assert_eq!(model.predict(&[4, 7, 0, 0])?, [0.5]);
    /// model.init(&mut Xoshiro128PlusPlus::seed_from_u64(1));
    /// assert_ne!(model.predict(&[4, 7, 0, 0])?, [0.5]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    const ZEROED: Self = {
        let _: u64 = Self::FINGERPRINT.value();
        zeros()
    };

    /// Fills the parameters with Keras' initial values, drawn in the order in which the parameters lie in
    /// memory.
    fn init(&mut self, random: &mut impl Rng) {
        let _ = random;
    }

    /// Whether the inputs can be used: ids name rows of the table.
    ///
    /// The other methods do not check again; to them an id without a row reads as a row of zeros and learns
    /// nothing.
    ///
    /// # Errors
    /// The first input that cannot.
    fn check(inputs: &[Self::Input]) -> Result<(), InputError> {
        let _ = inputs;
        Ok(())
    }

    /// The outputs, for use: keeps nothing. Writes every value and every mask of `y`.
    fn infer<const BATCH: usize>(
        &self,
        x: Batch<'_, Self::Input>,
        workspace: &mut Self::Workspace<BATCH>,
        y: BatchMut<'_, Self::Output>,
    );

    /// The outputs, for training: writes them and their masks to `cache`, and keeps there what
    /// [`backward`](Self::backward) needs.
    ///
    /// A layer that works in place, as [`Flatten`] does, overwrites `x`, and its [`outputs`](Self::outputs)
    /// are in `x`; `backward` is then given the overwritten `x`. The default calls [`infer`](Self::infer), with
    /// a workspace on the stack: a layer with a large one writes `forward` and keeps it in the cache.
    #[inline]
    fn forward<const BATCH: usize>(
        &self,
        x: BatchMut<'_, Self::Input>,
        cache: &mut Self::Cache<BATCH>,
        context: Context,
    ) {
        let _ = context;
        let y = cache.outputs(x.values.len());
        self.infer::<BATCH>(x.into(), &mut Self::Workspace::new_zeroed(), y);
    }

    /// Reads the gradients of the outputs from where [`flows`](Self::flows) said, adds those of the
    /// parameters to `gradient`, and writes those of the inputs to `d_x`; either can be left out. It may
    /// overwrite the gradients of the outputs.
    ///
    /// `gradient` takes at most `BATCH` examples between two steps, in one call or in several.
    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, Self::Input>,
        cache: &mut Self::Cache<BATCH>,
        gradient: Option<&mut Self::Gradient<BATCH>>,
        d_x: Option<&mut [Self::InputGradient]>,
    );

    /// [`forward`](Self::forward) without the last [`activation`](Self::ACTIVATION): for a loss that is fused
    /// with it.
    fn forward_logits<const BATCH: usize>(
        &self,
        x: BatchMut<'_, Self::Input>,
        cache: &mut Self::Cache<BATCH>,
        context: Context,
    ) {
        self.forward::<BATCH>(x, cache, context);
    }

    /// [`backward`](Self::backward) from the gradients of what [`forward_logits`](Self::forward_logits) gave.
    fn backward_logits<const BATCH: usize>(
        &self,
        x: Batch<'_, Self::Input>,
        cache: &mut Self::Cache<BATCH>,
        gradient: Option<&mut Self::Gradient<BATCH>>,
        d_x: Option<&mut [Self::InputGradient]>,
    ) {
        self.backward::<BATCH>(x, cache, gradient, d_x);
    }

    /// Applies the last [`activation`](Self::ACTIVATION) to logits, in place.
    fn activate(y: &mut [Self::Output]) {
        let _ = y;
    }

    /// Where the outputs of these inputs lie: in `cache`, if not in the inputs themselves.
    ///
    /// A layer around another, whose outputs are that layer's, passes this and
    /// [`flows`](Self::flows) on to it.
    #[inline]
    fn outputs<'a, const BATCH: usize>(
        x: BatchMut<'a, Self::Input>,
        cache: &'a mut Self::Cache<BATCH>,
    ) -> BatchMut<'a, Self::Output> {
        const { assert_holds_outputs::<Self, BATCH>() };
        cache.outputs(x.values.len())
    }

    /// Where the outputs of these inputs lie, and where the layer after this one writes their gradients: in
    /// `cache`, if not in the gradient of a table or in those of the inputs; nowhere if no one needs them.
    #[inline]
    fn flows<'a, const BATCH: usize>(
        x: Batch<'a, Self::Input>,
        cache: &'a mut Self::Cache<BATCH>,
        gradient: Option<&'a mut Self::Gradient<BATCH>>,
        d_x: Option<&'a mut [Self::InputGradient]>,
    ) -> (Batch<'a, Self::Output>, Option<&'a mut [Self::Output]>) {
        let _ = (gradient, d_x);
        const { assert_holds_outputs::<Self, BATCH>() };
        cache.flows(x.values.len())
    }

    /// Brings the parameters that `x` names to where the optimizer's dense form has them after step `until`.
    fn catch_up<O: Optimizer>(
        &mut self,
        x: &[Self::Input],
        optimizer: &O,
        until: u32,
        slots: &mut Self::Slots<O>,
    ) {
        const {
            assert!(
                !(O::LAGS && Self::HAS_ROWS),
                "a layer with rows must write `catch_up` to learn with an exact optimizer"
            );
        };
        let _ = (x, optimizer, until, slots);
    }

    /// Sets the biases of the outputs from number `from` on to [`CLOSED`](Self::CLOSED); does nothing in a
    /// layer without [`HAS_BIASES`](Self::HAS_BIASES).
    fn close_outputs(&mut self, from: usize) {
        let _ = from;
    }

    /// The first parameter that is infinite or NaN, or else the first output within the layer, of the last
    /// forward pass over `x`, which `cache` holds. Tells why a loss is not finite; layers are numbered from
    /// 0.
    fn not_finite<const BATCH: usize>(
        &self,
        x: Batch<'_, Self::Input>,
        cache: &mut Self::Cache<BATCH>,
    ) -> Option<NotFinite> {
        let _ = (x, cache);
        parameters_not_finite(self)
    }

    /// Describes the layer, or the layers that it is made of, front to back.
    fn describe(visit: &mut dyn FnMut(LayerSummary)) {
        visit(LayerSummary {
            name: Self::NAME,
            shape: Self::Output::SHAPE,
            parameters: Self::BYTES / size_of::<f32>(),
            bytes: Self::BYTES,
            trainable: true,
        });
    }

    /// A layer with Keras' initial values: what training starts from. [`init`](Self::init) gives them to
    /// memory that is there, such as a `static`.
    ///
    /// ```
    /// use nanoembed::{layers::*, sequential};
    /// use nanoembed::{rand_core::SeedableRng, rand_xoshiro::Xoshiro128PlusPlus};
    /// type Reviews = sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
    /// let model = Reviews::new(&mut Xoshiro128PlusPlus::seed_from_u64(1));
    /// assert!(model.first.rows.as_flattened().iter().all(|x| x.abs() <= 0.05 && *x != 0.0));
    /// ```
    #[inline(always)]
    fn new(random: &mut impl Rng) -> Self {
        let mut layer = Self::zeroed();
        layer.init(random);
        layer
    }

    /// The same as [`new`](Self::new) on the heap, without passing over the stack.
    #[cfg(feature = "alloc")]
    fn boxed(random: &mut impl Rng) -> alloc::boxed::Box<Self> {
        let mut layer = Self::boxed_zeroed();
        layer.init(random);
        layer
    }

    /// A layer with all parameters zero: memory that something else fills, an image, weights from a file, or
    /// the best weights that [`EarlyStopping`](crate::train::EarlyStopping) keeps. For training take
    /// [`new`](Self::new); layers after each other do not learn from zeros, and a trainer refuses them.
    ///
    /// One of more than [256 KiB](crate::memory) does not compile: use `boxed_zeroed`.
    fn zeroed() -> Self {
        const {
            assert_fits_on_stack::<Self>("a model", "`boxed` (feature `alloc`)");
        };
        let _: u64 = const { Self::FINGERPRINT.value() };
        Self::new_zeroed()
    }

    /// The same as [`zeroed`](Self::zeroed) on the heap, without passing over the stack.
    #[cfg(feature = "alloc")]
    fn boxed_zeroed() -> alloc::boxed::Box<Self> {
        let _: u64 = const { Self::FINGERPRINT.value() };
        memory::boxed()
    }

    /// A table of the layers with their shapes and sizes, as Keras' `summary` prints it:
    /// `println!("{}", Reviews::summary())`.
    fn summary() -> Summary<Self>
    where
        Self: Sized,
    {
        Summary::new()
    }

    /// Scratch for [`predict_batch`](Self::predict_batch).
    ///
    /// One of more than [256 KiB](crate::memory) does not compile: use `boxed_workspace`.
    fn workspace<const BATCH: usize>() -> Self::Workspace<BATCH> {
        const {
            assert_fits_on_stack::<Self::Workspace<BATCH>>(
                "a workspace",
                "`boxed_workspace` (feature `alloc`)",
            );
        };
        Self::Workspace::new_zeroed()
    }

    /// The same on the heap, without passing over the stack.
    #[cfg(feature = "alloc")]
    fn boxed_workspace<const BATCH: usize>() -> alloc::boxed::Box<Self::Workspace<BATCH>> {
        memory::boxed()
    }

    /// The output of one example, activation applied.
    ///
    /// Its scratch memory is on the stack: `size_of::<Self::Workspace<1>>()` bytes. Where that is more than
    /// [256 KiB](crate::memory), use [`predict_batch`](Self::predict_batch) with a workspace on the heap.
    ///
    /// # Errors
    /// If the input cannot be used.
    fn predict(&self, x: &Self::Input) -> Result<Self::Output, InputError> {
        let mut workspace = Self::workspace::<1>();
        let mut y = [Self::Output::new_zeroed()];
        self.predict_batch::<1>(core::slice::from_ref(x), &mut workspace, &mut y)?;
        let [y] = y;
        Ok(y)
    }

    /// The outputs of up to `BATCH` examples, activation applied.
    ///
    /// ```
    /// use nanoembed::layers::{Dense, Layer};
    /// let model = Dense::<3, 2>::zeroed();
    /// let mut workspace = Dense::<3, 2>::workspace::<8>();
    /// let (x, mut y) = ([[1.0, 2.0, 3.0]; 5], [[7.0; 2]; 5]);
    /// model.predict_batch::<8>(&x, &mut workspace, &mut y)?;
    /// assert_eq!(y, [[0.0; 2]; 5]);
    /// # Ok::<(), nanoembed::error::InputError>(())
    /// ```
    ///
    /// # Errors
    /// If an input cannot be used, there are more than `BATCH`, or `y` has another length. Nothing has been
    /// written then.
    fn predict_batch<const BATCH: usize>(
        &self,
        x: &[Self::Input],
        workspace: &mut Self::Workspace<BATCH>,
        y: &mut [Self::Output],
    ) -> Result<(), InputError> {
        let _: u64 = const { Self::FINGERPRINT.value() };
        Self::check(x)?;
        InputError::check_batch(x.len(), BATCH, y.len())?;
        let masks = [const { <Self::Input as Value>::VALID }; BATCH];
        let mut y_masks = [const { <Self::Output as Value>::VALID }; BATCH];
        let x = Batch { values: x, masks: slices::first(&masks, x.len()) };
        let y_masks = slices::first_mut(&mut y_masks, y.len());
        self.infer::<BATCH>(x, workspace, BatchMut { values: y, masks: y_masks });
        Ok(())
    }
}

impl HashingTokenizer {
    /// Words to the rows of the table that `M` starts with: with this number of rows no id can name the wrong
    /// word.
    ///
    /// ```
    /// use nanoembed::{layers::*, sequential, text::HashingTokenizer};
    /// type Reviews = sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
    /// const TOKENIZER: HashingTokenizer = HashingTokenizer::for_table::<Reviews>();
    /// assert_eq!(TOKENIZER.rows(), 50);
    /// ```
    ///
    /// # Panics
    /// If the first layer of `M` is no table, or has one row; in a constant it does not compile.
    pub const fn for_table<M: Layer>() -> Self {
        let Some(first) = M::RECORDS.first() else { panic!("a model has a layer") };
        match first.table_rows() {
            Some(rows) => Self::new(rows),
            None => panic!("the first layer of the model is no table whose rows ids name"),
        }
    }
}

/// That the default of `outputs` and `flows` finds outputs: a layer whose cache is that of a layer within
/// passes both calls on to it.
const fn assert_holds_outputs<L: Layer, const BATCH: usize>() {
    assert!(
        <L::Cache<BATCH> as Keeps<L::Output>>::HOLDS_OUTPUTS,
        "the outputs are not in the cache: write `outputs` and `flows`, which call those of the layer within"
    );
}

/// The kind of the last layer that `L` is made of.
fn last_kind<L: Layer>() -> &'static str {
    let mut kind = "";
    L::describe(&mut |layer| kind = layer.name);
    kind
}

/// That `L` gave an output that is not finite, if it did.
pub(crate) fn outputs_not_finite<L: Layer>(outputs: &[L::Output]) -> Option<NotFinite> {
    let finite = outputs.iter().all(Value::is_finite);
    if finite { None } else { Some(NotFinite::Output { layer: L::LAYERS - 1, kind: last_kind::<L>() }) }
}

/// The first number that is not finite among the parameters of a layer, whose number is 0.
fn parameters_not_finite<L: Layer>(layer: &L) -> Option<NotFinite> {
    let mut found = None;
    layer.arrays("parameters", &mut |parameter, numbers| {
        if found.is_none()
            && let Some(place) = numbers.iter().position(|x| !x.is_finite())
        {
            let [_, within @ ..] = parameter.shape;
            // Extents of 0 are none.
            let row = within.into_iter().fold(place, |place, extent| match place.checked_div(extent) {
                Some(place) => place,
                None => place,
            });
            found =
                Some(NotFinite::Parameter { layer: 0, kind: last_kind::<L>(), name: parameter.name, row });
        }
    });
    found
}
