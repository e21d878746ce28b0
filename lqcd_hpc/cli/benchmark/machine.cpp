// What this processor can do: the denominators of every figure of the benchmark.
// REAL (double or float) and BYTES (of a vector register) are defined before this text.
#include <cstdint>
#include <omp.h>

static constexpr int W = BYTES / sizeof(REAL);
typedef REAL vector __attribute__((vector_size(BYTES)));

static inline __attribute__((always_inline)) vector madd(vector a, vector b, vector c) {
  for (int l = 0; l < W; l++) c[l] = sizeof(REAL) == 8 ? (REAL)__builtin_fma(a[l], b[l], c[l]) : (REAL)__builtin_fmaf(a[l], b[l], c[l]);
  return c;
}

// 12 independent chains of multiply-adds, all in registers: floating point operations done
static double chains(int64_t rounds, volatile REAL* sink) {
  const vector a = vector{} + (REAL)0.999, b = vector{} + (REAL)1e-3;
  vector x[12];
#pragma GCC unroll 12
  for (int k = 0; k < 12; k++) x[k] = a * (REAL)k;
  for (int64_t r = 0; r < rounds; r++) {
#pragma GCC unroll 12
    for (int k = 0; k < 12; k++) x[k] = madd(x[k], a, b);
    __asm__ volatile("");
  }
#pragma GCC unroll 12
  for (int k = 1; k < 12; k++) x[0] += x[k];
  *sink = x[0][0];
  return 2.0 * 12 * W * rounds;
}

// Sum of a block of `n` bytes (a multiple of 8 vectors)
static REAL sum(const char* data, int64_t n) {
  const vector* p = (const vector*)data;
  vector s0{}, s1{}, s2{}, s3{}, s4{}, s5{}, s6{}, s7{};
  for (int64_t i = 0; i < n / BYTES; i += 8) {
    s0 += p[i]; s1 += p[i + 1]; s2 += p[i + 2]; s3 += p[i + 3];
    s4 += p[i + 4]; s5 += p[i + 5]; s6 += p[i + 6]; s7 += p[i + 7];
  }
  vector s = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7));
  return s[0] + s[W - 1];
}

extern "C" {
// Every function repeats its work and returns the flops done (fma) or the bytes moved.
double fma_peak(int64_t rounds, int64_t threads) {
  double total = 0;
#pragma omp parallel num_threads(threads) reduction(+ : total)
  {
    volatile REAL sink;
    total += chains(rounds, &sink);
  }
  return total;
}
// a = b + 3 c over n doubles: 24 bytes each, as STREAM counts
double triad(double* a, const double* b, const double* c, int64_t n, int64_t repeat, int64_t threads) {
  for (int64_t r = 0; r < repeat; r++) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < n; i++) a[i] = b[i] + 3.0 * c[i];
    __asm__ volatile("" ::: "memory");
  }
  return 24.0 * n * repeat;
}
double read_all(const char* data, int64_t bytes, int64_t repeat, int64_t threads) {
  volatile double sink = 0;
  int64_t piece = bytes / threads / (8 * BYTES) * (8 * BYTES);
  for (int64_t r = 0; r < repeat; r++) {
#pragma omp parallel num_threads(threads)
    {
      double s = sum(data + piece * omp_get_thread_num(), piece);
#pragma omp critical
      sink = s;
    }
    __asm__ volatile("" ::: "memory");
  }
  return (double)piece * threads * repeat;
}
}
