//! `plot confusion`: how often each class was taken for each other.

use crate::arguments::Confusion;
use crate::columns;
use crate::commands::{evaluate::warn_of_strangers, threads};
use crate::data::{Labelled, Source};
use crate::evaluation;
use crate::failure::Failure;
use crate::image_file::ImageFile;
use crate::plot::{self, Heat};

pub(super) fn run(arguments: &Confusion) -> Result<(), Failure> {
    plot::check(&arguments.output, [arguments.model.as_path(), arguments.data.as_path()])?;
    let image = ImageFile::read(&arguments.model)?;
    let classifier = image.classifier()?;
    let source = Source::from(arguments.data.as_path());
    let names = image.class_names(&classifier.model())?;
    let reading = arguments.data_options.reading(columns::of_model(&classifier.model()));
    let data = Labelled::read_as(&source, &reading, names)?;
    warn_of_strangers(&source, &data);
    let scores = evaluation::evaluate(&classifier, &data, &[], threads(arguments.threads))?;
    let classes = data.names.len();
    // Whether some text was taken for none of the classes.
    let for_none = (0..classes).any(|class| scores.confused(class, None) > Some(0));
    let columns = || (0..classes).map(Some).chain(for_none.then_some(None));
    let cells = (0..classes).flat_map(|class| columns().map(move |other| (class, other)));
    let counts: Option<Vec<u64>> = cells.map(|(class, other)| scores.confused(class, other)).collect();
    let counts = counts.ok_or_else(|| {
        Failure::data(
            source.name(),
            "some line has several labels: each is a question of its own, see `evaluate`",
        )
    })?;
    let none = for_none.then(|| "(none)".to_owned());
    let picture = Heat {
        title: format!("{} of {} texts right: accuracy {:.4}", scores.right, scores.texts, scores.accuracy()),
        axes: ["class".to_owned(), "taken for".to_owned()],
        columns: data.names.iter().cloned().chain(none).collect(),
        lines: data.names,
        counts,
    };
    plot::write(&arguments.output, &picture)
}
