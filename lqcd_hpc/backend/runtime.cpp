// Small services of the CPU backend: packing of halos, sequences of launches, memory.
#include <cstdint>
#include <cstring>
#include <cstdlib>
#include <sys/mman.h>
#include "exact_sum.h"

extern "C" {

typedef void (*launch_function)(const void*, int64_t, int64_t, int64_t);
struct Step { launch_function function; const void* arguments; int64_t begin, end, replicas; };

// Run launches one after another without returning to Python.
void run_sequence(const Step* steps, int64_t count, int64_t repeat) {
  for (int64_t r = 0; r < repeat; r++)
    for (int64_t k = 0; k < count; k++) steps[k].function(steps[k].arguments, steps[k].begin, steps[k].end, steps[k].replicas);
}

// Copy single lanes of a field into a message and back. slot = item * lanes + lane; `reals` per slot, words of 4 or 8 bytes.
#define WORDS(type)                                                                                              \
  void pack_##type(type* message, const type* field, const int64_t* slots, int64_t n, int64_t reals, int64_t g) { \
    for (int64_t i = 0; i < n; i++) {                                                                             \
      const type* p = field + (slots[i] / g) * reals * g + slots[i] % g;                                          \
      for (int64_t k = 0; k < reals; k++) message[i * reals + k] = p[k * g];                                      \
    }                                                                                                             \
  }                                                                                                               \
  void unpack_##type(const type* message, type* field, const int64_t* slots, int64_t n, int64_t reals, int64_t g) { \
    for (int64_t i = 0; i < n; i++) {                                                                             \
      type* p = field + (slots[i] / g) * reals * g + slots[i] % g;                                                \
      for (int64_t k = 0; k < reals; k++) p[k * g] = message[i * reals + k];                                      \
    }                                                                                                             \
  }
WORDS(uint32_t)
WORDS(uint64_t)

// The same for whole memory blocks of `bytes` each.
void pack_blocks(char* message, const char* field, const int64_t* blocks, int64_t n, int64_t bytes) {
  for (int64_t i = 0; i < n; i++) memcpy(message + i * bytes, field + blocks[i] * bytes, bytes);
}
void unpack_blocks(const char* message, char* field, const int64_t* blocks, int64_t n, int64_t bytes) {
  for (int64_t i = 0; i < n; i++) memcpy(field + blocks[i] * bytes, message + i * bytes, bytes);
}

// Copy a field to one of another precision: slot s of the target is slot sources[s] of the origin
#define CONVERT(name, from, to)                                                                                        \
  void name(const from* origin, to* target, const int64_t* sources, int64_t blocks, int64_t reals, int64_t g, int64_t h) { \
    for (int64_t b = 0; b < blocks; b++)                                                                               \
      for (int64_t l = 0; l < g; l++) {                                                                                \
        int64_t s = sources[b * g + l];                                                                                \
        if (s < 0) continue;                                                                                           \
        const from* p = origin + s / h * reals * h + s % h;                                                            \
        to* q = target + b * reals * g + l;                                                                            \
        for (int64_t k = 0; k < reals; k++) q[k * g] = (to)p[k * h];                                                    \
      }                                                                                                                \
  }
CONVERT(narrow, double, float)
CONVERT(widen, float, double)
CONVERT(reorder_float, float, float)
CONVERT(reorder_double, double, double)

// Zeroed memory; null if there is none. Large pieces are aligned to 2 MiB, ask for huge pages, and get pages when touched.
static const int64_t HUGE_PAGE = 1 << 21;
static int64_t whole_pages(int64_t bytes) { return (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE; }
void* allocate(int64_t bytes) {
  if (bytes < HUGE_PAGE) {
    void* p = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    return p ? memset(p, 0, bytes) : p;
  }
  int64_t size = whole_pages(bytes);
  char* p = (char*)mmap(nullptr, size + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return nullptr;
  int64_t before = (HUGE_PAGE - (int64_t)p % HUGE_PAGE) % HUGE_PAGE;
  if (before) munmap(p, before);
  munmap(p + before + size, HUGE_PAGE - before);
#ifdef MADV_HUGEPAGE
  madvise(p + before, size, MADV_HUGEPAGE);
#endif
  return p + before;
}
void release(void* p, int64_t bytes) {
  if (bytes < HUGE_PAGE) free(p);
  else munmap(p, whole_pages(bytes));
}
}

// The doubles nearest to exact sums (kernels/exact_sum.h)
extern "C" void round_bins(int64_t* bins, double* values, int64_t count) {
  for (int64_t i = 0; i < count; i++) values[i] = rounded_sum((i64*)bins + SUM_BINS * i);
}
