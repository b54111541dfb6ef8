//! From the bytes of an image to a model.

use super::kind::Kinds;
use super::model::Model;
use super::recipe::Recipe;
use super::shape::RecipeError;
use crate::error::ShapeMismatch;
use crate::image::{ImageError, Section, SectionError, Sections};
use core::fmt;
use zerocopy::FromBytes;

/// Why an image is not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// The bytes are not an unharmed image of a model, or start at no multiple of 4.
    Image(ImageError),
    /// Its layers are none that fit, or of kinds that the program does not name.
    Recipe(RecipeError),
    /// It has not as many parameters as its layers say: the numbers of words of 32 bits.
    Parameters(ShapeMismatch),
}

impl From<ImageError> for OpenError {
    fn from(error: ImageError) -> Self {
        Self::Image(error)
    }
}

impl From<RecipeError> for OpenError {
    fn from(error: RecipeError) -> Self {
        Self::Recipe(error)
    }
}

impl From<ShapeMismatch> for OpenError {
    fn from(error: ShapeMismatch) -> Self {
        Self::Parameters(error)
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(error) => error.fmt(f),
            Self::Recipe(error) => error.fmt(f),
            Self::Parameters(error) => {
                write!(f, "{error} words of 32 bits: write the image again, from a model of these layers")
            }
        }
    }
}

impl core::error::Error for OpenError {}

/// The model in an image, whatever its type, used where it lies.
///
/// `K` names the kinds of layers that may occur, and no other is linked: [`All`](super::All) on a host, a
/// tuple of [`kinds`](super::kinds) in firmware.
///
/// ```
/// use nanoembed::models::{self, All, Input, Workspace, kinds};
/// use nanoembed::{image, layers::*, sequential, table::Aligned};
/// type Reviews = sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
/// let typed = Reviews::zeroed();
/// let mut bytes = Aligned([0; image::size::<Reviews>()]);
/// image::write(&typed, &mut *bytes)?;
///
/// let model = models::open::<All>(&*bytes)?;
/// let lengths = model.recipe().workspace(1).expect("a small model");
/// let (mut numbers, mut masks) = (vec![0.0; lengths.numbers], vec![false; lengths.masks]);
/// let mut workspace = Workspace { numbers: &mut numbers, masks: &mut masks };
/// let mut y = [0.0];
/// model.predict(&[Input::Ids(&[4, 7, 0, 0])], &mut workspace, &mut y)?;
/// assert_eq!(y, typed.predict(&[4, 7, 0, 0])?);
///
/// // A program that only knows bags.
/// assert!(models::open::<(kinds::EmbeddingBag, kinds::Dense)>(&*bytes).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the bytes are not an unharmed image of a model, start at no multiple of 4, or hold layers that do not
/// fit or are of other kinds.
pub fn open<K: Kinds>(image: &[u8]) -> Result<Model<'_, K>, OpenError> {
    let sections = Sections::read(image)?;
    let recipe = Recipe::new(sections.records()?)?;
    let (words, rest) = sections.parameters().as_chunks::<4>();
    if !rest.is_empty() {
        return Err(Section::Parameters.is(SectionError::Content).into());
    }
    let parameters = <[f32]>::ref_from_bytes(words.as_flattened()).map_err(|_| ImageError::Misaligned)?;
    Ok(Model::new(recipe, parameters)?.with_sections(&sections))
}
