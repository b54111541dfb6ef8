// TEMPORARY
#![allow(missing_docs)]
use crate::table::*;
use super::*;
pub(crate) fn gemm(a: Table<'_>, b: Table<'_>, c: &mut TableMut<'_>) { super::gemm(a,b,c).unwrap() }
pub(crate) fn gemm_tn(a: Table<'_>, b: Table<'_>, c: &mut TableMut<'_>) { super::gemm_tn(a,b,c).unwrap() }
pub(crate) fn gemm_nt(a: Table<'_>, b: Table<'_>, c: &mut TableMut<'_>) { super::gemm_nt(a,b,c).unwrap() }
pub(crate) fn axpy(a: f32, x: &[f32], y: &mut [f32]) { super::axpy(a,x,y).unwrap() }
pub(crate) fn lstm_gates(z: &mut [f32], c: &mut [f32], h: &mut [f32]) { super::lstm_gates(z,c,h).unwrap() }
pub(crate) fn lstm_gates_backward(g: &mut [f32], c: &[f32], d_h: &[f32], d_c: &mut [f32]) { super::lstm_gates_backward(g,c,d_h,d_c).unwrap() }
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 { super::dot(a,b).unwrap() }
pub(crate) fn dropout(seed: u64, rate: f32, x: &[f32], y: &mut [f32]) { super::dropout(seed, rate, x, y).unwrap() }
pub(crate) fn gather<F: Format, I: Index, P: Policy>(t: Table<'_, F>, i: Indices<'_, I, P>, o: &mut [f32]) { super::gather(t,i,o).unwrap() }
pub(crate) fn pool<F: Format, I: Index, P: Policy, O: Index>(t: Table<'_, F>, b: &Bags<'_, I, P, O>, p: Pooling, o: &mut [f32]) { super::pool(t,b,p,o).unwrap() }
pub(crate) fn quantise<F: Format>(t: Table<'_>, o: &mut TableMut<'_, F>) { super::quantise(t,o).unwrap() }
pub(crate) fn max_over_steps(x: Table<'_>, v: &[bool], y: &mut [f32]) { super::max_over_steps(x,v,y).unwrap() }
pub(crate) fn max_over_steps_backward(x: Table<'_>, v: &[bool], d: &[f32], o: &mut TableMut<'_>) { super::max_over_steps_backward(x,v,d,o).unwrap() }
pub(crate) fn mean_over_steps(x: Table<'_>, v: &[bool], y: &mut [f32]) { super::mean_over_steps(x,v,y).unwrap() }
pub(crate) fn mean_over_steps_backward(v: &[bool], d: &[f32], o: &mut TableMut<'_>) { super::mean_over_steps_backward(v,d,o).unwrap() }
pub(crate) fn sort_by_row<'a>(l: &'a mut [Occurrence], s: &'a mut [Occurrence]) -> SortedOccurrences<'a> { super::sort_by_row(l,s).unwrap() }
pub(crate) fn sum_of_squares_of_rows(g: &mut SparseGradient<'_>, k: bool) -> f32 { super::sum_of_squares_of_rows(g,k).unwrap() }
pub(crate) fn convolve(w: Windows, x: Table<'_>, v: &[bool], k: Table<'_>, y: &mut TableMut<'_>) { super::convolve(w,x,v,k,y).unwrap() }
pub(crate) fn convolve_backward_input(w: Windows, v: &[bool], k: Table<'_>, d: Table<'_>, y: &mut TableMut<'_>) { super::convolve_backward_input(w,v,k,d,y).unwrap() }
pub(crate) fn convolve_backward_kernel(w: Windows, x: Table<'_>, v: &[bool], d: Table<'_>, k: &mut TableMut<'_>, b: &mut [f32]) { super::convolve_backward_kernel(w,x,v,d,k,b).unwrap() }
pub(crate) fn convolve_repeated(w: Windows, x: Repeats<'_>, v: &[bool], k: Table<'_>, p: &mut [f32], y: &mut TableMut<'_>) { super::convolve_repeated(w,x,v,k,p,y).unwrap() }
pub(crate) fn distinct_rows(x: Table<'_>, n: &mut [u32], f: &mut [u32], s: &mut [u32]) -> Option<usize> { super::distinct_rows(x,n,f,s).unwrap() }
pub(crate) fn transpose(x: Table<'_>, y: &mut TableMut<'_>) { super::transpose(x,y).unwrap() }
