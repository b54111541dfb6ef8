//! PyTorch's row-wise quantisation, which is FBGEMM's: the packed bytes, the numbers they stand for, sums of bags.

use crate::fixture::{Array, FORWARD, Fixture, assert_close, integers, list};
use crate::run_time::AtRunTime;
use nanoembed::internals::{dequantise, quantise};
use nanoembed::kernels::pool;
use nanoembed::models::{Input, LayerKind, Record, Source};
use nanoembed::table::{Bags, Format, Indices, Pooling, Table, TableMut, U2, U4, U8};
use serde_json::Value;

pub(crate) fn packed_rows_and_bags(fixture: &Fixture) {
    let cases = list(&fixture.0["cases"]);
    assert!(!cases.is_empty(), "the fixture has cases");
    for case in cases {
        check::<U8>(case, &case["int8"]);
        check::<U4>(case, &case["int4"]);
        check::<U2>(case, &case["int2"]);
    }
}

fn check<F: Format<Element = u8>>(case: &Value, expected: &Value) {
    if !expected["torch_raises"].is_null() {
        return; // PyTorch packs 2 bits only if the bytes come out even.
    }
    let weight = Array::read(&case["weight"]);
    let [rows, dim] = weight.shape[..] else { panic!("a table is rows x dim") };
    let table = Table::new(&weight.data, rows, dim).expect("a full table");
    let packed: Vec<u8> = integers(&expected["packed"]["data"]).into_iter().map(|byte| byte as u8).collect();

    let mut bytes = vec![0; rows * F::row_length(dim)];
    quantise(table, &mut TableMut::<F>::packed(&mut bytes, rows, dim).expect("a full table"))
        .expect("shapes fit");
    assert_eq!(bytes, packed, "{}: packed bytes", F::NAME);

    let table = Table::<F>::packed(&bytes, rows, dim).expect("a full table");
    let mut numbers = vec![0.0; rows * dim];
    dequantise(table, &mut TableMut::new(&mut numbers, rows, dim).expect("a full table"))
        .expect("shapes fit");
    let (absolute, relative) = FORWARD;
    assert_close(F::NAME, &numbers, &Array::read(&expected["unpacked"]).data, absolute, relative);

    assert_eq!(case["mode"], "sum");
    let (ids, starts) = (Array::integers(&case["indices"]), Array::integers(&case["offsets"]));
    let bags = Bags::from_starts(Indices::new(&ids, rows).expect("ids of the table"), &starts).expect("bags");
    let weights = Array::read(&case["per_sample_weights"]).data;
    let weighted = bags.with_weights(&weights).expect("a weight for each id");
    let layer = Record::new(LayerKind::EmbeddingBag, &[rows, dim]).options([1, 0, 0]).format(F::ROW_FORMAT);
    let mut words = packed;
    words.resize(words.len().next_multiple_of(4), 0);
    let words = words.as_chunks().0.iter().map(|word| f32::from_bits(u32::from_le_bytes(*word)));
    let model = AtRunTime { records: vec![layer.from(Source::Input(0))], parameters: words.collect() };
    let short: Vec<u32> = ids.iter().map(|id| *id as u32).collect();
    let offsets: Vec<u32> = starts.iter().copied().chain([ids.len() as i64]).map(|end| end as u32).collect();
    let sums = model.outputs(Input::Bags { ids: &short, offsets: &offsets }, bags.len());
    let what = format!("at run time, {}", F::NAME);
    assert_close(&what, &sums, &Array::read(&expected["bag_sum"]).data, absolute, relative);
    for (bags, name) in [(bags, "bag_sum"), (weighted, "bag_weighted_sum")] {
        let mut sums = vec![f32::NAN; bags.len() * dim];
        pool(table, &bags, Pooling::Sum, &mut sums).expect("shapes fit");
        assert_close(name, &sums, &Array::read(&expected[name]).data, absolute, relative);
    }
}
