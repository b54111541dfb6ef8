//! A sequence as one vector, whatever its length: the greatest or the mean of each value over all steps.

use super::flatten::{HonourMask, MaskUse, counted};
use super::flow::Flow;
use super::{Batch, BatchMut, Layer, LayerKind, Record, Records, parameters};
use crate::kernels::shaped::{
    max_over_steps, max_over_steps_backward, mean_over_steps, mean_over_steps_backward,
};
use crate::table::{Table, TableMut};
use core::marker::PhantomData;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Keras' `GlobalMaxPooling1D`: y\[j\] = the greatest x\[t\]\[j\] over the steps t.
///
/// # Shapes
/// x `[LEN, DIM]`, y `[DIM]`.
///
/// Masked steps are left out, and a sequence without valid steps gives zeros; with
/// [`IgnoreMask`](super::options::IgnoreMask) all steps count, as in Keras, which loses the mask. The steps
/// with the greatest number share its gradient evenly; all others have a gradient of zero, which a
/// [`Conv1D`](super::Conv1D) in front passes over.
///
/// ```
/// use nanoembed::layers::{GlobalMaxPooling1D, Layer};
/// let pooling = GlobalMaxPooling1D::<3, 2>::zeroed();
/// assert_eq!(pooling.predict(&[[1.0, -1.0], [3.0, -2.0], [2.0, -3.0]])?, [3.0, -1.0]);
/// # Ok::<(), nanoembed::error::InputError>(())
/// ```
///
/// An extent of 0 is a compile error:
///
/// ```compile_fail
/// use nanoembed::layers::{GlobalMaxPooling1D, Layer};
/// let _ = GlobalMaxPooling1D::<0, 2>::zeroed();
/// ```
#[derive(Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct GlobalMaxPooling1D<const LEN: usize, const DIM: usize, M = HonourMask>(PhantomData<M>);

/// Keras' `GlobalAveragePooling1D`: y\[j\] = Σ x\[t\]\[j\] over the valid steps t, divided by how many they
/// are.
///
/// # Shapes
/// x `[LEN, DIM]`, y `[DIM]`.
///
/// A sequence without valid steps gives zeros (in Keras NaN). With [`IgnoreMask`](super::options::IgnoreMask)
/// all steps count.
///
/// ```
/// use nanoembed::layers::{GlobalAveragePooling1D, Layer};
/// let pooling = GlobalAveragePooling1D::<3, 2>::zeroed();
/// assert_eq!(pooling.predict(&[[1.0, -1.0], [3.0, -2.0], [2.0, -3.0]])?, [2.0, -2.0]);
/// # Ok::<(), nanoembed::error::InputError>(())
/// ```
///
/// An extent of 0 is a compile error:
///
/// ```compile_fail
/// use nanoembed::layers::{GlobalAveragePooling1D, Layer};
/// let _ = GlobalAveragePooling1D::<3, 0>::zeroed();
/// ```
#[derive(Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct GlobalAveragePooling1D<const LEN: usize, const DIM: usize, M = HonourMask>(PhantomData<M>);

macro_rules! pooling_layer {
    (
        $name:ident,
        |$x:ident, $valid:ident, $y:ident| $forward:expr,
        |$bx:ident, $bvalid:ident, $d_y:ident, $d_x:ident| $backward:expr
    ) => {
        parameters!(impl[const LEN: usize, const DIM: usize, M] $name<LEN, DIM, M> {});

        impl<const LEN: usize, const DIM: usize, M: MaskUse> Layer for $name<LEN, DIM, M> {
            type Input = [[f32; DIM]; LEN];
            type Output = [f32; DIM];
            type InputGradient = [[f32; DIM]; LEN];
            type Workspace<const BATCH: usize> = ();
            type Cache<const BATCH: usize> = Flow<[f32; DIM], BATCH>;

            const NAME: &'static str = stringify!($name);
            const RECORDS: Records = {
                assert!(
                    LEN > 0 && DIM > 0,
                    concat!(stringify!($name), "<LEN, DIM>: both must be at least 1")
                );
                let record = Record::new(LayerKind::$name, &[LEN, DIM]);
                Records::layer(record.options([0, 0, !M::HONOURED as u16]))
            };

            fn infer<const BATCH: usize>(
                &self,
                x: Batch<'_, [[f32; DIM]; LEN]>,
                (): &mut (),
                y: BatchMut<'_, [f32; DIM]>,
            ) {
                for (($x, mask), $y) in x.values.iter().zip(x.masks).zip(y.values) {
                    let ($x, $valid) = (Table::from_rows($x), counted::<LEN, M>(mask));
                    $forward;
                }
            }

            fn backward<const BATCH: usize>(
                &self,
                x: Batch<'_, [[f32; DIM]; LEN]>,
                cache: &mut Self::Cache<BATCH>,
                _: Option<&mut ()>,
                d_x: Option<&mut [[[f32; DIM]; LEN]]>,
            ) {
                let d_y = &*cache.parts(x.values.len()).d_y;
                let examples = x.values.iter().zip(x.masks).zip(d_y).zip(d_x.into_iter().flatten());
                for ((($bx, mask), $d_y), d_x) in examples {
                    let ($bvalid, $d_x) = (counted::<LEN, M>(mask), &mut TableMut::from_rows(d_x));
                    $backward;
                }
            }
        }
    };
}
pooling_layer!(GlobalMaxPooling1D, |x, valid, y| max_over_steps(x, valid, y), |x, valid, d_y, d_x| {
    max_over_steps_backward(Table::from_rows(x), valid, d_y, d_x);
});
pooling_layer!(GlobalAveragePooling1D, |x, valid, y| mean_over_steps(x, valid, y), |_x, valid, d_y, d_x| {
    mean_over_steps_backward(valid, d_y, d_x);
});
