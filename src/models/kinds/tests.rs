//! Each kind has the bits of the layer whose type says the sizes.

use super::*;
use crate::layers::options::*;
use crate::layers::{self, Batch, BatchMut, Context, Layer, Pair, Value};
use crate::models::kind::{Backward, Kind, Pass, Values, ValuesMut, View};
use crate::models::shape::Block;
use crate::optim::{Optimizer, Sgd};
use crate::recipe::LayerKind;
use crate::table::{F32, Numbers};
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro128PlusPlus;
use std::vec::Vec;
use std::{fmt::Debug, vec};
use zerocopy::{FromZeros, Immutable};

type Random = Xoshiro128PlusPlus;
const ROWS: usize = 7;

/// One of few numbers, so that steps are the same often, and sometimes none is left of a sum.
fn draw(random: &mut Random) -> f32 {
    (random.next_u32() % 4) as f32 * 0.7 - 1.1
}

/// Examples as slices: ids, ids of 64 bits, and numbers of up to two values.
#[derive(Default, PartialEq, Debug)]
struct Slices {
    ids: Vec<u32>,
    long: Vec<u64>,
    numbers: [Vec<f32>; 2],
}

/// What a typed layer takes, or its gradient.
trait Given: Copy {
    fn draw(random: &mut Random) -> Self;
    fn add_to(&self, slices: &mut Slices);
}
impl Given for () {
    fn draw(_: &mut Random) {}
    fn add_to(&self, _: &mut Slices) {}
}
impl<const LEN: usize> Given for [u32; LEN] {
    fn draw(random: &mut Random) -> Self {
        core::array::from_fn(|_| random.next_u32() % ROWS as u32)
    }
    fn add_to(&self, slices: &mut Slices) {
        slices.ids.extend(self);
    }
}
impl<const LEN: usize> Given for [u64; LEN] {
    fn draw(random: &mut Random) -> Self {
        core::array::from_fn(|_| u64::from(random.next_u32() % 3) << 40)
    }
    fn add_to(&self, slices: &mut Slices) {
        slices.long.extend(self);
    }
}
impl<const N: usize> Given for [f32; N] {
    fn draw(random: &mut Random) -> Self {
        core::array::from_fn(|_| draw(random))
    }
    fn add_to(&self, slices: &mut Slices) {
        slices.numbers[0].extend(self);
    }
}
impl<const DIM: usize, const LEN: usize> Given for [[f32; DIM]; LEN] {
    fn draw(random: &mut Random) -> Self {
        core::array::from_fn(|_| <[f32; DIM]>::draw(random))
    }
    fn add_to(&self, slices: &mut Slices) {
        slices.numbers[0].extend(self.as_flattened());
    }
}
impl<const A: usize, const B: usize> Given for Pair<[f32; A], [f32; B]> {
    fn draw(random: &mut Random) -> Self {
        Self { first: Given::draw(random), second: Given::draw(random) }
    }
    fn add_to(&self, slices: &mut Slices) {
        slices.numbers[0].extend(self.first);
        slices.numbers[1].extend(self.second);
    }
}

fn slices<G: Given>(examples: &[G]) -> Slices {
    let mut slices = Slices::default();
    for example in examples {
        example.add_to(&mut slices);
    }
    slices
}

/// The mask of an example, drawn at random.
trait Masks: Copy {
    fn draw(random: &mut Random) -> Self;
    fn add_to(&self, masks: &mut Vec<bool>);
}
impl Masks for () {
    fn draw(_: &mut Random) {}
    fn add_to(&self, _: &mut Vec<bool>) {}
}
impl Masks for ((), ()) {
    fn draw(_: &mut Random) -> Self {
        ((), ())
    }
    fn add_to(&self, _: &mut Vec<bool>) {}
}
impl<const LEN: usize> Masks for [bool; LEN] {
    fn draw(random: &mut Random) -> Self {
        let most = random.next_u32() % 4;
        core::array::from_fn(|_| random.next_u32() % 3 < most)
    }
    fn add_to(&self, masks: &mut Vec<bool>) {
        masks.extend(self);
    }
}

fn masks<M: Masks>(examples: &[M]) -> Vec<bool> {
    let mut masks = Vec::new();
    for example in examples {
        example.add_to(&mut masks);
    }
    masks
}

fn parameters<L: Layer>(layer: &L) -> Vec<f32> {
    let mut bytes = Vec::new();
    layer.visit(&mut |part| bytes.extend(part));
    bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

fn assert_bits(a: &[f32], b: &[f32], what: impl Debug) {
    assert_eq!(a.as_bytes(), b.as_bytes(), "{what:?}: {a:?} and {b:?}");
}

/// Plain descent by the whole gradient, as the trainer finds it: where it lies, `d_y` and `gradient`.
fn descend<K: Kind>(record: &Record, input: Input<'_>, w: &mut [f32], d_y: &[f32], gradient: &[f32]) {
    let (mut w, mut gradient, mut table) = (w, gradient, 0);
    let rule = |w: &mut f32, g: f32| *w -= 1.0 * g;
    for block in K::spec(record).unwrap().blocks {
        let block_w = w.split_off_mut(..block.words().unwrap()).unwrap();
        match block {
            Block::Numbers(numbers) => {
                let g = gradient.split_off(..numbers).unwrap();
                block_w.iter_mut().zip(g).for_each(|(w, g)| rule(w, *g));
            }
            Block::ByFilter { inner, filters } => {
                let g = gradient.split_off(..inner * filters).unwrap();
                for (place, w) in block_w.iter_mut().enumerate() {
                    rule(w, g[place % filters * inner + place / filters]);
                }
            }
            Block::Rows { dim, .. } => {
                let rows = if table == 0 { d_y } else { gradient };
                let mut sums = vec![0.0; block_w.len()];
                K::occurrences(record, input, table, &mut |row, source| {
                    let (row, source) = (row as usize, source as usize);
                    let sum = &mut sums[row * dim..(row + 1) * dim];
                    sum.iter_mut().zip(&rows[source * dim..]).for_each(|(sum, g)| *sum += g);
                });
                block_w.iter_mut().zip(&sums).for_each(|(w, g)| rule(w, *g));
                table += 1;
            }
            _ => {}
        }
    }
}

/// Asserts that a kind starts as a typed layer does.
fn starts_as<K: Kind, L: Layer>(record: &Record) {
    let (mut one, mut other) = (Random::seed_from_u64(2), Random::seed_from_u64(2));
    let mut start = vec![f32::NAN; K::spec(record).unwrap().words().unwrap()];
    K::init(record, &mut start, &mut one);
    assert_bits(&start, &parameters(&L::new(&mut other)), "init");
    assert_eq!(one.next_u32(), other.next_u32());
}

/// Asserts that a kind starts, computes and learns as a typed layer does, whose record this is.
fn same_as<K: Kind, L: Layer>(record: Record)
where
    L::Input: Given,
    <L::Input as Value>::Mask: Masks,
    L::InputGradient: Given,
    L::Output: Given + Numbers,
    <L::Output as Value>::Mask: Masks + PartialEq + Immutable,
{
    const BATCH: usize = 5;
    assert!(K::is_of(&record));
    let spec = K::spec(&record).unwrap();
    starts_as::<K, L>(&record);
    let mut random = Random::seed_from_u64(L::FINGERPRINT.value());
    let variants = [(1, true, true), (5, true, true), (5, false, true), (4, true, false), (0, true, true)];
    for (variant, (n, learns, flows)) in variants.into_iter().enumerate() {
        for (logits, training) in [(false, true), (true, false)] {
            let what = (std::any::type_name::<L>(), variant, logits);
            let mut typed = L::new(&mut random);
            typed.visit_mut(&mut |part| {
                for number in part.as_chunks_mut().0 {
                    *number = (f32::from_le_bytes(*number) + draw(&mut random)).to_le_bytes();
                }
            });
            let w = parameters(&typed);
            let x: Vec<L::Input> = (0..n).map(|_| Given::draw(&mut random)).collect();
            let x_masks: Vec<_> = (0..n).map(|_| Masks::draw(&mut random)).collect();
            let d_y: Vec<L::Output> = (0..n).map(|_| Given::draw(&mut random)).collect();
            let context = Context { training, seed: 3, layer: variant };

            // Typed.
            let mut cache = L::Cache::<BATCH>::new_zeroed();
            let mut gradient = L::Gradient::<BATCH>::new_zeroed();
            let (mut inputs, mut input_masks) = (x.clone(), x_masks.clone());
            let mut batch = BatchMut { values: &mut inputs, masks: &mut input_masks };
            if logits {
                typed.forward_logits::<BATCH>(batch.reborrow(), &mut cache, context);
            } else {
                typed.forward::<BATCH>(batch.reborrow(), &mut cache, context);
            }
            let outputs = L::outputs::<BATCH>(batch.reborrow(), &mut cache);
            let (y, y_masks) = (slices(outputs.values).numbers, masks(outputs.masks));
            let mut d_x: Vec<_> = x.iter().map(|_| L::InputGradient::new_zeroed()).collect();
            let batch = Batch::from(batch);
            let (_, to) = L::flows::<BATCH>(batch, &mut cache, Some(&mut gradient), Some(&mut d_x));
            to.unwrap().copy_from_slice(&d_y);
            if logits {
                typed.backward_logits::<BATCH>(batch, &mut cache, Some(&mut gradient), Some(&mut d_x));
            } else {
                typed.backward::<BATCH>(batch, &mut cache, Some(&mut gradient), Some(&mut d_x));
            }
            let sgd = Sgd { learning_rate: 1.0 };
            typed.step(&sgd, sgd.step(1), &mut gradient, &mut FromZeros::new_zeroed());

            // At run time.
            let Slices { ids, long, numbers: [first, second] } = slices(&x);
            let mut step_masks = masks(&x_masks);
            if spec.ignores_masks {
                step_masks.fill(true);
            }
            let input = if long.is_empty() { Input::Ids(&ids) } else { Input::LongIds(&long) };
            let value = |numbers| Values { numbers, masks: &step_masks };
            let taken = match spec.takes {
                [_, Some(_)] => Taken::Pair(value(&first), value(&second)),
                [Some(Shape::Vector(_) | Shape::Sequence { .. }), _] => Taken::Value(value(&first)),
                _ => Taken::Input(input),
            };
            let view = View { record: &record, parameters: &w, n };
            let pass = Pass { context, logits };
            let mut found = vec![f32::NAN; spec.gives.numbers() * n];
            let mut found_masks = vec![false; spec.gives.steps() * n];
            let mut kept = vec![f32::NAN; spec.kept.of_batch(n).unwrap()];
            let to = ValuesMut { numbers: &mut found, masks: &mut found_masks };
            K::forward(view, taken, to, &mut kept, pass);
            assert_bits(&found, &y[0], ("y", what));
            assert_eq!(found_masks, y_masks, "{what:?}");
            let of_block = |block| match block {
                Block::Rows { dim, sources, .. } => n * dim * sources,
                block => block.words().unwrap(),
            };
            let [.., learnt] = match spec.blocks {
                [Block::Rows { .. }, second, _] => [0, of_block(second)],
                blocks => [0, blocks.into_iter().map(of_block).sum()],
            };
            let mut gradient = vec![0.0; learnt];
            let mut found_d_y = slices(&d_y).numbers[0].clone();
            let mut found_d_x = [vec![f32::NAN; first.len()], vec![f32::NAN; second.len()]];
            let [d_a, d_b] = &mut found_d_x;
            let backward = Backward {
                x: taken,
                y: Values { numbers: &found, masks: &found_masks },
                d_y: &mut found_d_y,
                kept: &mut kept,
                gradient: learns.then_some(&mut gradient[..]),
                // Of two values, one may be wanted alone.
                d_x: [flows.then_some(&mut d_a[..]), (n != 1).then_some(&mut d_b[..])],
            };
            K::backward(view, backward, pass);
            let [d_a, d_b] = slices(&d_x).numbers;
            if flows && !matches!(spec.takes, [Some(Shape::Ids(_) | Shape::LongIds(_)), _]) {
                assert_bits(&found_d_x[0], &d_a, ("d_x", what));
            }
            if n != 1 {
                assert_bits(&found_d_x[1], &d_b, ("d_x of the second", what));
            }
            if learns {
                let mut w = w.clone();
                descend::<K>(&record, input, &mut w, &found_d_y, &gradient);
                assert_bits(&w, &parameters(&typed), ("parameters", what));
            }
        }
    }
}

/// The same of a layer that tells its record by itself.
fn same<K: Kind, L: Layer>()
where
    L::Input: Given,
    <L::Input as Value>::Mask: Masks,
    L::InputGradient: Given,
    L::Output: Given + Numbers,
    <L::Output as Value>::Mask: Masks + PartialEq + Immutable,
{
    let [record] = L::RECORDS.list();
    same_as::<K, L>(record);
}

#[test]
fn rows() {
    same::<Embedding<F32>, layers::Embedding<3, ROWS, 5, u32, MaskZero>>();
    same::<HashedEmbedding, layers::HashedEmbedding<3, 5, 4, 6, u64, 9>>();
    same::<HashedEmbedding, layers::HashedEmbedding<2, 50, 17, 8, u32>>();
    same::<QuotientRemainder, layers::QuotientRemainder<3, 2, 4, 5, Added, u32>>();
    same::<QuotientRemainder, layers::QuotientRemainder<4, 4, 2, 17, Multiplied, u32>>();
}

#[test]
fn sequences_to_vectors() {
    same::<GlobalMaxPooling1D, layers::GlobalMaxPooling1D<4, 3>>();
    same::<GlobalMaxPooling1D, layers::GlobalMaxPooling1D<3, 20, IgnoreMask>>();
    same::<GlobalAveragePooling1D, layers::GlobalAveragePooling1D<4, 3>>();
    same::<GlobalAveragePooling1D, layers::GlobalAveragePooling1D<3, 20, IgnoreMask>>();
}

#[test]
fn convolutions() {
    use layers::{Identity, Relu, Sigmoid, Softmax, Tanh};
    macro_rules! each {
        ($($mask:ident)*) => {$(
            same::<Conv1D, layers::Conv1D<9, 2, 5, 3, 7, Identity, Valid, $mask>>();
            same::<Conv1D, layers::Conv1D<9, 2, 5, 3, 4, Softmax, Valid, $mask, 2>>();
            same::<Conv1D, layers::Conv1D<9, 2, 5, 3, 5, Sigmoid, Same, $mask, 2>>();
            // So many products that repeated steps are looked for.
            same::<Conv1D, layers::Conv1D<9, 2, 40, 2, 8, Relu, Valid, $mask>>();
            same::<Conv1D, layers::Conv1D<9, 2, 32, 3, 9, Tanh, Same, $mask>>();
            same::<Conv1D, layers::Conv1D<9, 1, 22, 3, 9, Relu, Causal, $mask, 1, 2>>();
        )*};
    }
    each! { HonourMask IgnoreMask StrictMask }
}

#[test]
fn lstms() {
    same::<Lstm, layers::Lstm<1, 1, 1>>();
    same::<Lstm, layers::Lstm<5, 3, 4>>();
    same::<Lstm, layers::Lstm<5, 3, 17, ReturnLast, GoBackwards>>();
    same::<Lstm, layers::Lstm<5, 3, 4, ReturnSequences>>();
    same::<Lstm, layers::Lstm<4, 2, 5, ReturnSequences, GoBackwards>>();
}

#[test]
fn vectors() {
    use layers::{Relu, Sigmoid, Softmax, Tanh};
    same::<Dense, layers::Dense<5, 3, Softmax>>();
    same::<Dense, layers::Dense<17, 1, Sigmoid>>();
    same::<Dropout, layers::Dropout<[f32; 20], 400>>();
    same::<Dropout, layers::Dropout<[f32; 3], 0>>();
    same::<Dropout, layers::Dropout<[[f32; 5]; 3], 700>>();
    same::<Activation, layers::Input<[f32; 4]>>();
    same::<Activation, layers::Activation<[f32; 17], Relu>>();
    same::<Activation, layers::Activation<[f32; 5], Softmax>>();
    same::<Activation, layers::Activation<[[f32; 5]; 3], Softmax>>();
    same::<Activation, layers::Activation<[[f32; 5]; 3], Tanh>>();
}

#[test]
fn pairs() {
    // How long they are says the record of a model alone.
    let record = Record::new(LayerKind::Concatenate, &[2, 3]);
    same_as::<Concatenate, layers::Concatenate<Pair<[f32; 2], [f32; 3]>, 5>>(record);
    let record = Record::new(LayerKind::Concatenate, &[17, 1]);
    same_as::<Concatenate, layers::Concatenate<Pair<[f32; 17], [f32; 1]>, 18>>(record);
    same::<Add, layers::Add<[f32; 1]>>();
    same::<Add, layers::Add<[f32; 33]>>();
    same::<Dot, layers::Dot<1>>();
    same::<Dot, layers::Dot<33>>();
    same::<BiasedDot, layers::BiasedDot<2>>();
    same::<BiasedDot, layers::BiasedDot<17>>();
}

/// The records that options by name make are those of the types with the same options.
#[test]
fn options_have_names() {
    use crate::layers::ActivationKind;
    use crate::models::{Record, Source};
    use crate::table::Pooling;
    fn is_of<L: Layer>(record: Record) {
        let record = if record.sources == [1, 0] { record.from(Source::Input(0)) } else { record };
        assert_eq!(L::RECORDS.first(), Some(record));
    }
    let record = Record::new;
    is_of::<layers::Embedding<4, 5, 2, u16, MaskZero>>(record(LayerKind::Embedding, &[4, 5, 2]).mask_zero());
    let bag = record(LayerKind::EmbeddingBag, &[5, 2]);
    is_of::<layers::EmbeddingBag<3, 5, 2, Mean>>(bag);
    is_of::<layers::EmbeddingBag<3, 5, 2, Mean>>(bag.pooling(Pooling::Sum).pooling(Pooling::Mean));
    is_of::<layers::EmbeddingBag<3, 5, 2, Sum>>(bag.pooling(Pooling::Sum));
    is_of::<layers::EmbeddingBag<3, 5, 2, SqrtN>>(bag.pooling(Pooling::SqrtN));
    let two = record(LayerKind::QuotientRemainder, &[2, 3, 4, 5]);
    is_of::<layers::QuotientRemainder<2, 3, 4, 5, Multiplied>>(two.multiplied());
    let convolution = record(LayerKind::Conv1D, &[6, 2, 3, 2, 1, 1]).activation(ActivationKind::Relu);
    is_of::<layers::Conv1D<6, 2, 3, 2, 6, layers::Relu, Same>>(convolution.same_padding());
    is_of::<layers::Conv1D<6, 2, 3, 2, 6, layers::Relu, Causal, StrictMask>>(
        convolution.strict_mask().causal_padding(),
    );
    let flatten = record(LayerKind::Flatten, &[4, 2]);
    is_of::<layers::Flatten<4, 2, 8, IgnoreMask>>(flatten.ignore_mask());
    let lstm = record(LayerKind::Lstm, &[4, 2, 3]);
    is_of::<layers::Lstm<4, 2, 3, ReturnSequences, GoBackwards>>(lstm.go_backwards().return_sequences());
}

/// An option that a kind does not have is not taken for another of its options.
#[test]
fn options_of_other_kinds_are_refused() {
    use crate::layers::ActivationKind;
    use crate::models::{All, Recipe, RecipeError, RecordError, Source};
    use crate::table::Pooling;
    let embedding = Record::new(LayerKind::Embedding, &[4, 5, 2]);
    let bag = Record::new(LayerKind::EmbeddingBag, &[5, 2]);
    let convolution = Record::new(LayerKind::Conv1D, &[6, 2, 3, 2, 1, 1]);
    let lstm = Record::new(LayerKind::Lstm, &[4, 2, 3]);
    let dense = Record::new(LayerKind::Dense, &[4, 2]);
    let wrong = [
        (embedding.pooling(Pooling::Sum), 0),
        (embedding.mask_zero().pooling(Pooling::Mean), 0),
        (embedding.pooling(Pooling::Mean).mask_zero(), 0),
        (bag.mask_zero(), 0),
        (bag.multiplied(), 0),
        (convolution.return_sequences(), 0),
        (embedding.same_padding(), 0),
        (lstm.causal_padding(), 0),
        (lstm.activation(ActivationKind::Relu), 1),
        (dense.go_backwards(), 1),
        (dense.ignore_mask(), 2),
        (lstm.strict_mask(), 2),
    ];
    for (record, option) in wrong {
        let error = RecordError::Option { option, value: u16::MAX };
        let expected = RecipeError::Layer { layer: 0, kind: record.kind, error };
        assert_eq!(Recipe::<All>::new(&[record.from(Source::Input(0))]).map(drop), Err(expected));
    }
}

/// Extents of a file are refused, not cut.
#[test]
fn extents_are_counted_and_measured() {
    use crate::models::Record;
    let checked = |extents: &[usize]| Record::checked_new(LayerKind::Dense, extents).is_some();
    assert!(checked(&[]) && checked(&[u32::MAX as usize; 6]));
    assert!(!checked(&[1; 7]));
    #[cfg(target_pointer_width = "64")]
    assert!(!checked(&[1, 1 << 32]));
}
