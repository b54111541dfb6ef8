//! Vectors of words into files.

use crate::export::{Array, Values, npy_of, npz_of, safetensors_of};
use crate::failure::Failure;
use crate::image_file::{self, ImageFile};
use crate::pipeline;
use crate::words::words_beside_path;
use clap::ValueEnum;
use nanoembed::files;
use nanoembed::image::Contents;
use nanoembed::models::{All, LayerKind, Model, Recipe, Record, Source};
use nanoembed::table::{Bf16, F16, Format, RowFormat, Table, TableMut};
use nanoembed::text::{Lowering, Pipeline, VocabularyView};
use nanoembed::vectors::{self, WriteError};
use std::borrow::Cow;
use std::path::Path;

/// The name of the array in a file of arrays.
const ARRAY: &str = "vectors";

/// How vectors lie in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum VectorFormat {
    /// Text after a line with rows and numbers: word2vec, fastText's .vec
    Text,
    /// Text without that line
    Glove,
    /// word2vec's binary file
    Binary,
    /// An array of NumPy, and the words beside it
    Npy,
    /// An archive of NumPy with this array
    Npz,
    /// A file of safetensors with this array
    Safetensors,
    /// A model: the mean of the rows of the words of a text
    Nemb,
}

impl VectorFormat {
    /// That which the name of the file says.
    pub(crate) fn of(output: &Path) -> Result<Self, Failure> {
        Ok(match output.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
            "txt" | "vec" => Self::Text,
            "bin" => Self::Binary,
            "npy" => Self::Npy,
            "npz" => Self::Npz,
            "safetensors" => Self::Safetensors,
            "nemb" => Self::Nemb,
            _ => {
                let message = "take a name that ends with .txt or .vec for text, .bin for word2vec's binary file, \
                               .npy, .npz, .safetensors or .nemb";
                return Err(Failure::usage(format!("{}: {message}", output.display())));
            }
        })
    }

    /// Whether words stand in a file beside it.
    pub(crate) fn has_words_beside(self) -> bool {
        matches!(self, Self::Npy | Self::Npz | Self::Safetensors)
    }

    /// An error if it has no such numbers.
    pub(crate) fn check(self, numbers: RowFormat) -> Result<(), Failure> {
        let has = match self {
            Self::Text | Self::Glove | Self::Binary => numbers == RowFormat::F32,
            Self::Npy | Self::Npz => matches!(numbers, RowFormat::F32 | RowFormat::F16),
            Self::Safetensors => matches!(numbers, RowFormat::F32 | RowFormat::F16 | RowFormat::Bf16),
            Self::Nemb => true,
        };
        if has {
            return Ok(());
        }
        let cure = match self {
            Self::Text | Self::Glove | Self::Binary => "such a file has 32 bits a number",
            Self::Npz | Self::Npy => "such a file has f32 or f16",
            _ => "such a file has f32, f16 or bf16",
        };
        Err(Failure::usage(format!("--numbers: {cure}; write a model (.nemb) for fewer bits")))
    }

    /// Writes the file whole or not at all, and the words beside it.
    pub(crate) fn write<W: AsRef<str>>(
        self,
        output: &Path,
        words: &[W],
        table: Table<'_>,
        numbers: RowFormat,
    ) -> Result<(), Failure> {
        self.check(numbers)?;
        let failed = |error: WriteError| {
            let word = match error {
                WriteError::Word { row } => words.get(row).map_or("", AsRef::as_ref),
                _ => return Failure::data(&output.display().to_string(), error),
            };
            Failure::data(&output.display().to_string(), format!("{word:?}: {error}; or write .npy"))
        };
        let bytes = match self {
            Self::Text | Self::Glove | Self::Binary => {
                let mut wrong = None;
                let written = files::write(output, |file| {
                    let written = match self {
                        Self::Text => vectors::write_text(words, table, file),
                        Self::Glove => vectors::write_glove(words, table, file),
                        _ => vectors::write_binary(words, table, file),
                    };
                    written.map_err(|error| {
                        wrong = Some(error);
                        std::io::Error::other(error)
                    })
                });
                return match (written, wrong) {
                    (Ok(()), _) => Ok(()),
                    (Err(_), Some(error @ WriteError::Word { .. })) => Err(failed(error)),
                    (Err(error), _) => Err(Failure::file(output, &error)),
                };
            }
            Self::Npy => npy_of(&array(table, numbers)?)?,
            Self::Npz => npz_of(&[array(table, numbers)?])?,
            Self::Safetensors => safetensors_of(&[array(table, numbers)?])?,
            Self::Nemb => return model(words, table, numbers, output)?.write(output),
        };
        let mut list = String::new();
        for word in words {
            let word = word.as_ref();
            if word.contains(['\n', '\r']) {
                let message = format!("{word:?} is more than one line, and has none in a file of words");
                return Err(Failure::data(&output.display().to_string(), message));
            }
            list.push_str(word);
            list.push('\n');
        }
        // Words and rows of two calls would be worse than neither: what may fail comes first.
        let beside = words_beside_path(output);
        let mut unfinished = beside.clone().into_os_string();
        unfinished.push(format!(".{}.part", std::process::id()));
        let written = image_file::write(unfinished.as_ref(), list.as_bytes())
            .and_then(|()| image_file::write(output, &bytes))
            .and_then(|()| {
                std::fs::rename(&unfinished, &beside).map_err(|error| Failure::file(&beside, &error))
            });
        if written.is_err() && Path::new(&unfinished).exists() {
            std::fs::remove_file(&unfinished).map_err(|error| Failure::file(unfinished.as_ref(), &error))?;
        }
        written
    }
}

fn rows(table: Table<'_>) -> impl Iterator<Item = &[f32]> {
    (0..table.rows()).filter_map(move |row| table.row(row))
}

/// The rows with such numbers.
fn array(table: Table<'_>, numbers: RowFormat) -> Result<Array<'_>, Failure> {
    let values = match numbers {
        RowFormat::F16 => Values::F16(short::<F16>(table)?),
        RowFormat::Bf16 => Values::Bf16(short::<Bf16>(table)?),
        _ => Values::F32(Cow::Owned(rows(table).flatten().copied().collect())),
    };
    Ok(Array { key: ARRAY.to_owned(), shape: vec![table.rows(), table.dim()], values })
}

/// The rows with 16 bits a number.
fn short<F: Format<Element = u16>>(table: Table<'_>) -> Result<Vec<u16>, Failure> {
    let (rows, dim) = (table.rows(), table.dim());
    let mut elements = vec![0; rows * dim];
    let mut row = vec![0.0; dim];
    TableMut::<F>::packed(&mut elements, rows, dim)
        .and_then(|mut short| short.quantise(table))
        .map_err(Failure::usage)?;
    let short = Table::<F>::packed(&elements, rows, dim).map_err(Failure::usage)?;
    for number in 0..rows {
        short.dequantise_row(number, &mut row).map_err(Failure::usage)?;
        if !row.iter().all(|x| x.is_finite()) {
            let message = format!("row {} has a number that 16 bits do not hold: take f32", number + 1);
            return Err(Failure::usage(message));
        }
    }
    Ok(elements)
}

/// The image of the mean of the rows of words. Row 0 is that of no word.
fn model<W: AsRef<str>>(
    words: &[W],
    table: Table<'_>,
    numbers: RowFormat,
    output: &Path,
) -> Result<ImageFile, Failure> {
    let words = || words.iter().map(AsRef::as_ref);
    let mut memory = vec![0; VocabularyView::memory(table.rows(), words().map(str::len).sum())];
    let vocabulary = VocabularyView::of_words(words(), &mut memory).map_err(Failure::usage)?;
    let has_capitals = words().any(|word| word.contains(|c: char| c.is_ascii_uppercase()));
    let lowering = if has_capitals { Lowering::Unchanged } else { Lowering::Ascii };
    let (count, dim) = (table.rows() + 1, table.dim());
    // What no word is made of separates them: white space alone.
    let pipeline = Pipeline::vocabulary(count as u64, vocabulary).map_err(Failure::usage)?;
    let pipeline = pipeline::bytes(&pipeline.lowercase(lowering).filters("\t\n\u{b}\u{c}\r"))?;
    let bag = Record::checked_new(LayerKind::EmbeddingBag, &[count, dim]);
    let records = [bag.ok_or_else(|| Failure::usage("more rows than an image has: take fewer with --most"))?];
    let records = records.map(|record| record.from(Source::Input(0)));
    let recipe = Recipe::<All>::new(&records).map_err(Failure::usage)?;
    let mut parameters = vec![0.0; dim];
    parameters.extend(rows(table).flatten());
    let model = Model::new(recipe, &parameters).map_err(Failure::model)?;
    let contents = Contents { pipeline: Some(&pipeline), ..Contents::default() };
    let mut image =
        ImageFile::zeros(&output.display().to_string(), model.shipped_size_with(numbers, &contents));
    model.ship_with(numbers, &contents, image.bytes_mut()).map_err(Failure::model)?;
    // What does not open is not written.
    image.model()?;
    Ok(image)
}
