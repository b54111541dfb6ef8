//! Row formats: rows into each and back, read where they lie, trained in place.

use super::data::{Data, Fold};
use super::rows::{DIMS, MAX_DIM, MAX_LEN, ROWS};
use nanoembed::internals;
use nanoembed::internals::Trainable;
use nanoembed::kernels::{self, Noise};
use nanoembed::table::{Bags, Bf16, F16, Format, Indices, Pooling, Table, TableMut, U2, U4, U8};

pub(crate) const PARTS: &[super::Part] = &[
    ("rows f16", || rows::<F16>(0) ^ rounded::<F16>(0)),
    ("rows bf16", || rows::<Bf16>(0) ^ rounded::<Bf16>(0)),
    ("rows u8", || rows::<U8>(0) ^ rounded::<U8>(0)),
    ("rows u4", || rows::<U4>(0)),
    ("rows u2", || rows::<U2>(0)),
];

const MAX_ROW: usize = MAX_DIM + 8;

/// Numbers of many sizes: rows of one value, large and small ones.
fn numbers(data: &mut Data) -> [f32; ROWS * MAX_DIM] {
    let mut numbers = data.floats();
    let (rows, _) = numbers.as_chunks_mut::<MAX_DIM>();
    for (i, row) in rows.iter_mut().enumerate() {
        for x in row {
            *x = [*x, 0.5, *x * 1e30, *x * 1e-30, *x * 1e-6 + 3.0][if i < 15 { 0 } else { i % 5 }];
        }
    }
    numbers
}

fn fold_elements<E: Copy + Into<u64>>(fold: &mut Fold, elements: &[E]) {
    for &element in elements {
        fold.number(element.into() as usize);
    }
}

fn rows<F: Format>(zero: u8) -> u64
where
    F::Element: From<u8> + Into<u64>,
{
    let (mut data, mut fold) = (Data::new(40), Fold::new());
    let numbers = numbers(&mut data);
    let weights = data.floats::<MAX_LEN>();
    let mut elements = [F::Element::from(zero); ROWS * MAX_ROW];
    for dim in DIMS {
        let elements = &mut elements[..ROWS * F::row_length(dim)];
        let from = Table::with_stride(&numbers, ROWS, dim, MAX_DIM).unwrap();
        internals::quantise(from, &mut TableMut::<F>::packed(elements, ROWS, dim).unwrap()).unwrap();
        fold_elements(&mut fold, elements);
        let table = Table::<F>::packed(elements, ROWS, dim).unwrap();
        let mut back = [7.0; ROWS * MAX_DIM];
        let back = &mut back[..ROWS * dim];
        internals::dequantise(table, &mut TableMut::new(back, ROWS, dim).unwrap()).unwrap();
        fold.floats(back);
        for len in (0..=MAX_LEN).step_by(4) {
            let ids = data.ids::<MAX_LEN>(ROWS + 3);
            let indices = Indices::skipping(&ids[..len], ROWS);
            let mut out = [7.0; MAX_LEN * MAX_DIM];
            kernels::gather(table, indices, &mut out[..len * dim]).unwrap();
            fold.floats(&out[..len * dim]);
            let offsets = [0, len / 3, len / 3, len];
            let plain = Bags::new(indices, &offsets).unwrap();
            let weighted = plain.with_weights(&weights[..len]).unwrap().with_padding(2).unwrap();
            for bags in [plain, weighted] {
                kernels::pool(table, &bags, Pooling::Mean, &mut out[..3 * dim]).unwrap();
                fold.floats(&out[..3 * dim]);
            }
        }
    }
    fold.hash()
}

fn rounded<F: Trainable>(zero: u8) -> u64
where
    F::Element: From<u8> + Into<u64>,
{
    let (mut data, mut fold) = (Data::new(41), Fold::new());
    let numbers = numbers(&mut data);
    let mut elements = [F::Element::from(zero); ROWS * MAX_ROW];
    for (dim, step) in DIMS.into_iter().zip(1..) {
        let elements = &mut elements[..ROWS * F::row_length(dim)];
        let from = Table::with_stride(&numbers, ROWS, dim, MAX_DIM).unwrap();
        let mut to = TableMut::<F>::packed(elements, ROWS, dim).unwrap();
        internals::quantise_rounded(from, Noise { seed: 5, step, first_row: 0 }, &mut to).unwrap();
        fold_elements(&mut fold, elements);
    }
    fold.hash()
}
