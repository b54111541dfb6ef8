//! A Cortex-M, with a debugger that QEMU plays.

use cortex_m::peripheral::{SYST, syst::SystClkSource};
use cortex_m_semihosting::{debug, nr, syscall1};

pub const PAINT: u32 = cortex_m_rt::STACK_PAINT_VALUE;

/// Up to 30 bytes of text to the host; more is cut off.
#[inline(never)]
pub fn print(text: &str) {
    let mut buffer = [0_u8; 31];
    for (to, from) in buffer.iter_mut().take(30).zip(text.bytes()) {
        *to = from;
    }
    // SAFETY: the buffer ends with a zero, as this call asks for, and outlives it.
    unsafe { syscall1(nr::WRITE0, buffer.as_ptr().addr()) };
}

/// Ends the emulator: with status 0 if all went well.
pub fn exit(success: bool) -> ! {
    debug::exit(if success { debug::EXIT_SUCCESS } else { debug::EXIT_FAILURE });
    loop {
        cortex_m::asm::nop();
    }
}

/// The lowest word that the stack may reach, and the end of the stack. The start-up code painted all between.
pub fn stack() -> [*const u32; 2] {
    unsafe extern "C" {
        static _stack_start: u32;
    }
    [cortex_m_rt::heap_start().cast_const(), &raw const _stack_start]
}

/// Instructions that `work` takes.
///
/// The timer counts down from 2^24 once and ticks every few instructions; a loop of known length tells how many.
pub fn instructions(work: impl FnOnce()) -> u32 {
    const KNOWN: u32 = 200_000;
    let known = ticks(|| {
        // SAFETY: counts a register down to zero; two instructions a turn.
        unsafe { core::arch::asm!("1:", "subs {n}, #1", "bne 1b", n = inout(reg) KNOWN / 2 => _) };
    });
    let ticks = u64::from(ticks(work)) * u64::from(KNOWN);
    ticks.checked_div(u64::from(known)).unwrap_or_default() as u32
}

fn ticks(work: impl FnOnce()) -> u32 {
    const MOST: u32 = 0x00ff_ffff;
    // SAFETY: nothing else uses the timer, nor runs at the same time.
    let mut timer: SYST = unsafe { cortex_m::Peripherals::steal() }.SYST;
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(MOST);
    timer.clear_current();
    timer.enable_counter();
    let start = SYST::get_current();
    work();
    let ticks = start.wrapping_sub(SYST::get_current()) & MOST;
    if timer.has_wrapped() {
        print("more instructions than the timer counts\n");
        exit(false);
    }
    ticks
}
