//! Concatenated one after the other.

use super::flow::Flow;
use super::{Batch, BatchMut, Layer, LayerKind, Pair, Record, Records, Value, parameters};
use core::marker::PhantomData;
use zerocopy::{FromBytes, Immutable, KnownLayout};

/// A vector, or a [`Pair`] of vectors or of such pairs: what [`Concatenate`] takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a vector nor a pair of vectors, which are what can be concatenated",
    note = "after a layer that gives a sequence, `Flatten` or a pooling layer makes a vector of it"
)]
pub trait Concatenated: Value {
    /// How many numbers there are in all.
    const WIDTH: usize;

    /// Copies all numbers in order.
    fn write_to(&self, numbers: &mut [f32]);

    /// Takes all numbers in order.
    fn read_from(&mut self, numbers: &[f32]);
}

impl<const N: usize> Concatenated for [f32; N] {
    const WIDTH: usize = N;

    #[inline]
    fn write_to(&self, numbers: &mut [f32]) {
        if let Some(numbers) = numbers.first_chunk_mut() {
            *numbers = *self;
        }
    }

    #[inline]
    fn read_from(&mut self, numbers: &[f32]) {
        if let Some(numbers) = numbers.first_chunk() {
            *self = *numbers;
        }
    }
}

impl<A: Concatenated, B: Concatenated> Concatenated for Pair<A, B> {
    const WIDTH: usize = A::WIDTH + B::WIDTH;

    #[inline]
    fn write_to(&self, numbers: &mut [f32]) {
        if let Some((first, second)) = numbers.split_at_mut_checked(A::WIDTH) {
            self.first.write_to(first);
            self.second.write_to(second);
        }
    }

    #[inline]
    fn read_from(&mut self, numbers: &[f32]) {
        if let Some((first, second)) = numbers.split_at_checked(A::WIDTH) {
            self.first.read_from(first);
            self.second.read_from(second);
        }
    }
}

/// How many numbers the layer `L` gives: what [`concatenate!`](crate::concatenate) adds up.
pub const fn width<L: Layer>() -> usize
where
    L::Output: Concatenated,
{
    <L::Output as Concatenated>::WIDTH
}

/// The type of layers beside each other, each with an input of its own, whose output vectors become one:
/// [`branches!`](crate::branches) before a [`Concatenate`].
///
/// Here two categorical columns, each with an embedding of its own, and six numeric ones beside them:
///
/// ```
/// use nanoembed::{concatenate, layers::*, pairs, sequential};
/// type Column<const ROWS: usize, const DIM: usize> = sequential![Embedding<1, ROWS, DIM>, Flatten<1, DIM, DIM>];
/// type Census = sequential![
///     concatenate![Column<9, 4>, Column<16, 8>, Input<[f32; 6]>],
///     Dense<18, 1, Sigmoid>,
/// ];
/// assert_eq!(Census::zeroed().predict(&pairs![[3], [15], [0.5; 6]])?, [0.5]);
/// # Ok::<(), nanoembed::error::InputError>(())
/// ```
///
/// As an item, `concatenate! { type Columns = [..]; }`, it also checks the sizes within each layer where it
/// stands, as [`sequential!`](crate::sequential) does.
#[macro_export]
macro_rules! concatenate {
    ($(#[$attribute:meta])* $visibility:vis type $name:ident = [$($branch:ty),+ $(,)?] $(;)?) => {
        $(#[$attribute])*
        $visibility type $name = <
            [(); $crate::layers::fit::in_parallel(
                &[$($crate::layers::fit::Part::of::<$branch>(stringify!($branch))),+],
            )] as $crate::layers::fit::Checked<$crate::concatenate![$($branch),+]>
        >::Model;
        const _: ::core::marker::PhantomData<$name> = ::core::marker::PhantomData;
    };
    ($($branch:ty),+ $(,)?) => {
        $crate::layers::Chain<
            $crate::branches![$($branch),+],
            $crate::layers::Concatenate<
                <$crate::branches![$($branch),+] as $crate::layers::Layer>::Output,
                { 0 $(+ $crate::layers::macros::width::<$branch>())+ },
            >,
        >
    };
}

/// Keras' `Concatenate`: the numbers of several vectors one after the other.
///
/// # Shapes
/// x `V`, vectors in nested [`Pair`]s as [`Branches`](super::Branches) give them; y `[OUT]`, OUT being the
/// sum of their lengths.
///
/// Another OUT is a compile error:
///
/// ```compile_fail
/// use nanoembed::layers::{Concatenate, Layer, Pair};
/// let _ = Concatenate::<Pair<[f32; 2], [f32; 3]>, 6>::zeroed();
/// ```
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Concatenate<V, const OUT: usize>(PhantomData<V>);

parameters!(impl[V, const OUT: usize] Concatenate<V, OUT> {});

impl<V: Concatenated, const OUT: usize> Layer for Concatenate<V, OUT> {
    type Input = V;
    type Output = [f32; OUT];
    type InputGradient = V;
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = Flow<[f32; OUT], BATCH>;

    const NAME: &'static str = "Concatenate";
    const RECORDS: Records = {
        assert!(OUT == V::WIDTH, "Concatenate<V, OUT>: OUT must be the sum of the lengths of the vectors");
        // How many vectors there are, and their lengths, say the layers that give them.
        Records::joining(Record::new(LayerKind::Concatenate, &[]), V::INPUTS)
    };

    fn infer<const BATCH: usize>(&self, x: Batch<'_, V>, (): &mut (), y: BatchMut<'_, [f32; OUT]>) {
        for (x, y) in x.values.iter().zip(y.values) {
            x.write_to(y);
        }
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, V>,
        cache: &mut Self::Cache<BATCH>,
        _: Option<&mut ()>,
        d_x: Option<&mut [V]>,
    ) {
        let d_y = cache.parts(x.values.len()).d_y;
        for (d_x, d_y) in d_x.into_iter().flatten().zip(d_y) {
            d_x.read_from(d_y);
        }
    }
}
