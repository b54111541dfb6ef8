//! Recurrent layers: the gates of an LSTM, its initial values, and a layer of every form under masks of every kind.

use super::data::{Data, Fold};
use nanoembed::internals;
use nanoembed::internals::{Direction, Returned};
use nanoembed::layers::options::{GoBackwards, GoForwards, ReturnLast, ReturnSequences};
use nanoembed::layers::{Batch, BatchMut, Context, Keeps, Layer, Lstm, Parameters};
use nanoembed::optim::{Optimizer, Sgd};
use nanoembed::table::Numbers;
use nanoembed::zerocopy::FromZeros;
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro128PlusPlus;

pub(crate) const PARTS: &[super::Part] = &[
    ("lstm_gates", gates),
    ("lstm_gates_backward", gates_backward),
    ("init lstm, orthogonal", init),
    ("lstm", lstm::<ReturnLast, GoForwards>),
    ("lstm, sequences", lstm::<ReturnSequences, GoForwards>),
    ("lstm, backwards", lstm::<ReturnLast, GoBackwards>),
    ("lstm, sequences, backwards", lstm::<ReturnSequences, GoBackwards>),
];

/// More units than a block of the kernel, and a tail.
const UNITS: usize = 70;
const LENGTHS: [usize; 9] = [0, 1, 5, 8, 15, 16, 17, 33, UNITS];

fn gates() -> u64 {
    let (mut data, mut fold) = (Data::new(31), Fold::new());
    for units in LENGTHS {
        let mut z = data.floats::<{ 4 * UNITS }>().map(|z| 5.0 * z);
        let (mut c, mut h) = (data.floats::<UNITS>(), [7.0; UNITS]);
        internals::lstm_gates(&mut z[..4 * units], &mut c[..units], &mut h[..units]).unwrap();
        fold.floats(&z);
        fold.floats(&c);
        fold.floats(&h);
    }
    fold.hash()
}

fn gates_backward() -> u64 {
    let (mut data, mut fold) = (Data::new(32), Fold::new());
    for units in LENGTHS {
        let mut gates = data.floats::<{ 4 * UNITS }>().map(|gate| 0.25 * gate + 0.5);
        let (c, d_h, mut d_c) = (data.floats::<UNITS>(), data.floats::<UNITS>(), data.floats::<UNITS>());
        let (c, d_h) = (&c[..units], &d_h[..units]);
        internals::lstm_gates_backward(&mut gates[..4 * units], c, d_h, &mut d_c[..units]).unwrap();
        fold.floats(&gates);
        fold.floats(&d_c);
    }
    fold.hash()
}

fn fold_parameters<R, D>(layer: &Lstm<LEN, 3, 5, R, D>, fold: &mut Fold) {
    fold.floats(layer.kernel.as_numbers());
    fold.floats(layer.recurrent_kernel.as_numbers());
    fold.floats(layer.bias.as_numbers());
}

fn init() -> u64 {
    let mut fold = Fold::new();
    let mut layer = Lstm::<LEN, 3, 5>::zeroed();
    for seed in 0..5 {
        layer.init(&mut Xoshiro128PlusPlus::seed_from_u64(seed));
        fold_parameters(&layer, &mut fold);
    }
    fold.hash()
}

const LEN: usize = 4;
const BATCH: usize = 3;

fn lstm<R: Returned, D: Direction>() -> u64 {
    let (mut data, mut fold) = (Data::new(33), Fold::new());
    let mut layer = Lstm::<LEN, 3, 5, R, D>::zeroed();
    data.fill(layer.kernel.as_numbers_mut());
    data.fill(layer.recurrent_kernel.as_numbers_mut());
    data.fill(layer.bias.as_numbers_mut());
    let mut cache = <Lstm<LEN, 3, 5, R, D> as Layer>::Cache::<BATCH>::new_zeroed();
    let mut gradient = <Lstm<LEN, 3, 5, R, D> as Parameters>::Gradient::<BATCH>::new_zeroed();
    for valid in [[true; 12], [false; 12], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map(|n| n % 5 > 1)] {
        let x = [(); BATCH].map(|()| [(); LEN].map(|()| data.floats::<3>()));
        let mut masks = [[true; LEN]; BATCH];
        masks.iter_mut().flatten().zip(valid).for_each(|(mask, valid)| *mask = valid);
        let mut x = x;
        let to = BatchMut { values: &mut x, masks: &mut masks };
        layer.forward::<BATCH>(to, &mut cache, Context::EVALUATION);
        let x = Batch { values: &x, masks: &masks };
        let (y, d_y) = cache.flows(BATCH);
        let (y, mut d_y) = (R::rows::<LEN, 5>(y.values), R::rows_mut::<LEN, 5>(d_y.unwrap()));
        let steps = y.rows() / BATCH;
        for step in 0..steps {
            for example in 0..BATCH {
                fold.floats(y.row(example * steps + step).unwrap());
                // What comes back is drawn.
                data.fill(d_y.row_mut(example * steps + step).unwrap());
            }
        }
        let mut d_x = [[[7.0; 3]; LEN]; BATCH];
        layer.backward::<BATCH>(x, &mut cache, Some(&mut gradient), Some(&mut d_x));
        fold.floats(d_x.as_flattened().as_flattened());
    }
    let mut slots = <Lstm<LEN, 3, 5, R, D> as Parameters>::Slots::<Sgd>::new_zeroed();
    let sgd = Sgd { learning_rate: 0.1 };
    layer.step::<Sgd, BATCH>(&sgd, sgd.step(1), &mut gradient, &mut slots);
    fold_parameters(&layer, &mut fold);
    fold.hash()
}
