//! Accuracy against bytes, as a picture.

use crate::plot::{Chart, Curves, Line, Scale};

/// A model of a curve.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) bytes: usize,
    pub(crate) accuracy: f64,
}

/// The picture of the curve: bytes to the right, each mark the double, the measure upwards.
pub(crate) fn curve(measure: &str, points: &[Point]) -> Curves {
    let points = points.iter().map(|point| (point.bytes as f64, point.accuracy)).collect();
    let axes = [("bytes of the model".to_owned(), Scale::Bytes), (measure.to_owned(), Scale::Parts)];
    let lines = vec![Line { name: measure.to_owned(), points }];
    Curves { charts: vec![Chart { title: format!("{measure} of held-out texts"), axes, lines }] }
}
