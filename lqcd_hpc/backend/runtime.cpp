// Small services of the CPU backend: packing of halos, sequences of launches, memory.
#include <cstdint>
#include <cstring>
#include <cstdlib>
#include <sys/mman.h>

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

// Memory aligned to 2 MiB that asks for huge pages; null if there is none.
void* allocate(int64_t bytes) {
  int64_t page = bytes >= (1 << 21) ? 1 << 21 : 4096;
  void* p = aligned_alloc(page, (bytes + page - 1) / page * page);
#ifdef MADV_HUGEPAGE
  if (p && page > 4096) madvise(p, bytes, MADV_HUGEPAGE);
#endif
  return p;
}
void release(void* p) { free(p); }
}

// The double nearest to an exact sum of 55 bins (kernels/exact_sum.h): 40 bits each, the lowest counts 2^-1080.
// A sum below the normal numbers has no bits to round.
static double round_one(int64_t* b) {
  const int bins = 54, width = 40;
  if (b[bins]) return __builtin_nan("");
  bool negative = false;
  for (int pass = 0; pass < 2; pass++) {
    for (int j = 0; j + 1 < bins; j++) { int64_t up = b[j] >> width; b[j] -= up << width; b[j + 1] += up; }
    if (b[bins - 1] >= 0) break;
    negative = true;
    for (int j = 0; j < bins; j++) b[j] = -b[j];
  }
  int h = bins - 1;
  while (h >= 0 && !b[h]) h--;
  if (h < 0) return 0;
  unsigned __int128 m = 0;
  for (int k = 0; k < 3; k++) m = (m << width) | (uint64_t)(h - k >= 0 ? b[h - k] : 0);
  bool sticky = false;
  for (int j = h - 3; j >= 0; j--) sticky |= b[j] != 0;
  int length = 128;
  while (!(m >> (length - 1) & 1)) length--;
  int e = (h - 2) * width - 1080, cut = length - 53;  // h - 2 may be negative: those bins were read as zero
  uint64_t q = cut > 0 ? (uint64_t)(m >> cut) : (uint64_t)m;
  if (cut > 0) {
    unsigned __int128 rest = m & (((unsigned __int128)1 << cut) - 1), half = (unsigned __int128)1 << (cut - 1);
    if (rest > half || (rest == half && (sticky || (q & 1)))) q++;
    e += cut;
  }
  double r = __builtin_ldexp((double)q, e);
  return negative ? -r : r;
}
extern "C" void round_bins(int64_t* bins, double* values, int64_t count) {
  for (int64_t i = 0; i < count; i++) values[i] = round_one(bins + 55 * i);
}
