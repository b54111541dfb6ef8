//! What is computed for an example does not depend on the other examples: a batch of one has the bits of row 0 of a batch of
//! many, and gradients of a batch have the bits of those of its examples one after the other. At every level, all the same bits.

use crate::common::pass as both_ways;
use crate::common::{Random, draw, parameter_bytes};
use nanoembed::layers::options::{
    Causal, GoBackwards, HonourMask, IgnoreMask, MaskZero, Mean, Multiplied, ReturnSequences, Same, SqrtN,
    StrictMask, Sum, Valid,
};
use nanoembed::layers::{
    Activation, Add, Bag, Batch, BatchMut, BiasedDot, Branches, Conv1D, Dense, Dot, Dropout, Embedding,
    EmbeddingBag, Flatten, Frozen, FrozenRows, GlobalAveragePooling1D, GlobalMaxPooling1D, HashedEmbedding,
    Identity, Input, Layer, Lstm, Pair, QuotientRemainder, Relu, Sigmoid, Softmax, Tanh, Value,
};
use nanoembed::loss::{BinaryCrossEntropy, CategoricalCrossEntropy, Loss};
use nanoembed::optim::{Adam, Exact, Momentum, Optimizer, Sgd};
use nanoembed::simd::Level;
use nanoembed::table::Numbers;
use nanoembed::train::Trainer;
use nanoembed::{concatenate, sequential};
use rand_core::{Rng, SeedableRng};
use zerocopy::FromZeros;

/// As large as the blocks of the kernels, and a rest.
const BATCH: usize = 19;

/// The numbers of examples as bits, one list an example.
fn bits<V: Numbers>(values: &[V]) -> Vec<Vec<u32>> {
    values.iter().map(|value| value.as_numbers().iter().map(|x| x.to_bits()).collect()).collect()
}

/// An example drawn at random.
trait Draw: Value {
    fn draw(random: &mut Random) -> Self;
}

impl<const N: usize> Draw for [f32; N] {
    fn draw(random: &mut Random) -> Self {
        std::array::from_fn(|_| draw(random))
    }
}

impl<const DIM: usize, const LEN: usize> Draw for [[f32; DIM]; LEN] {
    fn draw(random: &mut Random) -> Self {
        std::array::from_fn(|_| Draw::draw(random))
    }
}

/// Ids below 7.
impl<const LEN: usize> Draw for [u16; LEN] {
    fn draw(random: &mut Random) -> Self {
        std::array::from_fn(|_| (random.next_u32() % 7) as u16)
    }
}

impl<const CAPACITY: usize> Draw for Bag<CAPACITY> {
    fn draw(random: &mut Random) -> Self {
        let length = random.next_u32() as usize % (CAPACITY + 1);
        Self::from_first(<[u16; CAPACITY]>::draw(random).into_iter().take(length))
    }
}

impl<A: Draw, B: Draw> Draw for Pair<A, B> {
    fn draw(random: &mut Random) -> Self {
        Self { first: A::draw(random), second: B::draw(random) }
    }
}

/// The gradient of an input as bits; ids have none.
trait GradientBits {
    fn bits(&self) -> Vec<u32>;
}

impl GradientBits for () {
    fn bits(&self) -> Vec<u32> {
        Vec::new()
    }
}

impl<const N: usize> GradientBits for [f32; N] {
    fn bits(&self) -> Vec<u32> {
        self.map(f32::to_bits).to_vec()
    }
}

impl<const DIM: usize, const LEN: usize> GradientBits for [[f32; DIM]; LEN] {
    fn bits(&self) -> Vec<u32> {
        self.as_flattened().iter().map(|x| x.to_bits()).collect()
    }
}

impl<A: GradientBits, B: GradientBits> GradientBits for Pair<A, B> {
    fn bits(&self) -> Vec<u32> {
        [self.first.bits(), self.second.bits()].concat()
    }
}

/// All that a pass over examples gives, as bits: outputs of use and of training, gradients of inputs and of parameters.
#[derive(Debug, PartialEq)]
struct Pass {
    inferred: Vec<Vec<u32>>,
    forward: Vec<Vec<u32>>,
    d_x: Vec<Vec<u32>>,
    gradient: Vec<u8>,
}

/// One pass over the examples, `at_a_time` of them in a call.
fn pass<M>(
    model: &M,
    x: &[M::Input],
    masks: &[<M::Input as Value>::Mask],
    c: &[M::Output],
    at_a_time: usize,
) -> Pass
where
    M: Layer,
    M::Output: Numbers,
    M::InputGradient: GradientBits,
{
    let (mut inferred, mut forward, mut d_x) = (Vec::new(), Vec::new(), Vec::new());
    let mut gradient = M::Gradient::<BATCH>::new_zeroed();
    for ((x, masks), c) in x.chunks(at_a_time).zip(masks.chunks(at_a_time)).zip(c.chunks(at_a_time)) {
        let batch = Batch { values: x, masks };
        let (mut y, mut y_masks) = (vec![M::Output::new_zeroed(); x.len()], vec![M::Output::VALID; x.len()]);
        // Scratch memory that was used before holds something else.
        let mut workspace = M::Workspace::<BATCH>::new_zeroed();
        model.infer(batch, &mut workspace, BatchMut { values: &mut y, masks: &mut y_masks });
        inferred.extend(bits(&y));

        let training = both_ways::pass::<M, BATCH>(model, x, masks, c, Some(&mut gradient));
        forward.extend(bits(&training.y));
        d_x.extend(training.d_x.iter().map(GradientBits::bits));
    }
    let (mut stepped, mut slots) = (M::zeroed(), M::Slots::<Sgd>::new_zeroed());
    let sgd = Sgd { learning_rate: 1.0 };
    stepped.step::<Sgd, BATCH>(&sgd, sgd.step(1), &mut gradient, &mut slots);
    Pass { inferred, forward, d_x, gradient: parameter_bytes(&stepped) }
}

fn check<M>(what: &str)
where
    M: Layer,
    M::Input: Draw,
    M::Output: Numbers + Draw,
    M::InputGradient: GradientBits,
{
    let random = &mut Random::seed_from_u64(9);
    let mut model = M::zeroed();
    model.visit_mut(&mut |part| {
        part.as_chunks_mut().0.iter_mut().for_each(|x| *x = draw(random).to_le_bytes());
    });
    let x: Vec<M::Input> = (0..BATCH).map(|_| Draw::draw(random)).collect();
    let c: Vec<M::Output> = (0..BATCH).map(|_| Draw::draw(random)).collect();
    let masks = vec![M::Input::VALID; BATCH];
    let expected = pass(&model, &x, &masks, &c, BATCH);
    assert_eq!(expected.inferred, expected.forward, "{what}: use and training");
    for at_a_time in [1, 2, 5, 16, 18] {
        assert!(pass(&model, &x, &masks, &c, at_a_time) == expected, "{what}: {at_a_time} at a time");
    }
    for n in [1, 2, 7, 16] {
        let few = pass(&model, &x[..n], &masks[..n], &c[..n], n);
        assert_eq!(few.inferred, expected.inferred[..n], "{what}: a batch of {n}");
        assert_eq!(few.d_x, expected.d_x[..n], "{what}: a batch of {n}");
    }
    for (x, y) in x.iter().zip(&expected.inferred) {
        assert_eq!(&bits(&[model.predict(x).expect("a valid input")])[0], y, "{what}: predict");
    }
    // A batch that is predicted again in used scratch memory, the last example first.
    let mut workspace = M::Workspace::<BATCH>::new_zeroed();
    let mut y = vec![M::Output::new_zeroed(); BATCH];
    model.predict_batch::<BATCH>(&x, &mut workspace, &mut y).expect("valid inputs");
    assert_eq!(bits(&y), expected.inferred, "{what}: predict_batch");
    model.predict_batch::<BATCH>(&x[BATCH - 1..], &mut workspace, &mut y[..1]).expect("a valid input");
    assert_eq!(bits(&y[..1]), expected.inferred[BATCH - 1..], "{what}: predict_batch");
}

/// The bytes of a model after some epochs.
fn train<M, O, L>(optimizer: O, loss: L, label: impl Fn(u32) -> L::Label) -> Vec<u8>
where
    M: Layer,
    M::Input: Draw,
    O: Optimizer,
    L: Loss<M::Output>,
{
    let random = &mut Random::seed_from_u64(4);
    let mut model = M::new(random);
    let x: Vec<M::Input> = (0..40).map(|_| Draw::draw(random)).collect();
    let labels: Vec<L::Label> = (0..40).map(|_| label(random.next_u32())).collect();
    let mut trainer = Trainer::<M, O, L, 7>::new(optimizer, loss);
    for _ in 0..3 {
        trainer.epoch(&mut model, &x, &labels).expect("valid examples");
    }
    parameter_bytes(&model)
}

type Sequence = sequential![Embedding<5, 7, 17, u16, MaskZero>, Flatten<5, 17, 85>, Dense<85, 9, Tanh>, Dense<9, 3, Softmax>];
type Columns = sequential![
    concatenate![EmbeddingBag<6, 7, 5>, Embedding17, Input<[f32; 3]>, Dense<2, 4, Tanh>],
    Dropout<[f32; 29], 300>,
    Dense<29, 3, Softmax>
];
type Embedding17 = sequential![Embedding<1, 7, 17>, Flatten<1, 17, 17>];
type Recurrent = sequential![
    Embedding<5, 7, 17, u16, MaskZero>,
    Lstm<5, 17, 9, ReturnSequences, GoBackwards>,
    Lstm<5, 9, 4>,
    Dense<4, 1, Sigmoid>
];
type Bags = sequential![EmbeddingBag<6, 7, 33>, Dense<33, 18, Relu>, Dense<18, 1, Sigmoid>];

/// Seven words, so that steps repeat: their products are made once in a batch, and step by step in a batch of one.
type Convolved = sequential![Embedding<9, 7, 5, u16, MaskZero>, Conv1D<9, 5, 33, 3, 7, Relu>, GlobalMaxPooling1D<7, 33>, Dense<33, 3, Softmax>];
type Averaged = sequential![
    Embedding<9, 7, 5, u16, MaskZero>,
    Conv1D<9, 5, 17, 4, 9, Tanh, Same>,
    GlobalAveragePooling1D<9, 17>,
    Dense<17, 1, Sigmoid>
];

fn check_layers() -> Vec<Vec<u8>> {
    check::<Dense<1, 1>>("Dense<1, 1>");
    check::<Dense<17, 5, Sigmoid>>("Dense<17, 5, Sigmoid>");
    check::<Dense<33, 16, Softmax>>("Dense<33, 16, Softmax>");
    check::<Dense<5, 65, Tanh>>("Dense<5, 65, Tanh>");
    check::<Dense<70, 31, Relu>>("Dense<70, 31, Relu>");
    check::<Dense<32, 1, Identity>>("Dense<32, 1, Identity>");
    check::<Flatten<3, 5, 15>>("Flatten");
    check::<Flatten<3, 5, 15, IgnoreMask>>("Flatten, IgnoreMask");
    check::<Embedding<5, 7, 17>>("Embedding");
    check::<Embedding<5, 7, 16, u16, MaskZero>>("Embedding, MaskZero");
    check::<HashedEmbedding<5, 7, 17, 10, u16>>("HashedEmbedding");
    check::<QuotientRemainder<5, 7, 9, 17, Multiplied, u16>>("QuotientRemainder");
    check::<EmbeddingBag<9, 7, 17, Mean>>("EmbeddingBag, Mean");
    check::<EmbeddingBag<9, 7, 64, Sum>>("EmbeddingBag, Sum");
    check::<EmbeddingBag<9, 7, 33, SqrtN>>("EmbeddingBag, SqrtN");
    check::<Lstm<1, 3, 1>>("Lstm of one step");
    check::<Lstm<5, 17, 16>>("Lstm");
    check::<Lstm<70, 3, 5, ReturnSequences, GoBackwards>>("Lstm, sequences, backwards");
    check::<Frozen<Dense<17, 5, Sigmoid>>>("Frozen");
    check::<Activation<[f32; 17], Softmax>>("Activation");
    check::<Activation<[[f32; 17]; 3], Tanh>>("Activation, a sequence");
    check::<Dropout<[[f32; 17]; 3], 300>>("Dropout");
    check::<Add<[f32; 33]>>("Add");
    check::<Add<[[f32; 17]; 3]>>("Add, sequences");
    check::<sequential![Branches<Embedding17, Embedding17>, Add<[f32; 17]>]>("a sum of embeddings");
    check::<Dot<33>>("Dot");
    check::<BiasedDot<18>>("BiasedDot");
    check::<sequential![Branches<Embedding17, Embedding17>, BiasedDot<17>]>("a product of embeddings");
    check::<Columns>("columns");
    check::<FrozenRows<Embedding<5, 7, 17>, 1>>("FrozenRows");
    check::<Conv1D<9, 5, 17, 3, 7, Relu>>("Conv1D");
    check::<Conv1D<9, 5, 17, 4, 9, Tanh, Same>>("Conv1D, Same");
    check::<Conv1D<9, 5, 8, 3, 5, Softmax, Causal, IgnoreMask, 2>>("Conv1D, Causal, stride 2");
    check::<Conv1D<9, 5, 8, 3, 5, Identity, Valid, HonourMask, 1, 2>>("Conv1D, dilation 2");
    check::<Conv1D<9, 5, 17, 3, 7, Sigmoid, Valid, StrictMask>>("Conv1D, strict");
    check::<Conv1D<9, 5, 17, 4, 9, Softmax, Same, StrictMask>>("Conv1D, Same, strict");
    check::<GlobalMaxPooling1D<5, 17>>("GlobalMaxPooling1D");
    check::<GlobalAveragePooling1D<5, 33, IgnoreMask>>("GlobalAveragePooling1D, IgnoreMask");
    check::<Convolved>("a chain of a convolution");
    check::<Averaged>("a chain of averages");
    check::<Sequence>("a chain of a sequence");
    check::<Recurrent>("a chain of recurrent layers");
    check::<Bags>("a chain of a bag");
    let classes = |n: u32| std::array::from_fn(|class| f32::from(n as usize % 3 == class));
    let categorical = CategoricalCrossEntropy { label_smoothing: 0.1 };
    vec![
        train::<Sequence, _, _>(Adam { learning_rate: 0.1, ..Adam::default() }, categorical, classes),
        train::<Sequence, _, _>(Exact(Momentum::default()), categorical, classes),
        train::<Columns, _, _>(Exact(Adam::default()), categorical, classes),
        train::<Recurrent, _, _>(Exact(Adam::default()), BinaryCrossEntropy::default(), |n| {
            [f32::from(n % 2 == 0)]
        }),
        train::<Convolved, _, _>(Adam { learning_rate: 0.1, ..Adam::default() }, categorical, classes),
        train::<Averaged, _, _>(Exact(Adam::default()), BinaryCrossEntropy::default(), |n| {
            [f32::from(n % 2 == 0)]
        }),
        train::<Bags, _, _>(Exact(Adam::default()), BinaryCrossEntropy::default(), |n| {
            [f32::from(n % 2 == 0)]
        }),
    ]
}

/// One test, because the level is the process's.
#[test]
fn examples_are_independent_at_every_level() {
    let best = Level::current();
    let trained: Vec<_> = Level::available()
        .map(|level| {
            level.set_current();
            assert_eq!(Level::current(), level);
            (level.name(), check_layers())
        })
        .collect();
    best.set_current();
    for (name, models) in &trained {
        assert!(*models == trained[0].1, "training at {name} has the bits of training at {}", trained[0].0);
    }
}
