//! A module of Rust that has the type of a model, its tokenizer, and takes its image into the program.

use crate::description::Text;
use crate::failure::Failure;
use nanoembed::layers::ActivationKind;
use nanoembed::models::{All, LayerKind, Model, Record, Source};
use nanoembed::table::RowFormat;
use std::fmt::Display;

/// Ids that a bag has room for, if the firmware makes one.
const CAPACITY: usize = 256;
/// The most rows that ids of 16 bits name.
const MOST_SHORT: u32 = 1 << 16;

/// The text of the module for an image with this path.
pub(crate) fn module(model: &Model<'_, All>, file: &str) -> Result<String, Failure> {
    let layers: Vec<String> = model
        .recipe()
        .records()
        .iter()
        .enumerate()
        .map(|(number, record)| layer(number, record))
        .collect::<Result<_, _>>()?;
    let mut out = format!("// Written by `nanoembed export`: the type of {file}, and the image itself.\n\n");
    out.push_str("use nanoembed::layers::{options::*, *};\n");
    let tokenizer = model.pipeline().map(|pipeline| tokenizer(&Text::of(pipeline)));
    if let Some((uses, _)) = tokenizer.as_ref().filter(|(uses, _)| !uses.is_empty()) {
        out.push_str(&format!("use nanoembed::text::{{{}}};\n", uses.join(", ")));
    }
    out.push_str("use nanoembed::{image, image::ImageError, include_image, sequential};\n\n");
    out.push_str(&format!("static IMAGE: &[u8] = include_image!({file:?});\n\n"));
    out.push_str(&format!("sequential! {{ pub type Model = [\n    {},\n]; }}\n\n", layers.join(",\n    ")));
    if let Some((_, code)) = &tokenizer {
        out.push_str(code);
    }
    if let Some(classes) = model.classes() {
        out.push_str("/// The names of the classes.\n");
        out.push_str(&format!(
            "pub const CLASSES: [&str; {}] = {:?};\n\n",
            classes.len(),
            classes.iter().collect::<Vec<_>>()
        ));
    }
    out.push_str("/// The model, where it lies in flash.\n");
    out.push_str("pub fn model() -> Result<&'static Model, ImageError> {\n");
    out.push_str("    image::read(IMAGE)\n}\n");
    Ok(out)
}

/// An activation as the crate names it.
pub(super) fn activation(number: u16) -> &'static str {
    match ActivationKind::ALL.get(usize::from(number)) {
        Some(ActivationKind::Relu) => "Relu",
        Some(ActivationKind::Sigmoid) => "Sigmoid",
        Some(ActivationKind::Softmax) => "Softmax",
        Some(ActivationKind::Tanh) => "Tanh",
        _ => "Identity",
    }
}

/// The type of packed rows; `None` if they are not packed.
fn packed_row(record: &Record, dim: u32) -> Option<String> {
    let half = dim.div_ceil(2);
    Some(match RowFormat::from_number(record.format)? {
        RowFormat::F16 => format!("F16Row<{dim}>"),
        RowFormat::Bf16 => format!("Bf16Row<{dim}>"),
        RowFormat::U8 => format!("U8Row<{dim}>"),
        RowFormat::U4 => format!("U4Row<{dim}, {}>", half + 4),
        RowFormat::U2 => format!("U2Row<{dim}, {}>", dim.div_ceil(4) + 4),
        RowFormat::I8 => format!("I8Row<{dim}>"),
        RowFormat::I4 => format!("I4Row<{dim}, {half}>"),
        _ => return None,
    })
}

/// The type of a layer, with its options only where they are not the default.
fn layer(number: usize, record: &Record) -> Result<String, Failure> {
    let kind = LayerKind::from_number(record.kind);
    let fails = |why: &dyn Display| {
        let kind = kind.map_or("unknown", LayerKind::name);
        Failure::model(format!("layer {number} ({kind}): {why}; open the image by `nanoembed::models::open`"))
    };
    let expected = if number == 0 { Source::Input(0) } else { Source::Back(1) };
    if record.sources != [expected.number(), 0] {
        return Err(fails(&"layers beside each other have no type here"));
    }
    let [a, b, c, d, e, f] = record.extents;
    let [option, second, mask, _] = record.options;
    let masked = |text: String| match mask {
        1 => text.replace('>', ", IgnoreMask>"),
        _ => text,
    };
    let table = |layer: String, rows: u32, dim: u32| match packed_row(record, dim) {
        Some(row) => format!("Packed<{layer}, {row}, {rows}>"),
        None => layer,
    };
    let pooling = ["Mean", "Sum", "SqrtN"].get(usize::from(option)).copied().unwrap_or("Mean");
    let ids = |rows: u32| if rows > MOST_SHORT { "u32" } else { "u16" };
    Ok(match kind {
        Some(LayerKind::Embedding) => {
            let masking = if option == 1 { "MaskZero" } else { "NoMask" };
            table(format!("Embedding<{a}, {b}, {c}, {}, {masking}>", ids(b)), b, c)
        }
        Some(LayerKind::EmbeddingBag) => {
            table(format!("EmbeddingBag<{CAPACITY}, {a}, {b}, {pooling}, {}>", ids(a)), a, b)
        }
        Some(LayerKind::Folded) => {
            let row = packed_row(record, b).ok_or_else(|| fails(&"rows that are no integers"))?;
            let rows = if c == a {
                format!("[{row}; {a}]")
            } else {
                format!("KeptRows<{row}, {c}, {a}, {}>", a.div_ceil(32))
            };
            format!("Folded<{rows}, {b}, {CAPACITY}, {pooling}, {}>", ids(a))
        }
        Some(LayerKind::Flatten) => masked(format!("Flatten<{a}, {b}, {}>", a.saturating_mul(b))),
        Some(LayerKind::GlobalMaxPooling1D) => masked(format!("GlobalMaxPooling1D<{a}, {b}>")),
        Some(LayerKind::GlobalAveragePooling1D) => masked(format!("GlobalAveragePooling1D<{a}, {b}>")),
        Some(LayerKind::Conv1D) => {
            let (padding, out) = match option {
                0 => ("Valid", a.saturating_sub(f.saturating_mul(d.saturating_sub(1))).div_ceil(e.max(1))),
                1 => ("Same", a.div_ceil(e.max(1))),
                _ => ("Causal", a.div_ceil(e.max(1))),
            };
            let mask = ["HonourMask", "IgnoreMask", "StrictMask"]
                .get(usize::from(mask))
                .copied()
                .unwrap_or("HonourMask");
            format!("Conv1D<{a}, {b}, {c}, {d}, {out}, {}, {padding}, {mask}, {e}, {f}>", activation(second))
        }
        Some(LayerKind::Lstm) => {
            let returns = if option == 1 { "ReturnSequences" } else { "ReturnLast" };
            let goes = if second == 1 { "GoBackwards" } else { "GoForwards" };
            format!("Lstm<{a}, {b}, {c}, {returns}, {goes}>")
        }
        Some(LayerKind::Dense) => format!("Dense<{a}, {b}, {}>", activation(second)),
        Some(LayerKind::Activation) if b == 0 => format!("Activation<[f32; {a}], {}>", activation(second)),
        Some(LayerKind::Dropout) if b == 0 => format!("Dropout<[f32; {a}], {c}>"),
        _ => return Err(fails(&"it has no type here")),
    })
}

/// How the fields of a row become ids.
const COLUMNS: &str = "\
/// The columns, in the order in which a row has their fields: each gives one id, by `category` or `number`.
pub fn columns() -> Result<Columns<'static>, ImageError> {
    let bytes = image::Sections::read(IMAGE)?.pipeline().ok_or(ImageError::Pipeline)?;
    let pipeline = Pipeline::read_as::<Columns>(bytes).map_err(|_| ImageError::Pipeline)?;
    pipeline.as_columns().ok_or(ImageError::Pipeline)
}

";

/// How text becomes ids: what the code uses, and the code.
fn tokenizer(text: &Text) -> (Vec<&'static str>, String) {
    let Text { rows, words, characters: (min, max), marks, filters, length, .. } = text;
    let (padding, truncating) = (text.padding, text.truncating);
    let lowercase = match text.lowercase {
        "none" => "Unchanged",
        "ascii" => "Ascii",
        _ => "Unicode",
    };
    if text.ids_by == "columns" {
        return (vec!["Columns", "Pipeline"], COLUMNS.to_owned());
    }
    if text.ids_by != "hash" || text.hash != "native" || text.split != " " {
        let code = "// Text becomes ids by the pipeline in the image: open it by `nanoembed::models::open`, and classify by\n\
                    // `nanoembed::models::Classifier`.\n\n";
        return (Vec::new(), code.to_owned());
    }
    let with_splitter = |names: &[&'static str]| {
        let mut uses = names.to_vec();
        uses.extend(marks.then_some("Splitter"));
        uses.sort_unstable();
        uses
    };
    if (*min, *max, lowercase) == (0, 0, "Ascii") {
        let words = (*words).max(1);
        let ngrams = if words > 1 { ".word_ngrams()" } else { "" };
        let splitter = if *marks { "\n    .splitter(Splitter::MARKS)" } else { "" };
        let code = format!(
            "/// How text becomes ids.\n\
             pub const TOKENIZER: HashingTokenizer<NativeHash, Ascii, {words}> = HashingTokenizer::for_table::<Model>(){ngrams}{splitter}\n    \
             .filters({filters:?})\n    .padding(Padding::{padding})\n    .truncating(Truncating::{truncating});\n\n"
        );
        let uses = ["Ascii", "HashingTokenizer", "NativeHash", "Padding", "Truncating"];
        return (with_splitter(&uses), code);
    }
    let splitter = if *marks { "\n        .splitter(Splitter::MARKS)" } else { "" };
    let code = format!(
        "/// How text becomes ids.\n\
         pub fn pipeline() -> Result<Pipeline<'static>, PipelineError> {{\n    \
         Ok(Pipeline::hashing({rows}, HashKind::Native)?{splitter}\n        .lowercase(Lowering::{lowercase})\n        \
         .word_ngrams({words})?\n        .subwords({min}, {max})?\n        .filters({filters:?})\n        \
         .length({length})\n        .padding(Padding::{padding})\n        .truncating(Truncating::{truncating}))\n}}\n\n"
    );
    let uses = ["HashKind", "Lowering", "Padding", "Pipeline", "PipelineError", "Truncating"];
    (with_splitter(&uses), code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{Architecture, Extents};
    use nanoembed::models::Recipe;

    fn types(architecture: Architecture) -> Vec<String> {
        let length = if architecture.takes_sequence() { 9 } else { 0 };
        let extents =
            Extents { rows: 50, dim: 4, length, units: 6, window: 5, classes: 3, ..Extents::default() };
        let records = architecture.records(extents).expect("records");
        Recipe::<All>::new(&records).expect("a recipe");
        records.iter().enumerate().map(|(number, record)| layer(number, record).expect("a type")).collect()
    }

    #[test]
    fn records_become_types() {
        assert_eq!(types(Architecture::Bag), ["EmbeddingBag<256, 50, 4, Mean, u16>", "Dense<4, 3, Softmax>"]);
        assert_eq!(
            types(Architecture::Conv),
            [
                "Embedding<9, 50, 4, u16, MaskZero>",
                "Conv1D<9, 4, 6, 5, 5, Relu, Valid, HonourMask, 1, 1>",
                "GlobalMaxPooling1D<5, 6>",
                "Dense<6, 3, Softmax>"
            ]
        );
        let folded =
            Record::new(LayerKind::Folded, &[100, 3, 64]).format(RowFormat::I4).from(Source::Input(0));
        assert_eq!(
            layer(0, &folded).expect("a type"),
            "Folded<KeptRows<I4Row<3, 2>, 64, 100, 4>, 3, 256, Mean, u16>"
        );
        let apart = Record::new(LayerKind::Dense, &[3, 2]).from(Source::Input(1));
        assert!(layer(1, &apart).is_err());
    }
}
