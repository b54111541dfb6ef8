//! A small image of each kind of layer and each format of rows, as recorded: read, and written back byte for byte.
//!
//! `NANOEMBED_WRITE_GOLDEN=1` writes the files anew: once, when the format gets a new version.

use crate::golden::recorded;
use nanoembed::image::{self, Contents, Sections};
use nanoembed::layers::options::{
    GoBackwards, IgnoreMask, MaskZero, Multiplied, ReturnSequences, Same, StrictMask, Sum,
};
use nanoembed::layers::{
    Activation, Add, Batch, BatchMut, Bf16Row, BiasedDot, Conv1D, Dense, Dot, Dropout, Embedding,
    EmbeddingBag, F16Row, Fingerprint, Flatten, Flow, Folded, Frozen, FrozenRows, GlobalAveragePooling1D,
    GlobalMaxPooling1D, HashedEmbedding, I4Row, I8Row, KeptRows, Layer, Lstm, OverlayBag, Packed,
    QuotientRemainder, Records, Relu, Sigmoid, Softmax, Tanh, U2Row, U4Row, U8Row, integer,
};
use nanoembed::table::Aligned;
use nanoembed::text::{HashKind, Pipeline, Splitter};
use nanoembed::zerocopy::{FromBytes, Immutable, KnownLayout};
use nanoembed::{concatenate, parameters, sequential};
use std::collections::BTreeSet;

/// A layer of a user: y = scale ∘ x.
#[derive(FromBytes, KnownLayout, Immutable)]
#[repr(C)]
struct Scale {
    scale: [f32; 2],
}

parameters!(impl[] Scale { scale: [f32; 2] });

impl Layer for Scale {
    type Input = [f32; 2];
    type Output = [f32; 2];
    type InputGradient = [f32; 2];
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = Flow<[f32; 2], BATCH>;
    const NAME: &'static str = "Scale";
    const RECORDS: Records = Records::own(Fingerprint::of("scale").extent(2));

    fn infer<const BATCH: usize>(&self, x: Batch<'_, [f32; 2]>, (): &mut (), y: BatchMut<'_, [f32; 2]>) {
        for (x, y) in x.values.iter().zip(y.values) {
            *y = [x[0] * self.scale[0], x[1] * self.scale[1]];
        }
    }

    fn backward<const BATCH: usize>(
        &self,
        _: Batch<'_, [f32; 2]>,
        _: &mut Self::Cache<BATCH>,
        _: Option<&mut Self::Gradient<BATCH>>,
        _: Option<&mut [[f32; 2]]>,
    ) {
    }
}

type Words = Embedding<2, 3, 2>;
type Bag = EmbeddingBag<4, 3, 2>;

/// Bytes 1, 2, 3, .. where parameters are; zeros where rows are filled up.
fn pattern<M: Layer>() -> M {
    let (mut model, mut next) = (M::zeroed(), 0_u8);
    model.visit_mut(&mut |part| {
        for byte in part {
            next = next.wrapping_add(1);
            *byte = next;
        }
    });
    model
}

/// The fingerprint of records as `docs/image-format.md` has it.
fn fingerprint(recipe: &[u8]) -> u64 {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    recipe.chunks(64).fold(0_u64, |h, record| {
        let hash = record.iter().enumerate().fold(0xcbf2_9ce4_8422_2325_u64, |hash, (place, byte)| {
            // The bit that says that the whole layer does not learn.
            let byte = if place == 10 { byte & !1 } else { *byte };
            (hash ^ u64::from(byte)).wrapping_mul(PRIME)
        });
        h.wrapping_mul(PRIME).wrapping_add(hash)
    })
}

fn check<M: Layer>(name: &str, kinds: &mut BTreeSet<(u16, u16)>, contents: &Contents<'_>) {
    let (model, size) = (pattern::<M>(), image::size_with::<M>(contents));
    let mut bytes = Aligned([0; 1024]);
    let image = &mut bytes[..size];
    image::write_with(&model, contents, image).expect("the right length");
    let recorded = recorded(&format!("images/{name}.image"), image);
    assert!(recorded == image, "{name}: an image has other bytes");
    assert_eq!(image::length(&recorded), Ok(recorded.len()), "{name}");
    let read: &M = image::read(image).expect("an image of the type");
    let mut copy = M::zeroed();
    image::read_into(&recorded, &mut copy).expect("an image of the type");
    for model in [read, &copy] {
        let mut again = vec![0; size];
        image::write_with(model, contents, &mut again).expect("the right length");
        assert!(again == recorded, "{name}: it is not written back");
    }
    let sections = Sections::read(image).expect("an image");
    assert_eq!(sections.fingerprint(), M::FINGERPRINT.value(), "{name}");
    let entry = |at: usize| u64::from_le_bytes(recorded[at..at + 8].try_into().expect("8 bytes")) as usize;
    let recipe = &recorded[entry(72)..][..entry(80)];
    assert_eq!(fingerprint(recipe), M::FINGERPRINT.value(), "{name}");
    assert_eq!(sections.parameters().len(), M::BYTES, "{name}");
    assert_eq!(sections.classes().map_or(0, |classes| classes.len()), contents.classes.len(), "{name}");
    let records = sections.records().expect("an aligned image");
    kinds.extend(records.iter().map(|record| (record.kind, record.format)));
}

#[test]
fn every_kind_of_layer_has_its_recorded_image() {
    let mut kinds = BTreeSet::new();
    let nothing = Contents::default();
    macro_rules! check {
        ($($name:literal: $model:ty;)*) => {$(check::<$model>($name, &mut kinds, &nothing);)*};
    }
    check! {
        "embedding": Embedding<2, 3, 2, u16, MaskZero>;
        "embedding_f16": Packed<Embedding<2, 3, 3>, F16Row<3>, 3>;
        "embedding_bf16": Packed<Embedding<2, 3, 3>, Bf16Row<3>, 3>;
        "embedding_u8": Packed<Embedding<2, 3, 3>, U8Row<3>, 3>;
        "embedding_u4": Packed<Embedding<2, 3, 3>, U4Row<3, 6>, 3>;
        "embedding_u2": Packed<Embedding<2, 3, 3>, U2Row<3, 5>, 3>;
        "embedding_i8": Packed<Embedding<2, 3, 3>, I8Row<3>, 3>;
        "embedding_i4": Packed<Embedding<2, 3, 3>, I4Row<3, 2>, 3>;
        "embedding_frozen": Frozen<Words>;
        "embedding_frozen_rows": FrozenRows<Words, 1>;
        "embedding_bag": EmbeddingBag<4, 3, 2, Sum>;
        "embedding_bag_f16": Packed<Bag, F16Row<2>, 3>;
        "embedding_bag_bf16": Packed<Bag, Bf16Row<2>, 3>;
        "embedding_bag_u8": Packed<Bag, U8Row<2>, 3>;
        "embedding_bag_u4": Packed<Bag, U4Row<2, 5>, 3>;
        "embedding_bag_u2": Packed<Bag, U2Row<2, 5>, 3>;
        "embedding_bag_i8": Packed<Bag, I8Row<2>, 3>;
        "embedding_bag_i4": Packed<Bag, I4Row<2, 1>, 3>;
        "embedding_bag_frozen_rows": FrozenRows<Bag, 1>;
        "hashed_embedding": HashedEmbedding<2, 3, 2, 4, u32, 7>;
        "quotient_remainder": QuotientRemainder<2, 3, 2, 2, Multiplied>;
        "flatten": sequential![Words, Flatten<2, 2, 4, IgnoreMask>];
        "global_max_pooling_1d": sequential![Words, GlobalMaxPooling1D<2, 2>];
        "global_average_pooling_1d": sequential![Words, GlobalAveragePooling1D<2, 2>];
        "conv1d": Conv1D<3, 2, 2, 2, 3, Relu, Same, StrictMask>;
        "lstm": Lstm<2, 2, 1, ReturnSequences, GoBackwards>;
        "dense": Dense<3, 2, Tanh>;
        "dense_frozen": Frozen<Dense<3, 2>>;
        "dropout": sequential![Dense<2, 3>, Dropout<[f32; 3], 250>];
        "activation": Activation<[[f32; 2]; 3], Sigmoid>;
        "concatenate": concatenate![Dense<2, 1>, Bag, Dense<1, 3>];
        "add": Add<[[f32; 2]; 3]>;
        "overlay_bag": OverlayBag<4, 3, 2>;
        "dot": Dot<2>;
        "biased_dot": BiasedDot<3>;
        "folded": Folded<[I8Row<3>; 5], 3>;
        "folded_kept": Folded<KeptRows<I4Row<3, 2>, 3, 40, 2>, 3, 8, Sum>;
        "integer_embedding": integer::Embedding<2, 3, 3, u16, MaskZero>;
        "integer_flatten": sequential![integer::Embedding<2, 3, 2>, integer::Flatten<2, 2, 4, IgnoreMask>];
        "integer_global_max_pooling_1d":
            sequential![integer::Embedding<2, 3, 2>, integer::GlobalMaxPooling1D<2, 2>];
        "integer_global_average_pooling_1d": integer::GlobalAveragePooling1D<2, 2>;
        "integer_conv1d": integer::Conv1D<3, 2, 2, 2, 3, Relu, Same, StrictMask>;
        "integer_lstm": integer::Lstm<2, 2, 1, ReturnSequences, GoBackwards>;
        "integer_dense": integer::Dense<3, 2, Tanh>;
        "integer_logits": integer::Logits<3, 2, Softmax>;
        "own": Scale;
    }
    let pipeline = Pipeline::hashing(9, HashKind::Native).expect("rows that there are");
    let mut way = vec![0; pipeline.encoded_size()];
    pipeline.write(&mut way).expect("its own size");
    let contents = Contents {
        classes: &["food", "service"],
        threshold: 0.5,
        metadata: b"recorded",
        pipeline: Some(&way),
        vocabulary: Some(b"any words"),
    };
    check::<Dense<2, 2, Softmax>>("all_sections", &mut kinds, &contents);
    let pipeline = pipeline.splitter(Splitter::MARKS);
    let mut way = vec![0; pipeline.encoded_size()];
    pipeline.write(&mut way).expect("its own size");
    let contents = Contents { pipeline: Some(&way), ..Contents::default() };
    check::<Dense<2, 2, Softmax>>("pipeline_marks", &mut kinds, &contents);
    let tables: Vec<(u16, u16)> =
        (1..=2).flat_map(|kind| (0..=7).map(move |format| (kind, format))).collect();
    let rest = (3..=15).chain(17..=26).chain([0xffff]).map(|kind| (kind, 0));
    assert_eq!(kinds, tables.into_iter().chain(rest).chain([(16, 6), (16, 7)]).collect());
}
