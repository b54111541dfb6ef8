//! The plane in which rows differ most: their first two principal components.

/// Rounds of the power iteration of a component, at most. Where two components are of one strength it does not settle,
/// and any direction between them is as good.
const ROUNDS: usize = 2000;

/// A change of direction that is none.
const STILL: f64 = 1e-12;

/// The square of what rounding leaves of a row that should be zero.
const ROUNDING: f64 = 1e-24;

/// Rows in a plane.
#[derive(Clone, Debug)]
pub(crate) struct Projection {
    pub(crate) places: Vec<[f64; 2]>,
    /// The part of the variance that each axis shows.
    pub(crate) shares: [f64; 2],
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// a ← a + factor · b.
fn add(a: &mut [f64], factor: f64, b: &[f64]) {
    for (a, b) in a.iter_mut().zip(b) {
        *a += factor * b;
    }
}

/// Scales a vector to length 1; tells whether it has a direction.
fn normalise(a: &mut [f64]) -> bool {
    let length = dot(a, a).sqrt();
    if length > 0.0 {
        for x in a.iter_mut() {
            *x /= length;
        }
    }
    length > 0.0
}

/// The direction in which centred rows differ most, at a right angle to one that is known: the limit of
/// v ← XᵀX v / |XᵀX v|. Of its two senses that in which its largest number is positive.
fn component(rows: &[Vec<f64>], dim: usize, known: Option<&[f64]>) -> Vec<f64> {
    let turn = |v: &mut Vec<f64>| {
        if let Some(known) = known {
            let along = dot(v, known);
            add(v, -along, known);
        }
    };
    let (mut all, mut left) = (0.0, 0.0);
    for row in rows {
        all += dot(row, row);
        let mut row = row.clone();
        turn(&mut row);
        left += dot(&row, &row);
    }
    // What rounding left of rows on a line has no direction.
    if left <= ROUNDING * all {
        return vec![0.0; dim];
    }
    // Numbers without a pattern, always the same: no row or sum of rows, which may be at a right angle to it.
    let mut state = 1_u32;
    let mut number = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state) / f64::from(u32::MAX) - 0.5
    };
    let mut v: Vec<f64> = (0..dim).map(|_| number()).collect();
    turn(&mut v);
    normalise(&mut v);
    for _ in 0..ROUNDS {
        let mut next = vec![0.0; dim];
        for row in rows {
            add(&mut next, dot(row, &v), row);
        }
        turn(&mut next);
        if !normalise(&mut next) {
            break;
        }
        let change = next.iter().zip(&v).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        v = next;
        if change < STILL {
            break;
        }
    }
    let largest = v.iter().copied().fold(0.0, |most: f64, x| if x.abs() > most.abs() { x } else { most });
    if largest < 0.0 {
        for x in &mut v {
            *x = -*x;
        }
    }
    v
}

impl Projection {
    /// Of rows of `dim` numbers. The same rows give the same bits.
    ///
    /// # Cost
    /// At most 4000 times that of reading the rows.
    pub(crate) fn of(rows: &[Vec<f32>], dim: usize) -> Self {
        let count = rows.len().max(1) as f64;
        let mut mean = vec![0.0; dim];
        let mut rows: Vec<Vec<f64>> =
            rows.iter().map(|row| row.iter().copied().map(f64::from).collect()).collect();
        for row in &rows {
            add(&mut mean, 1.0 / count, row);
        }
        for row in &mut rows {
            add(row, -1.0, &mean);
        }
        let first = component(&rows, dim, None);
        let second = component(&rows, dim, Some(&first));
        let all: f64 = rows.iter().map(|row| dot(row, row)).sum();
        let share = |axis: &[f64]| {
            let along: f64 = rows.iter().map(|row| dot(row, axis) * dot(row, axis)).sum();
            if all > 0.0 { along / all } else { 0.0 }
        };
        let shares = [share(&first), share(&second)];
        let places = rows.iter().map(|row| [dot(row, &first), dot(row, &second)]).collect();
        Self { places, shares }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows with known principal components: three orthogonal directions of dim 4, of standard deviations 3, 2 and 1.
    fn rows() -> Vec<Vec<f32>> {
        let axes = [[0.5, 0.5, 0.5, 0.5], [0.5, -0.5, 0.5, -0.5], [0.5, 0.5, -0.5, -0.5]];
        let mut rows = Vec::new();
        for signs in 0..8_u8 {
            let mut row = vec![10.0, -3.0, 0.0, 1.0];
            for (axis, (numbers, length)) in axes.iter().zip([3.0, 2.0, 1.0]).enumerate() {
                let sign = if signs >> axis & 1 == 1 { 1.0 } else { -1.0 };
                for (x, number) in row.iter_mut().zip(numbers) {
                    *x += sign * length * number;
                }
            }
            rows.push(row);
        }
        rows
    }

    #[test]
    fn known_components_are_found() {
        let found = Projection::of(&rows(), 4);
        for (share, expected) in found.shares.iter().zip([9.0 / 14.0, 4.0 / 14.0]) {
            assert!((share - expected).abs() < 1e-9, "{share} and not {expected}");
        }
        for (signs, [x, y]) in found.places.iter().enumerate() {
            // Of four equal numbers any may be the largest, so either sense is right: the same for all rows.
            let (a, b) = (found.places[7][0].signum(), found.places[7][1].signum());
            let sign = |bit: usize| if signs >> bit & 1 == 1 { 1.0 } else { -1.0 };
            assert!((x - 3.0 * a * sign(0)).abs() < 1e-6, "{x}");
            assert!((y - 2.0 * b * sign(1)).abs() < 1e-6, "{y}");
        }
    }

    #[test]
    fn no_other_plane_shows_more() {
        // Against all planes of two of many directions at right angles.
        let mut state = 7_u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (f64::from(state >> 8) / f64::from(1 << 24) - 0.5) as f32
        };
        let rows: Vec<Vec<f32>> =
            (0..30).map(|_| (0..6).map(|i| (6 - i) as f32 * random()).collect()).collect();
        let found = Projection::of(&rows, 6);
        let most: f64 = found.shares.iter().sum();
        assert!(most < 1.0 && found.shares[0] >= found.shares[1]);
        let mean: Vec<f64> =
            (0..6).map(|i| rows.iter().map(|row| f64::from(row[i])).sum::<f64>() / 30.0).collect();
        let centred: Vec<Vec<f64>> = rows
            .iter()
            .map(|row| row.iter().zip(&mean).map(|(x, mean)| f64::from(*x) - mean).collect())
            .collect();
        let all: f64 = centred.iter().map(|row| dot(row, row)).sum();
        for _ in 0..2000 {
            let mut direction = || (0..6).map(|_| f64::from(random())).collect::<Vec<f64>>();
            let (mut a, mut b) = (direction(), direction());
            assert!(normalise(&mut a));
            let along = dot(&a, &b);
            add(&mut b, -along, &a);
            assert!(normalise(&mut b));
            let shown: f64 =
                centred.iter().map(|row| dot(row, &a) * dot(row, &a) + dot(row, &b) * dot(row, &b)).sum();
            assert!(shown / all <= most + 1e-12);
        }
    }

    #[test]
    fn rows_of_special_forms() {
        for rows in [vec![vec![1.0_f32, 2.0]; 3], vec![vec![0.0; 2]], Vec::new()] {
            let found = Projection::of(&rows, 2);
            assert_eq!((found.places.len(), found.shares), (rows.len(), [0.0, 0.0]));
            assert!(found.places.iter().flatten().all(|x| *x == 0.0));
        }
        // The longest rows are at a right angle to the direction in which most rows differ.
        let mut cross: Vec<Vec<f32>> =
            (0..100).map(|i| vec![if i % 2 == 0 { 1.0 } else { -1.0 }, 0.0]).collect();
        cross.extend([vec![0.0, 3.0], vec![0.0, -3.0]]);
        let found = Projection::of(&cross, 2);
        assert!((found.shares[0] - 100.0 / 118.0).abs() < 1e-9, "{:?}", found.shares);
        // On a line.
        let line = Projection::of(&[vec![0.0, 0.0], vec![1.0, 1.0], vec![3.0, 3.0]], 2);
        assert!((line.shares[0] - 1.0).abs() < 1e-12 && line.shares[1].abs() < 1e-12);
    }
}
