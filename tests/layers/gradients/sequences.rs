//! Layers of sequences, with masks: gradients of parameters and of inputs.

use super::{BATCH, activate, assert_close, backward, dense, differences, embed, ids, set_parameters, wide};
use crate::common::{Random, draw, parameters, vector};
use nanoembed::internals::{ConvPadding, MaskUse, Padding};
use nanoembed::layers::options::{Causal, HonourMask, IgnoreMask, MaskZero, Same, StrictMask, Valid};
use nanoembed::layers::{
    ActivationFunction, ActivationKind, Conv1D, Dense, Embedding, GlobalAveragePooling1D, GlobalMaxPooling1D,
    Identity, Layer, Relu, Sigmoid, Softmax, Tanh,
};
use nanoembed::sequential;
use nanoembed::table::Numbers;
use rand_core::{Rng, SeedableRng};
use zerocopy::FromZeros;

/// Masks without padding, with padding at either end, with holes, and without a valid step.
fn mask<const LEN: usize>(random: &mut Random) -> [bool; LEN] {
    let (kind, n) = (random.next_u32() % 5, random.next_u32() as usize % LEN);
    std::array::from_fn(|t| match kind {
        0 => true,
        1 => t < n,
        2 => t >= n,
        3 => random.next_u32().is_multiple_of(2),
        _ => false,
    })
}

/// Holds outputs and gradients of a layer to `forward`, the plain pass of one example: of parameters, numbers and mask.
fn check<const LEN: usize, const DIM: usize, M>(
    what: &str,
    random: &mut Random,
    forward: impl Fn(&[f64], &[f64], &[bool; LEN]) -> Vec<f64>,
) where
    M: Layer<Input = [[f32; DIM]; LEN], InputGradient = [[f32; DIM]; LEN]>,
    M::Output: Numbers,
{
    let mut layer = M::zeroed();
    set_parameters(&mut layer, || draw(random));
    let x: Vec<[[f32; DIM]; LEN]> = (0..BATCH).map(|_| std::array::from_fn(|_| vector(random))).collect();
    let masks: Vec<[bool; LEN]> = x.iter().map(|_| mask(random)).collect();
    let mut c = vec![M::Output::new_zeroed(); BATCH];
    c.iter_mut().flat_map(Numbers::as_numbers_mut).for_each(|c| *c = draw(random));
    let pass = backward(&layer, &x, &masks, &c);
    let parameters = wide(&parameters(&layer));
    let product = |y: &[f64], c: &M::Output| -> f64 {
        y.iter().zip(c.as_numbers()).map(|(y, c)| y * f64::from(*c)).sum()
    };
    for i in 0..BATCH {
        let x = wide(x[i].as_flattened());
        let y = forward(&parameters, &x, &masks[i]);
        assert_close(&format!("{what}: output {i}"), pass.y[i].as_numbers(), &y);
        let expected = differences(&x, |x| product(&forward(&parameters, x, &masks[i]), &c[i]));
        assert_close(&format!("{what}: gradient of input {i}"), pass.d_x[i].as_flattened(), &expected);
    }
    let all = |parameters: &[f64]| {
        (0..BATCH).map(|i| product(&forward(parameters, &wide(x[i].as_flattened()), &masks[i]), &c[i])).sum()
    };
    assert_close(&format!("{what}: gradient"), &pass.gradient, &differences(&parameters, all));
}

/// The extents of a plain convolution.
struct Sizes {
    len: usize,
    dim: usize,
    filters: usize,
    taps: usize,
    out: usize,
    stride: usize,
    dilation: usize,
    padding: Padding,
    strict: bool,
}

/// Keras' formula on a sequence that is padded with zeros and in which masked steps are zeros; where masks are strict, zeros for the
/// outputs whose window, or whose own step in it, is not valid.
fn convolve(sizes: &Sizes, kind: ActivationKind, parameters: &[f64], x: &[f64], valid: &[bool]) -> Vec<f64> {
    let Sizes { len, dim, filters, taps, out, stride, dilation, padding, strict } = *sizes;
    let reach = dilation * (taps - 1);
    let before = match padding {
        Padding::Valid => 0,
        Padding::Same => ((out - 1) * stride + reach + 1).saturating_sub(len) / 2,
        Padding::Causal => reach,
        other => unreachable!("{other:?}"),
    };
    let mut padded = vec![0.0; (before + len + reach + stride) * dim];
    for step in (0..len).filter(|step| valid[*step]) {
        padded[(before + step) * dim..][..dim].copy_from_slice(&x[step * dim..][..dim]);
    }
    let (kernel, bias) = parameters.split_at(taps * dim * filters);
    let is_valid = |at: usize| at >= before && at < before + len && valid[at - before];
    let counts = |o: usize| match padding {
        Padding::Valid => (0..taps).all(|tap| is_valid(o * stride + tap * dilation)),
        Padding::Same => is_valid(o * stride + reach / 2),
        _ => is_valid(o * stride + reach),
    };
    let of_step = |o: usize| {
        if strict && !counts(o) {
            return activate(kind, &vec![0.0; filters]);
        }
        let z = |f: usize| {
            let terms = (0..taps * dim).map(|k| {
                let (tap, i) = (k / dim, k % dim);
                padded[(o * stride + tap * dilation) * dim + i] * kernel[k * filters + f]
            });
            bias[f] + terms.sum::<f64>()
        };
        activate(kind, &(0..filters).map(z).collect::<Vec<_>>())
    };
    (0..out).flat_map(of_step).collect()
}

fn check_conv1d<
    const LEN: usize,
    const IN: usize,
    const FILTERS: usize,
    const KERNEL: usize,
    const OUT: usize,
    A: ActivationFunction,
    P: ConvPadding,
    M: MaskUse,
    const STRIDE: usize,
    const DILATION: usize,
>() {
    let sizes = Sizes {
        len: LEN,
        dim: IN,
        filters: FILTERS,
        taps: KERNEL,
        out: OUT,
        stride: STRIDE,
        dilation: DILATION,
        padding: P::KIND,
        strict: M::STRICT,
    };
    let what = format!(
        "Conv1D<{LEN}, {IN}, {FILTERS}, {KERNEL}, {OUT}, {}, {}, .., {STRIDE}, {DILATION}>",
        A::KIND.name(),
        P::KIND.name()
    );
    for seed in 0..6 {
        let random = &mut Random::seed_from_u64(seed);
        check::<LEN, IN, Conv1D<LEN, IN, FILTERS, KERNEL, OUT, A, P, M, STRIDE, DILATION>>(
            &what,
            random,
            |parameters, x, mask| {
                let valid = if M::HONOURED { *mask } else { [true; LEN] };
                convolve(&sizes, A::KIND, parameters, x, &valid)
            },
        );
    }
}

#[test]
fn conv1d_layers() {
    check_conv1d::<7, 3, 4, 3, 5, Identity, Valid, HonourMask, 1, 1>();
    check_conv1d::<7, 3, 4, 3, 5, Relu, Valid, IgnoreMask, 1, 1>();
    check_conv1d::<8, 2, 5, 3, 3, Tanh, Valid, HonourMask, 2, 1>();
    check_conv1d::<8, 2, 5, 3, 4, Sigmoid, Valid, HonourMask, 1, 2>();
    check_conv1d::<6, 2, 17, 4, 6, Softmax, Same, HonourMask, 1, 1>();
    check_conv1d::<9, 2, 3, 4, 5, Identity, Same, HonourMask, 2, 1>();
    check_conv1d::<5, 2, 3, 3, 5, Relu, Same, IgnoreMask, 1, 3>();
    check_conv1d::<6, 2, 3, 3, 6, Tanh, Causal, HonourMask, 1, 2>();
    check_conv1d::<7, 2, 3, 2, 3, Identity, Causal, HonourMask, 3, 1>();
    check_conv1d::<7, 3, 4, 3, 5, Relu, Valid, StrictMask, 1, 1>();
    check_conv1d::<8, 2, 5, 3, 3, Tanh, Valid, StrictMask, 2, 1>();
    check_conv1d::<6, 2, 17, 4, 6, Softmax, Same, StrictMask, 1, 1>();
    check_conv1d::<9, 2, 3, 4, 5, Identity, Same, StrictMask, 2, 1>();
    check_conv1d::<8, 2, 17, 4, 4, Sigmoid, Same, StrictMask, 2, 1>();
    check_conv1d::<6, 2, 3, 3, 6, Tanh, Causal, StrictMask, 1, 2>();
    check_conv1d::<7, 2, 3, 2, 3, Identity, Causal, StrictMask, 3, 1>();
    // A window as long as the sequence, one tap, one of everything.
    check_conv1d::<4, 3, 2, 4, 1, Identity, Valid, HonourMask, 1, 1>();
    check_conv1d::<3, 17, 33, 1, 3, Identity, Valid, HonourMask, 1, 1>();
    check_conv1d::<1, 1, 1, 1, 1, Identity, Same, HonourMask, 1, 1>();
    check_conv1d::<1, 2, 2, 5, 1, Identity, Causal, HonourMask, 1, 1>();
}

/// Column by column the numbers of the steps that count.
fn pooled(x: &[f64], dim: usize, valid: &[bool], of_column: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let column = |j: usize| {
        let steps = x.chunks(dim).zip(valid).filter(|(_, valid)| **valid);
        of_column(&steps.map(|(row, _)| row[j]).collect::<Vec<_>>())
    };
    (0..dim).map(column).collect()
}

fn greatest(column: &[f64]) -> f64 {
    if column.is_empty() { 0.0 } else { column.iter().copied().fold(f64::NEG_INFINITY, f64::max) }
}

fn mean(column: &[f64]) -> f64 {
    column.iter().sum::<f64>() / column.len().max(1) as f64
}

fn check_pooling<const LEN: usize, const DIM: usize>() {
    for seed in 0..10 {
        let random = &mut Random::seed_from_u64(seed);
        check::<LEN, DIM, GlobalMaxPooling1D<LEN, DIM>>("max", random, |_, x, mask| {
            pooled(x, DIM, mask, greatest)
        });
        check::<LEN, DIM, GlobalMaxPooling1D<LEN, DIM, IgnoreMask>>("max of all", random, |_, x, _| {
            pooled(x, DIM, &[true; LEN], greatest)
        });
        check::<LEN, DIM, GlobalAveragePooling1D<LEN, DIM>>("mean", random, |_, x, mask| {
            pooled(x, DIM, mask, mean)
        });
        check::<LEN, DIM, GlobalAveragePooling1D<LEN, DIM, IgnoreMask>>("mean of all", random, |_, x, _| {
            pooled(x, DIM, &[true; LEN], mean)
        });
    }
}

#[test]
fn pooling_layers() {
    check_pooling::<1, 1>();
    check_pooling::<5, 3>();
    check_pooling::<6, 17>();
}

/// From ids through a convolution that honours the padding.
#[test]
fn chains_with_convolutions() {
    type Model = sequential![
        Embedding<6, 6, 3, u16, MaskZero>,
        Conv1D<6, 3, 4, 3, 4, Tanh>,
        GlobalMaxPooling1D<4, 4>,
        Dense<4, 2>
    ];
    let sizes = Sizes {
        len: 6,
        dim: 3,
        filters: 4,
        taps: 3,
        out: 4,
        stride: 1,
        dilation: 1,
        padding: Padding::Valid,
        strict: false,
    };
    let forward = |parameters: &[f64], ids: &[u16; 6]| {
        let (rows, rest) = parameters.split_at(18);
        let (conv, last) = rest.split_at(3 * 3 * 4 + 4);
        let valid = ids.map(|id| id != 0);
        let y = convolve(&sizes, ActivationKind::Tanh, conv, &embed(rows, ids, 3, |_| true), &valid);
        let windows: Vec<bool> = valid.windows(3).map(|window| window.contains(&true)).collect();
        dense(ActivationKind::Identity, last, &pooled(&y, 4, &windows, greatest), 2)
    };
    for seed in 0..8 {
        let random = &mut Random::seed_from_u64(seed);
        let mut x: Vec<[u16; 6]> = (0..=seed as usize % BATCH).map(|_| ids(random)).collect();
        x[0][seed as usize % 6..].fill(0);
        super::check_parameters::<Model>("chain of a convolution", random, &x, forward);
    }
}
