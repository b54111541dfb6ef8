//! Strings and whole numbers to bins: Keras' layer `Hashing`.

use super::{FarmHash64, InvalidSettings, Token, WordHash};
use core::fmt;
use core::marker::PhantomData;
use core::num::NonZero;

/// Maps a string or a whole number to one of `num_bins` bins, as Keras' layer `Hashing` with
/// `output_mode="int"`.
///
/// ```text
/// bin = hash(UTF-8 bytes) mod bins
/// bin = 1 + hash(UTF-8 bytes) mod (bins - 1), and 0 for the mask value      with a mask value, if there is more than one bin
/// ```
///
/// A whole number hashes as its decimal text. `H` is [`FarmHash64`], or `SipHash` (feature `siphash`) where
/// Keras has a salt; any other [`WordHash`] will do. There is nothing to fit, so the layer is a constant; its
/// bins are the rows of an embedding.
///
/// ```
/// use nanoembed::text::Hashing;
/// const BINS: Hashing = Hashing::new(10);
/// assert!([0, 1, -1].map(|id| BINS.bin_of(id)) == [5, 9, 0]); // keras.layers.Hashing(10)([0, 1, -1])
/// ```
pub struct Hashing<H = FarmHash64> {
    bins: NonZero<u32>,
    mask_value: Option<&'static str>,
    hash: PhantomData<fn() -> H>,
}

impl Hashing {
    /// Hashes by [`FarmHash64`] to the bins `0..num_bins`.
    ///
    /// # Panics
    /// If there is no bin or more than 2^32 - 1; in a `const` that is an error of compilation:
    ///
    /// ```compile_fail,E0080
    /// # use nanoembed::text::Hashing;
    /// const BINS: Hashing = Hashing::new(0);
    /// ```
    pub const fn new(num_bins: usize) -> Self {
        match Self::try_new(num_bins) {
            Ok(hashing) => hashing,
            Err(_) => panic!("hashing needs 1 to 2^32 - 1 bins"),
        }
    }

    /// As [`new`](Self::new), for a number of bins that is known only at run time.
    ///
    /// # Errors
    /// If there is no bin or more than 2^32 - 1.
    pub const fn try_new(num_bins: usize) -> Result<Self, InvalidSettings> {
        match NonZero::new(num_bins as u32) {
            Some(bins) if bins.get() as usize == num_bins => {
                Ok(Self { bins, mask_value: None, hash: PhantomData })
            }
            _ => Err(InvalidSettings::Bins(num_bins)),
        }
    }
}

impl<H> Hashing<H> {
    /// The same, hashing by `G`.
    pub const fn hash<G>(self) -> Hashing<G> {
        let Self { bins, mask_value, .. } = self;
        Hashing { bins, mask_value, hash: PhantomData }
    }

    /// The same, with bin 0 for `mask_value` alone, if there is more than one bin.
    #[must_use]
    pub const fn mask_value(self, mask_value: &'static str) -> Self {
        Self { mask_value: Some(mask_value), ..self }
    }

    /// Number of bins: results are below it.
    #[inline]
    pub const fn bins(&self) -> usize {
        self.bins.get() as usize
    }
}

impl<H: WordHash> Hashing<H> {
    /// The bin of a string, a word or a character.
    #[inline]
    pub fn bin<T: Token>(&self, value: T) -> usize {
        let bucket = |bins| {
            let mut hash = H::default();
            value.feed(&mut hash);
            H::bucket(hash.finish(), bins) as usize
        };
        match (self.mask_value, NonZero::new(self.bins.get() - 1)) {
            (Some(mask), Some(_)) if value.chars().eq(mask.chars()) => 0,
            (Some(_), Some(others)) => 1 + bucket(others),
            _ => bucket(self.bins),
        }
    }

    /// The bin of a whole number.
    #[inline]
    pub fn bin_of(&self, number: i64) -> usize {
        self.bin(Decimal::new(number))
    }
}

/// A whole number as its decimal text, behind zeros.
#[derive(Clone, Copy)]
struct Decimal([u8; 20]);

impl Decimal {
    fn new(number: i64) -> Self {
        let mut text = [0; 20];
        let mut places = text.iter_mut().rev();
        let mut rest = number.unsigned_abs();
        for place in &mut places {
            *place = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if let (true, Some(place)) = (number < 0, places.next()) {
            *place = b'-';
        }
        Self(text)
    }
}

impl Token for Decimal {
    #[inline]
    fn chars(self) -> impl Iterator<Item = char> + Clone {
        self.0.into_iter().skip_while(|&byte| byte == 0).map(char::from)
    }
}

// Derived, these would ask for `H: Clone`.
impl<H> Clone for Hashing<H> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<H> Copy for Hashing<H> {}

impl<H> fmt::Debug for Hashing<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hashing")
            .field("bins", &self.bins)
            .field("mask_value", &self.mask_value)
            .field("hash", &core::any::type_name::<H>())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::{String, ToString};

    #[test]
    fn decimals_are_those_of_the_standard_library() {
        let around = |number: i64| [number.wrapping_sub(1), number, number.wrapping_add(1)];
        let powers =
            (0..63).flat_map(|bit| around(1 << bit)).chain((0..19).flat_map(|n| around(10_i64.pow(n))));
        for number in powers.flat_map(|number| [number, number.wrapping_neg()]).chain([i64::MAX, i64::MIN]) {
            assert_eq!(Decimal::new(number).chars().collect::<String>(), number.to_string());
        }
    }
}
