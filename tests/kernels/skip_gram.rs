//! Steps of skip-gram: the bits of plain loops at every level, and the gradient of the loss.

use crate::common::bits_with_one_nan;
use nanoembed::internals::{self, MOST_NEGATIVES, Negatives, pair, reference};
use nanoembed::math;
use nanoembed::simd::Level;
use nanoembed::table::{Aligned, Line};
use proptest::prelude::*;

type Rows = Vec<Vec<f32>>;

/// Tables whose rows fill whole lines.
fn lines(table: &Rows) -> Vec<Line> {
    table.iter().flat_map(|row| row.as_chunks().0.iter().map(|line| Aligned(*line))).collect()
}

fn bits(table: &[Line]) -> Vec<u32> {
    bits_with_one_nan(&table.iter().flat_map(|line| line.0).collect::<Vec<_>>())
}

/// x₁ .. x_G and their targets, against negatives that they share; gives the changes of the x.
fn learn(xs: &[Vec<f32>], targets: &[usize], negatives: &[usize], output: &mut Rows, rate: f32) -> Rows {
    let score = |x: &[f32], t: &[f32]| math::sigmoid(reference::dot(x, t).unwrap());
    let before = output.clone();
    let mut changes = Vec::new();
    for (x, target) in xs.iter().zip(targets) {
        let step = rate * (1.0 - score(x, &before[*target]));
        changes.push(output[*target].iter().map(|t| step * t).collect::<Vec<f32>>());
        reference::axpy(step, x, &mut output[*target]).unwrap();
    }
    for negative in negatives {
        let row = output[*negative].clone();
        for ((x, target), change) in xs.iter().zip(targets).zip(&mut changes) {
            let step = rate * (0.0 - score(x, &before[*negative]));
            let step = if target == negative { 0.0 } else { step };
            reference::axpy(step, &row, change).unwrap();
            reference::axpy(step, x, &mut output[*negative]).unwrap();
        }
    }
    changes
}

/// A group of pairs.
fn learn_group(input: &mut Rows, output: &mut Rows, pairs: &[(u32, u32)], negatives: &[usize], rate: f32) {
    let xs: Rows = pairs.iter().map(|(x, _)| input[*x as usize].clone()).collect();
    let targets: Vec<usize> = pairs.iter().map(|(_, t)| *t as usize).collect();
    let changes = learn(&xs, &targets, negatives, output, rate);
    for ((x, _), change) in pairs.iter().zip(&changes) {
        reference::axpy(1.0, change, &mut input[*x as usize]).unwrap();
    }
}

#[derive(Clone, Debug)]
struct Case {
    input: Rows,
    output: Rows,
    pairs: Vec<(u32, u32)>,
    slots: Vec<u64>,
    count: usize,
    seed: u64,
    rate: f32,
}

impl Case {
    fn negatives(&self) -> Negatives<'_> {
        Negatives { slots: &self.slots, count: self.count, seed: self.seed }
    }

    fn drawn(&self, number: usize) -> Vec<usize> {
        self.negatives().rows(number).map(|row| row as usize).collect()
    }

    fn packed(&self) -> Vec<u64> {
        self.pairs.iter().map(|(x, t)| pair(*x, *t)).collect()
    }
}

/// Few rows, so that many occur twice in a pair or group; an alias table that sends each row to another.
fn case() -> impl Strategy<Value = Case> {
    (1..4_usize, 1..9_usize, 1..7_usize, 0..20_usize, 1..=MOST_NEGATIVES).prop_flat_map(
        |(lines, inputs, outputs, pairs, count)| {
            let table = |rows| prop::collection::vec(prop::collection::vec(-1.0..1.0_f32, 16 * lines), rows);
            let pairs = prop::collection::vec((0..inputs as u32, 0..outputs as u32), pairs);
            let slot = (0..1_u64 << 31, 0..outputs as u64).prop_map(|(share, row)| share << 32 | row);
            let slots = prop::collection::vec(slot, outputs);
            let rest = (Just(count), any::<u64>(), 0.0..0.5_f32);
            (table(inputs), table(outputs), pairs, slots, rest).prop_map(
                |(input, output, pairs, slots, (count, seed, rate))| Case {
                    input,
                    output,
                    pairs,
                    slots,
                    count,
                    seed,
                    rate,
                },
            )
        },
    )
}

/// Compares a kernel with what is expected at each level.
fn check(case: &Case, expected: &(Rows, Rows), run: impl Fn(Level, &mut [Line], &mut [Line])) {
    for level in Level::available() {
        let (mut input, mut output) = (lines(&case.input), lines(&case.output));
        run(level, &mut input, &mut output);
        assert_eq!(bits(&input), bits(&lines(&expected.0)), "inputs, {}", level.name());
        assert_eq!(bits(&output), bits(&lines(&expected.1)), "outputs, {}", level.name());
    }
}

proptest! {
    #[test]
    fn learn_pairs(case in case()) {
        let (mut input, mut output) = (case.input.clone(), case.output.clone());
        for (number, pair) in case.pairs.iter().enumerate() {
            learn_group(&mut input, &mut output, &[*pair], &case.drawn(number), case.rate);
        }
        check(&case, &(input, output), |level, input, output| {
            let length = case.input[0].len() / 16;
            internals::learn_pairs_at(level, input, output, length, &case.packed(), case.negatives(), case.rate);
        });
    }

    #[test]
    fn learn_groups(case in case()) {
        let (mut input, mut output) = (case.input.clone(), case.output.clone());
        let (eights, rest) = case.pairs.as_chunks::<8>();
        for (number, group) in eights.iter().enumerate() {
            learn_group(&mut input, &mut output, group, &case.drawn(number), case.rate);
        }
        for (number, pair) in rest.iter().enumerate() {
            learn_group(&mut input, &mut output, &[*pair], &case.drawn(eights.len() + number), case.rate);
        }
        check(&case, &(input, output), |level, input, output| {
            let length = case.input[0].len() / 16;
            internals::learn_groups_at(level, input, output, length, &case.packed(), case.negatives(), case.rate);
        });
    }

    #[test]
    fn learn_bags(
        case in case(),
        lengths in prop::collection::vec(1..5_usize, 20),
        lists in prop::option::of(prop::collection::vec(prop::collection::vec(any::<u32>(), 0..4), 40)),
    ) {
        // A word's row, and those of its n-grams, which are any of the second half or so.
        let (words, first) = (case.input.len(), case.input.len() / 2);
        let lists: Vec<Vec<u32>> = lists.map_or_else(Vec::new, |lists| {
            let row = |row: &u32| row % (words - first) as u32;
            lists.iter().cycle().take(words).map(|list| list.iter().map(row).collect()).collect()
        });
        let (rows, mut offsets) = (lists.concat(), Vec::new());
        if !lists.is_empty() {
            offsets.push(0);
            offsets.extend(lists.iter().scan(0, |end, list| { *end += list.len(); Some(*end) }));
        }
        let subwords = internals::SubwordRows { first, offsets: &offsets, rows: &rows };
        let rows_of = |word: u32| -> Vec<usize> {
            let list = lists.get(word as usize).map_or(&[][..], Vec::as_slice);
            [word as usize].into_iter().chain(list.iter().map(|row| first + *row as usize)).collect()
        };
        let (mut input, mut output, mut list, mut rest) =
            (case.input.clone(), case.output.clone(), Vec::new(), &case.pairs[..]);
        for (number, length) in lengths.iter().enumerate() {
            let Some((bag, after)) = rest.split_at_checked(*length) else { break };
            rest = after;
            let target = bag[0].1;
            list.push(pair(*length as u32, target));
            list.extend(bag.iter().map(|(x, _)| u64::from(*x)));
            let rows: Vec<usize> = bag.iter().flat_map(|(word, _)| rows_of(*word)).collect();
            let mut mean = vec![0.0; input[0].len()];
            for row in &rows {
                reference::axpy(1.0, &input[*row], &mut mean).unwrap();
            }
            let mean: Vec<f32> = mean.iter().map(|x| x * (1.0 / rows.len() as f32)).collect();
            if let [(word, _)] = bag {
                let found = &mut vec![Aligned([f32::NAN; 16]); mean.len() / 16];
                internals::mean_of_word(&lines(&input), *word as usize, subwords, found);
                prop_assert_eq!(bits(found), bits(&lines(&vec![mean.clone()])));
            }
            let changes = learn(&[mean], &[target as usize], &case.drawn(number), &mut output, case.rate);
            for row in rows {
                reference::axpy(1.0, &changes[0], &mut input[row]).unwrap();
            }
        }
        check(&case, &(input, output), |level, input, output| {
            let mut mean = vec![Aligned([f32::NAN; 16]); case.input[0].len() / 16];
            let (negatives, rate) = (case.negatives(), case.rate);
            let bags = internals::WordBags { list: &list, subwords };
            internals::learn_bags_at(level, input, output, &mut mean, bags, negatives, rate);
        });
    }

    /// A step moves all rows against the gradient of −ln σ(x · t) − Σᵢ ln σ(−x · nᵢ), in f64 by central
    /// differences.
    #[test]
    fn a_step_is_the_gradient(case in case()) {
        let (rate, dim) = (1e-2, case.input[0].len());
        for (x, t) in case.pairs.iter().map(|(x, t)| (*x as usize, *t as usize)) {
            let drawn = case.drawn(0);
            // A row that occurs twice takes two steps, of which the second is not that of the first values.
            let mut distinct: Vec<usize> = drawn.iter().copied().filter(|n| *n != t).collect();
            let with_repeats = distinct.len();
            distinct.sort_unstable();
            distinct.dedup();
            if distinct.len() < with_repeats {
                continue;
            }
            let wide = |rows: &Rows| rows.iter().map(|r| r.iter().map(|x| f64::from(*x)).collect()).collect();
            let (input, output): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (wide(&case.input), wide(&case.output));
            let loss = |input: &[Vec<f64>], output: &[Vec<f64>]| {
                let dot = |t: usize| input[x].iter().zip(&output[t]).map(|(a, b)| a * b).sum::<f64>();
                let of = |score: f64| (-score).exp().ln_1p();
                of(dot(t)) + distinct.iter().map(|n| of(-dot(*n))).sum::<f64>()
            };
            let (mut learnt_in, mut learnt_out) = (lines(&case.input), lines(&case.output));
            internals::learn_pairs(
                &mut learnt_in, &mut learnt_out, dim / 16, &[pair(x as u32, t as u32)], case.negatives(), rate,
            );
            for (is_input, row) in [(true, x), (false, t)].into_iter().chain(distinct.iter().map(|n| (false, *n))) {
                for j in 0..dim {
                    let at = |by: f64| {
                        let (mut input, mut output) = (input.clone(), output.clone());
                        if is_input { input[row][j] += by } else { output[row][j] += by }
                        loss(&input, &output)
                    };
                    let gradient = (at(1e-5) - at(-1e-5)) / 2e-5;
                    let (before, after) =
                        if is_input { (&case.input, &learnt_in) } else { (&case.output, &learnt_out) };
                    let moved = after[row * dim / 16 + j / 16].0[j % 16] - before[row][j];
                    let error = (f64::from(moved) + f64::from(rate) * gradient).abs();
                    prop_assert!(error <= 3e-7, "moved by {moved}, gradient {gradient}");
                }
            }
        }
    }
}
