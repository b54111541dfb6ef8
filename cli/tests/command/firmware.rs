//! A project of firmware: what is written, and what is refused. `.ci/run command` builds and runs such projects.

use super::{Folder, fail, succeed, tsv};
use std::fs;
use std::path::Path;

#[test]
fn a_project_is_written() {
    let folder = Folder::new("firmware");
    let data = folder.write("train.tsv", tsv());
    let model = folder.train(&data, "a.nemb", &["--numbers", "u8"]);
    let firmware = folder.path("firmware");
    let here = env!("CARGO_MANIFEST_DIR");
    let to = ["export", &model, "--to", "firmware", "-o", &firmware, "--nanoembed", here];
    succeed(&[&to[..], &["--try", "cold \"{soup}\"", "--board", "cortex-m0"]].concat());
    let file =
        |name: &str| fs::read_to_string(Path::new(&firmware).join(name)).expect("a file of the project");
    let main = file("src/main.rs");
    for part in [
        "type Layers = (Dense<Softmax>, EmbeddingBag<U8>);",
        "type Text = (Ascii, Marks, NativeHash, Subwords);",
        "use nanoembed::layers::Softmax;",
        r#""cold \"{soup}\"","#,
    ] {
        assert!(main.contains(part), "{part}: {main}");
    }
    // Nothing is left of the templates' names.
    for name in ["{layers}", "{text}", "{uses}", "{board}", "{ids}", "{numbers}"] {
        assert!(!main.contains(name), "{name}: {main}");
    }
    assert!(file(".cargo/config.toml").contains("thumbv6m-none-eabi"));
    assert!(file("Cargo.toml").contains(&format!("path = {here:?}")));
    assert!(file("memory.x").contains("256K") && file("README.md").contains("cargo run --release"));
    assert!(fs::read(Path::new(&firmware).join("src/model.nemb")).ok() == fs::read(&model).ok());

    // It is there already, and stays as it is.
    assert!(fail(&to, 5).contains("name a new folder"));
    assert_eq!(file("src/main.rs"), main);
    assert_eq!(fs::read_dir(&folder.0).expect("a folder").count(), 3);
}

#[test]
fn a_project_of_columns() {
    let folder = Folder::new("firmware-columns");
    let rows = "go\tclear\t25\nstay\tfog\t1\n".repeat(9);
    let data = folder.write("train.tsv", format!("label\tsky\tdegrees\n{rows}"));
    let (model, firmware) = (folder.path("a.nemb"), folder.path("firmware"));
    succeed(&["train", &data, "-q", "--categorical", "sky", "--numeric", "degrees", "-o", &model]);
    succeed(&["export", &model, "--to", "firmware", "-o", &firmware, "--try", "clear\t20"]);
    let main = fs::read_to_string(Path::new(&firmware).join("src/main.rs")).expect("the program");
    let (import, kinds) = ("use nanoembed::text::Columns;", "type Text = (Columns<'static>,);");
    for part in [import, kinds, r#""clear\t20","#] {
        assert!(main.contains(part), "{part}: {main}");
    }
    for (row, code) in [("clear", 3), ("clear\tx", 3), ("clear,20", 2)] {
        let other = folder.path("other");
        let message = fail(&["export", &model, "--to", "firmware", "-o", &other, "--try", row], code);
        assert!(message.contains("--try"), "{message}");
    }
    // Without a row of one's own there is one of the columns.
    let usual = folder.path("usual");
    succeed(&["export", &model, "--to", "firmware", "-o", &usual]);
    let main = fs::read_to_string(Path::new(&usual).join("src/main.rs")).expect("the program");
    assert!(main.contains(r#""clear\t1","#), "{main}");
}

#[test]
fn what_a_recurrent_model_links() {
    let folder = Folder::new("firmware-lstm");
    let data = folder.write("train.tsv", tsv());
    let model = folder.train(&data, "a.nemb", &["--model", "lstm", "--units", "4", "--epochs", "1"]);
    let firmware = folder.path("firmware");
    succeed(&["export", &model, "--to", "firmware", "-o", &firmware]);
    let main = fs::read_to_string(Path::new(&firmware).join("src/main.rs")).expect("the program");
    assert!(main.contains("kinds::{Dense, Embedding, Lstm}"), "{main}");
}

#[test]
fn projects_that_cannot_be_written() {
    let folder = Folder::new("no-firmware");
    let data = folder.write("train.tsv", tsv());
    let model = folder.train(&data, "a.nemb", &[]);
    let to = ["export", &model, "--to", "firmware"];
    assert!(fail(&to, 2).contains("--output"));
    let firmware = folder.path("firmware");
    fail(&[&to[..], &["-o", &firmware, "--nanoembed", &folder.path("")]].concat(), 2);
    fail(&[&to[..], &["-o", &firmware, "--nanoembed", &folder.path("none")]].concat(), 5);
    fail(&[&to[..], &["-o", &folder.path("none/firmware")]].concat(), 5);
    let large = folder.path("large.nemb");
    succeed(&["train", &data, "-o", &large, "-q", "--rows", "20000", "--dim", "8", "--epochs", "1"]);
    let small_board = ["export", &large, "--to", "firmware", "-o", &firmware, "--board", "cortex-m0"];
    assert!(fail(&small_board, 2).contains("flash of the board"));
    // How text becomes ids is not in a file of Keras.
    let keras =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/oracle/loaders/embedding_lstm_dense.keras");
    let imported = folder.path("keras.nemb");
    succeed(&["import", &keras.display().to_string(), "-o", &imported]);
    fail(&["export", &imported, "--to", "firmware", "-o", &firmware], 4);
    assert!(!Path::new(&firmware).exists());
}
