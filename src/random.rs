//! Numbers that look random and depend on a seed and a place alone: the same on every processor, and without
//! state.

/// Added from one number to the next: 2³² and 2⁶⁴ over the golden ratio.
const GOLDEN_32: u32 = 0x9e37_79b9;
const GOLDEN_64: u64 = 0x9e37_79b9_7f4a_7c15;

/// Spreads every bit over all bits, one-to-one: the last step of `MurmurHash3` x86 32 (Appleby).
#[inline(always)]
pub(crate) fn mix32(mut h: u32) -> u32 {
    h = (h ^ h >> 16).wrapping_mul(0x85eb_ca6b);
    h = (h ^ h >> 13).wrapping_mul(0xc2b2_ae35);
    h ^ h >> 16
}

/// A number that depends on all bits of `seed` and `number`, and differently on the two: the finaliser of
/// SplitMix64 (Steele, Lea and Flood, 2014), applied to one after the other.
// Not inlined: products of 64 bits are long on a Cortex-M.
#[inline(never)]
pub(crate) fn mix(seed: u64, number: u64) -> u64 {
    #[inline(never)]
    fn finish(z: u64) -> u64 {
        let z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }
    finish(finish(seed.wrapping_add(GOLDEN_64)).wrapping_add(number.wrapping_mul(GOLDEN_64)))
}

/// A sequence of 32-bit numbers, of which any can be had: for loops that are vectorised.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key(u32);

impl Key {
    /// The sequence of this seed.
    #[inline(always)]
    pub(crate) fn new(seed: u64) -> Self {
        Self(mix32(seed as u32 ^ mix32((seed >> 32) as u32)))
    }

    /// The sequence that depends on this one and on `word`.
    #[inline(always)]
    pub(crate) fn with(self, word: u32) -> Self {
        Self(mix32(self.0.wrapping_add(GOLDEN_32) ^ word))
    }

    /// The number at a place.
    #[inline(always)]
    pub(crate) fn at(self, place: u32) -> u32 {
        mix32(self.0.wrapping_add(place.wrapping_mul(GOLDEN_32)))
    }
}
