//! Bags of rows in groups of sixteen columns: up to 64 columns in one pass over the ids, 128 with AVX-512,
//! whatever their number.
//!
//! A row that is no multiple of a block would be taken in blocks of 32, 16, 8, 4 and 1 columns, each over the
//! whole bag. Here the last group is that of the last sixteen columns, some of which it has in common with the
//! one before. Of packed rows, of two integers a byte, and of those below sixteen columns, it holds what
//! follows the row, which is left out when the sums are stored. A row so near the end of the table that this
//! cannot be read is *late*: a bag with one is summed in [blocks](super::blocks). Rows of `f32` below sixteen
//! columns are summed by their [ends](super::ends). Each column is the same serial sum.

use super::Columns;
use super::ends::Ends;
use super::sums::{COLUMNS, Ids, PASS, Sums, sum_columns, takes_groups};
use crate::simd::{CACHE_LINE, LANES, Lanes, Level, LevelLanes};
use crate::table::{Format, Index, Policy, RowFormat, Scale, Table};
use core::ops::Range;

/// How the bags of a table are summed in groups.
pub(super) struct InGroups<'a, F: Format, I, P> {
    table: Table<'a, F>,
    level: Level,
    /// For the columns before the last ones.
    passes: Passes<F, I, P>,
    before_last: usize,
    /// At most as many columns as the widest pass has, in one pass, too.
    last: Columns<'a, F>,
    sum_last: Way<F, I, P>,
}

impl<'a, F: Format, I: Index, P: Policy> InGroups<'a, F, I, P> {
    /// `None` where a level takes no groups.
    #[inline(always)]
    pub(super) fn new<const PREFETCH: bool, L: LevelLanes>(
        lanes: L,
        table: Table<'a, F>,
        weighted: bool,
    ) -> Option<Self> {
        if !takes_groups::<L>(PASS) {
            return None;
        }
        let (dim, widest) = (table.dim(), if takes_groups::<L>(2 * PASS) { 2 * COLUMNS } else { COLUMNS });
        let last = match dim % widest {
            0 => widest.min(dim),
            rest => (rest - 1) % COLUMNS + 1,
        };
        let (passes, sum_last) = if weighted {
            (passes::<PREFETCH, true, L, _, _, _>(), way_to_last::<PREFETCH, true, _, _, _>(last))
        } else {
            (passes::<PREFETCH, false, L, _, _, _>(), way_to_last::<PREFETCH, false, _, _, _>(last))
        };
        let before_last = dim - last;
        let last = Columns::new(table, before_last);
        Some(Self { table, level: lanes.level(), passes, before_last, last, sum_last })
    }

    /// The sums of a bag. False where one of its rows is late: the sums are then wrong.
    #[inline(always)]
    pub(super) fn sum(&self, ids: &Ids<'_, I, P>, bag: Range<usize>, to: &mut [f32]) -> bool {
        let Some((mut rest, last)) = to.split_at_mut_checked(self.before_last) else { return false };
        let (mut column, mut read_all) = (0, true);
        for (width, sum) in self.passes {
            while let Some(block) = rest.split_off_mut(..width) {
                read_all &= sum(self.level, &Columns::new(self.table, column), ids, bag.clone(), block);
                column += width;
            }
        }
        read_all & (self.sum_last)(self.level, &self.last, ids, bag, last)
    }
}

/// [`sum_columns`] in one way.
type Way<F, I, P> = fn(Level, &Columns<'_, F>, &Ids<'_, I, P>, Range<usize>, &mut [f32]) -> bool;

/// What captures nothing is a `fn`. The value only names its type, as [`sum_columns`] takes it from arguments.
#[inline(always)]
fn way<S: Sums, F: Format, I: Index, P: Policy>(_: S) -> Way<F, I, P> {
    |level, columns, ids, bag, to| sum_columns(level, S::default(), columns, ids, bag, to)
}

/// How many columns are summed in one pass, and how; the most first.
type Passes<F, I, P> = [(usize, Way<F, I, P>); 2];

/// Where there is one width it stands twice, and the second finds no columns left.
#[inline(always)]
fn passes<const PREFETCH: bool, const WEIGHTED: bool, L: Lanes, F: Format, I: Index, P: Policy>()
-> Passes<F, I, P> {
    let pass = (COLUMNS, way(Groups::<PASS, PREFETCH, WEIGHTED>));
    if takes_groups::<L>(2 * PASS) {
        [(2 * COLUMNS, way(Groups::<{ 2 * PASS }, PREFETCH, WEIGHTED>)), pass]
    } else {
        [pass; 2]
    }
}

/// The way to the sums of so many columns.
#[inline(always)]
fn way_to_last<const PREFETCH: bool, const WEIGHTED: bool, F: Format, I: Index, P: Policy>(
    columns: usize,
) -> Way<F, I, P> {
    match (columns, F::ROW_FORMAT) {
        (1, RowFormat::F32) => way(Ends::<1, PREFETCH, WEIGHTED>),
        (2..4, RowFormat::F32) => way(Ends::<2, PREFETCH, WEIGHTED>),
        (4..8, RowFormat::F32) => way(Ends::<4, PREFETCH, WEIGHTED>),
        (8..16, RowFormat::F32) => way(Ends::<8, PREFETCH, WEIGHTED>),
        (..=16, _) => way(Groups::<1, PREFETCH, WEIGHTED>),
        (..=32, _) => way(Groups::<2, PREFETCH, WEIGHTED>),
        (..=48, _) => way(Groups::<3, PREFETCH, WEIGHTED>),
        (..=COLUMNS, _) => way(Groups::<PASS, PREFETCH, WEIGHTED>),
        _ => way(Groups::<{ 2 * PASS }, PREFETCH, WEIGHTED>),
    }
}

/// As many groups; asked for ahead or not, with weights or without.
#[derive(Clone, Copy, Default)]
struct Groups<const GROUPS: usize, const PREFETCH: bool, const WEIGHTED: bool>;

impl<const GROUPS: usize, const PREFETCH: bool, const WEIGHTED: bool> Sums
    for Groups<GROUPS, PREFETCH, WEIGHTED>
{
    const GROUPS: usize = GROUPS;

    #[inline(always)]
    fn sum<L: Lanes, F: Format, I: Index, P: Policy>(
        self,
        lanes: L,
        columns: &Columns<'_, F>,
        ids: &Ids<'_, I, P>,
        bag: Range<usize>,
        to: &mut [f32],
    ) -> bool {
        if F::SCALE_AND_BIAS > 0 {
            Self::sum_packed(lanes, columns, ids, bag, to)
        } else if to.len() == GROUPS * LANES {
            Self::sum_numbers::<false, _, _, _, _>(lanes, columns, ids, bag, to)
        } else {
            Self::sum_numbers::<true, _, _, _, _>(lanes, columns, ids, bag, to)
        }
    }
}

impl<const GROUPS: usize, const PREFETCH: bool, const WEIGHTED: bool> Groups<GROUPS, PREFETCH, WEIGHTED> {
    /// Of rows without scale and bias. The last group may be a `PART` of one.
    #[inline(always)]
    fn sum_numbers<const PART: bool, L: Lanes, F: Format, I: Index, P: Policy>(
        lanes: L,
        columns: &Columns<'_, F>,
        ids: &Ids<'_, I, P>,
        bag: Range<usize>,
        to: &mut [f32],
    ) -> bool {
        let width = if PART { to.len() } else { GROUPS * LANES };
        // This never happens. It tells the compiler that the groups before the last one are whole.
        if width <= (GROUPS - 1) * LANES {
            return false;
        }
        // The last of several groups is that of the last columns, some of which it has in common with the one
        // before.
        let overlaps = PART && GROUPS > 1 && F::NUMBERS == 1;
        let last = if overlaps { width - LANES } else { (GROUPS - 1) * LANES };
        let read = if overlaps { width } else { GROUPS * LANES / F::NUMBERS };
        // The last element is asked for by itself: for half a group more that is enough.
        let groups = if (width - 1) % LANES < LANES / 2 { (GROUPS - 1).max(1) } else { GROUPS };
        let asked = groups * LANES / F::NUMBERS;
        let (mut sums, mut read_all) = ([lanes.splat(0.0); GROUPS], true);
        ids.each::<PREFETCH, WEIGHTED>(
            bag,
            #[inline(always)]
            |row, weight, ahead| {
                if PART {
                    columns.prefetch_ends(ahead, asked, (width - 1) / F::NUMBERS);
                } else {
                    columns.prefetch(GROUPS * LANES, ahead);
                }
                let Some(row) = row else { return };
                if let Some(numbers) = columns.elements(row, read) {
                    add_numbers::<_, _, F>(lanes, &mut sums, weight, numbers, last);
                } else {
                    read_all = false;
                }
            },
        );
        store(
            lanes,
            to,
            sums,
            last,
            #[inline(always)]
            |sum| {
                let scale = columns.table_scale();
                if F::Scale::IS_ONE { lanes.mul(sum, lanes.splat(scale)) } else { sum }
            },
        );
        read_all
    }

    /// Of packed rows.
    #[inline(always)]
    fn sum_packed<L: Lanes, F: Format, I: Index, P: Policy>(
        lanes: L,
        columns: &Columns<'_, F>,
        ids: &Ids<'_, I, P>,
        bag: Range<usize>,
        to: &mut [f32],
    ) -> bool {
        let (mut sums, mut bias_sum, mut read_all) = ([lanes.splat(0.0); GROUPS], 0.0, true);
        let end = columns.end();
        let read = GROUPS * LANES / F::NUMBERS;
        let needed = (end + F::SCALE_AND_BIAS).max(read);
        // The last line is that of the bias, or of the next pass.
        let asked = read.saturating_sub(CACHE_LINE - 1).max(1);
        ids.each::<PREFETCH, WEIGHTED>(
            bag,
            #[inline(always)]
            |row, weight, ahead| {
                // Each pass for itself: to ask for all of a wide row at first took up to twice as long.
                columns.prefetch_ends(ahead, asked, end + F::SCALE_AND_BIAS - 1);
                let Some(row) = row else { return };
                if let Some(elements) = columns.elements(row, needed) {
                    bias_sum += add_packed::<_, _, F>(lanes, &mut sums, weight, elements, end);
                } else {
                    read_all = false;
                }
            },
        );
        F::order_groups(lanes, &mut sums);
        store(
            lanes,
            to,
            sums,
            (GROUPS - 1) * LANES,
            #[inline(always)]
            |sum| lanes.add(sum, lanes.splat(bias_sum)),
        );
        read_all
    }
}

/// sums + weight · x for groups of the row that starts with `numbers`, whose last group starts at `last`.
#[inline(always)]
fn add_numbers<const GROUPS: usize, L: Lanes, F: Format>(
    lanes: L,
    sums: &mut [L::V; GROUPS],
    weight: Option<f32>,
    numbers: &[F::Element],
    last: usize,
) {
    for (sum, group) in sums.iter_mut().zip(0..) {
        let column = if group + 1 < GROUPS { group * LANES } else { last };
        let Some(from) = numbers.get(column / F::NUMBERS..) else { return };
        let Some(x) = F::block::<L, LANES>(lanes, from, 0, 1.0) else { return };
        let x = lanes.load(&x);
        *sum = match weight {
            None => lanes.add(*sum, x),
            Some(weight) => lanes.add(*sum, lanes.mul(lanes.splat(weight), x)),
        };
    }
}

/// sums + weight · scale · q for groups of the row that starts with `codes`, whose scale and bias stand at
/// `end`. Returns the bias.
#[inline(always)]
fn add_packed<const GROUPS: usize, L: Lanes, F: Format>(
    lanes: L,
    sums: &mut [L::V; GROUPS],
    weight: Option<f32>,
    codes: &[F::Element],
    end: usize,
) -> f32 {
    let scale_and_bias = codes.get(end..).and_then(|end| F::scale_and_bias(lanes, end));
    let Some((scale, bias)) = scale_and_bias else { return 0.0 };
    if let Some(weight) = weight {
        F::add_groups(lanes, sums, scale * weight, codes);
        bias * weight
    } else {
        F::add_groups(lanes, sums, scale, codes);
        bias
    }
}

/// Writes what `finish` makes of the sums, for the columns that `to` has: of the last group those from `last`
/// on.
#[inline(always)]
fn store<const GROUPS: usize, L: Lanes>(
    lanes: L,
    to: &mut [f32],
    sums: [L::V; GROUPS],
    last: usize,
    finish: impl Fn(L::V) -> L::V,
) {
    if let Some(groups) = to.as_chunks_mut().0.first_chunk_mut::<GROUPS>() {
        for (group, sum) in groups.iter_mut().zip(sums) {
            lanes.store(finish(sum), group);
        }
        return;
    }
    for (sum, group) in sums.into_iter().zip(0..) {
        let start = if group + 1 < GROUPS { group * LANES } else { last };
        let Some(columns) = to.get_mut(start..) else { return };
        match columns.first_chunk_mut() {
            Some(group) => lanes.store(finish(sum), group),
            None => lanes.store_part(finish(sum), columns),
        }
    }
}
