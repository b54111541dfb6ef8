//! Ids of every type and policy, and bags of them, from arbitrary bytes: what is accepted, what is refused and with which error agree
//! with unbounded arithmetic; the kernels agree with the reference by bits and panic on nothing.
//!
//! Bytes: id type, policy, rows, dim, flags, weights' seed, bytes of ids, then the ids, then the offsets, one byte each.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nanoembed::error::{BagError, IndexOutOfRange, RowOutOfRange};
use nanoembed::internals::{Index, Policy, reference, weight_gradients};
use nanoembed::kernels::{gather, pool, pool_max, scatter_add, scatter_add_bags};
use nanoembed::table::{Bags, Indices, Pooling, Table, TableMut};

struct Input<'a> {
    policy: u8,
    rows: usize,
    dim: usize,
    flags: u8,
    row: usize,
    offsets: &'a [u8],
}

fuzz_target!(|data: &[u8]| {
    let Some((&[kind, policy, rows, dim, flags, row, length], rest)) = data.split_first_chunk() else {
        return;
    };
    let (ids, offsets) = rest.split_at(usize::from(length).min(rest.len()));
    let input =
        Input { policy, rows: rows.into(), dim: usize::from(dim) % 70, flags, row: row.into(), offsets };
    macro_rules! ids {
        ($integer:ty) => {
            input.run(
                &ids.chunks_exact(size_of::<$integer>())
                    .map(read)
                    .map(<$integer>::from_le_bytes)
                    .collect::<Vec<_>>(),
            )
        };
    }
    match kind % 7 {
        0 => ids!(u8),
        1 => ids!(u16),
        2 => ids!(u32),
        3 => ids!(u64),
        4 => ids!(usize),
        5 => ids!(i32),
        _ => ids!(i64),
    }
});

fn read<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("a chunk of that size")
}

/// An id or offset as a number of a wider type.
fn wide<I: Index>(id: I) -> i128 {
    id.to_usize().map_or_else(|| id.to_i64().into(), |number| number as i128)
}

impl Input<'_> {
    fn run<I: Index>(&self, ids: &[I]) {
        let rows = self.rows as i128;
        let resolve = |id: &I| -> Option<usize> {
            let id = wide(*id);
            let row = if self.policy % 4 == 3 && id < 0 { id + rows } else { id };
            if (0..rows).contains(&row) { Some(row as usize) } else { None }
        };
        let resolved: Vec<Option<usize>> = ids.iter().map(resolve).collect();
        let error = resolved.iter().position(Option::is_none).map(|position| IndexOutOfRange {
            position,
            index: wide(ids[position]).min(i64::MAX.into()) as i64,
            rows: self.rows,
        });
        match self.policy % 4 {
            0 => match Indices::new(ids, self.rows) {
                Ok(indices) => self.kernels(indices, &resolved, error),
                Err(found) => assert_eq!(Some(found), error),
            },
            1 => self.kernels(Indices::skipping(ids, self.rows), &resolved, None),
            2 => match Indices::mapping(ids, self.rows, self.row) {
                Ok(indices) => {
                    let mapped: Vec<_> = resolved.iter().map(|row| row.or(Some(self.row))).collect();
                    self.kernels(indices, &mapped, None);
                }
                Err(found) => {
                    assert_eq!(found, RowOutOfRange { row: self.row, rows: self.rows });
                    assert!(self.row >= self.rows);
                }
            },
            _ => match Indices::from_end(ids, self.rows) {
                Ok(indices) => self.kernels(indices, &resolved, error),
                Err(found) => assert_eq!(Some(found), error),
            },
        }
    }

    fn kernels<I: Index, P: Policy>(
        &self,
        indices: Indices<'_, I, P>,
        resolved: &[Option<usize>],
        error: Option<IndexOutOfRange>,
    ) {
        assert_eq!(error, None, "accepted");
        assert!(indices.iter().eq(resolved.iter().copied()));

        let (rows, dim) = (self.rows, self.dim);
        let values = numbers(rows * dim);
        let table = Table::new(&values, rows, dim).expect("rows * dim numbers");
        let gradients = numbers(indices.len() * dim);
        let (mut found, mut expected) = (vec![f32::NAN; gradients.len()], vec![0.0; gradients.len()]);
        gather(table, indices, &mut found).expect("shapes fit");
        reference::gather(table, indices, &mut expected);
        assert_same(&found, &expected);

        let (mut found, mut expected) = (values.clone(), values.clone());
        let (mut a, mut b) = (view(&mut found, rows, dim), view(&mut expected, rows, dim));
        scatter_add(&gradients, indices, &mut a).expect("shapes fit");
        reference::scatter_add(&gradients, indices, &mut b);
        assert_same(&found, &expected);

        if self.flags & 1 == 0 {
            self.offsets(indices, self.offsets);
        } else {
            let signed: Vec<i64> = self.offsets.iter().map(|&offset| i64::from(offset as i8)).collect();
            self.offsets(indices, &signed);
        }
    }

    fn offsets<I: Index, P: Policy, O: Index>(&self, indices: Indices<'_, I, P>, offsets: &[O]) {
        let all = self.flags & 2 == 0;
        let ends: Vec<i128> = offsets.iter().map(|&offset| wide(offset)).collect();
        let length = indices.len() as i128;
        let valid = ends.is_sorted()
            && ends.first().map_or(!all && length == 0, |&first| first == 0)
            && ends.last().is_none_or(|&last| if all { last == length } else { last <= length });
        match if all { Bags::new(indices, offsets) } else { Bags::from_starts(indices, offsets) } {
            Ok(bags) => {
                assert!(valid);
                assert_eq!(bags.len(), offsets.len() - usize::from(all));
                let ends = ends.iter().skip(1).copied().chain((!all).then_some(length));
                assert!(bags.iter().zip(ends).all(|(bag, end)| {
                    let last = bag.iter().last();
                    last.is_none_or(|entry| (entry.position as i128) < end)
                }));
                self.bags(bags);
            }
            Err(BagError::OffsetsDecrease { bag, .. }) => assert!(!valid && ends[bag] > ends[bag + 1]),
            Err(BagError::OffsetsBeyond { position, .. }) => assert!(!valid && ends[position] > length),
            Err(BagError::OffsetsStart { .. }) => assert!(!valid && ends[0] != 0),
            Err(_) => assert!(!valid),
        }
    }

    fn bags<I: Index, P: Policy, O: Index>(&self, bags: Bags<'_, I, P, O>) {
        let weights = numbers(bags.indices().len());
        let bags = if self.flags & 4 == 0 {
            bags
        } else {
            bags.with_weights(&weights).expect("a weight for each id")
        };
        let bags = match bags.with_padding(self.row) {
            _ if self.flags & 8 == 0 => bags,
            Ok(bags) => bags,
            Err(_) => {
                assert!(self.row >= self.rows);
                bags
            }
        };
        let pooling = Pooling::ALL[usize::from(self.flags >> 4) % Pooling::ALL.len()];

        let (rows, dim) = (self.rows, self.dim);
        let values = numbers(rows * dim);
        let table = Table::new(&values, rows, dim).expect("rows * dim numbers");
        let d_out = numbers(bags.len() * dim);
        let (mut found, mut expected) = (vec![f32::NAN; d_out.len()], vec![0.0; d_out.len()]);
        pool(table, &bags, pooling, &mut found).expect("shapes fit");
        reference::pool(table, &bags, pooling, &mut expected);
        assert_same(&found, &expected);

        let (mut found, mut expected) = (values.clone(), values.clone());
        let (mut a, mut b) = (view(&mut found, rows, dim), view(&mut expected, rows, dim));
        scatter_add_bags(&d_out, &bags, pooling, &mut a).expect("shapes fit");
        reference::scatter_add_bags(&d_out, &bags, pooling, &mut b);
        assert_same(&found, &expected);

        let (mut found, mut expected) = (vec![f32::NAN; d_out.len()], vec![0.0; d_out.len()]);
        let (mut found_at, mut expected_at) = (vec![7; d_out.len()], vec![0; d_out.len()]);
        pool_max(table, &bags, &mut found, &mut found_at).expect("shapes fit");
        reference::pool_max(table, &bags, &mut expected, &mut expected_at);
        assert_same(&found, &expected);
        assert_eq!(found_at, expected_at);

        let (mut found, mut expected) = (weights.clone(), vec![0.0; weights.len()]);
        weight_gradients(table, &bags, pooling, &d_out, &mut found).expect("shapes fit");
        reference::weight_gradients(table, &bags, pooling, &d_out, &mut expected);
        assert_same(&found, &expected);
    }
}

fn view(values: &mut [f32], rows: usize, dim: usize) -> TableMut<'_> {
    TableMut::new(values, rows, dim).expect("rows * dim numbers")
}

/// Numbers of which another order of addition gives other sums.
fn numbers(length: usize) -> Vec<f32> {
    (0..length as u32).map(|i| (i.wrapping_mul(0x9e37_79b9) >> 8) as f32 * 0.001 - 7000.0).collect()
}

fn assert_same(found: &[f32], expected: &[f32]) {
    assert!(
        found.iter().map(|x| x.to_bits()).eq(expected.iter().map(|x| x.to_bits())),
        "{found:?} != {expected:?}"
    );
}
