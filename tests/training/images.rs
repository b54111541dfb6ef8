//! An image is read where it lies, with the bits that were written, today and in later versions; anything else is refused.

use crate::common::{image_of, parameters_at};
use nanoembed::image::{self, ImageError, Sections};
use nanoembed::include_image;
use nanoembed::internals::{HEADER, Kind};
use nanoembed::layers::options::{Added, IgnoreMask, MaskZero, Sum};
use nanoembed::layers::{
    ActivationKind, Bytes, Dense, Embedding, EmbeddingBag, Flatten, Frozen, HashedEmbedding, Layer,
    QuotientRemainder, Relu, Sigmoid, Softmax, Tanh,
};
use nanoembed::loss::BinaryCrossEntropy;
use nanoembed::optim::Adam;
use nanoembed::sequential;
use nanoembed::train::Trainer;

type Reviews = sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
type Small = sequential![Embedding<2, 3, 2>, Flatten<2, 2, 4>, Dense<4, 2, Softmax>];

/// Sixty-fourths, which `f32` holds exactly, in a fixed pattern.
pub(crate) fn pattern<M: Layer>() -> M {
    let mut model = M::zeroed();
    let mut place: i32 = 0;
    model.visit_mut(&mut |part| {
        for bytes in part.as_chunks_mut().0 {
            *bytes = ((place * 37 % 101 - 50) as f32 / 64.0).to_le_bytes();
            place += 1;
        }
    });
    model
}

/// Calls `check` with the bytes at an address `shift` bytes behind a multiple of 64.
pub(crate) fn at<T>(bytes: &[u8], shift: usize, check: impl FnOnce(&[u8]) -> T) -> T {
    let mut memory = vec![0; bytes.len() + 128];
    let start = memory.as_ptr().align_offset(64) + shift;
    memory[start..][..bytes.len()].copy_from_slice(bytes);
    check(&memory[start..][..bytes.len()])
}

/// The file that an earlier version wrote, in a program as firmware has it.
fn golden() -> &'static [u8] {
    include_image!("../golden/reviews.image")
}

/// `NANOEMBED_WRITE_GOLDEN=1` writes the golden file anew: once, when the format gets a new version.
fn write_golden_if_asked() {
    if std::env::var_os("NANOEMBED_WRITE_GOLDEN").is_some() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/reviews.image");
        std::fs::write(path, image_of(&pattern::<Reviews>())).expect("a writable folder");
    }
}

#[test]
fn the_golden_file_is_read_and_written_with_the_same_bits() {
    write_golden_if_asked();
    assert!(golden().as_ptr().addr().is_multiple_of(64));
    let model: &Reviews = image::read(golden()).expect("an image of version 2");
    assert!(golden() == image_of(&pattern::<Reviews>()), "today's image of the model");
    assert!(
        std::ptr::from_ref(model).addr() == golden()[parameters_at(3)..].as_ptr().addr(),
        "read where it lies"
    );
    assert_eq!(model.first.rows[0][..3], [-50.0 / 64.0, -13.0 / 64.0, 24.0 / 64.0]);
    assert_eq!(model.second.second.bias, [pattern::<Reviews>().second.second.bias[0]]);
    let predict = |ids| model.predict(&ids).expect("valid ids")[0].to_bits();
    assert_eq!(GOLDEN_PREDICTIONS.map(|(ids, _)| predict(ids)), GOLDEN_PREDICTIONS.map(|(_, bits)| bits));
}

const GOLDEN_PREDICTIONS: [([u16; 4], u32); 4] = [
    ([0; 4], 1_032_801_321),
    ([4, 7, 0, 0], 1_061_348_031),
    ([49, 48, 47, 46], 1_053_114_539),
    ([11, 21, 31, 41], 1_042_713_763),
];

/// The header, the list of sections and the layers as `docs/image-format.md` has them.
#[test]
fn the_header_is_as_documented() {
    let image = golden();
    assert_eq!(&image[..4], b"NEMB");
    assert_eq!(image[4..8], [2, 0, 1, 0]);
    assert_eq!(image[8..16], Reviews::FINGERPRINT.value().to_le_bytes());
    assert_eq!(image[16..24], (64 + 3 * 64 + 4 * 433_u64).to_le_bytes());
    assert_eq!(image[24..28], crc32(image).to_le_bytes());
    assert_eq!(image[28..32], [0; 4]);
    assert_eq!(image[32..40], [2, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(image[40..48], 320_u64.to_le_bytes());
    assert_eq!(image[48..64], [0; 16]);
    let entry = |kind: u16, offset: u64, length: u64| {
        let numbers = [u64::from(kind) | 1 << 16, offset, length];
        numbers.map(u64::to_le_bytes).concat()
    };
    assert_eq!(image[64..88], entry(1, 128, 3 * 64));
    assert_eq!(image[88..112], entry(2, 320, 4 * 433));
    assert_eq!(image[112..128], [0; 16]);
    assert_eq!(image[128..320], [record(1, [0x8000, 4, 50, 8]), record(5, [1, 4, 8, 0]), sigmoid()].concat());
    assert_eq!(image[320..324], (-50.0_f32 / 64.0).to_le_bytes());
    assert_eq!(image.len(), parameters_at(3) + 4 * 433);
    assert_eq!(image::length(image), Ok(image.len()));
    let mut flash = image.to_vec();
    flash.extend([0xff; 100]);
    assert_eq!(image::length(&flash), Ok(image.len()), "the image is cut out of what lies behind it");
}

/// A layer without options, from its kind, its source and three extents.
fn record(kind: u8, [source, extents @ ..]: [u16; 4]) -> Vec<u8> {
    let mut bytes = vec![0; 64];
    bytes[0] = kind;
    bytes[12..14].copy_from_slice(&source.to_le_bytes());
    for (bytes, extent) in bytes[16..].chunks_exact_mut(4).zip(extents) {
        bytes.copy_from_slice(&u32::from(extent).to_le_bytes());
    }
    bytes
}

/// `Dense<32, 1, Sigmoid>`: the second option is the activation.
fn sigmoid() -> Vec<u8> {
    let mut bytes = record(10, [1, 32, 1, 0]);
    bytes[6] = ActivationKind::Sigmoid as u8;
    bytes
}

/// CRC-32 of all bytes but its own, bit by bit.
pub(crate) fn crc32(image: &[u8]) -> u32 {
    let bytes = image[..24].iter().chain(&image[28..]);
    !bytes.fold(!0, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    })
}

/// Puts the right checksum on changed bytes, so that the other checks are seen.
pub(crate) fn resealed(mut image: Vec<u8>) -> Vec<u8> {
    let crc = crc32(&image).to_le_bytes();
    image[24..28].copy_from_slice(&crc);
    image
}

#[test]
fn every_changed_byte_is_refused() {
    let image = image_of(&pattern::<Small>());
    at(&image, 0, |image| image::read::<Small>(image).map(drop)).expect("the unharmed image");
    for place in 0..image.len() {
        for change in 1..=255 {
            let mut harmed = image.clone();
            harmed[place] ^= change;
            let error =
                at(&harmed, 0, |image| image::read::<Small>(image).map(drop)).expect_err("a changed byte");
            let expected = match place {
                0..4 => matches!(error, ImageError::NotAnImage),
                4..6 => matches!(error, ImageError::Version { .. }),
                6..8 => matches!(error, ImageError::Kind { .. }),
                8..16 => matches!(error, ImageError::Fingerprint { .. }),
                16..24 => matches!(error, ImageError::Length { .. }),
                _ => matches!(error, ImageError::Checksum { .. }),
            };
            assert!(expected, "byte {place} changed by {change:#x}: {error}");
        }
    }
    let golden = golden();
    for place in 0..golden.len() {
        for change in [0x01, 0x10, 0x80, 0xff] {
            let mut harmed = golden.to_vec();
            harmed[place] ^= change;
            assert!(
                at(&harmed, 0, |image| image::read::<Reviews>(image).is_err()),
                "byte {place} changed by {change:#x}"
            );
        }
    }
}

#[test]
fn every_truncated_or_extended_image_is_refused() {
    let image = golden();
    for length in 0..image.len() {
        let error = image::read::<Reviews>(&image[..length]).expect_err("a truncated image");
        let expected = ImageError::Length { expected: image.len(), found: length };
        assert_eq!(error, if length < HEADER { ImageError::NotAnImage } else { expected });
    }
    let mut extended = image.to_vec();
    for _ in 0..70 {
        extended.push(0);
        let expected = ImageError::Length { expected: image.len(), found: extended.len() };
        assert_eq!(image::read::<Reviews>(&extended).expect_err("an extended image"), expected);
    }
    assert_eq!(image::read::<Reviews>(&[]).expect_err("nothing"), ImageError::NotAnImage);
}

/// The checksum does not vouch for the header: a sealed image that says something impossible is refused as
/// well, by who knows the type and by who does not.
#[test]
fn a_sealed_image_that_says_something_impossible_is_refused() {
    let image = image_of(&pattern::<Small>());
    let refused = |image: &[u8], expected: ImageError, what: &str| {
        let typed = at(image, 0, |image| image::read::<Small>(image).map(drop));
        assert_eq!(typed, Err(expected), "{what}");
        let mut copy = pattern::<Small>();
        copy.first.rows[0][0] = 7.0;
        assert_eq!(image::read_into(image, &mut copy), Err(expected), "{what}");
        assert_eq!(copy.first.rows[0][0], 7.0, "{what}");
        assert!(Sections::read(image).is_err(), "{what}");
    };
    for length in [HEADER, HEADER + 4, parameters_at(3), image.len() - 4] {
        let mut shorter = image[..length].to_vec();
        shorter[16..24].copy_from_slice(&((length - HEADER) as u64).to_le_bytes());
        refused(&resealed(shorter), ImageError::Header, "an end before the parameters");
    }
    for length in [u64::MAX, u64::MAX - 63, u64::MAX >> 1, 1 << 32] {
        let mut huge = image.clone();
        huge[16..24].copy_from_slice(&length.to_le_bytes());
        let huge = resealed(huge);
        assert!(matches!(image::read::<Small>(&huge), Err(ImageError::Length { .. })), "{length}");
        assert!(matches!(Sections::read(&huge), Err(ImageError::Length { .. })), "{length}");
    }
    let parameters = parameters_at(3) as u64;
    for offset in [0, 4, 63, parameters + 1, parameters + 4, parameters + 64, 1 << 20, 1 << 32, u64::MAX - 63]
    {
        let mut elsewhere = image.clone();
        elsewhere[40..48].copy_from_slice(&offset.to_le_bytes());
        refused(&resealed(elsewhere), ImageError::Header, "parameters elsewhere");
    }
    for place in (34..40).chain(48..64) {
        let mut harmed = image.clone();
        harmed[place] = 1;
        refused(&resealed(harmed), ImageError::Header, "a byte that must be zero");
    }
    // An image may take turns with another: its number is not looked at.
    let mut numbered = image.clone();
    numbered[28..32].copy_from_slice(&7_u32.to_le_bytes());
    let numbered = resealed(numbered);
    assert!(Sections::read(&numbered).is_ok());
    assert!(at(&numbered, 0, |image| image::read::<Small>(image).is_ok()));
}

/// Version 1 was a header and the parameters; a later version is not read either.
#[test]
fn other_versions_are_refused() {
    let model = pattern::<Small>();
    let mut first = b"NEMB\x01\0\x01\0".to_vec();
    first.extend(Small::FINGERPRINT.value().to_le_bytes());
    first.extend((Small::BYTES as u64).to_le_bytes());
    first.resize(HEADER, 0);
    model.visit(&mut |part| first.extend(part));
    for (found, image) in [(1, resealed(first)), (3, image_of(&model))] {
        let mut image = image;
        image[4] = found as u8;
        let image = resealed(image);
        let expected = ImageError::Version { found };
        assert_eq!(at(&image, 0, |image| image::read::<Small>(image).map(drop)), Err(expected));
        assert_eq!(Sections::read(&image).map(drop), Err(expected));
        assert_eq!(expected.to_string(), format!("version {found} of the image format, expected 2"));
    }
}

#[test]
fn an_image_of_another_type_is_refused() {
    type Wide = sequential![Frozen<Embedding<4, 50, 8, u32>>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
    let image = golden();
    macro_rules! refuses {
        ($($model:ty;)*) => {$(
            let expected = ImageError::Fingerprint {
                expected: <$model>::FINGERPRINT.value(),
                found: Reviews::FINGERPRINT.value(),
            };
            assert_eq!(image::read::<$model>(image).map(drop), Err(expected), stringify!($model));
        )*};
    }
    refuses! {
        Small;
        Dense<32, 1, Sigmoid>;
        sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1>];
        sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1, Tanh>];
        sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1, Relu>];
        sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32, IgnoreMask>, Dense<32, 1, Sigmoid>];
        sequential![Embedding<4, 50, 8, u16, MaskZero>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
        sequential![Embedding<4, 51, 8>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
        sequential![Embedding<8, 100, 4>, Flatten<8, 4, 32>, Dense<32, 1, Sigmoid>];
        sequential![HashedEmbedding<4, 50, 8, 4, u16>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
        sequential![QuotientRemainder<4, 20, 30, 8, Added, u16>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
        sequential![EmbeddingBag<4, 50, 8>, Dense<8, 1, Sigmoid>];
        sequential![EmbeddingBag<4, 50, 8, Sum>, Dense<8, 1, Sigmoid>];
    }
    // The types of ids and whether layers learn do not change what an image holds.
    let wide: &Wide = image::read(image).expect("the same parameters");
    let narrow: &Reviews = image::read(image).expect("the same parameters");
    assert_eq!(wide.predict(&[1, 2, 3, 49]), narrow.predict(&[1, 2, 3, 49]));
}

#[test]
fn a_checkpoint_is_no_image_of_a_model() {
    type Training = Trainer<Small, Adam, nanoembed::loss::CategoricalCrossEntropy, 2>;
    let trainer = Training::new(Adam::default(), nanoembed::loss::CategoricalCrossEntropy::default());
    let mut checkpoint = vec![0; Training::CHECKPOINT_SIZE];
    trainer.checkpoint(&pattern(), &mut checkpoint).expect("the right length");
    assert_eq!(
        image::read::<Small>(&checkpoint).map(drop),
        Err(ImageError::Kind { expected: Kind::Model, found: 2 })
    );
    assert!(matches!(Sections::read(&checkpoint), Err(ImageError::Kind { found: 2, .. })));
    let mut reviews = Trainer::<Reviews, Adam, _, 2>::new(Adam::default(), BinaryCrossEntropy::default());
    let error = reviews.resume(&mut pattern::<Reviews>(), golden()).expect_err("an image");
    assert_eq!(error, ImageError::Kind { expected: Kind::Checkpoint, found: 1 });
}

#[test]
fn a_misaligned_image_is_refused() {
    let image = image_of(&pattern::<Small>());
    for shift in 0..64 {
        let found = at(&image, shift, |image| image::read::<Small>(image).map(image_of));
        let expected = if shift % 4 == 0 { Ok(image.clone()) } else { Err(ImageError::Misaligned) };
        assert_eq!(found, expected, "{shift} bytes behind a cache line");
    }
}

#[test]
fn a_buffer_of_another_length_is_not_written() {
    let model = pattern::<Small>();
    let size = image::size::<Small>();
    assert_eq!(size, parameters_at(3) + Small::BYTES);
    for length in [0, 1, 63, 64, 128, size - 1, size + 1] {
        let mut out = vec![7; length];
        assert_eq!(image::write(&model, &mut out), Err(ImageError::Length { expected: size, found: length }));
        assert!(out.iter().all(|byte| *byte == 7));
    }
}
