//! Sequences of codes as one vector: step by step, or the greatest or the mean of each value.

use super::{Channel, bytes_of_codes, no_learning};
use crate::layers::flatten::counted;
use crate::layers::options::HonourMask;
use crate::layers::{Batch, BatchMut, Layer, LayerKind, MaskUse, Outputs, Record, Records, parameters};
use crate::passes::integers::{MOST_STEPS, clear_masked, max_over_steps, mean_over_steps};
use crate::slices::copy;
use core::marker::PhantomData;
use zerocopy::{FromBytes, Immutable, KnownLayout};

/// [`layers::Flatten`](crate::layers::Flatten) of integers: y\[t · DIM + j\] = x\[t\]\[j\]; masked steps give zeros.
///
/// # Shapes
/// x `[LEN, DIM]` codes, y `[OUT]` codes with OUT = LEN · DIM.
///
/// ```
/// use nanoembed::layers::{Layer, integer::Flatten};
/// assert_eq!(Flatten::<2, 2, 4>::zeroed().predict(&[[1, 2], [3, 4]])?, [1, 2, 3, 4]);
/// # Ok::<(), nanoembed::error::InputError>(())
/// ```
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Flatten<const LEN: usize, const DIM: usize, const OUT: usize, M = HonourMask>(PhantomData<M>);

parameters!(impl[const LEN: usize, const DIM: usize, const OUT: usize, M] Flatten<LEN, DIM, OUT, M> {});

impl<const LEN: usize, const DIM: usize, const OUT: usize, M: MaskUse> Layer for Flatten<LEN, DIM, OUT, M> {
    type Input = [[i8; DIM]; LEN];
    type Output = [i8; OUT];
    type InputGradient = [[i8; DIM]; LEN];
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = Outputs<[i8; OUT], BATCH>;

    const NAME: &'static str = "Flatten of integers";
    const RECORDS: Records = {
        assert!(OUT == LEN * DIM, "Flatten<LEN, DIM, OUT>: OUT must be LEN * DIM");
        assert!(OUT > 0, "Flatten<LEN, DIM, OUT>: LEN and DIM must be at least 1");
        let record = Record::new(LayerKind::IntegerFlatten, &[LEN, DIM]);
        Records::layer(record.options([0, 0, !M::HONOURED as u16]))
    };

    fn infer<const BATCH: usize>(
        &self,
        x: Batch<'_, [[i8; DIM]; LEN]>,
        (): &mut (),
        y: BatchMut<'_, [i8; OUT]>,
    ) {
        let steps = y.values.as_flattened_mut().as_chunks_mut().0;
        copy(x.values.as_flattened(), steps);
        if M::HONOURED {
            clear_masked(steps, x.masks.as_flattened());
        }
    }

    no_learning!(0);
}

/// [`layers::GlobalMaxPooling1D`](crate::layers::GlobalMaxPooling1D) of integers: y\[j\] = the greatest
/// x\[t\]\[j\] over the valid steps t; zeros if there are none.
///
/// # Shapes
/// x `[LEN, DIM]` codes, y `[DIM]` codes.
///
/// ```
/// use nanoembed::layers::{Layer, integer::GlobalMaxPooling1D};
/// let pooling = GlobalMaxPooling1D::<3, 2>::zeroed();
/// assert_eq!(pooling.predict(&[[1, -1], [3, -2], [2, -3]])?, [3, -1]);
/// # Ok::<(), nanoembed::error::InputError>(())
/// ```
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct GlobalMaxPooling1D<const LEN: usize, const DIM: usize, M = HonourMask>(PhantomData<M>);

parameters!(impl[const LEN: usize, const DIM: usize, M] GlobalMaxPooling1D<LEN, DIM, M> {});

impl<const LEN: usize, const DIM: usize, M: MaskUse> Layer for GlobalMaxPooling1D<LEN, DIM, M> {
    type Input = [[i8; DIM]; LEN];
    type Output = [i8; DIM];
    type InputGradient = [[i8; DIM]; LEN];
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = Outputs<[i8; DIM], BATCH>;

    const NAME: &'static str = "GlobalMaxPooling1D of integers";
    const RECORDS: Records = {
        assert!(LEN > 0 && DIM > 0, "GlobalMaxPooling1D<LEN, DIM>: both must be at least 1");
        let record = Record::new(LayerKind::IntegerGlobalMaxPooling1D, &[LEN, DIM]);
        Records::layer(record.options([0, 0, !M::HONOURED as u16]))
    };

    fn infer<const BATCH: usize>(
        &self,
        x: Batch<'_, [[i8; DIM]; LEN]>,
        (): &mut (),
        y: BatchMut<'_, [i8; DIM]>,
    ) {
        for ((x, mask), y) in x.values.iter().zip(x.masks).zip(y.values) {
            max_over_steps(x.as_flattened(), counted::<LEN, M>(mask), y);
        }
    }

    no_learning!(0);
}

/// [`layers::GlobalAveragePooling1D`](crate::layers::GlobalAveragePooling1D) of integers: the mean of each value
/// over the n valid steps, y\[j\] = ⌊s / n + 1/2⌋ with s = Σ x\[t\]\[j\] scaled by the channel; zeros if there are
/// none.
///
/// # Shapes
/// x `[LEN, DIM]` codes, y `[DIM]` codes. The bias of the channel is not looked at.
///
/// ```
/// use nanoembed::layers::{Layer, integer::{Channel, GlobalAveragePooling1D}};
/// let mut pooling = GlobalAveragePooling1D::<3, 2>::zeroed();
/// pooling.channel = Channel { bias: 0, multiplier: 1 << 30, shift: 29 }; // means by 2
/// assert_eq!(pooling.predict(&[[1, -1], [3, -2], [2, -2]])?, [4, -3]);
/// # Ok::<(), nanoembed::error::InputError>(())
/// ```
///
/// More than 16,777,216 steps, whose sum could overflow, are a compile error:
///
/// ```compile_fail
/// use nanoembed::layers::{Layer, integer::GlobalAveragePooling1D};
/// let _ = GlobalAveragePooling1D::<16_777_217, 1>::zeroed();
/// ```
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct GlobalAveragePooling1D<const LEN: usize, const DIM: usize, M = HonourMask> {
    /// What sums are scaled by.
    pub channel: Channel,
    options: PhantomData<M>,
}

bytes_of_codes!(impl[const LEN: usize, const DIM: usize, M] GlobalAveragePooling1D<LEN, DIM, M> { channel });

impl<const LEN: usize, const DIM: usize, M: MaskUse> Layer for GlobalAveragePooling1D<LEN, DIM, M> {
    type Input = [[i8; DIM]; LEN];
    type Output = [i8; DIM];
    type InputGradient = [[i8; DIM]; LEN];
    /// The sums.
    type Workspace<const BATCH: usize> = [i32; DIM];
    type Cache<const BATCH: usize> = Outputs<[i8; DIM], BATCH>;

    const NAME: &'static str = "GlobalAveragePooling1D of integers";
    const RECORDS: Records = {
        assert!(LEN > 0 && DIM > 0, "GlobalAveragePooling1D<LEN, DIM>: both must be at least 1");
        assert!(LEN <= MOST_STEPS, "GlobalAveragePooling1D<LEN, DIM>: LEN must be at most 16,777,216");
        let record = Record::new(LayerKind::IntegerGlobalAveragePooling1D, &[LEN, DIM]);
        Records::layer(record.options([0, 0, !M::HONOURED as u16]))
    };

    fn infer<const BATCH: usize>(
        &self,
        x: Batch<'_, [[i8; DIM]; LEN]>,
        sums: &mut [i32; DIM],
        y: BatchMut<'_, [i8; DIM]>,
    ) {
        for ((x, mask), y) in x.values.iter().zip(x.masks).zip(y.values) {
            mean_over_steps(x.as_flattened(), counted::<LEN, M>(mask), &self.channel, sums, y);
        }
    }

    no_learning!(0);
}
