//! WebAssembly; `run.mjs` has the two functions of the host. Stack and instructions are nothing that it could tell.

#[link(wasm_import_module = "host")]
unsafe extern "C" {
    fn write(text: *const u8, length: usize);
    #[link_name = "exit"]
    fn exit_with(status: i32) -> !;
}

pub fn print(text: &str) {
    // SAFETY: the host reads these bytes of the memory and keeps nothing.
    unsafe { write(text.as_ptr(), text.len()) };
}

/// Ends the run: with status 0 if all went well.
pub fn exit(success: bool) -> ! {
    // SAFETY: the host does not come back.
    unsafe { exit_with(i32::from(!success)) }
}
