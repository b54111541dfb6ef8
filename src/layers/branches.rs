//! Two layers beside each other.

use super::plain::plain_fields;
use super::value::{first, first_mut};
use super::{
    Batch, BatchMut, Bytes, Context, Fingerprint, Layer, LayerSummary, Pair, Value, outputs_not_finite,
};
use crate::error::{InputError, NotFinite};
use crate::optim::{Optimizer, Step};
use core::slice;
use rand_core::Rng;
use zerocopy::{FromBytes, FromZeros, Immutable, KnownLayout};

/// The type of layers beside each other, each with an input of its own: [`Branches`] of the first and of the branches of all others.
///
/// ```
/// use nanoembed::{branches, layers::*, pairs};
/// type Columns = branches![Embedding<1, 9, 4>, Embedding<1, 16, 4>, Input<[f32; 6]>];
/// let columns = Columns::zeroed();
/// assert_eq!(columns.predict(&pairs![[3], [15], [0.5; 6]])?.second.second, [0.5; 6]);
/// # Ok::<(), nanoembed::error::InputError>(())
/// ```
///
/// As an item, `branches! { type Columns = [..]; }`, it also checks the sizes within each layer where it stands, as
/// [`sequential!`](crate::sequential) does.
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
/// A layer that makes one output of the two stands behind: [`Concatenate`](super::Concatenate), [`Dot`](super::Dot),
/// [`BiasedDot`](super::BiasedDot). [`branches!`](crate::branches) nests it.
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Branches<A, B> {
    /// The layer that takes the first input.
    pub first: A,
    /// The layer that takes the second input, or the branches that take all others.
    pub second: B,
}

plain_fields!(impl[A: Bytes, B: Bytes] Branches<A, B> { first: A, second: B });

/// What flows through one of two [`Branches`], and the scratch memory of its layer.
#[derive(FromZeros)]
pub struct Branch<L: Layer, S, const BATCH: usize> {
    inputs: [L::Input; BATCH],
    masks: [<L::Input as Value>::Mask; BATCH],
    outputs: [L::Output; BATCH],
    output_masks: [<L::Output as Value>::Mask; BATCH],
    scratch: S,
}

/// What one of two [`Branches`] keeps for the backward pass, and what flows back.
#[derive(FromZeros)]
pub struct BranchCache<L: Layer, const BATCH: usize> {
    branch: Branch<L, L::Cache<BATCH>, BATCH>,
    d_outputs: [L::Output; BATCH],
    d_inputs: [L::InputGradient; BATCH],
}

/// Gradients of the layers of [`Branches`].
#[derive(FromZeros)]
pub struct BranchesGradient<A: Layer, B: Layer, const BATCH: usize> {
    first: A::Gradient<BATCH>,
    second: B::Gradient<BATCH>,
}

impl<L: Layer, S, const BATCH: usize> Branch<L, S, BATCH> {
    /// Puts these inputs through `pass`, and activates what comes out.
    fn run(
        &mut self,
        inputs: impl Iterator<Item = (L::Input, <L::Input as Value>::Mask)>,
        pass: impl FnOnce(Batch<'_, L::Input>, &mut S, BatchMut<'_, L::Output>),
    ) {
        let mut n = 0;
        for ((input, mask), (x, x_mask)) in self.inputs.iter_mut().zip(&mut self.masks).zip(inputs) {
            (*input, *mask) = (x, x_mask);
            n += 1;
        }
        let x = Batch { values: first(&self.inputs, n), masks: first(&self.masks, n) };
        let (values, masks) = (first_mut(&mut self.outputs, n), first_mut(&mut self.output_masks, n));
        pass(x, &mut self.scratch, BatchMut { values, masks });
        L::activate(first_mut(&mut self.outputs, n));
    }
}

impl<L: Layer, const BATCH: usize> BranchCache<L, BATCH> {
    /// The backward pass, `d_y` being the gradients with respect to the outputs; gives those of the inputs if they are wanted.
    fn backward(
        &mut self,
        layer: &L,
        d_y: impl ExactSizeIterator<Item = L::Output>,
        gradient: Option<&mut L::Gradient<BATCH>>,
        wants_d_x: bool,
    ) -> &mut [L::InputGradient] {
        let Self { branch, d_outputs, d_inputs } = self;
        let n = d_y.len();
        let (d_outputs, d_inputs) = (first_mut(d_outputs, n), first_mut(d_inputs, n));
        for (d_output, d_y) in d_outputs.iter_mut().zip(d_y) {
            *d_output = d_y;
        }
        L::activate_backward(first(&branch.outputs, n), d_outputs);
        let x = Batch { values: first(&branch.inputs, n), masks: first(&branch.masks, n) };
        let d_x = if wants_d_x { Some(&mut *d_inputs) } else { None };
        layer.backward(x, &mut branch.scratch, d_outputs, gradient, d_x);
        d_inputs
    }
}

/// Writes what came out of the two branches.
fn write<A: Layer, B: Layer, S, T, const BATCH: usize>(
    a: &Branch<A, S, BATCH>,
    b: &Branch<B, T, BATCH>,
    y: BatchMut<'_, Pair<A::Output, B::Output>>,
) {
    for ((first, second), y) in a.outputs.iter().zip(&b.outputs).zip(y.values) {
        *y = Pair { first: *first, second: *second };
    }
    for ((first, second), mask) in a.output_masks.iter().zip(&b.output_masks).zip(y.masks) {
        *mask = (*first, *second);
    }
}

impl<A: Layer, B: Layer> Layer for Branches<A, B> {
    type Input = Pair<A::Input, B::Input>;
    type Output = Pair<A::Output, B::Output>;
    type InputGradient = Pair<A::InputGradient, B::InputGradient>;
    type Workspace<const BATCH: usize> =
        (Branch<A, A::Workspace<BATCH>, BATCH>, Branch<B, B::Workspace<BATCH>, BATCH>);
    type Cache<const BATCH: usize> = (BranchCache<A, BATCH>, BranchCache<B, BATCH>);
    type Gradient<const BATCH: usize> = BranchesGradient<A, B, BATCH>;
    type Slots<O: Optimizer> = Branches<A::Slots<O>, B::Slots<O>>;

    const LAYERS: usize = A::LAYERS + B::LAYERS;
    const FINGERPRINT: Fingerprint = Fingerprint::of("branches").part(A::FINGERPRINT).part(B::FINGERPRINT);
    const STALLS_AT_ZERO: bool = A::STALLS_AT_ZERO || B::STALLS_AT_ZERO;

    fn init(&mut self, random: &mut impl Rng) {
        self.first.init(random);
        self.second.init(random);
    }

    fn check(inputs: &[Self::Input]) -> Result<(), InputError> {
        let of = |example, before| {
            move |error| match error {
                InputError::Id { branch, error, .. } => {
                    InputError::Id { example, branch: Some(before + branch.unwrap_or(0)), error }
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
        let inputs = x.values.iter().zip(x.masks);
        a.run(inputs.clone().map(|(x, mask)| (x.first, mask.0)), |x, scratch, y| {
            self.first.infer::<BATCH>(x, scratch, y);
        });
        b.run(inputs.map(|(x, mask)| (x.second, mask.1)), |x, scratch, y| {
            self.second.infer::<BATCH>(x, scratch, y);
        });
        write(a, b, y);
    }

    fn forward<const BATCH: usize>(
        &self,
        x: Batch<'_, Self::Input>,
        (a, b): &mut Self::Cache<BATCH>,
        context: Context,
        y: BatchMut<'_, Self::Output>,
    ) {
        let inputs = x.values.iter().zip(x.masks);
        a.branch.run(inputs.clone().map(|(x, mask)| (x.first, mask.0)), |x, scratch, y| {
            self.first.forward::<BATCH>(x, scratch, context.branch(0), y);
        });
        b.branch.run(inputs.map(|(x, mask)| (x.second, mask.1)), |x, scratch, y| {
            self.second.forward::<BATCH>(x, scratch, context.branch(1), y);
        });
        write(&a.branch, &b.branch, y);
    }

    fn backward<const BATCH: usize>(
        &self,
        _: Batch<'_, Self::Input>,
        (a, b): &mut Self::Cache<BATCH>,
        d_y: &[Self::Output],
        gradient: Option<&mut Self::Gradient<BATCH>>,
        d_x: Option<&mut [Self::InputGradient]>,
    ) {
        let (first, second) = match gradient {
            Some(BranchesGradient { first, second }) => (Some(first), Some(second)),
            None => (None, None),
        };
        let wants_d_x = d_x.is_some();
        let d_first = a.backward(&self.first, d_y.iter().map(|d_y| d_y.first), first, wants_d_x);
        let d_second = b.backward(&self.second, d_y.iter().map(|d_y| d_y.second), second, wants_d_x);
        for (d_x, (first, second)) in d_x.unwrap_or_default().iter_mut().zip(d_first.iter_mut().zip(d_second))
        {
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

    fn not_finite<const BATCH: usize>(
        &self,
        (a, b): &Self::Cache<BATCH>,
        examples: usize,
    ) -> Option<NotFinite> {
        let (a, b) = (&a.branch, &b.branch);
        let of_first = self.first.not_finite(&a.scratch, examples);
        of_first.or_else(|| outputs_not_finite::<A>(first(&a.outputs, examples))).or_else(|| {
            let of_second = self.second.not_finite(&b.scratch, examples);
            let of_second = of_second.or_else(|| outputs_not_finite::<B>(first(&b.outputs, examples)));
            Some(of_second?.after(A::LAYERS))
        })
    }

    fn describe(visit: &mut dyn FnMut(LayerSummary)) {
        A::describe(visit);
        B::describe(visit);
    }
}
