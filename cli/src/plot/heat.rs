//! Counts of lines and columns as colours.

use super::Picture;
use super::canvas::{Area, CENTRE, Canvas, Drawn, FAINT, FRAME, INK, RIGHT, fit, width};
use plotters::prelude::{DrawingBackend, RGBColor};

/// How often each line was each column. What is on the diagonal is right, and what is not is wrong.
#[derive(Clone, Debug)]
pub(crate) struct Heat {
    pub(crate) title: String,
    /// What lines and columns are.
    pub(crate) axes: [String; 2],
    pub(crate) lines: Vec<String>,
    pub(crate) columns: Vec<String>,
    /// Line by line.
    pub(crate) counts: Vec<u64>,
}

const MARGIN: i32 = 24;
const TITLE: i32 = 28;
const HEADER: i32 = 64;
/// A line for what the columns are.
const CAPTION: i32 = 40;
/// Pixels that all cells may take to one side, and those of a cell.
const ROOM: i32 = 960;
const CELL: (i32, i32) = (10, 84);
/// Smaller cells have no number and no frame.
const TOLD: i32 = 28;
/// The widest name of a class.
const NAME: i32 = 260;

const RIGHT_ONES: RGBColor = RGBColor(0x00, 0x72, 0xb2);
const WRONG_ONES: RGBColor = RGBColor(0xd5, 0x5e, 0x00);

impl Heat {
    fn cell(&self) -> i32 {
        (ROOM / self.lines.len().max(self.columns.len()).max(1) as i32).clamp(CELL.0, CELL.1)
    }

    /// The size of the names: not higher than a cell.
    fn text(&self) -> i32 {
        self.cell().min(22)
    }

    /// Pixels for the names of lines, and of columns.
    fn names(&self) -> (i32, i32) {
        let longest = |names: &[String]| {
            let widths = names.iter().map(|name| width(name, self.text()));
            widths.max().unwrap_or(0).min(NAME) + 16
        };
        (longest(&self.lines), longest(&self.columns))
    }
}

/// The colour of a share of a line; what occurs at all can be seen.
fn shade(share: f64, colour: RGBColor) -> RGBColor {
    let part = if share > 0.0 { 0.12 + 0.88 * share } else { 0.0 };
    let mix = |x: u8| (255.0 + part * (f64::from(x) - 255.0)).round() as u8;
    RGBColor(mix(colour.0), mix(colour.1), mix(colour.2))
}

impl Picture for Heat {
    fn size(&self) -> (u32, u32) {
        let (cell, (of_lines, of_columns)) = (self.cell(), self.names());
        let right = 2 * MARGIN + CAPTION + of_lines + cell * self.columns.len() as i32;
        let down = HEADER + cell * self.lines.len() as i32 + of_columns + CAPTION + MARGIN;
        // The title has room, too.
        let title = width(&self.title, TITLE) + 2 * MARGIN;
        (right.max(title).max(320).unsigned_abs(), down.unsigned_abs())
    }

    fn draw<B: DrawingBackend>(&self, area: &Area<B>) -> Drawn<B> {
        let canvas = Canvas(area);
        let (cell, size, (of_lines, of_columns)) = (self.cell(), self.text(), self.names());
        let middle = self.size().0.cast_signed() / 2;
        canvas.text(&self.title, (middle, HEADER / 2), TITLE, INK, CENTRE)?;
        let (left, columns) = (MARGIN + CAPTION + of_lines, self.columns.len() as i32);
        let bottom = HEADER + cell * self.lines.len() as i32;
        let [lines_are, columns_are] = &self.axes;
        let at = (MARGIN + CAPTION / 2, HEADER + (bottom - HEADER) / 2 - width(lines_are, 22) / 2);
        canvas.text_upwards(lines_are, at, 22, FAINT)?;
        let at = (left + cell * columns / 2, bottom + of_columns + CAPTION / 2);
        canvas.text(columns_are, at, 22, FAINT, CENTRE)?;
        for (column, name) in self.columns.iter().enumerate() {
            let at = (left + cell * column as i32 + cell / 2, bottom + 8);
            canvas.text_upwards(&fit(name, size, NAME), at, size, INK)?;
        }
        let counts = self.counts.chunks_exact(self.columns.len().max(1));
        for (line, (name, counts)) in self.lines.iter().zip(counts).enumerate() {
            let top = HEADER + cell * line as i32;
            let at = (left - 8, top + cell / 2);
            canvas.text(&fit(name, size, NAME), at, size, INK, RIGHT)?;
            let all: u64 = counts.iter().sum();
            for (column, count) in counts.iter().enumerate() {
                let x = left + cell * column as i32;
                let share = if all == 0 { 0.0 } else { *count as f64 / all as f64 };
                let colour = if column == line { RIGHT_ONES } else { WRONG_ONES };
                let corners = [(x, top), (x + cell, top + cell)];
                if *count > 0 {
                    canvas.rectangle(corners, shade(share, colour))?;
                }
                if cell >= TOLD {
                    canvas.frame(corners, FRAME)?;
                }
                let text = count.to_string();
                if *count > 0 && cell >= TOLD && width(&text, size) < cell {
                    let ink = if share > 0.5 { RGBColor(255, 255, 255) } else { INK };
                    canvas.text(&text, (x + cell / 2, top + cell / 2), size, ink, CENTRE)?;
                }
            }
        }
        canvas.frame([(left, HEADER), (left + cell * columns, bottom)], FRAME)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heat(classes: usize) -> Heat {
        let names: Vec<String> = (0..classes).map(|class| format!("class {class}")).collect();
        let counts = (0..classes * classes)
            .map(|i| u64::from(i % (classes + 1) == 0) * 7 + u64::from(i == 1))
            .collect();
        let axes = ["class".to_owned(), "taken for".to_owned()];
        Heat { title: "title".to_owned(), axes, lines: names.clone(), columns: names, counts }
    }

    #[test]
    fn counts_are_told_and_coloured() {
        let svg = super::super::svg(&heat(3)).expect("a picture");
        assert_eq!((svg.matches("\n7\n").count(), svg.matches("\n1\n").count()), (3, 1));
        for text in ["title", "taken for", "class 2"] {
            assert!(svg.contains(&format!("\n{text}\n")), "{text}: {svg}");
        }
        // All of line 1 is right; of line 0 an eighth is wrong.
        let all = "fill=\"#0072B2\"";
        assert_eq!(svg.matches(all).count(), 2);
        let RGBColor(r, g, b) = shade(1.0 / 8.0, WRONG_ONES);
        assert_eq!(svg.matches(&format!("fill=\"#{r:02X}{g:02X}{b:02X}\"")).count(), 1);
        assert_eq!((shade(0.0, WRONG_ONES), shade(1.0, WRONG_ONES)), (RGBColor(255, 255, 255), WRONG_ONES));
    }

    #[test]
    fn many_classes_have_small_cells() {
        let many = heat(150);
        assert!(many.cell() == 10 && many.size().0 < 2000);
        let svg = super::super::svg(&many).expect("a picture");
        assert_eq!(svg.matches("\n7\n").count(), 0);
    }
}
