//! `StrictMask`: how many masked steps stand before a sequence and after it changes no bit of what comes of it.

use crate::common::pass as both_ways;
use crate::common::{Random, bits, draw};
use nanoembed::internals::{ConvPadding, Padding};
use nanoembed::layers::options::{Causal, HonourMask, MaskZero, Same, StrictMask, Valid};
use nanoembed::layers::{
    Batch, BatchMut, Conv1D, Dense, Embedding, GlobalAveragePooling1D, GlobalMaxPooling1D, Identity, Layer,
    Parameters, Relu, Sigmoid, Tanh,
};
use nanoembed::loss::BinaryCrossEntropy;
use nanoembed::optim::{Adam, Exact};
use nanoembed::sequential;
use nanoembed::table::Numbers;
use nanoembed::train::Trainer;
use proptest::prelude::*;
use rand_core::SeedableRng;
use zerocopy::FromZeros;

const LEN: usize = 8;
const IN: usize = 3;
/// So many that training looks for steps that are the same, with four taps and more.
const FILTERS: usize = 17;
const BATCH: usize = 4;

type Layer1D<const KERNEL: usize, const OUT: usize, P, const STRIDE: usize, const DILATION: usize> =
    Conv1D<LEN, IN, FILTERS, KERNEL, OUT, Identity, P, StrictMask, STRIDE, DILATION>;
type Sequence = [[f32; IN]; LEN];

/// What a layer makes of a sequence with its mask, alone and in training among others: outputs, masks, and the gradients of kernel
/// and sequence for gradients `d_y`.
struct Pass<const OUT: usize> {
    y: [[f32; FILTERS]; OUT],
    mask: [bool; OUT],
    kernel: Vec<u32>,
    d_x: Sequence,
}

fn pass<const KERNEL: usize, const OUT: usize, P: ConvPadding, const STRIDE: usize, const DILATION: usize>(
    layer: &Layer1D<KERNEL, OUT, P, STRIDE, DILATION>,
    x: Sequence,
    mask: [bool; LEN],
    d_y: impl Fn(usize) -> [f32; FILTERS],
) -> Pass<OUT> {
    type Of<const K: usize, const O: usize, P, const S: usize, const D: usize> = Layer1D<K, O, P, S, D>;
    let alone = Batch { values: &[x], masks: &[mask] };
    let (mut y, mut y_mask) = ([[[7.0; FILTERS]; OUT]], [[false; OUT]]);
    layer.infer::<1>(alone, &mut (), BatchMut { values: &mut y, masks: &mut y_mask });

    let d_y: [[f32; FILTERS]; OUT] = std::array::from_fn(d_y);
    let among = both_ways::pass::<Of<KERNEL, OUT, P, STRIDE, DILATION>, BATCH>(
        layer,
        &[x; BATCH],
        &[mask; BATCH],
        &[d_y; BATCH],
        None,
    );
    for (same, same_mask) in among.y.iter().zip(&among.y_masks) {
        assert_eq!((bits(same.as_numbers()), same_mask), (bits(y[0].as_numbers()), &y_mask[0]), "training");
    }

    let mut gradient = <Of<KERNEL, OUT, P, STRIDE, DILATION> as Parameters>::Gradient::<BATCH>::new_zeroed();
    let d_x = both_ways::pass::<Of<KERNEL, OUT, P, STRIDE, DILATION>, BATCH>(
        layer,
        &[x],
        &[mask],
        &[d_y],
        Some(&mut gradient),
    )
    .d_x;
    // A step of gradient descent shows the gradient.
    let mut moved = Layer1D::<KERNEL, OUT, P, STRIDE, DILATION>::zeroed();
    let sgd = nanoembed::optim::Sgd { learning_rate: 1.0 };
    let mut slots =
        <Of<KERNEL, OUT, P, STRIDE, DILATION> as Parameters>::Slots::<nanoembed::optim::Sgd>::new_zeroed();
    let step = nanoembed::optim::Optimizer::step(&sgd, 1);
    moved.step::<_, BATCH>(&sgd, step, &mut gradient, &mut slots);
    let mut kernel = bits(moved.kernel.as_numbers());
    kernel.extend(bits(&moved.bias));
    Pass { y: y[0], mask: y_mask[0], kernel, d_x: d_x[0] }
}

/// Holds a layer to its promise for a sequence of `steps`, at every place where it fits, a whole number of strides apart.
fn check<
    const KERNEL: usize,
    const OUT: usize,
    P: ConvPadding,
    const STRIDE: usize,
    const DILATION: usize,
>(
    seed: u64,
    steps: usize,
) {
    let random = &mut Random::seed_from_u64(seed);
    let mut layer = Layer1D::<KERNEL, OUT, P, STRIDE, DILATION>::new(random);
    layer.bias.iter_mut().for_each(|bias| *bias = draw(random));
    let values: [[f32; IN]; LEN] = std::array::from_fn(|_| std::array::from_fn(|_| draw(random)));
    let d_y: Vec<[f32; FILTERS]> = (0..LEN).map(|_| std::array::from_fn(|_| draw(random))).collect();
    let what =
        format!("{} kernel {KERNEL}, stride {STRIDE}, dilation {DILATION}, {steps} steps", P::KIND.name());

    let mut expected = None;
    for offset in (0..=LEN - steps).step_by(STRIDE) {
        let mut x = [[f32::NAN; IN]; LEN];
        x[offset..offset + steps].copy_from_slice(&values[..steps]);
        let mask = std::array::from_fn(|t| (offset..offset + steps).contains(&t));
        // Gradients move with the sequence; steps that are not valid have one too, as behind a layer without masks.
        let found = pass(&layer, x, mask, |o| d_y[(o + LEN - offset / STRIDE) % LEN]);
        let valid: Vec<usize> = (0..OUT).filter(|o| found.mask[*o]).collect();
        for o in 0..OUT {
            if !found.mask[o] {
                assert_eq!(bits(&found.y[o]), [0; FILTERS], "{what}: zeros where it is not valid");
            }
        }
        for t in (0..LEN).filter(|t| !mask[*t]) {
            assert_eq!(found.d_x[t], [0.0; IN], "{what}: a masked step learns nothing");
        }
        let outputs: Vec<_> = valid.iter().map(|o| bits(&found.y[*o])).collect();
        let d_x = bits(found.d_x[offset..offset + steps].as_flattened());
        let found = (outputs, found.kernel, d_x);
        // As many as without any masked step.
        let alone = match P::KIND {
            Padding::Valid => (steps + 1).saturating_sub(DILATION * (KERNEL - 1) + 1).div_ceil(STRIDE),
            _ => steps.div_ceil(STRIDE),
        };
        if STRIDE == 1 {
            assert_eq!(found.0.len(), alone, "{what}, from {offset}: valid steps");
        }
        assert!(*expected.get_or_insert_with(|| found.clone()) == found, "{what}, from {offset}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn masked_steps_around_a_sequence_change_nothing(seed in any::<u64>(), steps in 0..=LEN) {
        check::<1, 8, Valid, 1, 1>(seed, steps);
        check::<2, 7, Valid, 1, 1>(seed, steps);
        check::<5, 4, Valid, 1, 1>(seed, steps);
        check::<3, 4, Valid, 1, 2>(seed, steps);
        check::<1, 8, Same, 1, 1>(seed, steps);
        check::<2, 8, Same, 1, 1>(seed, steps);
        check::<3, 8, Same, 1, 1>(seed, steps);
        check::<4, 8, Same, 1, 1>(seed, steps);
        check::<2, 8, Same, 1, 3>(seed, steps);
        check::<3, 8, Same, 1, 2>(seed, steps);
        check::<9, 8, Same, 1, 1>(seed, steps);
        check::<1, 8, Causal, 1, 1>(seed, steps);
        check::<2, 8, Causal, 1, 1>(seed, steps);
        check::<5, 8, Causal, 1, 1>(seed, steps);
        check::<3, 8, Causal, 1, 4>(seed, steps);
        // By whole strides.
        check::<3, 3, Valid, 2, 1>(seed, steps);
        check::<3, 4, Same, 2, 1>(seed, steps);
        check::<2, 4, Causal, 2, 1>(seed, steps);
    }
}

/// Which steps are valid, by hand.
#[test]
fn valid_steps() {
    fn masks<
        const KERNEL: usize,
        const OUT: usize,
        P: ConvPadding,
        const STRIDE: usize,
        const DILATION: usize,
    >(
        mask: [bool; LEN],
    ) -> String {
        let layer = Layer1D::<KERNEL, OUT, P, STRIDE, DILATION>::zeroed();
        let pass = pass(&layer, [[1.0; IN]; LEN], mask, |_| [1.0; FILTERS]);
        pass.mask.iter().map(|valid| if *valid { '1' } else { '.' }).collect()
    }
    // A gap in the sequence keeps its parts apart.
    let mask = [false, true, true, true, false, true, true, false];
    assert_eq!(masks::<2, 7, Valid, 1, 1>(mask), ".11..1.");
    assert_eq!(masks::<3, 6, Valid, 1, 1>(mask), ".1....");
    assert_eq!(masks::<2, 6, Valid, 1, 2>(mask), ".1.1..");
    assert_eq!(masks::<3, 8, Same, 1, 1>(mask), ".111.11.");
    assert_eq!(masks::<4, 8, Causal, 1, 1>(mask), ".111.11.");
    // The middles are the steps 1, 3, 5, 7, the ends 0, 2, 4, 6.
    assert_eq!(masks::<3, 4, Same, 2, 1>(mask), "111.");
    assert_eq!(masks::<3, 4, Causal, 2, 1>(mask), ".1.1");
    assert_eq!(masks::<3, 6, Valid, 1, 1>([false; LEN]), "......");
}

type Words<const OUT: usize, P, M = StrictMask> = sequential![
    Embedding<6, 9, 4, u16, MaskZero>,
    Conv1D<6, 4, 33, 3, OUT, Relu, P, M>,
    GlobalMaxPooling1D<OUT, 33>,
    Dense<33, 1, Sigmoid>
];
type Deep = sequential![
    Embedding<6, 9, 4, u16, MaskZero>,
    Conv1D<6, 4, 5, 2, 6, Sigmoid, Same, StrictMask>,
    Conv1D<6, 5, 7, 3, 4, Tanh, Valid, StrictMask>,
    GlobalAveragePooling1D<4, 7>,
    Dense<7, 1, Sigmoid>
];

/// A whole model learns and predicts the same bits, whichever end is padded.
fn check_model<M: Layer<Input = [u16; 6], Output = [f32; 1]>>() {
    let ids = [[1, 2, 3, 4, 0, 0], [5, 6, 7, 0, 0, 0], [8, 1, 5, 2, 2, 0], [3, 3, 3, 0, 0, 0]];
    let moved = [[0, 0, 1, 2, 3, 4], [0, 5, 6, 7, 0, 0], [0, 8, 1, 5, 2, 2], [0, 0, 0, 3, 3, 3]];
    let labels = [[1.0], [0.0], [1.0], [0.0]];
    let train = |ids: [[u16; 6]; 4]| {
        let mut model = M::new(&mut Random::seed_from_u64(5));
        let adam = Exact(Adam { learning_rate: 0.1, ..Adam::default() });
        let mut trainer = Trainer::<M, _, _, 3>::new(adam, BinaryCrossEntropy::default());
        let losses: Vec<f32> =
            (0..4).map(|_| trainer.epoch(&mut model, &ids, &labels).expect("valid examples").loss).collect();
        let mut bytes: Vec<u8> = Vec::new();
        model.visit(&mut |part| bytes.extend(part));
        let at_both = [ids, moved].map(|ids| ids.map(|ids| model.predict(&ids).expect("valid ids")));
        assert_eq!(at_both[0], at_both[1]);
        assert!(losses[3] < losses[0], "{losses:?}");
        (losses, bytes, at_both)
    };
    assert!(train(ids) == train(moved));
}

#[test]
fn models_do_not_see_padding() {
    check_model::<Words<4, Valid>>();
    check_model::<Words<6, Same>>();
    check_model::<Words<6, Causal>>();
    check_model::<Deep>();
    // The case of Keras' masks, which the default honours as far as a window's steps go.
    let default = Words::<4, Valid, HonourMask>::new(&mut Random::seed_from_u64(5));
    let of = |ids| default.predict(&ids).expect("valid ids");
    assert_ne!(of([1, 2, 3, 0, 0, 0]), of([0, 0, 1, 2, 3, 0]));
    let strict = Words::<4, Valid>::new(&mut Random::seed_from_u64(5));
    let of = |ids| strict.predict(&ids).expect("valid ids");
    assert_eq!(of([1, 2, 3, 0, 0, 0]), of([0, 0, 1, 2, 3, 0]));
    assert_eq!(of([1, 2, 0, 0, 0, 0]), of([0; 6]), "no window of three");
}
