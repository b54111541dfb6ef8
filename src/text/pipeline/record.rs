//! A pipeline as bytes.

use super::{Pipeline, Settings, Source, buckets, check_order, check_rows, check_subwords, splitter};
use crate::memory::padding;
use crate::text::kinds::{TextKind, TextKinds, links};
use crate::text::view::{self, VocabularyView};
use crate::text::{Columns, HashKind, Lowering, Padding, PipelineError, Truncating};
use core::num::NonZero;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What stands in front of the strings; the table of [`Pipeline`] says what the numbers mean.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
struct Record {
    kind: u16,
    lowering: u16,
    hash: u16,
    padding: u8,
    truncating: u8,
    rows: u64,
    length: u32,
    order: u16,
    min_n: u16,
    max_n: u16,
    marks: u16,
    zeros: u32,
    key: [u64; 2],
    words: u32,
    bytes: u32,
    filters: u32,
    split: u32,
}

/// What says nothing.
const EMPTY: Record = zerocopy::transmute!([0_u8; size_of::<Record>()]);

const HASH: u16 = 1;
const VOCABULARY: u16 = 2;
const COLUMNS: u16 = 3;

impl Record {
    /// The bytes of the strings, without those that fill up the last four.
    fn strings(&self) -> usize {
        (self.filters as usize).saturating_add(self.split as usize)
    }

    /// The bytes of the vocabulary, or of the columns.
    fn source(&self) -> usize {
        match self.kind {
            VOCABULARY => view::size(self.words as usize, self.bytes as usize),
            COLUMNS => self.bytes as usize,
            _ => 0,
        }
    }

    /// The bytes of the pipeline.
    fn size(&self) -> usize {
        let strings = self.strings().saturating_add(padding(self.strings()).len());
        size_of::<Self>().saturating_add(strings).saturating_add(self.source())
    }
}

/// The field of `field` as a number of 32 bits.
fn narrow(field: &'static str, number: usize) -> Result<u32, PipelineError> {
    let error = PipelineError::Field { field, allowed: "below 2^32", found: number as u64 };
    u32::try_from(number).map_err(|_| error)
}

fn unknown<T>(field: &'static str, allowed: &'static str, found: u64) -> Result<T, PipelineError> {
    Err(PipelineError::Field { field, allowed, found })
}

fn lowering(code: u16) -> Result<Lowering, PipelineError> {
    let field = "lower-casing";
    match code {
        0 => Ok(Lowering::Unchanged),
        1 => Ok(Lowering::Ascii),
        #[cfg(feature = "unicode")]
        2 => Ok(Lowering::Unicode),
        #[cfg(not(feature = "unicode"))]
        2 => Err(PipelineError::Feature { field, feature: "unicode" }),
        _ => unknown(field, "0 to 2", code.into()),
    }
}

fn hash(code: u16, key: [u64; 2]) -> Result<HashKind, PipelineError> {
    let field = "hash";
    match code {
        1 => Ok(HashKind::Native),
        2 => Ok(HashKind::FarmHash64),
        3 => Ok(HashKind::Murmur3 { seed: key[0] as u32 }),
        #[cfg(feature = "md5")]
        4 => Ok(HashKind::Md5),
        #[cfg(not(feature = "md5"))]
        4 => Err(PipelineError::Feature { field, feature: "md5" }),
        #[cfg(feature = "siphash")]
        5 => Ok(HashKind::SipHash { key }),
        #[cfg(not(feature = "siphash"))]
        5 => Err(PipelineError::Feature { field, feature: "siphash" }),
        _ => unknown(field, "1 to 5", code.into()),
    }
}

/// The code of a hash, and its key.
fn hash_code(kind: HashKind) -> (u16, [u64; 2]) {
    match kind {
        HashKind::Native => (1, [0; 2]),
        HashKind::FarmHash64 => (2, [0; 2]),
        HashKind::Murmur3 { seed } => (3, [seed.into(), 0]),
        #[cfg(feature = "md5")]
        HashKind::Md5 => (4, [0; 2]),
        #[cfg(feature = "siphash")]
        HashKind::SipHash { key } => (5, key),
    }
}

/// The next `length` bytes, which the check of the length has made sure of, as text.
fn string<'a>(
    field: &'static str,
    bytes: &'a [u8],
    length: u32,
) -> Result<(&'a str, &'a [u8]), PipelineError> {
    let error = PipelineError::NotUtf8 { field };
    let (text, rest) = bytes.split_at_checked(length as usize).ok_or(error)?;
    Ok((core::str::from_utf8(text).map_err(|_| error)?, rest))
}

/// An error unless `T` names what a setting asks for.
fn check_linked<T: TextKinds>(field: &'static str, kind: TextKind) -> Result<(), PipelineError> {
    if links::<T>(kind) { Ok(()) } else { Err(PipelineError::NotLinked { field, kind: kind.name() }) }
}

impl<T> Pipeline<'_, T> {
    fn record(&self) -> Result<Record, PipelineError> {
        let Settings { splitter, lowering, source, length, padding, truncating, .. } = self.settings;
        let (filters, split) = splitter.strings();
        let record = Record {
            lowering: match lowering {
                Lowering::Unchanged => 0,
                Lowering::Ascii => 1,
                #[cfg(feature = "unicode")]
                Lowering::Unicode => 2,
            },
            padding: u8::from(padding == Padding::Post),
            truncating: u8::from(truncating == Truncating::Post),
            rows: self.rows(),
            length,
            marks: u16::from(splitter.has_marks()),
            filters: narrow("bytes of the filters", filters.len())?,
            split: narrow("bytes of the split string", split.len())?,
            ..EMPTY
        };
        match source {
            Source::Hash { kind, order, min_n, max_n } => {
                let (hash, key) = hash_code(kind);
                Ok(Record { kind: HASH, hash, key, order, min_n, max_n, ..record })
            }
            Source::Vocabulary(vocabulary) => {
                let (words, bytes) = vocabulary.capacity();
                let words = narrow("words of the vocabulary (WORDS)", words)?;
                let bytes = narrow("bytes of the vocabulary (BYTES)", bytes)?;
                Ok(Record { kind: VOCABULARY, words, bytes, ..record })
            }
            Source::Columns(columns) => {
                let words = narrow("number of columns", columns.len())?;
                let bytes = narrow("bytes of the columns", columns.bytes().len())?;
                Ok(Record { kind: COLUMNS, words, bytes, ..record })
            }
        }
    }

    /// How many bytes [`write`](Self::write) writes: a multiple of 4.
    pub fn encoded_size(&self) -> usize {
        self.record().map_or(usize::MAX, |record| record.size())
    }

    /// Writes the pipeline as bytes.
    ///
    /// # Errors
    /// If `out` has not [`encoded_size`](Self::encoded_size) bytes, or if a string has 2^32 bytes or more;
    /// nothing is written then.
    pub fn write(&self, out: &mut [u8]) -> Result<(), PipelineError> {
        let record = self.record()?;
        let (expected, found) = (record.size(), out.len());
        if expected != found {
            return Err(PipelineError::Length { field: "bytes of the pipeline", expected, found });
        }
        let mut room = out.iter_mut();
        self.parts(&record, &mut |bytes| {
            bytes.iter().zip(room.by_ref()).for_each(|(from, to)| *to = *from);
        });
        Ok(())
    }

    /// Shows the bytes of the pipeline, part by part.
    fn parts(&self, record: &Record, part: &mut dyn FnMut(&[u8])) {
        let (filters, split) = self.settings.splitter.strings();
        part(record.as_bytes());
        part(filters.as_bytes());
        part(split.as_bytes());
        part(padding(record.strings()));
        match self.settings.source {
            Source::Hash { .. } => {}
            Source::Vocabulary(vocabulary) => vocabulary.visit(part),
            Source::Columns(columns) => part(columns.bytes()),
        }
    }

    /// Whether `bytes` are what [`write`](Self::write) writes of this pipeline.
    ///
    /// Firmware that keeps its tokenizer a constant compares it so, and links neither [`read`](Self::read)
    /// nor the hashes that it does not name.
    ///
    /// ```
    /// use nanoembed::text::HashingTokenizer;
    /// const TOKENIZER: HashingTokenizer = HashingTokenizer::new(50);
    /// let pipeline = TOKENIZER.pipeline(4)?;
    /// let mut bytes = vec![0; pipeline.encoded_size()];
    /// pipeline.write(&mut bytes)?;
    /// assert!(pipeline.is_written_as(&bytes));
    /// assert!(!HashingTokenizer::new(51).pipeline(4)?.is_written_as(&bytes));
    /// # Ok::<(), nanoembed::text::PipelineError>(())
    /// ```
    pub fn is_written_as(&self, bytes: &[u8]) -> bool {
        let Ok(record) = self.record() else { return false };
        let mut rest = Some(bytes);
        self.parts(&record, &mut |part| rest = rest.and_then(|rest| rest.strip_prefix(part)));
        rest.is_some_and(<[u8]>::is_empty)
    }
}

impl<'a> Pipeline<'a> {
    /// The pipeline that [`write`](Self::write) wrote; its strings and its vocabulary stay in `bytes`.
    ///
    /// A pipeline with a vocabulary has to start at a multiple of 4.
    ///
    /// # Errors
    /// If a field has a value that it may not have, if it needs a feature that is off, if the length is
    /// another one, if a string is not UTF-8, if the vocabulary is damaged, or if a byte that is not used is
    /// not 0. Damage that gives another pipeline is for a checksum to find.
    pub fn read(bytes: &'a [u8]) -> Result<Self, PipelineError> {
        Self::read_as(bytes)
    }

    /// The same, if it needs nothing but what the list `T` names; only that is linked.
    ///
    /// ```
    /// use nanoembed::text::{Ascii, HashKind, NativeHash, Pipeline};
    /// let pipeline = Pipeline::hashing(2048, HashKind::Native)?.word_ngrams(2)?;
    /// let mut bytes = vec![0; pipeline.encoded_size()];
    /// pipeline.write(&mut bytes)?;
    ///
    /// let small = Pipeline::read_as::<(NativeHash, Ascii)>(&bytes)?;
    /// let (mut ids, mut same) = ([0; 4], [0; 4]);
    /// assert_eq!(small.encode_into("Play it again", &mut ids), pipeline.encode_into("Play it again", &mut same));
    /// assert_eq!(ids, same);
    /// # Ok::<(), nanoembed::text::PipelineError>(())
    /// ```
    ///
    /// # Errors
    /// As [`read`](Self::read); [`PipelineError::NotLinked`] names what the list lacks.
    pub fn read_as<T: TextKinds>(bytes: &'a [u8]) -> Result<Pipeline<'a, T>, PipelineError> {
        let length =
            |expected| PipelineError::Length { field: "bytes of the pipeline", expected, found: bytes.len() };
        let (record, rest) = Record::read_from_prefix(bytes).map_err(|_| length(size_of::<Record>()))?;
        if !matches!(record.kind, HASH | VOCABULARY | COLUMNS) {
            return unknown("kind", "1 to 3", record.kind.into());
        }
        if record.size() != bytes.len() {
            return Err(length(record.size()));
        }
        let (filters, rest) = string("filters", rest, record.filters)?;
        let (split, rest) = string("split string", rest, record.split)?;
        let (zeros, of_source) =
            rest.split_at_checked(padding(record.strings()).len()).ok_or(length(record.size()))?;
        let lowering = lowering(record.lowering)?;
        if record.kind != COLUMNS {
            check_linked::<T>(
                "lower-casing",
                match lowering {
                    Lowering::Unchanged => TextKind::Unchanged,
                    Lowering::Ascii => TextKind::Ascii,
                    #[cfg(feature = "unicode")]
                    Lowering::Unicode => TextKind::Unicode,
                },
            )?;
        }
        let buckets = buckets(record.rows)?;
        let (own, source) = source::<T>(&record, of_source, buckets)?;
        let mut splitter = splitter(filters, split)?;
        match record.marks {
            0 => {}
            1 => {
                check_linked::<T>("marks", TextKind::Marks)?;
                splitter = splitter.marks();
            }
            _ => return unknown("marks", "0 or 1", record.marks.into()),
        }
        let pipeline = Pipeline::of(Settings {
            splitter,
            lowering,
            source,
            buckets,
            length: record.length,
            padding: match record.padding {
                0 => Padding::Pre,
                1 => Padding::Post,
                _ => return unknown("padding", "0 or 1", record.padding.into()),
            },
            truncating: match record.truncating {
                0 => Truncating::Pre,
                1 => Truncating::Post,
                _ => return unknown("truncating", "0 or 1", record.truncating.into()),
            },
        });
        // What is not used differs from what would be written.
        let differs = own.as_bytes().iter().zip(record.as_bytes()).position(|(own, found)| own != found);
        if let Some(at) = differs {
            return Err(PipelineError::NotZero { at });
        }
        if let Some(at) = zeros.iter().position(|&byte| byte != 0) {
            let at = size_of::<Record>().saturating_add(record.strings()).saturating_add(at);
            return Err(PipelineError::NotZero { at });
        }
        Ok(pipeline)
    }
}

/// The source of ids, and the record with what it does not use at 0. A part of its only caller: apart it would be larger.
#[inline(always)]
fn source<'a, T: TextKinds>(
    record: &Record,
    of_source: &'a [u8],
    buckets: NonZero<u32>,
) -> Result<(Record, Source<'a>), PipelineError> {
    let own = Record { zeros: 0, ..*record };
    match record.kind {
        VOCABULARY => {
            check_linked::<T>("kind", TextKind::Vocabulary)?;
            let (words, bytes) = (record.words as usize, record.bytes as usize);
            let vocabulary = VocabularyView::read(of_source, words, bytes)?;
            check_rows(&vocabulary, buckets)?;
            let own = Record { hash: 0, key: [0; 2], order: 0, min_n: 0, max_n: 0, ..own };
            Ok((own, Source::Vocabulary(vocabulary)))
        }
        COLUMNS => {
            check_linked::<T>("kind", TextKind::Columns)?;
            let columns = Columns::read(of_source, record.words)?;
            if u64::from(columns.rows()) != record.rows {
                return unknown("rows", "as many as the columns have", record.rows);
            }
            let own = Record { lowering: 0, hash: 0, key: [0; 2], order: 0, ..own };
            let own = Record { min_n: 0, max_n: 0, marks: 0, filters: 0, ..own };
            Ok((own, Source::Columns(columns)))
        }
        _ => {
            let kind = hash(record.hash, record.key)?;
            check_linked::<T>(
                "hash",
                match kind {
                    HashKind::Native => TextKind::Native,
                    HashKind::FarmHash64 => TextKind::FarmHash64,
                    HashKind::Murmur3 { .. } => TextKind::Murmur3,
                    #[cfg(feature = "md5")]
                    HashKind::Md5 => TextKind::Md5,
                    #[cfg(feature = "siphash")]
                    HashKind::SipHash { .. } => TextKind::SipHash,
                },
            )?;
            let Record { order, min_n, max_n, .. } = *record;
            check_order(order)?;
            check_subwords(min_n, max_n)?;
            if max_n > 0 {
                check_linked::<T>("n-grams of characters", TextKind::Subwords)?;
            }
            let own = Record { key: hash_code(kind).1, words: 0, bytes: 0, ..own };
            Ok((own, Source::Hash { kind, order, min_n, max_n }))
        }
    }
}
