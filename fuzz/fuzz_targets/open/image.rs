//! Images that say what they should: right checksums around any bytes, and records around any numbers.

use nanoembed::models::{All, LayerKind, Recipe, RecipeError, Record, RecordError, Shape};
use nanoembed::zerocopy::IntoBytes;

const HEADER: usize = 64;
const ENTRY: usize = 24;

/// The CRC-32 of all bytes but its own, bit by bit.
fn crc32(image: &[u8]) -> u32 {
    let bytes = image[..24].iter().chain(&image[28..]);
    !bytes.fold(!0, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    })
}

/// The fold of the records' hashes, without the bit that says that a layer does not learn.
fn fingerprint(records: &[u8]) -> u64 {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    records.chunks_exact(64).fold(0_u64, |all, record| {
        let hash = record.iter().enumerate().fold(0xcbf2_9ce4_8422_2325, |hash: u64, (place, byte)| {
            let byte = if place == 10 { byte & !1 } else { *byte };
            (hash ^ u64::from(byte)).wrapping_mul(PRIME)
        });
        all.wrapping_mul(PRIME).wrapping_add(hash)
    })
}

fn put(image: &mut [u8], at: usize, bytes: &[u8]) {
    image[at..][..bytes.len()].copy_from_slice(bytes);
}

/// Puts right what a header says of the bytes after it.
pub fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut image = bytes.to_vec();
    if image.len() < HEADER {
        return image;
    }
    put(&mut image, 0, b"NEMB\x02\0\x01\0");
    let length = (image.len() - HEADER) as u64;
    put(&mut image, 16, &length.to_le_bytes());
    let count = u16::from_le_bytes([image[32], image[33]]).min(9);
    for number in 0..usize::from(count) {
        let Some(entry) = image.get(HEADER + ENTRY * number..).and_then(|rest| rest.get(..ENTRY)) else {
            break;
        };
        let word = |at: usize| u64::from_le_bytes(entry[at..at + 8].try_into().expect("eight bytes"));
        let (kind, offset, length) = (u16::from_le_bytes([entry[0], entry[1]]), word(8), word(16));
        let range = (offset as usize)..(offset as usize).saturating_add(length as usize);
        if kind == 1 {
            let found = image.get(range).map_or(0, fingerprint);
            put(&mut image, 8, &found.to_le_bytes());
        } else if kind == 2 {
            put(&mut image, 40, &offset.to_le_bytes());
        }
    }
    let crc = crc32(&image);
    put(&mut image, 24, &crc.to_le_bytes());
    image
}

/// An image of these records, if they are a model of bounded size, with parameters in a pattern.
pub fn of_records(records: &[Record]) -> Vec<u8> {
    let words = match Recipe::<All>::new(records) {
        Ok(recipe) => recipe.parameters(),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return Vec::new();
        }
    };
    if words >= 1 << 16 {
        return Vec::new();
    }
    let start = (HEADER + 2 * ENTRY).next_multiple_of(64);
    let parameters = start + size_of_val(records);
    let mut image = vec![0; parameters + 4 * words];
    put(&mut image, 32, &[2]);
    for (number, (kind, offset, length)) in
        [(1_u16, start, size_of_val(records)), (2, parameters, 4 * words)].into_iter().enumerate()
    {
        let at = HEADER + ENTRY * number;
        put(&mut image, at, &kind.to_le_bytes());
        put(&mut image, at + 2, &[1]);
        put(&mut image, at + 8, &(offset as u64).to_le_bytes());
        put(&mut image, at + 16, &(length as u64).to_le_bytes());
    }
    put(&mut image, start, records.as_bytes());
    for (i, word) in image[parameters..].as_chunks_mut().0.iter_mut().enumerate() {
        *word = ((i * 37 % 101) as f32 / 64.0 - 0.75).to_le_bytes();
    }
    sealed(&image)
}

/// Extents that products of overflow, and others of note.
const LARGE: [u32; 8] = [u32::MAX, 1 << 31, i32::MAX as u32, 1 << 16, 46_341, 65_537, 1 << 20, 1000];

/// Records from 14 bytes each: kind, format, four options, two sources, six extents.
pub fn records(bytes: &[u8]) -> Vec<Record> {
    let extent = |byte: u8| LARGE.get(usize::from(byte ^ 0xff)).copied().unwrap_or(u32::from(byte));
    let source = |byte: u8| u16::from(byte & 0x80) << 8 | u16::from(byte & 0x7f);
    let record = |bytes: &[u8; 14]| {
        let [kind, format, a, b, c, d, first, second, extents @ ..] = *bytes;
        let mut record = Record::new(LayerKind::Own, &[]);
        record.kind = if kind == 0xff { 0xffff } else { u16::from(kind) };
        record.format = u16::from(format);
        record.options = [a, b, c, d].map(u16::from);
        record.sources = [first, second].map(source);
        record.extents = extents.map(extent);
        record
    };
    bytes.as_chunks().0.iter().take(600).map(record).collect()
}

/// The same records with what is wrong in them made right, one error after the other, as far as that goes.
pub fn repaired(mut records: Vec<Record>) -> Vec<Record> {
    records.truncate(8);
    for attempt in 0..100 {
        let Err(RecipeError::Layer { layer, error, .. }) = Recipe::<All>::new(&records) else { break };
        let inputs =
            records[..layer].iter().flat_map(|record| record.sources).filter(|s| *s >= 0x8000).count();
        let record = &mut records[layer];
        match error {
            RecordError::UnsupportedLayer { kind, format } if kind == 0 || kind > 15 || format == 0 => {
                record.kind = kind % 15 + 1;
            }
            RecordError::UnsupportedLayer { format, .. } => {
                record.format = if format > 5 { format % 6 } else { 0 };
            }
            RecordError::Extent { extent, value: 0 } => record.extents[extent] = 1 + attempt % 3,
            RecordError::Extent { extent, value } => {
                record.extents[extent] = if value == 1 { 2 } else { u32::from(value > 9 && extent < 3) };
            }
            RecordError::Option { option, value } => {
                record.options[option] = if value > 4 { value % 5 } else { value.saturating_sub(1) };
            }
            RecordError::TooLarge => record.extents = record.extents.map(|extent| extent % 13),
            RecordError::Shape { found: Shape::Vector(n), .. } if record.kind != 13 => {
                record.extents[0] = n as u32;
                if matches!(record.kind, 5..=9) {
                    record.kind = 10;
                } else if matches!(record.kind, 1..=4) {
                    record.sources[0] = 0x8000 | inputs as u16;
                } else if matches!(record.kind, 11 | 12) {
                    record.extents[1] = 0;
                }
            }
            RecordError::Shape { found: Shape::Vector(n), takes: Shape::Vector(of) } => {
                let extent = usize::from(record.extents[0] != of as u32);
                record.extents[extent] = n as u32;
            }
            RecordError::Shape { found: Shape::Sequence { len, dim }, .. } => {
                record.extents[0] = len as u32;
                record.extents[1] = dim as u32;
                if !matches!(record.kind, 5..=9 | 11 | 12) {
                    record.kind = 5;
                }
            }
            RecordError::Source { .. } => {
                let takes_two = matches!(record.kind, 13..=15);
                let second = if takes_two { 0x8000 | (inputs + usize::from(layer < 2)) as u16 } else { 0 };
                let first = match (takes_two, layer) {
                    (true, 2..) => [2, 1],
                    (_, 0) => [0x8000 | inputs as u16, second],
                    _ => [1, second],
                };
                record.sources = first;
            }
            RecordError::Output => match records.get_mut(layer + 1) {
                Some(next) => next.sources = [1, 0],
                None => break,
            },
            _ => break,
        }
    }
    records
}
