//! One kernel body, compiled once per level.

/// Defines a kernel `name`, which runs at the current level, and its hidden twin `name_at`, which is told the level.
///
/// ```text
/// simd_fn! {
///     /// What it computes.
///     pub fn dot, dot_at(a: &[f32], b: &[f32]) -> f32 = dot_body;
///     /// Type parameters stand in brackets.
///     pub fn gather, gather_at[I: Index, P: Policy](ids: Indices<'_, I, P>, out: &mut [f32]) = gather_body;
/// }
/// ```
///
/// The body is a function `#[inline(always)] fn dot_body<L: Lanes>(lanes: L, a: &[f32], b: &[f32]) -> f32`. It must be
/// `inline(always)`, as must be the closures and functions in its loops: only what is inlined into the level's function is
/// compiled with the level's instructions.
macro_rules! simd_fn {
    ($($(#[$attribute:meta])* $visibility:vis fn $name:ident, $name_at:ident $([$($generic:ident: $bound:path),*])?
        ($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? = $body:path;)*) => {$(
        $(#[$attribute])*
        #[inline]
        $visibility fn $name $(<$($generic: $bound),*>)? ($($argument: $type),*) $(-> $result)? {
            $name_at($crate::simd::Level::current(), $($argument),*)
        }

        /// The same at a chosen level: for tests and benches.
        #[doc(hidden)]
        #[inline]
        #[allow(unsafe_code)]
        $visibility fn $name_at $(<$($generic: $bound),*>)? (level: $crate::simd::Level, $($argument: $type),*) $(-> $result)? {
            use $crate::simd::Kind;
            #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
            #[target_feature(enable = "avx2,f16c,bmi2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
            fn avx512 $(<$($generic: $bound),*>)? (lanes: $crate::simd::Avx512, $($argument: $type),*) $(-> $result)? {
                $body(lanes, $($argument),*)
            }
            #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
            #[target_feature(enable = "avx2,f16c,bmi2,fma")]
            fn avx2 $(<$($generic: $bound),*>)? (lanes: $crate::simd::Avx2, $($argument: $type),*) $(-> $result)? {
                $body(lanes, $($argument),*)
            }
            match level.kind() {
                Kind::Baseline(lanes) => $body(lanes, $($argument),*),
                #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
                // SAFETY: the token is made only for a processor that has the features.
                Kind::Avx2(lanes) => unsafe { avx2(lanes, $($argument),*) },
                #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
                // SAFETY: as above.
                Kind::Avx512(lanes) => unsafe { avx512(lanes, $($argument),*) },
            }
        }
    )*};
}
pub(crate) use simd_fn;
