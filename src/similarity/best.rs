//! The best rows, in memory of the caller.

use core::mem;

/// A row, and how near it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// The row.
    pub row: usize,
    /// Its score: the higher, the nearer.
    pub score: f32,
}

impl Neighbour {
    /// No row: what lists are filled up with where fewer rows than asked for have a score.
    pub const NONE: Self = Self { row: usize::MAX, score: f32::NEG_INFINITY };

    /// Whether it comes after `other`: by a lower score, or a higher row with the same.
    fn is_after(self, other: Self) -> bool {
        self.score < other.score || self.score == other.score && self.row > other.row
    }
}

/// [`Neighbour::NONE`].
impl Default for Neighbour {
    fn default() -> Self {
        Self::NONE
    }
}

/// A heap of the best rows so far, the last of them first.
pub(super) struct Best<'a>(&'a mut [Neighbour]);

impl<'a> Best<'a> {
    /// The best so far: a list of [`Neighbour::NONE`], or what [`offer`](Self::offer) left.
    pub(super) fn so_far(list: &'a mut [Neighbour]) -> Self {
        Self(list)
    }

    /// What a score has to be above to be among them. Rows are offered in ascending order, so that one with an
    /// equal score comes after.
    pub(super) fn bound(&self) -> f32 {
        self.0.first().map_or(f32::INFINITY, |last| last.score)
    }

    /// Takes a row whose score is above the bound, instead of the last.
    pub(super) fn offer(&mut self, neighbour: Neighbour) {
        if let Some(last) = self.0.first_mut() {
            *last = neighbour;
            sink(self.0);
        }
    }

    /// Puts the list in order, the best first.
    pub(super) fn sort(self) {
        for end in (1..self.0.len()).rev() {
            swap(self.0, 0, end);
            if let Some(rest) = self.0.get_mut(..end) {
                sink(rest);
            }
        }
    }
}

fn swap(list: &mut [Neighbour], a: usize, b: usize) {
    if let Ok([a, b]) = list.get_disjoint_mut([a, b]) {
        mem::swap(a, b);
    }
}

/// Puts the first of a heap where it belongs: each comes after its two children, `2 i + 1` and `2 i + 2`.
fn sink(heap: &mut [Neighbour]) {
    let mut at = 0;
    while let (Some(own), Some(left)) = (heap.get(at), heap.get(2 * at + 1)) {
        let (mut child, mut last) = (2 * at + 1, *left);
        if let Some(right) = heap.get(2 * at + 2)
            && right.is_after(last)
        {
            (child, last) = (2 * at + 2, *right);
        }
        if !last.is_after(*own) {
            break;
        }
        swap(heap, at, child);
        at = child;
    }
}
