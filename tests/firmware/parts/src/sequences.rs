//! Convolutions and pooling of sequences: kernels, and trainings of the layers.

use super::data::{Data, Fold};
use super::optimizers::ADAM;
use super::run_time::{self, Examples, How};
use super::training::{fold_parameters, initialised};
use nanoembed::internals;
use nanoembed::internals::{Repeats, Windows};
use nanoembed::layers::options::{Causal, HonourMask, IgnoreMask, MaskZero, Same, Valid};
use nanoembed::layers::{
    Conv1D, Dense, Embedding, GlobalAveragePooling1D, GlobalMaxPooling1D, Identity, Layer, Relu, Sigmoid,
    Tanh,
};
use nanoembed::loss::{BinaryCrossEntropy, Labels};
use nanoembed::models::Input;
use nanoembed::sequential;
use nanoembed::table::{Table, TableMut};
use nanoembed::train::Trainer;

pub(crate) const PARTS: &[super::Part] = &[
    ("convolve", || each(convolve)),
    ("convolve_repeated", || each(convolve_repeated)),
    ("convolve_backward_kernel", || each(backward_kernel)),
    ("convolve_backward_input", || each(backward_input)),
    ("pooling of steps", || each(pooling)),
    ("train convolution, maximum", train::<Maximum>),
    ("train convolution, same, mean", train::<Mean>),
    ("train convolutions, strided and dilated", train::<Deep>),
    ("run-time train convolution, maximum", at_run_time::<Maximum>),
    ("run-time train convolution, same, mean", at_run_time::<Mean>),
    ("run-time train convolutions, strided and dilated", at_run_time::<Deep>),
];

const MAX_LEN: usize = 12;
const MAX_EXTENT: usize = 35;
const MAX_TAPS: usize = 3;

/// One sequence, one kernel.
struct Case<'a> {
    windows: Windows,
    out: usize,
    filters: usize,
    x: Table<'a>,
    valid: &'a [bool],
    /// As many numbers as the weights, the outputs and the gradients of the outputs take.
    kernel: &'a [f32],
    y: &'a mut [f32],
    d_y: &'a [f32],
}

/// All shapes and windows of a list, with and without masks.
fn each(case: fn(Case<'_>, &mut Fold)) -> u64 {
    let (mut data, mut fold) = (Data::new(21), Fold::new());
    let kernel = data.floats::<{ MAX_TAPS * MAX_EXTENT * MAX_EXTENT }>();
    for (dim, filters) in [(1, 1), (3, 17), (16, 4), (17, 33), (5, 35), (35, 16)] {
        for (taps, stride, dilation, before) in [(1, 1, 1, 0), (3, 1, 1, 1), (2, 2, 1, 0), (3, 1, 2, 4)] {
            for len in [1, 5, MAX_LEN] {
                let windows = Windows { taps, stride, dilation, before };
                let mut x = data.floats::<{ MAX_LEN * MAX_EXTENT }>();
                // Steps that repeat.
                let (first, second) = x.split_at_mut(dim);
                second[..dim].copy_from_slice(first);
                let mut valid = [true; MAX_LEN];
                if len == MAX_LEN {
                    valid.iter_mut().for_each(|valid| *valid = data.below(3) > 0);
                }
                let mut d_y = data.floats::<{ MAX_LEN * MAX_EXTENT }>();
                // Behind a maximum most gradients are zero.
                d_y.iter_mut().filter(|_| data.below(4) > 0).for_each(|d| *d = 0.0);
                let out = len.div_ceil(stride);
                case(
                    Case {
                        windows,
                        out,
                        filters,
                        x: Table::new(&x[..len * dim], len, dim).unwrap(),
                        valid: &valid[..len],
                        kernel: &kernel[..taps * dim * filters],
                        y: &mut data.floats::<{ MAX_LEN * MAX_EXTENT }>()[..out * filters],
                        d_y: &d_y[..out * filters],
                    },
                    &mut fold,
                );
            }
        }
    }
    fold.hash()
}

fn convolve(case: Case<'_>, fold: &mut Fold) {
    let Case { windows, out, filters, x, valid, kernel, y, .. } = case;
    let kernel = Table::new(kernel, windows.taps * x.dim(), filters).unwrap();
    internals::convolve(windows, x, valid, kernel, &mut TableMut::new(y, out, filters).unwrap()).unwrap();
    fold.floats(y);
}

fn convolve_repeated(case: Case<'_>, fold: &mut Fold) {
    let Case { windows, out, filters, x, valid, kernel, y, .. } = case;
    let kernel = Table::new(kernel, windows.taps * x.dim(), filters).unwrap();
    let (mut numbers, mut firsts, mut slots) = ([0; MAX_LEN], [0; MAX_LEN], [0; 2 * MAX_LEN]);
    let numbers = &mut numbers[..x.rows()];
    let count = internals::distinct_rows(x, numbers, &mut firsts, &mut slots).unwrap().unwrap();
    fold.number(count);
    numbers.iter().for_each(|number| fold.number(*number as usize));
    let mut products = [0.0; MAX_LEN * MAX_TAPS * MAX_EXTENT];
    let repeats = Repeats { sequences: 1, steps: x, valid, numbers, firsts: &firsts[..count] };
    let to = &mut TableMut::new(y, out, filters).unwrap();
    internals::convolve_repeated(windows, repeats, kernel, None, &mut products, to).unwrap();
    fold.floats(y);
}

fn backward_kernel(case: Case<'_>, fold: &mut Fold) {
    let Case { windows, out, filters, x, valid, d_y, .. } = case;
    let mut d_kernel = [0.5; MAX_TAPS * MAX_EXTENT * MAX_EXTENT];
    let mut d_bias = [0.5; MAX_EXTENT];
    let (size, d_bias) = (windows.taps * x.dim(), &mut d_bias[..filters]);
    let d_kernel = &mut d_kernel[..filters * size];
    let d_y = Table::new(d_y, out, filters).unwrap();
    let to = &mut TableMut::new(d_kernel, filters, size).unwrap();
    internals::convolve_backward_kernel(windows, x, valid, d_y, to, d_bias).unwrap();
    fold.floats(d_kernel);
    fold.floats(d_bias);
    let mut on_its_side = [0.0; MAX_TAPS * MAX_EXTENT * MAX_EXTENT];
    let on_its_side = &mut on_its_side[..filters * size];
    let to = &mut TableMut::new(on_its_side, size, filters).unwrap();
    internals::transpose(Table::new(d_kernel, filters, size).unwrap(), to).unwrap();
    fold.floats(on_its_side);
}

fn backward_input(case: Case<'_>, fold: &mut Fold) {
    let Case { windows, out, filters, x, valid, kernel, d_y, .. } = case;
    let mut d_x = [7.0; MAX_LEN * MAX_EXTENT];
    let d_x = &mut d_x[..x.rows() * x.dim()];
    let kernel = Table::new(kernel, filters, windows.taps * x.dim()).unwrap();
    let to = &mut TableMut::new(d_x, x.rows(), x.dim()).unwrap();
    internals::convolve_backward_input(windows, valid, kernel, Table::new(d_y, out, filters).unwrap(), to)
        .unwrap();
    fold.floats(d_x);
}

fn pooling(case: Case<'_>, fold: &mut Fold) {
    let Case { x, valid, kernel, .. } = case;
    let (mut y, mut d_x) = ([7.0; MAX_EXTENT], [7.0; MAX_LEN * MAX_EXTENT]);
    let (y, d_x) = (&mut y[..x.dim()], &mut d_x[..x.rows() * x.dim()]);
    let d_y = &kernel[..x.dim()];
    internals::max_over_steps(x, valid, y).unwrap();
    fold.floats(y);
    let to = &mut TableMut::new(d_x, x.rows(), x.dim()).unwrap();
    internals::max_over_steps_backward(x, valid, d_y, to).unwrap();
    fold.floats(d_x);
    internals::mean_over_steps(x, valid, y).unwrap();
    fold.floats(y);
    let to = &mut TableMut::new(d_x, x.rows(), x.dim()).unwrap();
    internals::mean_over_steps_backward(valid, d_y, to).unwrap();
    fold.floats(d_x);
}

type Maximum = sequential![
    Embedding<8, 10, 5, u16, MaskZero>,
    Conv1D<8, 5, 33, 3, 6, Relu>,
    GlobalMaxPooling1D<6, 33>,
    Dense<33, 1, Sigmoid>
];
type Mean = sequential![
    Embedding<8, 10, 5, u16, MaskZero>,
    Conv1D<8, 5, 17, 4, 8, Tanh, Same>,
    GlobalAveragePooling1D<8, 17>,
    Dense<17, 1, Sigmoid>
];
type Deep = sequential![
    Embedding<8, 10, 5, u16, MaskZero>,
    Conv1D<8, 5, 8, 3, 8, Relu, Causal, HonourMask, 1, 2>,
    Conv1D<8, 8, 9, 2, 4, Identity, Valid, IgnoreMask, 2>,
    GlobalMaxPooling1D<4, 9, IgnoreMask>,
    Dense<9, 1, Sigmoid>
];

/// Sequences and labels.
fn examples() -> ([[u16; 8]; 10], [[f32; 1]; 10]) {
    let mut data = Data::new(22);
    let (mut ids, mut labels) = ([[0; 8]; 10], [[0.0]; 10]);
    for (ids, [label]) in ids.iter_mut().zip(&mut labels) {
        *ids = data.ids(10);
        *label = data.below(2) as f32;
    }
    // One sequence of padding alone.
    ids[3] = [0; 8];
    (ids, labels)
}

fn at_run_time<M: Layer>() -> u64 {
    let ((ids, labels), mut fold) = (examples(), Fold::new());
    let ids = ids.map(|ids| ids.map(u32::from));
    let inputs = [Input::Ids(ids.as_flattened())];
    let examples = Examples { inputs: &inputs, labels: Labels::numbers(labels.as_flattened()), count: 10 };
    let how = How { optimizer: &ADAM, loss: BinaryCrossEntropy::default().into(), batch: 4 };
    run_time::open(&initialised::<M>(), &mut |mut opened| {
        run_time::train(&mut opened, how, examples, (20, false), &mut fold);
        run_time::fold_predictions(&opened, examples, &mut fold);
    });
    fold.hash()
}

fn train<M: Layer<Input = [u16; 8], Output = [f32; 1]>>() -> u64 {
    let ((ids, labels), mut fold) = (examples(), Fold::new());
    let mut model = initialised::<M>();
    let mut trainer = Trainer::<M, _, _, 4>::new(ADAM, BinaryCrossEntropy::default());
    for _ in 0..20 {
        fold.float(trainer.epoch(&mut model, &ids, &labels).unwrap().loss);
    }
    fold_parameters(&model, &mut fold);
    ids.iter().for_each(|ids| fold.floats(&model.predict(ids).unwrap()));
    fold.hash()
}
