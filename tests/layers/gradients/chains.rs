//! Layers one after the other and beside each other, and frozen ones among them.

use super::{BATCH, backward, check_parameters, dense, embed, ids, pool, set_parameters, wide};
use crate::common::{Random, draw, parameters, vector};
use nanoembed::layers::options::{IgnoreMask, MaskZero};
use nanoembed::layers::{
    ActivationKind, Bag, Bytes, Dense, Embedding, EmbeddingBag, Flatten, Frozen, Layer, Relu, Sigmoid,
    Softmax, Tanh,
};
use nanoembed::sequential;
use rand_core::SeedableRng;
use zerocopy::IntoBytes;

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
    use nanoembed::layers::{Add, BiasedDot, Branches, Pair};
    use nanoembed::{concatenate, pairs};
    type Column<const DIM: usize> = sequential![Embedding<1, 6, DIM>, Flatten<1, DIM, DIM>];
    type Columns = sequential![
        concatenate![Column<3>, Dense<2, 2, Tanh>, EmbeddingBag<6, 6, 4>],
        Dense<9, 2, Sigmoid>
    ];
    type Ratings = sequential![Branches<Column<4>, Column<4>>, BiasedDot<4>];
    type Sums = sequential![Branches<Column<4>, Column<4>>, Add<[f32; 4]>, Dense<4, 2, Sigmoid>];
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
        check_parameters::<Sums>("sums", random, &x, |parameters, Pair { first, second }| {
            let (users, rest) = parameters.split_at(6 * 4);
            let (items, rest) = rest.split_at(6 * 4);
            let (a, b) = (embed(users, first, 4, |_| true), embed(items, second, 4, |_| true));
            let sum: Vec<_> = a.iter().zip(&b).map(|(a, b)| a + b).collect();
            dense(ActivationKind::Sigmoid, rest, &sum, 2)
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

#[test]
fn a_model_is_its_parameters() {
    type Model = sequential![Embedding<3, 6, 4>, Flatten<3, 4, 12>, Dense<12, 5, Tanh>];
    assert_eq!(parameters(&Model::zeroed()).len() * size_of::<f32>(), size_of::<Model>());
    assert_eq!(<Model as Bytes>::BYTES, size_of::<Model>());
    assert_eq!([1.0_f32].as_bytes().len(), 4);
}
