//! Features to signed columns: scikit-learn's `FeatureHasher` and `HashingVectorizer`.

use super::{InvalidSettings, Murmur3, Token, WordHash};
use crate::error::ShapeMismatch;
use core::num::NonZero;

/// Hashes features to the columns of a matrix, with a sign, as scikit-learn's `FeatureHasher` and, on words,
/// `HashingVectorizer`.
///
/// ```text
/// h = Murmur3 with seed 0 of the feature's name, signed
/// column = |h| mod columns
/// sign   = -1 if h < 0, else 1                         1 without alternate signs
/// row[column] += sign * value                          value 1 for a word
/// ```
///
/// The signs let two features that share a column cancel on average instead of adding up. A column and a sign
/// are also an id and its weight: a weighted bag of an embedding.
///
/// ```
/// use nanoembed::text::FeatureHasher;
/// const HASHER: FeatureHasher = FeatureHasher::new(16);
/// let mut row = [0.0; 16];
/// HASHER.add([("awesome", 0.95), ("costs", -0.579)], &mut row)?;
/// assert_eq!((row[7], row[9]), (0.95, -0.579));
/// # Ok::<(), nanoembed::error::ShapeMismatch>(())
/// ```
///
/// Source: Weinberger, Dasgupta, Langford, Smola and Attenberg, "Feature Hashing for Large Scale Multitask
/// Learning", 2009; scikit-learn's `_hashing_fast.pyx`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeatureHasher {
    columns: NonZero<u32>,
    alternate_sign: bool,
}

impl FeatureHasher {
    /// For `n_features` columns, with alternate signs.
    ///
    /// # Panics
    /// If there is no column or more than 2^32 - 1; in a `const` that is an error of compilation.
    pub const fn new(n_features: usize) -> Self {
        match Self::try_new(n_features) {
            Ok(hasher) => hasher,
            Err(_) => panic!("a feature hasher has 1 to 2^32 - 1 columns"),
        }
    }

    /// As [`new`](Self::new), for a number of columns that is known only at run time.
    ///
    /// # Errors
    /// If there is no column or more than 2^32 - 1.
    pub const fn try_new(n_features: usize) -> Result<Self, InvalidSettings> {
        match NonZero::new(n_features as u32) {
            Some(columns) if columns.get() as usize == n_features => {
                Ok(Self { columns, alternate_sign: true })
            }
            _ => Err(InvalidSettings::Bins(n_features)),
        }
    }

    /// The same, with this choice of signs: `false` for counts that are never negative.
    #[must_use]
    pub const fn alternate_sign(self, alternate_sign: bool) -> Self {
        Self { alternate_sign, ..self }
    }

    /// Number of columns: results are below it.
    #[inline]
    pub const fn columns(&self) -> usize {
        self.columns.get() as usize
    }

    /// The column of a feature, and its sign: 1 or -1.
    #[inline]
    pub fn column<T: Token>(&self, feature: T) -> (usize, f32) {
        let mut hash = Murmur3::<0>::default();
        feature.feed(&mut hash);
        let digest = hash.finish();
        let sign = if self.alternate_sign && digest < 0 { -1.0 } else { 1.0 };
        (Murmur3::<0>::bucket(digest, self.columns) as usize, sign)
    }

    /// Adds features and their values to a row of the matrix.
    ///
    /// # Shapes
    /// `row`: `[columns]`.
    ///
    /// # Errors
    /// If `row` has another length; nothing is written then.
    pub fn add<T: Token>(
        &self,
        features: impl IntoIterator<Item = (T, f32)>,
        row: &mut [f32],
    ) -> Result<(), ShapeMismatch> {
        ShapeMismatch::check("row length", self.columns(), row.len())?;
        for (feature, value) in features {
            let (column, sign) = self.column(feature);
            if let Some(sum) = row.get_mut(column) {
                *sum += sign * value;
            }
        }
        Ok(())
    }
}
