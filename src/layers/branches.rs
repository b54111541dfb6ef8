//! Two layers beside each other.

use super::flow::{Flow, FlowParts, Keeps, Outputs};
use super::{
    Batch, BatchMut, ByLayer, Context, Layer, LayerSummary, Pair, Parameters, Records, Value,
    outputs_not_finite, parameters,
};
use crate::error::{InputError, NotFinite};
use crate::optim::Optimizer;
use crate::slices::first_mut;
use core::slice;
use rand_core::Rng;
use zerocopy::{FromBytes, FromZeros, Immutable, KnownLayout};

/// The type of layers beside each other, each with an input of its own: [`Branches`] of the first and of the
/// branches of all others.
///
/// ```
/// use nanoembed::{branches, layers::*, pairs};
/// type Columns = branches![Embedding<1, 9, 4>, Embedding<1, 16, 4>, Input<[f32; 6]>];
/// let columns = Columns::zeroed();
/// assert_eq!(columns.predict(&pairs![[3], [15], [0.5; 6]])?.second.second, [0.5; 6]);
/// # Ok::<(), nanoembed::error::InputError>(())
/// ```
///
/// As an item, `branches! { type Columns = [..]; }`, it also checks the sizes within each layer where it
/// stands, as [`sequential!`](crate::sequential) does.
#[macro_export]
macro_rules! branches {
    ($(#[$attribute:meta])* $visibility:vis type $name:ident = [$($branch:ty),+ $(,)?] $(;)?) => {
        $(#[$attribute])*
        $visibility type $name = <
            [(); $crate::layers::fit::in_parallel(
                &[$($crate::layers::fit::Part::of::<$branch>(stringify!($branch))),+],
            )] as $crate::layers::fit::Checked<$crate::branches![$($branch),+]>
        >::Model;
        const _: ::core::marker::PhantomData<$name> = ::core::marker::PhantomData;
    };
    ($only:ty $(,)?) => { $only };
    ($first:ty, $($rest:ty),+ $(,)?) => { $crate::layers::Branches<$first, $crate::branches![$($rest),+]> };
}

/// One example of [`branches!`](crate::branches): the inputs as nested [`Pair`]s.
///
/// ```
/// use nanoembed::{layers::Pair, pairs};
/// assert_eq!(pairs![1, 2, 3], Pair { first: 1, second: Pair { first: 2, second: 3 } });
/// ```
#[macro_export]
macro_rules! pairs {
    ($only:expr $(,)?) => { $only };
    ($first:expr, $($rest:expr),+ $(,)?) => {
        $crate::layers::Pair { first: $first, second: $crate::pairs![$($rest),+] }
    };
}

/// Two layers, each with an input and an output of its own: the columns of a table, a user and an item.
///
/// # Shapes
/// x [`Pair`] of the inputs, y [`Pair`] of the outputs, activated. Masks flow beside them.
///
/// [`Concatenate`](super::Concatenate), [`Dot`](super::Dot) and [`BiasedDot`](super::BiasedDot) make one
/// output of the two. [`branches!`](crate::branches) nests it.
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Branches<A, B> {
    /// The layer that takes the first input.
    pub first: A,
    /// The layer that takes the second input, or the branches that take all others.
    pub second: B,
}

parameters!(impl[A: Parameters, B: Parameters] Branches<A, B> { first: A => ByLayer, second: B => ByLayer });

/// One of two [`Branches`] in use: its inputs, its outputs, and the scratch of its layer.
#[derive(FromZeros)]
pub struct BranchWorkspace<L: Layer, const BATCH: usize> {
    inputs: Outputs<L::Input, BATCH>,
    outputs: Outputs<L::Output, BATCH>,
    scratch: L::Workspace<BATCH>,
}

/// One of two [`Branches`] in training: its inputs, their gradients, and what its layer keeps.
#[derive(FromZeros)]
pub struct BranchCache<L: Layer, const BATCH: usize> {
    inputs: Outputs<L::Input, BATCH>,
    d_inputs: [L::InputGradient; BATCH],
    cache: L::Cache<BATCH>,
}

/// Copies these inputs to where a pass may overwrite them.
fn load<V: Value, const BATCH: usize>(
    to: &mut Outputs<V, BATCH>,
    inputs: impl Iterator<Item = (V, V::Mask)>,
) -> BatchMut<'_, V> {
    let mut n = 0;
    let BatchMut { values, masks } = to.outputs(BATCH);
    for ((input, mask), (x, x_mask)) in values.iter_mut().zip(masks).zip(inputs) {
        (*input, *mask) = (x, x_mask);
        n += 1;
    }
    to.outputs(n)
}

impl<L: Layer, const BATCH: usize> BranchCache<L, BATCH> {
    /// The forward pass; gives the outputs.
    fn forward(
        &mut self,
        layer: &L,
        inputs: impl Iterator<Item = (L::Input, <L::Input as Value>::Mask)>,
        context: Context,
    ) -> BatchMut<'_, L::Output> {
        let mut x = load(&mut self.inputs, inputs);
        layer.forward::<BATCH>(x.reborrow(), &mut self.cache, context);
        L::outputs::<BATCH>(x, &mut self.cache)
    }

    /// The backward pass, `d_y` being the gradients of the outputs; gives those of the inputs, if they are
    /// wanted.
    fn backward(
        &mut self,
        layer: &L,
        d_y: impl ExactSizeIterator<Item = L::Output>,
        mut gradient: Option<&mut L::Gradient<BATCH>>,
        wants_d_x: bool,
    ) -> &mut [L::InputGradient] {
        let n = d_y.len();
        let x = self.inputs.flows(n).0;
        let mut d_x = wants_d_x.then(|| first_mut(&mut self.d_inputs, n));
        if let (_, Some(to)) =
            L::flows::<BATCH>(x, &mut self.cache, gradient.as_deref_mut(), d_x.as_deref_mut())
        {
            for (to, d_y) in to.iter_mut().zip(d_y) {
                *to = d_y;
            }
        }
        layer.backward::<BATCH>(x, &mut self.cache, gradient, d_x);
        first_mut(&mut self.d_inputs, n)
    }
}

/// Writes what came out of the two branches.
fn write<A: Value, B: Value>(a: Batch<'_, A>, b: Batch<'_, B>, y: BatchMut<'_, Pair<A, B>>) {
    for ((first, second), y) in a.values.iter().zip(b.values).zip(y.values) {
        *y = Pair { first: *first, second: *second };
    }
    for ((first, second), mask) in a.masks.iter().zip(b.masks).zip(y.masks) {
        *mask = (*first, *second);
    }
}

impl<A: Layer, B: Layer> Layer for Branches<A, B> {
    type Input = Pair<A::Input, B::Input>;
    type Output = Pair<A::Output, B::Output>;
    type InputGradient = Pair<A::InputGradient, B::InputGradient>;
    type Workspace<const BATCH: usize> = (BranchWorkspace<A, BATCH>, BranchWorkspace<B, BATCH>);
    type Cache<const BATCH: usize> =
        Flow<Self::Output, BATCH, (BranchCache<A, BATCH>, BranchCache<B, BATCH>)>;

    const LAYERS: usize = A::LAYERS + B::LAYERS;
    const NAME: &'static str = "Branches";
    const RECORDS: Records = Records::branches(&A::RECORDS, &B::RECORDS);
    const STALLS_AT_ZERO: bool = A::STALLS_AT_ZERO || B::STALLS_AT_ZERO;

    fn init(&mut self, random: &mut impl Rng) {
        self.first.init(random);
        self.second.init(random);
    }

    fn check(inputs: &[Self::Input]) -> Result<(), InputError> {
        let of = |example, before| {
            move |error| match error {
                InputError::Id { branch: None, error, .. } => {
                    InputError::Id { example, branch: Some(before), error }
                }
                InputError::Id { branch: Some(branch), error, .. } => {
                    InputError::Id { example, branch: Some(before + branch), error }
                }
                other => other,
            }
        };
        for (example, Pair { first, second }) in inputs.iter().enumerate() {
            A::check(slice::from_ref(first)).map_err(of(example, 0))?;
            B::check(slice::from_ref(second)).map_err(of(example, A::Input::INPUTS))?;
        }
        Ok(())
    }

    fn infer<const BATCH: usize>(
        &self,
        x: Batch<'_, Self::Input>,
        (a, b): &mut Self::Workspace<BATCH>,
        y: BatchMut<'_, Self::Output>,
    ) {
        let (n, inputs) = (x.values.len(), x.values.iter().zip(x.masks));
        let of_first = load(&mut a.inputs, inputs.clone().map(|(x, mask)| (x.first, mask.0)));
        self.first.infer::<BATCH>(of_first.into(), &mut a.scratch, a.outputs.outputs(n));
        let of_second = load(&mut b.inputs, inputs.map(|(x, mask)| (x.second, mask.1)));
        self.second.infer::<BATCH>(of_second.into(), &mut b.scratch, b.outputs.outputs(n));
        write(a.outputs.flows(n).0, b.outputs.flows(n).0, y);
    }

    fn forward<const BATCH: usize>(
        &self,
        x: BatchMut<'_, Self::Input>,
        cache: &mut Self::Cache<BATCH>,
        context: Context,
    ) {
        let (y, (a, b)) = cache.start(x.values.len());
        let inputs = x.values.iter().zip(&*x.masks);
        let of_first = inputs.clone().map(|(x, mask)| (x.first, mask.0));
        let of_second = inputs.map(|(x, mask)| (x.second, mask.1));
        let y_first = a.forward(&self.first, of_first, context);
        let y_second = b.forward(&self.second, of_second, context.after::<A>());
        write(y_first.into(), y_second.into(), y);
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, Self::Input>,
        cache: &mut Self::Cache<BATCH>,
        gradient: Option<&mut Self::Gradient<BATCH>>,
        d_x: Option<&mut [Self::InputGradient]>,
    ) {
        let FlowParts { d_y, kept: (a, b), .. } = cache.parts(x.values.len());
        let (first, second) = match gradient {
            Some(gradient) => (Some(&mut gradient.first), Some(&mut gradient.second)),
            None => (None, None),
        };
        let wants_d_x = d_x.is_some();
        let d_first = a.backward(&self.first, d_y.iter().map(|d_y| d_y.first), first, wants_d_x);
        let d_second = b.backward(&self.second, d_y.iter().map(|d_y| d_y.second), second, wants_d_x);
        for (d_x, (first, second)) in d_x.into_iter().flatten().zip(d_first.iter_mut().zip(d_second)) {
            core::mem::swap(&mut d_x.first, first);
            core::mem::swap(&mut d_x.second, second);
        }
    }

    fn catch_up<O: Optimizer>(
        &mut self,
        x: &[Self::Input],
        optimizer: &O,
        until: u32,
        slots: &mut Self::Slots<O>,
    ) {
        for Pair { first, second } in x {
            self.first.catch_up(slice::from_ref(first), optimizer, until, &mut slots.first);
            self.second.catch_up(slice::from_ref(second), optimizer, until, &mut slots.second);
        }
    }

    fn not_finite<const BATCH: usize>(
        &self,
        x: Batch<'_, Self::Input>,
        cache: &mut Self::Cache<BATCH>,
    ) -> Option<NotFinite> {
        let n = x.values.len();
        let (a, b) = &mut *cache.parts(n).kept;
        if let Some(place) = branch_not_finite(&self.first, n, a) {
            return Some(place);
        }
        Some(branch_not_finite(&self.second, n, b)?.after(A::LAYERS))
    }

    fn describe(visit: &mut dyn FnMut(LayerSummary)) {
        A::describe(visit);
        B::describe(visit);
    }
}

/// As [`Layer::not_finite`], of one of two branches, and of its outputs.
fn branch_not_finite<L: Layer, const BATCH: usize>(
    layer: &L,
    n: usize,
    BranchCache { inputs, cache, .. }: &mut BranchCache<L, BATCH>,
) -> Option<NotFinite> {
    let x = inputs.flows(n).0;
    layer
        .not_finite::<BATCH>(x, cache)
        .or_else(|| outputs_not_finite::<L>(L::flows::<BATCH>(x, cache, None, None).0.values))
}
