//! Layers that users write. Each is at most 60 lines, from its struct to the end of its `Layer`; a test counts them.

use crate::common::{parameter_bytes, pass as both_ways};
use nanoembed::error::InputError;
use nanoembed::layers::options::MaskZero;
use nanoembed::layers::{
    Batch, BatchMut, Branches, ByLayer, ByRow, Bytes, Context, Dense, Embedding, Fingerprint, Flatten, Flow,
    FlowParts, Keeps, Layer, Outputs, Pair, Parameters, Records, Sigmoid, Tanh, Value,
};
use nanoembed::loss::BinaryCrossEntropy;
use nanoembed::optim::{Adam, Exact, Momentum, Optimizer};
use nanoembed::table::Indices;
use nanoembed::train::Trainer;
use nanoembed::{parameters, sequential};
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro128PlusPlus;
use zerocopy::{FromBytes, FromZeros, Immutable, KnownLayout};

// A layer: y = scale · x + shift, number by number.
#[derive(FromBytes, KnownLayout, Immutable)]
#[repr(C)]
struct Scale<const N: usize> {
    scale: [f32; N],
    shift: [f32; N],
}
parameters!(impl[const N: usize] Scale<N> { scale: [f32; N], shift: [f32; N] });

impl<const N: usize> Layer for Scale<N> {
    type Input = [f32; N];
    type Output = [f32; N];
    type InputGradient = [f32; N];
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = Flow<[f32; N], BATCH>;
    const NAME: &'static str = "Scale";
    const RECORDS: Records = Records::own(Fingerprint::of("scale").extent(N));

    fn init(&mut self, _: &mut impl Rng) {
        (self.scale, self.shift) = ([1.0; N], [0.0; N]);
    }

    fn infer<const BATCH: usize>(&self, x: Batch<'_, [f32; N]>, (): &mut (), y: BatchMut<'_, [f32; N]>) {
        for (x, y) in x.values.iter().zip(y.values) {
            *y = std::array::from_fn(|i| self.scale[i] * x[i] + self.shift[i]);
        }
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, [f32; N]>,
        cache: &mut Self::Cache<BATCH>,
        mut gradient: Option<&mut Self::Gradient<BATCH>>,
        d_x: Option<&mut [[f32; N]]>,
    ) {
        let FlowParts { d_y, .. } = cache.parts(x.values.len());
        for (x, d_y) in x.values.iter().zip(&*d_y) {
            let Some(gradient) = &mut gradient else { break };
            (0..N).for_each(|i| gradient.scale[i] += d_y[i] * x[i]);
            (0..N).for_each(|i| gradient.shift[i] += d_y[i]);
        }
        for (d_x, d_y) in d_x.into_iter().flatten().zip(&*d_y) {
            *d_x = std::array::from_fn(|i| d_y[i] * self.scale[i]);
        }
    }
}
// End of the layer.

// A layer around another: y = x + L(x).
#[derive(FromBytes, KnownLayout, Immutable)]
#[repr(transparent)]
struct Residual<L> {
    layer: L,
}
parameters!(impl[L: Parameters] Residual<L> { layer: L => ByLayer });

impl<const N: usize, L: Layer<Input = [f32; N], Output = [f32; N], InputGradient = [f32; N]>> Layer
    for Residual<L>
{
    type Input = [f32; N];
    type Output = [f32; N];
    type InputGradient = [f32; N];
    type Workspace<const BATCH: usize> = L::Workspace<BATCH>;
    type Cache<const BATCH: usize> = Flow<[f32; N], BATCH, L::Cache<BATCH>>;
    const NAME: &'static str = "Residual";
    const RECORDS: Records = Records::own(Fingerprint::of("residual").part(L::FINGERPRINT));

    fn init(&mut self, random: &mut impl Rng) {
        self.layer.init(random);
    }

    fn infer<const BATCH: usize>(
        &self,
        x: Batch<'_, Floats<N>>,
        w: &mut L::Workspace<BATCH>,
        mut y: BatchMut<'_, Floats<N>>,
    ) {
        self.layer.infer::<BATCH>(x, w, y.reborrow());
        add(x.values, y.values);
    }

    fn forward<const BATCH: usize>(
        &self,
        mut x: BatchMut<'_, Floats<N>>,
        cache: &mut Self::Cache<BATCH>,
        c: Context,
    ) {
        let (y, inner) = cache.start(x.values.len());
        self.layer.forward::<BATCH>(x.reborrow(), inner, c);
        y.values.copy_from_slice(x.values);
        add(L::outputs::<BATCH>(x, inner).values, y.values);
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, [f32; N]>,
        cache: &mut Self::Cache<BATCH>,
        mut gradient: Option<&mut Self::Gradient<BATCH>>,
        mut d_x: Option<&mut [[f32; N]]>,
    ) {
        let FlowParts { d_y, kept: inner, .. } = cache.parts(x.values.len());
        if let Some(to) = L::flows::<BATCH>(x, inner, gradient.as_deref_mut(), d_x.as_deref_mut()).1 {
            to.copy_from_slice(d_y);
        }
        self.layer.backward::<BATCH>(x, inner, gradient, d_x.as_deref_mut());
        add(d_y, d_x.unwrap_or_default());
    }
}
// End of the layer.

type Floats<const N: usize> = [f32; N];

/// to += from, number by number.
fn add<const N: usize>(from: &[[f32; N]], to: &mut [[f32; N]]) {
    to.as_flattened_mut().iter_mut().zip(from.as_flattened()).for_each(|(to, from)| *to += from);
}

// A layer of two inputs: the rows of two ids, one after the other.
#[derive(FromBytes, KnownLayout, Immutable)]
#[repr(C)]
struct Joined;
parameters!(impl[] Joined {});

/// The row of an id, as a sequence of one step.
type Row = [[f32; 4]; 1];

impl Layer for Joined {
    type Input = Pair<Row, Row>;
    type Output = [f32; 8];
    type InputGradient = Pair<Row, Row>;
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = Flow<[f32; 8], BATCH>;
    const NAME: &'static str = "Joined";
    const RECORDS: Records = Records::own(Fingerprint::of("joined"));

    fn infer<const BATCH: usize>(&self, x: Batch<'_, Self::Input>, (): &mut (), y: BatchMut<'_, [f32; 8]>) {
        for (x, y) in x.values.iter().zip(y.values) {
            y[..4].copy_from_slice(&x.first[0]);
            y[4..].copy_from_slice(&x.second[0]);
        }
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, Self::Input>,
        cache: &mut Self::Cache<BATCH>,
        _: Option<&mut ()>,
        d_x: Option<&mut [Self::Input]>,
    ) {
        for (d_x, d_y) in d_x.into_iter().flatten().zip(cache.parts(x.values.len()).d_y) {
            d_x.first[0].copy_from_slice(&d_y[..4]);
            d_x.second[0].copy_from_slice(&d_y[4..]);
        }
    }
}
// End of the layer.

// A layer that heeds the mask: the mean of the valid steps. Keeps the seed that it would draw from.
#[derive(FromBytes, KnownLayout, Immutable)]
#[repr(C)]
struct MaskedMean;
parameters!(impl[] MaskedMean {});

impl Layer for MaskedMean {
    type Input = [[f32; 4]; 3];
    type Output = [f32; 4];
    type InputGradient = [[f32; 4]; 3];
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = Flow<[f32; 4], BATCH, u64>;
    const NAME: &'static str = "MaskedMean";
    const RECORDS: Records = Records::own(Fingerprint::of("masked_mean"));

    fn infer<const BATCH: usize>(&self, x: Batch<'_, Self::Input>, (): &mut (), y: BatchMut<'_, [f32; 4]>) {
        for ((x, mask), y) in x.values.iter().zip(x.masks).zip(y.values) {
            let valid: Vec<&[f32; 4]> =
                x.iter().zip(mask).filter(|(_, valid)| **valid).map(|(x, _)| x).collect();
            *y = std::array::from_fn(|j| valid.iter().map(|x| x[j]).sum::<f32>() / valid.len().max(1) as f32);
        }
    }

    fn forward<const BATCH: usize>(
        &self,
        x: BatchMut<'_, Self::Input>,
        cache: &mut Self::Cache<BATCH>,
        context: Context,
    ) {
        let (y, seed) = cache.start(x.values.len());
        *seed = if context.training { context.seed } else { 0 };
        self.infer::<BATCH>(x.into(), &mut (), y);
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, Self::Input>,
        cache: &mut Self::Cache<BATCH>,
        _: Option<&mut ()>,
        d_x: Option<&mut [Self::Input]>,
    ) {
        let d_y = cache.parts(x.values.len()).d_y;
        for ((d_x, mask), d_y) in d_x.into_iter().flatten().zip(x.masks).zip(d_y) {
            let valid = mask.iter().filter(|valid| **valid).count().max(1) as f32;
            *d_x = std::array::from_fn(|t| d_y.map(|d| if mask[t] { d / valid } else { 0.0 }));
        }
    }
}
// End of the layer.

// A layer with a table: the rows of two ids.
#[derive(FromBytes, KnownLayout, Immutable)]
#[repr(C)]
struct Lookup<const ROWS: usize> {
    rows: [[f32; 4]; ROWS],
}
parameters!(impl[const ROWS: usize] Lookup<ROWS> { rows: [[f32; 4]; ROWS] => ByRow<2, 2> });

impl<const ROWS: usize> Layer for Lookup<ROWS> {
    type Input = [u16; 2];
    type Output = [[f32; 4]; 2];
    type InputGradient = ();
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = Outputs<[[f32; 4]; 2], BATCH>;
    const NAME: &'static str = "Lookup";
    const RECORDS: Records = Records::own(Fingerprint::of("lookup").extent(ROWS));

    fn check(inputs: &[[u16; 2]]) -> Result<(), InputError> {
        Indices::new(inputs.as_flattened(), ROWS)?;
        Ok(())
    }

    fn infer<const BATCH: usize>(&self, x: Batch<'_, [u16; 2]>, (): &mut (), y: BatchMut<'_, [[f32; 4]; 2]>) {
        for (ids, y) in x.values.iter().zip(y.values) {
            *y = ids.map(|id| self.rows[usize::from(id)]);
        }
        y.masks.fill([true; 2]);
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, [u16; 2]>,
        _: &mut Self::Cache<BATCH>,
        gradient: Option<&mut Self::Gradient<BATCH>>,
        _: Option<&mut [()]>,
    ) {
        let Some(gradient) = gradient else { return };
        for ids in x.values {
            gradient.push(ids.iter().enumerate().map(|(t, id)| (u32::from(*id), t)));
        }
    }

    fn flows<'a, const BATCH: usize>(
        x: Batch<'a, [u16; 2]>,
        cache: &'a mut Self::Cache<BATCH>,
        gradient: Option<&'a mut Self::Gradient<BATCH>>,
        _: Option<&'a mut [()]>,
    ) -> (Batch<'a, Self::Output>, Option<&'a mut [Self::Output]>) {
        let n = x.values.len();
        (cache.flows(n).0, gradient.and_then(|gradient| gradient.rows_mut(n)))
    }

    fn catch_up<O: Optimizer>(&mut self, x: &[[u16; 2]], o: &O, until: u32, slots: &mut Self::Slots<O>) {
        slots.catch_up(x.as_flattened().iter().map(|id| usize::from(*id)), o, until, &mut self.rows);
    }
}
// End of the layer.

/// What the file promises.
#[test]
fn each_layer_is_at_most_sixty_lines() {
    let layers = include_str!("own_layers.rs").split("\n// A layer").skip(1);
    let lines =
        |layer: &str| layer.split("\n// End of the layer.").next().map_or(0, |text| text.lines().count() - 1);
    let lengths: Vec<usize> = layers.map(lines).collect();
    assert_eq!(lengths.len(), 5);
    assert!(lengths.iter().all(|lines| *lines > 20 && *lines <= 60), "{lengths:?}");
}

type Likes = sequential![
    Branches<Embedding<1, 6, 4>, Embedding<1, 9, 4>>,
    Joined,
    Scale<8>,
    Residual<Dense<8, 8, Tanh>>,
    Dense<8, 1, Sigmoid>
];

/// A user likes an item if their numbers are on the same side: learnt from pairs.
#[test]
fn own_layers_learn_between_those_of_the_crate() {
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
    // The own parameters have moved, and images and checkpoints hold them.
    assert!(model.second.second.first.scale.iter().all(|x| *x != 1.0));
    assert_eq!(<Scale<8> as Bytes>::BYTES, 64);
    assert_eq!(<Residual<Dense<8, 8, Tanh>> as Bytes>::BYTES, 4 * 72);
}

/// An own table has the bits of an `Embedding`, also where rows lag behind an exact optimizer.
#[test]
fn an_own_table_learns_as_an_embedding_does() {
    type Own = sequential![Lookup<7>, Flatten<2, 4, 8>, Dense<8, 1, Sigmoid>];
    type Same = sequential![Embedding<2, 7, 4>, Flatten<2, 4, 8>, Dense<8, 1, Sigmoid>];
    fn train<M: Layer<Input = [u16; 2], Output = [f32; 1]>, O: Optimizer>(
        mut model: M,
        optimizer: O,
    ) -> Vec<u8> {
        let mut trainer = Trainer::<M, O, _, 2>::new(optimizer, BinaryCrossEntropy::default());
        let ids: Vec<[u16; 2]> = (0..9).map(|i| [i % 7, i * 3 % 5]).collect();
        let labels: Vec<[f32; 1]> = (0..9).map(|i| [f32::from(i % 2 == 0)]).collect();
        for _ in 0..3 {
            trainer.epoch(&mut model, &ids, &labels).unwrap();
        }
        parameter_bytes(&model)
    }
    let mut own = Own::new(&mut Xoshiro128PlusPlus::seed_from_u64(4));
    let same = Same::new(&mut Xoshiro128PlusPlus::seed_from_u64(4));
    own.first.rows = same.first.rows;
    (own.second.second.kernel, own.second.second.bias) = (same.second.second.kernel, same.second.second.bias);
    assert_eq!(parameter_bytes(&own), parameter_bytes(&same));
    let exact = Exact(Momentum { learning_rate: 0.1, ..Momentum::default() });
    assert_eq!(train(own, exact), train(same, exact));
}

/// The gradient of an own layer, and of a layer within one, against differences.
#[test]
fn own_gradients_are_right() {
    type Own = sequential![Scale<3>, Residual<Dense<3, 3, Tanh>>];
    let mut model = Own::new(&mut Xoshiro128PlusPlus::seed_from_u64(8));
    model.first.shift = [0.1, -0.2, 0.3];
    let (x, c) = ([0.5, -1.0, 2.0], [1.0, -2.0, 0.5]);
    let mut gradient = <Own as Parameters>::Gradient::<1>::new_zeroed();
    let pass = both_ways::pass::<Own, 1>(&model, &[x], &[()], &[c], Some(&mut gradient));
    assert_eq!(model.predict(&x).unwrap(), pass.y[0]);
    let value = |model: &Own, x: [f32; 3]| -> f64 {
        model.predict(&x).unwrap().iter().zip(c).map(|(y, c)| f64::from(*y) * f64::from(c)).sum()
    };
    let step = 1e-2;
    let slope = |above: f64, below: f64| (above - below) / (2.0 * f64::from(step));
    for i in 0..3 {
        let at = |by: f32| std::array::from_fn(|j| if i == j { x[j] + by } else { x[j] });
        let expected = slope(value(&model, at(step)), value(&model, at(-step)));
        assert!((f64::from(pass.d_x[0][i]) - expected).abs() <= 2e-3, "input {i}: {expected}");
        let mut at = |by: f32| {
            model.first.scale[i] += by;
            let value = value(&model, x);
            model.first.scale[i] -= by;
            value
        };
        let expected = slope(at(step), at(-step));
        assert!((f64::from(gradient.first.scale[i]) - expected).abs() <= 5e-3, "scale {i}: {expected}");
    }
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
fn contexts_differ() {
    let context = |seed, layer| Context { training: true, seed, layer };
    let seeds: Vec<u64> =
        (0..100).flat_map(|step| [0, 1].map(|layer| context(step, layer).layer_seed())).collect();
    let mut distinct = seeds.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), seeds.len());
    assert_eq!(context(7, 3).layer_seed(), context(7, 3).layer_seed());
    assert_eq!(<[[f32; 4]; 3] as Value>::VALID, [true; 3]);
}
