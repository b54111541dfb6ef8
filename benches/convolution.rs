//! Convolutions along a sequence, beside the loop that one would write first and beside what the processor can do at most; and a
//! training step of the convolutional model of the Keras literature, whole and in parts.
//!
//! The model: Embedding(1000, 64) of 100 words, Conv1D(128, 5, relu), GlobalMaxPooling1D, Dense(1, sigmoid), Adam, batches
//! of 64. Before a kernel is timed, its bits are compared with `reference`. The limit of a product is multiplications and additions
//! in registers, unfused, at that level, as many as the definition has: `convolve_repeated` and the backward passes, which leave
//! most of them out, are beyond it.

#[allow(dead_code)]
mod common;

use common::{Bench, Limit, Numbers, Who};
use core::hint::black_box;
use nanoembed::internals::{self, Repeats, Windows, reference};
use nanoembed::layers::{Conv1D, Dense, Embedding, GlobalMaxPooling1D, Layer, Relu, Sigmoid};
use nanoembed::loss::BinaryCrossEntropy;
use nanoembed::optim::Adam;
use nanoembed::rand_core::{Rng, SeedableRng};
use nanoembed::rand_xoshiro::Xoshiro128PlusPlus;
use nanoembed::sequential;
use nanoembed::simd::Level;
use nanoembed::table::{Table, TableMut};
use nanoembed::train::Trainer;
use nanoembed::zerocopy::FromZeros;

const BATCH: usize = 64;
const LEN: usize = 100;
const ROWS: usize = 1000;
const DIM: usize = 64;
const FILTERS: usize = 128;
const TAPS: usize = 5;
const OUT: usize = LEN - TAPS + 1;
const SIZE: usize = TAPS * DIM;
const WINDOWS: Windows = Windows { taps: TAPS, stride: 1, dilation: 1, before: 0 };
/// Of one sequence.
const PRODUCTS: usize = OUT * SIZE * FILTERS;

type Model = sequential![
    Embedding<LEN, ROWS, DIM>,
    Conv1D<LEN, DIM, FILTERS, TAPS, OUT, Relu>,
    GlobalMaxPooling1D<OUT, FILTERS>,
    Dense<FILTERS, 1, Sigmoid>,
];

fn ids(random: &mut Xoshiro128PlusPlus) -> Vec<[u16; LEN]> {
    (0..BATCH).map(|_| core::array::from_fn(|_| (random.next_u32() % ROWS as u32) as u16)).collect()
}

fn forward(bench: &mut Bench) {
    let (x, kernel) = (Numbers::any(LEN * DIM), Numbers::any(SIZE * FILTERS));
    let valid = [true; LEN];
    let name = format!("convolve {LEN}x{DIM}, {TAPS}x{FILTERS}");
    bench.case(&name, 1, Limit::MultiplyAdds(PRODUCTS), OUT * FILTERS, |who, _, y| {
        let (x, kernel) = black_box((x.get(), kernel.get()));
        let (x_table, kernel_table) =
            (Table::new(x, LEN, DIM).unwrap(), Table::new(kernel, SIZE, FILTERS).unwrap());
        let mut y_table = TableMut::new(y, OUT, FILTERS).unwrap();
        match who {
            Who::Reference => {
                reference::convolve(WINDOWS, x_table, &valid, kernel_table, &mut y_table).unwrap();
            }
            Who::Kernel(level) => {
                internals::convolve_at(level, WINDOWS, x_table, &valid, kernel_table, &mut y_table).unwrap();
            }
            Who::Naive => {
                for (o, y) in y.chunks_exact_mut(FILTERS).enumerate() {
                    for (x, kernel) in x[o * DIM..][..SIZE].iter().zip(kernel.chunks_exact(FILTERS)) {
                        y.iter_mut().zip(kernel).for_each(|(y, w)| *y += x * w);
                    }
                }
            }
            Who::Limit(_) => {}
        }
    });
}

/// The sequences of a batch: steps are rows of a table of a thousand words.
fn repeated(bench: &mut Bench) {
    let (table, kernel) = (Numbers::any(ROWS * DIM), Numbers::any(SIZE * FILTERS));
    let ids = ids(&mut Xoshiro128PlusPlus::seed_from_u64(1));
    let x: Vec<f32> = ids
        .as_flattened()
        .iter()
        .flat_map(|id| &table.get()[usize::from(*id) * DIM..][..DIM])
        .copied()
        .collect();
    let valid = vec![true; BATCH * LEN];
    let (mut numbers, mut firsts, mut slots) =
        (vec![0; BATCH * LEN], vec![0; BATCH * LEN / 2], vec![0; BATCH * LEN]);
    let mut products = Numbers::any(BATCH * LEN * FILTERS);
    let x_table = Table::new(&x, BATCH * LEN, DIM).unwrap();
    let name = format!("distinct_rows and convolve_repeated, {BATCH} sequences");
    bench.case(&name, 1, Limit::MultiplyAdds(BATCH * PRODUCTS), BATCH * OUT * FILTERS, |who, _, y| {
        let kernel = Table::new(black_box(kernel.get()), SIZE, FILTERS).unwrap();
        let each = |y: &mut [f32], convolve: &dyn Fn(Table<'_>, &mut TableMut<'_>)| {
            for (x, y) in x.chunks_exact(LEN * DIM).zip(y.chunks_exact_mut(OUT * FILTERS)) {
                convolve(Table::new(x, LEN, DIM).unwrap(), &mut TableMut::new(y, OUT, FILTERS).unwrap());
            }
        };
        match who {
            Who::Reference => {
                each(y, &|x, y| reference::convolve(WINDOWS, x, &valid[..LEN], kernel, y).unwrap());
            }
            // Each step for itself.
            Who::Naive => each(y, &|x, y| internals::convolve(WINDOWS, x, &valid[..LEN], kernel, y).unwrap()),
            Who::Kernel(level) => {
                let count =
                    internals::distinct_rows_at(level, x_table, &mut numbers, &mut firsts, &mut slots)
                        .unwrap();
                let firsts = &firsts[..count.unwrap()];
                let repeats =
                    Repeats { sequences: BATCH, steps: x_table, valid: &valid, numbers: &numbers, firsts };
                let to = &mut TableMut::new(y, BATCH * OUT, FILTERS).unwrap();
                internals::convolve_repeated_at(
                    level,
                    WINDOWS,
                    repeats,
                    kernel,
                    None,
                    products.get_mut(),
                    to,
                )
                .unwrap();
            }
            Who::Limit(_) => {}
        }
    });
}

/// Gradients of one sequence: one in `OUT` behind a maximum, one in two behind a rectifier, all.
fn backward(bench: &mut Bench) {
    let (numbers, kernel) = (Numbers::any(LEN * DIM), Numbers::any(SIZE * FILTERS));
    let valid = [true; LEN];
    for (what, share) in [("a maximum", OUT as u32), ("relu", 2), ("no zeros", 1)] {
        let random = &mut Xoshiro128PlusPlus::seed_from_u64(2);
        let d_y: Vec<f32> = (0..OUT * FILTERS)
            .map(|_| {
                if random.next_u32().is_multiple_of(share) {
                    0.5 + (random.next_u32() >> 8) as f32
                } else {
                    0.0
                }
            })
            .collect();
        let d_y = Table::new(&d_y, OUT, FILTERS).unwrap();
        let (x, kernel) =
            (Table::new(numbers.get(), LEN, DIM).unwrap(), Table::new(kernel.get(), FILTERS, SIZE).unwrap());
        let limit = Limit::MultiplyAdds(PRODUCTS);
        bench.case(
            &format!("gradient of the kernel, {what}"),
            1,
            limit,
            FILTERS * SIZE,
            |who, _, d_kernel| {
                let d_bias = &mut [0.0; FILTERS];
                match who {
                    Who::Reference | Who::Kernel(_) => {
                        let to = &mut TableMut::new(d_kernel, FILTERS, SIZE).unwrap();
                        if let Who::Kernel(level) = who {
                            internals::convolve_backward_kernel_at(
                                level, WINDOWS, x, &valid, d_y, to, d_bias,
                            )
                            .unwrap();
                        } else {
                            reference::convolve_backward_kernel(WINDOWS, x, &valid, d_y, to, d_bias).unwrap();
                        }
                    }
                    Who::Naive => naive_backward(d_y, |o, f, d| {
                        let x = &numbers.get()[o * DIM..][..SIZE];
                        d_kernel[f * SIZE..][..SIZE].iter_mut().zip(x).for_each(|(sum, x)| *sum += d * x);
                    }),
                    Who::Limit(_) => {}
                }
            },
        );
        bench.case(&format!("gradient of the input, {what}"), 1, limit, LEN * DIM, |who, _, d_x| match who {
            Who::Reference | Who::Kernel(_) => {
                let to = &mut TableMut::new(d_x, LEN, DIM).unwrap();
                if let Who::Kernel(level) = who {
                    internals::convolve_backward_input_at(level, WINDOWS, &valid, kernel, d_y, to).unwrap();
                } else {
                    reference::convolve_backward_input(WINDOWS, &valid, kernel, d_y, to).unwrap();
                }
            }
            Who::Naive => {
                d_x.fill(0.0);
                naive_backward(d_y, |o, f, d| {
                    let weights = kernel.row(f).unwrap();
                    d_x[o * DIM..][..SIZE].iter_mut().zip(weights).for_each(|(sum, w)| *sum += d * w);
                });
            }
            Who::Limit(_) => {}
        });
    }
}

/// Calls `add` for each gradient, zero or not.
fn naive_backward(d_y: Table<'_>, mut add: impl FnMut(usize, usize, f32)) {
    for o in 0..OUT {
        for (f, d) in d_y.row(o).unwrap().iter().enumerate() {
            add(o, f, *d);
        }
    }
}

/// A training step at each level. In the place of the naive loop stands a prediction of the batch, which makes all products.
fn training(bench: &mut Bench) {
    let random = &mut Xoshiro128PlusPlus::seed_from_u64(3);
    let mut model = Model::boxed(random);
    let ids = ids(random);
    let labels: Vec<[f32; 1]> = ids.iter().map(|_| [(random.next_u32() % 2) as f32]).collect();
    let mut trainer = Trainer::<Model, _, _, BATCH>::boxed(Adam::default(), BinaryCrossEntropy::default());
    let best = Level::current();
    let limit = Limit::MultiplyAdds(BATCH * PRODUCTS);
    let mut workspace = <Model as Layer>::Workspace::<BATCH>::new_box_zeroed().expect("memory");
    let mut outputs = vec![[0.0]; BATCH];
    bench.time("training step; naive: prediction", 1, limit, |who, _| match who {
        Who::Kernel(level) => {
            level.set_current();
            black_box(trainer.step(&mut model, &ids, &labels).unwrap());
            best.set_current();
        }
        Who::Naive => model.predict_batch::<BATCH>(&ids, &mut workspace, &mut outputs).unwrap(),
        Who::Reference | Who::Limit(_) => {}
    });
}

fn main() {
    let mut bench = Bench::new("convolution");
    forward(&mut bench);
    repeated(&mut bench);
    backward(&mut bench);
    training(&mut bench);
    bench.print("a call");
}
