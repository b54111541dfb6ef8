//! The forward and the backward pass of training.

use super::batch::loaded;
use super::blocks::{BatchSize, gradients_of};
use super::kind::{Backward, Kind, Kinds, Pass, Taken, Values, ValuesMut, View, Visit};
use super::learn::Loaded;
use super::recipe::{Recipe, source_of};
use super::run::{part, part_mut, taken, view};
use crate::layers::{Context, first_mut};
use crate::optim::AnyOptimizer;

/// The memory of a trainer that belongs to what flows between layers.
#[derive(Debug)]
pub(super) struct Flow<'t> {
    /// The outputs of all layers.
    pub(super) values: &'t mut [f32],
    /// Their gradients.
    pub(super) d_values: &'t mut [f32],
    /// What layers keep for the backward pass.
    pub(super) kept: &'t mut [f32],
    /// The masks of an input without padding.
    pub(super) valid: &'t mut [bool],
    /// The masks of the outputs of all layers.
    pub(super) masks: &'t mut [bool],
}

/// The pass of layer number `number` of `layers`.
fn pass(context: Context, fused: bool, number: usize, layers: usize) -> Pass {
    Pass { context: Context { layer: number, ..context }, logits: fused && number + 1 == layers }
}

/// All layers, front to back; the last gives logits if the loss is fused with its activation.
pub(super) fn forward<K: Kinds>(
    recipe: Recipe<'_, K>,
    size: BatchSize,
    parameters: &[f32],
    inputs: Loaded<'_>,
    flow: &mut Flow<'_>,
    context: Context,
    fused: bool,
) {
    struct Forward<'a>(View<'a>, Taken<'a>, ValuesMut<'a>, &'a mut [f32], Pass);
    impl Visit for Forward<'_> {
        type Output = ();

        #[inline]
        fn visit<K: Kind>(self) {
            K::forward(self.0, self.1, self.2, self.3, self.4);
        }
    }
    let (n, layers) = (inputs.n, recipe.records().len());
    let mut previous = None;
    for place in recipe.places() {
        let (before, numbers) = flow.values.split_at_mut_checked(place.outputs * n).unwrap_or_default();
        let (masks_before, masks) = flow.masks.split_at_mut_checked(place.steps * n).unwrap_or_default();
        let before = Values { numbers: before, masks: masks_before };
        let given = |number| loaded(recipe, size, number, n, inputs.memory);
        let from = |number| recipe.output_of(number, previous);
        let x = taken::<K>(&place, from, n, &given, before, flow.valid);
        let y = ValuesMut {
            numbers: first_mut(numbers, place.spec.gives.numbers() * n),
            masks: first_mut(masks, place.spec.gives.steps() * n),
        };
        let start = place.kept.of_batch(size.examples).unwrap_or(0);
        let kept = part_mut(flow.kept, start, place.spec.kept.of_batch(size.examples).unwrap_or(0));
        let pass = pass(context, fused, place.number, layers);
        if K::with(place.record, Forward(view(&place, parameters, n), x, y, kept, pass)).is_err() {
            return;
        }
        previous = Some(place.output());
    }
}

/// All layers, back to front: from the gradients of the outputs of the last, those of all parameters.
#[allow(clippy::too_many_arguments)] // Each has its own meaning, and one caller lends them.
pub(super) fn backward<K: Kinds>(
    recipe: Recipe<'_, K>,
    optimizer: &dyn AnyOptimizer,
    size: BatchSize,
    parameters: &[f32],
    inputs: Loaded<'_>,
    flow: &mut Flow<'_>,
    gradients: &mut [f32],
    (context, fused): (Context, bool),
) {
    struct Back<'a>(View<'a>, Backward<'a>, Pass);
    impl Visit for Back<'_> {
        type Output = ();

        #[inline]
        fn visit<K: Kind>(self) {
            K::backward(self.0, self.1, self.2);
        }
    }
    let (n, layers) = (inputs.n, recipe.records().len());
    let learns = |number: usize| recipe.place(number).is_some_and(|place| place.learns());
    let Some(first) = (0..layers).find(|number| learns(*number)) else { return };
    for number in (first..layers).rev() {
        let Some(place) = recipe.place(number) else { return };
        let all = Values { numbers: flow.values, masks: flow.masks };
        let given = |number| loaded(recipe, size, number, n, inputs.memory);
        let from = |number| recipe.place(number).map(|place| place.output());
        let x = taken::<K>(&place, from, n, &given, all, flow.valid);
        let outputs = place.spec.gives.numbers() * n;
        let y = Values {
            numbers: part(flow.values, place.outputs * n, outputs),
            masks: part(flow.masks, place.steps * n, place.spec.gives.steps() * n),
        };
        let (before, d_y) = flow.d_values.split_at_mut_checked(place.outputs * n).unwrap_or_default();
        let d_y = first_mut(d_y, outputs);
        let start = place.kept.of_batch(size.examples).unwrap_or(0);
        let kept = part_mut(flow.kept, start, place.spec.kept.of_batch(size.examples).unwrap_or(0));
        let gradient = if place.learns() {
            let (start, length) = gradients_of(recipe, optimizer, size, number);
            Some(part_mut(gradients, start, length))
        } else {
            None
        };
        let d_x = gradients_of_sources(recipe, number, first, n, before);
        let backward = Backward { x, y, d_y, kept, gradient, d_x };
        let pass = pass(context, fused, number, layers);
        if K::with(place.record, Back(view(&place, parameters, n), backward, pass)).is_err() {
            return;
        }
    }
}

/// Where the gradients go of what layer number `number` takes: nowhere, if it comes from no layer that learns,
/// or from none after one.
fn gradients_of_sources<'d, K: Kinds>(
    recipe: Recipe<'_, K>,
    number: usize,
    first: usize,
    n: usize,
    before: &'d mut [f32],
) -> [Option<&'d mut [f32]>; 2] {
    let Some(place) = recipe.place(number) else { return [None, None] };
    let source = |source| match source_of(place.record, source, number)? {
        Ok(from) if from >= first => recipe.place(from),
        _ => None,
    };
    let (a, b) = (source(0), source(1));
    let start = |place: &super::recipe::Place<'_>| place.outputs * n;
    let length = |place: &super::recipe::Place<'_>| place.spec.gives.numbers() * n;
    match (a, b) {
        (Some(a), None) => [Some(part_mut(before, start(&a), length(&a))), None],
        (None, Some(b)) => [None, Some(part_mut(before, start(&b), length(&b)))],
        (Some(a), Some(b)) if a.number < b.number => {
            let (first, second) = before.split_at_mut_checked(start(&b)).unwrap_or_default();
            [Some(part_mut(first, start(&a), length(&a))), Some(first_mut(second, length(&b)))]
        }
        (Some(a), Some(b)) => {
            let (first, second) = before.split_at_mut_checked(start(&a)).unwrap_or_default();
            [Some(first_mut(second, length(&a))), Some(part_mut(first, start(&b), length(&b)))]
        }
        (None, None) => [None, None],
    }
}
