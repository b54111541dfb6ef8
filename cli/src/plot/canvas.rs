//! What pictures are made of: texts, circles, rectangles, lines.

use plotters::coord::Shift;
use plotters::prelude::{
    Circle, Color, DrawingArea, DrawingAreaErrorKind, DrawingBackend, PathElement, Polygon, RGBColor,
    Rectangle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontDesc, FontFamily, FontStyle, FontTransform, TextStyle};

/// Where something is drawn.
pub(crate) type Area<B> = DrawingArea<B, Shift>;

/// What came of drawing.
pub(crate) type Drawn<B> = Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

pub(super) const FAMILY: &str = "sans-serif";

pub(super) const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
pub(super) const FAINT: RGBColor = RGBColor(0x77, 0x77, 0x77);
pub(super) const FRAME: RGBColor = RGBColor(0xcc, 0xcc, 0xcc);

/// Colours that people with any eyes can tell apart: those of Okabe and Ito, without black and yellow, and two more.
const COLOURS: [RGBColor; 8] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x7a, 0x4f, 0x2a),
    RGBColor(0x6b, 0x6b, 0x6b),
];

/// The colour of a group; after the eighth they start again.
pub(super) fn colour(group: usize) -> RGBColor {
    COLOURS.get(group % COLOURS.len()).copied().unwrap_or(INK)
}

/// Where a text lies about its place.
pub(super) const LEFT: Pos = Pos { h_pos: HPos::Left, v_pos: VPos::Center };
pub(super) const CENTRE: Pos = Pos { h_pos: HPos::Center, v_pos: VPos::Center };
pub(super) const RIGHT: Pos = Pos { h_pos: HPos::Right, v_pos: VPos::Center };

/// The font; a size is the height of a line of text, in pixels.
pub(super) fn font(size: i32) -> FontDesc<'static> {
    FontDesc::new(FontFamily::SansSerif, f64::from(size), FontStyle::Normal)
}

/// Pixels that a text takes to the right, about.
pub(super) fn width(text: &str, size: i32) -> i32 {
    // Letters are half as wide as high, where the font does not say.
    font(size).box_size(text).map_or(size * text.chars().count() as i32 / 2, |(width, _)| width.cast_signed())
}

/// A text without what neither a font nor XML has, cut to so many pixels.
pub(super) fn fit(text: &str, size: i32, room: i32) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if width(&text, size) <= room {
        return text;
    }
    let mut letters: Vec<char> = text.chars().collect();
    loop {
        let cut = letters.iter().chain(&['…']).collect::<String>();
        if letters.pop().is_none() || width(&cut, size) <= room {
            return cut;
        }
    }
}

/// An area, in pixels from its upper left corner.
pub(crate) struct Canvas<'a, B: DrawingBackend>(pub(crate) &'a Area<B>);

impl<B: DrawingBackend> Canvas<'_, B> {
    pub(super) fn text(&self, text: &str, at: (i32, i32), size: i32, colour: RGBColor, pos: Pos) -> Drawn<B> {
        let style = TextStyle::from(font(size)).color(&colour).pos(pos);
        self.0.draw_text(&fit(text, size, i32::MAX), &style, at)
    }

    /// A text from below to above, which ends at its place.
    pub(super) fn text_upwards(&self, text: &str, at: (i32, i32), size: i32, colour: RGBColor) -> Drawn<B> {
        let font = font(size).transform(FontTransform::Rotate270);
        self.0.draw_text(&fit(text, size, i32::MAX), &TextStyle::from(font).color(&colour).pos(RIGHT), at)
    }

    pub(super) fn circle(&self, at: (i32, i32), radius: i32, colour: RGBColor) -> Drawn<B> {
        self.0.draw(&Circle::new(at, radius, colour.filled()))
    }

    pub(super) fn polygon(&self, corners: Vec<(i32, i32)>, colour: &impl Color) -> Drawn<B> {
        self.0.draw(&Polygon::new(corners, colour.to_rgba().filled()))
    }

    pub(super) fn path(&self, through: Vec<(i32, i32)>, colour: RGBColor, width: u32) -> Drawn<B> {
        self.0.draw(&PathElement::new(through, colour.stroke_width(width)))
    }

    pub(super) fn rectangle(&self, corners: [(i32, i32); 2], colour: RGBColor) -> Drawn<B> {
        self.0.draw(&Rectangle::new(corners, colour.filled()))
    }

    pub(super) fn frame(&self, corners: [(i32, i32); 2], colour: RGBColor) -> Drawn<B> {
        self.0.draw(&Rectangle::new(corners, colour))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plotters::style::register_font;

    #[test]
    fn a_long_text_is_cut() {
        assert!(register_font(FAMILY, FontStyle::Normal, super::super::FONT).is_ok());
        assert_eq!(fit("word", 20, 200), "word");
        let cut = fit("a text that is far too long", 20, 100);
        assert!(cut.starts_with("a text") && cut.ends_with('…') && width(&cut, 20) <= 100, "{cut}");
        // The next letter would not have found room.
        let letters = cut.chars().count();
        let longer: String = "a text that is far too long".chars().take(letters).chain(['…']).collect();
        assert!(width(&longer, 20) > 100);
        assert_eq!(fit("w", 20, 0), "…");
        assert!(width("WWW", 20) > width("iii", 20));
    }
}
