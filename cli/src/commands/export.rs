//! `export`: a model for another program.

use crate::arguments::{Export, Target};
use crate::export;
use crate::failure::Failure;
use crate::image_file::{self, ImageFile};
use std::io::{self, Write};

pub(crate) fn run(arguments: &Export) -> Result<(), Failure> {
    if let Some(output) = &arguments.output {
        image_file::check_apart(output, [arguments.model.as_path()])?;
    }
    let image = ImageFile::read(&arguments.model)?;
    let model = image.model()?;
    let name =
        arguments.model.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let bytes = match arguments.to {
        Target::Rust => export::rust_module(&model, &name)?.into_bytes(),
        Target::C => export::c_array(&name, image.bytes()).into_bytes(),
        Target::Npz => export::npz(&model)?,
        Target::Safetensors => export::safetensors(&model)?,
    };
    match &arguments.output {
        Some(path) => image_file::write(path, &bytes),
        None => {
            let mut out = io::stdout().lock();
            out.write_all(&bytes).and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
        }
    }
}
