//! Points with labels, in panels beside each other.

use super::Picture;
use super::canvas::{Area, CENTRE, Canvas, Drawn, FAINT, FRAME, INK, LEFT, colour, fit, width};
use super::labels::place;
use plotters::prelude::{Color, DrawingBackend, RGBColor, WHITE};

/// A point of a panel.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) label: String,
    pub(crate) at: [f64; 2],
    /// The group that gives its colour.
    pub(crate) colour: usize,
    /// The group that gives its shape.
    pub(crate) shape: usize,
}

/// A map.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    pub(crate) title: String,
    pub(crate) points: Vec<Point>,
    /// What its axes are.
    pub(crate) axes: String,
    /// What is printed below, a line each.
    pub(crate) notes: Vec<String>,
}

/// What colours or shapes stand for: a name, and the groups.
#[derive(Clone, Debug)]
pub(crate) struct Legend {
    pub(crate) name: String,
    pub(crate) groups: Vec<String>,
}

/// Maps beside each other.
#[derive(Clone, Debug)]
pub(crate) struct Scatter {
    pub(crate) panels: Vec<Panel>,
    pub(crate) colours: Option<Legend>,
    pub(crate) shapes: Option<Legend>,
}

/// Pixels of a panel, of its map, and of what is above and below it.
const PANEL: i32 = 800;
const MARGIN: i32 = 20;
const MAP: (i32, i32) = (PANEL - 2 * MARGIN, 640);
const HEADER: i32 = 52;
const AXES: i32 = 30;
const NOTE: i32 = 30;
const LEGEND: i32 = 36;

/// Sizes of texts.
const TITLE: i32 = 28;
const LABEL: i32 = 20;
const SMALL: i32 = 18;
const TEXT: i32 = 22;

/// The radius of a mark, and the space between the frame and the points.
const RADIUS: i32 = 6;
const INSET: f64 = 30.0;

/// The colour of the line from a point to a label that is far from it.
const THREAD: RGBColor = RGBColor(0xa0, 0xa0, 0xa0);

/// Of more words none has a label: there is no room for them.
pub(crate) const MOST_LABELS: usize = 400;

/// The widest label.
const LABEL_ROOM: i32 = 220;

impl Scatter {
    fn notes(&self) -> i32 {
        self.panels.iter().map(|panel| panel.notes.len()).max().unwrap_or(0) as i32
    }

    fn legends(&self) -> i32 {
        i32::from(self.colours.is_some()) + i32::from(self.shapes.is_some())
    }
}

impl Picture for Scatter {
    fn size(&self) -> (u32, u32) {
        let height = HEADER + MAP.1 + AXES + NOTE * self.notes() + LEGEND * self.legends() + MARGIN;
        ((PANEL * self.panels.len() as i32).unsigned_abs(), height.unsigned_abs())
    }

    fn draw<B: DrawingBackend>(&self, area: &Area<B>) -> Drawn<B> {
        let canvas = Canvas(area);
        for (number, panel) in self.panels.iter().enumerate() {
            panel.draw(&canvas, PANEL * number as i32 + MARGIN)?;
        }
        let mut y = HEADER + MAP.1 + AXES + NOTE * self.notes() + LEGEND / 2;
        if let Some(legend) = &self.colours {
            legend.draw(&canvas, y, |at, group| mark(&canvas, at, 0, colour(group)))?;
            y += LEGEND;
        }
        if let Some(legend) = &self.shapes {
            legend.draw(&canvas, y, |at, group| mark(&canvas, at, group, FAINT))?;
        }
        Ok(())
    }
}

impl Panel {
    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<'_, B>, left: i32) -> Drawn<B> {
        let middle = left + MAP.0 / 2;
        canvas.text(&fit(&self.title, TITLE, MAP.0), (middle, HEADER / 2), TITLE, INK, CENTRE)?;
        let places = self.places();
        let labelled = if self.points.len() > MOST_LABELS { &[] } else { self.points.as_slice() };
        let labels: Vec<String> = labelled.iter().map(|point| fit(&point.label, LABEL, LABEL_ROOM)).collect();
        let sizes: Vec<(f64, f64)> = labels
            .iter()
            .map(|label| (f64::from(width(label, LABEL)) + 4.0, f64::from(LABEL) * 0.8))
            .collect();
        let (frame, labelled) = ((f64::from(MAP.0), f64::from(MAP.1)), places.get(..labels.len()));
        let boxes = place(frame, labelled.unwrap_or_default(), &sizes, f64::from(RADIUS));
        let pixel = |(x, y): (f64, f64)| (left + x.round() as i32, HEADER + y.round() as i32);
        for (place, label) in places.iter().zip(&boxes) {
            let (x, y) = label.centre();
            let gap = ((x - place.0).abs() - label.width / 2.0).max((y - place.1).abs() - label.height / 2.0);
            if gap > 2.0 * f64::from(RADIUS) {
                // From the nearest place of the label.
                let x = place.0.clamp(label.left, label.left + label.width);
                let y = place.1.clamp(label.top, label.top + label.height);
                canvas.path(vec![pixel(*place), pixel((x, y))], THREAD, 1)?;
            }
        }
        // A label stands on white, so that no line goes through it.
        for label in &boxes {
            let corner = (label.left + label.width, label.top + label.height);
            canvas.rectangle([pixel((label.left, label.top)), pixel(corner)], WHITE)?;
        }
        canvas.frame([(left, HEADER), (left + MAP.0, HEADER + MAP.1)], FRAME)?;
        for (point, place) in self.points.iter().zip(&places) {
            mark(canvas, pixel(*place), point.shape, colour(point.colour))?;
        }
        for ((point, label), text) in self.points.iter().zip(&boxes).zip(&labels) {
            canvas.text(text, pixel(label.centre()), LABEL, dark(colour(point.colour)), CENTRE)?;
        }
        let mut y = HEADER + MAP.1 + AXES / 2;
        canvas.text(&fit(&self.axes, SMALL, MAP.0), (middle, y), SMALL, FAINT, CENTRE)?;
        y += AXES / 2 + NOTE / 2;
        for note in &self.notes {
            canvas.text(&fit(note, TEXT, MAP.0), (middle, y), TEXT, INK, CENTRE)?;
            y += NOTE;
        }
        Ok(())
    }

    /// Where the points lie in the map, in pixels: each axis has a scale of its own.
    fn places(&self) -> Vec<(f64, f64)> {
        let along = |axis: usize, length: i32| -> Vec<f64> {
            let values = self.points.iter().filter_map(|point| point.at.get(axis).copied());
            let (least, most) = values
                .clone()
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), x| (least.min(x), most.max(x)));
            let room = f64::from(length) - 2.0 * INSET;
            // Points that do not differ lie in the middle.
            let part = |x: f64| if most > least { (x - least) / (most - least) } else { 0.5 };
            values.map(|x| INSET + room * part(x)).collect()
        };
        let (right, up) = (along(0, MAP.0), along(1, MAP.1));
        right.into_iter().zip(up).map(|(right, up)| (right, f64::from(MAP.1) - up)).collect()
    }
}

impl Legend {
    /// Its groups in a line, with their marks.
    fn draw<B: DrawingBackend>(
        &self,
        canvas: &Canvas<'_, B>,
        y: i32,
        mark: impl Fn((i32, i32), usize) -> Drawn<B>,
    ) -> Drawn<B> {
        let mut x = MARGIN;
        canvas.text(&format!("{}:", self.name), (x, y), TEXT, INK, LEFT)?;
        x += width(&format!("{}:", self.name), TEXT) + 24;
        for (group, name) in self.groups.iter().enumerate() {
            mark((x, y), group)?;
            let name = fit(name, TEXT, LABEL_ROOM);
            canvas.text(&name, (x + 14, y), TEXT, INK, LEFT)?;
            x += width(&name, TEXT) + 48;
        }
        Ok(())
    }
}

/// A darker colour, for thin letters.
fn dark(colour: RGBColor) -> RGBColor {
    let dark = |x: u8| (f32::from(x) * 0.75) as u8;
    RGBColor(dark(colour.0), dark(colour.1), dark(colour.2))
}

/// The mark of a point: a circle, square, triangle, diamond, plus, or a triangle that stands on its head; and these
/// again.
fn mark<B: DrawingBackend>(
    canvas: &Canvas<'_, B>,
    (x, y): (i32, i32),
    shape: usize,
    colour: RGBColor,
) -> Drawn<B> {
    let r = RADIUS;
    let corners: &[(i32, i32)] = match shape % 6 {
        0 => return canvas.circle((x, y), r, colour),
        1 => &[(-r, -r), (r, -r), (r, r), (-r, r)],
        2 => &[(0, -r - 2), (r + 1, r), (-r - 1, r)],
        3 => &[(0, -r - 2), (r + 2, 0), (0, r + 2), (-r - 2, 0)],
        4 => {
            canvas.rectangle([(x - r - 2, y - 2), (x + r + 2, y + 2)], colour)?;
            return canvas.rectangle([(x - 2, y - r - 2), (x + 2, y + r + 2)], colour);
        }
        _ => &[(0, r + 2), (r + 1, -r), (-r - 1, -r)],
    };
    canvas.polygon(corners.iter().map(|(right, down)| (x + right, y + down)).collect(), &colour.mix(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(label: &str, at: [f64; 2], group: usize) -> Point {
        Point { label: label.to_owned(), at, colour: group, shape: group }
    }

    fn panel(points: Vec<Point>) -> Panel {
        Panel { title: "title".to_owned(), points, axes: "axes".to_owned(), notes: vec!["note".to_owned()] }
    }

    #[test]
    fn points_fill_the_map() {
        let points = vec![point("a", [1.0, 10.0], 0), point("b", [3.0, 10.0], 1), point("c", [2.0, 30.0], 2)];
        let places = panel(points).places();
        let (width, height) = (f64::from(MAP.0), f64::from(MAP.1));
        assert_eq!(places[0], (INSET, height - INSET));
        assert_eq!(places[1], (width - INSET, height - INSET));
        assert_eq!(places[2], (width / 2.0, INSET));
        // A single point, and points on one line.
        assert_eq!(panel(vec![point("a", [5.0, 5.0], 0)]).places(), [(width / 2.0, height / 2.0)]);
    }

    #[test]
    fn all_is_drawn() {
        let points = (0..6).map(|i| point(&format!("word{i}"), [f64::from(i), 0.5], i as usize)).collect();
        let legend = |name: &str| {
            Some(Legend { name: name.to_owned(), groups: vec!["one".to_owned(), "two".to_owned()] })
        };
        let panels = vec![panel(points), panel(Vec::new())];
        let picture = Scatter { panels, colours: legend("class"), shapes: legend("meaning") };
        let svg = super::super::svg(&picture).expect("a picture");
        for text in ["title", "axes", "note", "class:", "meaning:", "one", "two", "word0", "word4"] {
            assert!(svg.contains(&format!("\n{text}\n")), "{text}: {svg}");
        }
        // Six points, of which one is a plus, and four marks of legends.
        assert_eq!(svg.matches("<circle").count() + svg.matches("<polygon").count(), 9);
        assert_eq!(picture.size().0, 1600);
    }

    #[test]
    fn a_crowd_has_no_labels() {
        let crowd = |words: usize| {
            let points = (0..words).map(|i| point("word", [i as f64, (i % 7) as f64], 0)).collect();
            let picture = Scatter { panels: vec![panel(points)], colours: None, shapes: None };
            let svg = super::super::svg(&picture).expect("a picture");
            (svg.matches("<circle").count(), svg.matches("\nword\n").count())
        };
        assert_eq!(crowd(20), (20, 20));
        assert_eq!(crowd(MOST_LABELS + 1), (MOST_LABELS + 1, 0));
    }
}
