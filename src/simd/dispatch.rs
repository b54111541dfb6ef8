//! One kernel body, compiled once per level.

/// Defines a kernel `name`, which runs at the current level, and its twin `name_at`, which is told the level
/// and is for tests and benches alone.
///
/// ```text
/// simd_fn! {
///     /// What it computes.
///     pub fn sum, sum_at(x: &[f32]) -> f32 = sum_body;
///     /// Type parameters stand in brackets.
///     pub fn total, total_at[I: Index](ids: &[I]) -> usize = total_body;
/// }
/// ```
///
/// The body is a function `#[inline(always)] fn sum_body<L: Lanes>(lanes: L, x: &[f32]) -> f32`. It must be
/// `inline(always)`, as must be the closures and functions in its loops: only what is inlined into the
/// level's function is compiled with the level's instructions.
///
/// A kernel whose shapes may disagree names its check, which reads the arguments, and its loops, which cannot
/// fail:
///
/// ```text
/// simd_fn! {
///     /// The sum of products.
///     pub fn dot, dot_at(a: &[f32], b: &[f32]) -> Result<f32, ShapeMismatch>
///         where { ShapeMismatch::check("length of b", a.len(), b.len()) } = dot_loops;
/// }
/// ```
///
/// Of such kernels it makes a module `shaped` besides, with functions of the same names and arguments that
/// return the value alone: for callers whose types fix the shapes. A debug build asserts the check there.
/// Where shapes disagree nothing is done, without a panic.
macro_rules! simd_fn {
    ($($(#[$attribute:meta])* $visibility:vis fn $name:ident, $name_at:ident $([$($generic:ident: $bound:path),*])?
        ($($argument:ident: $type:ty),* $(,)?) -> Result<$value:ty, ShapeMismatch>
        where $check:block = $loops:path;)*) => {
        $(
            $(#[$attribute])*
            #[inline]
            $visibility fn $name $(<$($generic: $bound),*>)? ($($argument: $type),*) -> Result<$value, ShapeMismatch> {
                $name_at($crate::simd::Level::current(), $($argument),*)
            }

            /// The same at a chosen level: for tests and benches.
            ///
            /// # Errors
            /// As without a level.
            #[inline]
            #[allow(clippy::redundant_closure_call, reason = "`?` ends the check, not the function")]
            $visibility fn $name_at $(<$($generic: $bound),*>)? (
                level: $crate::simd::Level, $($argument: $type),*
            ) -> Result<$value, ShapeMismatch> {
                (|| $check)()?;
                Ok(shaped::$name_at(level, $($argument),*))
            }
        )*

        /// The kernels of this file for shapes that are known to agree.
        #[allow(dead_code, reason = "one form for all kernels, also those that no layer calls")]
        pub(crate) mod shaped {
            use super::*;

            $(
                #[inline]
                #[allow(clippy::redundant_closure_call, reason = "`?` ends the check, not the function")]
                pub(crate) fn $name $(<$($generic: $bound),*>)? ($($argument: $type),*) -> $value {
                    debug_assert_eq!((|| $check)(), Ok::<(), ShapeMismatch>(()), stringify!($name));
                    $name_at($crate::simd::Level::current(), $($argument),*)
                }

                $crate::simd::level_fn! {
                    pub(super) fn $name_at $([$($generic: $bound),*])? ($($argument: $type),*) -> $value = $loops
                    // Again, where the loops are: what it says of lengths lets the compiler do without their tests.
                    where $check
                }
            )*
        }
    };
    ($($(#[$attribute:meta])* $visibility:vis fn $name:ident, $name_at:ident $([$($generic:ident: $bound:path),*])?
        ($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? = $body:path;)*) => {$(
        $(#[$attribute])*
        #[inline]
        $visibility fn $name $(<$($generic: $bound),*>)? ($($argument: $type),*) $(-> $result)? {
            $name_at($crate::simd::Level::current(), $($argument),*)
        }

        $crate::simd::level_fn! {
            /// The same at a chosen level: for tests and benches.
            $visibility fn $name_at $([$($generic: $bound),*])? ($($argument: $type),*) $(-> $result)? = $body
        }
    )*};
}

/// The function that runs a body at the level it is told. An attribute behind the body is that of each level's
/// function; the baseline has none of its own.
macro_rules! level_fn {
    ($(#[$attribute:meta])* $visibility:vis fn $name:ident $([$($generic:ident: $bound:path),*])?
        ($($argument:ident: $type:ty),*) $(-> $result:ty)? = $body:path
        $(where $check:block)? $(, $of_level:meta)?) => {
        $(#[$attribute])*
        #[inline]
        #[allow(unsafe_code, clippy::redundant_closure_call)]
        $visibility fn $name $(<$($generic: $bound),*>)? (level: $crate::simd::Level, $($argument: $type),*) $(-> $result)? {
            use $crate::simd::Kind;
            #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
            $(#[$of_level])?
            #[target_feature(enable = "avx2,f16c,bmi2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
            fn avx512 $(<$($generic: $bound),*>)? (lanes: $crate::simd::Avx512, $($argument: $type),*) $(-> $result)? {
                $(if (|| $check)().is_err() { return Default::default(); })?
                $body(lanes, $($argument),*)
            }
            #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
            $(#[$of_level])?
            #[target_feature(enable = "avx2,f16c,bmi2,fma")]
            fn avx2 $(<$($generic: $bound),*>)? (lanes: $crate::simd::Avx2, $($argument: $type),*) $(-> $result)? {
                $(if (|| $check)().is_err() { return Default::default(); })?
                $body(lanes, $($argument),*)
            }
            match level.kind() {
                Kind::Baseline(lanes) => {
                    $(if (|| $check)().is_err() { return Default::default(); })?
                    $body(lanes, $($argument),*)
                }
                #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
                // SAFETY: the token is made only for a processor that has the features.
                Kind::Avx2(lanes) => unsafe { avx2(lanes, $($argument),*) },
                #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
                // SAFETY: as above.
                Kind::Avx512(lanes) => unsafe { avx512(lanes, $($argument),*) },
            }
        }
    };
}
pub(crate) use {level_fn, simd_fn};
