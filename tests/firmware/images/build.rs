//! Links the images for the board that stands for their target: on a Cortex-M by cortex-m-rt's script and the memory map of the
//! board, on RISC-V by a script of our own. The maps stand beside this file.

use std::path::PathBuf;

fn main() {
    let target = std::env::var("TARGET").expect("cargo sets it");
    let roomy = std::env::var_os("CARGO_FEATURE_DIGEST").is_some();
    let map = match target.as_str() {
        _ if target.starts_with("wasm") => {
            println!("cargo:rustc-link-arg-bins=--export=main");
            println!("cargo:rustc-link-arg-bins=-zstack-size=4194304");
            return;
        }
        _ if target.starts_with("riscv32") => "riscv.x",
        _ if target.starts_with("thumbv6m") && roomy => "roomy.x",
        _ if target.starts_with("thumbv6m") => "microbit.x",
        _ if target.starts_with("thumbv8m") => "an505.x",
        _ => "mps2.x",
    };
    let riscv = map == "riscv.x";
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    std::fs::copy(map, out.join(if riscv { map } else { "memory.x" })).expect("a file of this folder");
    println!("cargo:rerun-if-changed={map}");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rustc-link-arg-bins={}", if riscv { "-Triscv.x" } else { "-Tlink.x" });
    println!("cargo:rustc-link-arg-bins=--gc-sections");
}
