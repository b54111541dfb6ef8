//! The whole way of the smallest model: Keras' ten restaurant reviews, a training step on all of them and a prediction.
//!
//! Nothing here is bound by memory or by the width of vectors: it is the cost of calls, checks and loops around 433 parameters.

use criterion::{Criterion, criterion_group, criterion_main};
use nanoembed::layers::{Dense, Embedding, Flatten, Layer, Sigmoid};
use nanoembed::loss::BinaryCrossEntropy;
use nanoembed::optim::{Adam, Exact, Optimizer};
use nanoembed::rand_core::SeedableRng;
use nanoembed::rand_xoshiro::Xoshiro128PlusPlus;
use nanoembed::sequential;
use nanoembed::train::Trainer;

type Reviews = sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];

const IDS: [[u16; 4]; 10] = [
    [11, 21, 0, 0],
    [33, 48, 0, 0],
    [2, 17, 0, 0],
    [40, 48, 0, 0],
    [7, 0, 0, 0],
    [36, 40, 0, 0],
    [24, 48, 0, 0],
    [24, 21, 0, 0],
    [9, 40, 0, 0],
    [31, 3, 31, 43],
];
const LABELS: [[f32; 1]; 10] = [[1.0], [1.0], [1.0], [1.0], [1.0], [0.0], [0.0], [0.0], [0.0], [0.0]];

fn step<O: Optimizer>(criterion: &mut Criterion, name: &str, optimizer: O) {
    let mut model = Reviews::new(&mut Xoshiro128PlusPlus::seed_from_u64(1));
    let mut trainer = Trainer::<Reviews, _, _, 10>::new(optimizer, BinaryCrossEntropy::default());
    criterion.bench_function(name, |bencher| {
        bencher.iter(|| trainer.step(&mut model, &IDS, &LABELS).expect("good ids and labels"));
    });
}

fn reviews(criterion: &mut Criterion) {
    step(criterion, "reviews/step of 10, Adam", Adam::default());
    step::<Exact<Adam>>(criterion, "reviews/step of 10, exact Adam", Exact(Adam::default()));
    let model = Reviews::new(&mut Xoshiro128PlusPlus::seed_from_u64(1));
    criterion.bench_function("reviews/predict", |bencher| {
        bencher.iter(|| model.predict(&IDS[9]).expect("good ids"));
    });
}

criterion_group!(benches, reviews);
criterion_main!(benches);
