//! FarmHash Fingerprint64, the hash of TensorFlow's tables and of Keras' `Hashing`.
//!
//! Google's `farmhashna::Hash64` with 64 bits, fixed for good by its authors. In pseudo-code:
//!
//! ```text
//! up to 16, 32, 64 bytes: three formulas of a few multiplications, which read the word from both ends
//! longer:  for each block of 64 bytes but the last 1 to 64: mix it into a state of 56 bytes
//!          mix in the last 64 bytes, which overlap the block before
//! ```
//!
//! The formulas need the length and the end of the word first, and bytes arrive here from the front and in
//! any pieces: the last two blocks are kept. That is 200 bytes of state for 8 of hash, and multiplications of
//! 64 bits; where the numbers of TensorFlow are not needed, [`NativeHash`](super::NativeHash) is smaller.

use super::{HashKind, WordHash, remainder};
use core::num::{NonZero, Wrapping};

type Number = Wrapping<u64>;

const K0: Number = Wrapping(0xc3a5_c85c_97cb_3127);
const K1: Number = Wrapping(0xb492_b66f_be98_f273);
const K2: Number = Wrapping(0x9ae1_6a3b_2f90_404f);
const SEED: Number = Wrapping(81);

/// FarmHash's `Fingerprint64`: `tf.strings.to_hash_bucket_fast`, and Keras' [`Hashing`](crate::text::Hashing)
/// without a salt.
///
/// A word's bucket is the remainder of its hash.
///
/// ```
/// use nanoembed::text::{FarmHash64, WordHash};
/// let mut hash = FarmHash64::default();
/// hash.write(b"");
/// assert_eq!(hash.finish(), 0x9ae1_6a3b_2f90_404f);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FarmHash64 {
    state: State,
    /// The block before: all that lies before it is in the state, and so is it.
    previous: [u8; 64],
    /// The last bytes, up to 64, which are not in the state.
    block: [u8; 64],
    length: usize,
}

#[derive(Clone, Copy, Debug)]
struct State {
    x: Number,
    y: Number,
    z: Number,
    v: (Number, Number),
    w: (Number, Number),
}

impl Default for FarmHash64 {
    #[inline]
    fn default() -> Self {
        let zero = (Wrapping(0), Wrapping(0));
        let y = SEED * K1 + Wrapping(113);
        let z = shift_mix(y * K2 + Wrapping(113)) * K2;
        let state = State { x: SEED * K2, y, z, v: zero, w: zero };
        Self { state, previous: [0; 64], block: [0; 64], length: 0 }
    }
}

impl WordHash for FarmHash64 {
    type Digest = u64;
    const KIND: Option<HashKind> = Some(HashKind::FarmHash64);

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let place = self.length & 63;
            if place == 0 && self.length > 0 {
                self.absorb();
            }
            if let Some(to) = self.block.get_mut(place) {
                *to = byte;
            }
            self.length = self.length.wrapping_add(1);
        }
    }

    #[inline]
    fn finish(self) -> u64 {
        let word = self.block.get(..self.length).unwrap_or_default();
        let hash = match self.length {
            0..=16 => up_to_16(word),
            17..=32 => up_to_32(word),
            33..=64 => up_to_64(word),
            _ => self.beyond_64(),
        };
        hash.0
    }

    #[inline]
    fn bucket(digest: u64, buckets: NonZero<u32>) -> u32 {
        remainder(digest, buckets)
    }

    #[inline]
    fn low32(digest: u64) -> u32 {
        digest as u32
    }
}

impl FarmHash64 {
    /// Mixes the full block, which turns out not to be the last, into the state.
    fn absorb(&mut self) {
        let State { mut x, mut y, mut z, mut v, mut w } = self.state;
        let numbers = numbers(&self.block);
        let [a, b, c, .., f, g, _] = numbers;
        if self.length == 64 {
            x += a;
        }
        x = rotate(x + y + v.0 + b, 37) * K1;
        y = rotate(y + v.1 + g, 42) * K1;
        x ^= w.1;
        y += v.0 + f;
        z = rotate(z + w.0, 33) * K1;
        (v, w) = weak_halves(numbers, (v.1 * K1, x + w.0), (z + w.1, y + c));
        self.state = State { x: z, y, z: x, v, w };
        self.previous = self.block;
    }

    fn beyond_64(&self) -> Number {
        let State { mut x, mut y, mut z, mut v, mut w } = self.state;
        // Behind the last full block lie 1 to 64 bytes.
        let behind = self.length.wrapping_sub(1) & 63;
        let mut last = [0; 64];
        let bytes = self.previous.iter().skip(behind + 1).chain(self.block.iter().take(behind + 1));
        for (to, from) in last.iter_mut().zip(bytes) {
            *to = *from;
        }
        let numbers = numbers(&last);
        let [_, b, c, .., f, g, _] = numbers;
        let mul = K1 + ((z & Wrapping(0xff)) << 1);
        w.0 += Wrapping(behind as u64);
        v.0 += w.0;
        w.0 += v.0;
        x = rotate(x + y + v.0 + b, 37) * mul;
        y = rotate(y + v.1 + g, 42) * mul;
        x ^= w.1 * Wrapping(9);
        y += v.0 * Wrapping(9) + f;
        z = rotate(z + w.0, 33) * mul;
        (v, w) = weak_halves(numbers, (v.1 * mul, x + w.0), (z + w.1, y + c));
        let first = to_64(v.0, w.0, mul) + shift_mix(y) * K0 + x;
        to_64(first, to_64(v.1, w.1, mul) + z, mul)
    }
}

/// `HashLen0to16`.
fn up_to_16(word: &[u8]) -> Number {
    let length = Wrapping(word.len() as u64);
    let mul = K2 + length * Wrapping(2);
    if let (Some(first), Some(last)) = (word.first_chunk(), word.last_chunk()) {
        let (a, b) = (number(*first) + K2, number(*last));
        return to_64(rotate(b, 37) * mul + a, (rotate(a, 25) + b) * mul, mul);
    }
    if let (Some(first), Some(last)) = (word.first_chunk(), word.last_chunk()) {
        let [first, last] = [first, last].map(|bytes| Wrapping(u64::from(u32::from_le_bytes(*bytes))));
        return to_64(length + (first << 3), last, mul);
    }
    if let (Some(&first), Some(&middle), Some(&last)) = (word.first(), word.get(word.len() / 2), word.last())
    {
        let y = u32::from(first) + (u32::from(middle) << 8);
        let z = word.len() as u32 + (u32::from(last) << 2);
        let [y, z] = [y, z].map(|number| Wrapping(u64::from(number)));
        return shift_mix((y * K2) ^ (z * K0)) * K2;
    }
    K2
}

/// `HashLen17to32`.
fn up_to_32(word: &[u8]) -> Number {
    let mul = K2 + Wrapping(word.len() as u64) * Wrapping(2);
    let (Some([a, b]), Some([d, c])) = (first_numbers(word), last_numbers(word)) else { return K2 };
    let (a, c, d) = (a * K1, c * mul, d * K2);
    to_64(rotate(a + b, 43) + rotate(c, 30) + d, a + rotate(b + K2, 18) + c, mul)
}

/// `HashLen33to64`.
fn up_to_64(word: &[u8]) -> Number {
    let mul = K2 + Wrapping(word.len() as u64) * Wrapping(2);
    let (Some([a, b, e, f]), Some([g, h, d, c])) = (first_numbers(word), last_numbers(word)) else {
        return K2;
    };
    let (a, c, d) = (a * K2, c * mul, d * K2);
    let y = rotate(a + b, 43) + rotate(c, 30) + d;
    let z = to_64(y, a + rotate(b + K2, 18) + c, mul);
    let e = e * mul;
    let (g, h) = ((y + g) * mul, (z + h) * mul);
    to_64(rotate(e + f, 43) + rotate(g, 30) + h, e + rotate(f + a, 18) + g, mul)
}

/// `HashLen16` with a multiplier: two numbers to one.
fn to_64(u: Number, v: Number, mul: Number) -> Number {
    let a = shift_mix((u ^ v) * mul);
    shift_mix((v ^ a) * mul) * mul
}

/// `WeakHashLen32WithSeeds` of both halves of a block.
fn weak_halves(
    block: [Number; 8],
    first: (Number, Number),
    second: (Number, Number),
) -> ((Number, Number), (Number, Number)) {
    let weak = |w: Number, x: Number, y: Number, z: Number, (a, b): (Number, Number)| {
        let a = a + w;
        let b = rotate(b + a + z, 21);
        let sum = a + x + y;
        (sum + z, b + rotate(sum, 44) + a)
    };
    let [a, b, c, d, e, f, g, h] = block;
    (weak(a, b, c, d, first), weak(e, f, g, h, second))
}

fn shift_mix(number: Number) -> Number {
    number ^ number >> 47
}

fn rotate(number: Number, right: u32) -> Number {
    Wrapping(number.0.rotate_right(right))
}

fn number(bytes: [u8; 8]) -> Number {
    Wrapping(u64::from_le_bytes(bytes))
}

fn numbers(block: &[u8; 64]) -> [Number; 8] {
    let mut numbers = [Wrapping(0); 8];
    for (to, from) in numbers.iter_mut().zip(block.as_chunks().0) {
        *to = number(*from);
    }
    numbers
}

/// The first `8 * N` bytes of `word` as numbers, if there are as many.
fn first_numbers<const N: usize>(word: &[u8]) -> Option<[Number; N]> {
    let chunks = word.as_chunks().0.first_chunk::<N>()?;
    Some(chunks.map(number))
}

/// The last `8 * N` bytes of `word` as numbers, if there are as many.
fn last_numbers<const N: usize>(word: &[u8]) -> Option<[Number; N]> {
    let chunks = word.as_rchunks().1.last_chunk::<N>()?;
    Some(chunks.map(number))
}
