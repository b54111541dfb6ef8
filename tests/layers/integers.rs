//! Layers of integers: what they give is what plain loops of 64 bits give, and a calibrated model gives nearly what
//! the trained one gave. What has no form of integers is refused.

use crate::common::{Random, draw, hash};
use nanoembed::error::{IndexOutOfRange, InputError, NotFinite, ShapeMismatch};
use nanoembed::image::{self, Contents, Sections};
use nanoembed::internals::reference::integers::{self as reference, ChannelSpec};
use nanoembed::internals::{Direction, IntegerActivation, MaskUse, Returned};
use nanoembed::layers::integer::{self, Channel};
use nanoembed::layers::options::{
    Causal, GoBackwards, GoForwards, HonourMask, IgnoreMask, MaskZero, ReturnLast, ReturnSequences, Same,
    StrictMask, Valid,
};
use nanoembed::layers::{
    Activation, Conv1D, Dense, Dropout, Embedding, EmbeddingBag, Flatten, GlobalAveragePooling1D,
    GlobalMaxPooling1D, Identity, Layer, Lstm, Relu, Scores, Sigmoid, Softmax, Tanh,
};
use nanoembed::loss::SparseCategoricalCrossEntropy;
use nanoembed::models::{self, All, CalibrateError, Input, OpenError, RecipeError, RecordError};
use nanoembed::optim::Adam;
use nanoembed::rand_core::SeedableRng;
use nanoembed::sequential;
use nanoembed::table::RowFormat;
use nanoembed::train::Trainer;
use proptest::prelude::*;

/// Codes of all sizes; some of them all at one end.
fn codes(seed: u64, codes: &mut [i8]) {
    let ends = hash(seed, usize::MAX).is_multiple_of(5);
    for (i, code) in codes.iter_mut().enumerate() {
        let bits = hash(seed, i);
        *code = match ends {
            true if bits.is_multiple_of(9) => -127,
            true => 127,
            false => ((bits % 255) as i16 - 127) as i8,
        };
    }
}

/// Channels with which few sums, or many, are cut off.
fn channels(seed: u64, channels: &mut [Channel], shifts: std::ops::Range<u32>) {
    for (i, channel) in channels.iter_mut().enumerate() {
        let bits = hash(seed, i);
        let most = if bits.is_multiple_of(7) { 1_i64 << 30 } else { 1 << 12 };
        let bias = (((bits >> 20) as i64).rem_euclid(2 * most) - most) as i32;
        let multiplier = (1 << 30) + (bits >> 33 & 0x3fff_ffff) as i32;
        let shift = shifts.start + (hash(seed, i + 1000) % u64::from(shifts.end - shifts.start)) as u32;
        *channel = Channel { bias, multiplier, shift };
    }
}

fn spec(channel: &Channel) -> ChannelSpec {
    (channel.bias, channel.multiplier, channel.shift)
}

/// σ by the exact function of the standard library at each place of the table.
fn sigmoid(x: i64) -> i64 {
    let table = |i: i64| (32_768.0 / (1.0 + (-(i as f64) / 32.0).exp())).round() as i64;
    reference::sigmoid_fixed(x, &table)
}

fn check_dense<const IN: usize, const OUT: usize, A: IntegerActivation>(seed: u64) {
    let mut layer = integer::Dense::<IN, OUT, A>::zeroed();
    channels(seed, &mut layer.channels, 32..44);
    codes(seed ^ 1, layer.kernel.as_flattened_mut());
    let mut x = [0; IN];
    codes(seed ^ 2, &mut x);
    let y = layer.predict(&x).unwrap();
    for ((w, channel), y) in layer.kernel.iter().zip(&layer.channels).zip(y) {
        let scaled = reference::unit(&x, w, spec(channel), &|_| true);
        assert_eq!(i64::from(y), reference::activated(scaled, A::KIND as u16, &sigmoid), "{seed}");
    }
}

/// A convolution against the sum over steps that it names, with a mask from zeros among the ids.
fn check_convolution<
    A: IntegerActivation,
    P: nanoembed::internals::ConvPadding,
    M: MaskUse,
    const OUT: usize,
    const STRIDE: usize,
    const DILATION: usize,
>(
    ids: [u16; 6],
    seed: u64,
) {
    type Words = integer::Embedding<6, 9, 5, u16, MaskZero>;
    let mut words = Words::zeroed();
    codes(seed ^ 3, words.rows.as_flattened_mut());
    let mut layer = integer::Conv1D::<6, 5, 4, 2, OUT, A, P, M, STRIDE, DILATION>::zeroed();
    channels(seed, &mut layer.channels, 32..44);
    codes(seed ^ 1, layer.kernel.as_flattened_mut().as_flattened_mut());
    let valid = |step: usize| step < 6 && (!M::HONOURED || ids[step] != 0);
    let windows = P::KIND.windows(6, 2, STRIDE, DILATION);
    let model = sequential_of(words, layer);
    let y = model.predict(&ids).unwrap();
    let (words, layer) = (&model.first, &model.second);
    for (output, y) in y.iter().enumerate() {
        let step = |tap: usize| windows.step(output, tap).filter(|step| valid(*step));
        let is_there = [step(0).is_some(), step(1).is_some()];
        let own = match P::KIND {
            nanoembed::internals::Padding::Causal => is_there[1],
            // Under the middle of the window: half of the reach, rounded down.
            _ => windows.step(output, 0).map(|first| first + DILATION / 2).is_some_and(valid),
        };
        let is_valid = match P::KIND {
            nanoembed::internals::Padding::Valid => is_there == [true; 2],
            _ => own,
        };
        for (filter, y) in y.iter().enumerate() {
            let channel = spec(&layer.channels[filter]);
            let mut sum = i64::from(channel.0);
            for tap in 0..2 {
                let Some(step) = step(tap) else { continue };
                let row = words.rows[usize::from(ids[step])];
                sum +=
                    (0..5).map(|i| i64::from(row[i]) * i64::from(layer.kernel[filter][tap][i])).sum::<i64>();
            }
            let scaled = if M::STRICT && !is_valid { 0 } else { reference::scaled(sum, channel) };
            let expected = reference::activated(scaled, A::KIND as u16, &sigmoid);
            assert_eq!(i64::from(*y), expected, "output {output}, filter {filter}, {ids:?}, {seed}");
        }
    }
}

/// A model of two layers that are there.
fn sequential_of<A: Layer, B: Layer<Input = A::Output>>(
    first: A,
    second: B,
) -> nanoembed::layers::Chain<A, B> {
    nanoembed::layers::Chain { first, second }
}

fn check_lstm<R: Returned, D: Direction>(ids: [u16; 6], seed: u64)
where
    R::Codes<6, 3>: AsCodes,
{
    let mut words = integer::Embedding::<6, 9, 5, u16, MaskZero>::zeroed();
    codes(seed ^ 3, words.rows.as_flattened_mut());
    let mut layer = integer::Lstm::<6, 5, 3, R, D>::zeroed();
    channels(seed, layer.channels.as_flattened_mut(), 29..36);
    channels(seed ^ 9, layer.recurrent_channels.as_flattened_mut(), 29..36);
    layer.output = Channel { bias: 0, multiplier: 127 << 24, shift: 53 + (seed % 3) as u32 };
    // Beyond 8 it is as 8.
    layer.cell_shift = (hash(seed, 2000) % 11) as u32;
    codes(seed ^ 1, layer.kernel.as_flattened_mut().as_flattened_mut());
    codes(seed ^ 2, layer.recurrent_kernel.as_flattened_mut().as_flattened_mut());
    let model = sequential_of(words, layer);
    let y = model.predict(&ids).unwrap();
    let (words, layer) = (&model.first, &model.second);
    let (mut h, mut c, shift) = ([0_i8; 3], [0_i64; 3], layer.cell_shift.min(8));
    let mut expected = Vec::new();
    for number in 0..6 {
        let id = ids[if D::BACKWARDS { 5 - number } else { number }];
        if id != 0 {
            let x = words.rows[usize::from(id)];
            let before = h;
            for unit in 0..3 {
                let logits = [0, 1, 2, 3].map(|gate: usize| {
                    let (a, b) = (&layer.channels[gate][unit], &layer.recurrent_channels[gate][unit]);
                    let of_x = reference::unit(&x, &layer.kernel[gate][unit], spec(a), &|_| true);
                    let of_h =
                        reference::unit(&before, &layer.recurrent_kernel[gate][unit], spec(b), &|_| true);
                    (of_x + of_h).clamp(i64::from(i32::MIN), i64::from(i32::MAX))
                });
                let (next_c, next_h) =
                    reference::lstm_unit(logits, (c[unit], shift), spec(&layer.output), &sigmoid);
                (c[unit], h[unit]) = (next_c, next_h as i8);
            }
        }
        if R::SEQUENCES || number == 5 {
            expected.extend(h);
        }
    }
    assert_eq!(y.codes(), expected, "{ids:?}, {seed}");
}

trait AsCodes {
    fn codes(&self) -> Vec<i8>;
}
impl AsCodes for [i8; 3] {
    fn codes(&self) -> Vec<i8> {
        self.to_vec()
    }
}
impl AsCodes for [[i8; 3]; 6] {
    fn codes(&self) -> Vec<i8> {
        self.as_flattened().to_vec()
    }
}

/// Ids of which some are padding.
fn ids() -> impl Strategy<Value = [u16; 6]> {
    prop_oneof![prop::array::uniform6(0..9_u16), prop::array::uniform6(0..2_u16), Just([0; 6])]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_channel_rounds_to_the_nearest(
        sum in prop_oneof![any::<i32>(), -1000..1000, Just(i32::MIN), Just(i32::MAX)],
        multiplier in prop_oneof![any::<i32>(), 1 << 30..=i32::MAX],
        shift in 1..=62_u32,
    ) {
        let channel = Channel { bias: 5, multiplier, shift };
        prop_assert_eq!(i64::from(channel.scaled(sum)), reference::scaled(sum.into(), spec(&channel)));
    }

    /// Whatever the bytes of an image are.
    #[test]
    fn no_channel_panics(sum: i32, bias: i32, multiplier: i32, shift: u32) {
        let mut layer = integer::Dense::<2, 1, Tanh>::zeroed();
        layer.kernel = [[-128, -128]];
        layer.channels = [Channel { bias, multiplier, shift }];
        prop_assert!(layer.predict(&[sum as i8, -128]).unwrap()[0] >= -127);
        let mut pooling = integer::GlobalAveragePooling1D::<2, 1>::zeroed();
        pooling.channel = Channel { bias, multiplier, shift };
        prop_assert!(pooling.predict(&[[sum as i8], [-128]]).unwrap()[0] >= -127);
    }

    #[test]
    fn dense_layers_are_the_reference(seed: u64) {
        check_dense::<1, 1, Identity>(seed);
        check_dense::<33, 5, Identity>(seed);
        check_dense::<33, 5, Relu>(seed);
        check_dense::<19, 4, Sigmoid>(seed);
        check_dense::<64, 3, Tanh>(seed);
    }

    #[test]
    fn convolutions_are_the_reference(ids in ids(), seed: u64) {
        check_convolution::<Relu, Valid, HonourMask, 5, 1, 1>(ids, seed);
        check_convolution::<Identity, Valid, StrictMask, 5, 1, 1>(ids, seed);
        check_convolution::<Tanh, Valid, IgnoreMask, 4, 1, 2>(ids, seed);
        check_convolution::<Sigmoid, Same, StrictMask, 6, 1, 1>(ids, seed);
        check_convolution::<Relu, Same, HonourMask, 3, 2, 1>(ids, seed);
        check_convolution::<Sigmoid, Causal, StrictMask, 6, 1, 3>(ids, seed);
    }

    #[test]
    fn recurrent_layers_are_the_reference(ids in ids(), seed: u64) {
        check_lstm::<ReturnLast, GoForwards>(ids, seed);
        check_lstm::<ReturnSequences, GoForwards>(ids, seed);
        check_lstm::<ReturnLast, GoBackwards>(ids, seed);
        check_lstm::<ReturnSequences, GoBackwards>(ids, seed);
    }

    #[test]
    fn poolings_are_the_reference(ids in ids(), seed: u64) {
        type Words = integer::Embedding<6, 9, 5, u16, MaskZero>;
        let mut words = Words::zeroed();
        codes(seed, words.rows.as_flattened_mut());
        let rows = words.rows;
        let mut mean = sequential_of(words, integer::GlobalAveragePooling1D::<6, 5>::zeroed());
        channels(seed, std::slice::from_mut(&mut mean.second.channel), 28..34);
        let (y, channel) = (mean.predict(&ids).unwrap(), spec(&mean.second.channel));
        let most = sequential_of(mean.first, integer::GlobalMaxPooling1D::<6, 5>::zeroed());
        let flat = sequential_of(
            { let mut words = Words::zeroed(); words.rows = rows; words },
            integer::Flatten::<6, 5, 30>::zeroed(),
        ).predict(&ids).unwrap();
        let largest = most.predict(&ids).unwrap();
        for column in 0..5 {
            let valid: Vec<i64> = ids.iter().filter(|id| **id != 0)
                .map(|id| i64::from(rows[usize::from(*id)][column])).collect();
            prop_assert_eq!(i64::from(y[column]), reference::mean(&valid, channel));
            prop_assert_eq!(i64::from(largest[column]), valid.iter().copied().max().unwrap_or(0));
            for (step, id) in ids.iter().enumerate() {
                let expected = if *id == 0 { 0 } else { rows[usize::from(*id)][column] };
                prop_assert_eq!(flat[step * 5 + column], expected);
            }
        }
    }

    /// Also of so many classes that the sum of the powers has more than 32 bits.
    #[test]
    fn scores_have_the_softmax_of_their_logits(seed: u64, equal: bool, exponent in 87..137_u32) {
        let scale = f32::from_bits(exponent << 23);
        let spread = if equal { 0.01 } else { 12.0 };
        let sums: [i32; 40] = std::array::from_fn(|class| {
            (spread * (hash(seed, class) % 1000) as f32 / 1000.0 / scale) as i32
        });
        let scores = Scores { sums, count: 1, scale };
        let exact = sums.map(|sum| (f64::from(sum) * f64::from(scale)).exp());
        let total: f64 = exact.iter().sum();
        for (exact, share) in exact.iter().zip(scores.probabilities()) {
            let exact = 65_535.0 * exact / total;
            prop_assert!((f64::from(share) - exact).abs() <= 8.0, "{share} for {exact}");
        }
    }

    #[test]
    fn scores_have_the_sigmoid_of_their_logits(sums in prop::array::uniform4(any::<i32>()), exponent in 87..137_u32) {
        let scale = f32::from_bits(exponent << 23);
        let scores = Scores { sums, count: 1, scale };
        for (sum, share) in sums.iter().zip(scores.sigmoids()) {
            let exact = 65_535.0 / (1.0 + (-f64::from(*sum) * f64::from(scale)).exp());
            prop_assert!((f64::from(share) - exact).abs() <= 8.0, "{share} for {exact}");
        }
        prop_assert_eq!(Scores { sums: [sums[0]], count: 1, scale }.class(), usize::from(sums[0] > 0));
    }
}

#[test]
fn the_table_is_near_the_functions() {
    for x in (-70_000..70_000).step_by(7) {
        let mut layer = integer::Dense::<1, 2, Sigmoid>::zeroed();
        layer.channels = [Channel { bias: x, multiplier: 1 << 30, shift: 30 }; 2];
        let [found, _] = layer.predict(&[0]).unwrap();
        let exact = 127.0 / (1.0 + (-f64::from(x) / 4096.0).exp());
        assert!((f64::from(found) - exact).abs() <= 0.55, "{found} for {exact}");
        let mut layer = integer::Dense::<1, 2, Tanh>::zeroed();
        layer.channels = [Channel { bias: x, multiplier: 1 << 30, shift: 30 }; 2];
        let [found, _] = layer.predict(&[0]).unwrap();
        let exact = 127.0 * (f64::from(x) / 4096.0).tanh();
        assert!((f64::from(found) - exact).abs() <= 0.6, "{found} for {exact}");
    }
}

/// The greater number; NaN if one is.
fn greater(a: f32, b: f32) -> f32 {
    if b > a || b.is_nan() { b } else { a }
}

/// A model whose parameters are drawn within ±`most`.
fn drawn<M: Layer>(seed: u64, most: f32) -> M {
    let mut model = M::zeroed();
    let random = &mut Random::seed_from_u64(seed);
    model.visit_mut(&mut |part| {
        for number in part.as_chunks_mut().0 {
            *number = (most * draw(random)).to_le_bytes();
        }
    });
    model
}

fn examples<const LEN: usize>(n: usize, rows: usize, seed: u64) -> Vec<[u16; LEN]> {
    (0..n)
        .map(|example| std::array::from_fn(|t| (hash(seed, example * LEN + t) % rows as u64) as u16))
        .collect()
}

fn wide<const LEN: usize>(examples: &[[u16; LEN]]) -> Vec<u32> {
    examples.as_flattened().iter().map(|id| u32::from(*id)).collect()
}

/// Calibrates a model of logits on examples, and gives the greatest error of a logit and the greatest logit over
/// others.
fn error<M, F, const LEN: usize, const OUT: usize>(seed: u64, most: f32, rows: usize) -> (f32, f32)
where
    M: Layer<Input = [u16; LEN], Output = [f32; OUT]>,
    F: Layer<Input = [u16; LEN], Output = Scores<OUT>>,
{
    let model = drawn::<M>(seed, most);
    let ids = wide(&examples::<LEN>(200, rows, seed));
    let image = models::calibrate(&model, Input::Ids(&ids), &Contents::default()).unwrap();
    let mut integers = F::boxed_zeroed();
    image::read_into(&image, &mut *integers).unwrap();
    assert_eq!(image, image::to_vec(&*integers), "written back");
    let (mut error, mut largest) = (0.0_f32, 0.0_f32);
    for x in examples::<LEN>(100, rows, !seed) {
        let (exact, found) = (model.predict(&x).unwrap(), integers.predict(&x).unwrap());
        for (exact, sum) in exact.iter().zip(found.sums) {
            error = greater(error, (sum as f32 * found.scale - exact).abs());
            largest = greater(largest, exact.abs());
        }
    }
    (error, largest)
}

#[test]
fn calibrated_models_are_near_the_trained_ones() {
    type Flat = sequential![Embedding<6, 40, 8>, Flatten<6, 8, 48>, Dense<48, 3>];
    type FlatI =
        sequential![integer::Embedding<6, 40, 8>, integer::Flatten<6, 8, 48>, integer::Logits<48, 3>];
    type Deep = sequential![
        Embedding<6, 40, 8>, Dropout<[[f32; 8]; 6], 200>, GlobalAveragePooling1D<6, 8>, Dense<8, 16, Tanh>,
        Dense<16, 16, Sigmoid>, Dense<16, 2>
    ];
    type DeepI = sequential![
        integer::Embedding<6, 40, 8>, integer::GlobalAveragePooling1D<6, 8>, integer::Dense<8, 16, Tanh>,
        integer::Dense<16, 16, Sigmoid>, integer::Logits<16, 2>
    ];
    type Conv = sequential![
        Embedding<6, 40, 8, u16, MaskZero>, Conv1D<6, 8, 12, 3, 6, Relu, Same>,
        Conv1D<6, 12, 12, 2, 5>, Activation<[[f32; 12]; 5], Relu>, GlobalMaxPooling1D<5, 12>, Dense<12, 3>
    ];
    type ConvI = sequential![
        integer::Embedding<6, 40, 8, u16, MaskZero>, integer::Conv1D<6, 8, 12, 3, 6, Relu, Same>,
        integer::Conv1D<6, 12, 12, 2, 5, Relu>, integer::GlobalMaxPooling1D<5, 12>, integer::Logits<12, 3>
    ];
    type Recurrent = sequential![
        Embedding<6, 40, 8, u16, MaskZero>, Lstm<6, 8, 10, ReturnSequences>,
        Lstm<6, 10, 10, ReturnLast, GoBackwards>, Dense<10, 3>
    ];
    type RecurrentI = sequential![
        integer::Embedding<6, 40, 8, u16, MaskZero>, integer::Lstm<6, 8, 10, ReturnSequences>,
        integer::Lstm<6, 10, 10, ReturnLast, GoBackwards>, integer::Logits<10, 3>
    ];
    for seed in 0..10 {
        for (name, most, (error, largest)) in [
            ("flat", 0.02, error::<Flat, FlatI, 6, 3>(seed, 1.0, 40)),
            ("deep", 0.05, error::<Deep, DeepI, 6, 2>(seed, 1.0, 40)),
            ("convolutions", 0.1, error::<Conv, ConvI, 6, 3>(seed, 0.7, 40)),
            ("recurrent", 0.05, error::<Recurrent, RecurrentI, 6, 3>(seed, 1.0, 40)),
        ] {
            println!("{name} {seed}: {error} of {largest}");
            assert!(largest > 0.1 && error <= most * largest, "{name} {seed}: {error} of {largest}");
        }
    }
}

/// After a whole training: nearly all classes are those of the trained model.
#[test]
fn classes_agree_after_a_training() {
    type Trained = sequential![
        Embedding<8, 60, 12>, Conv1D<8, 12, 16, 3, 6, Relu>, GlobalMaxPooling1D<6, 16>, Dense<16, 3, Softmax>
    ];
    type Shipped = sequential![
        integer::Embedding<8, 60, 12>, integer::Conv1D<8, 12, 16, 3, 6, Relu>,
        integer::GlobalMaxPooling1D<6, 16>, integer::Logits<16, 3, Softmax>
    ];
    let inputs = examples::<8>(300, 60, 5);
    // The class is the third of the vocabulary that occurs most.
    let label = |ids: &[u16; 8]| {
        let count = |class: u16| ids.iter().filter(|id| **id / 20 == class).count();
        (0..3).max_by_key(|class| count(*class)).unwrap_or(0)
    };
    let labels: Vec<u16> = inputs.iter().map(label).collect();
    let mut model = Trained::new(&mut Random::seed_from_u64(1));
    let adam = Adam { learning_rate: 0.01, ..Adam::default() };
    let mut trainer = Trainer::<Trained, _, _, 30>::new(adam, SparseCategoricalCrossEntropy);
    for _ in 0..40 {
        trainer.epoch(&mut model, &inputs, &labels).unwrap();
    }
    let contents = Contents { classes: &["a", "b", "c"], metadata: b"today", ..Contents::default() };
    let image = models::calibrate(&model, Input::Ids(&wide(&inputs)), &contents).unwrap();
    let sections = Sections::read(&image).unwrap();
    assert_eq!(
        (sections.classes().map(|classes| classes.len()), sections.metadata()),
        (Some(3), &b"today"[..])
    );
    let mut shipped = Shipped::zeroed();
    image::read_into(&image, &mut shipped).unwrap();
    let tests = examples::<8>(300, 60, 6);
    let (mut same, mut far) = (0, 0.0_f32);
    for x in &tests {
        let exact = model.predict(x).unwrap();
        let found = shipped.predict(x).unwrap();
        let class = (0..3).max_by(|a, b| exact[*a].total_cmp(&exact[*b]));
        same += usize::from(class == Some(found.class()));
        for (p, share) in exact.iter().zip(found.probabilities()) {
            far = greater(far, (p - f32::from(share) / 65_535.0).abs());
        }
    }
    assert!(same >= 294 && far < 0.25, "{same} of 300 classes, {far}");
}

#[test]
fn what_an_image_holds_is_kept_and_read_by_the_type_alone() {
    type Trained =
        sequential![Embedding<2, 9, 4>, Flatten<2, 4, 8>, Dense<8, 3>, Activation<[f32; 3], Softmax>];
    type Shipped =
        sequential![integer::Embedding<2, 9, 4>, integer::Flatten<2, 4, 8>, integer::Logits<8, 3, Softmax>];
    let contents = Contents { classes: &["a", "b", "c"], threshold: 0.25, ..Contents::default() };
    let model = drawn::<Trained>(1, 1.0);
    let image = models::calibrate(&model, Input::Ids(&[1, 2]), &contents).unwrap();
    let mut shipped = Shipped::zeroed();
    image::read_into(&image, &mut shipped).unwrap();
    // The same from its image, and from one with packed rows nearly so.
    let own = image::to_vec_with(&model, &contents).unwrap();
    assert!(models::open::<All>(&own).unwrap().calibrate(Input::Ids(&[1, 2])).unwrap() == image);
    let packed = models::ship(&model, RowFormat::F16, &contents).unwrap();
    assert!(models::open::<All>(&packed).unwrap().calibrate(Input::Ids(&[1, 2])).is_ok());
    let words: Vec<u32> = image.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)).collect();
    let image = nanoembed::zerocopy::IntoBytes::as_bytes(&words[..]);
    let records = Sections::read(image).unwrap().records().unwrap();
    assert_eq!(records.iter().map(|record| record.kind).collect::<Vec<_>>(), [19, 20, 26]);
    let error = models::open::<All>(image).map(drop);
    let unsupported = RecordError::UnsupportedLayer { kind: 19, format: 0 };
    let expected = RecipeError::Layer { layer: 0, kind: 19, error: unsupported };
    assert_eq!(error, Err(OpenError::Recipe(expected)));
    assert!(expected.to_string().contains("by the type of its model"), "{expected}");
}

#[test]
fn extreme_parameters_are_calibrated() {
    type Flat = sequential![Embedding<2, 9, 4>, Flatten<2, 4, 8>, Dense<8, 4, Relu>, Dense<4, 2>];
    type FlatI = sequential![
        integer::Embedding<2, 9, 4>, integer::Flatten<2, 4, 8>, integer::Dense<8, 4, Relu>, integer::Logits<4, 2>
    ];
    let calibrated = |model: &Flat| {
        let image = models::calibrate(model, Input::Ids(&[1, 2, 3, 4]), &Contents::default()).unwrap();
        let mut shipped = FlatI::zeroed();
        image::read_into(&image, &mut shipped).unwrap();
        let found = shipped.predict(&[1, 2]).unwrap();
        found.sums.map(|sum| f64::from(sum) * f64::from(found.scale))
    };
    // Nothing but zeros: a scale of 0 is never divided by.
    assert_eq!(calibrated(&Flat::zeroed()), [0.0; 2]);
    // A unit of weights that are nothing beside its bias, one of zeros with a bias, one without.
    let mut model = Flat::zeroed();
    model.first.rows = [[1.0; 4]; 9];
    model.second.second.first.kernel = [[1e-30, 0.0, 0.0, 0.5]; 8];
    model.second.second.first.bias = [3.0, 2.0, 0.0, -1.0];
    model.second.second.second.kernel = [[1.0, 1.0]; 4];
    model.second.second.second.bias = [0.0, 1e6];
    let [first, second] = calibrated(&model);
    assert!((first - 8.0).abs() < 0.2 && (second - 1_000_008.0).abs() < 10.0, "{first}, {second}");
    // Far from 1, up and down.
    for factor in [1e-20_f32, 1e20] {
        let mut model = Flat::zeroed();
        model.first.rows = [[factor; 4]; 9];
        model.second.second.first.kernel = [[0.5 / factor; 4]; 8];
        model.second.second.second.kernel = [[factor; 2]; 4];
        let [first, second] = calibrated(&model).map(|x| x / f64::from(factor));
        assert!((first - 16.0).abs() < 0.5 && (second - 16.0).abs() < 0.5, "{first}, {second}");
    }
}

#[test]
fn what_has_no_form_of_integers_is_refused() {
    fn error<M: Layer>(model: &M, examples: &[u32]) -> Option<CalibrateError> {
        models::calibrate(model, Input::Ids(examples), &Contents::default()).err()
    }
    type Flat = sequential![Embedding<2, 9, 4>, Flatten<2, 4, 8>, Dense<8, 3>];
    type NoDense = sequential![Embedding<2, 9, 4>, Flatten<2, 4, 8>];
    type Early = sequential![Embedding<2, 9, 4>, Flatten<2, 4, 8>, Dense<8, 3, Softmax>, Dense<3, 2>];
    type End = sequential![Embedding<2, 9, 4>, Flatten<2, 4, 8>, Dense<8, 3, Tanh>];
    type Twice = sequential![
        Embedding<2, 9, 4>, Flatten<2, 4, 8>, Dense<8, 3, Relu>, Activation<[f32; 3], Tanh>, Dense<3, 2>
    ];
    type Bags = sequential![EmbeddingBag<4, 9, 4>, Dense<4, 3>];
    type Wide = sequential![Embedding<2, 3, 33_000>, Flatten<2, 33_000, 66_000>, Dense<66_000, 1>];
    let layer = |layer, kind| Some(CalibrateError::Layer { layer, kind });
    let activation = |layer, activation| Some(CalibrateError::Activation { layer, activation });
    assert_eq!(error(&NoDense::zeroed(), &[1, 2]), Some(CalibrateError::NoDense));
    assert_eq!(error(&Early::zeroed(), &[1, 2]), activation(2, "softmax"));
    assert_eq!(error(&End::zeroed(), &[1, 2]), activation(2, "tanh"));
    assert_eq!(error(&Twice::zeroed(), &[1, 2]), layer(3, "Activation"));
    assert_eq!(error(&Bags::zeroed(), &[1, 2]), layer(0, "EmbeddingBag"));
    assert_eq!(error(&Dense::<2, 2>::zeroed(), &[1, 2]), layer(0, "Dense"));
    assert_eq!(error(&Flat::zeroed(), &[]), Some(CalibrateError::NoExamples));
    let shape = ShapeMismatch { what: "number of ids, a multiple of an example's", expected: 2, found: 3 };
    assert_eq!(error(&Flat::zeroed(), &[1, 2, 3]), Some(CalibrateError::Examples(shape.into())));
    let beyond = IndexOutOfRange { position: 1, index: 9, rows: 9 };
    let beyond = InputError::Id { example: 1, branch: None, error: beyond };
    assert_eq!(error(&Flat::zeroed(), &[1, 2, 3, 9]), Some(CalibrateError::Examples(beyond)));
    let bags = Input::Bags { ids: &[1, 2], offsets: &[0, 2] };
    let kind = InputError::Kind { input: 0, takes: "Input::Ids" };
    let found = models::calibrate(&Flat::zeroed(), bags, &Contents::default()).err();
    assert_eq!(found, Some(CalibrateError::Examples(kind)));
    for x in [f32::NAN, f32::INFINITY] {
        let mut model = Flat::zeroed();
        model.second.second.bias[1] = x;
        let place = NotFinite::Parameter { layer: 2, kind: "Dense", name: "bias", row: 1 };
        assert_eq!(error(&model, &[1, 2]), Some(CalibrateError::NotFinite(place)));
    }
    // Finite parameters whose products are not.
    let mut model = Flat::zeroed();
    (model.first.rows, model.second.second.kernel) = ([[f32::MAX; 4]; 9], [[2.0; 3]; 8]);
    let output = NotFinite::Output { layer: 2, kind: "Dense" };
    assert_eq!(error(&model, &[1, 2]), Some(CalibrateError::NotFinite(output)));
    // More weights in a unit than 32 bits are sure to hold.
    let overflow = Some(CalibrateError::Overflow { layer: 2, unit: 0 });
    assert_eq!(error(&*Wide::boxed_zeroed(), &[1, 2]), overflow);
    for error in [CalibrateError::NoDense, CalibrateError::NoExamples, CalibrateError::TooLarge] {
        assert!(error.to_string().len() > 20);
    }
}
