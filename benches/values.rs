//! Models as values beside the same models as types: predictions and training steps of both, in one run.
//!
//! The smallest model shows what it costs to read a record for each layer of each call; the others show that
//! this cost vanishes beside their products. Equality of the bits is asserted before anything is timed. All
//! memory starts on a cache line, since a model that does not takes up to a seventh longer, as a type or as
//! values.

use criterion::{Criterion, criterion_group, criterion_main};
use nanoembed::image;
use nanoembed::layers::{Bag, Conv1D, Dense, Embedding, EmbeddingBag, Flatten, GlobalMaxPooling1D, Layer};
use nanoembed::layers::{Lstm, Relu, Sigmoid, Softmax};
use nanoembed::loss::{AnyLoss, BinaryCrossEntropy, Labels, Loss, SparseCategoricalCrossEntropy};
use nanoembed::models::{self, All, BatchSize, Input};
use nanoembed::optim::{Adam, AnyOptimizer};
use nanoembed::rand_core::{Rng, SeedableRng};
use nanoembed::rand_xoshiro::Xoshiro128PlusPlus;
use nanoembed::zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};
use nanoembed::{sequential, train};

/// Memory that starts on a cache line.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[zerocopy(crate = "nanoembed::zerocopy")]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// Something that starts on a cache line.
#[derive(FromZeros)]
#[zerocopy(crate = "nanoembed::zerocopy")]
#[repr(C, align(64))]
struct OnLine<T>(T);

/// As many lines as hold these bytes.
fn lines(bytes: &[u8]) -> Vec<Line> {
    let mut lines = vec![Line([0; 64]); bytes.len().div_ceil(64)];
    lines.as_mut_bytes()[..bytes.len()].copy_from_slice(bytes);
    lines
}

/// The same examples for both.
struct Examples<'a, M: Layer, T> {
    typed: &'a [M::Input],
    typed_labels: &'a [T],
    inputs: &'a [Input<'a>],
    labels: Labels<'a>,
}

fn both<M, L, const BATCH: usize, const UNITS: usize>(
    criterion: &mut Criterion,
    name: &str,
    loss: L,
    any_loss: AnyLoss<'_>,
    examples: &Examples<'_, M, L::Label>,
) where
    M: Layer<Output = [f32; UNITS]>,
    L: Loss<[f32; UNITS]>,
    train::Trainer<M, Adam, L, BATCH>: nanoembed::zerocopy::FromZeros,
{
    let adam = Adam { learning_rate: 1e-4, ..Adam::default() };
    let mut place = OnLine::<M>::new_box_zeroed().expect("memory");
    let typed = &mut place.0;
    typed.init(&mut Xoshiro128PlusPlus::seed_from_u64(1));
    let image = image::to_vec(typed);
    let image_lines = lines(&image);
    let model = models::open::<All>(&image_lines.as_bytes()[..image.len()]).expect("an image");
    let recipe = model.recipe();
    let n = examples.typed.len();

    let mut place = OnLine::<M::Workspace<BATCH>>::new_box_zeroed().expect("memory");
    let workspace = &mut place.0;
    let mut buffers = recipe.workspace(n).expect("a small model").buffers();
    let (mut y, mut values) = (vec![[0.0; UNITS]; n], vec![0.0; n * UNITS]);
    typed.predict_batch::<BATCH>(examples.typed, workspace, &mut y).expect("good inputs");
    model.predict(examples.inputs, &mut buffers.workspace(), &mut values).expect("good inputs");
    assert_eq!(y.as_bytes(), values.as_bytes());
    let mut group = criterion.benchmark_group(name);
    group.bench_function("predict, a type", |bencher| {
        bencher.iter(|| typed.predict_batch::<BATCH>(examples.typed, workspace, &mut y));
    });
    group.bench_function("predict, values", |bencher| {
        bencher.iter(|| model.predict(examples.inputs, &mut buffers.workspace(), &mut values));
    });

    let mut parameter_lines = lines(model.parameters().as_bytes());
    let words = <[f32]>::mut_from_bytes(parameter_lines.as_mut_bytes()).expect("lines of numbers");
    let parameters = &mut words[..model.parameters().len()];
    let optimizer: &dyn AnyOptimizer = &adam;
    let size = BatchSize { examples: n, ids_per_bag: 32 };
    let lengths = models::Trainer::lengths(recipe, optimizer, any_loss, size).expect("a small model");
    let mut memory = lengths.buffers();
    let mut trainer =
        models::Trainer::new(recipe, optimizer, any_loss, size, memory.memory()).expect("a loss that fits");
    let mut typed_trainer = train::Trainer::<M, _, L, BATCH>::boxed(adam, loss);
    let expected = typed_trainer.step(typed, examples.typed, examples.typed_labels).expect("good data");
    let report = trainer.step(parameters, examples.inputs, &examples.labels, n).expect("good data");
    assert_eq!(report, expected);
    group.bench_function("step, a type", |bencher| {
        bencher.iter(|| typed_trainer.step(typed, examples.typed, examples.typed_labels));
    });
    group.bench_function("step, values", |bencher| {
        bencher.iter(|| trainer.step(parameters, examples.inputs, &examples.labels, n));
    });
}

fn ids<const LEN: usize>(n: usize, rows: u32) -> Vec<[u16; LEN]> {
    let mut random = Xoshiro128PlusPlus::seed_from_u64(2);
    (0..n).map(|_| [(); LEN].map(|()| (random.next_u32() % rows) as u16)).collect()
}

fn flat<const LEN: usize>(ids: &[[u16; LEN]]) -> Vec<u32> {
    ids.as_flattened().iter().map(|id| u32::from(*id)).collect()
}

fn reviews(criterion: &mut Criterion) {
    type Reviews = sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
    let loss = BinaryCrossEntropy::default();
    for n in [1, 10] {
        let (typed, labels) = (ids::<4>(n, 50), vec![1.0; n]);
        let (flat, typed_labels) = (flat(&typed), vec![[1.0]; n]);
        let examples = Examples {
            typed: &typed,
            typed_labels: &typed_labels,
            inputs: &[Input::Ids(&flat)],
            labels: Labels::numbers(&labels),
        };
        both::<Reviews, _, 10, 1>(criterion, &format!("values/{n} reviews"), loss, loss.into(), &examples);
    }
}

fn bags(criterion: &mut Criterion) {
    type Bags = sequential![EmbeddingBag<32, 10_000, 32>, Dense<32, 8, Softmax>];
    let loss = SparseCategoricalCrossEntropy;
    for n in [1, 32] {
        let lists = ids::<32>(n, 10_000);
        let typed: Vec<Bag<32>> = lists.iter().map(|ids| Bag::from_first(*ids)).collect();
        let (flat, offsets): (_, Vec<u32>) = (flat(&lists), (0..=n as u32).map(|i| 32 * i).collect());
        let labels: Vec<u16> = (0..n as u16).map(|i| i % 8).collect();
        let examples = Examples {
            typed: &typed,
            typed_labels: &labels,
            inputs: &[Input::Bags { ids: &flat, offsets: &offsets }],
            labels: Labels::classes(&labels),
        };
        both::<Bags, _, 32, 8>(criterion, &format!("values/{n} bags of 32"), loss, loss.into(), &examples);
    }
}

fn sequences(criterion: &mut Criterion) {
    type Convolution = sequential![
        Embedding<100, 2000, 32>,
        Conv1D<100, 32, 64, 5, 96, Relu>,
        GlobalMaxPooling1D<96, 64>,
        Dense<64, 1, Sigmoid>
    ];
    type Recurrent = sequential![Embedding<100, 2000, 32>, Lstm<100, 32, 64>, Dense<64, 1, Sigmoid>];
    let (typed, labels, loss) = (ids::<100>(16, 2000), vec![1.0; 16], BinaryCrossEntropy::default());
    let (flat, typed_labels) = (flat(&typed), vec![[1.0]; 16]);
    let (inputs, labels) = ([Input::Ids(&flat)], Labels::numbers(&labels));
    let examples = Examples { typed: &typed, typed_labels: &typed_labels, inputs: &inputs, labels };
    both::<Convolution, _, 16, 1>(criterion, "values/convolution", loss, loss.into(), &examples);
    let examples = Examples { typed: &typed, typed_labels: &typed_labels, inputs: &inputs, labels };
    both::<Recurrent, _, 16, 1>(criterion, "values/LSTM", loss, loss.into(), &examples);
}

criterion_group!(benches, reviews, bags, sequences);
criterion_main!(benches);
