//! A RISC-V processor with 32 bits on QEMU's board `virt`, without an operating system, and with a debugger that QEMU plays.

use core::arch::{asm, global_asm};

pub const PAINT: u32 = 0xcccc_cccc;

// QEMU puts the program where it is linked, and its memory is zero before: only the stack is made ready. `riscv.x` has the names.
global_asm!(
    ".section .text.start",
    ".global _start",
    "_start:",
    ".option push",
    ".option norelax",
    "la gp, __global_pointer$",
    ".option pop",
    "la sp, _stack_start",
    "la t0, _stack_lowest",
    "li t1, {paint}",
    "1: sw t1, 0(t0)",
    "addi t0, t0, 4",
    "bltu t0, sp, 1b",
    "call main",
    paint = const PAINT,
);

/// A call of the debugger; both emulators give the calls the numbers that Arm gave them.
fn semihosting(number: usize, argument: usize) {
    // SAFETY: these three instructions in one page are the call, by the specification; it reads memory and changes a0 alone.
    unsafe {
        asm!(
            ".balign 16",
            ".option push",
            ".option norvc",
            "slli x0, x0, 0x1f",
            "ebreak",
            "srai x0, x0, 7",
            ".option pop",
            inout("a0") number => _,
            in("a1") argument,
        );
    }
}

/// Up to 30 bytes of text to the host; more is cut off.
#[inline(never)]
pub fn print(text: &str) {
    const WRITE0: usize = 4;
    let mut buffer = [0_u8; 31];
    for (to, from) in buffer.iter_mut().take(30).zip(text.bytes()) {
        *to = from;
    }
    // The buffer ends with a zero, as this call asks for.
    semihosting(WRITE0, buffer.as_ptr().addr());
}

/// Ends the emulator: with status 0 if all went well.
pub fn exit(success: bool) -> ! {
    const EXIT: usize = 0x18;
    const APPLICATION_EXIT: usize = 0x2_0026;
    const RUN_TIME_ERROR: usize = 0x2_0023;
    semihosting(EXIT, if success { APPLICATION_EXIT } else { RUN_TIME_ERROR });
    loop {
        core::hint::spin_loop();
    }
}

/// The lowest word that the stack may reach, and the end of the stack. The start-up code painted all between.
pub fn stack() -> [*const u32; 2] {
    unsafe extern "C" {
        static _stack_lowest: u32;
        static _stack_start: u32;
    }
    [&raw const _stack_lowest, &raw const _stack_start]
}

/// Instructions that `work` takes.
pub fn instructions(work: impl FnOnce()) -> u32 {
    let start = retired();
    work();
    retired().wrapping_sub(start)
}

/// Instructions since the start.
fn retired() -> u32 {
    let count;
    // SAFETY: reads a counter.
    unsafe { asm!("csrr {}, minstret", out(reg) count) };
    count
}
