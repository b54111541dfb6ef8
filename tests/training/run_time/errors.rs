//! What a trainer at run time refuses, it refuses with the error of the typed one, and learns nothing.

use super::{EXAMPLES, Owned};
use crate::common::bits;
use crate::common::run_time::{Column, Given, GivenLabel, ROWS, Slices, records_of, words_of};
use nanoembed::layers::options::{MaskZero, Multiplied, ReturnSequences};
use nanoembed::layers::{
    BiasedDot, Branches, Conv1D, Dense, Dot, Dropout, Embedding, EmbeddingBag, Flatten, Frozen, FrozenRows,
    GlobalMaxPooling1D, HashedEmbedding, Input, Layer, Lstm, QuotientRemainder, Relu, Softmax,
};
use nanoembed::loss::{AnyLoss, Loss, MeanSquaredError, SparseCategoricalCrossEntropy};
use nanoembed::models::{All, BatchSize, Recipe, Trainer};
use nanoembed::optim::{Adam, AnyOptimizer, Exact, Optimizer, Sgd};
use nanoembed::train::{self, Report, TrainError};
use nanoembed::{concatenate, sequential};
use rand_core::SeedableRng;

type Random = crate::common::Random;
const BATCH: usize = 3;

/// What is tried with a model.
#[derive(Clone, Copy, PartialEq)]
enum Call {
    Epoch,
    Step,
    Evaluate,
    /// A step, and at once an evaluation.
    StepAndEvaluate,
}

/// Tries the call both ways, and gives the result, which is the same.
fn try_both<M, O, L>(
    call: Call,
    model: &mut M,
    (optimizer, loss, any): (O, L, AnyLoss<'_>),
    (x, labels): (&[M::Input], &[L::Label]),
) -> Result<Report, TrainError>
where
    M: Layer,
    M::Input: Given,
    O: Optimizer + Copy,
    L: Loss<M::Output>,
    L::Label: GivenLabel,
{
    let records = records_of(model);
    let recipe = Recipe::<All>::new(&records).expect("layers that fit");
    let size = BatchSize { examples: BATCH, ids_per_bag: super::BAG };
    let by_value: &dyn AnyOptimizer = &optimizer;
    let mut memory = Owned::new(recipe, by_value, any, size);
    let mut trainer = Trainer::new(recipe, by_value, any, size, memory.memory()).expect("a loss that fits");
    let mut typed = train::Trainer::<M, O, L, BATCH>::new(optimizer, loss);
    let (mut parameters, slices) = (words_of(model), Slices::of(labels));
    let columns = M::Input::columns(x);
    let inputs: Vec<_> = columns.iter().map(Column::input).collect();
    let before = bits(&parameters);
    let (expected, found) = match call {
        Call::Epoch => (
            typed.epoch(model, x, labels),
            trainer.epoch(&mut parameters, &inputs, &slices.labels(), x.len()),
        ),
        Call::Step => {
            (typed.step(model, x, labels), trainer.step(&mut parameters, &inputs, &slices.labels(), x.len()))
        }
        Call::Evaluate => (
            typed.evaluate(model, x, labels),
            trainer.evaluate(&parameters, &inputs, &slices.labels(), x.len()),
        ),
        Call::StepAndEvaluate => {
            typed.step(model, x, labels).expect("good examples");
            trainer.step(&mut parameters, &inputs, &slices.labels(), x.len()).expect("good examples");
            (
                typed.evaluate(model, x, labels),
                trainer.evaluate(&parameters, &inputs, &slices.labels(), x.len()),
            )
        }
    };
    // A loss that is NaN is none that equals itself.
    assert_eq!(format!("{found:?}"), format!("{expected:?}"));
    if call == Call::Step && found.is_err() {
        assert_eq!(bits(&parameters), before, "a step that fails changes nothing");
        assert_eq!(trainer.steps(), 0);
    }
    assert_eq!(bits(&parameters), bits(&words_of(model)));
    found
}

fn examples<M: Layer>(n: usize) -> Vec<M::Input>
where
    M::Input: Given,
{
    let random = &mut Random::seed_from_u64(5);
    (0..n).map(|_| M::Input::draw(random)).collect()
}

fn squares<M, const N: usize>(
    call: Call,
    model: &mut M,
    x: &[M::Input],
    labels: &[[f32; N]],
) -> Result<Report, TrainError>
where
    M: Layer<Output = [f32; N]>,
    M::Input: Given,
{
    let how = (Sgd { learning_rate: 0.1 }, MeanSquaredError, MeanSquaredError.into());
    try_both(call, model, how, (x, labels))
}

type Words<const LEN: usize, const DIM: usize> = Embedding<LEN, ROWS, DIM, u32, MaskZero>;
type Row<const DIM: usize> = sequential![Embedding<1, ROWS, DIM, u32>, Flatten<1, DIM, DIM>];
type Deep = sequential![Words<4, 3>, Flatten<4, 3, 12>, Dense<12, 2>];

#[test]
fn no_examples() {
    let mut model = Deep::new(&mut Random::seed_from_u64(1));
    for call in [Call::Epoch, Call::Step, Call::Evaluate] {
        assert_eq!(squares(call, &mut model, &[], &[]), Err(TrainError::NoExamples));
    }
}

/// Models of zeros that learn next to nothing, and those that learn.
#[test]
fn not_initialised() {
    fn stalls<M: Layer<Output = [f32; N]>, const N: usize>() -> bool
    where
        M::Input: Given,
    {
        let (x, labels) = (examples::<M>(EXAMPLES), [[1.0; N]; EXAMPLES]);
        squares::<M, N>(Call::Epoch, &mut M::zeroed(), &x, &labels) == Err(TrainError::NotInitialised)
    }
    assert!(stalls::<Deep, 2>());
    assert!(stalls::<sequential![Dense<3, 4>, Dropout<[f32; 4], 100>, Dense<4, 2>], 2>());
    assert!(stalls::<sequential![Branches<Row<3>, Row<3>>, Dot<3>], 1>());
    assert!(stalls::<sequential![Branches<Row<3>, Row<3>>, BiasedDot<3>], 1>());
    assert!(stalls::<sequential![QuotientRemainder<1, 3, 3, 2, Multiplied, u32>, Flatten<1, 2, 2>], 2>());
    assert!(stalls::<sequential![concatenate![Row<2>, Input<[f32; 2]>], Dense<4, 1>], 1>());
    assert!(stalls::<sequential![Frozen<Words<4, 3>>, Flatten<4, 3, 12>, Dense<12, 2>], 2>());
    assert!(stalls::<sequential![FrozenRows<Words<4, 3>, 1>, Lstm<4, 3, 2>], 2>());
    // Which rows are frozen, is no number.
    let mut model = <sequential![FrozenRows<Words<4, 3>, 1>, Lstm<4, 3, 2>]>::zeroed();
    model.first.freeze(3).unwrap();
    let found = squares(Call::Step, &mut model, &[[1, 2, 3, 0]], &[[1.0; 2]]);
    assert_eq!(found, Err(TrainError::NotInitialised));
    assert!(!stalls::<Dense<3, 2>, 2>());
    assert!(!stalls::<Row<2>, 2>());
    assert!(!stalls::<concatenate![Row<2>, Input<[f32; 2]>], 4>());
    assert!(!stalls::<concatenate![Row<2>, sequential![Input<[f32; 2]>, Dense<2, 1>]], 3>());
}

/// Each parameter in turn is NaN or too large: the place is the same.
#[test]
fn parameters_that_are_not_finite() {
    fn each<M: Layer<Output = [f32; N]>, const N: usize>()
    where
        M::Input: Given,
    {
        let (x, labels) = (examples::<M>(BATCH), [[0.5; N]; BATCH]);
        let (mut model, mut found) = (M::new(&mut Random::seed_from_u64(2)), 0);
        let parameters = words_of(&model).len();
        let set = |model: &mut M, number: usize, value: f32| {
            let (mut place, mut before) = (0, 0.0);
            model.visit_mut(&mut |part| {
                for bytes in part.as_chunks_mut().0 {
                    if place == number {
                        before = f32::from_le_bytes(*bytes);
                        *bytes = value.to_le_bytes();
                    }
                    place += 1;
                }
            });
            before
        };
        for number in 0..parameters {
            for value in [f32::NAN, f32::NEG_INFINITY, 3e38] {
                let before = set(&mut model, number, value);
                let result = squares::<M, N>(Call::Evaluate, &mut model, &x, &labels);
                if result.is_ok_and(|report| !report.loss.is_finite()) {
                    found += 1;
                    let result = squares::<M, N>(Call::Step, &mut model, &x, &labels);
                    assert!(matches!(result, Err(TrainError::NotFinite { step: 1, .. })), "{result:?}");
                }
                set(&mut model, number, before);
            }
        }
        assert!(found > 0);
    }
    each::<Deep, 2>();
    each::<sequential![Words<4, 2>, Conv1D<4, 2, 3, 2, 3, Relu>, GlobalMaxPooling1D<3, 3>, Dense<3, 2>], 2>();
    each::<sequential![Words<4, 2>, Lstm<4, 2, 2, ReturnSequences>, Lstm<4, 2, 2>], 2>();
    each::<sequential![QuotientRemainder<2, 3, 3, 2, Multiplied, u32>, Flatten<2, 2, 4>, Dense<4, 1>], 1>();
    each::<sequential![HashedEmbedding<2, 3, 2, 2, u32>, Flatten<2, 2, 4>], 4>();
    each::<sequential![EmbeddingBag<3, ROWS, 2, nanoembed::layers::options::Mean, u32>, Dense<2, 1>], 1>();
    each::<sequential![Branches<Row<3>, Row<3>>, BiasedDot<3>], 1>();
    each::<
        sequential![concatenate![Row<2>, sequential![Input<[f32; 2]>, Dense<2, 1>]], Frozen<Dense<3, 1>>],
        1,
    >();
}

/// Numbers that are given, what comes of them, and the loss.
#[test]
fn inputs_that_are_not_finite() {
    type Deep = sequential![Dense<2, 3>, Dropout<[f32; 3], 10>, Dense<3, 1>];
    let mut model = Deep::new(&mut Random::seed_from_u64(3));
    for (input, label) in [(f32::NAN, 0.0), (f32::INFINITY, 0.0), (3e38, 0.0), (1e20, 0.0), (1.0, 3e38)] {
        for place in 0..4 {
            let mut x = [[0.25, 0.5], [1.0, -0.5]];
            x.as_flattened_mut()[place] = input;
            let labels = [[0.0], [label]];
            for call in [Call::Epoch, Call::Step] {
                let found = squares(call, &mut model, &x, &labels);
                assert!(matches!(found, Err(TrainError::NotFinite { step: 1, .. })), "{found:?}");
            }
        }
    }
}

#[test]
fn not_flushed() {
    fn after_step(optimizer: impl Optimizer + Copy) -> Result<Report, TrainError> {
        let (x, labels) = (examples::<Deep>(BATCH), [[0.5; 2]; BATCH]);
        let mut model = Deep::new(&mut Random::seed_from_u64(1));
        let how = (optimizer, MeanSquaredError, MeanSquaredError.into());
        try_both(Call::StepAndEvaluate, &mut model, how, (&x, &labels))
    }
    assert_eq!(after_step(Exact(Adam::default())), Err(TrainError::NotFlushed));
    assert!(after_step(Adam::default()).is_ok());
}

#[test]
fn bad_labels() {
    type Classes = sequential![Words<4, 3>, Flatten<4, 3, 12>, Dense<12, 3, Softmax>];
    let mut model = Classes::new(&mut Random::seed_from_u64(1));
    let x = examples::<Classes>(BATCH);
    let loss = SparseCategoricalCrossEntropy;
    for labels in [[3, 0, 0], [0, 1, 7], [2, u16::MAX, 9]] {
        for call in [Call::Epoch, Call::Step, Call::Evaluate] {
            let found = try_both(call, &mut model, (Sgd::default(), loss, loss.into()), (&x, &labels));
            assert!(matches!(found, Err(TrainError::Label { .. })), "{found:?}");
        }
    }
    let mut model = Deep::new(&mut Random::seed_from_u64(1));
    let x = examples::<Deep>(2);
    for label in [f32::NAN, f32::INFINITY] {
        let found = squares(Call::Epoch, &mut model, &x, &[[0.0, 1.0], [0.0, label]]);
        assert!(matches!(found, Err(TrainError::Label { position: 1, .. })), "{found:?}");
    }
}

#[test]
fn bad_ids() {
    use nanoembed::layers::{Bag, Pair};
    const BAD: u32 = ROWS as u32;
    let mut model = Deep::new(&mut Random::seed_from_u64(1));
    let mut bags =
        EmbeddingBag::<3, ROWS, 2, nanoembed::layers::options::Sum, u32>::new(&mut Random::seed_from_u64(1));
    let mut pairs = <sequential![Branches<Row<3>, Row<3>>, BiasedDot<3>]>::new(&mut Random::seed_from_u64(1));
    for call in [Call::Epoch, Call::Step, Call::Evaluate] {
        let results = [
            squares(call, &mut model, &[[1, 0, 2, 3], [0, 0, BAD, BAD + 1]], &[[0.0; 2]; 2]),
            squares(call, &mut model, &[[1, 0, 2, u32::MAX]], &[[0.0; 2]]),
            squares(call, &mut bags, &[Bag::from_first([]), Bag::from_first([1, BAD])], &[[0.0; 2]; 2]),
            squares(call, &mut pairs, &[Pair { first: [1], second: [BAD] }], &[[0.0]]),
            squares(
                call,
                &mut pairs,
                &[Pair { first: [1], second: [BAD] }, Pair { first: [BAD], second: [0] }],
                &[[0.0]; 2],
            ),
        ];
        for found in results {
            assert!(matches!(found, Err(TrainError::Input(_))), "{found:?}");
        }
    }
}

#[test]
fn bad_hyperparameters() {
    let mut model = Deep::new(&mut Random::seed_from_u64(1));
    let (x, labels) = (examples::<Deep>(2), [[0.5; 2]; 2]);
    let adam = Exact(Adam { beta_1: 1.0, ..Adam::default() });
    for call in [Call::Epoch, Call::Step] {
        let how = (adam, MeanSquaredError, MeanSquaredError.into());
        let found = try_both(call, &mut model, how, (&x, &labels));
        assert!(matches!(found, Err(TrainError::OutOfRange(_))), "{found:?}");
    }
}
