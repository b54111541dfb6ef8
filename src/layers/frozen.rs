//! A layer that does not learn.

use super::{
    ActivationKind, Batch, BatchMut, Bytes, Context, Layer, LayerSummary, Records, bytes_of_fields,
    parameters,
};
use crate::error::{InputError, NotFinite};
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

bytes_of_fields!(impl[L: Bytes] Frozen<L> { 0: L });
parameters!(@nothing impl[L: Bytes] Frozen<L>);

impl<L: Layer> Layer for Frozen<L> {
    type Input = L::Input;
    type Output = L::Output;
    type InputGradient = L::InputGradient;
    type Workspace<const BATCH: usize> = L::Workspace<BATCH>;
    type Cache<const BATCH: usize> = L::Cache<BATCH>;

    const ACTIVATION: ActivationKind = L::ACTIVATION;
    const LAST_ACTIVATION: ActivationKind = L::LAST_ACTIVATION;
    const LAYERS: usize = L::LAYERS;
    const NAME: &'static str = L::NAME;
    const RECORDS: Records = Records::frozen(&L::RECORDS);
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
        x: BatchMut<'_, L::Input>,
        cache: &mut L::Cache<BATCH>,
        context: Context,
    ) {
        self.0.forward::<BATCH>(x, cache, context);
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, L::Input>,
        cache: &mut L::Cache<BATCH>,
        _: Option<&mut ()>,
        d_x: Option<&mut [L::InputGradient]>,
    ) {
        self.0.backward::<BATCH>(x, cache, None, d_x);
    }

    fn forward_logits<const BATCH: usize>(
        &self,
        x: BatchMut<'_, L::Input>,
        cache: &mut L::Cache<BATCH>,
        context: Context,
    ) {
        self.0.forward_logits::<BATCH>(x, cache, context);
    }

    fn backward_logits<const BATCH: usize>(
        &self,
        x: Batch<'_, L::Input>,
        cache: &mut L::Cache<BATCH>,
        _: Option<&mut ()>,
        d_x: Option<&mut [L::InputGradient]>,
    ) {
        self.0.backward_logits::<BATCH>(x, cache, None, d_x);
    }

    fn activate(y: &mut [L::Output]) {
        L::activate(y);
    }

    fn outputs<'a, const BATCH: usize>(
        x: BatchMut<'a, L::Input>,
        cache: &'a mut L::Cache<BATCH>,
    ) -> BatchMut<'a, L::Output> {
        L::outputs::<BATCH>(x, cache)
    }

    fn flows<'a, const BATCH: usize>(
        x: Batch<'a, L::Input>,
        cache: &'a mut L::Cache<BATCH>,
        _: Option<&'a mut ()>,
        d_x: Option<&'a mut [L::InputGradient]>,
    ) -> (Batch<'a, L::Output>, Option<&'a mut [L::Output]>) {
        L::flows::<BATCH>(x, cache, None, d_x)
    }

    fn not_finite<const BATCH: usize>(
        &self,
        x: Batch<'_, L::Input>,
        cache: &mut L::Cache<BATCH>,
    ) -> Option<NotFinite> {
        self.0.not_finite::<BATCH>(x, cache)
    }

    fn describe(visit: &mut dyn FnMut(LayerSummary)) {
        L::describe(&mut |layer| visit(LayerSummary { trainable: false, ..layer }));
    }
}
