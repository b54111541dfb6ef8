//! Bags of rows in groups of sixteen columns: up to sixty-four columns in one pass over the ids, whatever
//! their number.
//!
//! A row that is no multiple of a block would be taken in blocks of 32, 16, 8, 4 and 1 columns, each over the
//! whole bag. Here the last group is that of the last sixteen columns, some of which it has in common with the
//! one before. Of packed rows, and of those below sixteen columns, it holds what follows the row (`f32` is
//! masked), which is left out when the sums are stored. Each column is the same serial sum.

use super::{Columns, row_ahead};
use crate::simd::{LANES, Lanes, LevelLanes, level_fn};
use crate::table::{BagView, Bags, Format, Index, Policy, Pooling, RowFormat, Scale, Table};

/// Groups of columns that are summed together.
const MOST: usize = 4;

/// Columns of them.
const WIDEST: usize = MOST * LANES;

/// Whether the sums of bags are taken in groups: where the registers hold them all and a part of one can be
/// loaded, but not those of rows that are whole blocks, whose loop is the shorter one.
#[inline(always)]
pub(super) fn in_groups<L: Lanes, F: Format>(dim: usize) -> bool {
    let block = if F::SCALE_AND_BIAS > 0 { WIDEST } else { WIDEST / 2 };
    has_groups::<L>() && (F::NUMBERS == 2 || !dim.is_multiple_of(block))
}

#[inline(always)]
const fn has_groups<L: Lanes>() -> bool {
    L::MAX_BLOCK == WIDEST
}

/// Pools each bag, and says whether none holds a [late row](is_late): the sums of a bag that does are wrong.
#[inline(always)]
pub(super) fn pool_in_groups<
    L: LevelLanes,
    const PREFETCH: bool,
    F: Format,
    I: Index,
    P: Policy,
    O: Index,
>(
    lanes: L,
    table: Table<'_, F>,
    bags: &Bags<'_, I, P, O>,
    pooling: Pooling,
    out: &mut [f32],
) -> bool {
    let level = lanes.level();
    match ((table.dim() - before_last(table.dim())).div_ceil(LANES), bags.weights().is_some()) {
        (0, _) => true,
        (1, false) => pool_case(level, Case::<1, PREFETCH, false>, table, bags, pooling, out),
        (2, false) => pool_case(level, Case::<2, PREFETCH, false>, table, bags, pooling, out),
        (3, false) => pool_case(level, Case::<3, PREFETCH, false>, table, bags, pooling, out),
        (_, false) => pool_case(level, Case::<MOST, PREFETCH, false>, table, bags, pooling, out),
        (1, true) => pool_case(level, Case::<1, PREFETCH, true>, table, bags, pooling, out),
        (2, true) => pool_case(level, Case::<2, PREFETCH, true>, table, bags, pooling, out),
        (3, true) => pool_case(level, Case::<3, PREFETCH, true>, table, bags, pooling, out),
        (_, true) => pool_case(level, Case::<MOST, PREFETCH, true>, table, bags, pooling, out),
    }
}

level_fn! {
    /// A function of its own for each case, which has the registers for its loops alone.
    fn pool_case[C: Pool, F: Format, I: Index, P: Policy, O: Index](
        case: C,
        table: Table<'_, F>,
        bags: &Bags<'_, I, P, O>,
        pooling: Pooling,
        out: &mut [f32]
    ) -> bool = pool_by_case
}

/// Rows that end in `LAST` groups, after blocks of the most; asked for ahead or not, with weights or without.
#[derive(Clone, Copy)]
struct Case<const LAST: usize, const PREFETCH: bool, const WEIGHTED: bool>;

trait Pool: Copy {
    fn pool<L: Lanes, F: Format, I: Index, P: Policy, O: Index>(
        self,
        lanes: L,
        table: Table<'_, F>,
        bags: &Bags<'_, I, P, O>,
        pooling: Pooling,
        out: &mut [f32],
    ) -> bool;
}

#[inline(always)]
fn pool_by_case<L: Lanes, C: Pool, F: Format, I: Index, P: Policy, O: Index>(
    lanes: L,
    case: C,
    table: Table<'_, F>,
    bags: &Bags<'_, I, P, O>,
    pooling: Pooling,
    out: &mut [f32],
) -> bool {
    has_groups::<L>() && case.pool(lanes, table, bags, pooling, out)
}

/// The columns before the last groups: those of the blocks of the most groups.
#[inline(always)]
fn before_last(dim: usize) -> usize {
    dim.saturating_sub(1) / WIDEST * WIDEST
}

/// Whether a row may be so near the end of the table that whole groups of it cannot be read.
#[inline(always)]
pub(super) fn is_late<F: Format>(table: Table<'_, F>, row: usize) -> bool {
    table.starting_at(row * table.stride()).len() < F::row_length(table.dim()) + WIDEST
}

impl<const LAST: usize, const PREFETCH: bool, const WEIGHTED: bool> Pool for Case<LAST, PREFETCH, WEIGHTED> {
    #[inline(always)]
    fn pool<L: Lanes, F: Format, I: Index, P: Policy, O: Index>(
        self,
        lanes: L,
        table: Table<'_, F>,
        bags: &Bags<'_, I, P, O>,
        pooling: Pooling,
        out: &mut [f32],
    ) -> bool {
        let before_last = before_last(table.dim());
        let last_columns = Columns::new(table, before_last);
        let (mut rest, mut read_all) = (out, true);
        for bag in 0..bags.len() {
            let Some(bag) = bags.bag(bag) else { continue };
            let Some((to, after)) = rest.split_at_mut_checked(table.dim()) else { break };
            rest = after;
            let ahead = |position: usize| row_ahead::<PREFETCH, _, _>(bags.indices(), position);
            let Some((wide, last)) = to.split_at_mut_checked(before_last) else { break };
            let mut column = 0;
            for block in wide.as_chunks_mut::<WIDEST>().0 {
                read_all &= sum_columns::<MOST, WEIGHTED, _, _, _, _>(
                    lanes,
                    Columns::new(table, column),
                    &bag,
                    ahead,
                    block,
                );
                column += WIDEST;
            }
            read_all &= sum_columns::<LAST, WEIGHTED, _, _, _, _>(lanes, last_columns, &bag, ahead, last);
            if pooling != Pooling::Sum {
                divide_bag(&bag, pooling, to);
            }
        }
        read_all
    }
}

/// Apart, as the registers are needed for the sums.
#[inline(never)]
fn divide_bag<I: Index, P: Policy>(bag: &BagView<'_, I, P>, pooling: Pooling, to: &mut [f32]) {
    divide(to, bag.divisor(pooling));
}

/// Sums to what the pooling makes of them.
#[inline(always)]
pub(super) fn divide(sums: &mut [f32], divisor: Option<f32>) {
    match divisor {
        None => {}
        Some(0.0) => sums.fill(0.0),
        Some(divisor) => {
            for sum in sums {
                *sum /= divisor;
            }
        }
    }
}

/// The sums of as many columns as `to` has, in the fewest groups that hold them.
#[inline(always)]
fn sum_columns<const GROUPS: usize, const WEIGHTED: bool, L: Lanes, F: Format, I: Index, P: Policy>(
    lanes: L,
    columns: Columns<'_, F>,
    bag: &BagView<'_, I, P>,
    ahead: impl Fn(usize) -> Option<usize>,
    to: &mut [f32],
) -> bool {
    if F::SCALE_AND_BIAS > 0 {
        sum_codes::<GROUPS, WEIGHTED, _, _, _, _>(lanes, columns, bag, ahead, to)
    } else if to.len() == GROUPS * LANES {
        sum_numbers::<GROUPS, false, WEIGHTED, _, _, _, _>(lanes, columns, bag, ahead, to)
    } else {
        sum_numbers::<GROUPS, true, WEIGHTED, _, _, _, _>(lanes, columns, bag, ahead, to)
    }
}

/// Takes the rows of a bag in turn, each with its position and weight.
#[inline(always)]
fn each_row<const WEIGHTED: bool, I: Index, P: Policy>(
    bag: &BagView<'_, I, P>,
    mut take: impl FnMut(usize, usize, Option<f32>),
) {
    let rows = (bag.start()..).zip(bag.indices().iter());
    if WEIGHTED {
        for ((position, row), weight) in rows.zip(bag.weights().unwrap_or_default()) {
            if let Some(row) = row {
                take(position, row, Some(*weight));
            }
        }
    } else {
        for (position, row) in rows {
            if let Some(row) = row {
                take(position, row, None);
            }
        }
    }
}

/// Of rows without scale and bias. The last group may be a `PART` of one.
#[inline(always)]
fn sum_numbers<
    const GROUPS: usize,
    const PART: bool,
    const WEIGHTED: bool,
    L: Lanes,
    F: Format,
    I: Index,
    P: Policy,
>(
    lanes: L,
    columns: Columns<'_, F>,
    bag: &BagView<'_, I, P>,
    ahead: impl Fn(usize) -> Option<usize>,
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
    let is_f32 = matches!(F::ROW_FORMAT, RowFormat::F32);
    let read = if overlaps || is_f32 { width } else { GROUPS * LANES / F::NUMBERS };
    // The last element is asked for by itself: for half a group more that is enough.
    let groups = if (width - 1) % LANES < LANES / 2 { (GROUPS - 1).max(1) } else { GROUPS };
    let asked = groups * LANES / F::NUMBERS;
    let (mut sums, mut read_all) = ([lanes.splat(0.0); GROUPS], true);
    each_row::<WEIGHTED, _, _>(
        bag,
        #[inline(always)]
        |position, row, weight| {
            if PART {
                columns.prefetch_ends(ahead(position), asked, (width - 1) / F::NUMBERS);
            } else {
                columns.prefetch(GROUPS * LANES, ahead(position));
            }
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
        let Some(x) = F::group(lanes, from) else { return };
        *sum = match weight {
            None => lanes.add(*sum, x),
            Some(weight) => lanes.add(*sum, lanes.mul(lanes.splat(weight), x)),
        };
    }
}

/// Of packed rows.
#[inline(always)]
fn sum_codes<const GROUPS: usize, const WEIGHTED: bool, L: Lanes, F: Format, I: Index, P: Policy>(
    lanes: L,
    columns: Columns<'_, F>,
    bag: &BagView<'_, I, P>,
    ahead: impl Fn(usize) -> Option<usize>,
    to: &mut [f32],
) -> bool {
    let (mut sums, mut bias_sum, mut read_all) = ([lanes.splat(0.0); GROUPS], 0.0, true);
    let end = columns.end();
    let read = GROUPS * LANES / F::NUMBERS;
    let needed = (end + F::SCALE_AND_BIAS).max(read);
    each_row::<WEIGHTED, _, _>(
        bag,
        #[inline(always)]
        |position, row, weight| {
            // Each pass for itself: to ask for all of a wide row at first took up to twice as long.
            columns.prefetch_ends(ahead(position), 1, end + F::SCALE_AND_BIAS - 1);
            if let Some(row) = columns.elements(row, needed) {
                bias_sum += add_codes::<_, _, F>(lanes, &mut sums, weight, row, end);
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

/// sums + weight · scale · q for groups of the row that starts with `codes`, whose scale and bias stand at
/// `end`. Returns the bias.
#[inline(always)]
fn add_codes<const GROUPS: usize, L: Lanes, F: Format>(
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
