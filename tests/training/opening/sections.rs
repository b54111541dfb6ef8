//! Images whose sections are wrong, that are cut, changed or moved.

use super::{Reviews, Room, image_with, open_error};
use crate::common::image_of;
use crate::image_sections::{self, METADATA, MUST_UNDERSTAND, PARAMETERS, RECIPE, three};
use crate::images::{at, pattern, resealed};
use nanoembed::image::{ImageError, SectionError};
use nanoembed::layers::{Dense, Relu};
use nanoembed::models::{self, All, Input, LayerKind, OpenError, Record, Source};
use nanoembed::sequential;

type Small = sequential![Dense<2, 2, Relu>, Dense<2, 1>];

fn refused(image: &[u8], kind: u16, error: SectionError) {
    assert_eq!(open_error(image), Some(OpenError::Image(ImageError::Section { kind, error })));
}

#[test]
fn sections_that_are_wrong_under_a_right_checksum() {
    let (entries, body) = three(METADATA, 0);
    let [recipe, parameters, metadata] = entries;
    let image = |entries: &[image_sections::Entry]| image_sections::image(entries, &body);
    assert_eq!(open_error(&image(&entries)), None);
    // Doubled, overlapping, descending, misaligned.
    refused(&image(&[recipe, recipe, parameters]), RECIPE, SectionError::Order);
    refused(&image(&[recipe, parameters, (PARAMETERS, 1, 0, 384, 5)]), PARAMETERS, SectionError::Order);
    refused(&image(&[recipe, (PARAMETERS, 1, 0, 256, 56), metadata]), PARAMETERS, SectionError::Order);
    refused(&image(&[parameters, recipe, metadata]), PARAMETERS, SectionError::Padding);
    refused(&image(&[recipe, parameters, (METADATA, 0, 0, 388, 1)]), METADATA, SectionError::Misaligned);
    let (mut harmed, (unknown, body)) = (body.clone(), three(100, MUST_UNDERSTAND));
    harmed[128 + 56] = 1;
    refused(&image_sections::image(&entries, &harmed), METADATA, SectionError::Padding);
    refused(&image_sections::image(&unknown, &body), 100, SectionError::Unknown);
    let (skipped, body) = three(100, 0);
    assert_eq!(open_error(&image_sections::image(&skipped, &body)), None);
}

#[test]
fn recipes_of_a_length_that_is_none() {
    let dense = Record::new(LayerKind::Dense, &[1, 1]).from(Source::Input(0));
    let image = image_with(&[dense], &[0; 8]);
    assert_eq!(open_error(&image), None);
    for length in [0_u64, 1, 63] {
        let mut harmed = image.clone();
        harmed[64 + 16..64 + 24].copy_from_slice(&length.to_le_bytes());
        for byte in &mut harmed[128 + length as usize..192] {
            *byte = 0;
        }
        if length == 0 {
            // The parameters come where the recipe would.
            harmed.drain(128..192);
            let length = harmed.len() as u64 - 64;
            harmed[16..24].copy_from_slice(&length.to_le_bytes());
            harmed[40..48].copy_from_slice(&128_u64.to_le_bytes());
            harmed[88 + 8..88 + 16].copy_from_slice(&128_u64.to_le_bytes());
        }
        refused(&resealed(harmed), RECIPE, SectionError::Content);
    }
}

#[test]
fn an_image_is_refused_if_it_is_cut_or_a_byte_is_changed() {
    let image = image_of(&pattern::<Small>());
    assert_eq!(open_error(&image), None);
    for length in 0..image.len() {
        assert!(open_error(&image[..length]).is_some(), "{length} bytes");
    }
    assert!(open_error(&[&image[..], &[0]].concat()).is_some(), "a byte more");
    at(&image, 0, |image| {
        let mut harmed = vec![0_u64; image.len().div_ceil(8)];
        let harmed = &mut zerocopy::IntoBytes::as_mut_bytes(&mut harmed[..])[..image.len()];
        harmed.copy_from_slice(image);
        for place in 0..image.len() {
            for change in 1..=255 {
                harmed[place] ^= change;
                assert!(models::open::<All>(harmed).is_err(), "byte {place} changed by {change}");
                harmed[place] ^= change;
            }
        }
    });
}

/// With a right checksum a changed byte says something else, which is refused or computed without a panic.
#[test]
fn changed_bytes_that_are_sealed_again() {
    let image = image_of(&pattern::<Reviews>());
    let mut opened = 0;
    for place in 0..image.len() {
        for change in [1, 2, 4, 0x80, 0xff] {
            let mut harmed = image.clone();
            harmed[place] ^= change;
            at(&resealed(harmed), 0, |image| {
                let Ok(model) = models::open::<All>(image) else { return };
                opened += 1;
                let (mut room, mut y) = (Room::new(model.recipe(), 1), [0.0]);
                model
                    .predict(&[Input::Ids(&[0, 9, 4, 4])], &mut room.lend(), &mut y)
                    .expect("ids of its rows");
            });
        }
    }
    let parameters = 30 + 12 + 1;
    // Each change of a parameter, the bits that say that a layer does not learn, and the sequence number.
    assert!(opened >= parameters * 4 * 5, "{opened}");
}

#[test]
fn an_image_is_used_where_it_lies_or_not_at_all() {
    let image = image_of(&pattern::<Reviews>());
    for shift in 0..64 {
        at(&image, shift, |image| match models::open::<All>(image) {
            Ok(model) => {
                assert_eq!(shift % 4, 0);
                let from = image.as_ptr_range();
                assert!(from.contains(&model.parameters().as_ptr().cast()), "never a copy");
                assert!(from.contains(&model.recipe().records().as_ptr().cast()));
            }
            Err(error) => {
                assert_eq!((error, shift % 4 > 0), (OpenError::Image(ImageError::Misaligned), true));
            }
        });
    }
}

#[test]
fn parameters_that_are_too_few_or_too_many() {
    let dense = Record::new(LayerKind::Dense, &[3, 2]).from(Source::Input(0));
    for words in [0, 1, 7, 9, 100] {
        match open_error(&image_with(&[dense], &vec![0; 4 * words])) {
            Some(OpenError::Parameters(error)) => assert_eq!((error.expected, error.found), (8, words)),
            found => panic!("{words} words: {found:?}"),
        }
    }
    for bytes in [1, 31, 33, 34, 35] {
        refused(&image_with(&[dense], &vec![0; bytes]), PARAMETERS, SectionError::Content);
    }
    assert_eq!(open_error(&image_with(&[dense], &[0; 32])), None);
}
