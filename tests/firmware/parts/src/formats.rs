//! Row formats: rows into each and back, read where they lie, trained in place.

use super::data::{Data, Fold};
use super::rows::{DIMS, MAX_DIM, MAX_LEN, ROWS};
use nanoembed::internals;
use nanoembed::internals::Trainable;
use nanoembed::kernels::{self, Noise};
use nanoembed::layers::{Bag, Bytes, Folded, I4Row, KeptRows, Layer};
use nanoembed::table::{Bags, Bf16, F16, Format, I4, I8, Indices, Pooling, Table, TableMut, U2, U4, U8};

/// Rows of integers: the scale that is found, the codes, and what is read and summed of them.
macro_rules! integers {
    ($format:ident) => {
        || {
            let (mut data, mut fold) = (Data::new(42), Fold::new());
            let numbers: [f32; ROWS * MAX_DIM] = data.floats();
            let weights = data.floats::<MAX_LEN>();
            let mut bytes = [0; ROWS * MAX_ROW];
            for dim in DIMS {
                let bytes = &mut bytes[..ROWS * $format::row_length(dim)];
                let from = Table::with_stride(&numbers, ROWS, dim, MAX_DIM).unwrap();
                let scale = $format::scale_of(from, None).unwrap();
                let mut to = TableMut::<$format>::packed(bytes, ROWS, dim).unwrap().with_scale(scale);
                internals::quantise(from, &mut to).unwrap();
                fold.float(scale);
                fold.bytes(bytes);
                let table = Table::<$format>::packed(bytes, ROWS, dim).unwrap().with_scale(scale);
                let ids = data.ids::<MAX_LEN>(ROWS + 3);
                let indices = Indices::skipping(&ids, ROWS);
                let mut out = [7.0; MAX_LEN * MAX_DIM];
                kernels::gather(table, indices, &mut out[..MAX_LEN * dim]).unwrap();
                fold.floats(&out[..MAX_LEN * dim]);
                let offsets = [0, MAX_LEN / 3, MAX_LEN / 3, MAX_LEN];
                let plain = Bags::new(indices, &offsets).unwrap();
                for bags in [plain, plain.with_weights(&weights).unwrap()] {
                    kernels::pool(table, &bags, Pooling::Mean, &mut out[..3 * dim]).unwrap();
                    fold.floats(&out[..3 * dim]);
                }
            }
            fold.hash()
        }
    };
}

pub(crate) const PARTS: &[super::Part] = &[
    ("rows f16", || rows::<F16>(0) ^ rounded::<F16>(0)),
    ("rows bf16", || rows::<Bf16>(0) ^ rounded::<Bf16>(0)),
    ("rows u8", || rows::<U8>(0) ^ rounded::<U8>(0)),
    ("rows u4", || rows::<U4>(0)),
    ("rows u2", || rows::<U2>(0)),
    ("rows i8", integers!(I8)),
    ("rows i4", integers!(I4)),
    ("folded classifier", folded),
    ("folded classifier, no row", folded_nothing),
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

type Scored = Folded<KeptRows<I4Row<5, 3>, 64, 128, 4>, 5>;

/// A folded classifier of any codes, of which some rows were left out.
fn scored(data: &mut Data, bias: fn(&mut Data) -> u8) -> Scored {
    let mut model = Scored::zeroed();
    let mut place = 0;
    model.visit_mut(&mut |part| {
        for byte in part {
            // The rows, then for each 32 of them two words; the scale is 2⁻⁶.
            *byte = match place {
                0..192 => data.bits() as u8,
                192..224 => [0x55, 0xaa, 0x33, 0xcc, 16 * ((place - 192) / 8), 0, 0, 0][place % 8] as u8,
                227 => 0x3c,
                226 => 0x80,
                // Of each bias the low half.
                228.. if place % 4 < 2 => bias(data),
                _ => 0,
            };
            place += 1;
        }
    });
    model
}

/// What texts without a row have: the biases.
fn folded_nothing() -> u64 {
    let (mut data, mut fold) = (Data::new(44), Fold::new());
    for _ in 0..20 {
        let model = scored(&mut data, |data| data.bits() as u8);
        let scores = model.scores([1]);
        fold.number(scores.class());
        for (sum, share) in scores.sums.iter().zip(scores.probabilities()) {
            fold.bytes(&sum.to_le_bytes());
            fold.bytes(&share.to_le_bytes());
        }
        for ids in [&[][..], &[1, 3]] {
            fold.floats(&model.predict(&Bag::from_ids(ids.iter().copied()).unwrap()).unwrap());
        }
    }
    fold.hash()
}

/// Scores of a folded classifier.
fn folded() -> u64 {
    let (mut data, mut fold) = (Data::new(43), Fold::new());
    let model = scored(&mut data, |_| 0);
    for len in 0..40 {
        let ids = data.ids::<40>(130);
        let scores = model.scores(ids[..len].iter().map(|id| *id as usize));
        fold.number(scores.class());
        for (sum, share) in scores.sums.iter().zip(scores.probabilities()) {
            fold.bytes(&sum.to_le_bytes());
            fold.bytes(&share.to_le_bytes());
        }
        let bag = Bag::from_ids(ids[..len].iter().map(|id| *id % 128)).unwrap();
        fold.floats(&model.predict(&bag).unwrap());
    }
    fold.hash()
}
