//! `plot bytes`: where the bytes of a model are.

use crate::arguments::Bytes;
use crate::description;
use crate::failure::Failure;
use crate::image_file::ImageFile;
use crate::plot::{self, Bar, Bars};

/// The section that the layers share; each has a bar of its own.
const PARAMETERS: &str = "parameters";

pub(super) fn run(arguments: &Bytes) -> Result<(), Failure> {
    plot::check(&arguments.output, [arguments.model.as_path()])?;
    let image = ImageFile::read(&arguments.model)?;
    let bars = bars(&image)?;
    plot::write(&arguments.output, &bars)
}

fn bars(image: &ImageFile) -> Result<Bars, Failure> {
    let model = image.model()?;
    let mut parts: Vec<(String, u64, usize)> = Vec::new();
    for (number, layer) in model.recipe().layers().enumerate().filter(|(_, layer)| layer.bytes > 0) {
        parts.push((
            format!("{number}: {}, {} numbers", layer.name, layer.parameters),
            layer.bytes as u64,
            0,
        ));
    }
    for section in description::sections(image.bytes()) {
        if section.name != PARAMETERS {
            let name = if section.name == "layers" { "what the layers are" } else { section.name };
            parts.push((name.to_owned(), section.bytes, 1));
        }
    }
    let all = image.bytes().len() as u64;
    let rest = all - parts.iter().map(|(_, bytes, _)| bytes).sum::<u64>().min(all);
    parts.push(("header, and gaps".to_owned(), rest, 1));
    let bar = |(name, bytes, colour): (String, u64, usize)| {
        let percent = 100.0 * bytes as f64 / all.max(1) as f64;
        let digits = if percent < 1.0 { 2 } else { 1 };
        let text = format!("{bytes} bytes, {percent:.digits$} %");
        Bar { name, value: bytes as f64, text, colour }
    };
    let bars = parts.into_iter().map(bar).collect();
    Ok(Bars { title: format!("{}: {all} bytes", image.name()), bars })
}
