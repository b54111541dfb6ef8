//! What a recipe computes, once more, for one example: plain loops over `f64`, one for each kind of layer.
#![allow(clippy::disallowed_methods)]

use crate::common::run_time::Column;
use nanoembed::models::{All, Input, LayerKind, Lengths, Model, Recipe, Record, Source, Workspace};

/// What a layer gives: the rows of a sequence, or one that is a vector; and which steps are valid.
#[derive(Clone, Default)]
pub(super) struct Value {
    rows: Vec<Vec<f64>>,
    mask: Vec<bool>,
}

impl Value {
    fn vector(numbers: Vec<f64>) -> Self {
        Self { rows: vec![numbers], mask: vec![true] }
    }

    /// The rows that are valid; all, if the mask is ignored.
    fn valid(&self, ignored: bool) -> Vec<&Vec<f64>> {
        self.rows.iter().zip(&self.mask).filter(|(_, valid)| ignored || **valid).map(|(row, _)| row).collect()
    }

    fn dim(&self) -> usize {
        self.rows[0].len()
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn activate(kind: u16, row: &mut [f64]) {
    match kind {
        0 => {}
        1 => row.iter_mut().for_each(|x| *x = x.max(0.0)),
        2 => row.iter_mut().for_each(|x| *x = sigmoid(*x)),
        3 => {
            for x in row.iter_mut() {
                *x = x.exp();
            }
            let sum: f64 = row.iter().sum();
            for x in row {
                *x /= sum;
            }
        }
        _ => row.iter_mut().for_each(|x| *x = x.tanh()),
    }
}

/// The rows that a hash names for an id: what a table of one-hot rows gives.
fn hashed_rows(record: &Record, id: u64) -> Vec<f64> {
    let [_, rows, _, hashes, seed, _] = record.extents;
    let rows = rows as usize;
    let records = [Record::new(LayerKind::HashedEmbedding, &[1, rows, rows, hashes as usize, seed as usize])
        .from(Source::Input(0))];
    let recipe = Recipe::<All>::new(&records).unwrap();
    let mut table = vec![0.0; rows * rows];
    (0..rows).for_each(|row| table[row * rows + row] = 1.0);
    let Lengths { numbers, masks } = recipe.workspace(1).unwrap();
    let (mut numbers, mut masks, mut y) = (vec![0.0; numbers], vec![false; masks], vec![0.0; rows]);
    let mut workspace = Workspace { numbers: &mut numbers, masks: &mut masks };
    Model::new(recipe, &table).unwrap().predict(&[Input::LongIds(&[id])], &mut workspace, &mut y).unwrap();
    y.into_iter().map(f64::from).collect()
}

/// The ids of one example, of any kind of input; and its numbers.
fn example_of(column: &Column, example: usize, count: usize) -> (Vec<u64>, Vec<f64>) {
    fn part<T: Copy>(all: &[T], example: usize, count: usize) -> &[T] {
        let width = all.len() / count;
        &all[example * width..][..width]
    }
    match column {
        Column::Ids(ids) => (part(ids, example, count).iter().map(|id| u64::from(*id)).collect(), vec![]),
        Column::LongIds(ids) => (part(ids, example, count).to_vec(), vec![]),
        Column::Bags { ids, offsets } => {
            let bag = &ids[offsets[example] as usize..offsets[example + 1] as usize];
            (bag.iter().map(|id| u64::from(*id)).collect(), vec![])
        }
        Column::Numbers(numbers) => {
            (vec![], part(numbers, example, count).iter().map(|x| f64::from(*x)).collect())
        }
    }
}

/// The outputs of one of `count` examples.
pub(super) fn outputs(
    records: &[Record],
    parameters: &[f64],
    columns: &[Column],
    (example, count): (usize, usize),
) -> Vec<f64> {
    let mut given: Vec<Value> = Vec::new();
    let mut rest = parameters;
    for (number, record) in records.iter().enumerate() {
        let mut ids = Vec::new();
        let mut taken = Vec::new();
        for source in record.sources {
            match Source::from_number(source) {
                None => {}
                Some(Source::Back(back)) => taken.push(given[number - usize::from(back)].clone()),
                Some(Source::Input(input)) => {
                    let (of_ids, numbers) = example_of(&columns[usize::from(input)], example, count);
                    ids = of_ids;
                    // Of a sequence, or a vector: the extents tell.
                    let dim = match record.extents[1] as usize {
                        _ if record.kind == LayerKind::Dense as u16 => numbers.len(),
                        0 => numbers.len(),
                        dim => dim,
                    };
                    let rows: Vec<_> = numbers.chunks(dim.max(1)).map(<[f64]>::to_vec).collect();
                    let mask = vec![true; rows.len()];
                    taken.push(Value { rows, mask });
                }
            }
        }
        given.push(layer(record, &ids, &taken, &mut rest));
    }
    assert!(rest.is_empty());
    given.pop().unwrap().rows.concat()
}

fn take<'a>(rest: &mut &'a [f64], count: usize) -> &'a [f64] {
    let (taken, after) = rest.split_at(count);
    *rest = after;
    taken
}

fn layer(record: &Record, ids: &[u64], taken: &[Value], rest: &mut &[f64]) -> Value {
    use LayerKind::*;
    let [a, b, c, d, e, f] = record.extents.map(|extent| extent as usize);
    let [first, second, third, _] = record.options;
    let x = taken.first();
    let x = || x.expect("a value");
    match LayerKind::from_number(record.kind).unwrap() {
        Embedding => {
            let table = take(rest, b * c);
            if record.has_frozen_rows() {
                take(rest, b.div_ceil(32));
            }
            let row = |id: &u64| table[*id as usize * c..][..c].to_vec();
            Value {
                rows: ids.iter().map(row).collect(),
                mask: ids.iter().map(|id| first == 0 || *id != 0).collect(),
            }
        }
        EmbeddingBag => {
            let table = take(rest, a * b);
            if record.has_frozen_rows() {
                take(rest, a.div_ceil(32));
            }
            let count = ids.len() as f64;
            let divisor = [count, 1.0, count.sqrt()][usize::from(first)];
            let sum = |j: usize| ids.iter().map(|id| table[*id as usize * b + j]).sum::<f64>();
            Value::vector((0..b).map(|j| if ids.is_empty() { 0.0 } else { sum(j) / divisor }).collect())
        }
        HashedEmbedding => {
            let table = take(rest, b * c);
            let row = |id: &u64| {
                let counts = hashed_rows(record, *id);
                (0..c).map(|j| (0..b).map(|row| counts[row] * table[row * c + j]).sum()).collect()
            };
            Value { rows: ids.iter().map(row).collect(), mask: vec![true; a] }
        }
        QuotientRemainder => {
            let (q, r) = (take(rest, b * d), take(rest, c * d));
            let row = |id: &u64| {
                let (q, r) = (&q[*id as usize / c * d..], &r[*id as usize % c * d..]);
                (0..d).map(|j| if first == 0 { q[j] + r[j] } else { q[j] * r[j] }).collect()
            };
            Value { rows: ids.iter().map(row).collect(), mask: vec![true; a] }
        }
        Flatten => {
            let kept = |(row, valid): (&Vec<f64>, &bool)| {
                if *valid || third != 0 { row.clone() } else { vec![0.0; row.len()] }
            };
            Value::vector(x().rows.iter().zip(&x().mask).flat_map(kept).collect())
        }
        GlobalMaxPooling1D => {
            let rows = x().valid(third != 0);
            let most = |j: usize| rows.iter().map(|row| row[j]).reduce(f64::max).unwrap_or(0.0);
            Value::vector((0..x().dim()).map(most).collect())
        }
        GlobalAveragePooling1D => {
            let rows = x().valid(third != 0);
            let mean = |j: usize| rows.iter().map(|row| row[j]).sum::<f64>() / rows.len().max(1) as f64;
            Value::vector((0..x().dim()).map(mean).collect())
        }
        Conv1D => convolve([a, b, c, d, e, f], [first, second, third], x(), rest),
        Lstm => recur([a, b, c], first != 0, second != 0, x(), rest),
        Dense => {
            let (kernel, bias) = (take(rest, a * b), take(rest, b));
            let x = x().rows.concat();
            let mut y: Vec<f64> = (0..b)
                .map(|j| bias[j] + x.iter().enumerate().map(|(i, x)| x * kernel[i * b + j]).sum::<f64>())
                .collect();
            activate(second, &mut y);
            Value::vector(y)
        }
        Activation => {
            let mut y = x().clone();
            y.rows.iter_mut().for_each(|row| activate(second, row));
            y
        }
        Dropout => x().clone(),
        Concatenate => Value::vector([&taken[0].rows[0][..], &taken[1].rows[0][..]].concat()),
        Add => {
            let mut y = taken[0].clone();
            for (y, b) in y.rows.iter_mut().flatten().zip(taken[1].rows.iter().flatten()) {
                *y += b;
            }
            for (y, b) in y.mask.iter_mut().zip(&taken[1].mask) {
                *y |= b;
            }
            y
        }
        Dot => Value::vector(vec![product(&taken[0].rows[0], &taken[1].rows[0])]),
        BiasedDot => {
            let mean = take(rest, 1)[0];
            let ((a, a_bias), (b, b_bias)) =
                (taken[0].rows[0].split_at(a - 1), taken[1].rows[0].split_at(a - 1));
            Value::vector(vec![product(a, b) + a_bias[0] + b_bias[0] + mean])
        }
        other => panic!("a layer of kind {other:?}"),
    }
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn convolve(
    [len, inputs, filters, taps, stride, dilation]: [usize; 6],
    [padding, activation, mask_use]: [u16; 3],
    x: &Value,
    rest: &mut &[f64],
) -> Value {
    let (kernel, bias) = (take(rest, taps * inputs * filters), take(rest, filters));
    let reach = dilation * (taps - 1);
    let (out, before, own) = match padding {
        0 => ((len - reach - 1) / stride + 1, 0, 0),
        1 => {
            let out = (len - 1) / stride + 1;
            (out, ((out - 1) * stride + reach + 1).saturating_sub(len) / 2, reach / 2)
        }
        _ => ((len - 1) / stride + 1, reach, reach),
    };
    let valid = |step: Option<usize>| step.filter(|step| *step < len && (mask_use == 1 || x.mask[*step]));
    let mut y = Value::default();
    for o in 0..out {
        let steps: Vec<Option<usize>> =
            (0..taps).map(|tap| valid((o * stride + tap * dilation).checked_sub(before))).collect();
        let is_valid = match (mask_use, padding) {
            (0 | 1, _) => steps.iter().any(Option::is_some),
            (_, 0) => steps.iter().all(Option::is_some),
            _ => valid((o * stride + own).checked_sub(before)).is_some(),
        };
        let mut row = bias.to_vec();
        for (tap, step) in steps.iter().enumerate() {
            for (i, x) in step.iter().flat_map(|step| x.rows[*step].iter().enumerate()) {
                for (y, w) in row.iter_mut().zip(&kernel[(tap * inputs + i) * filters..]) {
                    *y += x * w;
                }
            }
        }
        if mask_use == 2 && !is_valid {
            row.fill(0.0);
        }
        activate(activation, &mut row);
        y.rows.push(row);
        y.mask.push(is_valid);
    }
    y
}

fn recur(
    [len, inputs, units]: [usize; 3],
    sequences: bool,
    backwards: bool,
    x: &Value,
    rest: &mut &[f64],
) -> Value {
    let (kernel, recurrent) = (take(rest, inputs * 4 * units), take(rest, units * 4 * units));
    let bias = take(rest, 4 * units);
    let mut order: Vec<usize> = (0..len).collect();
    if backwards {
        order.reverse();
    }
    let (mut h, mut c) = (vec![0.0; units], vec![0.0; units]);
    let mut y = Value::default();
    for t in order {
        if x.mask[t] {
            let mut z = bias.to_vec();
            for (numbers, weights) in [(&x.rows[t], kernel), (&h, recurrent)] {
                for (number, weights) in numbers.iter().zip(weights.chunks(4 * units)) {
                    z.iter_mut().zip(weights).for_each(|(z, w)| *z += number * w);
                }
            }
            for j in 0..units {
                let gate = |gate: usize| z[gate * units + j];
                c[j] = sigmoid(gate(1)) * c[j] + sigmoid(gate(0)) * gate(2).tanh();
                h[j] = sigmoid(gate(3)) * c[j].tanh();
            }
        }
        y.rows.push(h.clone());
        y.mask.push(x.mask[t]);
    }
    if sequences { y } else { Value::vector(h) }
}
