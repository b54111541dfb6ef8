//! Parameters learn: a block of numbers and the rows of a table know their gradient, their optimizer state
//! and a step.
//!
//! A layer lists its parameters in [`parameters!`](crate::parameters) and says of each how it learns:
//!
//! | learns | what | gradient |
//! |---|---|---|
//! | by number, where nothing is said | a kernel, a bias | of the same shape |
//! | [`ByRow`] | the rows of a table | of the rows that occur |
//! | [`ByLayer`] | a layer within the layer | that layer's |

use super::{Bytes, row_gradient::RowGradient, row_gradient::TableSlots};
use crate::kernels::sum_of_squares;
use crate::optim::{Optimizer, Step};
use crate::table::Numbers;
use zerocopy::FromZeros;

/// What a layer learns: all its numbers, with their gradient and their optimizer state.
///
/// [`parameters!`](crate::parameters) implements it.
pub trait Parameters: Bytes {
    /// The gradient, summed over examples; zeros before the first and after a step.
    type Gradient<const BATCH: usize>: FromZeros + 'static;
    /// The optimizer's state, zeros before the first step.
    type Slots<O: Optimizer>: Bytes;

    /// Whether rows of a table are among them, which an exact optimizer catches up before they are read
    /// ([`Layer::catch_up`](super::Layer::catch_up)).
    const HAS_ROWS: bool;

    /// `sum` and the squares of the gradient, for a norm over the whole model: of the sum of a table row's
    /// gradients, or with `keras3_duplicates` of the gradients of each occurrence. Each field's sum is added
    /// in turn, so that the norm does not depend on how layers are nested.
    fn sum_of_squares<const BATCH: usize>(
        gradient: &mut Self::Gradient<BATCH>,
        keras3_duplicates: bool,
        sum: f32,
    ) -> f32;

    /// One step of the optimizer on all parameters that have a gradient; clears the gradient.
    fn step<O: Optimizer, const BATCH: usize>(
        &mut self,
        optimizer: &O,
        step: Step<O::Rule>,
        gradient: &mut Self::Gradient<BATCH>,
        slots: &mut Self::Slots<O>,
    );

    /// Brings all parameters to where the optimizer's dense form has them after step `until`.
    fn flush<O: Optimizer>(&mut self, optimizer: &O, until: u32, slots: &mut Self::Slots<O>);
}

/// How parameters `T` learn: [`ByNumber`], [`ByRow`], [`ByLayer`], or a way of one layer's own. The functions
/// are those of [`Parameters`].
pub trait Learns<T> {
    /// See [`Parameters::Gradient`].
    type Gradient<const BATCH: usize>: FromZeros + 'static;
    /// See [`Parameters::Slots`].
    type Slots<O: Optimizer>: Bytes;

    /// See [`Parameters::HAS_ROWS`].
    const HAS_ROWS: bool = false;

    /// See [`Parameters::sum_of_squares`].
    fn sum_of_squares<const BATCH: usize>(
        gradient: &mut Self::Gradient<BATCH>,
        keras3_duplicates: bool,
        sum: f32,
    ) -> f32;

    /// See [`Parameters::step`].
    fn step<O: Optimizer, const BATCH: usize>(
        parameters: &mut T,
        optimizer: &O,
        step: Step<O::Rule>,
        gradient: &mut Self::Gradient<BATCH>,
        slots: &mut Self::Slots<O>,
    );

    /// See [`Parameters::flush`].
    fn flush<O: Optimizer>(parameters: &mut T, optimizer: &O, until: u32, slots: &mut Self::Slots<O>);
}

/// Every number has a gradient at every step, so that there is nothing to catch up with.
#[derive(Debug)]
pub struct ByNumber;

/// Only rows that occur have a gradient: up to `IDS` ids an example name rows, and an example has `SOURCES`
/// gradient rows that they share. An [`Embedding`](super::Embedding) has one for each id, an
/// [`EmbeddingBag`](super::EmbeddingBag) one for all.
#[derive(Debug)]
pub struct ByRow<const IDS: usize, const SOURCES: usize>;

/// As the layer learns that the field is.
#[derive(Debug)]
pub struct ByLayer;

impl<T: Numbers> Learns<T> for ByNumber {
    type Gradient<const BATCH: usize> = T;
    type Slots<O: Optimizer> = O::Slots<T>;

    fn sum_of_squares<const BATCH: usize>(gradient: &mut T, _: bool, sum: f32) -> f32 {
        sum + sum_of_squares(gradient.as_numbers())
    }

    fn step<O: Optimizer, const BATCH: usize>(
        parameters: &mut T,
        optimizer: &O,
        step: Step<O::Rule>,
        gradient: &mut T,
        slots: &mut O::Slots<T>,
    ) {
        optimizer.step_block(
            step,
            parameters.as_numbers_mut(),
            gradient.as_numbers(),
            slots.as_numbers_mut(),
        );
        gradient.zero();
    }

    fn flush<O: Optimizer>(_: &mut T, _: &O, _: u32, _: &mut O::Slots<T>) {}
}

impl<const IDS: usize, const SOURCES: usize, const ROWS: usize, const DIM: usize> Learns<[[f32; DIM]; ROWS]>
    for ByRow<IDS, SOURCES>
{
    type Gradient<const BATCH: usize> = RowGradient<IDS, SOURCES, DIM, BATCH>;
    type Slots<O: Optimizer> = TableSlots<[O::RowSlots<DIM>; ROWS], O::LastSteps<ROWS>>;

    const HAS_ROWS: bool = true;

    fn sum_of_squares<const BATCH: usize>(
        gradient: &mut RowGradient<IDS, SOURCES, DIM, BATCH>,
        keras3_duplicates: bool,
        sum: f32,
    ) -> f32 {
        sum + gradient.sum_of_squares(keras3_duplicates)
    }

    fn step<O: Optimizer, const BATCH: usize>(
        table: &mut [[f32; DIM]; ROWS],
        optimizer: &O,
        step: Step<O::Rule>,
        gradient: &mut RowGradient<IDS, SOURCES, DIM, BATCH>,
        slots: &mut Self::Slots<O>,
    ) {
        gradient.step(optimizer, step, table, slots);
    }

    fn flush<O: Optimizer>(
        table: &mut [[f32; DIM]; ROWS],
        optimizer: &O,
        until: u32,
        slots: &mut Self::Slots<O>,
    ) {
        slots.catch_up(0..ROWS, optimizer, until, table);
    }
}

impl<L: Parameters> Learns<L> for ByLayer {
    type Gradient<const BATCH: usize> = L::Gradient<BATCH>;
    type Slots<O: Optimizer> = L::Slots<O>;

    const HAS_ROWS: bool = L::HAS_ROWS;

    fn sum_of_squares<const BATCH: usize>(
        gradient: &mut L::Gradient<BATCH>,
        keras3_duplicates: bool,
        sum: f32,
    ) -> f32 {
        L::sum_of_squares(gradient, keras3_duplicates, sum)
    }

    fn step<O: Optimizer, const BATCH: usize>(
        layer: &mut L,
        optimizer: &O,
        step: Step<O::Rule>,
        gradient: &mut L::Gradient<BATCH>,
        slots: &mut L::Slots<O>,
    ) {
        layer.step(optimizer, step, gradient, slots);
    }

    fn flush<O: Optimizer>(layer: &mut L, optimizer: &O, until: u32, slots: &mut L::Slots<O>) {
        layer.flush(optimizer, until, slots);
    }
}

/// Composes the parameters of a layer: implements [`Bytes`] and [`Parameters`] for a struct that lists its
/// fields in the order in which they lie in memory, without markers of type `PhantomData`.
///
/// After `=>` stands how a field learns, if not by number. The gradient and the slots of a struct with
/// several fields have fields of the same names; those of a struct with one field are that field's. The crate
/// that uses the macro needs zerocopy among its own dependencies, whose derives the macro writes.
///
/// ```
/// use nanoembed::{layers::Parameters, parameters};
/// use nanoembed::{optim::{Optimizer, Sgd}, zerocopy::{FromBytes, FromZeros, Immutable, KnownLayout}};
///
/// /// y = scale · x + shift, number by number.
/// #[derive(FromBytes, KnownLayout, Immutable)]
/// #[repr(C)]
/// struct Scale<const N: usize> {
///     scale: [f32; N],
///     shift: [f32; N],
/// }
/// parameters!(impl[const N: usize] Scale<N> { scale: [f32; N], shift: [f32; N] });
///
/// let mut layer = Scale { scale: [1.0; 2], shift: [0.0; 2] };
/// let mut gradient = <Scale<2> as Parameters>::Gradient::<1>::new_zeroed();
/// gradient.shift = [0.5, -1.0];
/// let sgd = Sgd { learning_rate: 0.1 };
/// let mut slots = <Scale<2> as Parameters>::Slots::<Sgd>::new_zeroed();
/// layer.step::<Sgd, 1>(&sgd, sgd.step(1), &mut gradient, &mut slots);
/// assert_eq!(layer.shift, [-0.05, 0.1]);
/// ```
#[macro_export]
macro_rules! parameters {
    (impl[$($generics:tt)*] $layer:ty {}) => {
        $crate::bytes_of_fields!(impl[$($generics)*] $layer {});
        $crate::parameters!(@nothing impl[$($generics)*] $layer);
    };
    (@nothing impl[$($generics:tt)*] $layer:ty) => {
        impl<$($generics)*> $crate::layers::Parameters for $layer {
            type Gradient<const BATCH: usize> = ();
            type Slots<O: $crate::optim::Optimizer> = ();

            const HAS_ROWS: bool = false;

            fn sum_of_squares<const BATCH: usize>((): &mut (), _: bool, sum: f32) -> f32 {
                sum
            }

            fn step<O: $crate::optim::Optimizer, const BATCH: usize>(
                &mut self,
                _: &O,
                _: $crate::optim::Step<O::Rule>,
                (): &mut (),
                (): &mut (),
            ) {
            }

            fn flush<O: $crate::optim::Optimizer>(&mut self, _: &O, _: u32, (): &mut ()) {}
        }
    };
    (impl[$($generics:tt)*] $layer:ty { $field:tt: $type:ty $(=> $learns:ty)? $(as $shape:expr)? $(,)? }) => {
        $crate::bytes_of_fields!(impl[$($generics)*] $layer { $field: $type $(as $shape)? });
        impl<$($generics)*> $crate::layers::Parameters for $layer {
            type Gradient<const BATCH: usize> =
                <$crate::parameters!(@learns $($learns)?) as $crate::layers::macros::Learns<$type>>::Gradient<BATCH>;
            type Slots<O: $crate::optim::Optimizer> =
                <$crate::parameters!(@learns $($learns)?) as $crate::layers::macros::Learns<$type>>::Slots<O>;

            const HAS_ROWS: bool =
                <$crate::parameters!(@learns $($learns)?) as $crate::layers::macros::Learns<$type>>::HAS_ROWS;

            fn sum_of_squares<const BATCH: usize>(
                gradient: &mut Self::Gradient<BATCH>,
                keras3_duplicates: bool,
                sum: f32,
            ) -> f32 {
                <$crate::parameters!(@learns $($learns)?) as $crate::layers::macros::Learns<$type>>::sum_of_squares::<BATCH>(
                    gradient,
                    keras3_duplicates,
                    sum,
                )
            }

            fn step<O: $crate::optim::Optimizer, const BATCH: usize>(
                &mut self,
                optimizer: &O,
                step: $crate::optim::Step<O::Rule>,
                gradient: &mut Self::Gradient<BATCH>,
                slots: &mut Self::Slots<O>,
            ) {
                <$crate::parameters!(@learns $($learns)?) as $crate::layers::macros::Learns<$type>>::step::<O, BATCH>(
                    &mut self.$field,
                    optimizer,
                    step,
                    gradient,
                    slots,
                );
            }

            fn flush<O: $crate::optim::Optimizer>(&mut self, optimizer: &O, until: u32, slots: &mut Self::Slots<O>) {
                <$crate::parameters!(@learns $($learns)?) as $crate::layers::macros::Learns<$type>>::flush(
                    &mut self.$field,
                    optimizer,
                    until,
                    slots,
                );
            }
        }
    };
    (impl[$($generics:tt)*] $layer:ty { $($field:ident: $type:ty $(=> $learns:ty)? $(as $shape:expr)?),+ $(,)? }) => {
        $crate::bytes_of_fields!(impl[$($generics)*] $layer { $($field: $type $(as $shape)?),+ });
        #[allow(non_camel_case_types)]
        const _: () = {
            use $crate::zerocopy;

            /// The optimizer's state, field by field.
            #[derive(Debug, zerocopy::FromBytes, zerocopy::KnownLayout, zerocopy::Immutable)]
            #[repr(C)]
            #[allow(missing_docs)]
            pub struct Slots<$($field),+> {
                $(pub $field: $field),+
            }
            $crate::bytes_of_fields!(
                impl[$($field: $crate::layers::Bytes),+] Slots<$($field),+> { $($field: $field),+ }
            );

            /// The gradient, field by field.
            #[derive(Debug, zerocopy::FromZeros)]
            #[allow(missing_docs)]
            pub struct Gradient<$($field),+> {
                $(pub $field: $field),+
            }

            impl<$($generics)*> $crate::layers::Parameters for $layer {
                type Gradient<const BATCH: usize> = Gradient<
                    $(<$crate::parameters!(@learns $($learns)?) as $crate::layers::macros::Learns<$type>>::Gradient<BATCH>),+
                >;
                type Slots<O: $crate::optim::Optimizer> = Slots<
                    $(<$crate::parameters!(@learns $($learns)?) as $crate::layers::macros::Learns<$type>>::Slots<O>),+
                >;

                const HAS_ROWS: bool =
                    false $(|| <$crate::parameters!(@learns $($learns)?) as $crate::layers::macros::Learns<$type>>::HAS_ROWS)+;

                fn sum_of_squares<const BATCH: usize>(
                    gradient: &mut Self::Gradient<BATCH>,
                    keras3_duplicates: bool,
                    sum: f32,
                ) -> f32 {
                    $(let sum = <$crate::parameters!(@learns $($learns)?) as $crate::layers::macros::Learns<$type>>
                        ::sum_of_squares::<BATCH>(&mut gradient.$field, keras3_duplicates, sum);)+
                    sum
                }

                fn step<O: $crate::optim::Optimizer, const BATCH: usize>(
                    &mut self,
                    optimizer: &O,
                    step: $crate::optim::Step<O::Rule>,
                    gradient: &mut Self::Gradient<BATCH>,
                    slots: &mut Self::Slots<O>,
                ) {
                    $(<$crate::parameters!(@learns $($learns)?) as $crate::layers::macros::Learns<$type>>::step::<O, BATCH>(
                        &mut self.$field,
                        optimizer,
                        step,
                        &mut gradient.$field,
                        &mut slots.$field,
                    );)+
                }

                fn flush<O: $crate::optim::Optimizer>(
                    &mut self,
                    optimizer: &O,
                    until: u32,
                    slots: &mut Self::Slots<O>,
                ) {
                    $(<$crate::parameters!(@learns $($learns)?) as $crate::layers::macros::Learns<$type>>::flush(
                        &mut self.$field,
                        optimizer,
                        until,
                        &mut slots.$field,
                    );)+
                }
            }
        };
    };
    (@learns) => { $crate::layers::macros::ByNumber };
    (@learns $learns:ty) => { $learns };
}
pub(crate) use parameters;
