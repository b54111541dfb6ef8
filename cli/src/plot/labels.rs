//! Where labels go, so that they hide neither points nor each other.

/// Directions from a point to its label: to the right, to the left, up, down, and between.
const DIRECTIONS: [(f64, f64); 16] = [
    (1.0, 0.0),
    (-1.0, 0.0),
    (0.0, -1.0),
    (0.0, 1.0),
    (0.7, -0.7),
    (0.7, 0.7),
    (-0.7, -0.7),
    (-0.7, 0.7),
    (0.9, -0.4),
    (0.9, 0.4),
    (-0.9, -0.4),
    (-0.9, 0.4),
    (0.4, -0.9),
    (0.4, 0.9),
    (-0.4, -0.9),
    (-0.4, 0.9),
];

/// Pixels from the mark of a point to its label.
const DISTANCES: [f64; 9] = [2.0, 8.0, 18.0, 30.0, 44.0, 60.0, 80.0, 104.0, 132.0];

/// How often each label may look for a better place.
const ROUNDS: usize = 4;

/// A box, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Place {
    /// Pixels that both boxes have.
    fn overlap(self, other: Self) -> f64 {
        let width = (self.left + self.width).min(other.left + other.width) - self.left.max(other.left);
        let height = (self.top + self.height).min(other.top + other.height) - self.top.max(other.top);
        if width > 0.0 && height > 0.0 { width * height } else { 0.0 }
    }

    pub(super) fn centre(self) -> (f64, f64) {
        (self.left + self.width / 2.0, self.top + self.height / 2.0)
    }
}

/// A box for each label, beside its point and within `0..frame`. Each label takes the place that costs least, where
/// pixels that hide another label or a point cost much and distance costs little, until none finds a better one.
pub(super) fn place(
    frame: (f64, f64),
    points: &[(f64, f64)],
    sizes: &[(f64, f64)],
    radius: f64,
) -> Vec<Place> {
    let side = 2.0 * radius;
    let marks: Vec<Place> = points
        .iter()
        .map(|(x, y)| Place { left: x - radius, top: y - radius, width: side, height: side })
        .collect();
    let mut places: Vec<Option<Place>> = vec![None; points.len()];
    for _ in 0..ROUNDS {
        let mut has_moved = false;
        for (label, (&(x, y), &(width, height))) in points.iter().zip(sizes).enumerate() {
            let others = || places.iter().enumerate().filter(|(other, _)| *other != label);
            let cost = |place: Place, distance: f64| {
                let labels: f64 =
                    others().filter_map(|(_, other)| *other).map(|other| place.overlap(other)).sum();
                let hidden: f64 = marks.iter().map(|mark| place.overlap(*mark)).sum();
                4.0 * labels + 2.0 * hidden + distance
            };
            let mut best: Option<(f64, Place)> = None;
            for distance in DISTANCES {
                for (right, down) in DIRECTIONS {
                    let from_x = x + right * (radius + distance + width / 2.0) - width / 2.0;
                    let from_y = y + down * (radius + distance + height / 2.0) - height / 2.0;
                    let left = from_x.min(frame.0 - width).max(0.0);
                    let top = from_y.min(frame.1 - height).max(0.0);
                    let place = Place { left, top, width, height };
                    let cost = cost(place, distance);
                    if best.is_none_or(|(least, _)| cost < least) {
                        best = Some((cost, place));
                    }
                }
            }
            if let (Some((_, place)), Some(old)) = (best, places.get_mut(label)) {
                has_moved |= *old != Some(place);
                *old = Some(place);
            }
        }
        if !has_moved {
            break;
        }
    }
    places.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlaps(places: &[Place]) -> usize {
        let pairs =
            places.iter().enumerate().flat_map(|(i, a)| places.iter().skip(i + 1).map(move |b| (a, b)));
        pairs.filter(|(a, b)| a.overlap(**b) > 0.0).count()
    }

    #[test]
    fn labels_of_a_crowd_hide_nothing() {
        let frame = (700.0, 600.0);
        let mut state = 1_u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 8) / f64::from(1 << 24)
        };
        // Two crowds of 20 points in 160 pixels each.
        let points: Vec<(f64, f64)> = (0..40)
            .map(|i| (if i < 20 { 100.0 } else { 440.0 } + 160.0 * random(), 220.0 + 160.0 * random()))
            .collect();
        let sizes = vec![(70.0, 16.0); 40];
        let places = place(frame, &points, &sizes, 5.0);
        assert_eq!((places.len(), overlaps(&places)), (40, 0));
        for place in &places {
            assert!(place.left >= 0.0 && place.top >= 0.0, "{place:?}");
            assert!(place.left + place.width <= 700.0 && place.top + place.height <= 600.0, "{place:?}");
        }
        let hidden = points.iter().flat_map(|(x, y)| places.iter().map(move |place| (x, y, place)));
        let hidden = hidden.filter(|(x, y, place)| {
            let (right, bottom) = (place.left + place.width, place.top + place.height);
            (place.left..right).contains(*x) && (place.top..bottom).contains(*y)
        });
        assert_eq!(hidden.count(), 0);
    }

    #[test]
    fn equal_points_and_a_label_that_is_too_wide() {
        let places = place((100.0, 100.0), &[(50.0, 50.0); 4], &[(30.0, 10.0); 4], 3.0);
        assert_eq!((places.len(), overlaps(&places)), (4, 0));
        let wide = place((100.0, 100.0), &[(50.0, 50.0)], &[(300.0, 10.0)], 3.0);
        assert_eq!(wide.first().map(|place| place.left), Some(0.0));
        assert_eq!(place((100.0, 100.0), &[], &[], 3.0), []);
    }
}
