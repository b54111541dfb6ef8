//! The cost of a step follows the rows that occur, never the size of the table.

use super::Occurring;
use crate::common::{Random, bits};
use nanoembed::optim::{Adam, Optimizer};
use nanoembed::sparse::SparseGradient;
use nanoembed::table::TableMut;
use rand_core::SeedableRng;

/// No row but those that occur is written, and none is visited: a table of four billion rows takes no longer than one of two.
#[test]
fn the_cost_follows_the_rows_that_occur() {
    const ROWS: usize = 1_000_000;
    const DIM: usize = 8;
    let mut table: Vec<f32> = (0..ROWS * DIM).map(|i| i as f32 * 1e-6 + 1.0).collect();
    let mut slots: Vec<f32> = (0..2 * ROWS * DIM).map(|i| i as f32 * 1e-9 + 1e-3).collect();
    let (before, slots_before) = (table.clone(), slots.clone());
    let rows = [3_u32, 999_999, 500_000, 3];
    let batch = Occurring::new(&mut Random::seed_from_u64(1), rows.to_vec(), DIM);
    let mut weights = TableMut::new(&mut table, ROWS, DIM).unwrap();
    let mut state = TableMut::new(&mut slots, ROWS, 2 * DIM).unwrap();
    let adam = Adam::default();
    let update = |touched: &mut SparseGradient<'_>| {
        adam.update_rows(adam.step(7), &mut weights, &mut state, &mut [], touched)
    };
    batch.touched(DIM, update).unwrap();
    for row in 0..ROWS {
        let same = bits(&table[row * DIM..][..DIM]) == bits(&before[row * DIM..][..DIM])
            && bits(&slots[2 * row * DIM..][..2 * DIM]) == bits(&slots_before[2 * row * DIM..][..2 * DIM]);
        assert_eq!(same, !rows.contains(&(row as u32)), "row {row}");
    }

    // Rows of no numbers take no memory: a pass over all of them would not end in the time of the test.
    let rows = usize::MAX;
    let (mut weights, mut state) =
        (TableMut::new(&mut [], rows, 0).unwrap(), TableMut::new(&mut [], rows, 0).unwrap());
    let batch = Occurring { rows: vec![u32::MAX - 1, 5, u32::MAX - 1], gradients: vec![] };
    let update = |touched: &mut SparseGradient<'_>| {
        adam.update_rows(adam.step(7), &mut weights, &mut state, &mut [], touched)
    };
    batch.touched(0, update).unwrap();
}
