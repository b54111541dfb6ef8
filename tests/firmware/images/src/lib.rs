//! What the images share: text to the host, the end of the run, stack and instructions used.
//!
//! Output is integers and hex by a few lines of our own: `core::fmt` would link panics and kilobytes.
#![no_std]

use core::hint::black_box;
use core::panic::PanicInfo;
use cortex_m::peripheral::{SYST, syst::SystClkSource};
use cortex_m_semihosting::{debug, nr, syscall1};
use nanoembed::models::{self, Classifier, Kinds, Workspace};
use nanoembed::text::TextKinds;
use parts::intents::{IDS, TEXTS};

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

/// A text of any length.
pub fn print_all(text: &str) {
    for c in text.chars() {
        print(c.encode_utf8(&mut [0; 4]));
    }
}

fn print_digits<const N: usize>(digits: [u8; N]) {
    if let Ok(text) = str::from_utf8(&digits) {
        print(text);
    }
}

/// 16 digits.
pub fn print_hex(number: u64) {
    let mut shift = 64;
    print_digits([0; 16].map(|_: u8| {
        shift -= 4;
        let digit = (number >> shift) as u8 & 15;
        if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }
    }));
}

pub fn print_decimal(number: u32) {
    let mut power = 1;
    while number / 10 >= power {
        power *= 10;
    }
    while let Some(digit) = number.checked_div(power) {
        print_digits([b'0' + (digit % 10) as u8]);
        power /= 10;
    }
}

/// `name hash` and a new line.
pub fn print_hash(name: &str, hash: u64) {
    print_all(name);
    print(" ");
    print_hex(hash);
    print("\n");
}

/// `name number` and a new line.
pub fn print_number(name: &str, number: u32) {
    print_all(name);
    print(" ");
    print_decimal(number);
    print("\n");
}

/// Ends the emulator: with status 0 if all went well.
pub fn exit(success: bool) -> ! {
    debug::exit(if success { debug::EXIT_SUCCESS } else { debug::EXIT_FAILURE });
    loop {
        cortex_m::asm::nop();
    }
}

/// Ends the emulator after the stack that was used and the instructions that one text took; without these nothing went well.
pub fn report(count: Option<u32>) -> ! {
    print_number("stack bytes", stack_used());
    print_number("instructions for one text", count.unwrap_or_default());
    exit(count.is_some())
}

/// Bytes of stack that were ever in use: the start-up code painted it all.
pub fn stack_used() -> u32 {
    unsafe extern "C" {
        static _stack_start: u32;
    }
    let mut word = cortex_m_rt::heap_start().cast_const();
    let end = &raw const _stack_start;
    // SAFETY: these words are RAM between the last static and the start of the stack; reads beyond the stack pointer are of paint.
    while word < end && unsafe { word.read_volatile() } == cortex_m_rt::STACK_PAINT_VALUE {
        word = word.wrapping_add(1);
    }
    (end.addr() - word.addr()) as u32
}

/// Instructions that `work` takes, if the emulator runs with `-icount shift=0`: one instruction is then one virtual nanosecond.
/// They are instructions, not cycles.
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
    start.wrapping_sub(SYST::get_current()) & MOST
}

/// Opens an image of intents, prints the answer to each text as the host does; gives the instructions that one text takes.
#[inline(never)]
pub fn answer<K: Kinds, T: TextKinds>(rows: &str, image: &[u8]) -> Option<u32> {
    let classifier = Classifier::<K, T>::with_text(models::open(image).ok()?).ok()?;
    let (mut ids, mut numbers) = ([0; IDS], [0.0; 32]);
    let mut workspace = Workspace { numbers: &mut numbers, masks: &mut [] };
    for text in TEXTS {
        let answer = classifier.classify(text, &mut ids, &mut workspace).ok()?;
        let (name, probability) = answer.map_or(("none", 0.0), |answer| (answer.name, answer.probability));
        print(rows);
        print(" ");
        print_hash(name, probability.to_bits().into());
    }
    let mut found = None;
    let count = instructions(|| {
        found = classifier.classify(black_box(TEXTS[3]), &mut ids, &mut workspace).ok().flatten();
    });
    found.map(|_| count)
}

/// Linked only where something can panic.
#[panic_handler]
fn panicked(info: &PanicInfo<'_>) -> ! {
    if let Some(place) = info.location() {
        print("panic at ");
        print_all(place.file());
        print(":");
        print_decimal(place.line());
        print("\n");
    }
    exit(false)
}
