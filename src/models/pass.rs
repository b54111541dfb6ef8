//! The forward and the backward pass of training.

use super::batch::loaded;
use super::blocks::{BatchSize, gradient_of};
use super::kind::{Backward, Kind, Kinds, Pass, Taken, Values, ValuesMut, View, Visit};
use super::learn::Loaded;
use super::recipe::{Place, Recipe, source_of};
use super::run::{Before, Given, taken, view};
use crate::layers::Context;
use crate::slices::{first_mut, part, part_mut};

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

/// What a layer keeps for its backward pass.
fn kept_of<'k>(place: &Place<'_>, size: BatchSize, kept: &'k mut [f32]) -> &'k mut [f32] {
    let [start, length] = [place.kept, place.spec.kept].map(|room| room.of_batch(size.examples).unwrap_or(0));
    part_mut(kept, start, length)
}

/// What a layer's forward pass is given: small, since it is handed on until a kind takes it.
struct Forward<'a, 'b>(&'a mut Option<(View<'b>, Taken<'b>, ValuesMut<'b>, &'b mut [f32], Pass)>);

impl Visit for Forward<'_, '_> {
    type Output = ();

    #[inline]
    fn visit<K: Kind>(self) {
        if let Some((layer, x, y, kept, pass)) = self.0.take() {
            K::forward(layer, x, y, kept, pass);
        }
    }
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
    let (n, layers) = (inputs.n, recipe.records().len());
    let mut previous = None;
    for place in recipe.places() {
        let (before, numbers) = flow.values.split_at_mut_checked(place.outputs * n).unwrap_or_default();
        let (masks_before, masks) = flow.masks.split_at_mut_checked(place.steps * n).unwrap_or_default();
        let before = Values { numbers: before, masks: masks_before };
        let given = |number| loaded(recipe, size, number, n, inputs.memory);
        let before = Before { n, values: before, valid: flow.valid, previous };
        let takes = (place.spec.takes, place.spec.ignores_masks);
        let x = taken(recipe, (place.record, place.number), takes, &given, before);
        let y = ValuesMut {
            numbers: first_mut(numbers, place.spec.gives.numbers() * n),
            masks: first_mut(masks, place.spec.gives.steps() * n),
        };
        let kept = kept_of(&place, size, flow.kept);
        let pass = pass(context, fused, place.number, layers);
        let mut layer = Some((view(&place, parameters, n), x, y, kept, pass));
        if K::with(place.record, Forward(&mut layer)).is_err() {
            return;
        }
        previous = Some(Given::by(&place));
    }
}

/// What a layer's backward pass is given: small, since it is handed on until a kind takes it.
struct Back<'a, 'b>(&'a mut Option<(View<'b>, Backward<'b>, Pass)>);

impl Visit for Back<'_, '_> {
    type Output = ();

    #[inline]
    fn visit<K: Kind>(self) {
        if let Some((layer, backward, pass)) = self.0.take() {
            K::backward(layer, backward, pass);
        }
    }
}

/// All layers, back to front: from the gradients of the outputs of the last, those of all parameters.
pub(super) fn backward<K: Kinds>(
    recipe: Recipe<'_, K>,
    size: BatchSize,
    parameters: &[f32],
    inputs: Loaded<'_>,
    flow: &mut Flow<'_>,
    gradients: &mut [f32],
    (context, fused): (Context, bool),
) {
    let (n, layers) = (inputs.n, recipe.records().len());
    let Some(first) = recipe.first_learning() else { return };
    let mut rest = gradients;
    let mut places = recipe.places_back().peekable();
    while let Some(place) = places.next().filter(|place| place.number >= first) {
        let previous = places.peek();
        let all = Values { numbers: flow.values, masks: flow.masks };
        let given = |number| loaded(recipe, size, number, n, inputs.memory);
        let before = Before { n, values: all, valid: flow.valid, previous: previous.map(Given::by) };
        let takes = (place.spec.takes, place.spec.ignores_masks);
        let x = taken(recipe, (place.record, place.number), takes, &given, before);
        let outputs = place.spec.gives.numbers() * n;
        let y = Values {
            numbers: part(flow.values, place.outputs * n, outputs),
            masks: part(flow.masks, place.steps * n, place.spec.gives.steps() * n),
        };
        let (before, d_y) = flow.d_values.split_at_mut_checked(place.outputs * n).unwrap_or_default();
        let kept = kept_of(&place, size, flow.kept);
        // The gradients lie in the order of the layers, so this layer's are the last that are left.
        let own = rest.len().saturating_sub(gradient_of(&place, size).unwrap_or(0));
        let own = rest.split_off_mut(own..).unwrap_or_default();
        let gradient = place.learns().then_some(own);
        let d_x = gradients_of_sources(recipe, &place, previous, first, n, before);
        let backward = Backward { x, y, d_y: first_mut(d_y, outputs), kept, gradient, d_x };
        let pass = pass(context, fused, place.number, layers);
        let mut layer = Some((view(&place, parameters, n), backward, pass));
        if K::with(place.record, Back(&mut layer)).is_err() {
            return;
        }
    }
}

/// Where the gradients go of what a layer takes: nowhere, if it comes from no layer that learns, or from none
/// after one.
fn gradients_of_sources<'d, K: Kinds>(
    recipe: Recipe<'_, K>,
    place: &Place<'_>,
    previous: Option<&Place<'_>>,
    first: usize,
    n: usize,
    before: &'d mut [f32],
) -> [Option<&'d mut [f32]>; 2] {
    let source = |source| match source_of(place.record, source, place.number)? {
        Ok(from) if from >= first => match previous {
            Some(previous) if previous.number == from => Some(Given::by(previous)),
            _ => recipe.place(from).map(|place| Given::by(&place)),
        },
        _ => None,
    };
    let start = |given: Given| given.outputs * n;
    let length = |given: Given| given.numbers * n;
    match (source(0), source(1)) {
        (Some(a), None) => [Some(part_mut(before, start(a), length(a))), None],
        (None, Some(b)) => [None, Some(part_mut(before, start(b), length(b)))],
        (Some(a), Some(b)) if a.number < b.number => {
            let (first, second) = before.split_at_mut_checked(start(b)).unwrap_or_default();
            [Some(part_mut(first, start(a), length(a))), Some(first_mut(second, length(b)))]
        }
        (Some(a), Some(b)) => {
            let (first, second) = before.split_at_mut_checked(start(a)).unwrap_or_default();
            [Some(first_mut(second, length(a))), Some(part_mut(first, start(b), length(b)))]
        }
        (None, None) => [None, None],
    }
}
