//! How pure the neighbourhoods of rows are: of what group the nearest rows are.

use super::Grouping;
use crate::failure::Failure;
use nanoembed::similarity::{Neighbour, Search, inverse_norms};
use nanoembed::table::Table;

/// The mean, over rows, of the part of the nearest rows that is of the row's group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Purity {
    pub(crate) found: f64,
    /// What it would be if any other row were as near.
    pub(crate) by_chance: f64,
}

/// The purity of the `k` nearest rows, by cosine, for each grouping. `rows` has a row of `dim` numbers for each word.
pub(crate) fn purity(
    rows: &[Vec<f32>],
    dim: usize,
    k: usize,
    groupings: &[Grouping],
) -> Result<Vec<Purity>, Failure> {
    let numbers = rows.concat();
    let table = Table::new(&numbers, rows.len(), dim).map_err(Failure::usage)?;
    let mut norms = vec![0.0; rows.len()];
    inverse_norms(table, &mut norms).map_err(Failure::usage)?;
    let search = Search::cosine(table, &norms).map_err(Failure::usage)?;
    let mut nearest = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        let mut found = vec![Neighbour::default(); k];
        let found = search.without(&[place]).nearest(row, &mut found).map_err(Failure::usage)?;
        nearest.push(found.iter().map(|neighbour| neighbour.row).collect::<Vec<usize>>());
    }
    Ok(groupings.iter().map(|grouping| of_grouping(&nearest, grouping)).collect())
}

fn of_grouping(nearest: &[Vec<usize>], grouping: &Grouping) -> Purity {
    let groups = &grouping.of_word;
    let (mut found, mut by_chance) = (0.0, 0.0);
    for (group, neighbours) in groups.iter().zip(nearest) {
        let same = neighbours.iter().filter(|row| groups.get(**row) == Some(group)).count();
        found += same as f64 / neighbours.len().max(1) as f64;
        let others = groups.iter().filter(|other| *other == group).count() - 1;
        by_chance += others as f64 / (groups.len() - 1).max(1) as f64;
    }
    let rows = groups.len().max(1) as f64;
    Purity { found: found / rows, by_chance: by_chance / rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grouping(of_word: &[usize]) -> Grouping {
        Grouping { name: String::new(), groups: Vec::new(), of_word: of_word.to_vec() }
    }

    #[test]
    fn neighbours_are_counted() {
        // Two directions, whatever the length; and one that lies between.
        let rows = [[9.0, 0.1], [1.0, 0.0], [0.1, 7.0], [0.0, 1.0], [1.0, 1.2]].map(|row| row.to_vec());
        let groupings = [grouping(&[0, 0, 1, 1, 1]), grouping(&[0, 1, 0, 1, 1]), grouping(&[0; 5])];
        let found = purity(&rows, 2, 1, &groupings).expect("a purity");
        // The nearest: 0 and 1 of each other, 2 and 3 of each other, 2 of 4.
        assert_eq!(found.iter().map(|purity| purity.found).collect::<Vec<_>>(), [1.0, 0.0, 1.0]);
        let chance = (2.0 * 0.25 + 3.0 * 0.5) / 5.0;
        assert!((found[0].by_chance - chance).abs() < 1e-12 && found[2].by_chance == 1.0);
        // All four others, and no more where more are asked for.
        for k in [4, 9] {
            let found = purity(&rows, 2, k, &groupings).expect("a purity");
            assert!((found[0].found - chance).abs() < 1e-12);
        }
    }
}
