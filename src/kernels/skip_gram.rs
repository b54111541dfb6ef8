//! Steps of skip-gram with negative samples, pair by pair.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at [`learn_pairs`].

use crate::math;
use crate::random::Key;
use crate::simd::{LANES, Lanes, prefetch, simd_fn};
use crate::table::Line;

/// The most negatives of a pair.
pub const MOST_NEGATIVES: usize = LANES - 1;

/// Pairs that share negatives.
const GROUP: usize = 8;

/// A pair as one number: an input row, and a target row.
pub fn pair(input: u32, target: u32) -> u64 {
    u64::from(input) << 32 | u64::from(target)
}

#[inline(always)]
fn rows_of(pair: u64) -> [u32; 2] {
    [(pair >> 32) as u32, pair as u32]
}

/// Where negatives come from.
#[derive(Clone, Copy, Debug)]
pub struct Negatives<'a> {
    /// An alias table: for each row, bits 32 to 62 the share that stays with it, bits 0 to 31 the row that
    /// has the rest.
    pub slots: &'a [u64],
    /// How many for each pair, or for each group of pairs that share them.
    pub count: usize,
    /// What the draws depend on, beside the place of the pair.
    pub seed: u64,
}

impl Negatives<'_> {
    /// A row, by a number that is drawn evenly.
    #[inline(always)]
    fn row(&self, random: u32) -> u32 {
        let wide = u64::from(random) * self.slots.len() as u64;
        let row = (wide >> 32) as u32;
        match self.slots.get(row as usize) {
            Some(slot) if (wide as u32 >> 1) >= (slot >> 32) as u32 & (u32::MAX >> 1) => *slot as u32,
            _ => row,
        }
    }

    /// The rows that pair, group or bag number `number` draws.
    #[inline(always)]
    pub fn rows(self, number: usize) -> impl Iterator<Item = u32> {
        let (key, first) = (Key::new(self.seed), number.wrapping_mul(self.count) as u32);
        (0..self.count).map(move |i| self.row(key.at(first.wrapping_add(i as u32))))
    }
}

/// Which rows of n-grams a word has beside its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct SubwordRows<'a> {
    /// The first row of the input table that is no word's.
    pub first: usize,
    /// Where the list of each word starts, and where the last one ends; empty if no word has any.
    pub offsets: &'a [usize],
    /// Rows, counted from `first`.
    pub rows: &'a [u32],
}

impl SubwordRows<'_> {
    /// The rows of a word: its own, and those of its n-grams.
    #[inline(always)]
    pub fn of(&self, word: usize) -> impl Iterator<Item = usize> {
        let list = match self.offsets.get(word..) {
            Some([start, end, ..]) => self.rows.get(*start..*end).unwrap_or_default(),
            _ => &[],
        };
        let first = self.first;
        core::iter::once(word).chain(list.iter().map(move |row| first + *row as usize))
    }
}

/// Bags of words.
#[derive(Clone, Copy, Debug)]
pub struct WordBags<'a> {
    /// For each bag a [`pair`] of the number of its words and the target row, and then the words.
    pub list: &'a [u64],
    /// The rows of n-grams that the words have.
    pub subwords: SubwordRows<'a>,
}

simd_fn! {
    /// Learns from pairs of an input row and a target row, one after the other, each with `negatives.count`
    /// rows drawn from the distribution of `negatives`.
    ///
    /// # How it is computed
    /// ```text
    /// for each group of pairs (x_p, t_p):  draw n₁ .. nₖ             one pair, or eight
    ///     for p, i:  g_p0 = rate * (1 - σ(lane_sum(x_p * t_p)))
    ///                g_pi = rate * (0 - σ(lane_sum(x_p * nᵢ))),  0 if nᵢ is the row t_p
    ///     for p:     e_p = g_p0 t_p;  t_p += g_p0 x_p
    ///     for i:     c = nᵢ;  for p:  e_p += g_pi c;  nᵢ += g_pi x_p
    ///     for p:     x_p += e_p
    /// ```
    ///
    /// All scores are taken before a row is changed, and the x_p of the changes are those of before. A row
    /// that occurs several times takes its changes one after the other.
    ///
    /// What the code does otherwise than these loops, and why:
    ///
    /// - The changes of rows are made line by line, all rows of a pair or group for one line, so that the
    ///   sums stay in registers. No line depends on another.
    /// - Rows fill whole lines, so that there is no ragged end; the numbers beyond `dim` stay 0.
    /// - The rows of the next pair or group are drawn, and asked for, before this one is learnt from.
    ///
    /// # Cost
    /// A pair of k negatives takes 6 (k + 1) n products and sums for n numbers, and moves 4 n (3 k + 6)
    /// bytes; a group of eight 4 n (3 k + 48), for eight times the products.
    pub fn learn_pairs, learn_pairs_at(
        input: &mut [Line], output: &mut [Line], lines: usize, pairs: &[u64], negatives: Negatives<'_>, rate: f32,
    ) = pairs_body;

    /// The same for groups of eight pairs that share their negatives. The pairs that are left over are learnt
    /// from one by one.
    ///
    /// # Cost
    /// [`learn_pairs`] tells how it is computed and what it costs.
    pub fn learn_groups, learn_groups_at(
        input: &mut [Line], output: &mut [Line], lines: usize, pairs: &[u64], negatives: Negatives<'_>, rate: f32,
    ) = groups_body;

    /// The same for bags of words, the mean of whose rows is learnt from as if it were a row. All rows of the
    /// bag take its change: CBOW, and skip-gram with n-grams, whose bags are of one word. `mean` is scratch as
    /// long as a row.
    ///
    /// ```text
    /// for each bag (words, t):  x₁ .. x_m = the rows of the words and of their n-grams
    ///     h = 0;  for p: h += x_p;  h *= 1 / m
    ///     e as in learn_pairs for h and t
    ///     for p:  x_p += e
    /// ```
    ///
    /// # Cost
    /// [`learn_pairs`] tells what a pair costs; a bag costs a pair and 12 n m bytes.
    pub fn learn_bags, learn_bags_at(
        input: &mut [Line],
        output: &mut [Line],
        mean: &mut [Line],
        bags: WordBags<'_>,
        negatives: Negatives<'_>,
        rate: f32,
    ) = bags_body;
}

simd_fn! {
    /// The mean of the rows of a word, which is its vector; `mean` is as long as a row.
    pub fn mean_of_word, mean_of_word_at(input: &[Line], word: usize, subwords: SubwordRows<'_>, mean: &mut [Line]) =
        mean_of_word_body;
}

#[inline(always)]
fn mean_of_word_body<L: Lanes>(
    lanes: L,
    input: &[Line],
    word: usize,
    subwords: SubwordRows<'_>,
    mean: &mut [Line],
) {
    mean_of_rows(lanes, input, subwords.of(word), mean);
}

simd_fn! {
    // Not within the loops: its twenty constants would take the registers that the rows need.
    fn sigmoids, sigmoids_at(scores: &mut [[f32; LANES]]) = sigmoids_body;
}

#[inline(always)]
fn sigmoids_body<L: Lanes>(_: L, scores: &mut [[f32; LANES]]) {
    for sixteen in scores {
        for score in sixteen {
            *score = math::sigmoid(*score);
        }
    }
}

#[inline(always)]
fn pairs_body<L: Lanes>(
    lanes: L,
    input: &mut [Line],
    output: &mut [Line],
    lines: usize,
    pairs: &[u64],
    negatives: Negatives<'_>,
    rate: f32,
) {
    let pairs = pairs.as_chunks().0;
    groups::<L, 1>(lanes, Tables { input, output, lines }, pairs, negatives, 0, rate);
}

#[inline(always)]
fn groups_body<L: Lanes>(
    lanes: L,
    input: &mut [Line],
    output: &mut [Line],
    lines: usize,
    pairs: &[u64],
    negatives: Negatives<'_>,
    rate: f32,
) {
    let (eights, rest) = pairs.as_chunks();
    let tables = Tables { input, output, lines };
    groups::<L, GROUP>(lanes, tables, eights, negatives, 0, rate);
    let tables = Tables { input, output, lines };
    groups::<L, 1>(lanes, tables, rest.as_chunks().0, negatives, eights.len(), rate);
}

#[inline(always)]
fn bags_body<L: Lanes>(
    lanes: L,
    input: &mut [Line],
    output: &mut [Line],
    mean: &mut [Line],
    bags: WordBags<'_>,
    negatives: Negatives<'_>,
    rate: f32,
) {
    let WordBags { list, subwords } = bags;
    let (mut rest, mut number, lines) = (list, 0, mean.len());
    while let Some((head, after)) = rest.split_first() {
        let [count, _] = rows_of(*head);
        let Some((bag, after)) = after.split_at_checked(count as usize) else { return };
        rest = after;
        // The mean is row 0 of a table of its own.
        let mut tables = Tables { input: &mut *mean, output: &mut *output, lines };
        let rows = Rows::draw(&[*head & u64::from(u32::MAX)], number, negatives, &tables);
        number += 1;
        mean_of_rows(lanes, input, bag.iter().flat_map(|word| subwords.of(*word as usize)), tables.input);
        if let Some((drawn, _)) = rows.negatives.split_at_checked(negatives.count) {
            let _ = learn::<L, 1, false>(lanes, &mut tables, &rows, drawn, rate);
        }
        for row in bag.iter().flat_map(|word| subwords.of(*word as usize)) {
            let Some(x) = input.get_mut(row * lines..) else { continue };
            for (x, moved) in x.iter_mut().zip(&*mean) {
                lanes.store(lanes.add(lanes.load(x), lanes.load(moved)), x);
            }
        }
    }
}

/// The mean of rows of a table, which are as long as `mean`.
#[inline(always)]
fn mean_of_rows<L: Lanes>(lanes: L, table: &[Line], rows: impl Iterator<Item = usize>, mean: &mut [Line]) {
    let (lines, mut count) = (mean.len(), 0);
    for sum in &mut *mean {
        lanes.store(lanes.splat(0.0), sum);
    }
    rows.for_each(|row| {
        count += 1;
        for (x, sum) in table.get(row * lines..).unwrap_or_default().iter().zip(&mut *mean) {
            lanes.store(lanes.add(lanes.load(sum), lanes.load(x)), sum);
        }
    });
    let scale = lanes.splat(1.0 / count as f32);
    for sum in mean {
        lanes.store(lanes.mul(lanes.load(sum), scale), sum);
    }
}

/// Both tables, and the lines of a row.
struct Tables<'t> {
    input: &'t mut [Line],
    output: &'t mut [Line],
    lines: usize,
}

/// The rows of a group, as places of their first lines.
#[derive(Clone, Copy)]
struct Rows<const G: usize> {
    inputs: [usize; G],
    targets: [usize; G],
    negatives: [usize; MOST_NEGATIVES],
}

impl<const G: usize> Rows<G> {
    /// Draws the negatives of group number `number`, and asks for all rows.
    #[inline(always)]
    fn draw(pairs: &[u64; G], number: usize, negatives: Negatives<'_>, tables: &Tables<'_>) -> Self {
        let lines = tables.lines;
        let mut rows = Self { inputs: [0; G], targets: [0; G], negatives: [0; MOST_NEGATIVES] };
        for ((input, target), pair) in rows.inputs.iter_mut().zip(&mut rows.targets).zip(pairs) {
            let [x, t] = rows_of(*pair);
            (*input, *target) = (x as usize * lines, t as usize * lines);
            prefetch(tables.input, *input, lines);
            prefetch(tables.output, *target, lines);
        }
        for (place, row) in rows.negatives.iter_mut().zip(negatives.rows(number)) {
            *place = row as usize * lines;
            prefetch(tables.output, *place, lines);
        }
        rows
    }
}

#[inline(always)]
fn groups<L: Lanes, const G: usize>(
    lanes: L,
    mut tables: Tables<'_>,
    groups: &[[u64; G]],
    negatives: Negatives<'_>,
    first: usize,
    rate: f32,
) {
    let Some(group) = groups.first() else { return };
    let mut next = Rows::draw(group, first, negatives, &tables);
    for number in 1..=groups.len() {
        let rows = next;
        if let Some(group) = groups.get(number) {
            next = Rows::draw(group, first + number, negatives, &tables);
        }
        if let Some((drawn, _)) = rows.negatives.split_at_checked(negatives.count) {
            let _ = learn::<L, G, true>(lanes, &mut tables, &rows, drawn, rate);
        }
    }
}

/// The row that starts at a place.
#[inline(always)]
fn row(table: &[Line], place: usize, lines: usize) -> Option<&[Line]> {
    table.get(place..)?.get(..lines)
}

/// One group; the changes of the inputs are added to them if `ADDS`, and otherwise written over them. The
/// rows exist: `None` does not occur.
#[inline(always)]
fn learn<L: Lanes, const G: usize, const ADDS: bool>(
    lanes: L,
    tables: &mut Tables<'_>,
    rows: &Rows<G>,
    negatives: &[usize],
    rate: f32,
) -> Option<()> {
    let Tables { input, output, lines: length } = tables;
    // Of the targets, then of each negative.
    let mut steps = [[0.0; G]; 1 + MOST_NEGATIVES];
    {
        let (mut xs, mut ts) = ([&[][..]; G], [&[][..]; G]);
        for ((x, t), (input_place, target)) in
            xs.iter_mut().zip(&mut ts).zip(rows.inputs.iter().zip(&rows.targets))
        {
            (*x, *t) = (row(input, *input_place, *length)?, row(output, *target, *length)?);
        }
        let (of_targets, of_negatives) = steps.split_first_mut()?;
        let mut totals = [lanes.splat(0.0); G];
        for i in 0..*length {
            for (total, (x, t)) in totals.iter_mut().zip(xs.iter().zip(&ts)) {
                *total = lanes.add(*total, lanes.mul(lanes.load(x.get(i)?), lanes.load(t.get(i)?)));
            }
        }
        sums(lanes, &totals, of_targets);
        for (of_negative, negative) in of_negatives.iter_mut().zip(negatives) {
            let n = row(output, *negative, *length)?;
            let mut totals = [lanes.splat(0.0); G];
            for (i, n) in n.iter().enumerate() {
                let n = lanes.load(n);
                for (total, x) in totals.iter_mut().zip(&xs) {
                    *total = lanes.add(*total, lanes.mul(lanes.load(x.get(i)?), n));
                }
            }
            sums(lanes, &totals, of_negative);
        }
    }
    let scores = steps.as_flattened_mut().as_chunks_mut::<LANES>().0;
    sigmoids(scores.get_mut(..((1 + negatives.len()) * G).div_ceil(LANES))?);
    let (of_targets, of_negatives) = steps.split_first_mut()?;
    for step in &mut *of_targets {
        *step = rate * (1.0 - *step);
    }
    for (steps, negative) in of_negatives.iter_mut().zip(negatives) {
        for (step, target) in steps.iter_mut().zip(&rows.targets) {
            *step = if target == negative { 0.0 } else { rate * (0.0 - *step) };
        }
    }
    for i in 0..*length {
        let (mut xs, mut moved) = ([lanes.splat(0.0); G], [lanes.splat(0.0); G]);
        for (x, place) in xs.iter_mut().zip(&rows.inputs) {
            *x = lanes.load(input.get(place + i)?);
        }
        let steps_and_rows = of_targets.iter().zip(&rows.targets);
        for ((step, target), (x, moved)) in steps_and_rows.zip(xs.iter().zip(&mut moved)) {
            let (step, line) = (lanes.splat(*step), output.get_mut(target + i)?);
            let t = lanes.load(line);
            *moved = lanes.mul(step, t);
            lanes.store(lanes.add(t, lanes.mul(step, *x)), line);
        }
        for (steps, negative) in of_negatives.iter().zip(negatives) {
            let line = output.get_mut(negative + i)?;
            let n = lanes.load(line);
            let mut change = n;
            for (step, (x, moved)) in steps.iter().zip(xs.iter().zip(&mut moved)) {
                let step = lanes.splat(*step);
                *moved = lanes.add(*moved, lanes.mul(step, n));
                change = lanes.add(change, lanes.mul(step, *x));
            }
            lanes.store(change, line);
        }
        for (place, moved) in rows.inputs.iter().zip(&moved) {
            let x = input.get_mut(place + i)?;
            lanes.store(if ADDS { lanes.add(lanes.load(x), *moved) } else { *moved }, x);
        }
    }
    Some(())
}

/// The sum of the lanes of each total.
#[inline(always)]
fn sums<L: Lanes, const G: usize>(lanes: L, totals: &[L::V; G], to: &mut [f32; G]) {
    let ((fours, rest), (to_fours, to)) = (totals.as_chunks(), to.as_chunks_mut());
    for (to, totals) in to_fours.iter_mut().zip(fours) {
        *to = lanes.sums(*totals);
    }
    for (to, total) in to.iter_mut().zip(rest) {
        *to = lanes.sum(*total);
    }
}
