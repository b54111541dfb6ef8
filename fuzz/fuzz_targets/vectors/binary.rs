//! word2vec's binary file: as those of any kind; a file of plain words is read as a naive reader reads it.

#![no_main]

mod rows;

use libfuzzer_sys::fuzz_target;
use nanoembed::vectors::BinaryVectors;
use rows::{Rows, check, rows};

/// A header, then words of small letters, each with a blank, numbers and a line feed behind it: what the C tool writes.
fn naive(data: &[u8]) -> Option<Rows> {
    let end = data.iter().position(|byte| *byte == b'\n')?;
    let (count, dim) = std::str::from_utf8(&data[..end]).ok()?.split_once(' ')?;
    let is_plain =
        |number: &str| number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
    if !is_plain(count) || !is_plain(dim) {
        return None;
    }
    let (count, dim): (usize, usize) = (count.parse().ok()?, dim.parse().ok()?);
    let (mut rest, mut rows) = (&data[end + 1..], Rows::new());
    while !rest.is_empty() {
        let space = rest.iter().position(|byte| *byte == b' ')?;
        let (word, numbers) = (&rest[..space], rest.get(space + 1..)?.get(..dim.checked_mul(4)?)?);
        let numbers: Vec<u32> =
            numbers.chunks(4).map(|x| u32::from_le_bytes(x.try_into().unwrap())).collect();
        let fine = !word.is_empty()
            && word.iter().all(u8::is_ascii_lowercase)
            && numbers.iter().all(|bits| f32::from_bits(*bits).is_finite());
        rows.push((String::from_utf8(word.to_vec()).ok().filter(|_| fine)?, numbers));
        rest = rest[space + 1 + 4 * dim..].strip_prefix(b"\n")?;
    }
    (rows.len() == count).then_some(rows)
}

fuzz_target!(|data: &[u8]| {
    check(data, BinaryVectors::new(data));
    if let Some(expected) = naive(data)
        && let Ok(vectors) = BinaryVectors::new(data)
    {
        let (found, whole) = rows(data, vectors);
        // Rows of few numbers of odd sizes may be taken for words with spaces.
        assert!(!whole || found == expected);
    }
});
