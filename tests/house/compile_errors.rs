//! What the compiler says of models that do not fit: `cargo check` of a small crate, without a network.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Each program's name, its model, and what the first error must say.
const PROGRAMS: [(&str, &str, &str); 4] = [
    (
        "extents",
        "sequential! { pub type Wrong = [Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<31, 1, Sigmoid>]; }",
        "Wrong: layer 1 `Flatten<4, 8, 32>` gives 32 numbers, layer 2 `Dense<31, 1, Sigmoid>` takes 31 numbers",
    ),
    (
        "sequence",
        "sequential! { pub type Wrong = [Embedding<4, 50, 8>, Dense<8, 1>]; }",
        "Wrong: layer 0 `Embedding<4, 50, 8>` gives 4 x 8 numbers, layer 1 `Dense<8, 1>` takes 8 numbers",
    ),
    (
        "ids",
        "sequential! { pub type Wrong = [Dense<8, 4>, Embedding<4, 50, 8>]; }",
        "Wrong: layer 0 `Dense<8, 4>` gives 4 numbers, layer 1 `Embedding<4, 50, 8>` takes 4 ids of u16",
    ),
    (
        "within",
        "sequential! { pub type Wrong = [Embedding<4, 50, 8>, Flatten<4, 8, 31>, Dense<31, 1>]; }",
        "Flatten<LEN, DIM, OUT>: OUT must be LEN * DIM",
    ),
];

fn make(folder: &Path) {
    let root = env!("CARGO_MANIFEST_DIR");
    fs::create_dir_all(folder.join("src/bin")).expect("a folder");
    let manifest = format!(
        "[package]\nname = \"models\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [dependencies]\nnanoembed = {{ path = {root:?} }}\n\n[workspace]\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest).expect("a manifest");
    fs::copy(Path::new(root).join("Cargo.lock"), folder.join("Cargo.lock")).expect("the versions in use");
    for (name, model, _) in PROGRAMS {
        let text = format!(
            "use nanoembed::{{layers::*, sequential}};\n\n{model}\n\nfn main() {{\n    let _ = Wrong::zeroed();\n}}\n"
        );
        fs::write(folder.join(format!("src/bin/{name}.rs")), text).expect("a program");
    }
}

/// One error, at the line of the model, with the extents: where layers do not fit and where one's own sizes are wrong.
#[test]
fn models_that_do_not_fit_are_named_by_check() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("models");
    make(&folder);
    for (name, _, expected) in PROGRAMS {
        let output = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()))
            .args(["check", "--offline", "--quiet", "--color=never", "--bin", name])
            .current_dir(&folder)
            .env("CARGO_TARGET_DIR", folder.join("target"))
            .env_remove("RUSTFLAGS")
            .output()
            .expect("cargo runs");
        let text = String::from_utf8(output.stderr).expect("UTF-8");
        assert!(!output.status.success(), "{name} compiles");
        assert!(text.contains(expected), "{name}: {text}");
        assert!(text.contains(&format!("src/bin/{name}.rs:3:1")), "{name}: {text}");
        assert_eq!(text.matches("error[").count(), 1, "{name}: {text}");
    }
}
