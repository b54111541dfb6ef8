//! Every layer, loss, optimizer and text rule, training that stops and resumes, inputs that are refused: for the linker, which must
//! find nothing in them that can panic.
#![no_std]
#![no_main]

use core::hint::black_box;
use nanoembed::image;
use nanoembed::internals::{axpy, exp, ger, ln, log_sum_exp};
use nanoembed::kernels::{
    Noise, dot, gather, gather_stream, gemv, pool, pool_max, scatter_add, scatter_add_bags, scatter_add_max,
};
use nanoembed::layers::options::{
    Causal, GoBackwards, HonourMask, IgnoreMask, MaskZero, Mean, Multiplied, ReturnSequences, Same,
    StrictMask, Sum, Valid,
};
use nanoembed::layers::{
    Activation, Add, Bag, BiasedDot, Branches, Conv1D, Corrected, Dense, Dot, Dropout, Embedding,
    EmbeddingBag, Flatten, Folded, Frozen, FrozenRows, GlobalAveragePooling1D, GlobalMaxPooling1D,
    HashedEmbedding, I4Row, Input, KeptRows, Layer, Lstm, OverlayBag, Packed, QuotientRemainder, Relu,
    Sigmoid, Softmax, Tanh, U4Row, Value,
};
use nanoembed::loss::{
    BinaryCrossEntropy, CategoricalCrossEntropy, ClassWeights, FromLogits, KnownClasses, Loss,
    MeanAbsoluteError, MeanSquaredError, OnProbabilities, SampleWeights, SparseCategoricalCrossEntropy,
    Weighted,
};
use nanoembed::metrics::{ConfusionMatrix, argmax, auc, in_top_k, root_mean_squared_error};
use nanoembed::optim::{
    Adadelta, Adagrad, Adam, AdamW, AmsGrad, CenteredRmsProp, Clip, Clipped, CosineDecay, Exact, L2Decay,
    Momentum, Nadam, Optimizer, PiecewiseConstantDecay, RowwiseAdagrad, Scheduled, Series, Sgd,
};
use nanoembed::sparse::{Occurrence, RowNorm, SortedOccurrences, SparseGradient, update_rows_rounded};
use nanoembed::table::{Aligned, AnyTable, Bags, F16, Format, Indices, Pooling, Table, TableMut, U2, U8};
use nanoembed::text::{HashingTokenizer, Padding, Truncating, Unchanged, pad};
use nanoembed::train::{EarlyStopping, History, Trainer};
use nanoembed::{concatenate, pairs, sequential};
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro128PlusPlus;
use shared::reviews::REVIEWS;

type Masked = sequential![
    Embedding<5, 40, 7, u32, MaskZero>,
    Flatten<5, 7, 35>,
    Dense<35, 9, Relu>,
    Dense<9, 4, Tanh>,
    Dense<4, 1>
];
type Tuned =
    sequential![Frozen<Embedding<5, 40, 7, u32>>, Flatten<5, 7, 35, IgnoreMask>, Dense<35, 1, Sigmoid>];
type PartlyFrozen =
    sequential![FrozenRows<Embedding<5, 40, 7, u32>, 2>, Flatten<5, 7, 35>, Dense<35, 1, Sigmoid>];
type Hashed = sequential![HashedEmbedding<5, 40, 7, 10>, Flatten<5, 7, 35>, Dense<35, 1, Sigmoid>];
type Divided =
    sequential![QuotientRemainder<5, 6, 7, 7, Multiplied>, Flatten<5, 7, 35>, Dense<35, 1, Sigmoid>];
type Recurrent = sequential![
    Embedding<5, 40, 4, u32, MaskZero>,
    Lstm<5, 4, 3, ReturnSequences, GoBackwards>,
    Lstm<5, 3, 2>,
    Dense<2, 1, Sigmoid>
];
type Convolved = sequential![
    Embedding<5, 40, 7, u32, MaskZero>,
    Conv1D<5, 7, 22, 3, 3, Relu, Valid, StrictMask>,
    GlobalMaxPooling1D<3, 22>,
    Dense<22, 1, Sigmoid>
];
type Strided = sequential![
    Embedding<5, 40, 7, u32, MaskZero>,
    Conv1D<5, 7, 6, 3, 3, Tanh, Same, IgnoreMask, 2>,
    Conv1D<3, 6, 5, 2, 3, Softmax, Causal, HonourMask, 1, 2>,
    GlobalAveragePooling1D<3, 5>,
    Dense<5, 1, Sigmoid>
];
type Classes = sequential![EmbeddingBag<6, 40, 5>, Dense<5, 3, Softmax>];
type Column = sequential![Embedding<1, 40, 5, u32>, Flatten<1, 5, 5>];
type Columns = sequential![
    concatenate![Column, EmbeddingBag<6, 40, 4>, Input<[f32; 2]>],
    Dense<11, 7>,
    Activation<[f32; 7], Relu>,
    Dropout<[f32; 7], 300>,
    Dense<7, 3, Softmax>
];
type Ratings = sequential![Branches<Column, Column>, BiasedDot<5>];
type Likes = sequential![Branches<Column, Column>, Dot<5>];
type Correction = sequential![
    Branches<Input<[f32; 3]>, OverlayBag<6, 9, 3, Mean>>,
    Add<[f32; 3]>,
    Dense<3, 3, Softmax>
];
type Sums = sequential![EmbeddingBag<6, 40, 5, Sum, u8>, Dense<5, 3>];

const BATCH: usize = 4;

/// Everything that can be done with a model; what fails is `None`. The rooms for image and checkpoint must be of their size.
fn live<M: Layer, O: Optimizer, L: Loss<M::Output>>(
    optimizer: O,
    loss: L,
    inputs: &[M::Input],
    labels: &[L::Label],
) -> Option<()>
where
    M::Output: Value,
{
    let mut model = M::new(&mut Xoshiro128PlusPlus::seed_from_u64(black_box(3)));
    let mut trainer = Trainer::<M, O, L, BATCH>::new(optimizer, loss);
    trainer.set_shuffle(black_box(true));
    let mut history = History::<2>::new();
    for _ in 0..black_box(3) {
        history.push(trainer.epoch(&mut model, inputs, labels).ok()?);
    }
    trainer.step(&mut model, inputs.get(..2)?, labels.get(..2)?).ok()?;
    trainer.flush(&mut model);
    trainer.evaluate(&mut model, inputs, labels).ok()?;

    let mut checkpoint = [0; 20_000];
    let checkpoint = checkpoint.get_mut(..Trainer::<M, O, L, BATCH>::CHECKPOINT_SIZE)?;
    trainer.checkpoint(&model, checkpoint).ok()?;
    trainer.resume(&mut model, black_box(checkpoint)).ok()?;

    let mut bytes = Aligned([0; 8_000]);
    let bytes = bytes.get_mut(..image::size::<M>())?;
    image::write(&model, bytes).ok()?;
    let read = image::read::<M>(black_box(bytes)).ok()?;
    black_box(read.predict(inputs.first()?).ok()?);
    black_box(history.last()?.loss);
    Some(())
}

/// Learning beside a model that is frozen, and its image a page at a time.
fn corrections(bag: &Bag<6>) -> Option<()> {
    type Base = sequential![EmbeddingBag<6, 40, 5>, Dense<5, 3>];
    let base = Base::new(&mut Xoshiro128PlusPlus::seed_from_u64(1));
    let correction = Correction::new(&mut Xoshiro128PlusPlus::seed_from_u64(2));
    let mut model = Corrected { base: &base, correction };
    let mut trainer =
        Trainer::<Correction, _, _, 1>::new(Exact(Adam::default()), SparseCategoricalCrossEntropy);
    let ids: Bag<2> = model.least_known(bag).ok()?;
    model.correction.first.second.admit(ids.ids().iter().copied()).ok()?;
    black_box(model.correction.first.second.row_of(*bag.ids().first()?));
    let input = model.input(bag).ok()?;
    trainer.step(&mut model.correction, &[input], &[black_box(1)]).ok()?;
    trainer.flush(&mut model.correction);
    trainer.correct::<2>(&mut model, bag, black_box(2), black_box(3)).ok()?;
    black_box(model.predict(bag).ok()?);
    let (mut flash, mut page) = ([0xff; 2048], [0; 100]);
    let page = page.get_mut(..black_box(64))?;
    image::write_pages(&model.correction, &Default::default(), page, |offset, page| {
        for (to, from) in flash.get_mut(offset..).ok_or(())?.iter_mut().zip(page) {
            *to = *from;
        }
        Ok::<_, ()>(())
    })
    .ok()?;
    image::read_pages(&mut model.correction, flash.len(), page, |offset, page| {
        for (to, from) in page.iter_mut().zip(flash.get(offset..).ok_or(())?) {
            *to = *from;
        }
        Ok::<_, ()>(())
    })
    .ok()
}

/// The kernels that no layer calls in this form, on shapes that only the run knows.
fn kernels() -> Option<()> {
    let (rows, dim, len) = black_box((9_usize, 5_usize, 12_usize));
    let mut values = black_box([0.5; 100]);
    let mut out = [0.0; 100];
    let ids = black_box([3_i32, -1, 8, 0, 0, 2, 7, 1, 5, 5, 5, -9]);
    let ids = Indices::from_end(ids.get(..len)?, rows).ok()?;
    let table = Table::with_stride(&values, rows, dim, dim + 2).ok()?;
    gather(table, ids, out.get_mut(..len * dim)?).ok()?;
    let offsets = black_box([0_u16, 4, 4, 12]);
    let weights = black_box([0.5; 12]);
    let bags = Bags::new(ids, &offsets)
        .ok()?
        .with_weights(weights.get(..len)?)
        .ok()?
        .with_padding(black_box(2))
        .ok()?;
    pool(table, &bags, Pooling::Mean, out.get_mut(..bags.len() * dim)?).ok()?;
    gemv(table, weights.get(..dim)?, out.get_mut(..rows)?).ok()?;
    let mut table = TableMut::with_stride(&mut values, rows, dim, dim + 2).ok()?;
    scatter_add(out.get(..len * dim)?, ids, &mut table).ok()?;
    scatter_add_bags(out.get(..bags.len() * dim)?, &bags, Pooling::Mean, &mut table).ok()?;
    axpy(black_box(0.5), weights.get(..dim)?, out.get_mut(..dim)?).ok()?;
    let mut list = [Occurrence::default(); 40];
    let list = ids.occurrences(&mut list).ok()?;
    let sorted = SortedOccurrences::sort(list, &mut [Occurrence::default(); 40]).ok()?;
    let gradients = Table::new(out.get(..len * dim)?, len, dim).ok()?;
    let mut sums = [0.0; 60];
    let sums = &mut TableMut::new(sums.get_mut(..len * dim)?, len, dim).ok()?;
    black_box(RowNorm::L1).limit_rows(ids, black_box(0.5), &mut table).ok()?;
    sorted.by_frequency().coalesce(gradients, &mut black_box([0; 40]), sums).ok()?;
    black_box(log_sum_exp(values.get(..len)?) + dot(&weights, out.get(..len)?).ok()?);
    pad(weights.get(..len)?, Padding::Pre, Truncating::Pre, 0.0, out.get_mut(..black_box(7))?);
    let mut predictions = [[0.0; 3]; BATCH];
    let inputs = black_box([[0.5; 4]; BATCH]);
    Dense::<4, 3>::zeroed()
        .predict_batch::<BATCH>(inputs.get(..len % 4)?, &mut (), predictions.get_mut(..len % 4)?)
        .ok()?;
    black_box((out, predictions));
    Some(())
}

/// Rows of the format `F`: written, read, pooled.
fn formats<F: Format>(zero: F::Element) -> Option<()> {
    let (rows, dim) = black_box((9_usize, 5_usize));
    let values = black_box([0.5; 45]);
    let mut elements = [zero; 9 * 13];
    let elements = elements.get_mut(..rows * F::row_length(dim))?;
    TableMut::<F>::packed(elements, rows, dim).ok()?.quantise(Table::new(&values, rows, dim).ok()?).ok()?;
    let table = Table::<F>::packed(elements, rows, dim).ok()?;
    let mut out = [0.0; 45];
    table.dequantise(&mut TableMut::new(&mut out, rows, dim).ok()?).ok()?;
    let ids = black_box([3_u8, 8, 0, 8]);
    let indices = Indices::new(&ids, rows).ok()?;
    gather_stream(table, indices, out.get_mut(..ids.len() * dim)?).ok()?;
    let weights = black_box([0.5; 4]);
    let bags = Bags::fixed(indices, 2, 2).ok()?.with_weights(&weights).ok()?;
    pool(table, &bags, Pooling::WeightedMean, out.get_mut(..2 * dim)?).ok()?;
    let mut positions = [0; 10];
    pool_max(table, &bags, out.get_mut(..2 * dim)?, positions.get_mut(..2 * dim)?).ok()?;
    let mut gradient = [0.0; 45];
    let mut gradient = TableMut::new(&mut gradient, rows, dim).ok()?;
    scatter_add_max(out.get(..2 * dim)?, positions.get(..2 * dim)?, &bags, &mut gradient).ok()?;
    black_box((out, gradient.as_table().row(3)?.first()?));
    Some(())
}

/// A step on rows of 8 bits from the gradients of bags with weights, and what else only weights need.
fn weighted_bags() -> Option<()> {
    let (rows, dim) = black_box((9_usize, 5_usize));
    let ids = black_box([3_u8, 8, 0, 8]);
    let weights = black_box([0.5; 4]);
    let indices = Indices::new(&ids, rows).ok()?;
    let plain = Bags::fixed(indices, 2, 2).ok()?;
    let bags = plain.with_weights(&weights).ok()?;
    let d_bags = black_box([0.25; 10]);
    let mut d_sums = [0.0; 10];
    let values = black_box([0.5; 45]);
    let table = Table::new(&values, rows, dim).ok()?;
    let mut d_weights = [0.0; 4];
    bags.weight_gradients(table, Pooling::SqrtN, &d_bags, &mut d_weights).ok()?;
    bags.divide(&d_bags, Pooling::SqrtN, &mut d_sums).ok()?;
    let (mut numbers, mut list, mut scratch) =
        ([0; 4], [Occurrence::default(); 4], [Occurrence::default(); 4]);
    black_box(plain.occurrences(&mut list).ok()?);
    bags.numbers(&mut numbers).ok()?;
    let sorted = SortedOccurrences::sort(indices.occurrences(&mut list).ok()?, &mut scratch).ok()?;
    let mut bytes = [7; 9 * 13];
    let mut packed = TableMut::<U8>::packed(bytes.get_mut(..rows * U8::row_length(dim))?, rows, dim).ok()?;
    let mut state = [0.0; 9];
    let (rule, noise) =
        (RowwiseAdagrad::default().rule(1), Noise { seed: black_box(1), step: 1, first_row: 0 });
    let mut touched = SparseGradient {
        occurrences: sorted.weighted(&weights, &numbers).ok()?,
        gradients: Table::new(&d_sums, 2, dim).ok()?,
        scratch: &mut [0.0; 10],
    };
    let mut state = TableMut::new(&mut state, rows, 1).ok()?;
    update_rows_rounded(rule, noise, &mut packed, &mut state, &mut touched, &mut [0.0; 5]).ok()?;
    let mut out = black_box([0.5; 10]);
    AnyTable::F32(table).pool(&bags, Pooling::Sum, &mut out).ok()?;
    let mut outer = [0.0; 45];
    ger(0.5, weights.get(..3)?, out.get(..dim)?, &mut TableMut::new(outer.get_mut(..15)?, 3, dim).ok()?)
        .ok()?;
    exp(&mut out);
    ln(&mut out);
    let packed = Packed::<Embedding<5, 40, 8>, U4Row<8, 8>, 40>::zeroed();
    let mut partly = FrozenRows::<Embedding<5, 40, 8>, 2>::zeroed();
    partly.freeze(black_box(3)).ok()?;
    partly.thaw(black_box(3)).ok()?;
    black_box(partly.is_frozen(black_box(3)));
    black_box((out, outer, d_weights, packed.predict(&black_box([1; 5])).ok()?));
    Some(())
}

/// Training that keeps the best weights, and what is measured of it.
fn best(inputs: &[<Columns as Layer>::Input], classes: &[u16]) -> Option<()> {
    let mut model = Columns::new(&mut Xoshiro128PlusPlus::seed_from_u64(black_box(3)));
    let mut best = Columns::zeroed();
    let mut trainer =
        Trainer::<Columns, _, _, BATCH>::new(Adam::default(), OnProbabilities(SparseCategoricalCrossEntropy));
    let mut stopping = EarlyStopping::new(&mut best, black_box(2)).with_min_delta(black_box(0.1));
    let mut matrix = ConfusionMatrix::<3>::new();
    for _ in 0..black_box(3) {
        trainer.epoch(&mut model, inputs, classes).ok()?;
        let report = trainer
            .evaluate_with(&model, inputs, classes, |y, class| {
                matrix.add(usize::from(*class), argmax(y));
                black_box(in_top_k(y, usize::from(*class), 2));
            })
            .ok()?;
        if stopping.observe(&model, report.loss).is_break() {
            break;
        }
    }
    stopping.restore(&mut model);
    let [list, other] = &mut [[Occurrence::default(); 4]; 2];
    let (scores, labels) = (black_box([0.5, 0.1, 0.7, 0.5]), black_box([true, false, true, false]));
    black_box(auc(&scores, &labels, [list, other]).ok()?);
    black_box(root_mean_squared_error(&scores, &black_box([0.5; 4])).ok()?);
    black_box((matrix.macro_f1(), matrix.accuracy(), matrix.precision(1), matrix.recall(1), stopping.best()));
    Some(())
}

fn folded() -> Option<()> {
    type Scored = Folded<KeptRows<I4Row<3, 2>, 30, 40, 2>, 3>;
    let model = black_box(Scored::zeroed());
    let scores = model.scores(black_box([3, 39, 50]));
    black_box((scores.class(), scores.probabilities()));
    black_box(model.predict(&black_box(Bag::from_first([3, 39]))).ok()?);
    Some(())
}

fn run() -> Option<()> {
    kernels()?;
    formats::<F16>(0)?;
    formats::<U8>(0)?;
    formats::<U2>(0)?;
    weighted_bags()?;
    folded()?;
    let words = HashingTokenizer::try_new(black_box(40)).ok()?.truncating(Truncating::Post);
    let pairs = words.word_ngrams::<2>().lowercase::<Unchanged>().padding(Padding::Pre);
    let ids = black_box(REVIEWS).map(|text| words.encode::<5, u32>(text).unwrap_or_default());
    let bags = black_box(REVIEWS).map(|text| Bag::<6>::from_first(pairs.ids(text).map(|id| id as u16)));
    let small_bags =
        black_box(REVIEWS).map(|text| Bag::<6, u8>::from_first(pairs.ids(text).map(|id| id as u8)));
    let yes_or_no = black_box(REVIEWS).map(|text| [(text.len() % 2) as f32]);
    let classes = black_box(REVIEWS).map(|text| (text.len() % 3) as u16);
    let shares = classes.map(|class| [0, 1, 2].map(|c| if c == class { 1.0 } else { 0.0 }));

    let rows = black_box(REVIEWS).map(|text| {
        let bag = Bag::<6>::from_first(pairs.ids(text).map(|id| id as u16));
        pairs![[text.len() as u32], bag, [0.5, text.len() as f32]]
    });
    let ratings = black_box(REVIEWS).map(|text| pairs![[text.len() as u32], [text.len() as u32 / 2]]);
    best(&rows, &classes)?;

    let (binary, adam) = (BinaryCrossEntropy::default(), Adam::default());
    live::<Masked, _, _>(adam, FromLogits(binary), &ids, &yes_or_no)?;
    live::<Masked, _, _>(Exact(Momentum::default()), FromLogits(binary), &ids, &yes_or_no)?;
    live::<Tuned, _, _>(Sgd::default(), OnProbabilities(binary), &ids, &yes_or_no)?;
    live::<Tuned, _, _>(Momentum::default(), binary, &ids, &yes_or_no)?;
    live::<PartlyFrozen, _, _>(Exact(adam), binary, &ids, &yes_or_no)?;
    live::<Hashed, _, _>(Exact(adam), binary, &ids, &yes_or_no)?;
    live::<Divided, _, _>(Exact(adam), binary, &ids, &yes_or_no)?;
    live::<Recurrent, _, _>(adam, binary, &ids, &yes_or_no)?;
    live::<Convolved, _, _>(adam, binary, &ids, &yes_or_no)?;
    live::<Strided, _, _>(Series(adam), binary, &ids, &yes_or_no)?;
    live::<Classes, _, _>(Exact(adam), SparseCategoricalCrossEntropy, &bags, &classes)?;
    live::<Classes, _, _>(adam, OnProbabilities(SparseCategoricalCrossEntropy), &bags, &classes)?;
    let schedule = CosineDecay { initial_learning_rate: 0.01, decay_steps: black_box(9), alpha: 0.1 };
    let scheduled = Exact(Scheduled { optimizer: adam, schedule });
    let weighted = ClassWeights { loss: SparseCategoricalCrossEntropy, weights: black_box([1.0, 2.0, 0.5]) };
    live::<Columns, _, _>(scheduled, weighted, &rows, &classes)?;
    let schedule =
        PiecewiseConstantDecay { boundaries: [2, black_box(5)], values: [0.1; 2], last_value: 0.01 };
    let scheduled =
        L2Decay { optimizer: Scheduled { optimizer: Sgd::default(), schedule }, weight_decay: 0.1 };
    live::<Ratings, _, _>(scheduled, MeanSquaredError, &ratings, &yes_or_no)?;
    let weighed = yes_or_no.map(Weighted::from);
    live::<Likes, _, _>(adam, SampleWeights(MeanAbsoluteError), &ratings, &weighed)?;
    let optimizer = AdamW { optimizer: adam, weight_decay: 0.05 };
    let clipped = Clipped { optimizer, clip: black_box(Clip::GlobalNorm(0.1)), keras3_duplicates: false };
    live::<Tuned, _, _>(Exact(clipped), binary, &ids, &yes_or_no)?;
    live::<Masked, _, _>(RowwiseAdagrad::default(), FromLogits(binary), &ids, &yes_or_no)?;
    live::<Masked, _, _>(Exact(CenteredRmsProp::default()), FromLogits(binary), &ids, &yes_or_no)?;
    live::<Classes, _, _>(Exact(Nadam::default()), SparseCategoricalCrossEntropy, &bags, &classes)?;
    let known = KnownClasses { loss: SparseCategoricalCrossEntropy, classes: black_box(3) };
    live::<Classes, _, _>(Exact(Adadelta::default()), known, &bags, &classes)?;
    let penalised = L2Decay { optimizer: Adagrad::default(), weight_decay: 0.05 };
    live::<Classes, _, _>(penalised, SparseCategoricalCrossEntropy, &bags, &classes)?;
    corrections(bags.first()?)?;
    live::<Sums, _, _>(
        Exact(AmsGrad(adam)),
        FromLogits(CategoricalCrossEntropy::default()),
        &small_bags,
        &shares,
    )?;
    live::<Sums, _, _>(Exact(adam), FromLogits(CategoricalCrossEntropy::default()), &small_bags, &shares)?;
    live::<Classes, _, _>(adam, OnProbabilities(CategoricalCrossEntropy::default()), &bags, &shares)?;
    Some(())
}

#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    let mut done = None;
    let count = images::instructions(|| done = run());
    images::print_number("stack bytes", images::stack_used());
    images::print_number("instructions for all of it", count);
    images::exit(done.is_some())
}
