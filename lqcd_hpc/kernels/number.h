// The number that a site kernel computes with: a SIMD vector on the CPU (one lane per virtual node), a scalar on the GPU.
// All operations are IEEE and act on each lane alone, so that one lane, sixteen lanes and a GPU thread agree to the bit.
// Multiply-adds are written (madd, nmadd); compilers may not fuse on their own (-ffp-contract=off, --fmad=false).
#pragma once

#ifdef __CUDACC__
#define FN __device__ __forceinline__
#define FN_MEMBER __device__ __forceinline__
#define UNROLL _Pragma("unroll")
#define ROLLED _Pragma("unroll 1")
#define UNLIKELY(x) (x)
#else
#include <stdint.h>
#define FN static inline __attribute__((always_inline))
#define FN_MEMBER inline __attribute__((always_inline))
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#define ROLLED _Pragma("clang loop unroll(disable)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#define ROLLED _Pragma("GCC unroll 1")
#endif
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#endif

// For lambdas, which FN cannot mark
#ifdef __CUDACC__
#define INLINED
#else
#define INLINED __attribute__((always_inline))
#endif
// A function that is rarely needed, out of the way of the loop it is called from.
#ifdef __CUDACC__
#define NOINLINE __device__ __noinline__
#else
#define NOINLINE static __attribute__((noinline))
#endif
// Values in memory are read again after this point rather than kept in registers that would have to be spilled.
#ifdef __CUDACC__
#define REREAD
#else
#define REREAD asm volatile("" ::: "memory")
#endif

typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

// R, W: storage type and lanes. T: the number. D, U: double and 64-bit integer numbers of as many lanes.
template <class R, int W> struct lanes_of {
#ifndef __CUDACC__
  typedef R type __attribute__((vector_size(W * sizeof(R))));
#endif
};
template <class R> struct lanes_of<R, 1> { typedef R type; };
template <class R> struct integer_like { typedef i64 type; };
template <> struct integer_like<float> { typedef int type; };

template <class R_, int W_, int G_ = W_, bool MASKED_ = false> struct Lanes {
  typedef R_ R;
  static constexpr int W = W_;            // lanes of a number
  static constexpr int G = G_;            // lanes of a memory block: W on the CPU, a warp on the GPU
  static constexpr bool masked = MASKED_;  // stores and sums only touch the lanes of Site::mask
  typedef typename lanes_of<R, W>::type T;
  typedef typename lanes_of<double, W>::type D;
  typedef typename lanes_of<u64, W>::type U;
  typedef typename integer_like<R>::type I;
  typedef typename lanes_of<I, W>::type S;  // shuffle indices
};

// ---- scalars (GPU threads, and lattices whose extents allow one lane only)
FN double madd(double a, double b, double c) {
#ifdef __CUDACC__
  return __fma_rn(a, b, c);
#else
  return __builtin_fma(a, b, c);
#endif
}
FN float madd(float a, float b, float c) {
#ifdef __CUDACC__
  return __fmaf_rn(a, b, c);
#else
  return __builtin_fmaf(a, b, c);
#endif
}
FN double nmadd(double a, double b, double c) { return madd(-a, b, c); }
FN float nmadd(float a, float b, float c) { return madd(-a, b, c); }
FN double root(double a) {
#ifdef __CUDACC__
  return __dsqrt_rn(a);
#else
  return __builtin_sqrt(a);
#endif
}
FN float root(float a) {
#ifdef __CUDACC__
  return __fsqrt_rn(a);
#else
  return __builtin_sqrtf(a);
#endif
}
FN double select(bool m, double a, double b) { return m ? a : b; }
FN float select(bool m, float a, float b) { return m ? a : b; }
FN u64 select(bool m, u64 a, u64 b) { return m ? a : b; }
FN bool any(bool m) { return m; }
FN bool both(bool a, bool b) { return a && b; }
FN bool either(bool a, bool b) { return a || b; }
FN bool negate(bool a) { return !a; }
FN u64 bits_of(double a) {
#ifdef __CUDACC__
  return (u64)__double_as_longlong(a);
#else
  u64 r; __builtin_memcpy(&r, &a, 8); return r;
#endif
}
FN double double_of_bits(u64 a) {
#ifdef __CUDACC__
  return __longlong_as_double((i64)a);
#else
  double r; __builtin_memcpy(&r, &a, 8); return r;
#endif
}
FN double to_double(u64 a) { return (double)a; }
FN double to_double(double a) { return a; }
FN double to_double(float a) { return (double)a; }
FN void from_double(double& r, double a) { r = a; }
FN void from_double(float& r, double a) { r = (float)a; }
FN u64 low_product(u64 a, u64 b) { return (u64)(u32)a * (u32)b; }  // 32 x 32 -> 64 bits
FN double lane_of(double a, int) { return a; }
FN bool any_not_less(double a, double b) { return !(a < b); }
FN bool any_unlike(double a, double b) { return a != b; }
template <int W> FN double part_of(double a, int) { return a; }
template <int W> FN float part_of(float a, int) { return a; }

#ifndef __CUDACC__
// ---- vectors
template <class T> struct vector_traits;
#define VECTOR_TRAITS(real, w) \
  template <> struct vector_traits<lanes_of<real, w>::type> { typedef real R; static constexpr int W = w; };
VECTOR_TRAITS(double, 2) VECTOR_TRAITS(double, 4) VECTOR_TRAITS(double, 8) VECTOR_TRAITS(double, 16)
VECTOR_TRAITS(float, 2) VECTOR_TRAITS(float, 4) VECTOR_TRAITS(float, 8) VECTOR_TRAITS(float, 16)
VECTOR_TRAITS(u64, 2) VECTOR_TRAITS(u64, 4) VECTOR_TRAITS(u64, 8) VECTOR_TRAITS(u64, 16)
#undef VECTOR_TRAITS
template <class T> struct lane_count { static constexpr int W = vector_traits<T>::W; };

template <class T, int W = vector_traits<T>::W> FN T madd(T a, T b, T c) {
  T r;
  for (int i = 0; i < W; i++) r[i] = madd(a[i], b[i], c[i]);
  return r;
}
template <class T, int W = vector_traits<T>::W> FN T nmadd(T a, T b, T c) {
  T r;
  for (int i = 0; i < W; i++) r[i] = madd(-a[i], b[i], c[i]);
  return r;
}
// The compiler finds the instruction for these loops in most places, not in all; a call of its own it cannot miss.
// (Its own names of instructions: to read immintrin.h takes longer than to compile most kernels.)
#define FUSED(real, w, madd_of, nmadd_of)                                                                             \
  FN lanes_of<real, w>::type madd(lanes_of<real, w>::type a, lanes_of<real, w>::type b, lanes_of<real, w>::type c) {  \
    return madd_of(a, b, c);                                                                                          \
  }                                                                                                                   \
  FN lanes_of<real, w>::type nmadd(lanes_of<real, w>::type a, lanes_of<real, w>::type b, lanes_of<real, w>::type c) { \
    return nmadd_of(a, b, c);                                                                                         \
  }
#if defined(__clang__)
#define NEGATED(a, b, c) __builtin_elementwise_fma(-(a), b, c)
#if defined(__AVX512F__)
FUSED(float, 16, __builtin_elementwise_fma, NEGATED)
FUSED(double, 8, __builtin_elementwise_fma, NEGATED)
#endif
#if defined(__FMA__)
FUSED(float, 8, __builtin_elementwise_fma, NEGATED)
FUSED(double, 4, __builtin_elementwise_fma, NEGATED)
#endif
#undef NEGATED
#else
#define NEGATED_PS256(a, b, c) __builtin_ia32_vfmaddps256(-(a), b, c)
#define NEGATED_PD256(a, b, c) __builtin_ia32_vfmaddpd256(-(a), b, c)
#define PS512(a, b, c) __builtin_ia32_vfmaddps512_mask(a, b, c, -1, 4)
#define PD512(a, b, c) __builtin_ia32_vfmaddpd512_mask(a, b, c, -1, 4)
#define NEGATED_PS512(a, b, c) __builtin_ia32_vfnmaddps512_mask(a, b, c, -1, 4)
#define NEGATED_PD512(a, b, c) __builtin_ia32_vfnmaddpd512_mask(a, b, c, -1, 4)
#if defined(__AVX512F__)
FUSED(float, 16, PS512, NEGATED_PS512)
FUSED(double, 8, PD512, NEGATED_PD512)
#endif
#if defined(__FMA__)
FUSED(float, 8, __builtin_ia32_vfmaddps256, NEGATED_PS256)
FUSED(double, 4, __builtin_ia32_vfmaddpd256, NEGATED_PD256)
#endif
#endif
#undef FUSED
template <class T, int W = vector_traits<T>::W> FN T root(T a) {
  T r;
  for (int i = 0; i < W; i++) r[i] = root(a[i]);
  return r;
}
template <class M, class T, int W = vector_traits<T>::W> FN T select(M m, T a, T b) { return m ? a : b; }
template <class M, int W = sizeof(M) / sizeof(M{}[0])> FN bool any(M m) {
  i64 r = 0;
  for (int i = 0; i < W; i++) r |= m[i];
  return r != 0;
}
template <class M, int W = sizeof(M) / sizeof(M{}[0])> FN M both(M a, M b) { return a & b; }
template <class M, int W = sizeof(M) / sizeof(M{}[0])> FN M either(M a, M b) { return a | b; }
template <class M, int W = sizeof(M) / sizeof(M{}[0])> FN M negate(M a) { return ~a; }
template <class T, int W = vector_traits<T>::W> FN bool any_not_less(T a, T b) { return any(negate(a < b)); }
template <class T, int W = vector_traits<T>::W> FN bool any_unlike(T a, T b) { return any(a != b); }
#if defined(__AVX512F__) && !defined(__clang__)
FN bool any_not_less(lanes_of<double, 8>::type a, lanes_of<double, 8>::type b) {
  return __builtin_ia32_cmppd512_mask(a, b, 5, -1, 4) != 0;  // not less, or not comparable
}
FN bool any_unlike(lanes_of<double, 8>::type a, lanes_of<double, 8>::type b) {
  return __builtin_ia32_cmppd512_mask(a, b, 4, -1, 4) != 0;
}
#endif
// Lanes p W to (p + 1) W - 1
template <int W, class T, int ALL = vector_traits<T>::W> FN auto part_of(T a, int p) {
  typedef typename lanes_of<typename vector_traits<T>::R, W>::type Part;
  if constexpr (W == ALL) return a;
  else {
    Part r;
    __builtin_memcpy(&r, (const char*)&a + p * sizeof(Part), sizeof(Part));
    return r;
  }
}
template <class T, int W = vector_traits<T>::W> FN typename lanes_of<u64, W>::type bits_of(T a) {
  return (typename lanes_of<u64, W>::type)a;
}
template <class U, int W = vector_traits<U>::W> FN typename lanes_of<double, W>::type double_of_bits(U a) {
  return (typename lanes_of<double, W>::type)a;
}
template <class T, int W = vector_traits<T>::W> FN typename lanes_of<double, W>::type to_double(T a) {
  return __builtin_convertvector(a, typename lanes_of<double, W>::type);
}
template <class T, class D, int W = vector_traits<T>::W> FN void from_double(T& r, D a) { r = __builtin_convertvector(a, T); }
#if defined(__AVX512F__) && !defined(__clang__)
FN lanes_of<u64, 8>::type low_product(lanes_of<u64, 8>::type a, lanes_of<u64, 8>::type b) {
  typedef int half __attribute__((vector_size(64)));
  typedef long long whole __attribute__((vector_size(64)));
  return (lanes_of<u64, 8>::type)__builtin_ia32_pmuludq512_mask((half)a, (half)b, whole{}, -1);
}
#endif
template <class U, int W = vector_traits<U>::W> FN U low_product(U a, U b) { return (a & 0xffffffffull) * (b & 0xffffffffull); }
template <class T, int W = vector_traits<T>::W> FN typename vector_traits<T>::R lane_of(T a, int i) { return a[i]; }
template <class T, class S, int W = vector_traits<T>::W> FN T shuffle(T a, S index) {
#if defined(__clang__)
  T r;
  for (int i = 0; i < W; i++) r[i] = a[index[i]];
  return r;
#else
  return __builtin_shuffle(a, index);
#endif
}
#endif
template <class S> FN double shuffle(double a, S) { return a; }
template <class S> FN float shuffle(float a, S) { return a; }

// The same value in every lane.
template <class T> struct broadcast {
#ifndef __CUDACC__
  static FN_MEMBER T of(double c) { return T{} + (typename vector_traits<T>::R)c; }
#endif
};
template <> struct broadcast<double> { static FN_MEMBER double of(double c) { return c; } };
template <> struct broadcast<float> { static FN_MEMBER float of(double c) { return (float)c; } };
template <class T> struct number_of {
#ifndef __CUDACC__
  typedef typename vector_traits<T>::R R;
#endif
};
template <> struct number_of<double> { typedef double R; };
template <> struct number_of<float> { typedef float R; };
template <class T> FN T constant(double c) { return broadcast<T>::of(c); }

template <class T> FN T absolute(T a) { return select(a < T{}, -a, a); }
template <class T> FN T largest(T a, T b) { return select(a < b, b, a); }
