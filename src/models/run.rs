//! The layers of a recipe one after the other, over memory that the caller brings.

use super::kind::{Input, Kind, Kinds, Taken, Values, ValuesMut, View, Visit};
use super::recipe::{Output, Place, Recipe, Sizes, source_of};
use super::shape::Shape;
use crate::error::{CapacityExceeded, InputError, ShapeMismatch};
use crate::layers::{first, first_mut};
use crate::recipe::Record;
use crate::table::{Bags, Indices};

/// How much memory a call takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lengths {
    /// Numbers of 32 bits.
    pub numbers: usize,
    /// Masks of steps.
    pub masks: usize,
}

/// Memory for a call, as long as [`Lengths`] says or longer; what it holds does not matter.
#[derive(Debug)]
pub struct Workspace<'m> {
    /// Numbers of 32 bits.
    pub numbers: &'m mut [f32],
    /// Masks of steps.
    pub masks: &'m mut [bool],
}

impl Workspace<'_> {
    /// `Ok` if it is long enough.
    pub(super) fn check(&self, lengths: Lengths) -> Result<(), CapacityExceeded> {
        CapacityExceeded::check("numbers of the workspace", self.numbers.len(), lengths.numbers)?;
        CapacityExceeded::check("masks of the workspace", self.masks.len(), lengths.masks)
    }
}

/// The `length` items from `start` on; none if there are fewer.
pub(super) fn part<T>(items: &[T], start: usize, length: usize) -> &[T] {
    items.get(start..).and_then(|rest| rest.get(..length)).unwrap_or_default()
}

/// The same, to write.
pub(super) fn part_mut<T>(items: &mut [T], start: usize, length: usize) -> &mut [T] {
    items.get_mut(start..).and_then(|rest| rest.get_mut(..length)).unwrap_or_default()
}

/// Takes the first `length` items off; none if there are fewer.
pub(super) fn take<'a, T>(items: &mut &'a mut [T], length: usize) -> &'a mut [T] {
    items.split_off_mut(..length).unwrap_or_default()
}

/// `Ok` if the inputs of the layer at `place` are those of `n` examples, and every id can be used.
#[inline]
pub(super) fn check_inputs<K: Kinds>(
    place: &Place<'_>,
    inputs: &[Input<'_>],
    n: usize,
) -> Result<(), InputError> {
    struct Check<'a>(&'a Record, Input<'a>);
    impl Visit for Check<'_> {
        type Output = Result<(), InputError>;

        #[inline]
        fn visit<K: Kind>(self) -> Self::Output {
            K::check(self.0, self.1)
        }
    }
    for (source, takes) in place.spec.takes.into_iter().enumerate() {
        let (Some(takes), Some(Err(number))) = (takes, source_of(place.record, source, place.number)) else {
            continue;
        };
        // There are as many inputs as the recipe names.
        let Some(input) = inputs.get(usize::from(number)) else { continue };
        check_lengths(takes, *input, n)?;
        if let Ok(checked) = K::with(place.record, Check(place.record, *input)) {
            checked.map_err(|error| match error {
                InputError::Id { example, error, .. } if inputs.len() > 1 => {
                    InputError::Id { example, branch: Some(usize::from(number)), error }
                }
                other => other,
            })?;
        }
    }
    Ok(())
}

/// `Ok` if an input is as long as that of `n` examples.
fn check_lengths(takes: Shape, input: Input<'_>, n: usize) -> Result<(), InputError> {
    let (what, expected, found) = match (takes, input) {
        (Shape::Ids(len), Input::Ids(ids)) => ("number of ids", n.saturating_mul(len), ids.len()),
        (Shape::LongIds(len), Input::Ids(ids)) => ("number of ids", n.saturating_mul(len), ids.len()),
        (Shape::LongIds(len), Input::LongIds(ids)) => ("number of ids", n.saturating_mul(len), ids.len()),
        (Shape::Bag, Input::Bags { ids, offsets }) => {
            Bags::new(Indices::skipping(ids, usize::MAX), offsets)?;
            ("number of offsets", n.saturating_add(1), offsets.len())
        }
        (Shape::Vector(_) | Shape::Sequence { .. }, Input::Numbers(numbers)) => {
            ("number of input numbers", n.saturating_mul(takes.numbers()), numbers.len())
        }
        _ => ("kind of input: ids, long ids, bags or numbers", 1, 0),
    };
    Ok(ShapeMismatch::check(what, expected, found)?)
}

/// What the layer at `place` takes: from the outputs of the layers before it, or from the inputs.
#[inline]
pub(super) fn taken<'v, K: Kinds>(
    place: &Place<'_>,
    from: impl Fn(usize) -> Option<Output>,
    n: usize,
    inputs: &impl Fn(usize) -> Option<Input<'v>>,
    before: Values<'v>,
    valid: &'v [bool],
) -> Taken<'v> {
    let value = |source| match source_of(place.record, source, place.number) {
        Some(Ok(number)) => {
            let Some(from) = from(number) else { return Taken::Value(Values::default()) };
            let (numbers, steps) = (from.shape.numbers(), from.shape.steps());
            let masks = match place.spec.ignores_masks {
                _ if !K::SEQUENCES => &[],
                true => first(valid, steps * n),
                false => part(before.masks, from.steps * n, steps * n),
            };
            Taken::Value(Values { numbers: part(before.numbers, from.start * n, numbers * n), masks })
        }
        Some(Err(input)) => match inputs(usize::from(input)) {
            Some(Input::Numbers(numbers)) => {
                let steps = place.spec.takes.get(source).copied().flatten().map_or(0, Shape::steps);
                let masks = if K::SEQUENCES { first(valid, steps * n) } else { &[] };
                Taken::Value(Values { numbers, masks })
            }
            Some(input) => Taken::Input(input),
            None => Taken::Value(Values::default()),
        },
        None => Taken::Value(Values::default()),
    };
    match place.spec.takes {
        [_, Some(_)] if K::PAIRS => Taken::Pair(value(0).value(), value(1).value()),
        _ => value(0),
    }
}

/// The parameters of the layer at `place`.
#[inline]
pub(super) fn view<'p>(place: &Place<'p>, parameters: &'p [f32], n: usize) -> View<'p> {
    let words = place.spec.words().unwrap_or(0);
    View { record: place.record, parameters: part(parameters, place.parameters, words), n }
}

impl<K: Kinds> Recipe<'_, K> {
    /// How much memory a call with `examples` takes; `None` if it is more than can be counted.
    pub fn workspace(&self, examples: usize) -> Option<Lengths> {
        let Sizes { outputs, steps, valid, scratch, .. } = self.sizes;
        let numbers = outputs.checked_mul(examples)?.checked_add(scratch.of_batch(examples)?)?;
        Some(Lengths { numbers, masks: steps.checked_add(valid)?.checked_mul(examples)? })
    }

    /// All layers for use; gives the outputs of the last. Sizes were checked, inputs are checked here.
    pub(super) fn infer<'m>(
        &self,
        parameters: &[f32],
        inputs: &[Input<'_>],
        n: usize,
        workspace: &'m mut Workspace<'_>,
    ) -> Result<&'m [f32], InputError> {
        struct Infer<'a>(View<'a>, Taken<'a>, ValuesMut<'a>, &'a mut [f32]);
        impl Visit for Infer<'_> {
            type Output = ();

            #[inline]
            fn visit<K: Kind>(self) {
                K::infer(self.0, self.1, self.2, self.3, false);
            }
        }
        let all_masks: &mut [bool] = if K::SEQUENCES { workspace.masks } else { &mut [] };
        let (valid, masks) = all_masks.split_at_mut_checked(self.sizes.valid * n).unwrap_or_default();
        valid.fill(true);
        let (values, scratch) =
            workspace.numbers.split_at_mut_checked(self.sizes.outputs * n).unwrap_or_default();
        let mut previous = None;
        for place in self.places() {
            check_inputs::<K>(&place, inputs, n)?;
            let (before, numbers) = values.split_at_mut_checked(place.outputs * n).unwrap_or_default();
            let (masks_before, masks) = masks.split_at_mut_checked(place.steps * n).unwrap_or_default();
            let before = Values { numbers: before, masks: masks_before };
            let from = |number| self.output_of(number, previous);
            let x = taken::<K>(&place, from, n, &|i| inputs.get(i).copied(), before, valid);
            let y = ValuesMut {
                numbers: first_mut(numbers, place.spec.gives.numbers() * n),
                masks: first_mut(masks, place.spec.gives.steps() * n),
            };
            let scratch = first_mut(scratch, place.spec.scratch.of_batch(n).unwrap_or(0));
            if K::with(place.record, Infer(view(&place, parameters, n), x, y, scratch)).is_err() {
                break;
            }
            previous = Some(place.output());
        }
        Ok(previous.map_or(&[], |last| part(values, last.start * n, last.shape.numbers() * n)))
    }
}
