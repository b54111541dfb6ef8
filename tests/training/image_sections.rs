//! The list of sections, from images that are sealed with the right checksum and say something wrong.

use crate::common::image_of;
use crate::images::{at, pattern, resealed};
use nanoembed::image::{self, Contents, ImageError, SectionError, Sections};
use nanoembed::internals::HEADER;
use nanoembed::layers::{Bytes, Dense, Layer};
use nanoembed::sequential;

pub(crate) type Model = sequential![Dense<3, 2>, Dense<2, 2>];

pub(crate) const RECIPE: u16 = 1;
pub(crate) const PARAMETERS: u16 = 2;
pub(crate) const METADATA: u16 = 6;
pub(crate) const MUST_UNDERSTAND: u16 = 1;

/// An entry of the list: kind, flags, zero, offset, length.
pub(crate) type Entry = (u16, u16, u32, u64, u64);

/// An image with these sections in its list, its body made of `body` from byte 64 of it on.
pub(crate) fn image(entries: &[Entry], body: &[u8]) -> Vec<u8> {
    let start = (HEADER + 24 * entries.len()).next_multiple_of(64);
    let mut image = image_of(&pattern::<Model>())[..HEADER].to_vec();
    for (kind, flags, zero, offset, length) in entries {
        image.extend(kind.to_le_bytes());
        image.extend(flags.to_le_bytes());
        image.extend(zero.to_le_bytes());
        image.extend(offset.to_le_bytes());
        image.extend(length.to_le_bytes());
    }
    image.resize(start, 0);
    image.extend(body);
    let length = (image.len() - HEADER) as u64;
    image[16..24].copy_from_slice(&length.to_le_bytes());
    image[32..34].copy_from_slice(&(entries.len() as u16).to_le_bytes());
    if let Some(parameters) = entries.iter().find(|entry| entry.0 == PARAMETERS) {
        image[40..48].copy_from_slice(&parameters.3.to_le_bytes());
    }
    resealed(image)
}

/// The layers of the model: two records.
pub(crate) fn recipe() -> Vec<u8> {
    image_of(&pattern::<Model>())[128..256].to_vec()
}

/// Its parameters, 56 bytes, and the 8 that fill up to the next section.
pub(crate) fn parameters() -> Vec<u8> {
    let mut bytes = Vec::new();
    pattern::<Model>().visit(&mut |part| bytes.extend(part));
    assert_eq!(bytes.len(), 56);
    bytes
}

/// The three sections that images here have, at 192, 320 and 384, and their bytes: the last is of kind `kind`.
pub(crate) fn three(kind: u16, flags: u16) -> ([Entry; 3], Vec<u8>) {
    let mut body = [recipe(), parameters()].concat();
    body.resize(192, 0);
    body.extend(b"12345");
    let entries = [
        (RECIPE, MUST_UNDERSTAND, 0, 192, 128),
        (PARAMETERS, MUST_UNDERSTAND, 0, 320, 56),
        (kind, flags, 0, 384, 5),
    ];
    (entries, body)
}

fn refused(entries: &[Entry], body: &[u8], kind: u16, error: SectionError) {
    let image = image(entries, body);
    let expected = ImageError::Section { kind, error };
    assert_eq!(Sections::read(&image).map(drop), Err(expected), "{entries:?}");
    assert!(!expected.to_string().is_empty());
}

#[test]
fn these_images_are_what_is_written() {
    let ([recipe, parameters, _], mut body) = three(METADATA, 0);
    body.truncate(128 + 56);
    let two = [(recipe.0, 1, 0, 128, recipe.4), (parameters.0, 1, 0, 256, parameters.4)];
    assert_eq!(image(&two, &body), image_of(&pattern::<Model>()));
    let (entries, body) = three(METADATA, 0);
    let contents = Contents { metadata: b"12345", ..Contents::default() };
    let mut written = vec![0; image::size_with::<Model>(&contents)];
    image::write_with(&pattern::<Model>(), &contents, &mut written).expect("the right length");
    assert_eq!(image(&entries, &body), written);
    assert_eq!(Sections::read(&written).expect("an image").metadata(), b"12345");
}

/// A section of a kind that is not known is skipped, unless it says that it must be understood.
#[test]
fn unknown_sections() {
    let (entries, body) = three(100, 0);
    let image = image(&entries, &body);
    let sections = Sections::read(&image).expect("an image with a section that is skipped");
    assert_eq!((sections.metadata(), sections.parameters().len()), (&[][..], 56));
    assert!(at(&image, 0, |image| image::read::<Model>(image).is_ok()));
    let (entries, body) = three(100, MUST_UNDERSTAND);
    refused(&entries, &body, 100, SectionError::Unknown);
    let (entries, body) = three(7, MUST_UNDERSTAND);
    assert!(Sections::read(&self::image(&entries, &body)).is_ok(), "a kind that a model does not need");
}

#[test]
fn sections_that_are_not_in_order() {
    let (entries, body) = three(METADATA, 0);
    let [recipe, parameters, metadata] = entries;
    refused(&[recipe, recipe, parameters], &body, RECIPE, SectionError::Order);
    refused(&[recipe, parameters, (PARAMETERS, 0, 0, 384, 5)], &body, PARAMETERS, SectionError::Order);
    let (first, second) = ((PARAMETERS, 1, 0, 192, 128), (RECIPE, 1, 0, 320, 56));
    refused(&[first, second, metadata], &body, RECIPE, SectionError::Order);
    refused(&[recipe, metadata, parameters], &body, METADATA, SectionError::Padding);
    refused(&[(0, 0, 0, 192, 128), parameters, metadata], &body, 0, SectionError::Order);
    // Overlapping, or with offsets that descend.
    refused(&[recipe, (PARAMETERS, 1, 0, 256, 56), metadata], &body, PARAMETERS, SectionError::Order);
    refused(&[recipe, parameters, (METADATA, 0, 0, 320, 64)], &body, METADATA, SectionError::Order);
    refused(&[recipe, parameters, (METADATA, 0, 0, 192, 5)], &body, METADATA, SectionError::Order);
    refused(&[(RECIPE, 1, 0, 64, 128), parameters, metadata], &body, RECIPE, SectionError::Order);
    refused(&[(RECIPE, 1, 0, 0, 128), parameters, metadata], &body, RECIPE, SectionError::Order);
}

#[test]
fn sections_that_are_misaligned_or_out_of_range() {
    let (entries, body) = three(METADATA, 0);
    let [recipe, parameters, metadata] = entries;
    for offset in [385, 388, 416, 447, u64::MAX] {
        let moved = (METADATA, 0, 0, offset, 1);
        refused(&[recipe, parameters, moved], &body, METADATA, SectionError::Misaligned);
    }
    for (offset, length) in
        [(384, 6), (384, u64::MAX), (384, u64::MAX - 383), (448, 1), (1 << 32, 0), (u64::MAX - 63, 64)]
    {
        let moved = (METADATA, 0, 0, offset, length);
        refused(&[recipe, parameters, moved], &body, METADATA, SectionError::OutOfRange);
    }
    let long = (RECIPE, 1, 0, 192, 1 << 40);
    refused(&[long, parameters, metadata], &body, RECIPE, SectionError::OutOfRange);
    // Bytes that no section has.
    let shorter = image(&[recipe, parameters, (METADATA, 0, 0, 384, 4)], &body);
    let expected = ImageError::Length { expected: 388, found: 389 };
    assert_eq!(Sections::read(&shorter).map(drop), Err(expected));
}

#[test]
fn what_fills_up_is_zero() {
    let (entries, body) = three(METADATA, 0);
    let [recipe, parameters, metadata] = entries;
    // After the parameters.
    for place in 128 + 56..192 {
        let mut harmed = body.clone();
        harmed[place] = 1;
        refused(&entries, &harmed, METADATA, SectionError::Padding);
    }
    // After the list.
    let image = image(&entries, &body);
    for place in 64 + 72..192 {
        let mut harmed = image.clone();
        harmed[place] = 1;
        let expected = ImageError::Section { kind: RECIPE, error: SectionError::Padding };
        assert_eq!(Sections::read(&resealed(harmed)).map(drop), Err(expected), "byte {place}");
    }
    // In the list.
    for flags in [2, 3, 0x8000] {
        refused(&[recipe, parameters, (METADATA, flags, 0, 384, 5)], &body, METADATA, SectionError::Padding);
    }
    refused(&[recipe, (PARAMETERS, 1, 9, 320, 56), metadata], &body, PARAMETERS, SectionError::Padding);
    // A gap of more than it takes to the next multiple of 64.
    let mut wide = body.clone();
    wide.splice(128 + 64..128 + 64, [0; 64]);
    refused(&[recipe, parameters, (METADATA, 0, 0, 448, 5)], &wide, METADATA, SectionError::Padding);
}

#[test]
fn more_sections_than_there_is_room_for() {
    let (entries, body) = three(METADATA, 0);
    let image = image(&entries, &body);
    for count in [14, 15, 1000, u16::MAX] {
        let mut harmed = image.clone();
        harmed[32..34].copy_from_slice(&count.to_le_bytes());
        assert!(Sections::read(&resealed(harmed)).is_err(), "{count}");
    }
    for count in [4, 5] {
        let mut harmed = image.clone();
        harmed[32..34].copy_from_slice(&u16::to_le_bytes(count));
        let expected = ImageError::Section { kind: 0, error: SectionError::Order };
        assert_eq!(Sections::read(&resealed(harmed)).map(drop), Err(expected), "{count}");
    }
}

#[test]
fn sections_that_are_missing() {
    let (entries, body) = three(METADATA, 0);
    let [recipe, parameters, _] = entries;
    let missing = |kind| ImageError::Section { kind, error: SectionError::Missing };
    let two = image(&[(RECIPE, 1, 0, 128, 128)], &body[..128]);
    assert_eq!(Sections::read(&two).map(drop), Err(missing(PARAMETERS)));
    let two = image(&[(PARAMETERS, 1, 0, 128, 56)], &parameters_alone(&body));
    assert_eq!(Sections::read(&two).map(drop), Err(missing(RECIPE)));
    let nothing = image(&[], &[]);
    assert_eq!(Sections::read(&nothing).map(drop), Err(missing(PARAMETERS)));
    // The header names another place.
    let mut elsewhere = image(&[(recipe.0, 1, 0, 128, 128), (parameters.0, 1, 0, 256, 56)], &body[..184]);
    elsewhere[40..48].copy_from_slice(&128_u64.to_le_bytes());
    assert_eq!(Sections::read(&resealed(elsewhere)).map(drop), Err(ImageError::Header));
}

fn parameters_alone(body: &[u8]) -> Vec<u8> {
    body[128..184].to_vec()
}

#[test]
fn recipes_that_are_none() {
    let image = image_of(&pattern::<Model>());
    let content = ImageError::Section { kind: RECIPE, error: SectionError::Content };
    // Bytes of a record that must be zero.
    for place in 128 + 40..128 + 64 {
        let mut harmed = image.clone();
        harmed[place] = 1;
        assert_eq!(Sections::read(&resealed(harmed)).map(drop), Err(content), "byte {place}");
    }
    // Any other byte belongs to the fingerprint, but for the bit that says that a layer does not learn.
    for place in 128..128 + 40 {
        let mut harmed = image.clone();
        harmed[place] ^= 4;
        let error = Sections::read(&resealed(harmed)).map(drop).expect_err("other layers");
        assert!(matches!(error, ImageError::Fingerprint { .. }), "byte {place}: {error}");
    }
    let mut frozen = image.clone();
    frozen[128 + 10] = 1;
    let frozen = resealed(frozen);
    let (sections, learning) = (Sections::read(&frozen).unwrap(), Sections::read(&image).unwrap());
    assert_eq!(sections.fingerprint(), learning.fingerprint());
    assert_eq!(sections.fingerprint(), Model::FINGERPRINT.value());
    // A length that no list of records has.
    for length in [0, 1, 63, 65, 127] {
        let mut body = recipe()[..length as usize].to_vec();
        body.resize((length as usize).next_multiple_of(64), 0);
        let parameters_at = 128 + body.len() as u64;
        body.extend(parameters());
        refused(
            &[(RECIPE, 1, 0, 128, length), (PARAMETERS, 1, 0, parameters_at, 56)],
            &body,
            RECIPE,
            SectionError::Content,
        );
    }
}

#[test]
fn records_are_read_where_they_lie() {
    let image = image_of(&pattern::<Model>());
    for shift in 0..8 {
        at(&image, shift, |image| {
            let sections = Sections::read(image).expect("any address");
            match sections.records() {
                Ok(records) => {
                    assert_eq!(shift % 4, 0);
                    assert!(records.as_ptr().addr() == image[128..].as_ptr().addr());
                    assert_eq!(records.iter().map(|record| record.kind).collect::<Vec<_>>(), [10, 10]);
                    assert_eq!(records[0].extents, [3, 2, 0, 0, 0, 0]);
                }
                Err(error) => assert_eq!((error, shift % 4 > 0), (ImageError::Misaligned, true)),
            }
        });
    }
}

#[test]
fn every_changed_or_missing_byte_is_refused() {
    let (entries, body) = three(METADATA, 0);
    let image = image(&entries, &body);
    for place in 0..image.len() {
        for change in [0x01, 0x10, 0x80, 0xff] {
            let mut harmed = image.clone();
            harmed[place] ^= change;
            assert!(Sections::read(&harmed).is_err(), "byte {place} changed by {change:#x}");
        }
        assert!(Sections::read(&image[..place]).is_err(), "{place} bytes");
    }
    // Sealed again, it is refused or read without a panic, whatever it says.
    for place in 0..image.len() {
        for change in [0x01, 0x40, 0xff] {
            let mut harmed = image.clone();
            harmed[place] ^= change;
            if let Ok(sections) = Sections::read(&resealed(harmed)) {
                assert!(sections.parameters().len() <= 64 && sections.metadata().len() <= 5);
            }
        }
    }
}
