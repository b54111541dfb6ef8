//! Layers that users write: several inputs, masks and random numbers pass through `Layer` as it is.

use nanoembed::error::InputError;
use nanoembed::layers::{
    Batch, BatchMut, Bytes, Context, Dense, Embedding, Fingerprint, Layer, LayerSummary, MaskZero, Pair,
    Sigmoid, Value,
};
use nanoembed::loss::BinaryCrossEntropy;
use nanoembed::optim::{Adam, Exact, Optimizer, Step};
use nanoembed::sequential;
use nanoembed::train::Trainer;
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro128PlusPlus;
use zerocopy::{FromBytes, FromZeros, Immutable, KnownLayout};

/// Two layers beside each other, each with an input of its own; their outputs, one after the other.
#[derive(FromBytes, KnownLayout, Immutable)]
#[repr(C)]
struct Beside<A, B> {
    left: A,
    right: B,
}

impl<A: Bytes, B: Bytes> Bytes for Beside<A, B> {
    const BYTES: usize = A::BYTES + B::BYTES;
    const PARTS: Fingerprint = Fingerprint::of("beside").part(A::PARTS).part(B::PARTS);
    fn visit(&self, part: &mut dyn FnMut(&[u8])) {
        self.left.visit(part);
        self.right.visit(part);
    }
    fn visit_mut(&mut self, part: &mut dyn FnMut(&mut [u8])) {
        self.left.visit_mut(part);
        self.right.visit_mut(part);
    }
}

#[derive(FromZeros)]
struct BesideCache<A: Layer, B: Layer, const BATCH: usize> {
    left: A::Cache<BATCH>,
    right: B::Cache<BATCH>,
    inputs: ([A::Input; 1], [B::Input; 1]),
    outputs: ([A::Output; BATCH], [B::Output; BATCH]),
}

#[derive(FromZeros)]
struct Both<A, B> {
    left: A,
    right: B,
}

/// The row of an id, as a vector.
type Row = [[f32; 4]; 1];

impl<A, B> Layer for Beside<A, B>
where
    A: Layer<Input = [u16; 1], Output = Row, InputGradient = ()>,
    B: Layer<Input = [u16; 1], Output = Row, InputGradient = ()>,
{
    type Input = Pair<A::Input, B::Input>;
    type Output = [f32; 8];
    type InputGradient = ();
    type Workspace<const BATCH: usize> = (A::Workspace<1>, B::Workspace<1>);
    type Cache<const BATCH: usize> = BesideCache<A, B, BATCH>;
    type Gradient<const BATCH: usize> = Both<A::Gradient<BATCH>, B::Gradient<BATCH>>;
    type Slots<O: Optimizer> = Beside<A::Slots<O>, B::Slots<O>>;
    const FINGERPRINT: Fingerprint = Fingerprint::of("beside").part(A::FINGERPRINT).part(B::FINGERPRINT);

    fn init(&mut self, random: &mut impl Rng) {
        self.left.init(random);
        self.right.init(random);
    }

    fn check(inputs: &[Self::Input]) -> Result<(), InputError> {
        inputs.iter().try_for_each(|input| {
            A::check(&[input.first])?;
            B::check(&[input.second])
        })
    }

    fn infer<const BATCH: usize>(
        &self,
        x: Batch<'_, Self::Input>,
        workspace: &mut Self::Workspace<BATCH>,
        y: BatchMut<'_, [f32; 8]>,
    ) {
        for (x, y) in x.values.iter().zip(y.values) {
            let (mut left, mut right) = ([Row::new_zeroed()], [Row::new_zeroed()]);
            let mut masks = [[true]];
            let input = Batch { values: &[x.first], masks: &[()] };
            self.left.infer(input, &mut workspace.0, BatchMut { values: &mut left, masks: &mut masks });
            let input = Batch { values: &[x.second], masks: &[()] };
            self.right.infer(input, &mut workspace.1, BatchMut { values: &mut right, masks: &mut masks });
            y[..4].copy_from_slice(&left[0][0]);
            y[4..].copy_from_slice(&right[0][0]);
        }
    }

    fn forward<const BATCH: usize>(
        &self,
        x: Batch<'_, Self::Input>,
        cache: &mut Self::Cache<BATCH>,
        context: Context,
        y: BatchMut<'_, [f32; 8]>,
    ) {
        for (i, (x, y)) in x.values.iter().zip(y.values).enumerate() {
            let mut masks = [[true]];
            (cache.inputs.0[0], cache.inputs.1[0]) = (x.first, x.second);
            let input = Batch { values: &cache.inputs.0, masks: &[()] };
            let output = BatchMut { values: &mut cache.outputs.0[i..=i], masks: &mut masks };
            self.left.forward(input, &mut cache.left, context.branch(0), output);
            let input = Batch { values: &cache.inputs.1, masks: &[()] };
            let output = BatchMut { values: &mut cache.outputs.1[i..=i], masks: &mut masks };
            self.right.forward(input, &mut cache.right, context.branch(1), output);
            y[..4].copy_from_slice(&cache.outputs.0[i][0]);
            y[4..].copy_from_slice(&cache.outputs.1[i][0]);
        }
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, Self::Input>,
        cache: &mut Self::Cache<BATCH>,
        d_y: &[[f32; 8]],
        gradient: Option<&mut Self::Gradient<BATCH>>,
        _: Option<&mut [()]>,
    ) {
        let Some(gradient) = gradient else { return };
        for (x, d_y) in x.values.iter().zip(d_y) {
            let (left, right) = ([[*d_y.first_chunk().unwrap()]], [[*d_y.last_chunk().unwrap()]]);
            let input = Batch { values: &[x.first], masks: &[()] };
            self.left.backward(input, &mut cache.left, &left, Some(&mut gradient.left), None);
            let input = Batch { values: &[x.second], masks: &[()] };
            self.right.backward(input, &mut cache.right, &right, Some(&mut gradient.right), None);
        }
    }

    fn catch_up<O: Optimizer>(
        &mut self,
        x: &[Self::Input],
        optimizer: &O,
        until: u32,
        slots: &mut Self::Slots<O>,
    ) {
        for x in x {
            self.left.catch_up(&[x.first], optimizer, until, &mut slots.left);
            self.right.catch_up(&[x.second], optimizer, until, &mut slots.right);
        }
    }

    fn flush<O: Optimizer>(&mut self, optimizer: &O, until: u32, slots: &mut Self::Slots<O>) {
        self.left.flush(optimizer, until, &mut slots.left);
        self.right.flush(optimizer, until, &mut slots.right);
    }

    fn sum_of_squares<const BATCH: usize>(gradient: &mut Self::Gradient<BATCH>, keras3: bool) -> f32 {
        A::sum_of_squares(&mut gradient.left, keras3) + B::sum_of_squares(&mut gradient.right, keras3)
    }

    fn update<O: Optimizer, const BATCH: usize>(
        &mut self,
        optimizer: &O,
        step: Step<O::Rule>,
        gradient: &mut Self::Gradient<BATCH>,
        slots: &mut Self::Slots<O>,
    ) {
        self.left.update(optimizer, step, &mut gradient.left, &mut slots.left);
        self.right.update(optimizer, step, &mut gradient.right, &mut slots.right);
    }

    fn describe(visit: &mut dyn FnMut(LayerSummary)) {
        A::describe(visit);
        B::describe(visit);
    }
}

type Likes = sequential![Beside<Embedding<1, 6, 4>, Embedding<1, 9, 4>>, Dense<8, 8, nanoembed::layers::Tanh>, Dense<8, 1, Sigmoid>];

/// A user likes an item if their numbers are on the same side: learnt from pairs, through one dense unit on a table each.
#[test]
fn two_inputs_are_learnt_together() {
    let pairs: Vec<Pair<[u16; 1], [u16; 1]>> =
        (0..54).map(|i| Pair { first: [i % 6], second: [i / 6] }).collect();
    let labels: Vec<[f32; 1]> = pairs
        .iter()
        .map(|pair| [if (pair.first[0] < 3) == (pair.second[0] < 5) { 1.0 } else { 0.0 }])
        .collect();
    let adam = Adam { learning_rate: 0.02, ..Adam::default() };
    learn_likes(adam, &pairs, &labels);
    learn_likes(Exact(adam), &pairs, &labels);
}

fn learn_likes<O: Optimizer>(optimizer: O, pairs: &[Pair<[u16; 1], [u16; 1]>], labels: &[[f32; 1]]) {
    let mut model = Likes::new(&mut Xoshiro128PlusPlus::seed_from_u64(3));
    let mut trainer = Trainer::<Likes, _, _, 8>::new(optimizer, BinaryCrossEntropy::default());
    for _ in 0..60 {
        trainer.epoch(&mut model, pairs, labels).unwrap();
    }
    assert_eq!(trainer.evaluate(&model, pairs, labels).unwrap().accuracy, 1.0);
    for (pair, label) in pairs.iter().zip(labels) {
        assert_eq!(model.predict(pair).unwrap()[0] > 0.5, label[0] > 0.5);
    }
    assert!(model.predict(&Pair { first: [0], second: [9] }).is_err());
}

/// The mean of the valid steps. Keeps the seed that it would draw from, as a dropout layer has to.
#[derive(FromBytes, KnownLayout, Immutable)]
#[repr(C)]
struct MaskedMean;

impl Bytes for MaskedMean {
    const BYTES: usize = 0;
    const PARTS: Fingerprint = <() as Bytes>::PARTS;
    fn visit(&self, _: &mut dyn FnMut(&[u8])) {}
    fn visit_mut(&mut self, _: &mut dyn FnMut(&mut [u8])) {}
}

impl Layer for MaskedMean {
    type Input = [[f32; 4]; 3];
    type Output = [f32; 4];
    type InputGradient = [[f32; 4]; 3];
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = [u64; 1];
    type Gradient<const BATCH: usize> = ();
    type Slots<O: Optimizer> = ();
    const FINGERPRINT: Fingerprint = Fingerprint::of("masked_mean");

    fn init(&mut self, _: &mut impl Rng) {}

    fn infer<const BATCH: usize>(&self, x: Batch<'_, Self::Input>, (): &mut (), y: BatchMut<'_, [f32; 4]>) {
        for ((x, mask), y) in x.values.iter().zip(x.masks).zip(y.values) {
            let valid: Vec<&[f32; 4]> =
                x.iter().zip(mask).filter(|(_, valid)| **valid).map(|(x, _)| x).collect();
            *y = std::array::from_fn(|j| valid.iter().map(|x| x[j]).sum::<f32>() / valid.len().max(1) as f32);
        }
    }

    fn forward<const BATCH: usize>(
        &self,
        x: Batch<'_, Self::Input>,
        seed: &mut [u64; 1],
        context: Context,
        y: BatchMut<'_, [f32; 4]>,
    ) {
        seed[0] = if context.training { context.seed } else { 0 };
        self.infer::<BATCH>(x, &mut (), y);
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, Self::Input>,
        _: &mut [u64; 1],
        d_y: &[[f32; 4]],
        _: Option<&mut ()>,
        d_x: Option<&mut [Self::Input]>,
    ) {
        for ((d_x, mask), d_y) in d_x.unwrap_or_default().iter_mut().zip(x.masks).zip(d_y) {
            let valid = mask.iter().filter(|valid| **valid).count().max(1) as f32;
            *d_x = std::array::from_fn(|t| d_y.map(|d| if mask[t] { d / valid } else { 0.0 }));
        }
    }

    fn catch_up<O: Optimizer>(&mut self, _: &[Self::Input], _: &O, _: u32, (): &mut ()) {}

    fn flush<O: Optimizer>(&mut self, _: &O, _: u32, (): &mut ()) {}

    fn sum_of_squares<const BATCH: usize>((): &mut (), _: bool) -> f32 {
        0.0
    }

    fn update<O: Optimizer, const BATCH: usize>(
        &mut self,
        _: &O,
        _: Step<O::Rule>,
        (): &mut (),
        (): &mut (),
    ) {
    }

    fn describe(_: &mut dyn FnMut(LayerSummary)) {}
}

/// Padding beside a word changes nothing, because the mask reaches the layer behind the embedding.
#[test]
fn masks_flow_beside_the_values() {
    type Words = sequential![Embedding<3, 10, 4, u16, MaskZero>, MaskedMean, Dense<4, 1, Sigmoid>];
    let mut model = Words::new(&mut Xoshiro128PlusPlus::seed_from_u64(5));
    assert_ne!(model.first.rows[0], [0.0; 4]);
    let alone = model.predict(&[7, 0, 0]).unwrap();
    assert_eq!(model.predict(&[0, 7, 0]).unwrap(), alone);
    assert_eq!(model.predict(&[7, 7, 7]).unwrap(), alone);
    assert_ne!(model.predict(&[7, 3, 0]).unwrap(), alone);
    let padding = model.first.rows[0];
    let mut trainer = Trainer::<Words, _, _, 2>::new(Adam::default(), BinaryCrossEntropy::default());
    trainer.step(&mut model, &[[7, 0, 0], [0, 0, 3]], &[[1.0], [0.0]]).unwrap();
    assert_eq!(model.first.rows[0], padding, "the gradient of padding is zero");
}

/// Steps and layers draw different random numbers, the same ones each time.
#[test]
fn contexts_branch() {
    let context = Context { training: true, seed: 7 };
    let seeds: Vec<u64> =
        (0..100).flat_map(|step| [0, 1].map(|layer| context.branch(step).branch(layer).seed)).collect();
    let mut distinct = seeds.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), seeds.len());
    assert_eq!(context.branch(3), context.branch(3));
    assert_eq!(<[[f32; 4]; 3] as Value>::VALID, [true; 3]);
}
