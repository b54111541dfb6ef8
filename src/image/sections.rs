//! What an image is made of, and where it lies.

use super::error::{ImageError, SectionError};
use super::format::{HEADER, KINDS, Section};
use crate::slices::first;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

impl Section {
    /// The error that this section has.
    pub(crate) const fn is(self, error: SectionError) -> ImageError {
        ImageError::Section { kind: self as u16, error }
    }
}

/// A section in the list of an image.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub(super) struct Entry {
    kind: u16,
    flags: u16,
    zero: u32,
    offset: u64,
    length: u64,
}

/// The flag of a section that who reads the image must understand.
const MUST_UNDERSTAND: u16 = 1;

/// The first multiple of 64 that is not below `bytes`.
const fn align(bytes: usize) -> usize {
    bytes.saturating_add(63) & !63
}

/// Shows so many zeros.
fn zeros(count: usize, part: &mut dyn FnMut(&[u8])) {
    let mut left = count;
    while left > 0 {
        let zeros = first(&[0; 64], left);
        part(zeros);
        left -= zeros.len();
    }
}

/// Shows the bytes of a section, one part after the other.
pub(crate) type WriteSection<'a> = dyn FnMut(Section, &mut dyn FnMut(&[u8])) + 'a;

/// The lengths of the sections that an image is to have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    lengths: [Option<usize>; KINDS],
}

impl Layout {
    /// Of a model: its records and its parameters.
    pub(crate) const fn model(recipe: usize, parameters: usize) -> Self {
        Self { lengths: [Some(recipe), Some(parameters), None, None, None, None, None] }
    }

    /// With what stands beside a model, classes by the length of their section; no metadata is no section.
    pub(crate) fn with_contents(
        self,
        classes: Option<usize>,
        pipeline: Option<&[u8]>,
        vocabulary: Option<&[u8]>,
        metadata: &[u8],
    ) -> Self {
        let [recipe, parameters, _, _, _, _, training] = self.lengths;
        let (pipeline, vocabulary) = (pipeline.map(<[u8]>::len), vocabulary.map(<[u8]>::len));
        let metadata = (!metadata.is_empty()).then_some(metadata.len());
        Self { lengths: [recipe, parameters, classes, pipeline, vocabulary, metadata, training] }
    }

    /// With what training goes on from.
    pub(crate) const fn with_training(self, length: usize) -> Self {
        let [recipe, parameters, classes, pipeline, vocabulary, metadata, _] = self.lengths;
        Self { lengths: [recipe, parameters, classes, pipeline, vocabulary, metadata, Some(length)] }
    }

    /// A vocabulary and nothing else.
    pub(crate) const fn vocabulary(length: usize) -> Self {
        Self { lengths: [None, None, None, None, Some(length), None, None] }
    }

    /// How many sections there are.
    pub(super) const fn count(&self) -> usize {
        let (mut count, mut rest): (_, &[Option<usize>]) = (0, &self.lengths);
        while let [length, after @ ..] = rest {
            count += length.is_some() as usize;
            rest = after;
        }
        count
    }

    /// Where the first section starts.
    const fn start(&self) -> usize {
        align(HEADER + self.count() * size_of::<Entry>())
    }

    /// Where the section number `number` starts, and the end of the last before it.
    const fn offset(&self, number: usize) -> (usize, usize) {
        let (mut end, mut rest, mut before): (_, &[Option<usize>], _) = (self.start(), &self.lengths, 0);
        while let [length, after @ ..] = rest {
            if before == number {
                break;
            }
            if let Some(length) = length {
                end = align(end).saturating_add(*length);
            }
            (rest, before) = (after, before + 1);
        }
        (align(end), end)
    }

    /// How long the image is.
    pub(crate) const fn end(&self) -> usize {
        self.offset(KINDS).1
    }

    /// Where the parameters lie; of a vocabulary, its own section.
    pub(super) const fn parameters(&self) -> usize {
        match self.lengths {
            [_, Some(_), ..] => self.offset(1).0,
            _ => self.start(),
        }
    }

    /// Shows the bytes after the header: the list of sections, and each section by `write`, which shows its bytes,
    /// one part after the other. What lies between is zeros.
    pub(super) fn visit(&self, write: &mut WriteSection<'_>, part: &mut dyn FnMut(&[u8])) {
        let mut end = HEADER;
        for (number, (section, length)) in Section::ALL.into_iter().zip(self.lengths).enumerate() {
            let Some(length) = length else { continue };
            let flags = if matches!(section, Section::Metadata) { 0 } else { MUST_UNDERSTAND };
            let offset = self.offset(number).0 as u64;
            let entry = Entry { kind: section as u16, flags, zero: 0, offset, length: length as u64 };
            part(entry.as_bytes());
            end += size_of::<Entry>();
        }
        for (number, (section, length)) in Section::ALL.into_iter().zip(self.lengths).enumerate() {
            let Some(length) = length else { continue };
            let start = self.offset(number).0;
            zeros(start.saturating_sub(end), part);
            let mut left = length;
            write(section, &mut |bytes| {
                let bytes = first(bytes, left);
                left -= bytes.len();
                part(bytes);
            });
            // What a section does not show of its length.
            zeros(left, part);
            end = start + length;
        }
    }
}

/// The bytes of one section of an image with `count` of them, found without a look at the others: for who has
/// checked the bytes and needs no more than these.
pub(super) fn find(image: &[u8], count: usize, section: Section) -> Option<&[u8]> {
    let (entries, _) = image.get(HEADER..)?.as_chunks::<{ size_of::<Entry>() }>();
    let mut entries = entries.iter().take(count).map(|bytes| -> Entry { zerocopy::transmute!(*bytes) });
    let Entry { offset, length, .. } = entries.find(|entry| entry.kind == section as u16)?;
    image.get(usize::try_from(offset).ok()?..)?.get(..usize::try_from(length).ok()?)
}

/// The sections of an image, checked: in order, disjoint, one of a kind, zeros between them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List<'a> {
    found: [Option<&'a [u8]>; KINDS],
}

impl<'a> List<'a> {
    /// Reads the list of `count` sections.
    pub(super) fn read(image: &'a [u8], count: usize) -> Result<Self, ImageError> {
        let mut found = [None; KINDS];
        let (mut last, mut end) = (0, HEADER + count * size_of::<Entry>());
        let list = image.get(HEADER..end).ok_or(ImageError::Header)?;
        for bytes in list.as_chunks::<{ size_of::<Entry>() }>().0 {
            let Entry { kind, flags, zero, offset, length } = zerocopy::transmute!(*bytes);
            let fails = |error| ImageError::Section { kind, error };
            if kind <= last {
                return Err(fails(SectionError::Order));
            }
            if zero != 0 || flags & !MUST_UNDERSTAND != 0 {
                return Err(fails(SectionError::Padding));
            }
            if !offset.is_multiple_of(64) {
                return Err(fails(SectionError::Misaligned));
            }
            let range = usize::try_from(offset).ok().zip(usize::try_from(length).ok());
            let (offset, length) = range.ok_or(fails(SectionError::OutOfRange))?;
            if offset < end {
                return Err(fails(SectionError::Order));
            }
            let section = image.get(offset..).and_then(|rest| rest.get(..length));
            let section = section.ok_or(fails(SectionError::OutOfRange))?;
            // Sections lie without a gap, so that an image has one form.
            if offset != align(end)
                || image.get(end..offset).is_none_or(|gap| gap.iter().any(|byte| *byte != 0))
            {
                return Err(fails(SectionError::Padding));
            }
            match Section::ALL.into_iter().position(|section| section as u16 == kind) {
                Some(number) => {
                    if let Some(slot) = found.get_mut(number) {
                        *slot = Some(section);
                    }
                }
                None if flags & MUST_UNDERSTAND != 0 => return Err(fails(SectionError::Unknown)),
                None => {}
            }
            (last, end) = (kind, offset + length);
        }
        if end != image.len() {
            return Err(ImageError::Length { expected: end, found: image.len() });
        }
        Ok(Self { found })
    }

    /// The bytes of a section.
    pub(crate) fn get(&self, section: Section) -> Option<&'a [u8]> {
        let [recipe, parameters, classes, pipeline, vocabulary, metadata, training] = self.found;
        match section {
            Section::Recipe => recipe,
            Section::Parameters => parameters,
            Section::Classes => classes,
            Section::Pipeline => pipeline,
            Section::Vocabulary => vocabulary,
            Section::Metadata => metadata,
            Section::Training => training,
        }
    }

    /// The bytes of a section that must be there.
    pub(crate) fn need(&self, section: Section) -> Result<&'a [u8], ImageError> {
        self.get(section).ok_or(section.is(SectionError::Missing))
    }
}
