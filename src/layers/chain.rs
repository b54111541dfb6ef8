//! One layer after the other.

use super::flow::{Keeps, Outputs};
use super::{
    ActivationKind, Batch, BatchMut, ByLayer, Context, Layer, LayerSummary, Parameters, Records,
    outputs_not_finite, parameters,
};
use crate::error::{InputError, NotFinite};
use crate::optim::Optimizer;
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
/// Layers that do not fit are a compile error: for the item in one line, *Wrong: layer 1 `Flatten<4, 8, 32>`
/// gives 32 numbers, layer 2 `Dense<31, 1, Sigmoid>` takes 31 numbers*, at the item.
///
/// ```compile_fail,E0080
/// # use nanoembed::{layers::*, sequential};
/// sequential! { type Wrong = [Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<31, 1, Sigmoid>]; }
/// ```
///
/// For the type alone, as trait bounds that do not hold, where the model is used; and sizes that are wrong
/// within a layer, only when it is built. So the item is the better form, and the type is for what has
/// parameters of its own, which the item cannot have.
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
    /// The first layer.
    pub first: A,
    /// The layer after it, or the chain of all layers after it.
    pub second: B,
}

parameters!(impl[A: Parameters, B: Parameters] Chain<A, B> { first: A => ByLayer, second: B => ByLayer });

/// Scratch of a [`Chain`] in use: what flows between its layers.
#[derive(FromZeros)]
pub struct ChainWorkspace<A: Layer, B: Layer, const BATCH: usize> {
    first: A::Workspace<BATCH>,
    middle: Outputs<A::Output, BATCH>,
    second: B::Workspace<BATCH>,
}

/// What the layers of a [`Chain`] keep for the backward pass; what flows between them is in the cache of the
/// first.
#[derive(FromZeros)]
pub struct ChainCache<A: Layer, B: Layer, const BATCH: usize> {
    first: A::Cache<BATCH>,
    second: B::Cache<BATCH>,
}

impl<A: Layer, B: Layer, const BATCH: usize> Keeps<B::Output> for ChainCache<A, B, BATCH> {
    const HOLDS_OUTPUTS: bool = <B::Cache<BATCH> as Keeps<B::Output>>::HOLDS_OUTPUTS;

    fn outputs(&mut self, n: usize) -> BatchMut<'_, B::Output> {
        self.second.outputs(n)
    }

    fn flows(&mut self, n: usize) -> (Batch<'_, B::Output>, Option<&mut [B::Output]>) {
        self.second.flows(n)
    }
}

/// Whether a layer gives what it takes.
const fn passes_untouched<L: Layer>() -> bool {
    L::PASSES_ON && matches!(L::ACTIVATION, ActivationKind::Identity)
}

impl<A: Layer, B: Layer<Input = A::Output, InputGradient = A::Output>> Chain<A, B> {
    /// The forward pass, in which `last` is that of the second layer.
    #[inline]
    fn pass<const BATCH: usize>(
        &self,
        mut x: BatchMut<'_, A::Input>,
        cache: &mut ChainCache<A, B, BATCH>,
        context: Context,
        last: impl FnOnce(&B, BatchMut<'_, A::Output>, &mut B::Cache<BATCH>, Context),
    ) {
        self.first.forward::<BATCH>(x.reborrow(), &mut cache.first, context);
        let middle = A::outputs::<BATCH>(x, &mut cache.first);
        last(&self.second, middle, &mut cache.second, context.after::<A>());
    }

    /// The backward pass, in which `last` is that of the second layer.
    #[inline]
    fn pass_back<const BATCH: usize>(
        &self,
        x: Batch<'_, A::Input>,
        cache: &mut ChainCache<A, B, BATCH>,
        gradient: Option<&mut <Self as Parameters>::Gradient<BATCH>>,
        mut d_x: Option<&mut [A::InputGradient]>,
        last: impl FnOnce(
            &B,
            Batch<'_, A::Output>,
            &mut B::Cache<BATCH>,
            Option<&mut B::Gradient<BATCH>>,
            Option<&mut [A::Output]>,
        ),
    ) {
        let (mut of_first, of_second) = match gradient {
            Some(gradient) => (Some(&mut gradient.first), Some(&mut gradient.second)),
            None => (None, None),
        };
        let (middle, d_middle) =
            A::flows::<BATCH>(x, &mut cache.first, of_first.as_deref_mut(), d_x.as_deref_mut());
        last(&self.second, middle, &mut cache.second, of_second, d_middle);
        self.first.backward::<BATCH>(x, &mut cache.first, of_first, d_x);
    }
}

impl<A: Layer, B: Layer<Input = A::Output, InputGradient = A::Output>> Layer for Chain<A, B> {
    type Input = A::Input;
    type Output = B::Output;
    type InputGradient = A::InputGradient;
    type Workspace<const BATCH: usize> = ChainWorkspace<A, B, BATCH>;
    type Cache<const BATCH: usize> = ChainCache<A, B, BATCH>;

    const ACTIVATION: ActivationKind = B::ACTIVATION;
    const LAST_ACTIVATION: ActivationKind =
        if passes_untouched::<B>() { A::LAST_ACTIVATION } else { B::LAST_ACTIVATION };
    const LAYERS: usize = A::LAYERS + B::LAYERS;
    const NAME: &'static str = "Chain";
    const RECORDS: Records = Records::chain(&A::RECORDS, &B::RECORDS);
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
        let ChainWorkspace { first, middle, second } = workspace;
        let n = x.values.len();
        self.first.infer::<BATCH>(x, first, middle.outputs(n));
        self.second.infer::<BATCH>(middle.flows(n).0, second, y);
    }

    fn forward<const BATCH: usize>(
        &self,
        x: BatchMut<'_, A::Input>,
        cache: &mut Self::Cache<BATCH>,
        context: Context,
    ) {
        self.pass(x, cache, context, B::forward::<BATCH>);
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, A::Input>,
        cache: &mut Self::Cache<BATCH>,
        gradient: Option<&mut Self::Gradient<BATCH>>,
        d_x: Option<&mut [A::InputGradient]>,
    ) {
        self.pass_back(x, cache, gradient, d_x, B::backward::<BATCH>);
    }

    fn forward_logits<const BATCH: usize>(
        &self,
        x: BatchMut<'_, A::Input>,
        cache: &mut Self::Cache<BATCH>,
        context: Context,
    ) {
        self.pass(x, cache, context, B::forward_logits::<BATCH>);
    }

    fn backward_logits<const BATCH: usize>(
        &self,
        x: Batch<'_, A::Input>,
        cache: &mut Self::Cache<BATCH>,
        gradient: Option<&mut Self::Gradient<BATCH>>,
        d_x: Option<&mut [A::InputGradient]>,
    ) {
        self.pass_back(x, cache, gradient, d_x, B::backward_logits::<BATCH>);
    }

    fn activate(y: &mut [B::Output]) {
        B::activate(y);
    }

    fn outputs<'a, const BATCH: usize>(
        x: BatchMut<'a, A::Input>,
        cache: &'a mut Self::Cache<BATCH>,
    ) -> BatchMut<'a, B::Output> {
        B::outputs::<BATCH>(A::outputs::<BATCH>(x, &mut cache.first), &mut cache.second)
    }

    fn flows<'a, const BATCH: usize>(
        x: Batch<'a, A::Input>,
        cache: &'a mut Self::Cache<BATCH>,
        gradient: Option<&'a mut Self::Gradient<BATCH>>,
        d_x: Option<&'a mut [A::InputGradient]>,
    ) -> (Batch<'a, B::Output>, Option<&'a mut [B::Output]>) {
        let (of_first, of_second) = match gradient {
            Some(gradient) => (Some(&mut gradient.first), Some(&mut gradient.second)),
            None => (None, None),
        };
        let (middle, d_middle) = A::flows::<BATCH>(x, &mut cache.first, of_first, d_x);
        B::flows::<BATCH>(middle, &mut cache.second, of_second, d_middle)
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

    fn close_outputs(&mut self, from: usize) {
        if B::HAS_BIASES {
            self.second.close_outputs(from);
        } else if B::PASSES_ON {
            self.first.close_outputs(from);
        }
    }

    fn not_finite<const BATCH: usize>(
        &self,
        x: Batch<'_, A::Input>,
        cache: &mut Self::Cache<BATCH>,
    ) -> Option<NotFinite> {
        if let Some(place) = self.first.not_finite::<BATCH>(x, &mut cache.first) {
            return Some(place);
        }
        let (middle, _) = A::flows::<BATCH>(x, &mut cache.first, None, None);
        outputs_not_finite::<A>(middle.values)
            .or_else(|| Some(self.second.not_finite::<BATCH>(middle, &mut cache.second)?.after(A::LAYERS)))
    }

    fn describe(visit: &mut dyn FnMut(LayerSummary)) {
        A::describe(visit);
        B::describe(visit);
    }
}
