//! One layer after the other.

use super::plain::plain_fields;
use super::value::{first, first_mut};
use super::{
    ActivationKind, Batch, BatchMut, Context, Fingerprint, Layer, LayerSummary, Value, outputs_not_finite,
};
use crate::error::{InputError, NotFinite};
use crate::layers::Bytes;
use crate::optim::{Optimizer, Step};
use rand_core::Rng;
use zerocopy::{FromBytes, FromZeros, Immutable, KnownLayout};

/// The type of a model: layers in the order in which data flows through them.
///
/// ```
/// use nanoembed::{layers::*, sequential};
/// type Reviews = sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
/// assert_eq!(size_of::<Reviews>(), 4 * (50 * 8 + 32 + 1));
/// ```
///
/// As an item it also checks the layers where they stand, and `cargo check` says what does not fit:
///
/// ```
/// # use nanoembed::{layers::*, sequential};
/// sequential! {
///     /// Whether a review is a good one.
///     pub type Reviews = [Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
/// }
/// ```
///
/// Layers that do not fit are a compile error: for the item in one line, *Wrong: layer 1 `Flatten<4, 8, 32>` gives 32 numbers,
/// layer 2 `Dense<31, 1, Sigmoid>` takes 31 numbers*, at the item.
///
/// ```compile_fail,E0080
/// # use nanoembed::{layers::*, sequential};
/// sequential! { type Wrong = [Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<31, 1, Sigmoid>]; }
/// ```
///
/// For the type alone, as trait bounds that do not hold, where the model is used; and sizes that are wrong within a layer, only when
/// it is built. So the item is the better form, and the type is for what has parameters of its own, which the item cannot have.
///
/// ```compile_fail,E0599
/// # use nanoembed::{layers::*, sequential};
/// type Wrong = sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<31, 1, Sigmoid>];
/// fn use_it(model: &Wrong) { let _ = model.predict(&[0; 4]); }
/// ```
#[macro_export]
macro_rules! sequential {
    ($(#[$attribute:meta])* $visibility:vis type $name:ident = [$($layer:ty),+ $(,)?] $(;)?) => {
        $(#[$attribute])*
        $visibility type $name = <
            [(); $crate::layers::fit::in_sequence(
                stringify!($name),
                &[$($crate::layers::fit::Part::of::<$layer>(stringify!($layer))),+],
            )] as $crate::layers::fit::Checked<$crate::sequential![$($layer),+]>
        >::Model;
        // An alias that nothing uses is not looked at.
        const _: ::core::marker::PhantomData<$name> = ::core::marker::PhantomData;
    };
    ($only:ty $(,)?) => { $only };
    ($first:ty, $($rest:ty),+ $(,)?) => { $crate::layers::Chain<$first, $crate::sequential![$($rest),+]> };
}

/// Two layers, the second fed by the first; [`sequential!`](crate::sequential) nests it.
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Chain<A, B> {
    /// The layer in front.
    pub first: A,
    /// The layer behind, or the chain of all layers behind.
    pub second: B,
}

plain_fields!(impl[A: Bytes, B: Bytes] Chain<A, B> { first: A, second: B });

/// Scratch of a [`Chain`] in use: what flows between its layers.
#[derive(FromZeros)]
pub struct ChainWorkspace<A: Layer, B: Layer, const BATCH: usize> {
    first: A::Workspace<BATCH>,
    middle: [A::Output; BATCH],
    masks: [<A::Output as Value>::Mask; BATCH],
    second: B::Workspace<BATCH>,
}

/// What the layers of a [`Chain`] keep for the backward pass, what flowed between them, and what flows back.
#[derive(FromZeros)]
pub struct ChainCache<A: Layer, B: Layer, const BATCH: usize> {
    first: A::Cache<BATCH>,
    middle: [A::Output; BATCH],
    d_middle: [A::Output; BATCH],
    masks: [<A::Output as Value>::Mask; BATCH],
    second: B::Cache<BATCH>,
}

/// Gradients of the layers of a [`Chain`].
#[derive(FromZeros)]
pub struct ChainGradient<A: Layer, B: Layer, const BATCH: usize> {
    first: A::Gradient<BATCH>,
    second: B::Gradient<BATCH>,
}

/// Whether a layer gives what it takes.
const fn passes_untouched<L: Layer>() -> bool {
    L::PASSES_ON && matches!(L::ACTIVATION, ActivationKind::Identity)
}

impl<A: Layer, B: Layer<Input = A::Output, InputGradient = A::Output>> Layer for Chain<A, B> {
    type Input = A::Input;
    type Output = B::Output;
    type InputGradient = A::InputGradient;
    type Workspace<const BATCH: usize> = ChainWorkspace<A, B, BATCH>;
    type Cache<const BATCH: usize> = ChainCache<A, B, BATCH>;
    type Gradient<const BATCH: usize> = ChainGradient<A, B, BATCH>;
    type Slots<O: Optimizer> = Chain<A::Slots<O>, B::Slots<O>>;

    const ACTIVATION: ActivationKind = B::ACTIVATION;
    const LAST_ACTIVATION: ActivationKind =
        if passes_untouched::<B>() { A::LAST_ACTIVATION } else { B::LAST_ACTIVATION };
    const LAYERS: usize = A::LAYERS + B::LAYERS;
    const FINGERPRINT: Fingerprint = Fingerprint::of("chain").part(A::FINGERPRINT).part(B::FINGERPRINT);
    const STALLS_AT_ZERO: bool = A::STALLS_AT_ZERO || B::STALLS_AT_ZERO || A::BYTES > 0 && B::BYTES > 0;
    const PASSES_ON: bool = passes_untouched::<A>() && B::PASSES_ON;
    const HAS_BIASES: bool =
        B::HAS_BIASES || B::PASSES_ON && A::HAS_BIASES && matches!(A::ACTIVATION, ActivationKind::Identity);

    fn init(&mut self, random: &mut impl Rng) {
        self.first.init(random);
        self.second.init(random);
    }

    fn check(inputs: &[A::Input]) -> Result<(), InputError> {
        A::check(inputs)
    }

    fn infer<const BATCH: usize>(
        &self,
        x: Batch<'_, A::Input>,
        workspace: &mut Self::Workspace<BATCH>,
        y: BatchMut<'_, B::Output>,
    ) {
        let ChainWorkspace { first: first_workspace, middle, masks, second } = workspace;
        let n = x.values.len();
        let (values, masks) = (first_mut(middle, n), first_mut(masks, n));
        self.first.infer(x, first_workspace, BatchMut { values, masks });
        A::activate(values);
        self.second.infer(Batch { values, masks }, second, y);
    }

    fn forward<const BATCH: usize>(
        &self,
        x: Batch<'_, A::Input>,
        cache: &mut Self::Cache<BATCH>,
        context: Context,
        y: BatchMut<'_, B::Output>,
    ) {
        let ChainCache { first: first_cache, middle, masks, second, .. } = cache;
        let n = x.values.len();
        let (values, masks) = (first_mut(middle, n), first_mut(masks, n));
        self.first.forward(x, first_cache, context.branch(0), BatchMut { values, masks });
        A::activate(values);
        self.second.forward(Batch { values, masks }, second, context.branch(1), y);
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, A::Input>,
        cache: &mut Self::Cache<BATCH>,
        d_y: &[B::Output],
        gradient: Option<&mut Self::Gradient<BATCH>>,
        d_x: Option<&mut [A::InputGradient]>,
    ) {
        let ChainCache { first: first_cache, middle, d_middle, masks, second: second_cache } = cache;
        let n = x.values.len();
        let middle = Batch { values: first(middle, n), masks: first(masks, n) };
        let d_middle = first_mut(d_middle, n);
        let (first_gradient, second_gradient) = match gradient {
            Some(ChainGradient { first, second }) => (Some(first), Some(second)),
            None => (None, None),
        };
        self.second.backward(middle, second_cache, d_y, second_gradient, Some(d_middle));
        A::activate_backward(middle.values, d_middle);
        self.first.backward(x, first_cache, d_middle, first_gradient, d_x);
    }

    fn activate(y: &mut [B::Output]) {
        B::activate(y);
    }

    fn activate_backward(y: &[B::Output], d_y: &mut [B::Output]) {
        B::activate_backward(y, d_y);
    }

    fn catch_up<O: Optimizer>(
        &mut self,
        x: &[A::Input],
        optimizer: &O,
        until: u32,
        slots: &mut Self::Slots<O>,
    ) {
        self.first.catch_up(x, optimizer, until, &mut slots.first);
    }

    fn flush<O: Optimizer>(&mut self, optimizer: &O, until: u32, slots: &mut Self::Slots<O>) {
        self.first.flush(optimizer, until, &mut slots.first);
        self.second.flush(optimizer, until, &mut slots.second);
    }

    fn sum_of_squares<const BATCH: usize>(
        gradient: &mut Self::Gradient<BATCH>,
        keras3_duplicates: bool,
    ) -> f32 {
        A::sum_of_squares(&mut gradient.first, keras3_duplicates)
            + B::sum_of_squares(&mut gradient.second, keras3_duplicates)
    }

    fn update<O: Optimizer, const BATCH: usize>(
        &mut self,
        optimizer: &O,
        step: Step<O::Rule>,
        gradient: &mut Self::Gradient<BATCH>,
        slots: &mut Self::Slots<O>,
    ) {
        self.first.update(optimizer, step, &mut gradient.first, &mut slots.first);
        self.second.update(optimizer, step, &mut gradient.second, &mut slots.second);
    }

    fn close_outputs(&mut self, from: usize) {
        if B::HAS_BIASES {
            self.second.close_outputs(from);
        } else if B::PASSES_ON {
            self.first.close_outputs(from);
        }
    }

    fn not_finite<const BATCH: usize>(
        &self,
        cache: &Self::Cache<BATCH>,
        examples: usize,
    ) -> Option<NotFinite> {
        let of_first = self.first.not_finite(&cache.first, examples);
        of_first
            .or_else(|| outputs_not_finite::<A>(first(&cache.middle, examples)))
            .or_else(|| Some(self.second.not_finite(&cache.second, examples)?.after(A::LAYERS)))
    }

    fn describe(visit: &mut dyn FnMut(LayerSummary)) {
        A::describe(visit);
        B::describe(visit);
    }
}
