//! Bars below each other, each with its name and number.

use super::Picture;
use super::canvas::{Area, CENTRE, Canvas, Drawn, FRAME, INK, LEFT, RIGHT, colour, fit};
use plotters::prelude::DrawingBackend;

/// A bar: its name, its length, and what stands behind it.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) text: String,
    /// The group that gives its colour.
    pub(crate) colour: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Bars {
    pub(crate) title: String,
    pub(crate) bars: Vec<Bar>,
}

const WIDTH: i32 = 1200;
const HEADER: i32 = 64;
const BAR: i32 = 44;
const MARGIN: i32 = 24;
/// Where bars start, and how long the longest is.
const START: i32 = 420;
const LONGEST: i32 = 500;
const TITLE: i32 = 28;
const TEXT: i32 = 22;

impl Picture for Bars {
    fn size(&self) -> (u32, u32) {
        let height = HEADER + BAR * self.bars.len() as i32 + MARGIN;
        (WIDTH.unsigned_abs(), height.unsigned_abs())
    }

    fn draw<B: DrawingBackend>(&self, area: &Area<B>) -> Drawn<B> {
        let canvas = Canvas(area);
        let title = fit(&self.title, TITLE, WIDTH - 2 * MARGIN);
        canvas.text(&title, (WIDTH / 2, HEADER / 2), TITLE, INK, CENTRE)?;
        let most = self.bars.iter().map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max);
        for (number, bar) in self.bars.iter().enumerate() {
            let top = HEADER + BAR * number as i32;
            let middle = top + BAR / 2;
            let name = fit(&bar.name, TEXT, START - MARGIN - 16);
            canvas.text(&name, (START - 16, middle), TEXT, INK, RIGHT)?;
            let length = (f64::from(LONGEST) * bar.value / most).round() as i32;
            canvas.rectangle([(START, top + 6), (START + length, top + BAR - 6)], colour(bar.colour))?;
            canvas.text(&bar.text, (START + length + 12, middle), TEXT, INK, LEFT)?;
        }
        let bottom = HEADER + BAR * self.bars.len() as i32;
        canvas.path(vec![(START, HEADER), (START, bottom)], FRAME, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_in_proportion() {
        let bar = |value: f64| Bar { name: format!("n{value}"), value, text: format!("t{value}"), colour: 0 };
        let bars = Bars { title: "sizes".to_owned(), bars: vec![bar(30.0), bar(10.0), bar(0.0)] };
        let svg = super::super::svg(&bars).expect("a picture");
        for text in ["sizes", "n30", "t10", "n0"] {
            assert!(svg.contains(&format!("\n{text}\n")), "{text}: {svg}");
        }
        let widths: Vec<&str> = svg
            .lines()
            .filter(|line| line.contains("#0072B2"))
            .filter_map(|line| line.split("width=\"").nth(1)?.split('"').next())
            .collect();
        assert_eq!(widths, ["500", "167", "0"]);
        let none = Bars { title: String::new(), bars: vec![bar(0.0)] };
        assert!(!super::super::svg(&none).expect("a picture").contains("NaN"));
    }
}
