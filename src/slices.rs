//! Parts of slices, and copies, that link no panic into firmware.

use core::iter::from_fn;

/// The first `n` items; all if there are fewer.
#[inline(always)]
pub(crate) fn first<T>(items: &[T], n: usize) -> &[T] {
    match items.split_at_checked(n) {
        Some((first, _)) => first,
        None => items,
    }
}

/// The first `n` items, to write; all if there are fewer.
#[inline(always)]
pub(crate) fn first_mut<T>(items: &mut [T], n: usize) -> &mut [T] {
    let n = if n < items.len() { n } else { items.len() };
    match items.split_at_mut_checked(n) {
        Some((first, _)) => first,
        None => &mut [],
    }
}

/// The `length` items from `start` on; none if there are fewer.
pub(crate) fn part<T>(items: &[T], start: usize, length: usize) -> &[T] {
    items.get(start..).and_then(|rest| rest.get(..length)).unwrap_or_default()
}

/// The same, to write.
pub(crate) fn part_mut<T>(items: &mut [T], start: usize, length: usize) -> &mut [T] {
    items.get_mut(start..).and_then(|rest| rest.get_mut(..length)).unwrap_or_default()
}

/// The parts of `length` items, one after the other.
// Zipped, the chunks of the core library divide by their length, which firmware must not be seen to do.
pub(crate) fn parts<T>(items: &[T], length: usize) -> impl Iterator<Item = &[T]> {
    let mut rest = items;
    from_fn(move || if length > 0 { rest.split_off(..length) } else { None })
}

/// The same, to write.
pub(crate) fn parts_mut<T>(items: &mut [T], length: usize) -> impl Iterator<Item = &mut [T]> {
    let mut rest = items;
    from_fn(move || if length > 0 { rest.split_off_mut(..length) } else { None })
}

/// Copies items, as many as there are in both.
pub(crate) fn copy<T: Copy>(from: &[T], to: &mut [T]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}
