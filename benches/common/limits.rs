//! What no kernel of a level can exceed, measured: multiplications and additions in registers, reads from the first cache.
#![allow(unsafe_code)]

use super::Times;
use criterion::Criterion;
use nanoembed::simd::Level;

/// Bytes that the read loop goes over: half of the first cache.
#[cfg(target_arch = "x86_64")]
const READ: usize = 16_384;
#[cfg(target_arch = "x86_64")]
const TURNS: usize = 1000;

/// Chains of products and sums that are tried: which number is fastest differs between processors.
#[cfg(target_arch = "x86_64")]
const CHAINS: [usize; 4] = [4, 5, 6, 7];

#[cfg(target_arch = "x86_64")]
mod x86 {
    #[allow(clippy::wildcard_imports, reason = "a dozen intrinsics, all with telling names")]
    use core::arch::x86_64::*;
    use core::hint::black_box;

    macro_rules! limits {
        ($table:ident, $multiply_add:ident, $read:ident, $feature:literal, $register:ident, $set:ident, $add:ident, $mul:ident) => {
            /// C multiplications and C additions a turn: each product goes on with itself and is added to a sum, so that nothing
            /// waits but for the operation C before it.
            #[target_feature(enable = $feature)]
            pub(super) fn $multiply_add<const C: usize>(turns: usize) {
                let x = black_box($set(1.0));
                let mut chains = [(x, x); C];
                for _ in 0..turns {
                    for (product, sum) in &mut chains {
                        *product = $mul(*product, x);
                        *sum = $add(*sum, *product);
                    }
                }
                black_box(chains);
            }

            #[target_feature(enable = $feature)]
            pub(super) fn $table(registers: usize) -> Vec<$register> {
                vec![$set(1.0); registers]
            }

            /// Reads all numbers once, into eight sums.
            #[target_feature(enable = $feature)]
            pub(super) fn $read(from: &[$register]) {
                let mut sums = [$set(0.0); 8];
                for from in from.as_chunks::<8>().0 {
                    for (sum, from) in sums.iter_mut().zip(from) {
                        *sum = $add(*sum, *from);
                    }
                }
                black_box(sums);
            }
        };
    }
    limits!(table_sse2, multiply_add_sse2, read_sse2, "sse2", __m128, _mm_set1_ps, _mm_add_ps, _mm_mul_ps);
    limits!(
        table_avx2,
        multiply_add_avx2,
        read_avx2,
        "avx2",
        __m256,
        _mm256_set1_ps,
        _mm256_add_ps,
        _mm256_mul_ps
    );
    limits!(
        table_avx512,
        multiply_add_avx512,
        read_avx512,
        "avx512f",
        __m512,
        _mm512_set1_ps,
        _mm512_add_ps,
        _mm512_mul_ps
    );
}

/// Measures the limits of every level that has such a loop.
#[cfg(target_arch = "x86_64")]
pub(crate) fn measure(criterion: &mut Criterion, times: &Times) {
    use core::arch::x86_64::{__m128, __m256, __m512};
    use core::hint::black_box;

    macro_rules! measure {
        ($level:literal, $table:ident, $multiply_add:ident, $read:ident, $register:ty) => {
            // SAFETY: the level is available.
            let table = unsafe { x86::$table(READ / size_of::<$register>()) };
            times.measure(criterion, concat!("read/", $level), || {
                // SAFETY: as above.
                unsafe { x86::$read(black_box(&table)) }
            });
            // SAFETY: as above.
            let loops: [fn(usize); 4] = unsafe {
                [
                    |turns| x86::$multiply_add::<4>(turns),
                    |turns| x86::$multiply_add::<5>(turns),
                    |turns| x86::$multiply_add::<6>(turns),
                    |turns| x86::$multiply_add::<7>(turns),
                ]
            };
            for (chains, multiply_add) in CHAINS.iter().zip(loops) {
                times.measure(criterion, &format!("multiply-add {chains}/{}", $level), || {
                    multiply_add(black_box(TURNS));
                });
            }
        };
    }
    for level in Level::available() {
        match level.name() {
            "avx512" => {
                measure!("avx512", table_avx512, multiply_add_avx512, read_avx512, __m512);
            }
            "avx2" => {
                measure!("avx2", table_avx2, multiply_add_avx2, read_avx2, __m256);
            }
            _ => {
                measure!("sse2", table_sse2, multiply_add_sse2, read_sse2, __m128);
            }
        }
    }
}

/// There is no such loop for this processor.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn measure(_: &mut Criterion, _: &Times) {}

/// Bytes a second that the level reads from the first cache.
#[cfg(target_arch = "x86_64")]
pub(crate) fn read(times: &Times, level: Level) -> Option<f64> {
    times.median(&format!("read/{}", level.name())).map(|time| READ as f64 / time)
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn read(_: &Times, _: Level) -> Option<f64> {
    None
}

/// Multiplications, and as many additions, a second: of the numbers of chains, the fastest.
#[cfg(target_arch = "x86_64")]
pub(crate) fn multiply_adds(times: &Times, level: Level) -> Option<f64> {
    let floats = match level.name() {
        "avx512" => 16,
        "avx2" => 8,
        _ => 4,
    };
    let speed = |chains: usize| {
        let time = times.median(&format!("multiply-add {chains}/{}", level.name()))?;
        Some((TURNS * chains * floats) as f64 / time)
    };
    CHAINS.into_iter().filter_map(speed).reduce(f64::max)
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn multiply_adds(_: &Times, _: Level) -> Option<f64> {
    None
}
