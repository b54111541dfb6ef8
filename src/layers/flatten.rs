//! A sequence as one vector.

use super::flow::Keeps;
use super::value::Value;
use super::{Batch, BatchMut, Context, Layer, LayerKind, Record, Records, parameters};
use crate::passes::masks::clear_masked;
use crate::slices::{copy, first, first_mut};
use crate::table::TableMut;
use core::marker::PhantomData;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// What a layer that ends a sequence, or looks at several steps at once, does with the mask: [`HonourMask`],
/// [`IgnoreMask`] or [`StrictMask`].
pub trait MaskUse: Copy {
    /// Whether masked steps count as zeros.
    const HONOURED: bool;
    /// Whether what a step gives is valid only if it is so whatever stands around the sequence.
    const STRICT: bool = false;
    /// Its number in the record of a layer to which all three are different.
    const NUMBER: u16;
}

/// Masked steps contribute nothing and learn nothing.
#[derive(Clone, Copy, Debug)]
pub struct HonourMask;
/// Masked steps are used like all others, as Keras does in the layers that lose the mask.
#[derive(Clone, Copy, Debug)]
pub struct IgnoreMask;

/// As [`HonourMask`], and a [`Conv1D`](super::Conv1D) gives nothing where a window lies over the end of the
/// valid steps: how many masked steps stand before a sequence and after it changes no bit of what comes of
/// it. To other layers the same as [`HonourMask`].
#[derive(Clone, Copy, Debug)]
pub struct StrictMask;

impl MaskUse for HonourMask {
    const HONOURED: bool = true;
    const NUMBER: u16 = 0;
}
impl MaskUse for IgnoreMask {
    const HONOURED: bool = false;
    const NUMBER: u16 = 1;
}
impl MaskUse for StrictMask {
    const HONOURED: bool = true;
    const STRICT: bool = true;
    const NUMBER: u16 = 2;
}

/// The steps of a sequence that count.
#[inline(always)]
pub(super) fn counted<const LEN: usize, M: MaskUse>(mask: &[bool; LEN]) -> &[bool; LEN] {
    if M::HONOURED { mask } else { const { &[true; LEN] } }
}

/// Keras' `Flatten`: the steps of a sequence one after the other, y\[t · DIM + j\] = x\[t\]\[j\].
///
/// # Shapes
/// x `[LEN, DIM]`, y `[OUT]` with OUT = LEN · DIM.
///
/// Another OUT is a compile error:
///
/// ```compile_fail
/// use nanoembed::layers::{Flatten, Layer};
/// let _ = Flatten::<4, 8, 31>::zeroed();
/// ```
///
/// A masked step gives zeros; with [`IgnoreMask`] it gives its values, as in Keras. Without a mask (an
/// [`Embedding`](super::Embedding) that is not [`MaskZero`](super::options::MaskZero)) the two are one.
#[derive(Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Flatten<const LEN: usize, const DIM: usize, const OUT: usize, M = HonourMask>(PhantomData<M>);

parameters!(impl[const LEN: usize, const DIM: usize, const OUT: usize, M] Flatten<LEN, DIM, OUT, M> {});

/// Keeps nothing: the outputs are the inputs, where they lie.
#[derive(Debug, FromZeros)]
pub struct InPlace<const BATCH: usize> {
    /// Vectors have masks of no size.
    masks: [(); BATCH],
}

impl<V: Value, const BATCH: usize> Keeps<V> for InPlace<BATCH> {
    const HOLDS_OUTPUTS: bool = false;

    fn outputs(&mut self, _: usize) -> BatchMut<'_, V> {
        BatchMut { values: &mut [], masks: &mut [] }
    }

    fn flows(&mut self, _: usize) -> (Batch<'_, V>, Option<&mut [V]>) {
        (Batch { values: &[], masks: &[] }, None)
    }
}

impl<const LEN: usize, const DIM: usize, const OUT: usize, M: MaskUse> Flatten<LEN, DIM, OUT, M> {
    /// Makes zeros of the masked steps of sequences, if they count as zeros.
    fn clear_masked(steps: &mut [[f32; DIM]], masks: &[[bool; LEN]]) {
        if M::HONOURED {
            clear_masked(TableMut::from_rows(steps), masks.as_flattened());
        }
    }
}

impl<const LEN: usize, const DIM: usize, const OUT: usize, M: MaskUse> Layer for Flatten<LEN, DIM, OUT, M> {
    type Input = [[f32; DIM]; LEN];
    type Output = [f32; OUT];
    type InputGradient = [[f32; DIM]; LEN];
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = InPlace<BATCH>;

    const NAME: &'static str = "Flatten";
    const RECORDS: Records = {
        assert!(OUT == LEN * DIM, "Flatten<LEN, DIM, OUT>: OUT must be LEN * DIM");
        assert!(OUT > 0, "Flatten<LEN, DIM, OUT>: LEN and DIM must be at least 1");
        let record = Record::new(LayerKind::Flatten, &[LEN, DIM]);
        Records::layer(record.options([0, 0, !M::HONOURED as u16]))
    };

    fn infer<const BATCH: usize>(
        &self,
        x: Batch<'_, [[f32; DIM]; LEN]>,
        (): &mut (),
        y: BatchMut<'_, [f32; OUT]>,
    ) {
        let steps = y.values.as_flattened_mut().as_chunks_mut().0;
        copy(x.values.as_flattened(), steps);
        Self::clear_masked(steps, x.masks);
    }

    fn forward<const BATCH: usize>(
        &self,
        x: BatchMut<'_, [[f32; DIM]; LEN]>,
        _: &mut InPlace<BATCH>,
        _: Context,
    ) {
        Self::clear_masked(x.values.as_flattened_mut(), x.masks);
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, [[f32; DIM]; LEN]>,
        _: &mut InPlace<BATCH>,
        _: Option<&mut ()>,
        d_x: Option<&mut [[[f32; DIM]; LEN]]>,
    ) {
        if let Some(d_x) = d_x {
            Self::clear_masked(d_x.as_flattened_mut(), x.masks);
        }
    }

    fn outputs<'a, const BATCH: usize>(
        x: BatchMut<'a, [[f32; DIM]; LEN]>,
        cache: &'a mut InPlace<BATCH>,
    ) -> BatchMut<'a, [f32; OUT]> {
        let values = x.values.as_flattened_mut().as_flattened_mut().as_chunks_mut().0;
        let masks = first_mut(&mut cache.masks, values.len());
        BatchMut { values, masks }
    }

    fn flows<'a, const BATCH: usize>(
        x: Batch<'a, [[f32; DIM]; LEN]>,
        cache: &'a mut InPlace<BATCH>,
        _: Option<&'a mut ()>,
        d_x: Option<&'a mut [[[f32; DIM]; LEN]]>,
    ) -> (Batch<'a, [f32; OUT]>, Option<&'a mut [[f32; OUT]]>) {
        let values = x.values.as_flattened().as_flattened().as_chunks().0;
        let d_y = d_x.map(|d_x| d_x.as_flattened_mut().as_flattened_mut().as_chunks_mut().0);
        (Batch { values, masks: first(&cache.masks, values.len()) }, d_y)
    }
}
