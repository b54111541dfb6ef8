//! The rows nearest to a vector, at every level, beside the loop that one would write first and beside memory.
//!
//! A table of 1,000,000 rows of 64: as f32 (256 MB), i8 (64 MB) and u8 (72 MB); the ten best rows of one vector, and of 64
//! vectors at once among 20,000 rows. What is found is compared with a sort of the reference's scores before it is timed.
//!
//! The limit of one vector is *read*: summing all bytes of the table once, in order, as floats; of 64 vectors, multiplications and
//! additions in registers. Both are measured in the same run, in turn with the search.
//!
//! Printed at the end, from medians: the time of a row (and vector), and its speed in parts of the naive loop's (above 1: faster), of
//! the limit's, and of the best level below; then the rows of i8 and u8 in a second, in parts of those of f32, and how many of the ten
//! rows that are nearest by the f32 numbers are among those nearest by the codes.

#[allow(dead_code)]
mod common;

use common::{Bench, Limit, Numbers, Who};
use core::hint::black_box;
use nanoembed::internals::{
    limits,
    reference::{self, FormatSpec},
};
use nanoembed::simd::Level;
use nanoembed::similarity::{Neighbour, Search};
use nanoembed::table::{F32, I8, Table, TableMut, U8};

const ROWS: usize = 1_000_000;
/// Rows that 64 vectors are compared with.
const FEW: usize = 20_000;
const DIM: usize = 64;
const K: usize = 10;
const READ: Limit = Limit::Loops(&["read"]);

fn search<F: FormatSpec>(table: Table<'_, F>, vectors: Table<'_>) -> Vec<Neighbour> {
    let mut found = vec![Neighbour::default(); K * vectors.rows()];
    Search::inner_product(table).nearest_of_each(vectors, K, &mut found).unwrap();
    found
}

/// The best rows by a list that is kept in order.
fn naive(scores: impl Iterator<Item = f32>) -> Vec<Neighbour> {
    let mut best: Vec<Neighbour> = Vec::new();
    for (row, score) in scores.enumerate() {
        if best.len() < K || score > best[K - 1].score {
            let place = best.partition_point(|other| other.score >= score);
            best.insert(place, Neighbour { row, score });
            best.truncate(K);
        }
    }
    best
}

/// The best level.
fn best() -> Level {
    Level::available().last().expect("the baseline")
}

/// What a naive loop makes of a row.
type Dot<F> = fn(Table<'_, F>, usize, &[f32]) -> f32;

fn naive_dot(table: Table<'_>, row: usize, vector: &[f32]) -> f32 {
    table.row(row).unwrap().iter().zip(vector).map(|(a, b)| a * b).sum()
}

fn naive_i8(table: Table<'_, I8>, row: usize, vector: &[f32]) -> f32 {
    let codes = table.row(row).unwrap().iter();
    table.scale() * codes.zip(vector).map(|(code, x)| f32::from(*code as i8) * x).sum::<f32>()
}

fn naive_u8(table: Table<'_, U8>, row: usize, vector: &[f32]) -> f32 {
    let (codes, end) = table.row(row).unwrap().split_at(DIM);
    let [scale, bias] = *end.as_chunks().0 else { panic!("a scale and a bias") };
    let (scale, bias) = (f32::from_le_bytes(scale), f32::from_le_bytes(bias));
    codes.iter().zip(vector).map(|(code, x)| (scale * f32::from(*code) + bias) * x).sum()
}

/// Times a table, once each level has found what the reference finds.
fn nearest<F: FormatSpec>(
    bench: &mut Bench,
    name: &str,
    table: Table<'_, F>,
    bytes: &[f32],
    vectors: &Numbers,
    dot: Dot<F>,
) {
    let vectors = Table::new(vectors.get(), vectors.get().len() / DIM, DIM).unwrap();
    let rows = table.rows();
    let mut scores = vec![0.0; rows];
    let first = Table::new(vectors.row(0).unwrap(), 1, DIM).unwrap();
    reference::scores(first, table, &mut TableMut::new(&mut scores, 1, rows).unwrap());
    let expected = naive(scores.into_iter());
    for level in Level::available() {
        level.set_current();
        assert_eq!(search(table, vectors)[..K], expected, "{name} at {}", level.name());
    }
    let one = vectors.rows() == 1;
    let limit = if one { READ } else { Limit::MultiplyAdds(rows * DIM * vectors.rows()) };
    bench.time(name, rows * vectors.rows(), limit, |who, _| match who {
        Who::Kernel(level) => {
            level.set_current();
            drop(black_box(search(black_box(table), vectors)));
        }
        Who::Naive => {
            for i in 0..vectors.rows() {
                let vector = black_box(vectors.row(i).unwrap());
                drop(black_box(naive((0..rows).map(|row| dot(table, row, vector)))));
            }
        }
        Who::Limit(_) => {
            black_box(limits::read_at(best(), black_box(bytes)));
        }
        Who::Reference => {}
    });
}

/// How many of the nearest rows by the numbers are found by the codes, over 50 vectors.
fn recall<F: FormatSpec>(table: Table<'_>, codes: Table<'_, F>) -> f64 {
    let vectors = Numbers::any(50 * DIM);
    let vectors = Table::new(vectors.get(), 50, DIM).unwrap();
    let (exact, found) = (search(table, vectors), search(codes, vectors));
    let lists = exact.chunks(K).zip(found.chunks(K));
    let same: usize = lists
        .map(|(exact, found)| found.iter().filter(|n| exact.iter().any(|m| m.row == n.row)).count())
        .sum();
    same as f64 / exact.len() as f64
}

/// Bytes as floats, to be read.
fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|bytes| f32::from_bits(u32::from_le_bytes(*bytes) & 0x3fff_ffff)).collect()
}

fn main() {
    let mut bench = Bench::new("similarity");
    let numbers = Numbers::any(ROWS * DIM);
    let table = Table::new(numbers.get(), ROWS, DIM).unwrap();
    let scale = 1.0 / 127.0;
    let mut codes = vec![0; ROWS * DIM];
    let mut to = TableMut::<I8>::packed(&mut codes, ROWS, DIM).unwrap().with_scale(scale);
    to.quantise(table).unwrap();
    let i8_table = Table::<I8>::packed(&codes, ROWS, DIM).unwrap().with_scale(scale);
    let mut packed = vec![0; ROWS * (DIM + 8)];
    TableMut::<U8>::packed(&mut packed, ROWS, DIM).unwrap().quantise(table).unwrap();
    let u8_table = Table::<U8>::packed(&packed, ROWS, DIM).unwrap();

    // Not the numbers of the first row.
    let others = Numbers::any(3 * DIM);
    let mut others = others.get()[DIM + 7..].iter().copied();
    let vector = Numbers::new(DIM, || others.next().unwrap());
    nearest::<F32>(&mut bench, "nearest f32", table, numbers.get(), &vector, naive_dot);
    nearest(&mut bench, "nearest i8", i8_table, &floats(&codes), &vector, naive_i8);
    nearest(&mut bench, "nearest u8", u8_table, &floats(&packed), &vector, naive_u8);
    let vectors = Numbers::any(64 * DIM);
    let few = Table::new(&numbers.get()[..FEW * DIM], FEW, DIM).unwrap();
    nearest::<F32>(&mut bench, "nearest of 64, f32", few, &[], &vectors, naive_dot);
    let few = Table::<I8>::packed(&codes[..FEW * DIM], FEW, DIM).unwrap().with_scale(scale);
    nearest(&mut bench, "nearest of 64, i8", few, &[], &vectors, naive_i8);
    bench.print("a row");

    // One after the other in each sample, so that the ratios hold.
    best().set_current();
    let names = ["i8", "u8"];
    let vector = Table::new(vector.get(), 1, DIM).unwrap();
    let times = bench.compare("formats", 3, |who, _| match who {
        0 => drop(black_box(search(black_box(table), vector))),
        1 => drop(black_box(search(black_box(i8_table), vector))),
        _ => drop(black_box(search(black_box(u8_table), vector))),
    });
    if let Some(times) = times {
        for (number, name) in names.into_iter().enumerate() {
            let ratio = times.of(0) / times.of(number + 1);
            println!("{name} rows: {ratio:.2} times as many a second as f32");
        }
        println!(
            "of the ten nearest rows found: i8 {:.3}, u8 {:.3}",
            recall(table, i8_table),
            recall(table, u8_table)
        );
    }
}
