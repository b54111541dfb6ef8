//! Levels of SIMD instructions and their detection without `std`.

#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
use super::lanes::{Avx2, Avx512};
use super::lanes::{Baseline, Lanes};

/// A set of SIMD instructions that this processor is known to have.
///
/// The only ways to get one are [`Level::BASELINE`], [`Level::current`] and [`Level::available`], so holding
/// a `Level` proves that its instructions can be executed. All levels compute the same bits.
///
/// ```
/// use nanoembed::simd::Level;
/// assert!(Level::available().any(|level| level == Level::current()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(pub(super) Kind);

/// The levels with their proofs. The tokens have private fields, so safe code outside this folder cannot
/// forge one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Baseline(Baseline),
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    Avx2(Avx2),
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    Avx512(Avx512),
}

/// Lanes that say which level they prove, so that the body of a kernel may call another kernel.
pub(crate) trait LevelLanes: Lanes {
    fn level(self) -> Level;
}

impl LevelLanes for Baseline {
    #[inline(always)]
    fn level(self) -> Level {
        Level(Kind::Baseline(self))
    }
}

#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
impl LevelLanes for Avx2 {
    #[inline(always)]
    fn level(self) -> Level {
        Level(Kind::Avx2(self))
    }
}

#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
impl LevelLanes for Avx512 {
    #[inline(always)]
    fn level(self) -> Level {
        Level(Kind::Avx512(self))
    }
}

impl Level {
    /// What the target was compiled for: SSE2, NEON, simd128 or plain floats. Always there.
    pub const BASELINE: Self = Self(Kind::Baseline(Baseline::TOKEN));

    /// The level kernels run at: the best one of this processor, unless [`set_current`](Self::set_current)
    /// lowered it.
    #[inline]
    pub fn current() -> Self {
        #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
        return x86::current();
        #[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
        Self::BASELINE
    }

    /// All levels of this processor, the lowest first.
    pub fn available() -> impl Iterator<Item = Self> {
        #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
        return x86::available();
        #[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
        core::iter::once(Self::BASELINE)
    }

    /// Lets all later kernel calls of the process run at this level: for tests and benches, which compare
    /// levels.
    pub fn set_current(self) {
        #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
        x86::set_current(self);
    }

    /// `"avx512"`, `"avx2"`, or the baseline's: `"sse2"`, `"neon"`, `"simd128"`, `"scalar"`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Baseline(_) => Baseline::NAME,
            #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
            Kind::Avx2(_) => "avx2",
            #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
            Kind::Avx512(_) => "avx512",
        }
    }

    #[inline(always)]
    pub(crate) fn kind(self) -> Kind {
        self.0
    }
}

#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod x86 {
    use super::{Avx2, Avx512, Kind, Level};
    use core::arch::x86_64::{__cpuid_count, _xgetbv};
    use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

    const UNKNOWN: u8 = 0;
    const BASELINE: u8 = 1;
    const AVX2: u8 = 2;
    const AVX512: u8 = 3;

    /// The one byte of global state: the level kernels run at. Any thread that finds it unknown writes the
    /// same value.
    static CURRENT: AtomicU8 = AtomicU8::new(UNKNOWN);

    #[inline]
    pub(super) fn current() -> Level {
        match CURRENT.load(Relaxed) {
            UNKNOWN => first_use(),
            // SAFETY: only codes that `detect` gave, or lower ones, are ever stored.
            code => unsafe { level(code) },
        }
    }

    #[cold]
    fn first_use() -> Level {
        let code = detect();
        CURRENT.store(code, Relaxed);
        // SAFETY: `detect` saw the level.
        unsafe { level(code) }
    }

    pub(super) fn available() -> impl Iterator<Item = Level> {
        // SAFETY: every level includes the ones below it, and `detect` saw the highest.
        (BASELINE..=detect()).map(|code| unsafe { level(code) })
    }

    pub(super) fn set_current(level: Level) {
        let code = match level.0 {
            Kind::Baseline(_) => BASELINE,
            Kind::Avx2(_) => AVX2,
            Kind::Avx512(_) => AVX512,
        };
        CURRENT.store(code, Relaxed);
    }

    /// # Safety
    /// The processor and the operating system support the level with this code.
    #[inline(always)]
    unsafe fn level(code: u8) -> Level {
        match code {
            // SAFETY: the caller's promise.
            AVX512 => Level(Kind::Avx512(unsafe { Avx512::new() })),
            // SAFETY: the caller's promise.
            AVX2 => Level(Kind::Avx2(unsafe { Avx2::new() })),
            _ => Level::BASELINE,
        }
    }

    /// Asks the processor for its features (CPUID leaves 1 and 7) and the operating system for the registers
    /// that it saves (XCR0).
    fn detect() -> u8 {
        let has = |register: u32, bit: u32| register >> bit & 1 == 1;
        if __cpuid_count(0, 0).eax < 7 {
            return BASELINE;
        }
        let (leaf1, leaf7) = (__cpuid_count(1, 0), __cpuid_count(7, 0));
        let osxsave = has(leaf1.ecx, 27);
        // SAFETY: OSXSAVE says that XGETBV can be executed.
        let saved = if osxsave { unsafe { xcr0() } } else { 0 };
        let ymm = saved & 0b110 == 0b110;
        let zmm = saved & 0b1110_0110 == 0b1110_0110;
        let (avx, f16c) = (has(leaf1.ecx, 28), has(leaf1.ecx, 29));
        let fma = has(leaf1.ecx, 12);
        let (avx2, bmi2) = (has(leaf7.ebx, 5), has(leaf7.ebx, 8));
        let avx512 = [16, 17, 30, 31].iter().all(|&bit| has(leaf7.ebx, bit)); // F, DQ, BW, VL
        match ymm && avx && f16c && fma && avx2 && bmi2 {
            true if zmm && avx512 => AVX512,
            true => AVX2,
            false => BASELINE,
        }
    }

    #[target_feature(enable = "xsave")]
    fn xcr0() -> u64 {
        // SAFETY: this function's feature is XGETBV's.
        unsafe { _xgetbv(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::Level;
    use std::vec::Vec;

    #[test]
    fn levels_ascend_from_the_baseline_and_the_current_one_is_among_them() {
        let levels: Vec<Level> = Level::available().collect();
        assert_eq!(levels[0], Level::BASELINE);
        assert!(levels.is_sorted());
        assert!(levels.contains(&Level::current()));
    }

    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    #[test]
    fn detection_agrees_with_the_standard_library() {
        let best = Level::available().last().unwrap().name();
        let avx512 = std::is_x86_feature_detected!("avx512f")
            && std::is_x86_feature_detected!("avx512bw")
            && std::is_x86_feature_detected!("avx512dq")
            && std::is_x86_feature_detected!("avx512vl");
        let avx2 = std::is_x86_feature_detected!("avx2")
            && std::is_x86_feature_detected!("f16c")
            && std::is_x86_feature_detected!("fma")
            && std::is_x86_feature_detected!("bmi2");
        assert_eq!(
            best,
            if avx2 && avx512 {
                "avx512"
            } else if avx2 {
                "avx2"
            } else {
                "sse2"
            }
        );
    }
}
