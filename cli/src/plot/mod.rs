//! Pictures: what is drawn once is written as SVG or as PNG, by the name of the file.
//!
//! Texts are set in the font in `fonts`, on every machine; a viewer of SVG takes a font of its own.

// Places are whole pixels, of which no picture has so many that they could not be counted.
#![allow(clippy::cast_possible_wrap, clippy::cast_sign_loss)]

mod bars;
mod canvas;
mod curves;
mod heat;
mod labels;
mod scatter;

pub(crate) use bars::{Bar, Bars};
pub(crate) use canvas::{Area, Drawn};
pub(crate) use curves::{Chart, Curves, Line, Scale};
pub(crate) use heat::Heat;
pub(crate) use scatter::{Legend, MOST_LABELS, Panel, Point, Scatter};

use crate::failure::{Failure, Kind};
use crate::image_file;
use plotters::prelude::{BitMapBackend, DrawingBackend, IntoDrawingArea, SVGBackend, WHITE};
use plotters::style::{FontStyle, register_font};
use std::fmt;
use std::path::Path;

/// Something that can be drawn.
pub(crate) trait Picture {
    /// Width and height, in pixels.
    fn size(&self) -> (u32, u32);

    fn draw<B: DrawingBackend>(&self, area: &Area<B>) -> Drawn<B>;
}

/// The font of all texts: Latin, Greek and Cyrillic letters of DejaVu Sans.
const FONT: &[u8] = include_bytes!("../../fonts/DejaVuSans.ttf");

/// The most pixels of a PNG, which is drawn in memory.
const PIXELS: u64 = 1 << 27;

/// How a picture is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Svg,
    Png,
}

impl Form {
    fn of(path: &Path) -> Result<Self, Failure> {
        let extension = path.extension().unwrap_or_default();
        if extension.eq_ignore_ascii_case("svg") {
            return Ok(Self::Svg);
        }
        if extension.eq_ignore_ascii_case("png") {
            return Ok(Self::Png);
        }
        let message = "take a name that ends with .svg or .png for a picture";
        Err(Failure::usage(format!("{}: {message}", path.display())))
    }
}

/// An error if no picture can be written there, or if it would take the place of what is read.
pub(crate) fn check<'a>(path: &Path, read: impl IntoIterator<Item = &'a Path>) -> Result<(), Failure> {
    image_file::check_apart(path, read)?;
    Form::of(path)?;
    image_file::check_writable(path)
}

/// Draws a picture, and writes it whole or not at all.
pub(crate) fn write(path: &Path, picture: &impl Picture) -> Result<(), Failure> {
    let bytes = match Form::of(path)? {
        Form::Svg => svg(picture)?.into_bytes(),
        Form::Png => png(picture)?,
    };
    image_file::write(path, &bytes)
}

fn failed(error: impl fmt::Display) -> Failure {
    Failure::new(Kind::File, format!("the picture cannot be drawn: {error}"))
}

/// Draws on white.
fn draw<B: DrawingBackend>(picture: &impl Picture, backend: B) -> Result<(), Failure> {
    register_font(canvas::FAMILY, FontStyle::Normal, FONT).map_err(|_| failed("its font is damaged"))?;
    let area = backend.into_drawing_area();
    area.fill(&WHITE).map_err(failed)?;
    picture.draw(&area).map_err(failed)?;
    area.present().map_err(failed)
}

fn svg(picture: &impl Picture) -> Result<String, Failure> {
    let mut svg = String::new();
    draw(picture, SVGBackend::with_string(&mut svg, picture.size()))?;
    Ok(svg)
}

fn png(picture: &impl Picture) -> Result<Vec<u8>, Failure> {
    let (width, height) = picture.size();
    if u64::from(width) * u64::from(height) > PIXELS {
        let message =
            format!("{width} x {height} pixels are too many for PNG: take a name that ends with .svg");
        return Err(Failure::usage(message));
    }
    let mut pixels = vec![0; 3 * width as usize * height as usize];
    draw(picture, BitMapBackend::with_buffer(&mut pixels, (width, height)))?;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(&pixels).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use canvas::Canvas;

    struct Dot;

    impl Picture for Dot {
        fn size(&self) -> (u32, u32) {
            (40, 30)
        }

        fn draw<B: DrawingBackend>(&self, area: &Area<B>) -> Drawn<B> {
            let canvas = Canvas(area);
            canvas.circle((20, 15), 6, canvas::colour(0))?;
            canvas.text("a < b\u{1}", (0, 0), 10, canvas::INK, canvas::LEFT)
        }
    }

    #[test]
    fn both_forms_show_the_same() {
        let svg = svg(&Dot).expect("a picture");
        assert!(svg.starts_with("<svg width=\"40\" height=\"30\"") && svg.ends_with("</svg>\n"), "{svg}");
        // What XML does not take is replaced.
        assert!(
            svg.contains("<circle cx=\"20\" cy=\"15\" r=\"6\"") && svg.contains("\na &lt; b\u{fffd}\n"),
            "{svg}"
        );

        let png = png(&Dot).expect("a picture");
        let mut reader = png::Decoder::new(std::io::Cursor::new(&png)).read_info().expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
        let info = reader.next_frame(&mut pixels).expect("pixels");
        assert_eq!((info.width, info.height, pixels.len()), (40, 30, 3600));
        let pixel = |x: usize, y: usize| pixels.get(3 * (40 * y + x)..).and_then(|rest| rest.get(..3));
        assert_eq!(pixel(39, 29), Some([255; 3].as_slice()));
        let colour = canvas::colour(0);
        assert_eq!(pixel(20, 15), Some([colour.0, colour.1, colour.2].as_slice()));
        assert!(pixels.iter().take(3 * 40 * 8).any(|byte| *byte < 128), "no text");
    }

    #[test]
    fn a_bitmap_has_a_limit() {
        struct Large;
        impl Picture for Large {
            fn size(&self) -> (u32, u32) {
                (1 << 20, 1 << 20)
            }

            fn draw<B: DrawingBackend>(&self, _: &Area<B>) -> Drawn<B> {
                Ok(())
            }
        }
        let message = format!("{:?}", png(&Large).expect_err("too large"));
        assert!(message.contains(".svg"), "{message}");
        assert!(svg(&Large).is_ok());
    }

    #[test]
    fn a_name_says_the_form() {
        assert_eq!(Form::of(Path::new("a.b.SVG")).expect("a form"), Form::Svg);
        assert_eq!(Form::of(Path::new("a.png")).expect("a form"), Form::Png);
        assert!(Form::of(Path::new("png")).is_err() && Form::of(Path::new("a.jpg")).is_err());
    }
}
