//! A project of firmware that tells the classes of texts: to copy, and to run in an emulator as it is.

use super::rust::activation;
use crate::description::Text;
use crate::failure::Failure;
use crate::image_file::ImageFile;
use nanoembed::models::{All, LayerKind, Model, Record};
use nanoembed::table::RowFormat;
use std::collections::{BTreeMap, BTreeSet};

/// Ids of a text of any length, if its pipeline does not say how many there are.
const MOST_IDS: u64 = 512;

/// A board that QEMU emulates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Board {
    /// A micro:bit: 256 KiB of flash, 16 KiB of RAM, no floating-point unit
    CortexM0,
    /// Arm's MPS2 with the image AN386: a floating-point unit, 4 MiB of each
    CortexM4f,
}

impl Board {
    /// KiB of flash and of RAM.
    fn memory(self) -> [usize; 2] {
        match self {
            Self::CortexM0 => [256, 16],
            Self::CortexM4f => [4096, 4096],
        }
    }

    /// What stands for its names in the files.
    fn names(self) -> [(&'static str, String); 5] {
        let [board, target, machine] = match self {
            Self::CortexM0 => ["a micro:bit (Cortex-M0)", "thumbv6m-none-eabi", "microbit"],
            Self::CortexM4f => ["Arm's MPS2 board AN386 (Cortex-M4F)", "thumbv7em-none-eabihf", "mps2-an386"],
        };
        let [flash, ram] = self.memory().map(|size| format!("{size}K"));
        [
            ("board", board.to_owned()),
            ("target", target.to_owned()),
            ("machine", machine.to_owned()),
            ("flash", flash),
            ("ram", ram),
        ]
    }
}

/// What firmware is made for.
pub(crate) struct Firmware<'a> {
    pub(crate) board: Board,
    /// Texts that it tells the classes of.
    pub(crate) texts: &'a [String],
    /// The folder of the crate nanoembed, if it is not taken from crates.io.
    pub(crate) nanoembed: Option<&'a str>,
}

/// The files of the project: their names and bytes.
pub(crate) fn project(
    firmware: &Firmware<'_>,
    image: &ImageFile,
) -> Result<Vec<(&'static str, Vec<u8>)>, Failure> {
    let [flash, _] = firmware.board.memory().map(|size| size << 10);
    let bytes = image.bytes().len();
    if bytes > flash {
        return Err(Failure::usage(format!(
            "{}: {bytes} bytes, of which the flash of the board holds {flash}: train with --flash, or quantise it",
            image.name()
        )));
    }
    let model = image.model()?;
    image.class_names(&model)?;
    let layers = layers(&model)?;
    let pipeline = image.classifier()?.model().pipeline().map(Text::of);
    let Some(pipeline) = pipeline else {
        return Err(Failure::model("it says nothing of how text becomes ids"));
    };
    let text = text_kinds(&pipeline);
    let memory = model.recipe().workspace(1).ok_or_else(|| Failure::model("it is too large"))?;
    let ids = if pipeline.length == 0 { MOST_IDS } else { pipeline.length };
    let uses = [
        ("layers", layers.activations),
        ("models::kinds", layers.kinds),
        ("models", vec!["self", "Classifier", "Workspace"]),
        ("table", layers.formats),
        ("text", text.clone()),
    ];
    let uses: Vec<String> = uses.iter().map(|(module, names)| import(module, names)).collect();
    let texts: Vec<String> = firmware.texts.iter().map(|text| format!("    {text:?},\n")).collect();
    let source = match firmware.nanoembed {
        // JSON's strings are strings of TOML, too.
        Some(folder) => format!("path = {}", serde_json::json!(folder)),
        None => format!("version = {:?}", env!("CARGO_PKG_VERSION")),
    };
    let names: Vec<(&str, String)> = firmware
        .board
        .names()
        .into_iter()
        .chain([
            ("uses", uses.concat()),
            ("layers", tuple(&layers.list)),
            ("text", tuple(&text.iter().map(|name| type_of_text(name)).collect::<Vec<_>>())),
            ("ids", ids.to_string()),
            ("count", texts.len().to_string()),
            ("texts", texts.concat()),
            ("numbers", memory.numbers.to_string()),
            ("masks", memory.masks.to_string()),
            ("source", source),
            ("features", features(&text)),
        ])
        .collect();
    let file = |template: &str| filled(template, &names).into_bytes();
    Ok(vec![
        ("Cargo.toml", file(include_str!("manifest.txt"))),
        ("README.md", file(include_str!("readme.txt"))),
        ("memory.x", file(include_str!("memory.txt"))),
        (".cargo/config.toml", file(include_str!("config.txt"))),
        ("src/main.rs", file(include_str!("main.rs.txt"))),
        ("src/model.nemb", image.bytes().to_vec()),
    ])
}

/// A file from its template: `{name}` becomes the value of this name. In one pass, since values may have braces.
fn filled(template: &str, names: &[(&str, String)]) -> String {
    let (mut out, mut rest) = (String::new(), template);
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let named = names
            .iter()
            .find_map(|(name, value)| Some((value, after.strip_prefix(name)?.strip_prefix('}')?)));
        if let Some((value, behind)) = named {
            out.push_str(value);
            rest = behind;
        } else {
            out.push('{');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// The line that imports names of a module of the crate; nothing for none.
fn import(module: &str, names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [name] => format!("use nanoembed::{module}::{name};\n"),
        names => format!("use nanoembed::{module}::{{{}}};\n", names.join(", ")),
    }
}

/// A list of types as one type.
fn tuple(types: &[impl AsRef<str>]) -> String {
    match types {
        [only] => format!("({},)", only.as_ref()),
        types => format!("({})", types.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")),
    }
}

/// The layers of a model as firmware names them.
struct Layers {
    /// The kinds as `models::open` takes them, each with the formats or the activations that occur.
    list: Vec<String>,
    kinds: Vec<&'static str>,
    formats: Vec<&'static str>,
    activations: Vec<&'static str>,
}

fn layers(model: &Model<'_, All>) -> Result<Layers, Failure> {
    let (mut kinds, mut formats, mut activations) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    for record in model.recipe().records() {
        let kind = LayerKind::from_number(record.kind);
        let kind = kind.ok_or_else(|| Failure::model("a layer of an unknown kind"))?;
        let parameter = match kind {
            LayerKind::Embedding | LayerKind::EmbeddingBag | LayerKind::Folded => {
                let format = format(record);
                formats.extend(format);
                format
            }
            LayerKind::Dense | LayerKind::Activation => {
                let [_, number, ..] = record.options;
                activations.insert(activation(number));
                Some(activation(number))
            }
            _ => None,
        };
        kinds.entry(type_of(kind)).or_insert_with(BTreeSet::new).extend(parameter);
    }
    let list = kinds.iter().map(|(kind, parameters)| {
        let parameters: Vec<&str> = parameters.iter().copied().collect();
        match parameters.as_slice() {
            [] => (*kind).to_owned(),
            [only] => format!("{kind}<{only}>"),
            several => format!("{kind}<{}>", tuple(several)),
        }
    });
    Ok(Layers {
        list: list.collect(),
        kinds: kinds.keys().copied().collect(),
        formats: formats.into_iter().collect(),
        activations: activations.into_iter().collect(),
    })
}

/// The type of a kind of layer: what Keras calls LSTM is `Lstm` there.
fn type_of(kind: LayerKind) -> &'static str {
    match kind {
        LayerKind::Lstm => "Lstm",
        other => other.name(),
    }
}

/// The format of the rows of a table, as the crate names it.
fn format(record: &Record) -> Option<&'static str> {
    Some(match RowFormat::from_number(record.format)? {
        RowFormat::F32 => "F32",
        RowFormat::F16 => "F16",
        RowFormat::Bf16 => "Bf16",
        RowFormat::U8 => "U8",
        RowFormat::U4 => "U4",
        RowFormat::U2 => "U2",
        RowFormat::I8 => "I8",
        RowFormat::I4 => "I4",
        _ => return None,
    })
}

/// The features of the crate that these need.
fn features(text: &[&str]) -> String {
    let feature = |name: &&str| match *name {
        "Md5" => Some("md5"),
        "SipHash" => Some("siphash"),
        "Unicode" => Some("unicode"),
        _ => None,
    };
    let features: Vec<&str> = text.iter().filter_map(feature).collect();
    if features.is_empty() { String::new() } else { format!(", features = {features:?}") }
}

/// A name of [`text_kinds`] as a type: what lies in the image is borrowed for as long as the program runs.
fn type_of_text(name: &str) -> String {
    let borrows = matches!(name, "Columns" | "VocabularyView");
    format!("{name}{}", if borrows { "<'static>" } else { "" })
}

/// What the firmware links to make ids of text, or of the fields of a row.
fn text_kinds(text: &Text) -> Vec<&'static str> {
    if text.ids_by == "columns" {
        return vec!["Columns"];
    }
    let lowercase = match text.lowercase {
        "none" => "Unchanged",
        "ascii" => "Ascii",
        _ => "Unicode",
    };
    let ids = match (text.ids_by, text.hash) {
        ("hash", "native") => "NativeHash",
        ("hash", "FarmHash64") => "FarmHash64",
        ("hash", "Murmur3") => "Murmur3",
        ("hash", "MD5") => "Md5",
        ("hash", _) => "SipHash",
        _ => "VocabularyView",
    };
    let subwords = (text.characters != (0, 0)).then_some("Subwords");
    let marks = text.marks.then_some("Marks");
    [Some(lowercase), marks, Some(ids), subwords].into_iter().flatten().collect()
}
