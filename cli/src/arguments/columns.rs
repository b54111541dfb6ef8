//! Which columns of a table are learnt from.

use crate::data::{Field, Place};
use crate::failure::Failure;
use clap::Args;

/// Columns that are learnt from.
#[derive(Args, Debug)]
pub(crate) struct ColumnOptions {
    /// Learns from columns instead of a text: those of categories, by names or numbers from 1, such as 2,4-9
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', help_heading = "Columns",
        conflicts_with_all = ["text", "flash", "rows", "words", "characters", "lowercase", "filters", "length"])]
    categorical: Vec<String>,
    /// Those of numbers; an empty field is a number that lacks
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', help_heading = "Columns",
        conflicts_with_all = ["text", "flash", "rows", "words", "characters", "lowercase", "filters", "length"])]
    numeric: Vec<String>,
    /// Ranges that the numbers of a column are divided into, of as many lines each as can be
    #[arg(long, value_name = "N", default_value_t = 32, help_heading = "Columns",
        value_parser = clap::value_parser!(u16).range(2..), requires = "numeric")]
    pub(crate) bins: u16,
}

impl ColumnOptions {
    /// The columns, those of categories first.
    pub(crate) fn fields(&self) -> Result<Vec<Field>, Failure> {
        let mut fields = Vec::new();
        for (columns, is_numeric) in [(&self.categorical, false), (&self.numeric, true)] {
            for column in columns {
                let places = places(column.trim())?;
                fields.extend(places.into_iter().map(|place| Field { place, is_numeric }));
            }
        }
        Ok(fields)
    }
}

/// The columns of a name, a number, or a range of numbers.
fn places(column: &str) -> Result<Vec<Place>, Failure> {
    let number = |text: &str| text.parse::<usize>().ok();
    let range = column.split_once('-').and_then(|(from, to)| Some((number(from)?, number(to)?)));
    match (range, Place::told(column)) {
        (Some((from, to)), _) if from == 0 || from > to || to > 1 << 16 => Err(Failure::usage(format!(
            "{column}: columns are counted from 1 to 65536, the lower number first"
        ))),
        (Some((from, to)), _) => Ok((from..=to).map(Place::Number).collect()),
        (None, Place::Number(0)) => Err(Failure::usage("0: columns are counted from 1 on")),
        (None, Place::Named(name)) if name.is_empty() => Err(Failure::usage("a column without a name")),
        (None, Place::Named(name)) if Place::of_model(&name) != Place::Named(name.clone()) => {
            let message = "a model calls columns without a name so; give the column another name";
            Err(Failure::usage(format!("{name}: {message}")))
        }
        (None, place) => Ok(vec![place]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_names_numbers_and_ranges() {
        let options = ColumnOptions {
            categorical: vec!["sky".into(), "4-6".into()],
            numeric: vec!["2".into(), "a-b".into()],
            bins: 4,
        };
        let fields = options.fields().expect("columns");
        let names: Vec<String> = fields.iter().map(|field| field.place.name()).collect();
        assert_eq!(names, ["sky", "column 4", "column 5", "column 6", "column 2", "a-b"]);
        assert_eq!(fields.iter().filter(|field| field.is_numeric).count(), 2);
        for wrong in ["0", "", "0-3", "6-4", "column 2"] {
            let options = ColumnOptions { categorical: vec![wrong.into()], numeric: vec![], bins: 4 };
            assert!(options.fields().is_err(), "{wrong}");
        }
    }
}
