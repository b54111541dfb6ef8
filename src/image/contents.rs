//! What an image of a model holds beside its layers and parameters.

use super::classes::{self, Classes};
use super::format::{Kind, Section};
use super::frame::{Header, seal};
use super::sections::{Layout, List};
use super::{ImageError, SectionError, records};
use crate::layers::{Fingerprint, Layer};
use crate::recipe::Record;
use crate::text::Pipeline;
use core::num::NonZero;
use zerocopy::{FromBytes, IntoBytes};

/// What an image is to hold beside the model. The default is nothing: [`write_with`] then writes what
/// [`write`](super::write()) does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Contents<'a> {
    /// The names of the classes, one for each output; none if they have no names.
    pub classes: &'a [&'a str],
    /// The probability below which an answer is none of the classes, from 0 to 1. 0 is never, or for a model of
    /// one output 0.5.
    pub threshold: f32,
    /// Bytes that are yours: a date, a version. Who reads the image need not understand them.
    pub metadata: &'a [u8],
    /// How text becomes ids, as bytes.
    pub pipeline: Option<&'a [u8]>,
    /// Words and their ids, as bytes.
    pub vocabulary: Option<&'a [u8]>,
}

impl Contents<'_> {
    /// A layout of a model with these sections as well.
    pub(crate) fn add_to(&self, layout: Layout) -> Layout {
        let classes = (!self.classes.is_empty()).then(|| classes::size(self.classes));
        layout.with_contents(classes, self.pipeline, self.vocabulary, self.metadata)
    }

    /// Shows the bytes of one of these sections.
    pub(crate) fn visit(&self, section: Section, part: &mut dyn FnMut(&[u8])) {
        match section {
            Section::Classes => classes::write(self.classes, self.threshold, part),
            Section::Pipeline => part(self.pipeline.unwrap_or_default()),
            Section::Vocabulary => part(self.vocabulary.unwrap_or_default()),
            Section::Metadata => part(self.metadata),
            Section::Recipe | Section::Parameters | Section::Training => {}
        }
    }

    /// Whether they go with a model of these layers.
    pub(crate) fn check(&self, records: &[Record]) -> Result<(), ImageError> {
        if let Some(pipeline) = self.pipeline {
            check_pipeline(pipeline, records)?;
        }
        if self.classes.is_empty() && self.threshold == 0.0 {
            return Ok(());
        }
        classes::check_names(self.classes, self.threshold)?;
        Ok(classes::check_count(units(records), self.classes.len())?)
    }

    /// Shows the bytes of a section of an image of `model` that holds this too.
    pub(super) fn visit_with<M: Layer>(&self, model: &M, section: Section, part: &mut dyn FnMut(&[u8])) {
        match section {
            Section::Recipe => part(const { records::<M>() }.as_bytes()),
            Section::Parameters => model.visit(part),
            section => self.visit(section, part),
        }
    }

    pub(super) fn layout<M: Layer>(&self) -> Layout {
        self.add_to(const { Layout::model(size_of_val(records::<M>()), M::BYTES) })
    }
}

/// Whether a pipeline can be read, is for as many rows as the first table has, and gives as many ids as the
/// first layer takes, if the model starts with a table: else ids would name the wrong words.
fn check_pipeline(pipeline: &[u8], records: &[Record]) -> Result<(), ImageError> {
    let unread = Section::Pipeline.is(SectionError::Content);
    let pipeline = Pipeline::read(pipeline).map_err(|_| unread)?;
    let Some((first, table)) = records.first().and_then(|first| Some((first, first.table_rows()?))) else {
        return Ok(());
    };
    let ids = pipeline.ids().map_or(0, NonZero::get);
    if table as u64 != pipeline.rows() {
        Err(ImageError::PipelineRows { table, pipeline: pipeline.rows() })
    } else if first.ids() != ids {
        Err(ImageError::PipelineLength { model: first.ids(), pipeline: ids })
    } else {
        Ok(())
    }
}

/// How many outputs the last layer has; 0 if that is not known.
fn units(records: &[Record]) -> u32 {
    records.last().map_or(0, Record::width)
}

/// The length in bytes of an image of `M` that holds this too.
///
/// ```
/// use nanoembed::{image::{self, Contents}, layers::Dense};
/// let contents = Contents { metadata: b"2026-11-27", ..Contents::default() };
/// // Header and list of sections, one layer, its parameters, up to a multiple of 64, metadata.
/// assert_eq!(image::size_with::<Dense<32, 1>>(&contents), 192 + 64 + 192 + 10);
/// ```
pub fn size_with<M: Layer>(contents: &Contents<'_>) -> usize {
    contents.layout::<M>().end()
}

/// Writes the image of `model`, with what else it is to hold, to `out`. [`read`](super::read()) reads it as
/// it reads every image of a model of type `M`, and [`Sections`] reads all of it.
///
/// # Errors
/// If the names of the classes are empty, doubled or not as many as the model has outputs, the threshold is
/// no number from 0 to 1, the pipeline cannot be read or is for another number of rows or ids than the
/// model's, or `out` has not [`size_with::<M>(contents)`](size_with) bytes; nothing has been written then.
pub fn write_with<M: Layer>(model: &M, contents: &Contents<'_>, out: &mut [u8]) -> Result<(), ImageError> {
    contents.check(const { records::<M>() })?;
    seal(Kind::Model, M::FINGERPRINT, &contents.layout::<M>(), out, &mut |section, part| {
        contents.visit_with(model, section, part);
    })
}

/// The image of `model`, with what else it is to hold.
///
/// # Errors
/// If the names of the classes or the threshold cannot be written; see [`write_with`].
#[cfg(feature = "alloc")]
pub fn to_vec_with<M: Layer>(model: &M, contents: &Contents<'_>) -> Result<alloc::vec::Vec<u8>, ImageError> {
    contents.check(const { records::<M>() })?;
    let mut image = alloc::vec![0; size_with::<M>(contents)];
    write_with(model, contents, &mut image)?;
    Ok(image)
}

/// All that an image of a model holds, read without its type.
///
/// [`read`](super::read()) is for who knows the type: it looks at nothing but the parameters, and firmware
/// then links none of this.
///
/// ```
/// use nanoembed::{image::{self, Contents, Sections}, layers::{Dense, Layer}, table::Aligned};
/// let contents = Contents { metadata: b"trained on Friday", ..Contents::default() };
/// let mut bytes = Aligned([0; 512]);
/// let bytes = &mut bytes[..image::size_with::<Dense<3, 2>>(&contents)];
/// image::write_with(&Dense::<3, 2>::zeroed(), &contents, bytes)?;
///
/// let sections = Sections::read(bytes)?;
/// assert_eq!(sections.records()?[0].extents[..2], [3, 2]);
/// assert_eq!(sections.parameters().len(), 4 * (3 * 2 + 2));
/// assert_eq!(sections.metadata(), b"trained on Friday");
/// assert!(sections.classes().is_none());
/// # Ok::<(), image::ImageError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Sections<'a> {
    list: List<'a>,
    records: &'a [[u8; Record::BYTES]],
    parameters: &'a [u8],
    classes: Option<Classes<'a>>,
    fingerprint: u64,
}

impl<'a> Sections<'a> {
    /// What the image of a model holds, checked: the bytes may start at any address.
    ///
    /// That the records describe layers that can be computed is not checked here, nor are the bytes of the
    /// pipeline and of the vocabulary.
    ///
    /// # Errors
    /// If the bytes are not an unharmed image of a model, a section is not as `docs/image-format.md` has it,
    /// or the fingerprint is not that of the records.
    pub fn read(image: &'a [u8]) -> Result<Self, ImageError> {
        let header = Header::check(Kind::Model, image)?;
        let (list, parameters) = header.sections(image)?;
        let (records, rest) = list.need(Section::Recipe)?.as_chunks();
        let content = Section::Recipe.is(SectionError::Content);
        if records.is_empty() || !rest.is_empty() {
            return Err(content);
        }
        let (mut fingerprint, mut units) = (Fingerprint::NOTHING, 0);
        for bytes in records {
            let record: Record = zerocopy::transmute!(*bytes);
            if !record.has_zeros() {
                return Err(content);
            }
            fingerprint = record.thawed().fold_into(fingerprint);
            units = record.width();
        }
        let (expected, found) = (fingerprint.value(), header.fingerprint);
        if found != expected {
            return Err(ImageError::Fingerprint { expected, found });
        }
        let classes = list.get(Section::Classes).map(Classes::read).transpose()?;
        if let Some(classes) = classes {
            classes::check_count(units, classes.len())?;
        }
        Ok(Self { list, records, parameters, classes, fingerprint: found })
    }

    /// The layers, front to back, where they lie.
    ///
    /// # Errors
    /// [`ImageError::Misaligned`] if the image does not start at an address that is a multiple of 4.
    pub fn records(&self) -> Result<&'a [Record], ImageError> {
        <[Record]>::ref_from_bytes(self.records.as_flattened()).map_err(|_| ImageError::Misaligned)
    }

    /// The hash of the records, [`Layer::FINGERPRINT`] of the model's type.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// The bytes of the parameters, in the order of the layers.
    pub fn parameters(&self) -> &'a [u8] {
        self.parameters
    }

    /// The names of the classes, if they have any.
    pub fn classes(&self) -> Option<Classes<'a>> {
        self.classes
    }

    /// How text becomes ids, as bytes.
    pub fn pipeline(&self) -> Option<&'a [u8]> {
        self.list.get(Section::Pipeline)
    }

    /// Words and their ids, as bytes.
    pub fn vocabulary(&self) -> Option<&'a [u8]> {
        self.list.get(Section::Vocabulary)
    }

    /// The bytes of who wrote the image; none if there are none.
    pub fn metadata(&self) -> &'a [u8] {
        self.list.get(Section::Metadata).unwrap_or_default()
    }
}
