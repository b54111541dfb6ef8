//! A trained model with tables of fewer bits, as an image.

use super::kind::Kinds;
use super::model::Model;
use super::recipe::{Place, Recipe};
use crate::image::{Header, ImageError, Kind, Layout, Section, reseal, seal};
use crate::kernels::shaped::quantise;
use crate::layers::Fingerprint;
use crate::recipe::{LayerKind, Record};
use crate::table::{Bf16, F16, F32, Format, RowFormat, Table, TableMut, U2, U4, U8};
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
        let [a, b, c, ..] = record.extents;
        let table = match LayerKind::from_number(record.kind) {
            Some(LayerKind::Embedding) => Some((b as usize, c as usize)),
            Some(LayerKind::EmbeddingBag) => Some((a as usize, b as usize)),
            _ => None,
        };
        match table {
            Some((rows, dim)) if record.format == RowFormat::F32 as u16 && format != RowFormat::F32 => {
                let words = format.row_bytes(dim)?.checked_mul(rows)?.div_ceil(4);
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

impl<K: Kinds> Model<'_, K> {
    /// Where the sections of the image lie that [`ship`](Self::ship) writes.
    fn layout(&self, format: RowFormat) -> Layout {
        let recipe = self.recipe();
        let words: usize = recipe.shipped(format).map(|layer| layer.words).sum();
        let mut layout = Layout::model(size_of_val(recipe.records()), 4 * words);
        for (section, length) in [
            (Section::Classes, self.classes().map(|classes| classes.size())),
            (Section::Pipeline, self.pipeline().map(<[u8]>::len)),
            (Section::Metadata, Some(self.metadata().len()).filter(|length| *length > 0)),
        ] {
            if let Some(length) = length {
                layout = layout.with(section, length);
            }
        }
        layout
    }

    /// The length in bytes of the image that [`ship`](Self::ship) writes.
    pub fn shipped_size(&self, format: RowFormat) -> usize {
        self.layout(format).end()
    }

    /// Writes the image of the model with the tables of its embeddings and bags in `format`, each number
    /// rounded as [`quantise`](TableMut::quantise) does; with [`RowFormat::F32`], as they are. Names of
    /// classes, pipeline and metadata go with it. The type that reads the image has
    /// [`Packed`](crate::layers::Packed) tables, and [`open`](super::open) needs no type.
    ///
    /// ```
    /// use nanoembed::models::{self, All};
    /// use nanoembed::{image, layers::*, sequential, table::RowFormat};
    /// type Trained = sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
    /// type Shipped = sequential![Packed<Embedding<4, 50, 8>, U8Row<8>, 50>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
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
        if !out.as_ptr().addr().is_multiple_of(4) {
            return Err(ImageError::Misaligned);
        }
        let recipe = self.recipe();
        let thawed = |hash, layer: Shipped<'_>| layer.record.thawed().fold_into(hash);
        let fingerprint = recipe.shipped(format).fold(Fingerprint::NOTHING, thawed);
        seal(Kind::Model, fingerprint, &self.layout(format), out, &mut |section, part| match section {
            Section::Recipe => recipe.shipped(format).for_each(|layer| part(layer.record.as_bytes())),
            Section::Parameters => recipe.shipped(format).for_each(|layer| self.visit(&layer, part)),
            Section::Classes => self.classes().iter().for_each(|classes| classes.visit(part)),
            Section::Pipeline => part(self.pipeline().unwrap_or_default()),
            Section::Metadata => part(self.metadata()),
            Section::Vocabulary | Section::Training => {}
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
    let to = to.get_mut(..length).unwrap_or_default();
    let to = <[F::Element]>::mut_from_bytes(to).unwrap_or_default();
    quantise(from, &mut TableMut::<F>::of_elements(to, from.dim()));
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
    contents: &crate::image::Contents<'_>,
) -> Result<alloc::vec::Vec<u8>, super::OpenError> {
    let image = crate::image::to_vec_with(trained, contents)?;
    let model = super::open::<super::All>(&image)?;
    let mut shipped = alloc::vec![0; model.shipped_size(format)];
    model.ship(format, &mut shipped)?;
    Ok(shipped)
}
