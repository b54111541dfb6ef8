//! A fully connected layer.

use super::flow::{Flow, FlowParts, Keeps};
use super::{
    ActivationFunction, ActivationKind, Batch, BatchMut, Context, Identity, Layer, LayerKind, Record,
    Records, glorot_uniform, parameters,
};
use crate::passes::dense;
use crate::table::{Numbers, Table, TableMut};
use core::marker::PhantomData;
use rand_core::Rng;
use zerocopy::{FromBytes, Immutable, KnownLayout};

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

parameters!(impl[const IN: usize, const OUT: usize, A: ActivationFunction] Dense<IN, OUT, A> {
    kernel: [[f32; OUT]; IN], bias: [f32; OUT],
});

impl<const IN: usize, const OUT: usize, A> Dense<IN, OUT, A> {
    /// y = x W + b.
    fn logits(&self, x: &[[f32; IN]], y: &mut [[f32; OUT]]) {
        let (x, kernel) = (Table::from_rows(x), Table::from_rows(&self.kernel));
        dense::forward(x, kernel, &self.bias, TableMut::from_rows(y));
    }
}

impl<const IN: usize, const OUT: usize, A: ActivationFunction> Layer for Dense<IN, OUT, A> {
    type Input = [f32; IN];
    type Output = [f32; OUT];
    type InputGradient = [f32; IN];
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = Flow<[f32; OUT], BATCH>;

    const ACTIVATION: ActivationKind = A::KIND;
    const NAME: &'static str = "Dense";
    const RECORDS: Records = {
        assert!(IN > 0 && OUT > 0, "Dense<IN, OUT>: both must be at least 1");
        A::KIND.assert_units(OUT);
        let record = Record::new(LayerKind::Dense, &[IN, OUT]);
        Records::layer(record.options([0, A::KIND as u16, 0]))
    };
    const HAS_BIASES: bool = true;

    fn init(&mut self, random: &mut impl Rng) {
        glorot_uniform(self.kernel.as_numbers_mut(), IN, OUT, random);
        self.bias = [0.0; OUT];
    }

    fn infer<const BATCH: usize>(&self, x: Batch<'_, [f32; IN]>, (): &mut (), y: BatchMut<'_, [f32; OUT]>) {
        self.logits(x.values, y.values);
        Self::activate(y.values);
    }

    fn forward<const BATCH: usize>(
        &self,
        x: BatchMut<'_, [f32; IN]>,
        cache: &mut Self::Cache<BATCH>,
        _: Context,
    ) {
        let y = cache.outputs(x.values.len());
        self.logits(x.values, y.values);
        Self::activate(y.values);
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, [f32; IN]>,
        cache: &mut Self::Cache<BATCH>,
        gradient: Option<&mut Self::Gradient<BATCH>>,
        d_x: Option<&mut [[f32; IN]]>,
    ) {
        let FlowParts { y, d_y, .. } = cache.parts(x.values.len());
        for (y, d_y) in y.iter().zip(d_y) {
            A::activate_backward(y, d_y);
        }
        self.backward_logits::<BATCH>(x, cache, gradient, d_x);
    }

    fn forward_logits<const BATCH: usize>(
        &self,
        x: BatchMut<'_, [f32; IN]>,
        cache: &mut Self::Cache<BATCH>,
        _: Context,
    ) {
        self.logits(x.values, cache.outputs(x.values.len()).values);
    }

    fn backward_logits<const BATCH: usize>(
        &self,
        x: Batch<'_, [f32; IN]>,
        cache: &mut Self::Cache<BATCH>,
        gradient: Option<&mut Self::Gradient<BATCH>>,
        d_x: Option<&mut [[f32; IN]]>,
    ) {
        let d_y = Table::from_rows(cache.parts(x.values.len()).d_y);
        if let Some(gradient) = gradient {
            let d_kernel = TableMut::from_rows(&mut gradient.kernel);
            dense::backward_parameters(Table::from_rows(x.values), d_y, d_kernel, &mut gradient.bias);
        }
        if let Some(d_x) = d_x {
            dense::backward_input(d_y, Table::from_rows(&self.kernel), TableMut::from_rows(d_x));
        }
    }

    fn activate(y: &mut [[f32; OUT]]) {
        for y in y {
            A::activate(y);
        }
    }

    fn close_outputs(&mut self, from: usize) {
        for bias in self.bias.iter_mut().skip(from) {
            *bias = Self::CLOSED;
        }
    }
}
