//! A fully connected layer.

use super::plain::plain_fields;
use super::{
    ActivationFunction, ActivationKind, Batch, BatchMut, Bytes, CLOSED, Context, Fingerprint, Identity,
    Layer, LayerSummary, glorot_uniform,
};
use crate::kernels::{gemm, gemm_nt, gemm_tn, sum_of_squares};
use crate::optim::{Optimizer, Step};
use crate::table::{Numbers, Table, TableMut};
use core::marker::PhantomData;
use rand_core::Rng;
use zerocopy::{FromBytes, FromZeros, Immutable, KnownLayout};

/// Keras' `Dense(units=OUT, activation=A)`: y = A(x W + b).
///
/// # Shapes
/// x `[IN]`, W (`kernel`) `[IN, OUT]`, b (`bias`) `[OUT]`, y `[OUT]`.
///
/// Initial values: W Glorot uniform, b zeros.
///
/// An extent of 0 is a compile error:
///
/// ```compile_fail
/// use nanoembed::layers::{Dense, Layer};
/// let _ = Dense::<0, 1>::zeroed();
/// ```
///
/// So is a softmax over one unit, which would give 1 whatever it learns:
///
/// ```compile_fail,E0080
/// use nanoembed::layers::{Dense, Layer, Softmax};
/// let _ = Dense::<2, 1, Softmax>::zeroed();
/// ```
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Dense<const IN: usize, const OUT: usize, A = Identity> {
    /// W.
    pub kernel: [[f32; OUT]; IN],
    /// b.
    pub bias: [f32; OUT],
    activation: PhantomData<A>,
}

plain_fields!(impl[const IN: usize, const OUT: usize, A: ActivationFunction] Dense<IN, OUT, A> {
    kernel: [[f32; OUT]; IN], bias: [f32; OUT],
});

/// The gradient of a [`Dense`] layer, summed over examples.
#[derive(Debug, FromZeros)]
pub struct DenseGradient<const IN: usize, const OUT: usize> {
    kernel: [[f32; OUT]; IN],
    bias: [f32; OUT],
}

/// Optimizer state of a [`Dense`] layer.
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct DenseSlots<K, B> {
    kernel: K,
    bias: B,
}

plain_fields!(impl[K: Bytes, B: Bytes] DenseSlots<K, B> { kernel: K, bias: B });

impl<const IN: usize, const OUT: usize, A: ActivationFunction> Layer for Dense<IN, OUT, A> {
    type Input = [f32; IN];
    type Output = [f32; OUT];
    type InputGradient = [f32; IN];
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = ();
    type Gradient<const BATCH: usize> = DenseGradient<IN, OUT>;
    type Slots<O: Optimizer> = DenseSlots<O::Slots<[[f32; OUT]; IN]>, O::Slots<[f32; OUT]>>;

    const ACTIVATION: ActivationKind = A::KIND;
    const FINGERPRINT: Fingerprint = {
        assert!(IN > 0 && OUT > 0, "Dense<IN, OUT>: both must be at least 1");
        A::KIND.assert_units(OUT);
        Fingerprint::of("dense").extent(IN).extent(OUT).name(A::KIND.name())
    };
    const HAS_BIASES: bool = true;

    fn init(&mut self, random: &mut impl Rng) {
        glorot_uniform(self.kernel.as_numbers_mut(), IN, OUT, random);
        self.bias = [0.0; OUT];
    }

    fn infer<const BATCH: usize>(&self, x: Batch<'_, [f32; IN]>, (): &mut (), y: BatchMut<'_, [f32; OUT]>) {
        for y in y.values.iter_mut() {
            *y = self.bias;
        }
        let (x, kernel) = (Table::from_rows(x.values), Table::from_rows(&self.kernel));
        // The types fix the dims, and a batch has as many outputs as inputs.
        let _ = gemm(x, kernel, &mut TableMut::from_rows(y.values));
    }

    fn forward<const BATCH: usize>(
        &self,
        x: Batch<'_, [f32; IN]>,
        cache: &mut (),
        _: Context,
        y: BatchMut<'_, [f32; OUT]>,
    ) {
        self.infer::<BATCH>(x, cache, y);
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, [f32; IN]>,
        (): &mut (),
        d_y: &[[f32; OUT]],
        gradient: Option<&mut DenseGradient<IN, OUT>>,
        d_x: Option<&mut [[f32; IN]]>,
    ) {
        let d_y_rows = Table::from_rows(d_y);
        // The types fix the dims, and a batch has one length.
        if let Some(gradient) = gradient {
            let _ =
                gemm_tn(Table::from_rows(x.values), d_y_rows, &mut TableMut::from_rows(&mut gradient.kernel));
            for d_y in d_y {
                for (sum, d) in gradient.bias.iter_mut().zip(d_y) {
                    *sum += d;
                }
            }
        }
        if let Some(d_x) = d_x {
            let _ = gemm_nt(d_y_rows, Table::from_rows(&self.kernel), &mut TableMut::from_rows(d_x));
        }
    }

    fn activate(y: &mut [[f32; OUT]]) {
        for y in y {
            A::activate(y);
        }
    }

    fn activate_backward(y: &[[f32; OUT]], d_y: &mut [[f32; OUT]]) {
        for (y, d_y) in y.iter().zip(d_y) {
            A::activate_backward(y, d_y);
        }
    }

    // Every number has a gradient at every step: there is nothing to catch up with.
    fn catch_up<O: Optimizer>(&mut self, _: &[Self::Input], _: &O, _: u32, _: &mut Self::Slots<O>) {}

    fn flush<O: Optimizer>(&mut self, _: &O, _: u32, _: &mut Self::Slots<O>) {}

    fn sum_of_squares<const BATCH: usize>(gradient: &mut DenseGradient<IN, OUT>, _: bool) -> f32 {
        sum_of_squares(gradient.kernel.as_numbers()) + sum_of_squares(&gradient.bias)
    }

    fn update<O: Optimizer, const BATCH: usize>(
        &mut self,
        optimizer: &O,
        step: Step<O::Rule>,
        gradient: &mut DenseGradient<IN, OUT>,
        slots: &mut Self::Slots<O>,
    ) {
        let (kernel, bias) = (self.kernel.as_numbers_mut(), &mut self.bias);
        // Weights and gradients have the same shape by type.
        let _ =
            optimizer.update_block(step, kernel, gradient.kernel.as_numbers(), slots.kernel.as_numbers_mut());
        let _ = optimizer.update_block(step, bias, &gradient.bias, slots.bias.as_numbers_mut());
        gradient.zero();
    }

    fn close_outputs(&mut self, from: usize) {
        for bias in self.bias.iter_mut().skip(from) {
            *bias = CLOSED;
        }
    }

    fn describe(visit: &mut dyn FnMut(LayerSummary)) {
        visit(LayerSummary {
            name: "Dense",
            shape: <[f32; OUT] as super::Value>::SHAPE,
            parameters: IN * OUT + OUT,
            bytes: Self::BYTES,
            trainable: true,
        });
    }
}
