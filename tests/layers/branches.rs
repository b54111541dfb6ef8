//! Layers with several inputs, and layers without parameters: dropout, activations, concatenation, products.
#![allow(clippy::disallowed_methods)]

use crate::common::pass as both_ways;
use crate::common::{Random, bits, image_of, parameter_bytes, vector};
use nanoembed::error::{IndexOutOfRange, InputError};
use nanoembed::internals::{self, Summary, reference};
use nanoembed::layers::options::MaskZero;
use nanoembed::layers::{
    Activation, BiasedDot, Branches, Concatenate, Context, Dense, Dot, Dropout, Embedding, Flatten, Frozen,
    Input, Layer, Pair, Relu, Sigmoid, Softmax, Tanh, Value,
};
use nanoembed::loss::{BinaryCrossEntropy, CategoricalCrossEntropy, MeanSquaredError};
use nanoembed::optim::{Adam, Exact, L2Decay, Optimizer, Sgd};
use nanoembed::train::Trainer;
use nanoembed::{branches, concatenate, image, sequential, simd::Level};
use proptest::prelude::*;
use rand_core::SeedableRng;

fn initial<M: Layer>(seed: u64) -> M {
    M::new(&mut Random::seed_from_u64(seed))
}

type Column<const ROWS: usize, const DIM: usize> = sequential![Embedding<1, ROWS, DIM>, Flatten<1, DIM, DIM>];

/// Outputs, their masks, and the gradients of the inputs.
type Pass<M> =
    (Vec<<M as Layer>::Output>, Vec<<<M as Layer>::Output as Value>::Mask>, Vec<<M as Layer>::InputGradient>);

/// The forward and the backward pass of a layer in training.
fn pass<M: Layer>(
    model: &M,
    x: &[M::Input],
    masks: &[<M::Input as Value>::Mask],
    context: Context,
    d_y: &[M::Output],
) -> Pass<M> {
    let pass = both_ways::pass_in::<M, 8>(context, model, x, masks, d_y, None);
    (pass.y, pass.y_masks, pass.d_x)
}

proptest! {
    #[test]
    fn dropout_has_the_bits_of_its_reference(
        seed: u64,
        rate in prop_oneof![Just(0.0), Just(0.5), 0.0..1.0_f32],
        x in prop::collection::vec(prop_oneof![8 => -3.0..3.0_f32, 1 => any::<u32>().prop_map(f32::from_bits)], 0..150),
    ) {
        let any = |x: &[f32]| bits(&x.iter().map(|x| if x.is_nan() { f32::NAN } else { *x }).collect::<Vec<_>>());
        let mut expected = vec![7.0; x.len()];
        reference::dropout(seed, rate, &x, &mut expected).unwrap();
        for level in Level::available() {
            let mut found = vec![7.0; x.len()];
            internals::dropout_at(level, seed, rate, &x, &mut found).unwrap();
            prop_assert_eq!(any(&found), any(&expected), "{}", level.name());
        }
        prop_assert!(internals::dropout(seed, rate, &x, &mut vec![0.0; x.len() + 1]).is_err());
    }
}

/// About as many numbers as the rate says are left out, others in each step, layer and example; the gradient passes where numbers did.
#[test]
fn dropout_leaves_out_what_it_says() {
    type Layer1000 = Dropout<[f32; 1000], 300>;
    let (layer, x) = (Layer1000::zeroed(), vec![[1.0; 1000]; 8]);
    let context = Context { training: true, seed: 7, layer: 0 };
    let (y, _, d_x) = pass(&layer, &x, &[(); 8], context, &x);
    for y in &y {
        let left_out = y.iter().filter(|y| **y == 0.0).count();
        // Four standard deviations of 14.5.
        assert!((242..=358).contains(&left_out), "{left_out} of 1000");
        assert!(y.iter().all(|y| *y == 0.0 || *y == 1.0 / (1.0 - 0.3)));
    }
    assert_eq!(d_x, y);
    assert_eq!(pass(&layer, &x, &[(); 8], context, &x).0, y, "a step can be repeated");
    assert_ne!(y[0], y[1], "examples differ");
    let alone = pass(&layer, &x[..1], &[()], context, &x[..1]).0;
    assert_eq!(alone[0], y[0], "a batch of one has the bits of row 0");
    assert_ne!(
        pass(&layer, &x, &[(); 8], Context { layer: 1, ..context }, &x).0,
        y,
        "layers and steps differ"
    );
    assert_eq!(pass(&layer, &x, &[(); 8], Context::EVALUATION, &x).0, x, "evaluation leaves nothing out");
    assert_eq!(pass(&layer, &x, &[(); 8], Context::EVALUATION, &x).2, x);
    assert_eq!(layer.predict(&x[0]).unwrap(), x[0]);
    let all = Dropout::<[f32; 1000], 0>::zeroed();
    assert_eq!(pass(&all, &x, &[(); 8], context, &x).0, x, "a rate of 0 leaves nothing out");
}

/// In a sequence each number of each step is drawn by itself, and the mask passes.
#[test]
fn dropout_of_sequences() {
    let layer = Dropout::<[[f32; 50]; 3], 500>::zeroed();
    let (x, mask) = ([[[1.0; 50]; 3]; 2], [[true, false, true], [false; 3]]);
    let context = Context { training: true, seed: 1, layer: 0 };
    let (y, masks, _) = pass(&layer, &x, &mask, context, &x);
    assert_eq!(masks, mask);
    assert!(y[0][0] != y[0][1] && y[0][1] != y[0][2]);
    assert_eq!(pass(&layer, &x, &mask, Context::EVALUATION, &x).1, mask);
}

/// A model with dropout learns, its training differs from the one without, and use is not random.
#[test]
fn dropout_in_training() {
    type Model<const RATE: usize> =
        sequential![Embedding<3, 10, 8>, Flatten<3, 8, 24>, Dropout<[f32; 24], RATE>, Dense<24, 1, Sigmoid>];
    fn train<const RATE: usize>(seed: u64) -> (f32, Vec<u8>) {
        let ids: Vec<[u16; 3]> = (0..40).map(|i| [i % 10, i / 4, (i * 7) % 10]).collect();
        let labels: Vec<[f32; 1]> = ids.iter().map(|ids| [f32::from(ids[0] > 4)]).collect();
        let mut model = initial::<Model<RATE>>(2);
        let adam = Adam { learning_rate: 0.02, ..Adam::default() };
        let mut trainer = Trainer::<_, _, _, 7>::new(Exact(adam), BinaryCrossEntropy::default());
        trainer.set_seed(seed);
        for _ in 0..40 {
            trainer.epoch(&mut model, &ids, &labels).unwrap();
        }
        (trainer.evaluate(&model, &ids, &labels).unwrap().accuracy, parameter_bytes(&model))
    }
    let (accuracy, model) = train::<400>(5);
    assert_eq!(accuracy, 1.0);
    assert_eq!(train::<400>(5).1, model);
    assert_ne!(train::<400>(6).1, model);
    assert_ne!(train::<0>(5).1, model);
}

/// By itself an activation does what it does at the end of a dense layer, also fused with a loss, also in the middle.
#[test]
fn activations_by_themselves() {
    type Inside<A> = sequential![Dense<3, 4, A>, Dense<4, 3, Softmax>];
    type Behind<A> =
        sequential![Dense<3, 4>, Activation<[f32; 4], A>, Dense<4, 3>, Activation<[f32; 3], Softmax>];
    fn trained<M: Layer<Input = [f32; 3], Output = [f32; 3]>>() -> (Vec<u8>, Vec<u32>) {
        let random = &mut Random::seed_from_u64(8);
        let x: Vec<[f32; 3]> = (0..30).map(|_| vector(random)).collect();
        let labels: Vec<[f32; 3]> =
            x.iter().map(|x| std::array::from_fn(|j| f32::from(j == 0) * x[0].abs())).collect();
        let mut model = initial::<M>(4);
        let mut trainer = Trainer::<M, _, _, 8>::new(Adam::default(), CategoricalCrossEntropy::default());
        for _ in 0..5 {
            trainer.epoch(&mut model, &x, &labels).unwrap();
        }
        (parameter_bytes(&model), x.iter().flat_map(|x| bits(&model.predict(x).unwrap())).collect())
    }
    assert_eq!(trained::<Inside<Relu>>(), trained::<Behind<Relu>>());
    assert_eq!(trained::<Inside<Tanh>>(), trained::<Behind<Tanh>>());
    assert_eq!(trained::<Inside<Softmax>>(), trained::<Behind<Softmax>>());
}

/// Of a sequence each step is activated by itself, and the mask passes.
#[test]
fn activations_of_sequences() {
    type Steps = Activation<[[f32; 5]; 3], Softmax>;
    let random = &mut Random::seed_from_u64(3);
    let x: [[f32; 5]; 3] = std::array::from_fn(|_| vector(random));
    let y = Steps::zeroed().predict(&x).unwrap();
    for (x, y) in x.iter().zip(&y) {
        assert_eq!(*y, Activation::<[f32; 5], Softmax>::zeroed().predict(x).unwrap());
    }
    let mask = [[true, false, true]];
    let (_, masks, d_x) = pass(&Steps::zeroed(), &[x], &mask, Context::EVALUATION, &[x]);
    assert_eq!(masks, mask);
    for ((d, d_y), y) in d_x[0].iter().zip(&x).zip(&y) {
        let mut expected = *d_y;
        internals::softmax_backward(y, &mut expected).unwrap();
        assert_eq!(*d, expected);
    }
}

/// Three columns beside each other are one layer whose parts are those of the columns.
#[test]
fn columns_become_one_vector() {
    type Columns = concatenate![Column<5, 3>, Column<7, 2>, Input<[f32; 4]>];
    let model = initial::<Columns>(1);
    let x = |a, b, numbers| Pair { first: [a], second: Pair { first: [b], second: numbers } };
    let y = model.predict(&x(2, 6, [1.0, 2.0, 3.0, 4.0])).unwrap();
    assert_eq!(y[..3], model.first.first.first.rows[2]);
    assert_eq!(y[3..5], model.first.second.first.first.rows[6]);
    assert_eq!(y[5..], [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(size_of::<Columns>(), 4 * (5 * 3 + 7 * 2));
    let summary = Summary::<Columns>::new().to_string();
    assert!(
        summary.contains("Concatenate") && summary.contains("(9)") && summary.contains("29 parameters"),
        "{summary}"
    );

    let error = |example, branch, index, rows| {
        let error = IndexOutOfRange { position: 0, index, rows };
        Err(InputError::Id { example, branch: Some(branch), error })
    };
    assert_eq!(model.predict(&x(5, 6, [0.0; 4])).map(drop), error(0, 0, 5, 5));
    assert_eq!(Columns::check(&[x(0, 0, [0.0; 4]), x(0, 7, [0.0; 4])]), error(1, 1, 7, 7));
    let same = image_of(&model);
    let mut read = Columns::zeroed();
    image::read_into(&same, &mut read).unwrap();
    assert_eq!(parameter_bytes(&read), parameter_bytes(&model));
}

/// Masks flow through branches, and activations within them are applied.
#[test]
fn branches_pass_masks_and_activate() {
    type Both = branches![Embedding<3, 6, 4, u16, MaskZero>, Dense<2, 2, Sigmoid>];
    let model = initial::<Both>(6);
    let x = [Pair { first: [0, 3, 0], second: [1.0, -1.0] }];
    let d = [Pair { first: [[0.0; 4]; 3], second: [0.0; 2] }];
    let (y, masks, _) = pass(&model, &x, &[((), ())], Context::EVALUATION, &d);
    assert_eq!(masks, [([false, true, false], ())]);
    assert_eq!(y[0].second, model.second.predict(&[1.0, -1.0]).unwrap());
    assert_eq!(y[0].first, model.first.predict(&[0, 3, 0]).unwrap());
    let y = model.predict(&x[0]).unwrap();
    assert_eq!(y.second, model.second.predict(&[1.0, -1.0]).unwrap());
}

/// One column that is split in two learns what it learns whole: gradients reach each branch, whatever the optimizer.
#[test]
fn branches_learn_what_one_layer_learns() {
    type Whole = sequential![Embedding<2, 9, 3>, Flatten<2, 3, 6>, Dense<6, 1, Sigmoid>];
    type Split = sequential![concatenate![Column<9, 3>, Column<9, 3>], Dense<6, 1, Sigmoid>];
    fn check<O: Optimizer + Copy>(optimizer: O) {
        let mut whole = initial::<Whole>(3);
        let mut split = Split::zeroed();
        // Ids below 5 stand in front, all others behind, so that no row is in both columns.
        split.first.first.first.first.rows = whole.first.rows;
        split.first.first.second.first.rows = whole.first.rows;
        split.second.kernel = whole.second.second.kernel;
        let ids: Vec<[u16; 2]> = (0..40).map(|i| [i % 5, 5 + i % 4]).collect();
        let pairs: Vec<_> = ids.iter().map(|[a, b]| Pair { first: [*a], second: [*b] }).collect();
        let labels: Vec<[f32; 1]> = ids.iter().map(|[a, b]| [f32::from((a + b) % 3 == 0)]).collect();
        let mut one = Trainer::<Whole, O, _, 7>::new(optimizer, BinaryCrossEntropy::default());
        let mut two = Trainer::<Split, O, _, 7>::new(optimizer, BinaryCrossEntropy::default());
        for _ in 0..6 {
            let report = one.epoch(&mut whole, &ids, &labels).unwrap();
            assert_eq!(two.epoch(&mut split, &pairs, &labels).unwrap(), report, "{}", O::NAME);
        }
        assert_eq!(split.first.first.first.first.rows[..5], whole.first.rows[..5]);
        assert_eq!(split.first.first.second.first.rows[5..], whole.first.rows[5..]);
        assert_eq!(split.second.kernel, whole.second.second.kernel);
    }
    check(Sgd { learning_rate: 0.3 });
    check(Adam { learning_rate: 0.05, ..Adam::default() });
    check(Exact(Adam { learning_rate: 0.05, ..Adam::default() }));
}

/// Numbers in, numbers out: gradients of the inputs reach the front through branches and concatenation.
#[test]
fn gradients_pass_through_concatenation() {
    type Model = concatenate![Dense<2, 3, Tanh>, Input<[f32; 2]>];
    let random = &mut Random::seed_from_u64(1);
    let model = initial::<Model>(2);
    let x: Vec<_> = (0..5).map(|_| Pair { first: vector(random), second: vector(random) }).collect();
    let c: Vec<[f32; 5]> = x.iter().map(|_| vector(random)).collect();
    let d_x = pass(&model, &x, &[((), ()); 5], Context::EVALUATION, &c).2;
    for ((x, c), d) in x.iter().zip(&c).zip(&d_x) {
        assert_eq!(d.second, c[3..]);
        let d_y = [c[0], c[1], c[2]];
        let expected = pass(&model.first.first, &[x.first], &[()], Context::EVALUATION, &[d_y]).2;
        assert_eq!(d.first, expected[0]);
    }
    let zeros = Concatenate::<Pair<[f32; 2], [f32; 3]>, 5>::zeroed();
    assert_eq!(
        zeros.predict(&Pair { first: [1.0; 2], second: [2.0; 3] }).unwrap(),
        [1.0, 1.0, 2.0, 2.0, 2.0]
    );
}

/// Products against central differences in `f64`.
#[test]
fn gradients_of_products() {
    fn plain(x: &[f64], biased: bool, mean: f64) -> f64 {
        let (a, b) = x.split_at(x.len() / 2);
        let factors = if biased { a.len() - 1 } else { a.len() };
        let product: f64 = a.iter().zip(b).take(factors).map(|(a, b)| a * b).sum();
        if biased { product + a[factors] + b[factors] + mean } else { product }
    }
    fn check<M, const N: usize>(model: &M, biased: bool, mean: f32)
    where
        M: Layer<
                Input = Pair<[f32; N], [f32; N]>,
                Output = [f32; 1],
                InputGradient = Pair<[f32; N], [f32; N]>,
            >,
    {
        let random = &mut Random::seed_from_u64(N as u64);
        let x: Vec<_> = (0..4).map(|_| Pair { first: vector(random), second: vector(random) }).collect();
        let c: Vec<[f32; 1]> = x.iter().map(|_| vector(random)).collect();
        let (y, _, d_x) = pass(model, &x, &[((), ()); 4], Context::EVALUATION, &c);
        for (((x, [c]), [y]), d) in x.iter().zip(&c).zip(&y).zip(&d_x) {
            assert_eq!(model.predict(x).unwrap(), [*y]);
            let numbers: Vec<f64> = x.first.iter().chain(&x.second).map(|x| f64::from(*x)).collect();
            let close = |found: f32, expected: f64| {
                let difference = (f64::from(found) - expected).abs();
                assert!(difference <= 2e-6 + 1e-5 * expected.abs(), "{found} and {expected}");
            };
            close(*y, plain(&numbers, biased, f64::from(mean)));
            for (i, d) in d.first.iter().chain(&d.second).enumerate() {
                let at = |step: f64| {
                    let mut moved = numbers.clone();
                    moved[i] += step;
                    f64::from(*c) * plain(&moved, biased, f64::from(mean))
                };
                close(*d, (at(1e-5) - at(-1e-5)) / 2e-5);
            }
        }
    }
    check(&Dot::<1>::zeroed(), false, 0.0);
    check(&Dot::<17>::zeroed(), false, 0.0);
    let mut biased = BiasedDot::<18>::zeroed();
    biased.mean = [3.5];
    check(&biased, true, 3.5);
    check(&BiasedDot::<2>::zeroed(), true, 0.0);
}

/// Ratings that are a product and biases are learnt; a mean that is frozen stays, one that learns takes what it can.
#[test]
fn ratings_are_learnt() {
    type Rows<const ROWS: usize> = Column<ROWS, 4>;
    type Learning = sequential![Branches<Rows<6>, Rows<9>>, BiasedDot<4>];
    type Fixed = sequential![Branches<Rows<6>, Rows<9>>, Frozen<BiasedDot<4>>];
    let pairs: Vec<_> = (0..54).map(|i| Pair { first: [i % 6], second: [i / 6] }).collect();
    let sign = |n: u16| if n.is_multiple_of(2) { 1.0 } else { -1.0 };
    let ratings: Vec<[f32; 1]> = pairs
        .iter()
        .map(|Pair { first: [u], second: [i] }| [3.0 + 0.1 * f32::from(*u) + 0.5 * sign(*u) * sign(*i)])
        .collect();
    let adam = Adam { learning_rate: 0.02, ..Adam::default() };
    let mut model = initial::<Learning>(1);
    let mut trainer = Trainer::<Learning, _, _, 6>::new(adam, MeanSquaredError);
    for _ in 0..150 {
        trainer.epoch(&mut model, &pairs, &ratings).unwrap();
    }
    let report = trainer.evaluate(&model, &pairs, &ratings).unwrap();
    assert!(report.loss.sqrt() < 0.05, "{report:?}");
    assert!(model.second.mean[0] > 0.5, "{:?}", model.second.mean);

    let mut model = initial::<Fixed>(1);
    model.second.0.mean = [3.0];
    let sgd = L2Decay { optimizer: Sgd { learning_rate: 0.05 }, weight_decay: 1e-3 };
    let mut trainer = Trainer::<Fixed, _, _, 1>::new(sgd, MeanSquaredError);
    for _ in 0..150 {
        trainer.epoch(&mut model, &pairs, &ratings).unwrap();
    }
    let report = trainer.evaluate(&model, &pairs, &ratings).unwrap();
    assert!(report.loss.sqrt() < 0.05, "{report:?}");
    assert_eq!(model.second.0.mean, [3.0]);
}
