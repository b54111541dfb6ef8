//! A trained model with tables of fewer bits, as an image.

use super::kind::Kinds;
use super::model::Model;
use super::recipe::{Place, Recipe};
use crate::image::{Contents, Header, ImageError, Kind, Layout, Section, reseal, seal};
use crate::kernels::shaped::quantise;
use crate::recipe::Record;
use crate::slices::{copy, part_mut};
use crate::table::{Bf16, F16, F32, Format, I4, I8, RowFormat, Table, TableMut, U2, U4, U8};
use zerocopy::{FromBytes, IntoBytes};

/// Zeros, for parameters that are made where they lie.
const ZEROS: [u8; 256] = [0; 256];

/// How a layer is shipped: its record, and the words of its parameters.
#[derive(Clone, Copy, Debug)]
struct Shipped<'a> {
    place: Place<'a>,
    record: Record,
    /// Rows and columns of its table, if its rows are packed.
    packed: Option<(usize, usize)>,
    words: usize,
}

impl<'a> Shipped<'a> {
    fn of(place: &Place<'a>, format: RowFormat) -> Option<Self> {
        let place = *place;
        let record = *place.record;
        match record.table() {
            Some((rows, dim)) if record.format == RowFormat::F32 as u16 && format != RowFormat::F32 => {
                let words = format.table_words(rows, dim)?;
                Some(Self { place, record: record.packed(format), packed: Some((rows, dim)), words })
            }
            _ => Some(Self { place, record, packed: None, words: place.spec.words()? }),
        }
    }
}

impl<K: Kinds> Recipe<'_, K> {
    /// The layers as they are shipped with tables in this format.
    fn shipped(&self, format: RowFormat) -> impl Iterator<Item = Shipped<'_>> {
        self.places().filter_map(move |place| Shipped::of(&place, format))
    }
}

/// What an image holds beside the model: what the model's own held, or other contents.
pub(super) enum Beside<'a, K> {
    Own(&'a Model<'a, K>),
    Given(&'a Contents<'a>),
}

impl<K: Kinds> Beside<'_, K> {
    pub(super) fn add_to(&self, layout: Layout) -> Layout {
        match self {
            Self::Own(model) => {
                let classes = model.classes().map(|classes| classes.size());
                layout.with_contents(classes, model.pipeline(), model.vocabulary(), model.metadata())
            }
            Self::Given(contents) => contents.add_to(layout),
        }
    }

    pub(super) fn visit(&self, section: Section, part: &mut dyn FnMut(&[u8])) {
        match (self, section) {
            (Self::Given(contents), section) => contents.visit(section, part),
            (Self::Own(model), Section::Classes) => {
                model.classes().iter().for_each(|classes| classes.visit(part));
            }
            (Self::Own(model), Section::Pipeline) => part(model.pipeline().unwrap_or_default()),
            (Self::Own(model), Section::Vocabulary) => part(model.vocabulary().unwrap_or_default()),
            (Self::Own(model), Section::Metadata) => part(model.metadata()),
            (Self::Own(_), Section::Recipe | Section::Parameters | Section::Training) => {}
        }
    }

    /// The image of these layers and their parameters, with this beside them.
    #[cfg(feature = "alloc")]
    pub(super) fn image_of(
        &self,
        records: &[Record],
        parameters: &[u8],
    ) -> Result<alloc::vec::Vec<u8>, ImageError> {
        let fingerprint = Record::fingerprint_of(records.iter().copied());
        let layout = self.add_to(Layout::model(size_of_val(records), parameters.len()));
        let mut image = alloc::vec![0; layout.end()];
        seal(Kind::Model, fingerprint, &layout, &mut image, &mut |section, part| match section {
            Section::Recipe => part(records.as_bytes()),
            Section::Parameters => part(parameters),
            section => self.visit(section, part),
        })?;
        Ok(image)
    }
}

impl<K: Kinds> Model<'_, K> {
    fn layout(&self, format: RowFormat, beside: &Beside<'_, K>) -> Layout {
        let recipe = self.recipe();
        let words = recipe.shipped(format).fold(0_usize, |sum, layer| sum.saturating_add(layer.words));
        beside.add_to(Layout::model(size_of_val(recipe.records()), words.saturating_mul(4)))
    }

    /// The length in bytes of the image that [`ship`](Self::ship) writes.
    pub fn shipped_size(&self, format: RowFormat) -> usize {
        self.layout(format, &Beside::Own(self)).end()
    }

    /// Writes the image of the model with the `f32` tables of its embeddings and bags in `format`, each number
    /// rounded as [`quantise`](TableMut::quantise) does; with [`RowFormat::F32`], as they are. Tables that are
    /// packed already stay as they are. Names of classes, pipeline, vocabulary and metadata go with it. The type
    /// that reads the image has [`Packed`](crate::layers::Packed) tables, and [`open`](super::open) needs no type.
    ///
    #[cfg_attr(feature = "alloc", doc = "```")]
    #[cfg_attr(not(feature = "alloc"), doc = "```ignore")]
    /// use nanoembed::models::{self, All};
    /// use nanoembed::{image, layers::*, sequential, table::RowFormat};
    /// type Trained = sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
    /// type Table = Packed<Embedding<4, 50, 8>, U8Row<8>, 50>;
    /// type Shipped = sequential![Table, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
    /// let trained = image::to_vec(&Trained::zeroed());
    /// let model = models::open::<All>(&trained)?;
    /// let mut shipped = vec![0; model.shipped_size(RowFormat::U8)];
    /// model.ship(RowFormat::U8, &mut shipped)?;
    /// let packed: &Shipped = image::read(&shipped)?;
    /// assert_eq!(packed.predict(&[4, 7, 0, 0]).unwrap(), [0.5]);
    /// # Ok::<(), models::OpenError>(())
    /// ```
    ///
    /// # Errors
    /// If `out` has not [`shipped_size`](Self::shipped_size) bytes, or starts at no multiple of 4; nothing
    /// has been written then.
    pub fn ship(&self, format: RowFormat, out: &mut [u8]) -> Result<(), ImageError> {
        self.ship_beside(format, &Beside::Own(self), out)
    }

    /// The length in bytes of the image that [`ship_with`](Self::ship_with) writes.
    pub fn shipped_size_with(&self, format: RowFormat, contents: &Contents<'_>) -> usize {
        self.layout(format, &Beside::Given(contents)).end()
    }

    /// As [`ship`](Self::ship), with these contents in the place of what the model's own image held: names of
    /// classes and a pipeline for a model that was trained as values.
    ///
    /// # Errors
    /// As [`ship`](Self::ship), and if the contents do not go with the model.
    pub fn ship_with(
        &self,
        format: RowFormat,
        contents: &Contents<'_>,
        out: &mut [u8],
    ) -> Result<(), ImageError> {
        contents.check(self.recipe().records())?;
        self.ship_beside(format, &Beside::Given(contents), out)
    }

    fn ship_beside(
        &self,
        format: RowFormat,
        beside: &Beside<'_, K>,
        out: &mut [u8],
    ) -> Result<(), ImageError> {
        if !out.as_ptr().addr().is_multiple_of(4) {
            return Err(ImageError::Misaligned);
        }
        let recipe = self.recipe();
        let fingerprint = Record::fingerprint_of(recipe.shipped(format).map(|layer| layer.record.thawed()));
        let layout = self.layout(format, beside);
        seal(Kind::Model, fingerprint, &layout, out, &mut |section, part| match section {
            Section::Recipe => recipe.shipped(format).for_each(|layer| part(layer.record.as_bytes())),
            Section::Parameters => recipe.shipped(format).for_each(|layer| self.visit(&layer, part)),
            section => beside.visit(section, part),
        })?;
        let start = Header::check(Kind::Model, out)?.parameters_start();
        let mut rest = out.get_mut(start..).unwrap_or_default();
        for layer in recipe.shipped(format) {
            let to = rest.split_off_mut(..4 * layer.words).unwrap_or_default();
            if let Some((rows, dim)) = layer.packed {
                let from = self.parameters().get(layer.place.parameters..).unwrap_or_default();
                let from = Table::of_dim(from.get(..rows * dim).unwrap_or_default(), dim);
                match format {
                    RowFormat::F32 => write_rows::<F32>(from, to),
                    RowFormat::F16 => write_rows::<F16>(from, to),
                    RowFormat::Bf16 => write_rows::<Bf16>(from, to),
                    RowFormat::U8 => write_rows::<U8>(from, to),
                    RowFormat::U4 => write_rows::<U4>(from, to),
                    RowFormat::U2 => write_rows::<U2>(from, to),
                    RowFormat::I8 => write_rows::<I8>(from, to),
                    RowFormat::I4 => write_rows::<I4>(from, to),
                }
            }
        }
        reseal(out);
        Ok(())
    }

    /// Shows the parameters of a layer as they are, or as many zeros as its packed rows take.
    fn visit(&self, layer: &Shipped<'_>, part: &mut dyn FnMut(&[u8])) {
        let mut left = 4 * layer.words;
        if layer.packed.is_none() {
            let from = self.parameters().get(layer.place.parameters..).unwrap_or_default();
            part(from.as_bytes().get(..left).unwrap_or_default());
            return;
        }
        while left > 0 {
            let zeros = ZEROS.get(..left).unwrap_or(&ZEROS);
            part(zeros);
            left -= zeros.len();
        }
    }
}

/// Writes a table in another format.
fn write_rows<F: Format>(from: Table<'_>, to: &mut [u8]) {
    let length = from.rows() * F::row_length(from.dim()) * size_of::<F::Element>();
    let (rows, after) = to.split_at_mut_checked(length.next_multiple_of(4)).unwrap_or_default();
    let rows = <[F::Element]>::mut_from_bytes(part_mut(rows, 0, length)).unwrap_or_default();
    let scale = F::scale_for(from.iter());
    copy(scale.as_bytes(), after);
    quantise(from, &mut TableMut::<F>::of_elements(rows, from.dim()).scaled(scale));
}

/// The image of a trained model with its tables in `format`, and with what else it is to hold: see
/// [`Model::ship`].
///
/// ```
/// use nanoembed::{image::{self, Contents}, layers::*, models, sequential, table::RowFormat};
/// type Trained = sequential![EmbeddingBag<9, 50, 8>, Dense<8, 2, Softmax>];
/// type Shipped = sequential![Packed<EmbeddingBag<9, 50, 8>, U4Row<8, 8>, 50>, Dense<8, 2, Softmax>];
/// let contents = Contents { classes: &["praise", "complaint"], ..Contents::default() };
/// let bytes = models::ship(&Trained::zeroed(), RowFormat::U4, &contents)?;
/// let packed: &Shipped = image::read(&bytes)?;
/// # Ok::<(), models::OpenError>(())
/// ```
///
/// # Errors
/// If the names of the classes or the threshold cannot be written, or a layer of the model is a user's, which
/// no one can ship but who knows it.
#[cfg(feature = "alloc")]
pub fn ship<M: crate::layers::Layer>(
    trained: &M,
    format: RowFormat,
    contents: &Contents<'_>,
) -> Result<alloc::vec::Vec<u8>, super::OpenError> {
    let image = crate::image::to_vec(trained);
    let model = super::open::<super::All>(&image)?;
    let mut shipped = alloc::vec![0; model.shipped_size_with(format, contents)];
    model.ship_with(format, contents, &mut shipped)?;
    Ok(shipped)
}
