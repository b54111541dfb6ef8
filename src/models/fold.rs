//! A bag classifier as one table of integers.

use super::kind::{Input, Kinds};
use super::kinds::{self, AnyActivation};
use super::model::Model;
use super::open::OpenError;
use super::scale::{self, Texts};
use super::shape::Shape;
use super::ship::Beside;
use crate::error::{InputError, NotFinite, ShapeMismatch};
use crate::image::{Contents, ImageError};
use crate::kernels::shaped::{gemm, quantise};
use crate::layers::{ActivationKind, Layer};
use crate::passes::folded::EMPTY_COUNT;
use crate::recipe::{LayerKind, Record, Source};
use crate::slices::{part, parts, parts_mut};
use crate::table::{
    Bags, I4, I8, Indices, IntegerFormat, OneScale, Pooling, RowFormat, RowNotFinite, Table, TableMut,
};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

/// How a classifier is folded.
#[derive(Clone, Copy, Debug)]
pub struct Folding<'a> {
    /// [`RowFormat::I8`] or [`RowFormat::I4`].
    pub format: RowFormat,
    /// Which rows are kept; `None` if all are. The others are left out, for two bits each:
    /// [`Model::strongest_rows`] says which matter most.
    pub kept: Option<&'a [bool]>,
    /// The training texts, if they are at hand, as [`Input::Bags`](super::Input::Bags): the scale is then the one
    /// with which their probabilities come nearest; else the one with the least squared error of the scores,
    /// which is worse for many classes in 4 bits.
    pub texts: Option<Input<'a>>,
}

impl Folding<'_> {
    /// All rows in this format.
    pub const fn new(format: RowFormat) -> Self {
        Self { format, kept: None, texts: None }
    }
}

/// Why a model cannot be folded.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum FoldError {
    /// A layer that is none of a linear classifier of bags, or stands in the wrong place.
    Layer {
        /// Its number.
        layer: usize,
        /// What Keras calls it.
        kind: &'static str,
    },
    /// There is no `Dense` layer after the bag, or no bag.
    NoDense,
    /// The pooling is neither the mean nor the sum.
    Pooling,
    /// The format is none of integers.
    Format(RowFormat),
    /// No row is to be kept.
    NoRows,
    /// The training texts are no bags of this model.
    Texts(InputError),
    /// What is said of the rows is not said of each of them.
    Rows(ShapeMismatch),
    /// A parameter is infinite or NaN.
    NotFinite(NotFinite),
    /// The scores of a row are infinite or NaN.
    Scores(RowNotFinite),
    /// The bias of a class is so large beside the scores of the rows that a sum could pass 32 bits.
    Overflow {
        /// The class.
        class: usize,
    },
    /// The image cannot be read, or the contents do not go with the model.
    Open(OpenError),
}

impl fmt::Display for FoldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layer { layer, kind } => write!(
                f,
                "layer {layer} ({kind}): a model that can be folded is an EmbeddingBag and a Dense, with a Dropout between them and an Activation after them at most"
            ),
            Self::NoDense => f.write_str("no Dense layer follows an EmbeddingBag: there is nothing to fold"),
            Self::Pooling => f.write_str("the bag is pooled by SqrtN: only Mean and Sum can be folded"),
            Self::Format(format) => write!(f, "rows of {format:?} are no integers: fold to I8 or I4"),
            Self::NoRows => f.write_str("0 rows are to be kept: keep at least 1"),
            Self::Texts(error) => write!(f, "texts: {error}"),
            Self::Rows(error) => error.fmt(f),
            Self::NotFinite(error) => error.fmt(f),
            Self::Scores(error) => error.fmt(f),
            Self::Overflow { class } => write!(
                f,
                "the bias of class {class} is too large beside the scores of the rows: 32 bits may not hold a sum"
            ),
            Self::Open(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for FoldError {}

impl From<OpenError> for FoldError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

impl From<ImageError> for FoldError {
    fn from(error: ImageError) -> Self {
        Self::Open(error.into())
    }
}

/// The scores of all rows, and what is around them.
struct Scores {
    /// Scores `[rows, classes]`, without the biases.
    rows: Vec<f32>,
    bias: Vec<f32>,
    classes: usize,
    /// Whether rows are averaged, not summed.
    is_mean: bool,
    activation: ActivationKind,
}

impl<K: Kinds> Model<'_, K> {
    fn scores(&self) -> Result<Scores, FoldError> {
        let recipe = self.recipe();
        let (mut bag, mut dense, mut activation) = (None, None, ActivationKind::Identity);
        for place in recipe.places() {
            let kind = LayerKind::from_number(place.record.kind);
            let is_last = dense.is_some();
            match kind {
                Some(LayerKind::EmbeddingBag) if bag.is_none() => bag = Some(place),
                Some(LayerKind::Dropout) if bag.is_some() && !is_last => {}
                Some(LayerKind::Dense) if bag.is_some() && !is_last => dense = Some(place),
                Some(LayerKind::Activation) if is_last && activation == ActivationKind::Identity => {}
                _ => return Err(FoldError::Layer { layer: place.number, kind: place.kind_name() }),
            }
            if dense.is_some() {
                activation = kinds::activation::<AnyActivation>(place.record);
            }
        }
        let (Some(bag), Some(dense)) = (bag, dense) else {
            return Err(FoldError::NoDense);
        };
        let [pooling, ..] = bag.record.options;
        if pooling > 1 {
            return Err(FoldError::Pooling);
        }
        let parameters = self.parameters();
        let [dim, classes, ..] = dense.record.extents.map(|extent| extent as usize);
        let kernel = part(parameters, dense.parameters, dim * classes);
        let mut bias = part(parameters, dense.parameters + dim * classes, classes).to_vec();
        let [rows, ..] = bag.record.extents.map(|extent| extent as usize);
        let from = parameters.get(bag.parameters..).unwrap_or_default();
        let table = kinds::numbers_of_table(bag.record, from, rows, dim);
        let mut scores = vec![0.0; rows * classes];
        let (table, kernel) = (Table::of_dim(&table, dim), Table::of_dim(kernel, classes));
        gemm(table, kernel, &mut TableMut::of_dim(&mut scores, classes));
        if activation == ActivationKind::Softmax {
            // A softmax sees differences alone: around 0 the codes are finest.
            parts_mut(&mut scores, classes).for_each(centre);
            centre(&mut bias);
        }
        Ok(Scores { rows: scores, bias, classes, is_mean: pooling == 0, activation })
    }

    /// The `count` rows of the table with the greatest scores, by the sum of their squares (before a softmax, around
    /// their mean), those that never occur last: true for each of them. To be kept when the model is folded; a model that is trained some more without
    /// the others loses less.
    ///
    /// # Errors
    /// If the model cannot be folded, or there is not a number of occurrences for each row.
    pub fn strongest_rows(&self, count: usize, occurrences: Option<&[u32]>) -> Result<Vec<bool>, FoldError> {
        let scores = self.scores()?;
        let rows = scores.rows();
        check_rows("occurrences of rows", rows, occurrences.map(<[_]>::len))?;
        let mut ranked: Vec<(bool, f32, usize)> = parts(&scores.rows, scores.classes)
            .enumerate()
            .map(|(row, of_row)| {
                let occurs = occurrences.is_none_or(|times| times.get(row).is_some_and(|times| *times > 0));
                (occurs, of_row.iter().map(|x| x * x).sum(), row)
            })
            .collect();
        ranked.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
        let mut strongest = vec![false; rows];
        for (_, _, row) in ranked.into_iter().take(count) {
            if let Some(is_strong) = strongest.get_mut(row) {
                *is_strong = true;
            }
        }
        Ok(strongest)
    }

    /// The image of the model folded, with what its own image holds beside it: see [`fold`].
    ///
    /// # Errors
    /// As [`fold`].
    pub fn fold(&self, folding: Folding<'_>) -> Result<Vec<u8>, FoldError> {
        self.fold_beside(folding, &Beside::Own(self))
    }

    /// The same, with these contents in the place of what the model's own image held.
    ///
    /// # Errors
    /// As [`fold`].
    pub fn fold_with(&self, folding: Folding<'_>, contents: &Contents<'_>) -> Result<Vec<u8>, FoldError> {
        contents.check(self.recipe().records())?;
        self.fold_beside(folding, &Beside::Given(contents))
    }

    fn fold_beside(&self, folding: Folding<'_>, beside: &Beside<'_, K>) -> Result<Vec<u8>, FoldError> {
        if let Some(error) = self.not_finite() {
            return Err(FoldError::NotFinite(error));
        }
        let scores = self.scores()?;
        let all = vec![true; scores.rows()];
        let kept = folding.kept.unwrap_or(&all);
        check_rows("rows to keep", all.len(), Some(kept.len()))?;
        let bags = folding.texts.map(|texts| check_texts(texts, all.len())).transpose()?;
        if !kept.contains(&true) {
            return Err(FoldError::NoRows);
        }
        let parameters = match folding.format {
            RowFormat::I8 => scores.encode::<I8>(kept, bags)?,
            RowFormat::I4 => scores.encode::<I4>(kept, bags)?,
            other => return Err(FoldError::Format(other)),
        };
        let count = kept.iter().filter(|kept| **kept).count();
        let folded = Record::new(LayerKind::Folded, &[kept.len(), scores.classes, count])
            .format(folding.format)
            .pooling(if scores.is_mean { Pooling::Mean } else { Pooling::Sum })
            .from(Source::Input(0));
        let activation = Record::new(LayerKind::Activation, &[scores.classes]).activation(scores.activation);
        let records = [folded, activation];
        let records =
            if scores.activation == ActivationKind::Identity { part(&records, 0, 1) } else { &records };
        Ok(beside.image_of(records, &parameters)?)
    }
}

impl Scores {
    fn rows(&self) -> usize {
        self.rows.len() / self.classes
    }

    /// The parameters: codes, which rows they are of, scale, bias.
    fn encode<F: IntegerFormat>(
        &self,
        kept: &[bool],
        texts: Option<(&[u32], &[u32])>,
    ) -> Result<Vec<u8>, FoldError> {
        let classes = self.classes;
        let mut rows = Vec::new();
        for (scores, _) in parts(&self.rows, classes).zip(kept).filter(|(_, kept)| **kept) {
            let bias =
                |class: usize| if self.is_mean { self.bias.get(class).copied().unwrap_or(0.0) } else { 0.0 };
            rows.extend(scores.iter().enumerate().map(|(class, score)| score + bias(class)));
        }
        let by_itself = F::best_scale(Table::of_dim(&rows, classes), None).map_err(FoldError::Scores)?;
        let softmax = self.activation == ActivationKind::Softmax;
        let start = if self.is_mean { vec![0.0; classes] } else { self.bias.clone() };
        let scores = scale::Scores { rows: &rows, start: &start, most: F::MOST, softmax };
        let scale = match texts {
            Some((ids, offsets)) => {
                let mut count = 0;
                let places: Vec<Option<usize>> = kept
                    .iter()
                    .map(|kept| {
                        let place = kept.then_some(count);
                        count += usize::from(*kept);
                        place
                    })
                    .collect();
                let place = |id: u32| places.get(id as usize).copied().flatten();
                scores.best_scale(&Texts::new(ids, offsets, self.is_mean, place), by_itself)
            }
            None => by_itself,
        };
        let rows = scores.moved(scale);
        let table = Table::of_dim(&rows, classes);
        let mut bytes = vec![0; table.rows() * F::row_length(classes)];
        quantise(table, &mut TableMut::<F>::of_elements(&mut bytes, classes).scaled(OneScale(scale)));
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        if kept.contains(&false) {
            let mut before = 0_u32;
            for rows in kept.chunks(32) {
                let bits = rows.iter().rev().fold(0_u32, |bits, kept| bits << 1 | u32::from(*kept));
                bytes.extend(bits.to_le_bytes());
                bytes.extend(before.to_le_bytes());
                before += bits.count_ones();
            }
        }
        bytes.extend(scale.to_le_bytes());
        let of_bias = if self.is_mean { scale / f32::from(EMPTY_COUNT) } else { scale };
        for (class, bias) in self.bias.iter().enumerate() {
            let code = bias / of_bias;
            if !(code.abs() < MOST_BIAS) {
                return Err(FoldError::Overflow { class });
            }
            // Half away from zero.
            bytes.extend(((code + if code < 0.0 { -0.5 } else { 0.5 }) as i32).to_le_bytes());
        }
        Ok(bytes)
    }
}

/// The greatest code of a bias: half of what 32 bits hold.
const MOST_BIAS: f32 = (1 << 30) as f32;

/// Ids and offsets of bags whose ids name rows.
fn check_texts(texts: Input<'_>, rows: usize) -> Result<(&[u32], &[u32]), FoldError> {
    let Input::Bags { ids, offsets } = texts else {
        return Err(FoldError::Texts(InputError::Kind { input: 0, takes: Shape::Bag.input() }));
    };
    let indices = Indices::new(ids, rows).map_err(|error| FoldError::Texts(error.into()))?;
    Bags::new(indices, offsets).map_err(|error| FoldError::Texts(error.into()))?;
    Ok((ids, offsets))
}

/// That there is one for each row.
fn check_rows(what: &'static str, rows: usize, found: Option<usize>) -> Result<(), FoldError> {
    ShapeMismatch::check(what, rows, found.unwrap_or(rows)).map_err(FoldError::Rows)
}

/// Subtracts the mean.
fn centre(row: &mut [f32]) {
    let mean = row.iter().sum::<f32>() / row.len() as f32;
    for x in row {
        *x -= mean;
    }
}

/// The image of a trained classifier as one table of integers, [`layers::Folded`](crate::layers::Folded), and
/// its activation: for a model of an `EmbeddingBag` (`Mean` or `Sum`) and a `Dense`, with a `Dropout` between
/// them and an `Activation` after them at most.
///
/// The scores of row r are E\[r\] W, `[rows, classes]`, with the biases if rows are averaged. Before a
/// softmax each row is moved to where its codes are finest, which changes no probability. All scores are then
/// rounded with one scale. A table of `rows` rows takes `rows * classes` bytes as I8, half of that as
/// I4.
///
/// ```
/// use nanoembed::models::{self, All, Folding};
/// use nanoembed::{image::Contents, layers::*, sequential, table::RowFormat};
/// type Trained = sequential![EmbeddingBag<64, 2048, 8>, Dense<8, 7, Softmax>];
/// let image = models::fold(&Trained::zeroed(), Folding::new(RowFormat::I4), &Contents::default())?;
/// assert!(image.len() < 4 * 2048 + 512); // four bytes a row
///
/// let trained = nanoembed::image::to_vec(&Trained::zeroed());
/// let model = models::open::<All>(&trained)?;
/// let strongest = model.strongest_rows(1000, None)?;
/// let image = model.fold(Folding { kept: Some(&strongest), ..Folding::new(RowFormat::I4) })?;
/// assert!(image.len() < 4 * 1000 + 2048 / 4 + 512);
/// # Ok::<(), models::FoldError>(())
/// ```
///
/// # Errors
/// If the model has other layers, a parameter that is not finite, or a bias too large for its scores; if the
/// format is none of integers, or the contents do not go with the model.
pub fn fold<M: Layer>(
    trained: &M,
    folding: Folding<'_>,
    contents: &Contents<'_>,
) -> Result<Vec<u8>, FoldError> {
    let image = crate::image::to_vec(trained);
    super::open::<super::All>(&image)?.fold_with(folding, contents)
}
