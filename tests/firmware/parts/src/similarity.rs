//! Inner products with rows, the nearest rows, and ranks.

use super::data::{Data, Fold};
use nanoembed::internals;
use nanoembed::similarity::{Analogy, Neighbour, Search, inverse_norms, spearman};
use nanoembed::sparse::Occurrence;
use nanoembed::table::{F16, F32, Format, I8, Table, TableMut, U8};

pub(crate) const PARTS: &[super::Part] = &[
    ("scores f32", || scores::<F32, { ROWS * DIM }>(0.0)),
    ("scores f16", || scores::<F16, { ROWS * DIM }>(0)),
    ("scores i8", || scores::<I8, { ROWS * DIM }>(0)),
    ("scores u8", || scores::<U8, { ROWS * (DIM + 8) }>(0)),
    ("nearest", nearest),
    ("spearman", agreement),
];

const ROWS: usize = 21;
/// More than a sum in 32 bits takes.
const DIM: usize = 270;

fn scores<F: Format, const LENGTH: usize>(zero: F::Element) -> u64 {
    let (mut data, mut fold) = (Data::new(81), Fold::new());
    let (mut elements, mut c, mut norms) = ([zero; LENGTH], [0.0; 3 * ROWS], [0.0; ROWS]);
    for dim in [1, 31, 32, 100, 257, DIM] {
        let row = F::row_length(dim);
        let elements = &mut elements[..ROWS * row];
        let mut table = TableMut::<F>::packed(elements, ROWS, dim).unwrap();
        for j in 0..ROWS {
            table.quantise_row(j, &data.floats::<DIM>()[..dim]).unwrap();
        }
        let queries = data.floats::<{ 3 * DIM }>();
        let queries = Table::new(&queries[..3 * dim], 3, dim).unwrap();
        let table = table.as_table();
        internals::scores(queries, table, &mut TableMut::new(&mut c, 3, ROWS).unwrap()).unwrap();
        fold.floats(&c);
        internals::inverse_norms(table, &mut norms).unwrap();
        fold.floats(&norms);
    }
    fold.hash()
}

fn nearest() -> u64 {
    const DIM: usize = 6;
    let (mut data, mut fold) = (Data::new(82), Fold::new());
    let mut norms = [0.0; 300];
    let mut numbers = data.floats::<{ 300 * DIM }>();
    // Rows that are equal, and rows of zeros.
    numbers.copy_within(..20 * DIM, 200 * DIM);
    numbers[50 * DIM..53 * DIM].fill(0.0);
    let table = Table::new(&numbers, 300, DIM).unwrap();
    inverse_norms(table, &mut norms).unwrap();
    let (vectors, mut found) = (data.floats::<{ 5 * DIM }>(), [Neighbour::default(); 5 * 9]);
    let queries = Table::new(&vectors, 5, DIM).unwrap();
    let mut fold_found = |found: &[Neighbour]| {
        for neighbour in found {
            fold.number(neighbour.row);
            fold.float(neighbour.score);
        }
    };
    for search in [Search::inner_product(table), Search::cosine(table, &norms).unwrap().without(&[3, 7])] {
        search.nearest_of_each(queries, 9, &mut found).unwrap();
        fold_found(&found);
        for how in [Analogy::Add, Analogy::Multiply] {
            let asked = [0, 1, 2].map(|i| queries.row(i).unwrap());
            fold_found(search.analogy(asked, how, &mut found).unwrap());
        }
    }
    fold.hash()
}

fn agreement() -> u64 {
    let (mut data, mut fold) = (Data::new(83), Fold::new());
    let mut scratch = [[Occurrence::default(); 150]; 2];
    for n in [0, 1, 2, 40, 150] {
        let [list, other] = &mut scratch;
        let (mut x, y) = (data.floats::<150>(), data.floats::<150>());
        x[10..30].fill(0.25);
        let found = spearman(&x[..n], &y[..n], [list, other]).unwrap();
        fold.float(found.unwrap_or(2.0));
    }
    fold.hash()
}
