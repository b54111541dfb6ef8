//! `import`: a model of Keras as an image.

use super::print;
use crate::arguments::Import;
use crate::failure::Failure;
use crate::image_file::{self, ImageFile};
use crate::import;
use nanoembed::image::Contents;
use nanoembed::models::{All, Model, Recipe};
use nanoembed::table::RowFormat;

pub(crate) fn run(arguments: &Import) -> Result<(), Failure> {
    image_file::check_apart(&arguments.output, [arguments.model.as_path()])?;
    let imported = import::read(&arguments.model, arguments.length.map(|length| length as usize))?;
    let fails =
        |error: &dyn std::fmt::Display| Failure::model(format!("{}: {error}", arguments.model.display()));
    let recipe = Recipe::<All>::new(&imported.records).map_err(|error| fails(&error))?;
    let model = Model::new(recipe, &imported.parameters).map_err(|error| fails(&error))?;
    let classes: Vec<&str> = arguments.classes.iter().map(String::as_str).collect();
    let contents = Contents { classes: &classes, ..Contents::default() };
    let name = arguments.output.display().to_string();
    let mut image = ImageFile::zeros(&name, model.shipped_size_with(RowFormat::F32, &contents));
    model.ship_with(RowFormat::F32, &contents, image.bytes_mut()).map_err(|error| fails(&error))?;
    image.model()?;
    image.write(&arguments.output)?;
    print(&format!("{name}: {} bytes\n{}\n", image.bytes().len(), recipe.summary()))
}
