// CUDA C++ on the CPU: every thread of a block is a fiber, blocks run one after another. Threads that wait for their warp
// (shuffles, active mask) or their block (barriers) are released together when no other thread of the block can go on.
// Shows wrong indices, sums, barriers and shuffles; shows no races.
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <utility>

#define __CUDACC__ 1
#define __global__
#define __device__
#define __shared__ static
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(n)
#define __grid_constant__

namespace emulated {
struct Index { unsigned x; };
enum State { RUNNING, AT_WARP, AT_BLOCK, DONE };
struct Thread {
  ucontext_t context;
  State state;
  long long value;  // what it brought to the meeting
};
static const int MOST = 1024, STACK = 1 << 18;
static Thread threads[MOST];
static char* stacks;
static ucontext_t scheduler;
static int current, count;
static unsigned met[MOST / 32];  // lanes of each warp that met
static long long brought[MOST];
static int any_of_block;
static void (*body)(void**);
static void** parameters;

static void wait(State where, long long value) {
  Thread& t = threads[current];
  t.state = where;
  t.value = value;
  swapcontext(&t.context, &scheduler);
}
static void start() {
  body(parameters);
  threads[current].state = DONE;
  swapcontext(&threads[current].context, &scheduler);
}
static bool release_warps() {
  bool released = false;
  for (int w = 0; w * 32 < count; w++) {
    unsigned mask = 0;
    for (int l = 0; l < 32 && w * 32 + l < count; l++) if (threads[w * 32 + l].state == AT_WARP) mask |= 1u << l;
    if (!mask) continue;
    met[w] = mask;
    released = true;
    for (int l = 0; l < 32; l++) if (mask >> l & 1) {
      brought[w * 32 + l] = threads[w * 32 + l].value;
      threads[w * 32 + l].state = RUNNING;
    }
  }
  return released;
}
static bool release_block() {
  any_of_block = 0;
  bool released = false;
  for (int t = 0; t < count; t++) {
    if (threads[t].state != AT_BLOCK) continue;
    any_of_block |= threads[t].value != 0;
    threads[t].state = RUNNING;
    released = true;
  }
  for (int t = 0; t < count; t++) if (released && threads[t].state == DONE) {
    fprintf(stderr, "a thread ended while others wait for it\n");
    abort();
  }
  return released;
}
}  // namespace emulated

static emulated::Index threadIdx, blockIdx, blockDim, gridDim;

namespace emulated {
static void run(void (*kernel)(void**), unsigned grid, unsigned block, void** p) {
  if (!stacks) stacks = (char*)malloc((size_t)MOST * STACK);
  body = kernel;
  parameters = p;
  count = block;
  gridDim.x = grid;
  blockDim.x = block;
  for (blockIdx.x = 0; blockIdx.x < grid; blockIdx.x++) {
    for (int t = 0; t < count; t++) {
      getcontext(&threads[t].context);
      threads[t].context.uc_stack.ss_sp = stacks + (size_t)t * STACK;
      threads[t].context.uc_stack.ss_size = STACK;
      threads[t].context.uc_link = nullptr;
      threads[t].state = RUNNING;
      makecontext(&threads[t].context, start, 0);
    }
    do {
      for (int t = 0; t < count; t++) {
        if (threads[t].state != RUNNING) continue;
        current = t;
        threadIdx.x = t;
        swapcontext(&scheduler, &threads[t].context);
      }
    } while (release_warps() || release_block());
  }
}
template <class... A, size_t... I> void call(void (*f)(A...), void** p, std::index_sequence<I...>) { f(*(A*)p[I]...); }
template <class... A> void call(void (*f)(A...), void** p) { call(f, p, std::index_sequence_for<A...>()); }
}  // namespace emulated

static inline void __syncthreads() { emulated::wait(emulated::AT_BLOCK, 0); }
static inline int __syncthreads_or(int value) {
  emulated::wait(emulated::AT_BLOCK, value);
  return emulated::any_of_block;
}
static inline unsigned __activemask() {
  emulated::wait(emulated::AT_WARP, 0);
  return emulated::met[threadIdx.x / 32];
}
static inline long long shuffled(unsigned mask, long long value, int source) {
  int warp = threadIdx.x / 32;
  emulated::wait(emulated::AT_WARP, value);
  if (emulated::met[warp] != mask) { fprintf(stderr, "a shuffle without all of its lanes\n"); abort(); }
  return mask >> source & 1 ? emulated::brought[warp * 32 + source] : 0x5555555555555555ll;  // others are undefined
}
template <class T> T __shfl_sync(unsigned mask, T value, int source) { return (T)shuffled(mask, value, source); }
template <class T> T __shfl_down_sync(unsigned mask, T value, int step) {
  int lane = threadIdx.x & 31;
  return (T)shuffled(mask, value, lane + step < 32 ? lane + step : lane);
}
template <class T> T atomicAdd(T* place, T value) { T old = *place; *place = old + value; return old; }
static inline double __fma_rn(double a, double b, double c) { return __builtin_fma(a, b, c); }
static inline float __fmaf_rn(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
static inline double __dsqrt_rn(double a) { return __builtin_sqrt(a); }
static inline float __fsqrt_rn(float a) { return __builtin_sqrtf(a); }
static inline long long __double_as_longlong(double a) { long long r; memcpy(&r, &a, 8); return r; }
static inline double __longlong_as_double(long long a) { double r; memcpy(&r, &a, 8); return r; }
