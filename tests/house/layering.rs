//! The modules build on each other in one order: what a file imports stands above it, and within a folder no two files need
//! each other.
//!
//! Every path that starts with `crate::` or `super::` counts, in a `use` or anywhere else; unit tests (`#[cfg(test)]`) do not.

use crate::sources::{File, files, sources, tokens};
use std::collections::{BTreeMap, BTreeSet};

/// The order of `lib.rs`, with the modules that are still to come.
const ORDER: [&str; 27] = [
    "error",
    "message",
    "slices",
    "memory",
    "simd",
    "math",
    "random",
    "text",
    "table",
    "kernels",
    "sparse",
    "reference",
    "similarity",
    "optim",
    "passes",
    "recipe",
    "layers",
    "metrics",
    "loss",
    "image",
    "train",
    "models",
    "keras",
    "files",
    "weights",
    "vectors",
    "internals",
];
/// What the executable specification may rest on.
const UNDER_REFERENCE: [&str; 4] = ["error", "table", "math", "reference"];

fn texts(source: &str) -> Vec<String> {
    tokens(source).into_iter().map(|token| token.text).collect()
}

/// The paths of a tree such as `a::{b, c::d}`, each behind `prefix`; gives the place behind the tree.
fn tree(tokens: &[String], mut place: usize, prefix: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    let mut path = prefix.to_vec();
    loop {
        match tokens.get(place).map(String::as_str) {
            Some("{") => {
                place += 1;
                while tokens.get(place).is_some_and(|token| token != "}") {
                    place = tree(tokens, place, &path, paths);
                    place += usize::from(tokens.get(place).is_some_and(|token| token == ","));
                }
                return place + 1;
            }
            Some("super") if !path.is_empty() => drop(path.pop()),
            Some(name) => path.push(name.to_owned()),
            None => break,
        }
        place += 1;
        // `f::<T>()` ends the path as well.
        if tokens.get(place).is_none_or(|token| token != "::")
            || tokens.get(place + 1).is_some_and(|token| token == "<")
        {
            break;
        }
        place += 1;
    }
    if tokens.get(place).is_some_and(|token| token == "as") {
        place += 2;
    }
    paths.push(path);
    place
}

/// The full paths, from the root of the crate, that a file of module `module` names, unit tests left out.
fn paths(module: &[String], source: &str) -> Vec<Vec<String>> {
    let tokens = texts(source);
    let is = |place: usize, text: &str| tokens.get(place).is_some_and(|token| token == text);
    let mut found = Vec::new();
    // The inline modules that we are in, and how deep in braces each stands.
    let (mut inside, mut depth) = (module.to_vec(), 0);
    let mut inline: Vec<usize> = Vec::new();
    let mut place = 0;
    while place < tokens.len() {
        if is(place, "mod") && is(place + 2, "{") {
            inside.push(tokens[place + 1].clone());
            inline.push(depth);
            place += 2;
        }
        if is(place, "{") {
            depth += 1;
        } else if is(place, "}") {
            depth -= 1;
            if inline.last() == Some(&depth) {
                inline.pop();
                inside.pop();
            }
        } else if is(place, "crate") && is(place + 1, "::") {
            place = tree(&tokens, place + 2, &[], &mut found);
            continue;
        } else if is(place, "super") && is(place + 1, "::") {
            let parent = &inside[..inside.len().saturating_sub(1)];
            place = tree(&tokens, place + 2, parent, &mut found);
            continue;
        }
        place += 1;
    }
    found
}

/// Which child of `folder` each name that its `mod.rs` takes from a child comes from.
fn reexports(mod_rs: &str, children: &BTreeSet<String>) -> BTreeMap<String, String> {
    let tokens = texts(mod_rs);
    let mut names = BTreeMap::new();
    for place in (0..tokens.len()).filter(|&place| tokens[place] == "use") {
        let mut found = Vec::new();
        tree(&tokens, place + 1, &[], &mut found);
        for path in found {
            if let (Some(child), Some(name)) = (path.first(), path.last())
                && children.contains(child)
            {
                names.insert(name.clone(), child.clone());
            }
        }
    }
    names
}

fn violations(files: &[File]) -> Vec<String> {
    let mut wrong = Vec::new();
    let place = |name: &str| ORDER.iter().position(|module| *module == name);
    for (module, source) in files.iter().filter(|(module, _)| !module.is_empty()) {
        let file = module.join("/");
        let Some(own) = place(&module[0]) else {
            wrong.push(format!("{file} has no place in the order"));
            continue;
        };
        for path in paths(module, source) {
            // What is no module is a macro at the root of the crate.
            let Some(imported) = path.first().and_then(|name| place(name)) else { continue };
            let name = ORDER[imported];
            if imported > own
                || name == "reference" && !["reference", "internals"].contains(&module[0].as_str())
                || module[0] == "reference" && !UNDER_REFERENCE.contains(&name)
            {
                wrong.push(format!("{file} imports {}", path.join("::")));
            }
        }
    }
    wrong.extend(folders(files).into_iter().flat_map(|folder| cycles(&folder, files)));
    wrong
}

/// The modules that have children.
fn folders(files: &[File]) -> BTreeSet<Vec<String>> {
    files
        .iter()
        .filter(|(module, _)| module.len() > 1)
        .map(|(module, _)| module[..module.len() - 1].to_vec())
        .collect()
}

/// The children of `folder` that need each other. What `mod.rs` itself defines is shared by all.
fn cycles(folder: &[String], files: &[File]) -> Vec<String> {
    let child = |module: &[String]| module.strip_prefix(folder).and_then(|rest| rest.first()).cloned();
    let children: BTreeSet<String> = files.iter().filter_map(|(module, _)| child(module)).collect();
    let mod_rs = files.iter().find(|(module, _)| module == folder).map_or("", |(_, source)| source);
    let names = reexports(mod_rs, &children);
    let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (module, source) in files {
        let Some(own) = child(module) else { continue };
        for path in paths(module, source) {
            let Some(name) = child(&path) else { continue };
            let needed = if children.contains(&name) { Some(&name) } else { names.get(&name) };
            if let Some(needed) = needed.filter(|needed| **needed != own) {
                needs.entry(own.clone()).or_default().insert(needed.clone());
            }
        }
    }
    let reached = |from: &String| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(next) = open.pop() {
            for needed in needs.get(&next).into_iter().flatten() {
                if seen.insert(needed.clone()) {
                    open.push(needed.clone());
                }
            }
        }
        seen
    };
    let folder = folder.join("/");
    children
        .iter()
        .filter(|name| reached(name).contains(*name))
        .map(|name| format!("{folder}/{name} needs itself"))
        .collect()
}

#[test]
fn every_file_imports_from_above() {
    assert_eq!(violations(&sources()), Vec::<String>::new());
}

#[test]
fn lib_rs_declares_the_modules_in_the_order() {
    let files = sources();
    let (_, lib) = files.iter().find(|(module, _)| module.is_empty()).expect("lib.rs");
    let declared: Vec<&str> = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod "))
        .map(|name| name.trim_end_matches(';'))
        .collect();
    let expected: Vec<&str> = ORDER.into_iter().filter(|module| declared.contains(module)).collect();
    assert_eq!(declared, expected);
    assert!(declared.len() >= 13, "{declared:?}");
}

#[test]
fn the_files_are_read_right() {
    let files = sources();
    let imports = |file: &[&str], path: &[&str]| {
        let (module, source) = files.iter().find(|(module, _)| module == file).expect("the file");
        paths(module, source).iter().any(|found| found == path)
    };
    assert!(imports(&["layers", "chain"], &["error", "InputError"]));
    assert!(imports(&["layers", "chain"], &["layers", "flow", "Outputs"]));
    assert!(imports(&["layers", "chain"], &["layers", "Records"]));
    assert!(imports(&["sparse", "update"], &["simd", "Lanes"]));
    assert!(imports(&["train", "trainer"], &["memory", "boxed"]), "a path in the middle of an expression");
    assert!(!imports(&["simd", "level"], &["simd", "Kind"]), "an inline module's `super` is the file");
    assert!(imports(&["simd", "level"], &["simd", "level", "Kind"]));
}

#[test]
fn the_checker_catches_each_violation() {
    for (what, texts) in [
        ("from below", vec![("table/view", "use crate::layers::Layer;")]),
        ("nested", vec![("math", "use crate::{\n    simd,\n    optim::{Adam, self},\n};")]),
        ("in an expression", vec![("kernels/dot", "fn f() { crate::train::go(); }")]),
        ("through super", vec![("error", "fn f() { super::simd::go(); }")]),
        ("in an inline module", vec![("error", "mod x { use super::super::simd::Level; }")]),
        (
            "behind a test",
            vec![("error", "#[cfg(test)]\nmod tests { use crate::math; }\nuse crate::simd::Level;")],
        ),
        (
            "behind a string",
            vec![("error", "const A: &str = \"\\\"{\"; const B: char = '\"'; use crate::simd::Level;")],
        ),
        ("of the reference", vec![("train/x", "use crate::reference::dot;")]),
        ("by the reference", vec![("reference/x", "use crate::kernels::dot;")]),
        ("of a module without a place", vec![("helpers", "")]),
        ("in a circle", vec![("text/a", "use super::b::B;"), ("text/b", "use crate::text::a::A;")]),
        (
            "in a circle through mod.rs",
            vec![("text", "pub use b::B;"), ("text/a", "use super::B;"), ("text/b", "use super::a::A;")],
        ),
    ] {
        assert!(!violations(&files(&texts)).is_empty(), "{what}");
    }
}

#[test]
fn the_checker_lets_through_what_is_right() {
    for (what, texts) in [
        ("from above", vec![("layers/dense", "use crate::{error::E, kernels::{dot, gemm}};")]),
        ("in a comment", vec![("error", "//! [`x`](crate::train)\n/* crate::train */ // crate::train")]),
        ("in a string", vec![("error", "const A: &str = \"crate::train::x\";")]),
        ("in a unit test", vec![("error", "#[cfg(test)]\nmod tests { fn f() {} use crate::train::T; }")]),
        ("a macro of the root", vec![("error", "crate::include_image!(x);")]),
        (
            "siblings in one direction",
            vec![("text/a", "use super::b::B;"), ("text/b", "fn f<'a>(_: &'a str) {}")],
        ),
        (
            "what mod.rs defines",
            vec![("text", "mod a; use a::A; pub trait T {}"), ("text/a", "use super::T;")],
        ),
    ] {
        assert_eq!(violations(&files(&texts)), Vec::<String>::new(), "{what}");
    }
}
