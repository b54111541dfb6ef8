//! The pairs of a shard of the corpus, sorted by the parts that their rows lie in; or its bags.

use super::corpus::Corpus;
use super::memory::Extents;
use super::settings::{Method, Settings};
use crate::kernels::pair;
use crate::random::Key;
use crate::slices::{first, first_mut};

/// What draws are for: words of the corpus that are kept, and windows.
const KEEP: u32 = 0;
const WINDOW: u32 = 1;

/// Set in a word that is the last one of its sentence.
const LAST: u32 = 1 << 31;

/// A word as one number: its row within its part, and the part. Parts take turns, so that each has frequent
/// words and rare ones.
fn place(id: u32, parts: usize) -> u32 {
    let parts = parts as u32;
    match (id.checked_div(parts), id.checked_rem(parts)) {
        (Some(row), Some(part)) => row << 6 | part,
        _ => 0,
    }
}

fn row(place: u32) -> u32 {
    (place & !LAST) >> 6
}

fn part(place: u32) -> usize {
    (place & 63) as usize
}

/// The task that finds the pairs of one shard.
#[derive(Debug)]
pub(super) struct Find<'t> {
    pub(super) corpus: Corpus<'t>,
    pub(super) extents: Extents,
    pub(super) settings: Settings,
    pub(super) keep: &'t [u32],
    /// What the draws of the shard depend on.
    pub(super) key: Key,
    /// Its first word.
    pub(super) first: usize,
    pub(super) kept: &'t mut [u32],
    pub(super) ends: &'t mut [u32],
    pub(super) pairs: &'t mut [u64],
}

impl Find<'_> {
    pub(super) fn run(self) {
        let Self { extents, settings, key, ends, pairs, .. } = self;
        let Settings { window, method, .. } = settings;
        let draws = key.with(KEEP);
        let (mut number, mut used) = (0_u32, 0);
        for sentence in self.corpus.sentences(self.first, extents.words) {
            let start = used;
            for id in sentence {
                let draw = draws.at(number);
                number = number.wrapping_add(1);
                if self.keep.get(*id as usize).is_some_and(|most| draw <= *most)
                    && let Some(kept) = self.kept.get_mut(used)
                {
                    *kept = place(*id, extents.parts);
                    used += 1;
                }
            }
            if used > start
                && let Some(last) = self.kept.get_mut(used - 1)
            {
                *last |= LAST;
            }
        }
        let kept: &[u32] = first_mut(self.kept, used);
        let windows = key.with(WINDOW);
        if settings.learns_bags() {
            let is_window = method == Method::ContinuousBag;
            let list = if is_window { list_windows } else { list_pairs };
            ends.fill(list(kept, window, windows, pairs) as u32);
            return;
        }
        let cell = |input, target| part(input) * extents.parts + part(target);
        // How many pairs each two parts have; from that, where they start; when all are placed, where they
        // end.
        ends.fill(0);
        each_pair(kept, window, windows, |input, target| {
            if let Some(count) = ends.get_mut(cell(input, target)) {
                *count += 1;
            }
        });
        let mut sum = 0;
        for end in &mut *ends {
            (*end, sum) = (sum, sum + *end);
        }
        each_pair(kept, window, windows, |input, target| {
            if let Some(end) = ends.get_mut(cell(input, target))
                && let Some(to) = pairs.get_mut(*end as usize)
            {
                *to = pair(row(input), row(target));
                *end += 1;
            }
        });
    }
}

/// Calls `found` with each word, those of its window before it, and those after it.
#[inline(always)]
fn each_window(kept: &[u32], window: usize, windows: Key, mut found: impl FnMut(u32, &[u32], &[u32])) {
    let mut number = 0_u32;
    for sentence in kept.split_inclusive(|word| word & LAST != 0) {
        for (i, target) in sentence.iter().enumerate() {
            let reach = 1 + ((u64::from(windows.at(number)) * window as u64) >> 32) as usize;
            number = number.wrapping_add(1);
            let before = sentence.get(i.saturating_sub(reach)..i).unwrap_or_default();
            let after = sentence.get(i + 1..).unwrap_or_default();
            found(*target, before, first(after, reach));
        }
    }
}

/// Calls `found` with each pair of a word and a word of its window.
#[inline(always)]
fn each_pair(kept: &[u32], window: usize, windows: Key, mut found: impl FnMut(u32, u32)) {
    each_window(kept, window, windows, |target, before, after| {
        for input in before {
            found(*input, target);
        }
        for input in after {
            found(*input, target);
        }
    });
}

/// Lists each word that has neighbours, their number, and the neighbours; gives the length of the list.
fn list_windows(kept: &[u32], window: usize, windows: Key, list: &mut [u64]) -> usize {
    let mut used = 0;
    each_window(kept, window, windows, |target, before, after| {
        let count = before.len() + after.len();
        if count > 0 {
            let head = pair(count as u32, row(target));
            let rows = before.iter().chain(after).map(|word| u64::from(row(*word)));
            for (to, number) in list.iter_mut().skip(used).zip([head].into_iter().chain(rows)) {
                *to = number;
            }
            used += 1 + count;
        }
    });
    used
}

/// Lists each pair as a bag of one word; gives the length of the list.
fn list_pairs(kept: &[u32], window: usize, windows: Key, list: &mut [u64]) -> usize {
    let mut used = 0;
    each_pair(kept, window, windows, |input, target| {
        if let Some([head, word]) = list.get_mut(used..).and_then(|rest| rest.first_chunk_mut()) {
            (*head, *word) = (pair(1, row(target)), u64::from(row(input)));
            used += 2;
        }
    });
    used
}
