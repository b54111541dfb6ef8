//! The layers of a recipe one after the other, over memory that the caller brings.

use super::kind::{Input, Kind, Kinds, Taken, Values, ValuesMut, View, Visit, spec};
use super::recipe::{Place, Recipe, Sizes, source_of};
use super::shape::{Shape, Spec};
use crate::error::{CapacityExceeded, InputError, ShapeMismatch};
use crate::recipe::Record;
use crate::slices::{first, first_mut, part};
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
        CapacityExceeded::check(
            "numbers of the workspace (Recipe::workspace)",
            self.numbers.len(),
            lengths.numbers,
        )?;
        CapacityExceeded::check("masks of the workspace (Recipe::workspace)", self.masks.len(), lengths.masks)
    }
}

/// `Ok` if the inputs that a layer takes are those of `n` examples, and every id can be used, as `check` says.
pub(super) fn check_inputs(
    record: &Record,
    number: usize,
    takes: [Option<Shape>; 2],
    inputs: &[Input<'_>],
    n: usize,
    check: &dyn Fn(&Record, Input<'_>) -> Result<(), InputError>,
) -> Result<(), InputError> {
    for (source, takes) in takes.into_iter().enumerate() {
        let (Some(takes), Some(Err(number))) = (takes, source_of(record, source, number)) else { continue };
        // There are as many inputs as the recipe names.
        let Some(input) = inputs.get(usize::from(number)) else { continue };
        let input_number = usize::from(number);
        let several = inputs.len() > 1;
        let of_several = |error| match error {
            InputError::Id { example, error, .. } if several => {
                InputError::Id { example, branch: Some(input_number), error }
            }
            InputError::Shape(error) if several => InputError::Length { input: input_number, error },
            other => other,
        };
        check_lengths(takes, input_number, *input, n).map_err(of_several)?;
        check(record, *input).map_err(of_several)?;
    }
    Ok(())
}

/// `Ok` if input number `number` is of the kind that a layer takes, and as long as that of `n` examples.
fn check_lengths(takes: Shape, number: usize, input: Input<'_>, n: usize) -> Result<(), InputError> {
    let (what, expected, found) = match (takes, input) {
        (Shape::Ids(len) | Shape::LongIds(len), Input::Ids(ids)) => {
            ("number of ids", n.saturating_mul(len), ids.len())
        }
        (Shape::LongIds(len), Input::LongIds(ids)) => ("number of ids", n.saturating_mul(len), ids.len()),
        (Shape::Bag, Input::Bags { ids, offsets }) => {
            Bags::new(Indices::skipping(ids, usize::MAX), offsets)?;
            ("number of offsets", n.saturating_add(1), offsets.len())
        }
        (Shape::Vector(_) | Shape::Sequence { .. }, Input::Numbers(numbers)) => {
            ("number of input numbers", n.saturating_mul(takes.numbers()), numbers.len())
        }
        (takes, _) => return Err(InputError::Kind { input: number, takes: takes.input() }),
    };
    Ok(ShapeMismatch::check(what, expected, found)?)
}

/// Where what a layer gives lies: its number, its numbers and its steps of one example, and where they start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given {
    pub(super) number: usize,
    pub(super) outputs: usize,
    pub(super) numbers: usize,
    first_step: usize,
    steps: usize,
}

impl Given {
    /// What the layer after `previous` gives.
    #[inline(always)]
    fn after(previous: Option<Self>, gives: Shape) -> Self {
        let (numbers, steps) = (gives.numbers(), gives.steps());
        match previous {
            Some(before) => Self {
                number: before.number + 1,
                outputs: before.outputs + before.numbers,
                numbers,
                first_step: before.first_step + before.steps,
                steps,
            },
            None => Self { number: 0, outputs: 0, numbers, first_step: 0, steps },
        }
    }

    pub(super) fn by(place: &Place<'_>) -> Self {
        let (numbers, steps) = (place.spec.gives.numbers(), place.spec.gives.steps());
        Self { number: place.number, outputs: place.outputs, numbers, first_step: place.steps, steps }
    }
}

/// The values that flow in a pass over `n` examples, up to the layer that is next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before<'v> {
    pub(super) n: usize,
    pub(super) values: Values<'v>,
    /// Masks without padding.
    pub(super) valid: &'v [bool],
    /// What the layer before it gave, if that is known.
    pub(super) previous: Option<Given>,
}

/// What layer number `number` takes: from the outputs of the layers before it, or from the inputs.
#[inline]
pub(super) fn taken<'v, K: Kinds>(
    recipe: Recipe<'_, K>,
    (record, number): (&Record, usize),
    (takes, ignores_masks): ([Option<Shape>; 2], bool),
    inputs: &impl Fn(usize) -> Option<Input<'v>>,
    before: Before<'v>,
) -> Taken<'v> {
    let Before { n, values, valid, previous } = before;
    let value = |source, takes: Option<Shape>| match source_of(record, source, number) {
        Some(Ok(number)) => {
            let from = match previous {
                Some(previous) if previous.number == number => previous,
                // Where no kind takes two values it is always the layer before this one.
                Some(previous) if !K::PAIRS => previous,
                _ => match if K::PAIRS { recipe.place(number) } else { None } {
                    Some(place) => Given::by(&place),
                    None => return Taken::Value(Values::default()),
                },
            };
            let masks = match ignores_masks {
                _ if !K::SEQUENCES => &[],
                true => first(valid, from.steps * n),
                false => part(values.masks, from.first_step * n, from.steps * n),
            };
            Taken::Value(Values { numbers: part(values.numbers, from.outputs * n, from.numbers * n), masks })
        }
        Some(Err(input)) => match inputs(usize::from(input)) {
            Some(Input::Numbers(numbers)) => {
                let steps = if K::SEQUENCES { takes.map_or(0, Shape::steps) } else { 0 };
                Taken::Value(Values { numbers, masks: first(valid, steps * n) })
            }
            Some(input) => Taken::Input(input),
            None => Taken::Value(Values::default()),
        },
        None => Taken::Value(Values::default()),
    };
    match takes {
        [a, b] if K::PAIRS && b.is_some() => Taken::Pair(value(0, a).value(), value(1, b).value()),
        [a, _] => value(0, a),
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
        let all_masks: &mut [bool] = if K::SEQUENCES { workspace.masks } else { &mut [] };
        let (valid, masks) = all_masks.split_at_mut_checked(self.sizes.valid * n).unwrap_or_default();
        valid.fill(true);
        let (values, scratch) =
            workspace.numbers.split_at_mut_checked(self.sizes.outputs * n).unwrap_or_default();
        let memory = ValuesMut { numbers: values, masks };
        let mut layers =
            Infer { recipe: *self, previous: None, parameters, words: 0, inputs, n, memory, valid, scratch };
        let check = |record: &Record, input: Input<'_>| match K::with(record, Check(record, input)) {
            Ok(checked) => checked,
            Err(_) => Ok(()),
        };
        for record in self.records() {
            // A checked recipe has no layer that is none of these kinds.
            if cfg!(target_os = "none") {
                let Ok(spec) = spec::<K>(record) else { break };
                layers.next(record, &spec, &check, |layer, x, y, scratch| {
                    // Everything was checked, so there is such a kind.
                    K::with(record, Run(&mut Some((layer, x, y, scratch)))).is_ok()
                })?;
            } else {
                match K::with(record, Next { layers: &mut layers, record }) {
                    Ok(done) => done?,
                    Err(_) => break,
                }
            }
        }
        let Infer { previous, memory, .. } = layers;
        Ok(previous.map_or(&[], |last| part(memory.numbers, last.outputs * n, last.numbers * n)))
    }
}

/// An inference, as far as it has come.
struct Infer<'s, 'm, 'r, K> {
    recipe: Recipe<'r, K>,
    previous: Option<Given>,
    parameters: &'s [f32],
    /// The words of the parameters of the layers that are done.
    words: usize,
    inputs: &'s [Input<'s>],
    n: usize,
    memory: ValuesMut<'m>,
    valid: &'s [bool],
    scratch: &'s mut [f32],
}

impl<K: Kinds> Infer<'_, '_, '_, K> {
    /// Checks the inputs of the next layer, and computes it by `run`.
    #[inline(always)]
    fn next(
        &mut self,
        record: &Record,
        spec: &Spec,
        check: &dyn Fn(&Record, Input<'_>) -> Result<(), InputError>,
        run: impl FnOnce(View<'_>, Taken<'_>, ValuesMut<'_>, &mut [f32]) -> bool,
    ) -> Result<(), InputError> {
        let given = Given::after(self.previous, spec.gives);
        check_inputs(record, given.number, spec.takes, self.inputs, self.n, check)?;
        let (words, scratch) = (spec.words().unwrap_or(0), spec.scratch.of_batch(self.n).unwrap_or(0));
        let (layer, x, y, scratch) =
            self.lend(record, given, (spec.takes, spec.ignores_masks), words, scratch);
        if run(layer, x, y, scratch) {
            (self.previous, self.words) = (Some(given), self.words + words);
        }
        Ok(())
    }

    /// What the next layer works with. On a device one body for all kinds.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn lend<'l>(
        &'l mut self,
        record: &'l Record,
        given: Given,
        (takes, ignores_masks): ([Option<Shape>; 2], bool),
        words: usize,
        scratch: usize,
    ) -> (View<'l>, Taken<'l>, ValuesMut<'l>, &'l mut [f32]) {
        let (n, inputs) = (self.n, self.inputs);
        let memory = &mut self.memory;
        let (before, numbers) = memory.numbers.split_at_mut_checked(given.outputs * n).unwrap_or_default();
        let (masks_before, masks) =
            memory.masks.split_at_mut_checked(given.first_step * n).unwrap_or_default();
        let values = Values { numbers: before, masks: masks_before };
        let before = Before { n, values, valid: self.valid, previous: self.previous };
        let given_input = |i: usize| inputs.get(i).copied();
        let x = taken(self.recipe, (record, given.number), (takes, ignores_masks), &given_input, before);
        let y = ValuesMut {
            numbers: first_mut(numbers, given.numbers * n),
            masks: first_mut(masks, given.steps * n),
        };
        let layer = View { record, parameters: part(self.parameters, self.words, words), n };
        (layer, x, y, first_mut(self.scratch, scratch))
    }
}

/// The next layer, all of it in one visit: faster, since only the few numbers that are needed are made of the
/// record, and more code, since each kind has it.
struct Next<'n, 's, 'm, 'r, K> {
    layers: &'n mut Infer<'s, 'm, 'r, K>,
    record: &'n Record,
}

impl<All: Kinds> Visit for Next<'_, '_, '_, '_, All> {
    type Output = Result<(), InputError>;

    #[inline]
    fn visit<K: Kind>(self) -> Self::Output {
        let Self { layers, record } = self;
        // The recipe was checked.
        let Ok(spec) = K::spec(record) else { return Ok(()) };
        layers.next(record, &spec, &K::check, |layer, x, y, scratch| {
            K::infer(layer, x, y, scratch, false);
            true
        })
    }
}

/// Whether the ids of an input can be used by a layer.
struct Check<'a>(&'a Record, Input<'a>);

impl Visit for Check<'_> {
    type Output = Result<(), InputError>;

    fn visit<K: Kind>(self) -> Self::Output {
        K::check(self.0, self.1)
    }
}

/// What a layer is given: small, since it is handed on until a kind takes it.
struct Run<'a, 'b>(&'a mut Option<(View<'b>, Taken<'b>, ValuesMut<'b>, &'b mut [f32])>);

impl Visit for Run<'_, '_> {
    type Output = ();

    #[inline]
    fn visit<K: Kind>(self) {
        if let Some((layer, x, y, scratch)) = self.0.take() {
            K::infer(layer, x, y, scratch, false);
        }
    }
}
