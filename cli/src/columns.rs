//! How the fields of a row become ids: the categories and thresholds of columns, learnt from rows.

use crate::data::{Field, Place};
use crate::failure::Failure;
use nanoembed::models::{All, Model};
use nanoembed::text::{Column, Columns, Pipeline};
use std::collections::BTreeMap;

/// A category that occurs less often is taken for an unknown one: what is unknown later then has a row that has
/// learnt.
const LEAST: usize = 2;

/// The bytes of the columns of these rows, whose fields have tabs between them.
pub(crate) fn fit(rows: &[String], fields: &[Field], bins: u16) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    for (number, field) in fields.iter().enumerate() {
        let values = rows.iter().map(|row| row.split('\t').nth(number).unwrap_or_default());
        let name = field.place.name();
        let appended = if field.is_numeric {
            let numbers = values.filter_map(|value| value.parse().ok()).filter(|x: &f32| x.is_finite());
            Columns::append_thresholds(&mut bytes, &name, &thresholds(numbers.collect(), bins.into()))
        } else {
            let mut times: BTreeMap<&str, usize> = BTreeMap::new();
            values.filter(|value| !value.is_empty()).for_each(|value| *times.entry(value).or_default() += 1);
            let frequent = times.iter().filter(|(_, times)| **times >= LEAST).map(|(category, _)| *category);
            if frequent.clone().next().is_none() {
                eprintln!("warning: {name}: no category comes twice, so it tells nothing");
            }
            Columns::append_categories(&mut bytes, &name, &frequent.collect::<Vec<_>>())
        };
        appended.map_err(|error| Failure::usage(format!("{name}: {error}")))?;
    }
    Ok(bytes)
}

/// How rows become ids, by the bytes of columns: a bag, or as many ids as columns.
pub(crate) fn pipeline(bytes: &[u8], columns: usize, is_bag: bool) -> Result<Pipeline<'_>, Failure> {
    let columns = u32::try_from(columns).map_err(Failure::usage)?;
    let pipeline = Pipeline::columns(Columns::read(bytes, columns).map_err(Failure::usage)?);
    Ok(pipeline.map_err(Failure::usage)?.length(if is_bag { 0 } else { columns }))
}

/// The columns of a model; `None` if it takes a text.
pub(crate) fn read<'a>(model: &Model<'a, All>) -> Option<Columns<'a>> {
    Pipeline::read(model.pipeline()?).ok()?.as_columns()
}

/// The columns of a model as fields of a file; none if it takes a text.
pub(crate) fn of_model(model: &Model<'_, All>) -> Vec<Field> {
    let field =
        |column: Column<'_>| Field { place: Place::of_model(column.name()), is_numeric: column.is_numeric() };
    read(model).map_or_else(Vec::new, |columns| columns.iter().map(field).collect())
}

/// Thresholds between numbers, such that at most `bins` ranges have about as many numbers each. A number that occurs
/// as often as that has a range of its own (Ke et al., LightGBM, 2017).
fn thresholds(mut numbers: Vec<f32>, bins: usize) -> Vec<f32> {
    numbers.sort_unstable_by(f32::total_cmp);
    // Distinct numbers, and how often each occurs.
    let mut distinct: Vec<(f32, usize)> = Vec::new();
    for x in &numbers {
        match distinct.last_mut() {
            Some((last, times)) if last == x => *times += 1,
            _ => distinct.push((*x, 1)),
        }
    }
    let is_frequent = |times: usize| distinct.len() <= bins || times * bins >= numbers.len();
    let frequent = distinct.iter().filter(|(_, times)| is_frequent(*times)).map(|(_, times)| *times);
    let (mut bins_left, mut numbers_left) = (bins, numbers.len());
    frequent
        .for_each(|times| (bins_left, numbers_left) = (bins_left.saturating_sub(1), numbers_left - times));
    let mut thresholds = Vec::new();
    let mut in_range = 0;
    for pair in distinct.windows(2) {
        let [(x, times), (next, times_of_next)] = *pair else { continue };
        let frequent = is_frequent(times);
        in_range += times;
        numbers_left -= if frequent { 0 } else { times };
        let is_full = in_range * bins_left.max(1) >= in_range + numbers_left;
        if !(frequent || is_frequent(times_of_next) || is_full) {
            continue;
        }
        if thresholds.len() + 1 >= bins {
            break;
        }
        // Above the one, not above the other.
        let middle = x / 2.0 + next / 2.0;
        thresholds.push(if middle > x && middle <= next { middle } else { next });
        bins_left -= usize::from(!frequent && bins_left > 1);
        in_range = 0;
    }
    thresholds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_have_as_many_numbers_each() {
        let even = thresholds((0..1000).map(|x| x as f32).collect(), 4);
        assert_eq!(even, [249.5, 499.5, 749.5]);
        // Few numbers have a range each.
        assert_eq!(thresholds(vec![3.0, 1.0, 1.0, 2.0], 4), [1.5, 2.5]);
        assert_eq!(thresholds(vec![7.0; 9], 4), [0.0; 0]);
        assert_eq!(thresholds(vec![], 4), [0.0; 0]);
        // What is frequent does not take the ranges of the rest.
        let mut skewed = vec![0.0; 900];
        skewed.extend((1..=100).map(|x| x as f32));
        let found = thresholds(skewed, 5);
        assert_eq!(found.len(), 4, "{found:?}");
        assert_eq!(found[0], 0.5);
        let neighbours = [1.0_f32, 1.0_f32.next_up()];
        assert_eq!(thresholds(neighbours.to_vec(), 4), [neighbours[1]]);
        for bins in 2..40 {
            let found = thresholds((0..300).map(|x| (x * x % 97) as f32).collect(), bins);
            assert!(found.len() < bins && found.len() + 2 >= bins.min(48), "{bins}: {}", found.len());
            assert!(found.is_sorted_by(|a, b| a < b));
        }
    }

    #[test]
    fn rare_categories_are_unknown() {
        let fields =
            [false, true].map(|is_numeric| Field { place: Place::Named(is_numeric.to_string()), is_numeric });
        let rows = ["a\t1", "a\t2", "b\t", "\t3"].map(str::to_owned);
        let bytes = fit(&rows, &fields, 8).expect("columns");
        let columns = pipeline(&bytes, 2, true).expect("a pipeline").as_columns().expect("columns");
        let of: Vec<Vec<&str>> = columns.iter().map(|column| column.categories().collect()).collect();
        assert_eq!(of, [vec!["a"], vec![]]);
        assert_eq!(columns.rows(), 1 + 2 + 4);
    }
}
