//! The rows of chosen words, or texts, in a file of vectors or in the table of a model.

use super::Words;
use crate::columns;
use crate::export;
use crate::failure::Failure;
use crate::image_file::{ImageFile, is_image};
use crate::words::{Wanted, WordVectors, mean};
use nanoembed::text::Pipeline;
use std::collections::HashSet;
use std::path::Path;

/// A row for each text; none for one that has none.
pub(crate) struct Rows {
    pub(crate) dim: usize,
    pub(crate) rows: Vec<Option<Vec<f32>>>,
}

impl Rows {
    /// Of a file of vectors: the row of a text, or the mean of the rows of its words, which spaces divide. Of a model:
    /// the mean of the rows of its ids, as its layers see it.
    pub(crate) fn read(path: &Path, words: &Words) -> Result<Self, Failure> {
        if is_image(path)? {
            Self::of_model(&ImageFile::read(path)?, words)
        } else {
            Self::of_vectors(path, words)
        }
    }

    fn of_vectors(path: &Path, words: &Words) -> Result<Self, Failure> {
        let parts = words.words.iter().flat_map(|text| text.split_whitespace());
        let only: HashSet<String> =
            words.words.iter().map(String::as_str).chain(parts).map(str::to_owned).collect();
        let vectors = WordVectors::read(path, Wanted { only: Some(&only), ..Wanted::default() })?;
        let dim = vectors.dim();
        let row = |text: &String| {
            let whole = vectors.vector(text);
            whole.or_else(|| mean(dim, text.split_whitespace().filter_map(|word| vectors.vector(word))))
        };
        Ok(Self { dim, rows: words.words.iter().map(row).collect() })
    }

    fn of_model(image: &ImageFile, words: &Words) -> Result<Self, Failure> {
        let classifier = image.classifier()?;
        let model = classifier.model();
        if columns::read(&model).is_some() {
            return Err(image.failure("it learnt from columns, and has no rows of words"));
        }
        let first = model.recipe().records().first();
        let (table, dim) =
            first.and_then(|record| export::table(record, model.parameters())).ok_or_else(|| {
                image.failure(
                    "its first layer is no table of rows: give the model as it was before it was folded",
                )
            })?;
        let row_of = |id: u32| {
            let start = (id as usize).checked_mul(dim)?;
            Some(table.get(start..)?.get(..dim)?.to_vec())
        };
        let mut rows = Vec::new();
        for text in &words.words {
            let ids = ids(&classifier.pipeline(), text)?;
            rows.push(mean(dim, ids.into_iter().filter_map(row_of)));
        }
        Ok(Self { dim, rows })
    }
}

/// The ids of a text, without those that fill up a sequence.
fn ids(pipeline: &Pipeline<'_>, text: &str) -> Result<Vec<u32>, Failure> {
    let mut ids = Vec::new();
    match pipeline.ids() {
        None => pipeline.for_each_id(text, |id| ids.push(id)),
        Some(length) => {
            ids.resize(length.get() as usize, 0);
            pipeline.encode_into(text, &mut ids).map_err(Failure::model)?;
            ids.retain(|id| *id != 0);
        }
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_the_mean_of_its_words() {
        let path = std::env::temp_dir().join(format!("nanoembed-rows-{}.txt", std::process::id()));
        std::fs::write(&path, "a 1 2\nb 3 -2\nc 9 9\n").expect("a file");
        let words = Words::new(["b", "a b", "a d", "d"].map(str::to_owned));
        let rows = Rows::read(&path, &words);
        std::fs::remove_file(&path).expect("the file");
        let rows = rows.expect("rows");
        let row = |numbers: [f32; 2]| Some(numbers.to_vec());
        assert_eq!(
            (rows.dim, rows.rows),
            (2, vec![row([3.0, -2.0]), row([2.0, 0.0]), row([1.0, 2.0]), None])
        );
    }
}
