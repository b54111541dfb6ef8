//! Gradients of every layer and every loss against central differences of a plain forward pass in `f64`.
#![allow(clippy::disallowed_methods)]

mod lstm;
mod sequences;

use nanoembed::layers::{
    ActivationFunction, ActivationKind, Added, Bag, Batch, BatchMut, Bytes, Context, Dense, Embedding,
    EmbeddingBag, Flatten, Frozen, HashedEmbedding, Identity, IgnoreMask, Layer, MaskZero, Mean, Multiplied,
    QuotientRemainder, Relu, Sigmoid, Softmax, SqrtN, Sum, Tanh, Value,
};
use nanoembed::loss::{
    BinaryCrossEntropy, CategoricalCrossEntropy, Loss, MeanAbsoluteError, MeanSquaredError, OnProbabilities,
    SparseCategoricalCrossEntropy,
};
use nanoembed::optim::{Optimizer, Sgd};
use nanoembed::sequential;
use nanoembed::table::Numbers;
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro128PlusPlus;
use zerocopy::{FromZeros, IntoBytes};

const BATCH: usize = 4;
/// Step of the differences: their error is about 1e-10 in `f64`.
const STEP: f64 = 1e-5;

type Random = Xoshiro128PlusPlus;

/// In [-1, 1).
fn draw(random: &mut Random) -> f32 {
    (random.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0
}

fn vector<const N: usize>(random: &mut Random) -> [f32; N] {
    std::array::from_fn(|_| draw(random))
}

/// Fails unless every number is the expected one up to rounding in `f32`; NaN fails.
#[track_caller]
fn assert_close(what: &str, found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}: length");
    for (i, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let difference = (f64::from(found) - expected).abs();
        assert!(
            difference <= 2e-6 + 1e-5 * expected.abs(),
            "{what}[{i}]: found {found}, expected {expected}"
        );
    }
}

/// The derivatives of `f` at `x`.
fn differences(x: &[f64], mut f: impl FnMut(&[f64]) -> f64) -> Vec<f64> {
    let mut x = x.to_vec();
    (0..x.len())
        .map(|i| {
            let middle = x[i];
            x[i] = middle + STEP;
            let above = f(&x);
            x[i] = middle - STEP;
            let below = f(&x);
            x[i] = middle;
            (above - below) / (2.0 * STEP)
        })
        .collect()
}

/// The parameters in the order in which they lie in memory.
fn parameters<M: Layer>(model: &M) -> Vec<f32> {
    let mut numbers = Vec::new();
    model.visit(&mut |part| {
        numbers.extend(part.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)));
    });
    numbers
}

fn set_parameters<M: Layer>(model: &mut M, mut number: impl FnMut() -> f32) {
    model.visit_mut(&mut |part| {
        for bytes in part.as_chunks_mut().0 {
            *bytes = number().to_le_bytes();
        }
    });
}

fn wide(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().copied().map(f64::from).collect()
}

/// Everything that one pass over a batch gives.
struct Pass<M: Layer> {
    y: Vec<M::Output>,
    y_masks: Vec<<M::Output as Value>::Mask>,
    gradient: Vec<f32>,
    d_x: Vec<M::InputGradient>,
}

/// The gradient of Σ c · y with respect to parameters and inputs.
fn backward<M: Layer>(
    model: &M,
    x: &[M::Input],
    masks: &[<M::Input as Value>::Mask],
    c: &[M::Output],
) -> Pass<M> {
    let batch = Batch { values: x, masks };
    let mut cache = M::Cache::<BATCH>::new_zeroed();
    let mut gradient = M::Gradient::<BATCH>::new_zeroed();
    let (mut y, mut y_masks) = (c.to_vec(), vec![M::Output::VALID; x.len()]);
    let mut d_x: Vec<_> = x.iter().map(|_| M::InputGradient::new_zeroed()).collect();
    let mut d_y = c.to_vec();
    model.forward(batch, &mut cache, Context::EVALUATION, BatchMut { values: &mut y, masks: &mut y_masks });
    M::activate(&mut y);
    M::activate_backward(&y, &mut d_y);
    model.backward(batch, &mut cache, &d_y, Some(&mut gradient), Some(&mut d_x));
    // A step of size 1 from zero leaves the negative gradient.
    let (mut stepped, mut slots) = (M::zeroed(), M::Slots::<Sgd>::new_zeroed());
    let sgd = Sgd { learning_rate: 1.0 };
    stepped.update::<Sgd, BATCH>(&sgd, sgd.step(1), &mut gradient, &mut slots);
    let gradient = parameters(&stepped).into_iter().map(|x| -x).collect();
    Pass { y, y_masks, gradient, d_x }
}

/// Holds a layer without inputs to differentiate; `forward` is the plain pass of one example.
fn check_parameters<M>(
    what: &str,
    random: &mut Random,
    x: &[M::Input],
    forward: impl Fn(&[f64], &M::Input) -> Vec<f64>,
) where
    M: Layer,
    M::Output: Numbers,
{
    let mut model = M::zeroed();
    set_parameters(&mut model, || draw(random));
    let mut c = vec![M::Output::new_zeroed(); x.len()];
    c.iter_mut().flat_map(Numbers::as_numbers_mut).for_each(|c| *c = draw(random));
    let pass = backward(&model, x, &vec![M::Input::VALID; x.len()], &c);
    let parameters = wide(&parameters(&model));
    for ((y, x), number) in pass.y.iter().zip(x).zip(0..) {
        assert_close(&format!("{what}: output {number}"), y.as_numbers(), &forward(&parameters, x));
    }
    let value = |parameters: &[f64]| {
        let product = |(x, c): (&M::Input, &M::Output)| -> f64 {
            forward(parameters, x).iter().zip(c.as_numbers()).map(|(y, c)| y * f64::from(*c)).sum()
        };
        x.iter().zip(&c).map(product).sum()
    };
    assert_close(&format!("{what}: gradient"), &pass.gradient, &differences(&parameters, value));
}

fn activate(kind: ActivationKind, z: &[f64]) -> Vec<f64> {
    match kind {
        ActivationKind::Identity => z.to_vec(),
        ActivationKind::Relu => z.iter().map(|z| z.max(0.0)).collect(),
        ActivationKind::Sigmoid => z.iter().map(|z| 1.0 / (1.0 + (-z).exp())).collect(),
        ActivationKind::Softmax => {
            let sum: f64 = z.iter().map(|z| z.exp()).sum();
            z.iter().map(|z| z.exp() / sum).collect()
        }
        ActivationKind::Tanh => z.iter().map(|z| z.tanh()).collect(),
        kind => unreachable!("{kind:?}"),
    }
}

/// `parameters`: the kernel row by row, then the bias.
fn dense(kind: ActivationKind, parameters: &[f64], x: &[f64], units: usize) -> Vec<f64> {
    let (kernel, bias) = parameters.split_at(x.len() * units);
    let z = |j: usize| bias[j] + x.iter().enumerate().map(|(i, x)| x * kernel[i * units + j]).sum::<f64>();
    activate(kind, &(0..units).map(z).collect::<Vec<_>>())
}

/// The rows of a sequence one after the other, zeros where `valid` says no.
fn embed(rows: &[f64], ids: &[u16], dim: usize, valid: impl Fn(u16) -> bool) -> Vec<f64> {
    let row = |&id: &u16| {
        let row = &rows[usize::from(id) * dim..][..dim];
        row.iter().map(|x| if valid(id) { *x } else { 0.0 }).collect::<Vec<_>>()
    };
    ids.iter().flat_map(row).collect()
}

fn pool(rows: &[f64], ids: &[u16], dim: usize, mean: bool) -> Vec<f64> {
    let divisor = if mean { ids.len().max(1) as f64 } else { 1.0 };
    (0..dim).map(|j| ids.iter().map(|id| rows[usize::from(*id) * dim + j]).sum::<f64>() / divisor).collect()
}

fn check_dense<const IN: usize, const OUT: usize, A: ActivationFunction>() {
    let what = format!("Dense<{IN}, {OUT}, {}>", A::KIND.name());
    for seed in 0..6 {
        let random = &mut Random::seed_from_u64(seed);
        let x: Vec<[f32; IN]> = (0..=seed as usize % BATCH).map(|_| vector(random)).collect();
        let forward = |parameters: &[f64], x: &[f32; IN]| dense(A::KIND, parameters, &wide(x), OUT);
        check_parameters::<Dense<IN, OUT, A>>(&what, random, &x, forward);

        let mut layer = Dense::<IN, OUT, A>::zeroed();
        set_parameters(&mut layer, || draw(random));
        let c: Vec<[f32; OUT]> = x.iter().map(|_| vector(random)).collect();
        let pass = backward(&layer, &x, &vec![(); x.len()], &c);
        let parameters = wide(&parameters(&layer));
        for ((x, c), d_x) in x.iter().zip(&c).zip(&pass.d_x) {
            let value = |x: &[f64]| {
                let y = dense(A::KIND, &parameters, x, OUT);
                y.iter().zip(c).map(|(y, c)| y * f64::from(*c)).sum()
            };
            assert_close(&format!("{what}: gradient of the input"), d_x, &differences(&wide(x), value));
        }
    }
}

#[test]
fn dense_layers() {
    macro_rules! with_each {
        ($($activation:ty)*) => {$(
            check_dense::<3, 2, $activation>();
            check_dense::<17, 5, $activation>();
            check_dense::<4, 33, $activation>();
        )*};
    }
    with_each!(Identity Relu Sigmoid Softmax Tanh);
    check_dense::<1, 1, Identity>();
    check_dense::<1, 1, Relu>();
    check_dense::<1, 1, Sigmoid>();
    check_dense::<1, 1, Tanh>();
    check_dense::<1, 2, Softmax>();
}

#[test]
fn flatten_layers() {
    let random = &mut Random::seed_from_u64(1);
    let x: [[[f32; 3]; 4]; 2] = std::array::from_fn(|_| std::array::from_fn(|_| vector(random)));
    let c: [[f32; 12]; 2] = std::array::from_fn(|_| vector(random));
    for masks in [[[true; 4]; 2], [[true, false, true, false], [false; 4]]] {
        let honoured = |values: &[f32; 12], mask: &[bool; 4]| {
            let mut values = *values;
            for (step, _) in mask.iter().enumerate().filter(|(_, valid)| !**valid) {
                values[3 * step..][..3].fill(0.0);
            }
            values
        };
        let pass = backward(&Flatten::<4, 3, 12>::zeroed(), &x, &masks, &c);
        let ignoring = backward(&Flatten::<4, 3, 12, IgnoreMask>::zeroed(), &x, &masks, &c);
        for b in 0..2 {
            let flat: [f32; 12] = x[b].as_flattened().try_into().expect("4 * 3 numbers");
            assert_eq!(pass.y[b], honoured(&flat, &masks[b]));
            assert_eq!(pass.d_x[b].as_flattened(), honoured(&c[b], &masks[b]));
            assert_eq!(ignoring.y[b], flat);
            assert_eq!(ignoring.d_x[b].as_flattened(), c[b]);
        }
        assert!(pass.gradient.is_empty() && ignoring.gradient.is_empty());
    }
}

/// Ids below 6, many of them repeated, and some zeros.
fn ids<const LEN: usize>(random: &mut Random) -> [u16; LEN] {
    std::array::from_fn(|_| (random.next_u32() % 6) as u16)
}

#[test]
fn embedding_layers() {
    for seed in 0..8 {
        let random = &mut Random::seed_from_u64(seed);
        let x: Vec<[u16; 5]> = (0..=seed as usize % BATCH).map(|_| ids(random)).collect();
        let forward = |rows: &[f64], ids: &[u16; 5]| embed(rows, ids, 3, |_| true);
        check_parameters::<Embedding<5, 6, 3>>("Embedding", random, &x, forward);
        // The mask flows beside the values: row 0 itself is still read and learns.
        check_parameters::<Embedding<5, 6, 3, u16, MaskZero>>("Embedding, MaskZero", random, &x, forward);
        let model = Embedding::<5, 6, 3, u16, MaskZero>::zeroed();
        let masks = backward(&model, &x, &vec![(); x.len()], &vec![[[0.0; 3]; 5]; x.len()]).y_masks;
        for (mask, ids) in masks.iter().zip(&x) {
            assert_eq!(*mask, ids.map(|id| id != 0));
        }
        let model = Embedding::<5, 6, 3>::zeroed();
        let masks = backward(&model, &x, &vec![(); x.len()], &vec![[[0.0; 3]; 5]; x.len()]).y_masks;
        assert!(masks.iter().all(|mask| *mask == [true; 5]));
    }
}

#[test]
fn embedding_bags() {
    for seed in 0..8 {
        let random = &mut Random::seed_from_u64(seed);
        let bag = |ids: &[u16]| Bag::<6>::from_ids(ids.iter().copied()).expect("at most 6 ids");
        let drawn: [u16; 6] = ids(random);
        let x = [bag(&[]), bag(&[2, 2, 2]), bag(&drawn), bag(&drawn[..1])];
        for x in [&x[..], &x[..1], &x[2..]] {
            let mean = |rows: &[f64], bag: &Bag<6>| pool(rows, bag.ids(), 3, true);
            check_parameters::<EmbeddingBag<6, 6, 3, Mean>>("EmbeddingBag, Mean", random, x, mean);
            let sum = |rows: &[f64], bag: &Bag<6>| pool(rows, bag.ids(), 3, false);
            check_parameters::<EmbeddingBag<6, 6, 3, Sum>>("EmbeddingBag, Sum", random, x, sum);
            let sqrt_n = |rows: &[f64], bag: &Bag<6>| {
                let root = (bag.ids().len().max(1) as f64).sqrt();
                pool(rows, bag.ids(), 3, false).into_iter().map(|x| x / root).collect()
            };
            check_parameters::<EmbeddingBag<6, 6, 3, SqrtN>>("EmbeddingBag, SqrtN", random, x, sqrt_n);
        }
    }
}

#[test]
fn compressed_embeddings() {
    type Hashed<const NAMES: usize> = HashedEmbedding<5, 7, 3, NAMES, u16>;
    type Split<C> = QuotientRemainder<5, 2, 3, 3, C, u16>;
    for seed in 0..8 {
        let random = &mut Random::seed_from_u64(seed);
        let x: Vec<[u16; 5]> = (0..=seed as usize % BATCH).map(|_| ids(random)).collect();
        let summed = |table: &[f64], rows: &mut dyn Iterator<Item = usize>| {
            let add = |sum: [f64; 3], row: usize| std::array::from_fn(|j| sum[j] + table[row * 3 + j]);
            rows.fold([0.0; 3], add)
        };
        let of_each = |ids: &[u16; 5], row: &dyn Fn(u16) -> [f64; 3]| ids.map(row).concat();
        check_parameters::<Hashed<5>>("HashedEmbedding, 1 row", random, &x, |rows, ids| {
            of_each(ids, &|id| summed(rows, &mut Hashed::<5>::rows_of(id)))
        });
        check_parameters::<Hashed<20>>("HashedEmbedding, 4 rows", random, &x, |rows, ids| {
            of_each(ids, &|id| summed(rows, &mut Hashed::<20>::rows_of(id)))
        });
        let two = |tables: &[f64], id: u16| {
            let (quotient, remainder) = (usize::from(id) / 3, 2 + usize::from(id) % 3);
            [0, 1, 2].map(|j| [tables[quotient * 3 + j], tables[remainder * 3 + j]])
        };
        check_parameters::<Split<Added>>("QuotientRemainder, Added", random, &x, |tables, ids| {
            of_each(ids, &|id| two(tables, id).map(|[q, r]| q + r))
        });
        check_parameters::<Split<Multiplied>>("QuotientRemainder, Multiplied", random, &x, |tables, ids| {
            of_each(ids, &|id| two(tables, id).map(|[q, r]| q * r))
        });
    }
}

#[test]
fn chains() {
    type Layers =
        sequential![Embedding<3, 6, 4>, Flatten<3, 4, 12>, Dense<12, 5, Tanh>, Dense<5, 2, Softmax>];
    type Masked = sequential![Embedding<3, 6, 4, u16, MaskZero>, Flatten<3, 4, 12>, Dense<12, 5, Relu>, Dense<5, 2, Sigmoid>];
    type Ignoring =
        sequential![Embedding<3, 6, 4, u16, MaskZero>, Flatten<3, 4, 12, IgnoreMask>, Dense<12, 2>];
    type Bags = sequential![EmbeddingBag<6, 6, 4>, Dense<4, 3, Sigmoid>, Dense<3, 3, Relu>, Dense<3, 2>];
    // Chains nest from the right; from the left they are the same function.
    type Nested = sequential![sequential![Embedding<3, 6, 4>, Flatten<3, 4, 12>, Dense<12, 5, Tanh>], Dense<5, 2, Softmax>];
    let tanh_softmax = |parameters: &[f64], ids: &[u16; 3]| {
        let (rows, rest) = parameters.split_at(24);
        let (first, second) = rest.split_at(12 * 5 + 5);
        let hidden = dense(ActivationKind::Tanh, first, &embed(rows, ids, 4, |_| true), 5);
        dense(ActivationKind::Softmax, second, &hidden, 2)
    };
    for seed in 0..8 {
        let random = &mut Random::seed_from_u64(seed);
        let x: Vec<[u16; 3]> = (0..=seed as usize % BATCH).map(|_| ids(random)).collect();
        check_parameters::<Layers>("chain", random, &x, tanh_softmax);
        check_parameters::<Nested>("nested chain", random, &x, tanh_softmax);
        check_parameters::<Masked>("masked chain", random, &x, |parameters, ids| {
            let (rows, rest) = parameters.split_at(24);
            let (first, second) = rest.split_at(12 * 5 + 5);
            let hidden = dense(ActivationKind::Relu, first, &embed(rows, ids, 4, |id| id != 0), 5);
            dense(ActivationKind::Sigmoid, second, &hidden, 2)
        });
        check_parameters::<Ignoring>("chain that ignores the mask", random, &x, |parameters, ids| {
            let (rows, rest) = parameters.split_at(24);
            dense(ActivationKind::Identity, rest, &embed(rows, ids, 4, |_| true), 2)
        });
        let drawn: [u16; 6] = ids(random);
        let bags = [0, 6, 2].map(|n| Bag::from_first(drawn.into_iter().take(n)));
        check_parameters::<Bags>("chain of a bag", random, &bags, |parameters, bag| {
            let (rows, rest) = parameters.split_at(24);
            let (first, rest) = rest.split_at(4 * 3 + 3);
            let (second, third) = rest.split_at(3 * 3 + 3);
            let hidden = dense(ActivationKind::Sigmoid, first, &pool(rows, bag.ids(), 4, true), 3);
            let hidden = dense(ActivationKind::Relu, second, &hidden, 3);
            dense(ActivationKind::Identity, third, &hidden, 2)
        });
    }
}

/// Layers beside each other, each with an input of its own, and one behind them.
#[test]
fn columns() {
    use nanoembed::layers::{BiasedDot, Branches, Pair};
    use nanoembed::{concatenate, pairs};
    type Column<const DIM: usize> = sequential![Embedding<1, 6, DIM>, Flatten<1, DIM, DIM>];
    type Columns = sequential![
        concatenate![Column<3>, Dense<2, 2, Tanh>, EmbeddingBag<6, 6, 4>],
        Dense<9, 2, Sigmoid>
    ];
    type Ratings = sequential![Branches<Column<4>, Column<4>>, BiasedDot<4>];
    for seed in 0..8 {
        let random = &mut Random::seed_from_u64(seed);
        let bag =
            |random: &mut Random| Bag::<6>::from_first(ids::<6>(random).into_iter().take(seed as usize % 7));
        let x: Vec<_> = (0..=seed as usize % BATCH)
            .map(|_| pairs![ids::<1>(random), vector::<2>(random), bag(random)])
            .collect();
        check_parameters::<Columns>("columns", random, &x, |parameters, x| {
            let (rows, rest) = parameters.split_at(6 * 3);
            let (numbers, rest) = rest.split_at(2 * 2 + 2);
            let (bags, rest) = rest.split_at(6 * 4);
            let Pair { first, second: Pair { first: vector, second: bag } } = x;
            let joined = [
                embed(rows, first, 3, |_| true),
                dense(ActivationKind::Tanh, numbers, &wide(vector), 2),
                pool(bags, bag.ids(), 4, true),
            ];
            dense(ActivationKind::Sigmoid, rest, &joined.concat(), 2)
        });
        let x: Vec<_> =
            (0..=seed as usize % BATCH).map(|_| pairs![ids::<1>(random), ids::<1>(random)]).collect();
        check_parameters::<Ratings>("ratings", random, &x, |parameters, Pair { first, second }| {
            let (users, rest) = parameters.split_at(6 * 4);
            let (items, mean) = rest.split_at(6 * 4);
            let (a, b) = (embed(users, first, 4, |_| true), embed(items, second, 4, |_| true));
            vec![a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] + b[3] + mean[0]]
        });
    }
}

/// Outputs and gradient of the model with these parameters.
fn pass_of<M: Layer<Input = [u16; 3], Output = [f32; 2]>>(
    numbers: &[f32],
    x: &[[u16; 3]; BATCH],
    c: &[[f32; 2]; BATCH],
) -> (Vec<[f32; 2]>, Vec<f32>) {
    let mut model = M::zeroed();
    let mut numbers = numbers.iter();
    set_parameters(&mut model, || *numbers.next().expect("a number for each parameter"));
    let pass = backward(&model, x, &[(); BATCH], c);
    (pass.y, pass.gradient)
}

/// A frozen layer passes gradients through and gets none.
#[test]
fn frozen_layers() {
    type Learning = sequential![Embedding<3, 6, 4>, Flatten<3, 4, 12>, Dense<12, 5, Tanh>, Dense<5, 2>];
    type Middle = sequential![Embedding<3, 6, 4>, Flatten<3, 4, 12>, Frozen<Dense<12, 5, Tanh>>, Dense<5, 2>];
    type Front = sequential![Frozen<Embedding<3, 6, 4>>, Flatten<3, 4, 12>, Dense<12, 5, Tanh>, Dense<5, 2>];
    type All = Frozen<Learning>;
    let random = &mut Random::seed_from_u64(5);
    let x: [[u16; 3]; BATCH] = std::array::from_fn(|_| ids(random));
    let c: [[f32; 2]; BATCH] = std::array::from_fn(|_| vector(random));
    let numbers: Vec<f32> = (0..24 + 65 + 12).map(|_| draw(random)).collect();
    let (y, gradient) = pass_of::<Learning>(&numbers, &x, &c);
    assert!(gradient.iter().filter(|g| **g != 0.0).count() > 80, "{gradient:?}");
    let frozen = |range: std::ops::Range<usize>| {
        let mut gradient = gradient.clone();
        gradient[range].fill(0.0);
        gradient
    };
    assert_eq!(pass_of::<Middle>(&numbers, &x, &c), (y.clone(), frozen(24..24 + 65)));
    assert_eq!(pass_of::<Front>(&numbers, &x, &c), (y.clone(), frozen(0..24)));
    assert_eq!(pass_of::<All>(&numbers, &x, &c), (y, vec![0.0; numbers.len()]));
}

/// Holds value and gradient of a loss on N outputs to the plain formula `value(y, label)`.
fn check_loss<L, const N: usize>(
    what: &str,
    loss: &L,
    y: [f32; N],
    label: L::Label,
    value: impl Fn(&[f64], &L::Label) -> f64,
) where
    L: Loss<[f32; N]>,
{
    assert!(loss.check_label(&label).is_ok(), "{what}");
    let mut d_y = [f32::NAN; N];
    let found = loss.value_and_gradient(&y, &label, 1.0, &mut d_y);
    assert_close(what, &[found], &[value(&wide(&y), &label)]);
    assert_close(&format!("{what}: gradient"), &d_y, &differences(&wide(&y), |y| value(y, &label)));
    let mut of_eight = [f32::NAN; N];
    let same = loss.value_and_gradient(&y, &label, 8.0, &mut of_eight);
    assert_eq!((found, d_y.map(|d| d / 8.0)), (same, of_eight), "{what}: an eighth of the batch");
}

/// Values and differences of the plain formulas of Keras, in `f64`.
mod naive {
    fn smooth(label: &[f32], smoothing: f32, classes: f64) -> Vec<f64> {
        let a = f64::from(smoothing);
        label.iter().map(|t| f64::from(*t) * (1.0 - a) + a / classes).collect()
    }

    fn softmax(x: &[f64]) -> Vec<f64> {
        let sum: f64 = x.iter().map(|x| x.exp()).sum();
        x.iter().map(|x| x.exp() / sum).collect()
    }

    pub(crate) fn binary(p: &[f64], label: &[f32], smoothing: f32) -> f64 {
        let labels = smooth(label, smoothing, 2.0);
        let one = |(p, t): (&f64, &f64)| -(t * p.ln() + (1.0 - t) * (1.0 - p).ln());
        p.iter().zip(&labels).map(one).sum::<f64>() / p.len() as f64
    }

    pub(crate) fn binary_of_scores(x: &[f64], label: &[f32], smoothing: f32) -> f64 {
        let p: Vec<f64> = x.iter().map(|x| 1.0 / (1.0 + (-x).exp())).collect();
        binary(&p, label, smoothing)
    }

    pub(crate) fn categorical(p: &[f64], label: &[f32], smoothing: f32) -> f64 {
        let (labels, total) = (smooth(label, smoothing, p.len() as f64), p.iter().sum::<f64>());
        -p.iter().zip(&labels).map(|(p, t)| t * (p / total).ln()).sum::<f64>()
    }

    pub(crate) fn categorical_of_scores(x: &[f64], label: &[f32], smoothing: f32) -> f64 {
        categorical(&softmax(x), label, smoothing)
    }

    pub(crate) fn mean_of(y: &[f64], label: &[f32], term: impl Fn(f64) -> f64) -> f64 {
        y.iter().zip(label).map(|(y, t)| term(y - f64::from(*t))).sum::<f64>() / y.len() as f64
    }

    pub(crate) fn sparse(p: &[f64], class: u16) -> f64 {
        p.iter().sum::<f64>().ln() - p[usize::from(class)].ln()
    }

    pub(crate) fn sparse_of_scores(x: &[f64], class: u16) -> f64 {
        sparse(&softmax(x), class)
    }
}

fn check_losses<const N: usize>() {
    for seed in 0..10 {
        let random = &mut Random::seed_from_u64(seed);
        let scores: [f32; N] = vector(random).map(|x: f32| 6.0 * x);
        // Probabilities away from the clip, which has no derivative; not normalised either.
        let p: [f32; N] = vector(random).map(|x: f32| 0.5 + 0.48 * x);
        let soft: [f32; N] = vector(random).map(|x: f32| 0.5 + 0.5 * x);
        let hard: [f32; N] = soft.map(|t| f32::from(t > 0.5));
        for (label, label_smoothing) in [(soft, 0.0), (hard, 0.0), (hard, 0.1), (soft, 1.0), (soft, 0.3)] {
            let a = label_smoothing;
            let loss = BinaryCrossEntropy { label_smoothing };
            let what = format!("binary, {N} outputs, smoothing {a}");
            check_loss(&what, &loss, scores, label, |x, t| naive::binary_of_scores(x, t, a));
            let what = format!("binary on probabilities, {N} outputs, smoothing {a}");
            check_loss(&what, &OnProbabilities(loss), p, label, |p, t| naive::binary(p, t, a));
        }
        // Errors away from 0, where the absolute one has no derivative.
        let numbers = scores.map(|x| x + if draw(random) > 0.0 { 0.7 } else { -0.7 });
        check_loss("squared", &MeanSquaredError, scores, numbers, |y, t| naive::mean_of(y, t, |e| e * e));
        check_loss("absolute", &MeanAbsoluteError, scores, numbers, |y, t| naive::mean_of(y, t, f64::abs));
    }
}

/// The same of losses over several classes.
fn check_categorical_losses<const N: usize>() {
    for seed in 0..10 {
        let random = &mut Random::seed_from_u64(seed);
        let scores: [f32; N] = vector(random).map(|x: f32| 6.0 * x);
        let p: [f32; N] = vector(random).map(|x: f32| 0.5 + 0.48 * x);
        let soft: [f32; N] = vector(random).map(|x: f32| 0.5 + 0.5 * x);
        let hard: [f32; N] = soft.map(|t| f32::from(t > 0.5));
        for (label, label_smoothing) in [(soft, 0.0), (hard, 0.0), (hard, 0.1), (soft, 1.0), (soft, 0.3)] {
            let a = label_smoothing;
            let loss = CategoricalCrossEntropy { label_smoothing };
            let what = format!("categorical, {N} outputs, smoothing {a}");
            check_loss(&what, &loss, scores, label, |x, t| naive::categorical_of_scores(x, t, a));
            let what = format!("categorical on probabilities, {N} outputs, smoothing {a}");
            check_loss(&what, &OnProbabilities(loss), p, label, |p, t| naive::categorical(p, t, a));
        }
        let class = (random.next_u32() % N as u32) as u16;
        let loss = SparseCategoricalCrossEntropy;
        check_loss("sparse", &loss, scores, class, |x, class| naive::sparse_of_scores(x, *class));
        check_loss("sparse on probabilities", &OnProbabilities(loss), p, class, |p, class| {
            naive::sparse(p, *class)
        });
    }
}

#[test]
fn losses() {
    check_losses::<1>();
    check_losses::<2>();
    check_losses::<5>();
    check_losses::<17>();
    check_losses::<33>();
    check_categorical_losses::<2>();
    check_categorical_losses::<5>();
    check_categorical_losses::<17>();
    check_categorical_losses::<33>();
}

/// Where the clip of probabilities acts, the gradient of the element is zero and the value is that of the border.
#[test]
fn clipped_probabilities() {
    let loss = OnProbabilities(BinaryCrossEntropy::default());
    for (p, t) in [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0), (2.0, 0.0), (0.0, 0.0), (1.0, 1.0)] {
        let mut d = [f32::NAN];
        let value = loss.value_and_gradient(&[p], &[t], 1.0, &mut d);
        assert_eq!(d, [0.0], "p {p}, t {t}");
        let expected = if f32::from(p > 0.5) == t { 0.9e-7..1.3e-7 } else { 15.9..16.2 };
        assert!(expected.contains(&value), "p {p}, t {t}: {value}");
    }
    let mut d = [f32::NAN; 3];
    let sparse = OnProbabilities(SparseCategoricalCrossEntropy);
    let value = sparse.value_and_gradient(&[0.0, 0.5, 0.5], &0, 1.0, &mut d);
    assert!((16.0..16.2).contains(&value) && d[0] == 0.0 && d[1] > 0.99, "{value}, {d:?}");
}

/// The gradient is the label's distance to the probability however far the score is: a saturated unit goes on learning.
#[test]
fn saturated_scores() {
    let mut d = [f32::NAN];
    let value = BinaryCrossEntropy::default().value_and_gradient(&[-200.0], &[1.0], 1.0, &mut d);
    assert_eq!((value, d), (200.0, [-1.0]));
    let mut d = [f32::NAN; 2];
    let value = SparseCategoricalCrossEntropy.value_and_gradient(&[300.0, -300.0], &1, 1.0, &mut d);
    assert_eq!((value, d), (600.0, [1.0, -1.0]));
}

/// Where the prediction is right there is nothing to learn, and errors of NaN stay NaN.
#[test]
fn errors_of_numbers_at_their_corners() {
    let mut d = [f32::NAN; 2];
    assert_eq!(MeanAbsoluteError.value_and_gradient(&[3.0, -1.0], &[3.0, 1.0], 1.0, &mut d), 1.0);
    assert_eq!(d, [0.0, -0.5]);
    assert_eq!(MeanSquaredError.value_and_gradient(&[3.0, -1.0], &[3.0, 1.0], 1.0, &mut d), 2.0);
    assert_eq!(d, [0.0, -2.0]);
    for label in [f32::NAN, f32::INFINITY] {
        assert!(MeanAbsoluteError.check_label(&[label]).is_err());
        assert!(MeanSquaredError.check_label(&[label]).is_err());
    }
    assert!(MeanSquaredError.check_label(&[-1e9]).is_ok());
    let mut d = [0.0];
    assert!(MeanAbsoluteError.value_and_gradient(&[f32::NAN], &[1.0], 1.0, &mut d).is_nan() && d[0].is_nan());
    // Keras' accuracy: one number by its side of 1/2, several by their largest.
    assert_eq!(MeanSquaredError.accuracy(&[0.6], &[1.0]), 1.0);
    assert_eq!(MeanSquaredError.accuracy(&[0.4], &[1.0]), 0.0);
    assert_eq!(MeanAbsoluteError.accuracy(&[0.1, 0.2, 0.0], &[0.0, 9.0, 3.0]), 1.0);
}

#[test]
#[should_panic(expected = "found NaN")]
fn the_tolerance_catches_nan() {
    assert_close("checker", &[f32::NAN], &[1.0]);
}

#[test]
#[should_panic(expected = "found 1.0001")]
fn the_tolerance_catches_a_difference() {
    assert_close("checker", &[1.0001], &[1.0]);
}

#[test]
fn a_model_is_its_parameters() {
    type Model = sequential![Embedding<3, 6, 4>, Flatten<3, 4, 12>, Dense<12, 5, Tanh>];
    assert_eq!(parameters(&Model::zeroed()).len() * size_of::<f32>(), size_of::<Model>());
    assert_eq!(<Model as Bytes>::BYTES, size_of::<Model>());
    assert_eq!([1.0_f32].as_bytes().len(), 4);
}
