//! Accuracy against bytes, as a picture.

use crate::failure::Failure;
use crate::image_file;
use std::path::Path;

/// A model of a curve.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) bytes: usize,
    pub(crate) accuracy: f64,
}

/// The size of the picture, and of what lies around the curve.
const SIZE: (f64, f64) = (640.0, 400.0);
const MARGIN: f64 = 56.0;

/// Writes a picture (SVG) of the curve: bytes to the right, each mark the double, accuracy upwards.
pub(crate) fn plot(path: &Path, title: &str, points: &[Point]) -> Result<(), Failure> {
    image_file::write(path, svg(title, points).as_bytes())
}

fn svg(title: &str, points: &[Point]) -> String {
    let logarithms = || points.iter().map(|point| (point.bytes.max(1) as f64).log2());
    let (least, most) = (logarithms().fold(f64::INFINITY, f64::min), logarithms().fold(0.0, f64::max));
    let (left, right) = (least.floor().min(most.ceil() - 1.0), most.ceil());
    let lowest = points.iter().map(|point| point.accuracy).fold(1.0, f64::min);
    // Whole hundredths.
    let (bottom, top) = ((lowest * 100.0).floor() - 1.0, 100.0);
    let x = |logarithm: f64| MARGIN + (SIZE.0 - 2.0 * MARGIN) * (logarithm - left) / (right - left);
    let y = |percent: f64| SIZE.1 - MARGIN - (SIZE.1 - 2.0 * MARGIN) * (percent - bottom) / (top - bottom);
    let (width, height) = SIZE;
    let title = title.replace('&', "&amp;").replace('<', "&lt;");
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{}\" y=\"24\" text-anchor=\"middle\" font-size=\"14\">{title}</text>\n",
        width / 2.0
    );
    for exponent in left as i32..=right as i32 {
        let x = x(f64::from(exponent));
        let (bytes, unit) = if exponent < 10 { (exponent, "B") } else { (exponent - 10, "KiB") };
        svg.push_str(&format!(
            "<path d=\"M{x:.1} {:.1}V{:.1}\" stroke=\"#ddd\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{} \
             {unit}</text>\n",
            MARGIN,
            height - MARGIN,
            height - MARGIN + 18.0,
            1_u64 << bytes
        ));
    }
    let step = ((top - bottom) / 6.0).ceil();
    let mut percent = top;
    while percent >= bottom {
        let y = y(percent);
        svg.push_str(&format!(
            "<path d=\"M{MARGIN} {y:.1}H{:.1}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" \
             text-anchor=\"end\">{percent} %</text>\n",
            width - MARGIN,
            MARGIN - 6.0,
            y + 4.0
        ));
        percent -= step;
    }
    let place = |point: &Point| (x((point.bytes.max(1) as f64).log2()), y(100.0 * point.accuracy));
    let line: Vec<String> = points.iter().map(place).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    svg.push_str(&format!("<polyline points=\"{}\" fill=\"none\" stroke=\"#06c\"/>\n", line.join(" ")));
    for (x, y) in points.iter().map(place) {
        svg.push_str(&format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"#06c\"/>\n"));
    }
    svg.push_str("</svg>\n");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_a_circle() {
        let points = [Point { bytes: 8192, accuracy: 0.9 }, Point { bytes: 65_536, accuracy: 0.98 }];
        let picture = svg("a < b", &points);
        assert_eq!(picture.matches("<circle").count(), 2);
        assert!(picture.contains("a &lt; b") && picture.contains(">64 KiB<") && picture.contains(">8 KiB<"));
        assert!(!picture.contains("NaN") && !picture.contains("inf"));
        let one = svg("one", &points[..1]);
        assert!(!one.contains("NaN") && !one.contains("inf"), "{one}");
    }
}
