//! What errors say: where, and what to do.

use nanoembed::error::{CapacityExceeded, InputError, ShapeMismatch};
use nanoembed::image::ImageError;
use nanoembed::models::{
    BatchSize, ClassifierError, OpenError, RecipeError, RecordError, Shape, UnfitTraining,
};

/// Each text is one line, says where, and what to do.
#[test]
fn errors_say_where_and_what_to_do() {
    let of_kind = |kind, error| OpenError::Recipe(RecipeError::Layer { layer: 3, kind, error }).to_string();
    let layer = |error| of_kind(10, error);
    let kind = |kind, format| of_kind(kind, RecordError::UnsupportedLayer { kind, format });
    let shape = ShapeMismatch { what: "parameters of the model", expected: 8, found: 7 };
    let needed = CapacityExceeded { what: "slots of the trainer (Trainer::lengths)", capacity: 1, needed: 2 };
    let size = |examples| UnfitTraining::BatchSize(BatchSize { examples, ids_per_bag: 2 }).to_string();
    let said = [
        (kind(1, 3), "layer 3 (Embedding): its kind with rows of U8", "name it"),
        (kind(1, 0), "layer 3 (Embedding): its kind is not", "name it"),
        (kind(10, 3), "layer 3 (Dense): it has no rows of U8", "an Embedding"),
        (kind(1, 99), "layer 3 (Embedding): the format 99", "a later release"),
        (kind(0xffff, 0), "layer 3 (a layer of a user): it is a layer of a user", "by the type"),
        (kind(99, 0), "layer 3: kind 99 is unknown", "later release"),
        (
            layer(RecordError::Extent { extent: 1, value: 0 }),
            "layer 3 (Dense): extent 1 is 0",
            "they are IN, OUT",
        ),
        (layer(RecordError::Option { option: 1, value: 9 }), "layer 3 (Dense): option 1 is 9", "its kind"),
        (layer(RecordError::Option { option: 0, value: 65535 }), "option 0 was set by a name", "whose it is"),
        (layer(RecordError::UnsupportedActivation { number: 3 }), "activation 3 (softmax)", "name it"),
        (layer(RecordError::NotZero), "layer 3 (Dense): the zeros", "not zero"),
        (layer(RecordError::TooLarge), "layer 3 (Dense): it has more numbers", "this processor"),
        (
            layer(RecordError::Shape { takes: Shape::Vector(3), found: Shape::Sequence { len: 2, dim: 3 } }),
            "layer 3 (Dense): it takes 3 numbers",
            "but gets 2 x 3 numbers",
        ),
        (
            layer(RecordError::Source { source: 4 }),
            "layer 3 (Dense): it takes what layer number 4 before it gives",
            "`from(Source::Input(0))`",
        ),
        (layer(RecordError::Source { source: 0x8002 }), "layer 3 (Dense): it takes input 2", "in order"),
        (
            layer(RecordError::Source { source: 0 }),
            "layer 3 (Dense): it takes a value from nowhere",
            "give it a source",
        ),
        (
            layer(RecordError::Output),
            "layer 3 (Dense): its output is taken twice",
            "one later layer takes it",
        ),
        (OpenError::Recipe(RecipeError::NoLayers).to_string(), "a model has", "at least one layer"),
        (RecipeError::TooManyLayers { found: 513 }.to_string(), "a model has at most 512 layers", "513"),
        (OpenError::Parameters(shape).to_string(), "expected 8, found 7 words", "write the image again"),
        (OpenError::Image(ImageError::Misaligned).to_string(), "the image starts at", "Aligned buffer"),
        (ImageError::Checksum { expected: 1, found: 2 }.to_string(), "checksum 00000002", "copy or write"),
        (ImageError::Header.to_string(), "a field of the header", "write the image again"),
        (ClassifierError::NoPipeline.to_string(), "the image says nothing", "write it with a pipeline"),
        (ClassifierError::Rows { table: 9, pipeline: 8 }.to_string(), "a table of 8 rows", "`for_table`"),
        (ClassifierError::Ids { model: 9, pipeline: 8 }.to_string(), "gives 8 ids", "`Pipeline::length`"),
        (UnfitTraining::Output.to_string(), "the model ends with a sequence", "flatten or pool"),
        (UnfitTraining::Memory(needed).to_string(), "slots of the trainer", "Trainer::lengths"),
        (size(0), "batches of 0 examples", "at least 1"),
        (size(usize::MAX), "examples, bags of 2 ids", "take smaller ones"),
        (InputError::Kind { input: 1, takes: "Input::Ids" }.to_string(), "input 1", "takes Input::Ids"),
    ];
    for (text, place, cure) in said {
        let found = text.find(place).unwrap_or_else(|| panic!("{text:?} does not say {place:?}"));
        assert!(text[found..].contains(cure), "{text:?} does not say {cure:?} after {place:?}");
        assert!(!text.contains('\n') && !text.ends_with('.'), "{text:?}");
    }
}
