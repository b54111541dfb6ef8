//! Links the images by cortex-m-rt's script and the memory map of the board that stands beside this file.

use std::path::PathBuf;

fn main() {
    let target = std::env::var("TARGET").expect("cargo sets it");
    let map = if target.starts_with("thumbv6m") { "microbit.x" } else { "mps2.x" };
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    std::fs::copy(map, out.join("memory.x")).expect("a file of this folder");
    println!("cargo:rerun-if-changed={map}");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rustc-link-arg-bins=--gc-sections");
}
