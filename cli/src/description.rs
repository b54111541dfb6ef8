//! What an image says of itself, by the bytes that `docs/image-format.md` fixes.

use nanoembed::zerocopy::FromBytes;

/// A section of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
}

/// A little-endian number at a place; 0 where there is none.
fn number<const N: usize>(bytes: &[u8], at: usize) -> u64 {
    let bytes = bytes.get(at..).and_then(|bytes| <[u8; N]>::read_from_prefix(bytes).ok());
    bytes.map_or(0, |(bytes, _)| bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// The version of an image.
pub(crate) fn version(image: &[u8]) -> u64 {
    number::<2>(image, 4)
}

/// The CRC-32 in its header.
pub(crate) fn checksum(image: &[u8]) -> u64 {
    number::<4>(image, 24)
}

/// The sections of an image that was checked.
pub(crate) fn sections(image: &[u8]) -> Vec<Section> {
    let count = number::<2>(image, 32) as usize;
    (0..count)
        .map(|section| {
            let entry = 64 + 24 * section;
            let name = match number::<2>(image, entry) {
                1 => "layers",
                2 => "parameters",
                3 => "classes",
                4 => "pipeline",
                5 => "vocabulary",
                6 => "metadata",
                _ => "unknown",
            };
            Section { name, offset: number::<8>(image, entry + 8), bytes: number::<8>(image, entry + 16) }
        })
        .collect()
}

/// How text becomes ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) ids_by: &'static str,
    pub(crate) hash: &'static str,
    pub(crate) lowercase: &'static str,
    pub(crate) rows: u64,
    /// Ids of a text; 0 for a bag of any number.
    pub(crate) length: u64,
    /// At which end short texts are padded.
    pub(crate) padding: &'static str,
    /// At which end long texts are cut.
    pub(crate) truncating: &'static str,
    pub(crate) words: u64,
    pub(crate) characters: (u64, u64),
    /// Whether marks are words of their own.
    pub(crate) marks: bool,
    pub(crate) filters: String,
    pub(crate) split: String,
}

impl Text {
    /// Of the bytes of a pipeline that was read.
    pub(crate) fn of(pipeline: &[u8]) -> Self {
        let hash = match number::<2>(pipeline, 4) {
            1 => "native",
            2 => "FarmHash64",
            3 => "Murmur3",
            4 => "MD5",
            5 => "SipHash",
            _ => "none",
        };
        let lowercase = match number::<2>(pipeline, 2) {
            0 => "none",
            1 => "ascii",
            _ => "unicode",
        };
        let (filters, split) = (number::<4>(pipeline, 56) as usize, number::<4>(pipeline, 60) as usize);
        let string = |from: usize, length: usize| {
            let bytes = pipeline.get(from..from + length).unwrap_or_default();
            String::from_utf8_lossy(bytes).into_owned()
        };
        Self {
            ids_by: match number::<2>(pipeline, 0) {
                1 => "hash",
                2 => "vocabulary",
                3 => "columns",
                _ => "unknown",
            },
            hash,
            lowercase,
            rows: number::<8>(pipeline, 8),
            length: number::<4>(pipeline, 16),
            padding: if number::<1>(pipeline, 6) == 0 { "Pre" } else { "Post" },
            truncating: if number::<1>(pipeline, 7) == 0 { "Pre" } else { "Post" },
            words: number::<2>(pipeline, 20),
            characters: (number::<2>(pipeline, 22), number::<2>(pipeline, 24)),
            marks: number::<2>(pipeline, 26) == 1,
            filters: string(64, filters),
            split: string(64 + filters, split),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{TextSettings, bytes};
    use nanoembed::text::Lowering;

    #[test]
    fn a_pipeline_tells_its_settings() {
        let settings = TextSettings {
            rows: 70_000,
            words: 3,
            characters: (2, 6),
            lowercase: Lowering::Unicode,
            marks: true,
            filters: Some(".é".to_owned()),
            length: 40,
        };
        let text = Text::of(&bytes(&settings.pipeline().expect("a pipeline")).expect("its bytes"));
        let expected = Text {
            ids_by: "hash",
            hash: "native",
            lowercase: "unicode",
            rows: 70_000,
            length: 40,
            padding: "Pre",
            truncating: "Pre",
            words: 3,
            characters: (2, 6),
            marks: true,
            filters: ".é".to_owned(),
            split: " ".to_owned(),
        };
        assert_eq!(text, expected);
    }
}
