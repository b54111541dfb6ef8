//! `quantise`: a model with fewer bits a number.

use super::print;
use crate::arguments::Quantise;
use crate::columns;
use crate::data::Labelled;
use crate::examples::Examples;
use crate::failure::Failure;
use crate::image_file::{self, ImageFile};
use nanoembed::models::{All, FoldError, Folding, LayerKind, Model, Record};
use nanoembed::table::RowFormat;

/// What becomes of the numbers.
enum How {
    /// One table of integers.
    Folded(RowFormat),
    /// Tables of fewer bits a number.
    Rounded(RowFormat),
}

pub(crate) fn run(arguments: &Quantise) -> Result<(), Failure> {
    let how = match (arguments.fold, arguments.numbers) {
        (Some(fold), _) => How::Folded(fold.into()),
        (None, Some(numbers)) => How::Rounded(numbers.into()),
        (None, None) => return Err(Failure::usage("give --numbers, or --fold and what goes with it")),
    };
    image_file::check_apart(&arguments.output, arguments.data.as_deref())?;
    let image = ImageFile::read(&arguments.model)?;
    let model = image.model()?;
    let name = arguments.output.display().to_string();
    let quantised = match how {
        How::Folded(format) => ImageFile::of(&name, &fold(arguments, &image, model, Folding::new(format))?),
        How::Rounded(format) => {
            let records = model.recipe().records();
            if !records.iter().any(|record| record.format == RowFormat::F32 as u16 && has_table(record)) {
                return Err(
                    image.failure("it has no table of 32 bits a number: quantise the model that was trained")
                );
            }
            let mut quantised = ImageFile::zeros(&name, model.shipped_size(format));
            model.ship(format, quantised.bytes_mut()).map_err(|error| image.failure(error))?;
            quantised
        }
    };
    quantised.model()?;
    quantised.write(&arguments.output)?;
    let (before, after) = (image.bytes().len(), quantised.bytes().len());
    print(&format!("{name}: {after} bytes, of {before} before\n"))
}

/// Whether the layer has a table whose numbers may have fewer bits.
fn has_table(record: &Record) -> bool {
    let kind = LayerKind::from_number(record.kind);
    matches!(kind, Some(LayerKind::Embedding | LayerKind::EmbeddingBag))
}

/// The image of the model as one table of integers.
fn fold(
    arguments: &Quantise,
    image: &ImageFile,
    model: Model<'_, All>,
    folding: Folding<'_>,
) -> Result<Vec<u8>, Failure> {
    let failed = |error: FoldError| image.failure(error);
    let texts = match &arguments.data {
        Some(path) => {
            let reading = arguments.data_options.reading(columns::of_model(&model));
            let data = Labelled::read_as(&path.as_path().into(), &reading, image.class_names(&model)?)?;
            let pipeline = image.classifier()?.pipeline();
            // Labels do not matter here: of several none is missed.
            Some(Examples::encode(&data, 0..data.len(), true, &pipeline)?)
        }
        None => None,
    };
    let kept = match arguments.keep {
        Some(0) => return Err(Failure::usage("--keep 0: keep at least one row")),
        Some(count) => {
            let rows = model.recipe().records().first().and_then(|bag| bag.extents.first().copied());
            let occurrences = texts.as_ref().map(|texts| texts.occurrences(rows.unwrap_or(0) as usize));
            Some(model.strongest_rows(count, occurrences.as_deref()).map_err(failed)?)
        }
        None => None,
    };
    let texts = texts.as_ref().map(Examples::input);
    model.fold(Folding { kept: kept.as_deref(), texts, ..folding }).map_err(failed)
}
