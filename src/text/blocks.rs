//! Where the words of a text stand, 64 bytes at a time: the quick way past characters.
//!
//! ```text
//! for each byte of a block:  a bit if words end there, and a bit if it is not of ASCII
//! starts of words:           bits that are clear behind one that is set
//! ends of words:             bits that are set behind one that is clear
//! ```
//!
//! To go from word to word then needs no branch for each byte, which a processor would guess wrongly once a
//! word. Firmware, which is to be small, has nothing of it.

use crate::simd::{AsciiSet, Level, find};
use crate::slices::copy;
use core::ops::Range;

/// Bytes of a block: the bits of a number.
const BLOCK: usize = 64;

/// The words of a text, block by block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocks {
    /// The characters of ASCII at which words end.
    stops: AsciiSet,
    /// Whether a character beyond ASCII is in a word as it stands; else only the slow way knows.
    plain: bool,
    block: Block,
}

/// What is known of the 64 bytes from `start` on, and which of its words are still to come.
#[derive(Clone, Copy, Debug)]
struct Block {
    start: usize,
    stops: u64,
    /// Bytes that only the slow way knows.
    unknown: u64,
    /// The first bytes of words, and those behind their last: as many.
    starts: u64,
    ends: u64,
    /// Where the block that follows starts: with the word that goes on behind this one, if there is one.
    next: usize,
}

impl Blocks {
    /// The words of a text, if they end at these characters, and with the text.
    #[inline]
    pub(super) const fn new(stops: AsciiSet, plain: bool) -> Self {
        Self { stops, plain, block: Block::before(0) }
    }

    /// Goes on at byte `at`, where the slow way has come to.
    #[inline]
    pub(super) fn skip_to(&mut self, text: &[u8], at: usize) {
        let is_unknown = |byte: &u8| !byte.is_ascii() && !self.plain;
        let from = at.wrapping_sub(self.block.start);
        self.block = if self.block.next == usize::MAX || text.get(at).is_some_and(is_unknown) {
            // Two such words in a row: the text is of another script, and the slow way keeps it to its end.
            Block::before(usize::MAX)
        } else if from < BLOCK {
            self.block.from(from)
        } else {
            Block::before(at)
        };
    }

    /// Where the next word stands. Where only the slow way knows it, or there is none, it is an error, with a
    /// byte before the word, if there is something to skip.
    #[inline(always)]
    pub(super) fn next_word(&mut self, text: &[u8]) -> Result<Range<usize>, Option<usize>> {
        let Self { stops, plain, block } = self;
        while block.starts == 0 {
            let start = block.next;
            // A word that fills the block and goes on has no start in it.
            if start >= text.len() || start == block.start {
                return Err(if start < usize::MAX { Some(start) } else { None });
            }
            let (stops, beyond_ascii) = bits(*stops, text, start);
            let unknown = if *plain { 0 } else { beyond_ascii };
            *block = Block { stops, unknown, ..Block::before(start + BLOCK) }.from(0);
        }
        let (from, to) = (block.starts.trailing_zeros(), block.ends.trailing_zeros());
        let start = block.start + from as usize;
        if block.unknown != 0 && block.unknown >> from & !u64::MAX.unbounded_shl(to - from) != 0 {
            return Err(Some(start));
        }
        block.starts &= block.starts - 1;
        block.ends &= block.ends.wrapping_sub(1);
        Ok(start..block.start + to as usize)
    }
}

impl Block {
    /// The end of a block that ends at byte `next`: no word is left in it.
    #[inline]
    const fn before(next: usize) -> Self {
        Self { start: next.wrapping_sub(BLOCK), stops: 0, unknown: 0, starts: 0, ends: 0, next }
    }

    /// The words from bit `from` on, which is below 64.
    #[inline]
    fn from(self, from: usize) -> Self {
        let Self { start, stops, .. } = self;
        let is_stop = stops | !(u64::MAX << from);
        let after_stop = is_stop << 1 | 1;
        let (mut starts, ends) = (!is_stop & after_stop, is_stop & !after_stop);
        let mut next = start.wrapping_add(BLOCK);
        if is_stop >> (BLOCK - 1) == 0 {
            // The last word goes on behind the block.
            let last = BLOCK - 1 - starts.leading_zeros() as usize;
            starts ^= 1 << last;
            next = start.wrapping_add(last);
        }
        Self { starts, ends, next, ..self }
    }
}

/// For the 64 bytes from `start` on, a bit for each at which words end, also behind the text, and a bit for
/// each that is not of ASCII.
// A pair of numbers, which a call gives back in registers.
#[inline(never)]
fn bits(stops: AsciiSet, text: &[u8], start: usize) -> (u64, u64) {
    let level = Level::current();
    let rest = text.get(start..).unwrap_or_default();
    if let Some(bytes) = rest.first_chunk() {
        return find(level, &stops, bytes);
    }
    let behind = u64::MAX << rest.len();
    let mut room = [0; BLOCK];
    // The last bytes of the text, without those before the block; of a short text, zeros follow.
    let (bytes, before) = if let Some(bytes) = text.last_chunk() {
        (bytes, BLOCK - rest.len())
    } else {
        copy(rest, &mut room);
        (&room, 0)
    };
    let (stops, beyond_ascii) = find(level, &stops, bytes);
    (stops.unbounded_shr(before as u32) | behind, beyond_ascii.unbounded_shr(before as u32))
}
