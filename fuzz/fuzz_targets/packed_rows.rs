//! Any bytes as a table of any format: gather, pool and dequantise panic on nothing and agree with the reference by bits; quantising what
//! came out gives the reference's bytes.
//!
//! Bytes: format, dim, gap between rows, number of ids, then the ids, one byte each, then the table.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nanoembed::internals::reference::{self, FormatSpec};
use nanoembed::internals::{dequantise, quantise};
use nanoembed::kernels::{gather, pool, pool_max};
use nanoembed::table::{Bags, Bf16, F16, F32, I4, I8, Indices, Pooling, Table, TableMut, U2, U4, U8};
use nanoembed::zerocopy::{FromBytes, IntoBytes};

fuzz_target!(|data: &[u8]| {
    let Some((&[format, dim, gap, length], rest)) = data.split_first_chunk() else { return };
    let (ids, bytes) = rest.split_at(usize::from(length).min(rest.len()));
    let (dim, gap) = (usize::from(dim), usize::from(gap) % 20);
    match format % 8 {
        0 => run::<F32>(dim, gap, ids, bytes),
        1 => run::<F16>(dim, gap, ids, bytes),
        2 => run::<Bf16>(dim, gap, ids, bytes),
        3 => run::<U8>(dim, gap, ids, bytes),
        4 => run::<U4>(dim, gap, ids, bytes),
        5 => run::<U2>(dim, gap, ids, bytes),
        6 => run::<I8>(dim, gap, ids, bytes),
        _ => run::<I4>(dim, gap, ids, bytes),
    }
});

/// Bits, with one for all NaN.
fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|x| if x.is_nan() { 0x7fc0_0000 } else { x.to_bits() }).collect()
}

fn run<F: FormatSpec>(dim: usize, gap: usize, ids: &[u8], bytes: &[u8]) {
    let elements: Vec<F::Element> = bytes
        .chunks_exact(size_of::<F::Element>())
        .map(|bytes| F::Element::read_from_bytes(bytes).expect("a chunk of that size"))
        .collect();
    let stride = F::row_length(dim) + gap;
    if stride == 0 {
        return;
    }
    let rows = elements.len() / stride;
    let table = Table::<F>::packed_with_stride(&elements, rows, dim, stride).expect("rows that there are");
    assert!(
        Table::<F>::packed_with_stride(&elements, rows + 2, dim, stride).is_err() || dim == 0 || gap == 0
    );

    let (mut found, mut expected) = (vec![1.0; rows * dim], vec![2.0; rows * dim]);
    dequantise(table, &mut TableMut::new(&mut found, rows, dim).expect("the length")).expect("the shape");
    reference::dequantise(table, &mut TableMut::new(&mut expected, rows, dim).expect("the length"));
    assert_eq!(bits(&found), bits(&expected));

    let numbers = Table::new(&expected, rows, dim).expect("the length");
    let (mut packed, mut plain) = (elements.clone(), elements.clone());
    let mut to = TableMut::<F>::packed_with_stride(&mut packed, rows, dim, stride).expect("as before");
    quantise(numbers, &mut to).expect("the shape");
    if expected.iter().all(|x| x.is_finite()) {
        let mut to = TableMut::<F>::packed_with_stride(&mut plain, rows, dim, stride).expect("as before");
        reference::quantise(numbers, &mut to);
        assert_eq!(packed.as_bytes(), plain.as_bytes());
    }

    let indices = Indices::skipping(ids, rows);
    let (mut found, mut expected) = (vec![1.0; ids.len() * dim], vec![2.0; ids.len() * dim]);
    gather(table, indices, &mut found).expect("the length");
    reference::gather(table, indices, &mut expected);
    assert_eq!(bits(&found), bits(&expected));

    let weights: Vec<f32> = ids.iter().map(|&id| f32::from(id) - 100.0).collect();
    let offsets = [0, ids.len() / 3, ids.len() / 3, ids.len()];
    let bags = Bags::new(indices, &offsets).expect("offsets in order");
    for bags in [bags, bags.with_weights(&weights).expect("a weight for each")] {
        let (mut found, mut expected) = (vec![1.0; 3 * dim], vec![2.0; 3 * dim]);
        for pooling in Pooling::ALL {
            pool(table, &bags, pooling, &mut found).expect("the length");
            reference::pool(table, &bags, pooling, &mut expected);
            assert_eq!(bits(&found), bits(&expected));
        }
        let (mut found_at, mut expected_at) = (vec![1; 3 * dim], vec![2; 3 * dim]);
        pool_max(table, &bags, &mut found, &mut found_at).expect("the length");
        reference::pool_max(table, &bags, &mut expected, &mut expected_at);
        assert_eq!((bits(&found), found_at), (bits(&expected), expected_at));
    }
}
