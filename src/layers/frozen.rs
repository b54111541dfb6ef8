//! A layer that does not learn.

use super::plain::plain_fields;
use super::{ActivationKind, Batch, BatchMut, Bytes, Context, Fingerprint, Layer, LayerSummary};
use crate::error::{InputError, NotFinite};
use crate::optim::{Optimizer, Step};
use rand_core::Rng;
use zerocopy::{FromBytes, Immutable, KnownLayout};

/// Keras' `trainable = False`: the layer `L` with parameters that keep their bits.
///
/// It has no gradient and no optimizer state, and its bytes and images are those of `L`.
///
/// ```
/// use nanoembed::{layers::*, sequential};
/// type Tuned = sequential![Frozen<Embedding<4, 50, 8>>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
/// ```
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(transparent)]
pub struct Frozen<L>(
    /// The layer.
    pub L,
);

plain_fields!(impl[L: Bytes] Frozen<L> { 0: L });

impl<L: Layer> Layer for Frozen<L> {
    type Input = L::Input;
    type Output = L::Output;
    type InputGradient = L::InputGradient;
    type Workspace<const BATCH: usize> = L::Workspace<BATCH>;
    type Cache<const BATCH: usize> = L::Cache<BATCH>;
    type Gradient<const BATCH: usize> = ();
    type Slots<O: Optimizer> = ();

    const ACTIVATION: ActivationKind = L::ACTIVATION;
    const LAST_ACTIVATION: ActivationKind = L::LAST_ACTIVATION;
    const LAYERS: usize = L::LAYERS;
    const FINGERPRINT: Fingerprint = L::FINGERPRINT;
    const STALLS_AT_ZERO: bool = L::STALLS_AT_ZERO;
    const PASSES_ON: bool = L::PASSES_ON;

    fn init(&mut self, random: &mut impl Rng) {
        self.0.init(random);
    }

    fn check(inputs: &[L::Input]) -> Result<(), InputError> {
        L::check(inputs)
    }

    fn infer<const BATCH: usize>(
        &self,
        x: Batch<'_, L::Input>,
        workspace: &mut L::Workspace<BATCH>,
        y: BatchMut<'_, L::Output>,
    ) {
        self.0.infer(x, workspace, y);
    }

    fn forward<const BATCH: usize>(
        &self,
        x: Batch<'_, L::Input>,
        cache: &mut L::Cache<BATCH>,
        context: Context,
        y: BatchMut<'_, L::Output>,
    ) {
        self.0.forward(x, cache, context, y);
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, L::Input>,
        cache: &mut L::Cache<BATCH>,
        d_y: &[L::Output],
        _: Option<&mut ()>,
        d_x: Option<&mut [L::InputGradient]>,
    ) {
        self.0.backward(x, cache, d_y, None, d_x);
    }

    fn activate(y: &mut [L::Output]) {
        L::activate(y);
    }

    fn activate_backward(y: &[L::Output], d_y: &mut [L::Output]) {
        L::activate_backward(y, d_y);
    }

    fn catch_up<O: Optimizer>(&mut self, _: &[Self::Input], _: &O, _: u32, (): &mut ()) {}

    fn flush<O: Optimizer>(&mut self, _: &O, _: u32, (): &mut ()) {}

    fn sum_of_squares<const BATCH: usize>((): &mut (), _: bool) -> f32 {
        0.0
    }

    fn update<O: Optimizer, const BATCH: usize>(
        &mut self,
        _: &O,
        _: Step<O::Rule>,
        (): &mut (),
        (): &mut (),
    ) {
    }

    fn not_finite<const BATCH: usize>(&self, cache: &L::Cache<BATCH>, examples: usize) -> Option<NotFinite> {
        self.0.not_finite(cache, examples)
    }

    fn describe(visit: &mut dyn FnMut(LayerSummary)) {
        L::describe(&mut |layer| visit(LayerSummary { trainable: false, ..layer }));
    }
}
