//! `plot`: what pictures hold, and that the figure of two tables shows what it claims.

use super::{Folder, fail, json, run, succeed, text, tsv};
use std::fs;
use std::process::Command;

const SENTENCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/hotel/texts.tsv");
const WORDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/hotel/words.tsv");

/// Width, height and colours of a PNG.
fn pixels(path: &str) -> (u32, u32, Vec<u8>) {
    let bytes = fs::read(path).expect("a picture");
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut pixels).expect("pixels");
    let is_white = |pixel: &[u8]| pixel == [255; 3];
    let coloured = pixels.chunks_exact(3).filter(|pixel| !is_white(pixel)).count();
    assert!(coloured > 1000, "an empty picture");
    (info.width, info.height, pixels)
}

/// Width and height of a PNG that can be read.
fn png(path: &str) -> (u32, u32) {
    let (width, height, _) = pixels(path);
    (width, height)
}

/// The texts of an SVG.
fn texts(path: &str) -> Vec<String> {
    let svg = fs::read_to_string(path).expect("a picture");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
    assert!(!svg.contains("NaN") && !svg.contains("inf\""), "{svg}");
    let text = |part: &str| Some(part.split_once(">\n")?.1.split_once("\n</text>")?.0.to_owned());
    svg.split("<text ").skip(1).map(|part| text(part).expect("a text")).collect()
}

/// Lines of fields.
fn fields(out: &str) -> Vec<Vec<&str>> {
    out.lines().map(|line| line.split('\t').collect()).collect()
}

#[test]
fn a_supervised_table_groups_by_class_and_word2vec_by_meaning() {
    let folder = Folder::new("two-tables");
    let (model, vectors) = (folder.path("a.nemb"), folder.path("v.txt"));
    let bare = ["--words", "1", "--characters", "0", "--rows", "1024", "--dim", "16", "-q"];
    succeed(&[&["train", SENTENCES, "-o", &model], &bare[..]].concat());
    let sentences = fs::read_to_string(SENTENCES).expect("sentences");
    let bare = |line: &str| format!("{}\n", line.split_once('\t').expect("a label").1);
    let corpus = folder.write("corpus.txt", sentences.lines().map(bare).collect::<String>());
    succeed(&["word2vec", &corpus, "-q", "--dim", "16", "--epochs", "30", "--sample", "0", "-o", &vectors]);

    let picture = folder.path("map.svg");
    let plot = ["plot", "map", &model, &vectors, "--groups", WORDS, "-o", &picture];
    let out = succeed(&plot);
    let lines = fields(&out);
    assert_eq!(lines[0], ["file", "words", "groups", "purity of 5", "by chance"]);
    let mut purities = Vec::new();
    let all = [(&model, "class"), (&model, "meaning"), (&vectors, "class"), (&vectors, "meaning")];
    for ((file, grouping), line) in all.iter().zip(&lines[1..]) {
        assert_eq!(line[..3], [file.as_str(), "48", grouping]);
        purities.push((line[3].parse::<f64>().expect("a number"), line[4].parse::<f64>().expect("a number")));
    }
    // Of 47 others 23 are of the class, and 11 of the meaning.
    assert_eq!((purities[0].1, purities[1].1), (0.4894, 0.2340));
    let [by_class, by_meaning] = [purities[0].0, purities[1].0];
    let [class_beside, meaning_beside] = [purities[2].0, purities[3].0];
    assert!(by_class > 0.95 && class_beside < 0.65, "{out}");
    assert!(meaning_beside > 0.95 && by_meaning < 0.4, "{out}");

    let texts = texts(&picture);
    let times = |text: &str| texts.iter().filter(|found| *found == text).count();
    // Each word in both maps.
    for word in ["delicious", "stale", "overpriced", "rude"] {
        assert_eq!(times(word), 2, "{word}: {texts:?}");
    }
    for legend in ["class:", "meaning:", "good", "bad", "food", "room", "staff", "price"] {
        assert_eq!(times(legend), 1, "{legend}: {texts:?}");
    }
    let note = format!("same class among the 5 nearest: {:.0} % (by chance 49 %)", 100.0 * by_class);
    assert!(times(&note) >= 1, "{note}: {texts:?}");

    // The same bytes again; and a bitmap of the same size.
    let first = fs::read(&picture).expect("a picture");
    succeed(&plot);
    assert_eq!(first, fs::read(&picture).expect("a picture"));
    let bitmap = folder.path("map.png");
    let titles = ["--titles", "labels,words beside", "--neighbours", "1"];
    let out = succeed(
        &[&["plot", "map", &model, &vectors, "--groups", WORDS, "-o", &bitmap], &titles[..]].concat(),
    );
    assert!(out.starts_with("file\twords\tgroups\tpurity of 1\t"), "{out}");
    let (width, height) = png(&bitmap);
    let svg = text(&first);
    assert!(svg.starts_with(&format!("<svg width=\"{width}\" height=\"{height}\"")), "{width} x {height}");
}

/// The script that draws the committed picture draws this one.
#[cfg(unix)]
#[test]
fn the_figure_is_drawn_by_its_script() {
    let folder = Folder::new("figure");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/hotel/figure.sh");
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_nanoembed")).parent().expect("a folder");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("a PATH"));
    let run = Command::new("bash").arg(script).arg(&folder.0).env("PATH", path).output().expect("bash");
    assert!(run.status.success(), "{}", text(&run.stderr));
    let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/pictures/two-tables");
    let read = |path: String| fs::read(path).expect("a picture");
    assert!(read(folder.path("two-tables.svg")) == read(format!("{committed}.svg")), "SVG: run the script");
    assert!(
        pixels(&folder.path("two-tables.png")) == pixels(&format!("{committed}.png")),
        "PNG: run the script"
    );
}

#[test]
fn chosen_words_and_texts() {
    let folder = Folder::new("words");
    let vectors =
        folder.write("v.txt", "soup 1 0 0\nfish 0.9 0.1 0\nbed 0 1 0.2\nroom 0 0.9 0.1\nloud 0.3 0.3 1\n");
    let picture = folder.path("map.svg");
    let words = "soup,fish,bed,room,loud room,unheard";
    let output = run(&["plot", "map", &vectors, "--words", words, "-o", &picture]);
    assert!(output.status.success() && output.stdout.is_empty());
    assert!(
        text(&output.stderr).contains("1 words have no row and are left out: unheard"),
        "{}",
        text(&output.stderr)
    );
    let found = texts(&picture);
    assert!(found.contains(&"loud room".to_owned()) && !found.contains(&"unheard".to_owned()), "{found:?}");

    let list = folder.write("list.txt", "soup\nfish\nbed\n");
    let groups = folder.write("groups.tsv", "soup\tfood\nfish\tfood\nbed\troom\nroom\troom\n");
    let more = ["--groups", &groups, "--neighbours", "1", "-o", &picture];
    let out = succeed(&[&["plot", "map", &vectors, "--words-file", &list], &more[..]].concat());
    // The bed is nearest to food, as no other room is on the map.
    assert_eq!(fields(&out)[1], [vectors.as_str(), "3", "group", "0.6667", "0.3333"]);
    let out = succeed(&[&["plot", "map", &vectors], &more[..]].concat());
    assert_eq!(fields(&out)[1][1..4], ["4", "group", "1.0000"]);
}

#[test]
fn curves_of_trainings() {
    let folder = Folder::new("trainings");
    let data = folder.write("train.tsv", tsv());
    let (model, picture) = (folder.path("a.nemb"), folder.path("curves.png"));
    let settings = ["--rows", "256", "--dim", "8", "--epochs", "5", "--hold-out", "0.2"];
    let plot = ["train", &data, "-o", &model, "--plot", &picture, "--json", "-q"];
    let out = succeed(&[&plot[..], &settings].concat());
    assert_eq!(png(&picture), (1600, 560));
    let lines: Vec<serde_json::Value> = out.lines().map(json).collect();
    assert_eq!(lines.len(), 6, "{out}");
    for (line, number) in lines.iter().zip(1..=5) {
        assert_eq!(line["epoch"], number);
        assert!(
            line["learnt"]["loss"].as_f64() > Some(0.0) && line["held_out"]["accuracy"].is_f64(),
            "{line}"
        );
    }
    assert_eq!(lines[5]["bytes"], fs::metadata(&model).expect("a model").len());

    let (log, svg) = (folder.write("first.jsonl", &out), folder.path("curves.svg"));
    succeed(&["plot", "training", &log, "-o", &svg]);
    let found = texts(&svg);
    for text in ["loss", "accuracy", "learnt from", "held out"] {
        assert!(found.iter().any(|found| found == text), "{text}: {found:?}");
    }
    let marks = fs::read_to_string(&svg).expect("a picture").matches("<circle").count();
    assert_eq!(marks, 4 * 5);
    let other = folder.write("second.jsonl", &out);
    succeed(&["plot", "training", &log, &other, "-o", &svg]);
    assert!(texts(&svg).contains(&"second, held out".to_owned()));
}

#[test]
fn a_confusion_and_the_bytes_of_a_model() {
    let folder = Folder::new("confusion");
    let data = folder.write("train.tsv", tsv());
    let model = folder.train(&data, "a.nemb", &[]);
    // Two texts of a room that are taken for food, as their words say.
    let test = folder.write("test.tsv", format!("{}room\tcold soup\nroom\ta fish soup\n", tsv()));
    let (svg, bitmap) = (folder.path("c.svg"), folder.path("c.png"));
    succeed(&["plot", "confusion", &model, &test, "-o", &svg]);
    let found = texts(&svg);
    assert_eq!(found[0], "18 of 20 texts right: accuracy 0.9000");
    let count = |text: &str| found.iter().filter(|found| *found == text).count();
    assert_eq!((count("6"), count("2"), count("food"), count("price")), (3, 1, 2, 2));
    succeed(&["plot", "confusion", &model, &test, "-o", &bitmap]);
    assert!(png(&bitmap).0 >= 320);

    succeed(&["plot", "bytes", &model, "-o", &svg]);
    let found = texts(&svg);
    let all = fs::metadata(&model).expect("a model").len();
    assert_eq!(found[0], format!("{model}: {all} bytes"));
    // 256 rows of 8 numbers of 4 bytes; the parts are the whole.
    assert!(found.contains(&"0: EmbeddingBag, 2048 numbers".to_owned()), "{found:?}");
    let bytes = |text: &String| text.split_once(" bytes, ").and_then(|(bytes, _)| bytes.parse::<u64>().ok());
    let parts: Vec<u64> = found.iter().filter_map(bytes).collect();
    assert!(parts.contains(&8192) && parts.iter().sum::<u64>() == all, "{parts:?}");
    succeed(&["plot", "bytes", &model, "-o", &bitmap]);
    assert_eq!(png(&bitmap).0, 1200);
}

#[test]
fn what_cannot_be_drawn_is_told() {
    let folder = Folder::new("no-picture");
    let data = folder.write("train.tsv", tsv());
    let model = folder.train(&data, "a.nemb", &["--epochs", "1"]);
    let folded = folder.path("folded.nemb");
    succeed(&["quantise", &model, "--fold", "i8", "-o", &folded]);
    let vectors = folder.write("v.txt", "a 1 0\nb 0 1\nc 1 1\n");
    let twice = folder.write("twice.tsv", "a\tx\nb\ty\na\ty\n");
    let some = folder.write("some.tsv", "a\tx\nb\ty\n");
    let two = folder.write("two.tsv", "food,room\tcold soup\n");
    let several = folder.path("several.nemb");
    let labels = folder.write("l.txt", "__label__a __label__b soup\n__label__a fish\n__label__b bed\n");
    succeed(&["train", &labels, "-q", "-o", &several, "--rows", "64", "--dim", "4", "--epochs", "1"]);
    let out = folder.path("map.svg");
    let cases: [(&[&str], i32, &str); 13] = [
        (&["plot", "map", &vectors, "--words", "a,b,c", "-o", "map.jpg"], 2, "ends with .svg or .png"),
        (&["plot", "map", &vectors, "-o", &out], 2, "--words"),
        (&["plot", "map", &vectors, "--words", "a,b", "-o", &out], 2, "give 3 or more"),
        (&["plot", "map", &vectors, "--words", "x,y,z", "-o", &out], 3, "none of the words"),
        (&["plot", "map", &vectors, "--groups", &twice, "-o", &out], 3, "twice.tsv:3:1: \"a\" came before"),
        (&["plot", "map", &vectors, "--words", "c,a", "--groups", &some, "-o", &out], 3, "no group of \"c\""),
        (
            &["plot", "map", &vectors, "--words", "a,b,c", "--titles", "one,two", "-o", &out],
            2,
            "2 titles for 1 files",
        ),
        (&["plot", "map", &folded, "--words", "a,b,c", "-o", &out], 4, "before it was folded"),
        (&["plot", "training", &data, "-o", &out], 3, "train.tsv:1:"),
        (&["plot", "training", &two, "-o", &out], 3, "train --json"),
        (&["plot", "confusion", &several, &labels, "-o", &out], 3, "several labels"),
        (&["plot", "bytes", &data, "-o", &out], 4, "train.tsv"),
        (&["train", &data, "-o", &model, "--plot", "curve.txt"], 2, "ends with .svg or .png"),
    ];
    for (arguments, code, expected) in cases {
        let message = fail(arguments, code);
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
    assert!(!fs::exists(&out).expect("a folder"), "written");
    fail(&["plot", "bytes", &model, "-o", &folder.path("none/map.svg")], 5);
}
