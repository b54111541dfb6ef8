//! `Conv1D` and the global pooling layers where masks and edges meet: what counts, what is valid behind, what learns.

use crate::common::pass as both_ways;
use nanoembed::internals::Summary;
use nanoembed::layers::options::{Causal, HonourMask, IgnoreMask, MaskZero, Same, Valid};
use nanoembed::layers::{
    Batch, BatchMut, Conv1D, Dense, Embedding, GlobalAveragePooling1D, GlobalMaxPooling1D, Identity, Layer,
    Relu, Sigmoid,
};
use nanoembed::loss::BinaryCrossEntropy;
use nanoembed::optim::Sgd;
use nanoembed::sequential;
use nanoembed::table::Numbers;
use nanoembed::train::Trainer;
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro128PlusPlus;
use zerocopy::FromZeros;

/// Outputs and masks in use, which are those of training.
fn outputs<M, const LEN: usize, const IN: usize, const OUT: usize, const FILTERS: usize>(
    layer: &M,
    x: [[f32; IN]; LEN],
    mask: [bool; LEN],
) -> ([[f32; FILTERS]; OUT], [bool; OUT])
where
    M: Layer<Input = [[f32; IN]; LEN], Output = [[f32; FILTERS]; OUT]>,
{
    let batch = Batch { values: &[x], masks: &[mask] };
    let (mut y, mut masks) = ([[[7.0; FILTERS]; OUT]], [[false; OUT]]);
    let mut workspace = M::Workspace::<1>::new_zeroed();
    layer.infer(batch, &mut workspace, BatchMut { values: &mut y, masks: &mut masks });
    let training = both_ways::pass::<M, 1>(layer, &[x], &[mask], &y, None);
    assert_eq!((y.to_vec(), masks.to_vec()), (training.y, training.y_masks));
    (y[0], masks[0])
}

/// A layer that adds up what stands under its windows, and 100.
fn sums<
    const LEN: usize,
    const KERNEL: usize,
    const OUT: usize,
    P,
    M,
    const STRIDE: usize,
    const DILATION: usize,
>() -> Conv1D<LEN, 1, 1, KERNEL, OUT, Identity, P, M, STRIDE, DILATION>
where
    Conv1D<LEN, 1, 1, KERNEL, OUT, Identity, P, M, STRIDE, DILATION>: Layer,
{
    let mut layer = Conv1D::<LEN, 1, 1, KERNEL, OUT, Identity, P, M, STRIDE, DILATION>::zeroed();
    layer.kernel = [[[1.0]]; KERNEL];
    layer.bias = [100.0];
    layer
}

const X: [[f32; 1]; 5] = [[1.0], [2.0], [4.0], [8.0], [16.0]];
const HALF: [bool; 5] = [true, true, false, false, false];

#[test]
fn masked_steps_count_as_zeros_and_windows_without_valid_steps_are_masked() {
    let (y, mask) = outputs(&sums::<5, 2, 4, Valid, HonourMask, 1, 1>(), X, HALF);
    assert_eq!((y, mask), ([[103.0], [102.0], [100.0], [100.0]], [true, true, false, false]));
    let (y, mask) = outputs(&sums::<5, 3, 5, Same, HonourMask, 1, 1>(), X, HALF);
    assert_eq!((y, mask), ([[103.0], [103.0], [102.0], [100.0], [100.0]], [true, true, true, false, false]));
    let (y, mask) = outputs(&sums::<5, 2, 5, Causal, HonourMask, 1, 2>(), X, HALF);
    assert_eq!((y, mask), ([[101.0], [102.0], [101.0], [102.0], [100.0]], [true, true, true, true, false]));
    let (y, mask) = outputs(&sums::<5, 2, 3, Causal, HonourMask, 2, 1>(), X, HALF);
    assert_eq!((y, mask), ([[101.0], [102.0], [100.0]], [true, true, false]));
}

/// Keras uses masked steps and loses the mask.
#[test]
fn a_mask_that_is_ignored_is_lost() {
    let (y, mask) = outputs(&sums::<5, 2, 4, Valid, IgnoreMask, 1, 1>(), X, HALF);
    assert_eq!((y, mask), ([[103.0], [106.0], [112.0], [124.0]], [true; 4]));
}

#[test]
fn a_sequence_of_padding_alone_gives_the_bias_and_masks() {
    let (y, mask) = outputs(&sums::<5, 2, 4, Valid, HonourMask, 1, 1>(), [[f32::NAN]; 5], [false; 5]);
    assert_eq!((y, mask), ([[100.0]; 4], [false; 4]));
    let (y, mask) = outputs(&sums::<1, 1, 1, Valid, HonourMask, 1, 1>(), [[3.0]], [true]);
    assert_eq!((y, mask), ([[103.0]], [true]));
    // A kernel longer than the sequence, where padding lets it be.
    let (y, mask) = outputs(&sums::<1, 5, 1, Same, HonourMask, 1, 1>(), [[3.0]], [true]);
    assert_eq!((y, mask), ([[103.0]], [true]));
}

#[test]
fn pooling_without_valid_steps_is_zero_and_learns_nothing() {
    fn check<M>(layer: &M, x: [[f32; 1]; 5], mask: [bool; 5]) -> ([f32; 1], [[f32; 1]; 5])
    where
        M: Layer<Input = [[f32; 1]; 5], Output = [f32; 1], InputGradient = [[f32; 1]; 5], Workspace<1> = ()>,
    {
        let batch = Batch { values: &[x], masks: &[mask] };
        let mut y = [[7.0]];
        layer.infer::<1>(batch, &mut (), BatchMut { values: &mut y, masks: &mut [()] });
        (y[0], both_ways::pass::<M, 1>(layer, &[x], &[mask], &[[6.0]], None).d_x[0])
    }
    let (max, mean) = (GlobalMaxPooling1D::<5, 1>::zeroed(), GlobalAveragePooling1D::<5, 1>::zeroed());
    assert_eq!(check(&max, X, [false; 5]), ([0.0], [[0.0]; 5]));
    assert_eq!(check(&mean, X, [false; 5]), ([0.0], [[0.0]; 5]));
    // The greatest of all steps is masked.
    assert_eq!(check(&max, X, HALF), ([2.0], [[0.0], [6.0], [0.0], [0.0], [0.0]]));
    assert_eq!(check(&mean, X, HALF), ([1.5], [[3.0], [3.0], [0.0], [0.0], [0.0]]));
    let (max, mean) = (
        GlobalMaxPooling1D::<5, 1, IgnoreMask>::zeroed(),
        GlobalAveragePooling1D::<5, 1, IgnoreMask>::zeroed(),
    );
    assert_eq!(check(&max, X, [false; 5]), ([16.0], [[0.0], [0.0], [0.0], [0.0], [6.0]]));
    assert_eq!(check(&mean, X, HALF), ([6.2], [[1.2]; 5]));
    // Negative numbers alone, and ties.
    let max = GlobalMaxPooling1D::<5, 1>::zeroed();
    assert_eq!(
        check(&max, [[-3.0], [-1.0], [-1.0], [-2.0], [-1.0]], [true; 5]),
        ([-1.0], [[0.0], [2.0], [2.0], [0.0], [2.0]])
    );
}

type Model = sequential![
    Embedding<6, 9, 4, u16, MaskZero>,
    Conv1D<6, 4, 32, 3, 4, Relu>,
    GlobalMaxPooling1D<4, 32>,
    Dense<32, 1, Sigmoid>,
];

/// Row 0 is padding: it changes nothing and learns nothing.
#[test]
fn padding_does_not_count() {
    let random = &mut Xoshiro128PlusPlus::seed_from_u64(5);
    let (mut model, mut other) = (Model::zeroed(), Model::zeroed());
    model.init(random);
    other.init(&mut Xoshiro128PlusPlus::seed_from_u64(5));
    other.first.rows[0] = [50.0; 4];
    let ids = [[1, 2, 3, 0, 0, 0], [4, 5, 6, 7, 8, 1], [0; 6], [1, 0, 0, 0, 0, 0]];
    let labels = [[1.0], [0.0], [1.0], [0.0]];
    let padding = other.first.rows[0];
    let mut losses = Vec::new();
    for model in [&mut model, &mut other] {
        let sgd = Sgd { learning_rate: 0.1 };
        let mut trainer = Trainer::<Model, _, _, 4>::new(sgd, BinaryCrossEntropy::default());
        for _ in 0..5 {
            losses.push(trainer.step(model, &ids, &labels).expect("valid examples").loss);
        }
    }
    assert_eq!(losses[..5], losses[5..]);
    assert!(losses[4] < losses[0], "{losses:?}");
    assert_eq!(other.first.rows[0], padding);
    assert_eq!(model.first.rows[1..], other.first.rows[1..]);
    assert_eq!(model.second.first.kernel, other.second.first.kernel);
}

#[test]
fn initial_values_are_those_of_keras() {
    let mut layer = Conv1D::<9, 7, 30, 3, 7>::zeroed();
    layer.bias = [1.0; 30];
    layer.init(&mut Xoshiro128PlusPlus::seed_from_u64(1));
    let limit = (6.0_f64 / (3.0 * 7.0 + 3.0 * 30.0)).sqrt() as f32;
    let greatest =
        layer.kernel.as_numbers().iter().fold(0.0, |a: f32, x| if x.abs() > a { x.abs() } else { a });
    assert!(greatest <= limit && greatest > 0.98 * limit, "{greatest} of {limit}");
    assert_eq!(layer.bias, [0.0; 30]);
}

#[test]
fn the_summary_counts_weights() {
    let text = Summary::<Model>::new().to_string();
    assert!(text.contains("Conv1D") && text.contains("(4, 32)") && text.contains("416"), "{text}");
    assert!(text.contains("GlobalMaxPooling1D"), "{text}");
}
