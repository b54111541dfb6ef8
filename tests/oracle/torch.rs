//! PyTorch's `F.embedding` and `F.embedding_bag`: every option, forward and backward.

use crate::fixture::{Array, FORWARD, Fixture, GRADIENT, assert_close, list, number};
use crate::run_time::AtRunTime;
use nanoembed::internals::{coalesce, max_norm, weight_gradients};
use nanoembed::kernels::{gather, pool, pool_max, scatter_add_max};
use nanoembed::models::{Input, LayerKind, Record, Source};
use nanoembed::sparse::{Occurrence, RowNorm, SortedOccurrences};
use nanoembed::table::{Bags, Indices, Pooling, Reject, Table, TableMut};
use serde_json::Value;

fn close(what: &str, found: &[f32], expected: &Value, (absolute, relative): (f32, f32)) {
    assert_close(what, found, &Array::read(expected).data, absolute, relative);
}

/// The rows that the case looks up, shortened if it says so.
fn table_of(case: &Value, ids: &[i64]) -> (Vec<f32>, usize, usize) {
    let Array { shape, mut data } = Array::read(&case["weight_before"]);
    let [rows, dim] = shape[..] else { panic!("a table is rows x dim") };
    let config = &case["config"];
    if !config["max_norm"].is_null() {
        let norm = match &config["norm_type"] {
            Value::Null => RowNorm::L2,
            Value::String(name) if name == "inf" => RowNorm::Max,
            other if number(other) == 1.0 => RowNorm::L1,
            other => panic!("norm_type {other}"),
        };
        let ids = Indices::new(ids, rows).expect("ids of the table");
        let table = &mut TableMut::new(&mut data, rows, dim).expect("a full table");
        max_norm(ids, number(&config["max_norm"]), norm, table).expect("shapes fit");
    }
    close("weight after lookup", &data, &case["weight_after_lookup"], FORWARD);
    (data, rows, dim)
}

/// The row that `padding_idx` names; −1 is the last one.
fn padding_of(case: &Value, rows: usize) -> Option<usize> {
    let padding = case["config"]["padding_idx"].as_i64()?;
    Some(padding.rem_euclid(rows as i64) as usize)
}

/// The gradient of the whole table from the occurrences of rows and their gradients.
fn dense_gradient(case: &Value, list: &mut [Occurrence], gradients: Table<'_>, rows: usize) -> Vec<f32> {
    let (count, dim) = (list.len(), gradients.dim());
    let mut scratch = vec![Occurrence::default(); count];
    let mut sorted = SortedOccurrences::sort(list, &mut scratch).expect("one length");
    if scales(case) {
        sorted = sorted.by_frequency();
    }
    let (mut touched, mut sums) = (vec![0; count], vec![0.0; count * dim]);
    let to = &mut TableMut::new(&mut sums, count, dim).expect("a row an occurrence");
    let distinct = coalesce(sorted, gradients, &mut touched, to).expect("shapes fit");
    let mut dense = vec![0.0; rows * dim];
    for (row, sum) in touched[..distinct].iter().zip(sums.chunks(dim)) {
        dense[*row as usize * dim..][..dim].clone_from_slice(sum);
    }
    dense
}

/// Whether a row's gradient is divided by how often it occurs, which layers do not do.
fn scales(case: &Value) -> bool {
    case["config"]["scale_grad_by_freq"].as_bool() == Some(true)
}

/// The layers' outputs and gradients at run time.
fn at_run_time(case: &Value, (model, input, n): (&AtRunTime, Input<'_>, usize)) {
    let what = format!("at run time: {}", case["config"]);
    close(&what, &model.outputs(input, n), &case["output"], FORWARD);
    if !scales(case) {
        let gradients = model.gradients(input, n, &Array::read(&case["cotangent"]).data);
        let rows = Array::read(&case["grad_weight"]).data.len();
        close(&what, &gradients[..rows], &case["grad_weight"], GRADIENT);
    }
}

fn short(ids: &[i64]) -> Vec<u32> {
    ids.iter().map(|id| u32::try_from(*id).expect("an id of the table")).collect()
}

/// `Embedding`; a row of padding is read and does not learn.
fn embedding_at_run_time(case: &Value, ids: &[i64], (weights, rows, dim): (&[f32], usize, usize)) {
    let layer = Record::new(LayerKind::Embedding, &[ids.len(), rows, dim]).from(Source::Input(0));
    let flat = Record::new(LayerKind::Flatten, &[ids.len(), dim]);
    let mut model = AtRunTime { records: vec![layer, flat], parameters: weights.to_vec() };
    if let Some(row) = padding_of(case, rows) {
        model.records[0] = layer.frozen_rows();
        let mut bits = vec![0; rows.div_ceil(32)];
        bits[row / 32] |= 1 << (row % 32);
        model.parameters.extend(bits.into_iter().map(f32::from_bits));
    }
    at_run_time(case, (&model, Input::Ids(&short(ids)), 1));
}

/// `EmbeddingBag`, of sums and means without weights; ids of padding are left out.
fn bags_at_run_time(
    case: &Value,
    bags: &Bags<'_, i64, Reject, i64>,
    (weights, rows, dim): (&[f32], usize, usize),
) {
    let pooling = match case["mode"].as_str() {
        _ if !case["per_sample_weights"].is_null() => return,
        Some("mean") => 0,
        Some("sum") => 1,
        _ => return,
    };
    let (mut ids, mut offsets) = (vec![], vec![0]);
    for bag in bags.iter() {
        ids.extend(bag.iter().map(|entry| entry.row as u32));
        offsets.push(ids.len() as u32);
    }
    let layer = Record::new(LayerKind::EmbeddingBag, &[rows, dim]).options([pooling, 0, 0]);
    let model = AtRunTime { records: vec![layer.from(Source::Input(0))], parameters: weights.to_vec() };
    at_run_time(case, (&model, Input::Bags { ids: &ids, offsets: &offsets }, bags.len()));
}

pub(crate) fn embedding(fixture: &Fixture) {
    for case in list(&fixture.0["cases"]) {
        let what = case["config"].to_string();
        let ids = Array::integers(&case["indices"]);
        let (weights, rows, dim) = table_of(case, &ids);
        let indices = Indices::new(&ids, rows).expect("ids of the table");
        embedding_at_run_time(case, &ids, (&weights, rows, dim));

        // PyTorch reads the padding row; it has no gradient.
        let mut output = vec![0.0; ids.len() * dim];
        gather(Table::new(&weights, rows, dim).expect("a full table"), indices, &mut output)
            .expect("shapes fit");
        close(&what, &output, &case["output"], FORWARD);

        let indices = match padding_of(case, rows) {
            Some(row) => indices.with_padding(row).expect("a row of the table"),
            None => indices,
        };
        let cotangent = Array::read(&case["cotangent"]).data;
        let gradients = Table::new(&cotangent, ids.len(), dim).expect("a gradient an id");
        let mut list = vec![Occurrence::default(); ids.len()];
        let list = indices.occurrences(&mut list).expect("room for all");
        close(&what, &dense_gradient(case, list, gradients, rows), &case["grad_weight"], GRADIENT);
    }
}

pub(crate) fn embedding_bag(fixture: &Fixture) {
    for case in list(&fixture.0["cases"]) {
        let mode = case["mode"].as_str().expect("a mode");
        let what = format!("{mode} {}", case["config"]);
        let ids = Array::integers(&case["indices"]);
        let (weights, rows, dim) = table_of(case, &ids);
        let table = Table::new(&weights, rows, dim).expect("a full table");
        let indices = Indices::new(&ids, rows).expect("ids of the table");
        let indices = match padding_of(case, rows) {
            Some(row) => indices.with_padding(row).expect("a row of the table"),
            None => indices,
        };
        let offsets = if case["offsets"].is_null() {
            let [bags, length] = Array::read(&case["indices"]).shape[..] else { panic!("{what}: 2-D ids") };
            (0..=bags).map(|bag| (bag * length) as i64).collect()
        } else {
            Array::integers(&case["offsets"])
        };
        let last = case["offsets"].is_null() || case["config"]["include_last_offset"].as_bool() == Some(true);
        let bags = if last { Bags::new(indices, &offsets) } else { Bags::from_starts(indices, &offsets) };
        let bags = bags.expect("offsets of the ids");
        bags_at_run_time(case, &bags, (&weights, rows, dim));
        let per_sample =
            (!case["per_sample_weights"].is_null()).then(|| Array::read(&case["per_sample_weights"]).data);
        let bags = match &per_sample {
            Some(weights) => bags.with_weights(weights).expect("a weight an id"),
            None => bags,
        };
        let cotangent = Array::read(&case["cotangent"]).data;

        let mut output = vec![0.0; bags.len() * dim];
        if mode == "max" {
            let mut arg_max = vec![0; output.len()];
            pool_max(table, &bags, &mut output, &mut arg_max).expect("shapes fit");
            close(&what, &output, &case["output"], FORWARD);
            let mut gradient = vec![0.0; rows * dim];
            let to = &mut TableMut::new(&mut gradient, rows, dim).expect("a full table");
            scatter_add_max(&cotangent, &arg_max, &bags, to).expect("shapes fit");
            close(&what, &gradient, &case["grad_weight"], GRADIENT);
            continue;
        }

        let pooling = if mode == "sum" { Pooling::Sum } else { Pooling::Mean };
        pool(table, &bags, pooling, &mut output).expect("shapes fit");
        close(&what, &output, &case["output"], FORWARD);

        let mut gradient = vec![0.0; rows * dim];
        let to = &mut TableMut::new(&mut gradient, rows, dim).expect("a full table");
        nanoembed::kernels::scatter_add_bags(&cotangent, &bags, pooling, to).expect("shapes fit");
        if case["config"]["scale_grad_by_freq"].as_bool() == Some(true) {
            let mut d_bags = cotangent.clone();
            for (d, bag) in d_bags.chunks_mut(dim).zip(bags.iter()) {
                let divisor = bag.divisor(pooling).unwrap_or(1.0);
                for d in d {
                    *d /= divisor;
                }
            }
            let mut list = vec![Occurrence::default(); ids.len()];
            let list = bags.occurrences(&mut list).expect("room for all");
            let d_bags = Table::new(&d_bags, bags.len(), dim).expect("a gradient a bag");
            gradient = dense_gradient(case, list, d_bags, rows);
        }
        close(&what, &gradient, &case["grad_weight"], GRADIENT);

        assert_eq!(per_sample.is_none(), case["grad_per_sample_weights"].is_null(), "{what}");
        if per_sample.is_some() {
            let mut d_weights = vec![0.0; ids.len()];
            weight_gradients(table, &bags, pooling, &cotangent, &mut d_weights).expect("shapes fit");
            close(&what, &d_weights, &case["grad_per_sample_weights"], GRADIENT);
        }
    }
}
