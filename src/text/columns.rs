//! Columns of a table, each of which gives a row of one table of embeddings.

use super::{PipelineError, decimal};
use crate::memory::padding;
use core::cmp::Ordering;

/// Bytes before the numbers of a column: kind, bytes of its name, values, bytes of the names of categories.
const HEADER: usize = 12;

const CATEGORIES: u16 = 1;
const THRESHOLDS: u16 = 2;

/// How the fields of a row become ids: each column has rows of its own in one table.
///
/// ```text
/// rows of a column of n categories     unknown or empty | category 0 | .. | category n - 1
/// rows of a column of n thresholds     empty or NaN | below threshold 0 | .. | from threshold n - 1 on
/// id = the first row of the column + which of these it is;  row 0 of the table is padding
/// ```
///
/// So a row of fields is a bag of as many ids as there are columns, for an `EmbeddingBag`, or a sequence of
/// them, for an `Embedding` and a `Flatten`. Categories are compared by their bytes.
///
#[cfg_attr(feature = "alloc", doc = "```")]
#[cfg_attr(not(feature = "alloc"), doc = "```ignore")]
/// use nanoembed::text::{Columns, Pipeline};
/// let mut bytes = Vec::new();
/// Columns::append_categories(&mut bytes, "sky", &["clear", "cloudy"])?;
/// Columns::append_thresholds(&mut bytes, "degrees", &[0.0, 20.5])?;
/// let columns = Columns::read(&bytes, 2)?;
/// // Row 0, three rows of the sky, four of the degrees.
/// assert_eq!(columns.rows(), 1 + 3 + 4);
///
/// let mut both = columns.iter();
/// let (sky, degrees) = (both.next().unwrap(), both.next().unwrap());
/// assert_eq!([sky.category("clear"), sky.category("cloudy"), sky.category("odd")], [2, 3, 1]);
/// assert_eq!([-3.0, 0.0, 20.5, f32::NAN].map(|x| degrees.number(x)), [5, 6, 7, 4]);
///
/// // As a way from text to ids, which the image of a model holds.
/// let mut ids = [0; 2];
/// Pipeline::columns(columns)?.encode_into("cloudy\t17", &mut ids)?;
/// assert_eq!(ids, [3, 6]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # The bytes
/// Those of the columns, one after the other. Numbers are little-endian.
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | u16 | kind: 1 categories, 2 thresholds |
/// | 2 | u16 | bytes of the name |
/// | 4 | u32 | number of values n |
/// | 8 | u32 | bytes of the names of all categories; 0 for thresholds |
/// | 12 | n × u32 or f32 | where the name of each category ends; or the thresholds, finite and ascending |
/// | | | the name, then the names of the categories, ascending, in UTF-8; zeros up to a multiple of 4 |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns<'a> {
    bytes: &'a [u8],
    count: u32,
    /// Rows of the table.
    rows: u32,
}

/// One of several [`Columns`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column<'a> {
    name: &'a [u8],
    first: u32,
    values: Values<'a>,
}

/// What a column tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Values<'a> {
    /// Where each name ends, and the names.
    Categories {
        ends: &'a [[u8; 4]],
        names: &'a [u8],
    },
    Thresholds(&'a [[u8; 4]]),
}

impl<'a> Columns<'a> {
    /// The columns that lie in `bytes`, which are `columns` in number. Cost: O(bytes).
    ///
    /// # Errors
    /// If there are more or fewer bytes, if a name is not UTF-8, if categories or thresholds do not ascend,
    /// if a threshold is not finite, or if the columns have 2^32 rows or more.
    pub fn read(bytes: &'a [u8], columns: u32) -> Result<Self, PipelineError> {
        let (mut rest, mut rows) = (bytes, 1_u32);
        for column in 0..columns {
            let (read, behind) = Column::cut(rest, rows)?;
            read.check(column)?;
            let allowed = "below 2^32";
            let too_many = PipelineError::Field { field: "rows of the columns", allowed, found: 1 << 32 };
            rows = read.first.checked_add(read.rows()).ok_or(too_many)?;
            rest = behind;
        }
        if !rest.is_empty() {
            let (found, expected) = (bytes.len(), bytes.len().saturating_sub(rest.len()));
            return Err(PipelineError::Length { field: "bytes of the columns", expected, found });
        }
        Ok(Self { bytes, count: columns, rows })
    }

    /// How many columns there are.
    #[inline]
    pub const fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there is no column.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Rows of the table that the ids are for, with row 0: ids are below it.
    #[inline]
    pub const fn rows(&self) -> u32 {
        self.rows
    }

    /// The columns, in the order in which a row has their fields.
    pub fn iter(&self) -> impl Iterator<Item = Column<'a>> + Clone + use<'a> {
        let (mut rest, mut first) = (self.bytes, 1_u32);
        (0..self.count).map_while(move |_| {
            let (read, behind) = Column::cut(rest, first).ok()?;
            rest = behind;
            first = first.saturating_add(read.rows());
            Some(read)
        })
    }

    /// Shows the id of each column for the fields of a row, which `split` divides; those that lack are empty.
    pub(super) fn ids(&self, row: &str, split: &str, visit: &mut dyn FnMut(u32)) {
        let mut rest = Some(row);
        for column in self.iter() {
            let (field, behind) = rest.map_or(("", None), |row| first_field(row, split));
            rest = behind;
            visit(column.field(field));
        }
    }

    pub(super) const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Appends a column of categories to the bytes of columns.
    ///
    /// # Errors
    /// If the categories do not ascend, as `str` is ordered, or a name is too long; nothing is appended then.
    #[cfg(feature = "alloc")]
    pub fn append_categories(
        bytes: &mut alloc::vec::Vec<u8>,
        name: &str,
        categories: &[&str],
    ) -> Result<(), PipelineError> {
        let mut end = 0_usize;
        let ends = categories.iter().map(|category| {
            end = end.saturating_add(category.len());
            (end as u32).to_le_bytes()
        });
        let numbers: alloc::vec::Vec<[u8; 4]> = ends.collect();
        Self::append(bytes, CATEGORIES, name, &numbers, &categories.concat())
    }

    /// Appends a column of numbers, which these thresholds divide, to the bytes of columns.
    ///
    /// # Errors
    /// If the thresholds are not finite or do not ascend, or the name is too long; nothing is appended then.
    #[cfg(feature = "alloc")]
    pub fn append_thresholds(
        bytes: &mut alloc::vec::Vec<u8>,
        name: &str,
        thresholds: &[f32],
    ) -> Result<(), PipelineError> {
        let numbers: alloc::vec::Vec<[u8; 4]> = thresholds.iter().map(|x| x.to_le_bytes()).collect();
        Self::append(bytes, THRESHOLDS, name, &numbers, "")
    }

    #[cfg(feature = "alloc")]
    fn append(
        bytes: &mut alloc::vec::Vec<u8>,
        kind: u16,
        name: &str,
        numbers: &[[u8; 4]],
        names: &str,
    ) -> Result<(), PipelineError> {
        let too_long = |field, found: usize| {
            let allowed = "below 2^16 for a name, below 2^32 for all";
            PipelineError::Field { field, allowed, found: found as u64 }
        };
        let of_name = u16::try_from(name.len()).map_err(|_| too_long("bytes of a name", name.len()))?;
        let count = u32::try_from(numbers.len()).map_err(|_| too_long("values", numbers.len()))?;
        let of_names = u32::try_from(names.len()).map_err(|_| too_long("bytes of names", names.len()))?;
        let mut column = alloc::vec::Vec::new();
        column.extend(kind.to_le_bytes());
        column.extend(of_name.to_le_bytes());
        column.extend(count.to_le_bytes());
        column.extend(of_names.to_le_bytes());
        column.extend(numbers.as_flattened());
        column.extend(name.as_bytes());
        column.extend(names.as_bytes());
        column.extend(padding(column.len()));
        // What cannot be read is not written.
        Column::cut(&column, 1)?.0.check(0)?;
        bytes.extend(column);
        Ok(())
    }
}

/// What stands before the first `split`, and what stands behind it. The standard library's search can panic.
fn first_field<'t>(row: &'t str, split: &str) -> (&'t str, Option<&'t str>) {
    let is_here =
        |at: &usize| row.as_bytes().get(*at..).is_some_and(|rest| rest.starts_with(split.as_bytes()));
    match (0..row.len()).find(is_here) {
        Some(at) => (row.get(..at).unwrap_or_default(), row.get(at.saturating_add(split.len())..)),
        None => (row, None),
    }
}

/// A number of a header.
fn number<const N: usize>(bytes: &[u8]) -> Option<([u8; N], &[u8])> {
    bytes.split_first_chunk().map(|(number, rest)| (*number, rest))
}

impl<'a> Column<'a> {
    /// The first column of `bytes`, whose first row is `first`, and the bytes behind it; its values are not
    /// looked at.
    fn cut(bytes: &'a [u8], first: u32) -> Result<(Self, &'a [u8]), PipelineError> {
        let short = |expected: usize| PipelineError::Length {
            field: "bytes of the columns from one of them on",
            expected,
            found: bytes.len(),
        };
        let header = || {
            let (kind, rest) = number(bytes)?;
            let (of_name, rest) = number(rest)?;
            let (count, rest) = number(rest)?;
            let (of_names, rest) = number(rest)?;
            let sizes =
                [u16::from_le_bytes(of_name).into(), u32::from_le_bytes(count), u32::from_le_bytes(of_names)];
            Some((u16::from_le_bytes(kind), sizes, rest))
        };
        let (kind, [of_name, count, of_names], rest) = header().ok_or(short(HEADER))?;
        let text = (of_name as usize).saturating_add(of_names as usize);
        let numbers = (count as usize).saturating_mul(4);
        let size = HEADER.saturating_add(numbers).saturating_add(text).saturating_add(padding(text).len());
        let parts = || {
            let (numbers, rest) = rest.split_at_checked(numbers)?;
            let (name, rest) = rest.split_at_checked(of_name as usize)?;
            let (names, rest) = rest.split_at_checked(of_names as usize)?;
            let (zeros, rest) = rest.split_at_checked(padding(text).len())?;
            Some((numbers.as_chunks().0, name, names, zeros, rest))
        };
        let (numbers, name, names, zeros, rest) = parts().ok_or(short(size))?;
        let wrong = |field, allowed, found| PipelineError::Field { field, allowed, found };
        let values = match kind {
            CATEGORIES => Values::Categories { ends: numbers, names },
            THRESHOLDS if of_names == 0 => Values::Thresholds(numbers),
            THRESHOLDS => return Err(wrong("bytes of names of thresholds", "0", of_names.into())),
            _ => return Err(wrong("kind of a column", "1 (categories) or 2 (thresholds)", kind.into())),
        };
        if let Some(byte) = zeros.iter().find(|byte| **byte != 0) {
            return Err(wrong("bytes behind a column", "0", (*byte).into()));
        }
        Ok((Self { name, first, values }, rest))
    }

    /// An error unless the names are text and the values ascend.
    fn check(&self, column: u32) -> Result<(), PipelineError> {
        let utf8 =
            |field, text| core::str::from_utf8(text).map(drop).map_err(|_| PipelineError::NotUtf8 { field });
        utf8("name of a column", self.name)?;
        let ascends = match self.values {
            Values::Categories { ends, names } => {
                utf8("categories of a column", names)?;
                let mut before = None;
                let all = (0..ends.len()).all(|number| {
                    let category =
                        self.values.category(number).filter(|name| core::str::from_utf8(name).is_ok());
                    let ascends = category.is_some() && category > before;
                    before = category;
                    ascends
                });
                let end = ends.last().map_or(0, |end| u32::from_le_bytes(*end));
                all && end as usize == names.len()
            }
            Values::Thresholds(thresholds) => {
                let mut before = f32::NEG_INFINITY;
                thresholds.iter().all(|bytes| {
                    let threshold = f32::from_le_bytes(*bytes);
                    let ascends = threshold > before && threshold < f32::INFINITY;
                    before = threshold;
                    ascends
                })
            }
        };
        let allowed = "ascending, none twice, and finite";
        let error =
            PipelineError::Field { field: "values of a column (its number)", allowed, found: column.into() };
        if ascends { Ok(()) } else { Err(error) }
    }

    /// The name of the column.
    #[inline]
    pub fn name(&self) -> &'a str {
        core::str::from_utf8(self.name).unwrap_or_default()
    }

    /// The row of the table for what is empty or unknown.
    #[inline]
    pub const fn first(&self) -> u32 {
        self.first
    }

    /// How many rows of the table the column has.
    pub const fn rows(&self) -> u32 {
        match self.values {
            Values::Categories { ends, .. } => (ends.len() as u32).saturating_add(1),
            Values::Thresholds(thresholds) => (thresholds.len() as u32).saturating_add(2),
        }
    }

    /// Whether the column has thresholds: its fields are numbers.
    #[inline]
    pub const fn is_numeric(&self) -> bool {
        matches!(self.values, Values::Thresholds(_))
    }

    /// The names of the categories, by ascending bytes; none of a column of numbers.
    pub fn categories(&self) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        let values = self.values;
        (0..).map_while(move |category| core::str::from_utf8(values.category(category)?).ok())
    }

    /// The thresholds, ascending; none of a column of categories.
    pub fn thresholds(&self) -> impl Iterator<Item = f32> + Clone + use<'a> {
        let thresholds = match self.values {
            Values::Thresholds(thresholds) => thresholds,
            Values::Categories { .. } => &[],
        };
        thresholds.iter().map(|bytes| f32::from_le_bytes(*bytes))
    }

    /// The row of a category; [`first`](Self::first) if it is unknown. Cost: O(log categories) comparisons.
    pub fn category(&self, category: &str) -> u32 {
        let Values::Categories { ends, .. } = self.values else { return self.first };
        let (mut low, mut high) = (0, ends.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.values.category(middle).map(|found| found.cmp(category.as_bytes())) {
                Some(Ordering::Less) => low = middle.saturating_add(1),
                Some(Ordering::Equal) => return self.first.saturating_add(middle as u32).saturating_add(1),
                _ => high = middle,
            }
        }
        self.first
    }

    /// The row of a number: that of how many thresholds are not above it; [`first`](Self::first) for NaN.
    /// Cost: O(log thresholds).
    pub fn number(&self, x: f32) -> u32 {
        let Values::Thresholds(thresholds) = self.values else { return self.first };
        if x.is_nan() {
            return self.first;
        }
        let below = thresholds.partition_point(|threshold| f32::from_le_bytes(*threshold) <= x);
        self.first.saturating_add(below as u32).saturating_add(1)
    }

    /// The row of a field of text, without the white space of ASCII around it: a category, or a number in a
    /// form that `f32` reads in Rust. What is empty, unknown or no number has the row [`first`](Self::first).
    ///
    /// Numbers of up to 7 digits are rounded as there, others may be a few units in the last place apart;
    /// they are the same on every processor.
    pub fn field(&self, field: &str) -> u32 {
        let field = field.trim_ascii();
        match self.values {
            Values::Categories { .. } => self.category(field),
            Values::Thresholds(_) => self.number(decimal::parse(field).unwrap_or(f32::NAN)),
        }
    }
}

impl<'a> Values<'a> {
    /// The name of a category.
    fn category(self, number: usize) -> Option<&'a [u8]> {
        let Self::Categories { ends, names } = self else { return None };
        let end = u32::from_le_bytes(*ends.get(number)?) as usize;
        let start = match number.checked_sub(1) {
            Some(before) => u32::from_le_bytes(*ends.get(before)?) as usize,
            None => 0,
        };
        names.get(start..end)
    }
}
