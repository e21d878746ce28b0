// Order-independent sums: every double is added exactly, so that lanes, threads, ranks and the GPU may add in any order.
//
// A sum is a row of 64-bit integers; bin j counts multiples of 2^(40 (j + LOWEST)). A term is cut into pieces by adding and
// subtracting 1.5 * 2^52 * unit, which rounds it to a multiple of the unit exactly. Three neighbouring bins (a window) are kept
// in vector accumulators, as doubles; terms with bits outside the window (rare) go to the integers one lane at a time.
// Nothing is dropped (the lowest bin lies below the smallest double), so neither the window nor its history can be seen in the result.
// Accumulators are emptied every FLUSH terms, before they can lose a bit (2^39 * 2^12 < 2^53), and carries are passed on then.
#pragma once
#include "site.h"

static constexpr int SUM_BINS = 55;     // 2^-1080 .. 2^1080, and the last one counts terms that are not finite
static constexpr int SUM_WIDTH = 40;    // bits per bin
static constexpr int SUM_LOWEST = -27;  // exponent of bin 0 in units of SUM_WIDTH
static constexpr int SUM_TOP = 4;       // highest bin of the lowest window (its units are normal numbers)
static constexpr int SUM_FLUSH = 4096;
static constexpr int ROUNDED = -1;      // in the place of the top of a window: terms were rounded to one unit before

FN double power_of_two(int e) { return double_of_bits((u64)(e + 1023) << 52); }  // -1022 <= e <= 1023

FN void bin_add(i64* bins, int j, i64 amount) {
#ifdef __CUDACC__
  atomicAdd((u64*)(bins + j), (u64)amount);
#else
  bins[j] += amount;
#endif
}
// One double, bit by bit: mantissa * 2^e over three bins from `bin` on; a term that is not finite counts in the last bin
struct Pieces { int bin; i64 part[3]; };
FN Pieces pieces_of(double x) {
  u64 b = bits_of(x);
  int exponent = (int)((b >> 52) & 2047);
  u64 mantissa = b & 0x000fffffffffffffull;
  if (exponent == 2047) return {SUM_BINS - 1, {1, 0, 0}};
  if (exponent) mantissa |= 0x0010000000000000ull; else exponent = 1;
  int e = exponent - 1075 - SUM_WIDTH * SUM_LOWEST;  // of the lowest mantissa bit, counted from bin 0
  int j = e / SUM_WIDTH, s = e % SUM_WIDTH;
  i64 sign = b >> 63 ? -1 : 1;
  u64 unit = 1ull << SUM_WIDTH;
  u64 low = (mantissa << s) & (unit - 1), rest = (mantissa >> (SUM_WIDTH - s));
  return {j, {sign * (i64)low, sign * (i64)(rest & (unit - 1)), sign * (i64)(rest >> SUM_WIDTH)}};
}
FN void exact_add(i64* bins, double x) {
  Pieces p = pieces_of(x);
  for (int k = 0; k < 3; k++) if (p.part[k]) bin_add(bins, p.bin + k, p.part[k]);
}

// Pass carries upwards so that every bin but the highest lies in [0, 2^40)
FN void carry(i64* bins) {
  ROLLED for (int j = 0; j + 2 < SUM_BINS; j++) {
    i64 up = bins[j] >> SUM_WIDTH;
    bins[j] -= up << SUM_WIDTH;
    bins[j + 1] += up;
  }
}

// The double nearest to a sum. (A sum below the normal numbers has no bits to round.)
FN double rounded_sum(i64* b) {
  constexpr int bins = SUM_BINS - 1;
  if (b[bins]) return double_of_bits(0x7ff8000000000000ull);
  bool negative = false;
  for (int pass = 0; pass < 2; pass++) {
    ROLLED for (int j = 0; j + 1 < bins; j++) { i64 up = b[j] >> SUM_WIDTH; b[j] -= up << SUM_WIDTH; b[j + 1] += up; }
    if (b[bins - 1] >= 0) break;
    negative = true;
    ROLLED for (int j = 0; j < bins; j++) b[j] = -b[j];
  }
  int h = bins - 1;
  while (h >= 0 && !b[h]) h--;
  if (h < 0) return 0;
  unsigned __int128 m = 0;
  for (int k = 0; k < 3; k++) m = (m << SUM_WIDTH) | (u64)(h - k >= 0 ? b[h - k] : 0);
  bool sticky = false;
  ROLLED for (int j = h - 3; j >= 0; j--) sticky |= b[j] != 0;
  int length = 128;
  while (!(m >> (length - 1) & 1)) length--;
  int e = (h - 2 + SUM_LOWEST) * SUM_WIDTH, cut = length - 53;  // h - 2 may be negative: those bins were read as zero
  u64 q = cut > 0 ? (u64)(m >> cut) : (u64)m;
  if (cut > 0) {
    unsigned __int128 rest = m & (((unsigned __int128)1 << cut) - 1), half = (unsigned __int128)1 << (cut - 1);
    if (rest > half || (rest == half && (sticky || (q & 1)))) q++;
    e += cut;
  }
  double r = (double)q * power_of_two(e / 2) * power_of_two(e - e / 2);
  return negative ? -r : r;
}

#ifndef __CUDACC__
// NS sums of one thread. `bins` holds them for every replica: [replica][sum][bin].
template <class L, int NS> struct Sums {
  // The lanes of a number, as doubles in vectors of one register (16 doubles in one vector make code eight times as slow)
  static constexpr int PARTS = L::W > 8 ? L::W / 8 : 1, WIDTH = L::W / PARTS;
  typedef typename lanes_of<double, WIDTH>::type D;
  struct Doubles {
    D part[PARTS];
    FN_MEMBER double lane(int l) const { return lane_of(part[l / WIDTH], l % WIDTH); }
  };
  i64* bins;
  int lane_replica[L::W];  // replica of each lane, relative to the group's first
  i64 first_replica = 0;
  struct Window { Doubles accumulator[3]; int top; int count; } w[NS];

  FN_MEMBER Sums(i64* all, const int* lanes) : bins(all) {
    for (int l = 0; l < L::W; l++) lane_replica[l] = lanes[l];
    for (int s = 0; s < NS; s++) w[s] = {{}, SUM_TOP, -1};
  }
  FN_MEMBER i64* row(int sum, int lane) { return bins + ((first_replica + lane_replica[lane]) * NS + sum) * SUM_BINS; }

  FN_MEMBER void add(const Site<L>& x, int sum, typename L::T term) {
    Doubles t = doubles_of(x, term);
    Window& v = w[sum];
    if (UNLIKELY(v.count < 0 || v.count >= SUM_FLUSH || beyond(t, power(v.top)))) {
      if (!open(sum, t)) { add_lanes(sum, t); settle(sum); return; }
    }
    double unit = power(v.top);
    for (int k = 0; k < 3; k++) {
      D magic = constant<D>(unit * 6755399441055744.0);
      for (int p = 0; p < PARTS; p++) {
        D piece = (t.part[p] + magic) - magic;
        v.accumulator[k].part[p] = v.accumulator[k].part[p] + piece;
        t.part[p] = t.part[p] - piece;
      }
      unit *= 9.094947017729282e-13;  // 2^-40
    }
    v.count++;
    bool left = false;
    for (int p = 0; p < PARTS; p++) left |= any_unlike(t.part[p], D{});
    if (UNLIKELY(left)) add_lanes(sum, t);
  }
  // A term that is first rounded to a multiple of `unit`, 2^k, as cheap as any sum can be. All terms of the sum must have the same
  // unit, and those of one thread a total of |terms| of at most 2^51 units.
  FN_MEMBER void add_rounded(const Site<L>& x, int sum, typename L::T term, double unit) {
    Doubles t = doubles_of(x, term);
    D magic = constant<D>(unit * 6755399441055744.0);
    for (int p = 0; p < PARTS; p++) {
      D& total = w[sum].accumulator[0].part[p];
      total = total + ((t.part[p] + magic) - magic);
    }
    w[sum].top = ROUNDED;
  }
  // Empty the accumulators of a sum into its bins.
  __attribute__((noinline)) void flush(int sum) {
    Window& v = w[sum];
    if (v.top == ROUNDED) {
      add_lanes(sum, v.accumulator[0]);
      v = {{}, SUM_TOP, -1};
    }
    if (v.count > 0) {
      for (int l = 0; l < L::W; l++) {
        for (int k = 0; k < 3; k++) row(sum, l)[v.top - k] += (i64)(v.accumulator[k].lane(l) / power(v.top - k));
      }
      for (int k = 0; k < 3; k++) v.accumulator[k] = {};
      v.count = 0;
    }
    settle(sum);
  }
  __attribute__((noinline)) void flush_all() { for (int s = 0; s < NS; s++) flush(s); }
  // Go on with another group of replicas.
  FN_MEMBER void turn_to(i64 replica) {
    if (UNLIKELY(replica != first_replica)) { flush_all(); first_replica = replica; }
  }

 private:
  static FN_MEMBER double power(int bin) { return power_of_two(SUM_WIDTH * (bin + SUM_LOWEST)); }
  static FN_MEMBER bool beyond(const Doubles& t, double unit) {
    bool r = false;
    for (int p = 0; p < PARTS; p++) r |= any_not_less(absolute(t.part[p]), constant<D>(unit * 549755813888.0));  // 2^39
    return r;
  }
  // Move the window so that it holds t; false if there is none (t too large, or not finite).
  __attribute__((noinline)) bool open(int sum, const Doubles& t) {
    flush(sum);
    int top = SUM_TOP;
    while (top < SUM_BINS - 5 && beyond(t, power(top))) top++;
    if (beyond(t, power(top))) return false;
    w[sum].top = top;
    w[sum].count = 0;
    return true;
  }
  void add_lanes(int sum, const Doubles& t) { for (int l = 0; l < L::W; l++) exact_add(row(sum, l), t.lane(l)); }
  void settle(int sum) { for (int l = 0; l < L::W; l++) carry(row(sum, l)); }
  static FN_MEMBER Doubles doubles_of(const Site<L>& x, typename L::T term) {
    Doubles t;
    for (int p = 0; p < PARTS; p++) t.part[p] = to_double(part_of<WIDTH>(term, p));
    if constexpr (L::masked) {
      for (int l = 0; l < L::W; l++) if (!mask_lane(x, l)) set_lane(t.part[l / WIDTH], l % WIDTH);
    }
    return t;
  }
  static FN_MEMBER bool mask_lane(const Site<L>& x, int l) { if constexpr (L::W == 1) return x.mask != 0; else return x.mask[l] != 0; }
  static FN_MEMBER void set_lane(D& t, int l) { if constexpr (WIDTH == 1) t = 0; else t[l] = 0; }
};
#else
// One thread of the GPU. Threads of a warp that arrive together (in any number, integers do not mind) add their pieces by
// shuffles and one of them adds to the bins, if `together`: all of them have the same bins.
template <class L, int NS> struct Sums {
  i64* bins;
  bool together;
  FN_MEMBER Sums(i64* all, bool same) : bins(all), together(same) {}
  FN_MEMBER void add(const Site<L>& x, int sum, typename L::T term) {
    double t = to_double(term);
    if constexpr (L::masked) t = x.mask ? t : 0;
    add_to(bins + sum * SUM_BINS, t, together);
  }
  FN_MEMBER void add_rounded(const Site<L>& x, int sum, typename L::T term, double unit) {
    double t = to_double(term), magic = unit * 6755399441055744.0;
    if constexpr (L::masked) t = x.mask ? t : 0;
    add_to(bins + sum * SUM_BINS, (t + magic) - magic, together);
  }

 private:
  static __device__ __noinline__ void add_to(i64* row, double t, bool together) {
    u32 warp = __activemask();
    if (!together || (warp & (warp + 1))) { exact_add(row, t); return; }  // shuffles need lanes 0 .. n - 1
    Pieces p = pieces_of(t);
    bool nothing = t == 0;
    int low = extreme<-1>(warp, nothing ? SUM_BINS : p.bin), high = extreme<1>(warp, nothing ? -1 : p.bin);
    ROLLED for (int bin = low; bin < high + 3 && bin < SUM_BINS; bin++) {
      int k = bin - p.bin;
      i64 all = total(warp, k == 0 ? p.part[0] : k == 1 ? p.part[1] : k == 2 ? p.part[2] : 0);
      if (lane() == 0 && all) bin_add(row, bin, all);
    }
  }
  static FN_MEMBER int lane() { return threadIdx.x & 31; }
  static FN_MEMBER bool reaches(u32 warp, int step) { return lane() + step < 32 && (warp >> (lane() + step) & 1); }
  // Sum, and largest of SIGN * value, over the lanes of the warp: in lane 0, and in all lanes
  static FN_MEMBER i64 total(u32 warp, i64 value) {
    for (int step = 16; step; step /= 2) {
      i64 other = __shfl_down_sync(warp, value, step);
      if (reaches(warp, step)) value += other;
    }
    return value;
  }
  template <int SIGN> static FN_MEMBER int extreme(u32 warp, int value) {
    for (int step = 16; step; step /= 2) {
      int other = __shfl_down_sync(warp, value, step);
      if (reaches(warp, step) && SIGN * other > SIGN * value) value = other;
    }
    return __shfl_sync(warp, value, 0);
  }
};
#endif
