//! Curves over axes, in charts beside each other.

use super::Picture;
use super::canvas::{Area, Drawn, FRAME, INK, colour, fit, font};
use plotters::prelude::{
    ChartBuilder, Circle, Color, DrawingBackend, LineSeries, PathElement, SeriesLabelPosition, WHITE,
};
use plotters::style::TextStyle;

/// What the numbers of an axis are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Numbers as they are.
    Numbers,
    /// Whole numbers.
    Counts,
    /// Parts of 1, told in percent.
    Parts,
    /// Bytes, of which each mark is the double of the one before.
    Bytes,
}

/// A curve through points, from left to right.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// Curves over one pair of axes.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    pub(crate) title: String,
    /// The name and scale of each axis: to the right, upwards.
    pub(crate) axes: [(String, Scale); 2],
    pub(crate) lines: Vec<Line>,
}

#[derive(Clone, Debug)]
pub(crate) struct Curves {
    pub(crate) charts: Vec<Chart>,
}

const CHART: (u32, u32) = (800, 560);
const TITLE: i32 = 28;
const TEXT: i32 = 20;
/// Pixels of a curve; of a thinner one steep parts would be thinner still, in PNG.
const LINE: u32 = 4;
/// Marks of an axis.
const MARKS: usize = 8;

impl Scale {
    /// Where a number lies on the axis.
    fn place(self, x: f64) -> f64 {
        if self == Self::Bytes { x.max(1.0).log2() } else { x }
    }

    /// What a mark says; nothing where it would not be round.
    fn mark(self, x: f64) -> String {
        let is_whole = (x - x.round()).abs() < 1e-9;
        match self {
            Self::Numbers => format!("{}", (x * 1e6).round() / 1e6),
            Self::Parts => format!("{} %", (x * 1e4).round() / 1e2),
            Self::Counts if is_whole => format!("{x:.0}"),
            Self::Bytes if is_whole && (0.0..10.0).contains(&x) => format!("{} B", 1_u64 << x as u32),
            Self::Bytes if is_whole && (10.0..64.0).contains(&x) => {
                format!("{} KiB", 1_u64 << (x as u32 - 10))
            }
            Self::Counts | Self::Bytes => String::new(),
        }
    }

    /// An axis that has room for all these places.
    fn range(self, places: impl Iterator<Item = f64>) -> std::ops::Range<f64> {
        let (least, most) = places.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        if least > most {
            return 0.0..1.0;
        }
        match self {
            Self::Bytes => least.floor().min(most.ceil() - 1.0)..most.ceil(),
            Self::Counts if most == least => least - 1.0..most + 1.0,
            Self::Counts => least..most,
            Self::Numbers | Self::Parts => {
                // Marks tell hundredths of a percent.
                let least_room = if self == Self::Parts { 0.002 } else { 0.0 };
                let room = if most > least { 0.06 * (most - least) } else { 0.05 * most.abs().max(0.1) };
                let room = room.max(least_room);
                let top = if self == Self::Parts { (most + room).min(1.0) } else { most + room };
                (if least >= 0.0 { (least - room).max(0.0) } else { least - room })..top
            }
        }
    }
}

impl Picture for Curves {
    fn size(&self) -> (u32, u32) {
        (CHART.0 * self.charts.len() as u32, CHART.1)
    }

    fn draw<B: DrawingBackend>(&self, area: &Area<B>) -> Drawn<B> {
        let areas = area.split_evenly((1, self.charts.len().max(1)));
        self.charts.iter().zip(&areas).try_for_each(|(chart, area)| chart.draw(area))
    }
}

impl Chart {
    fn draw<B: DrawingBackend>(&self, area: &Area<B>) -> Drawn<B> {
        let [(x_name, x_scale), (y_name, y_scale)] = &self.axes;
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let x_range = x_scale.range(points().map(|point| x_scale.place(point.0)));
        let y_range = y_scale.range(points().map(|point| y_scale.place(point.1)));
        let text = || TextStyle::from(font(TEXT)).color(&INK);
        let title = fit(&self.title, TITLE, CHART.0.cast_signed() - 40);
        let mut chart = ChartBuilder::on(area)
            .caption(title, TextStyle::from(font(TITLE)).color(&INK))
            .margin(20)
            .x_label_area_size(56)
            .y_label_area_size(120)
            .build_cartesian_2d(x_range, y_range)?;
        chart
            .configure_mesh()
            .x_labels(MARKS)
            .y_labels(MARKS)
            .max_light_lines(1)
            .bold_line_style(FRAME.mix(0.5))
            .light_line_style(WHITE.mix(0.0))
            .axis_style(FRAME)
            .x_label_formatter(&|x| x_scale.mark(*x))
            .y_label_formatter(&|y| y_scale.mark(*y))
            .x_desc(x_name)
            .y_desc(y_name)
            .label_style(text())
            .axis_desc_style(text())
            .draw()?;
        for (number, line) in self.lines.iter().enumerate() {
            let colour = colour(number);
            let places = || line.points.iter().map(|(x, y)| (x_scale.place(*x), y_scale.place(*y)));
            chart
                .draw_series(LineSeries::new(places(), colour.stroke_width(LINE)))?
                .label(fit(&line.name, TEXT, 300))
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 24, y)], colour.stroke_width(LINE)));
            chart.draw_series(places().map(|place| Circle::new(place, 5, colour.filled())))?;
        }
        if self.lines.len() > 1 {
            let best_is_high = *y_scale == Scale::Parts;
            chart
                .configure_series_labels()
                .position(if best_is_high {
                    SeriesLabelPosition::LowerRight
                } else {
                    SeriesLabelPosition::UpperRight
                })
                .margin(16)
                .background_style(WHITE.mix(0.85))
                .border_style(FRAME)
                .label_font(text())
                .draw()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: &[(f64, f64)], scales: [Scale; 2]) -> Chart {
        let lines = vec![Line { name: "one".to_owned(), points: points.to_vec() }];
        let [x, y] = scales;
        Chart { title: "a < b".to_owned(), axes: [("x".to_owned(), x), ("y".to_owned(), y)], lines }
    }

    fn svg(chart: Chart) -> String {
        super::super::svg(&Curves { charts: vec![chart] }).expect("a picture")
    }

    #[test]
    fn a_point_is_a_circle_and_marks_are_round() {
        let scales = [Scale::Bytes, Scale::Parts];
        let picture = svg(chart(&[(8192.0, 0.9), (65_536.0, 0.98)], scales));
        assert_eq!(picture.matches("<circle").count(), 2);
        for text in ["a &lt; b", "8 KiB", "16 KiB", "64 KiB", "96 %"] {
            assert!(picture.contains(&format!("\n{text}\n")), "{text}: {picture}");
        }
        for points in [&[(8192.0, 0.9)][..], &[]] {
            let picture = svg(chart(points, scales));
            assert_eq!(picture.matches("<circle").count(), points.len());
            assert!(!picture.contains("NaN") && !picture.contains("inf"), "{picture}");
        }
    }

    #[test]
    fn curves_have_names_if_there_are_several() {
        let mut both = chart(&[(1.0, 0.5), (2.0, 0.25)], [Scale::Counts, Scale::Numbers]);
        assert!(!svg(both.clone()).contains("\none\n"));
        both.lines.push(Line { name: "two".to_owned(), points: vec![(1.0, 0.75), (2.0, 0.5)] });
        let picture = svg(both);
        assert!(picture.contains("\none\n") && picture.contains("\ntwo\n"), "{picture}");
        assert_eq!(picture.matches("<circle").count(), 4);
    }

    #[test]
    fn axes_have_room() {
        assert_eq!(Scale::Bytes.range([13.0, 15.5].into_iter()), 13.0..16.0);
        assert_eq!(Scale::Counts.range([3.0].into_iter()), 2.0..4.0);
        assert_eq!(Scale::Parts.range([0.5, 1.0].into_iter()), 0.47..1.0);
        let close = Scale::Parts.range([0.981, 0.98105].into_iter());
        assert!((close.end - close.start - 0.00405).abs() < 1e-12, "{close:?}");
        assert_eq!((Scale::Counts.mark(2.5), Scale::Counts.mark(2.0)), (String::new(), "2".to_owned()));
        assert_eq!(Scale::Bytes.mark(9.0), "512 B");
    }
}
