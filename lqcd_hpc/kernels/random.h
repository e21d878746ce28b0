// Counter-based random numbers: Philox4x32-10 (Salmon et al., SC11). A draw is a pure function of what it is for:
//   key     = (seed, stream)
//   counter = (site low 32 bits, site high 8 bits | direction << 8 | trial << 16, replica, event)
// so that results do not depend on ranks, lanes or threads. `event` counts the random calls of a Markov chain, `trial` the
// draws of one site within an event. Directions 0 .. 3 are those of links (0 also of fields at sites), 254 is that of Z2 noise
// (sources.h), which with the seed of an ensemble is independent of its links, and 255 to numbers for a whole lattice
// (fields/random.py). This comment is where the layout is written down; fields/random.py and tests/reference/random.py
// follow it.
#pragma once
#include "math.h"
#include "site.h"

struct RandomKey { u32 seed, stream, event; };

// The two 64-bit words of a draw
template <class L> FN void philox(const RandomKey& key, const Site<L>& x, u32 direction, u32 trial, typename L::U& first,
                                  typename L::U& second) {
  typedef typename L::U U;
  U id = *(const U*)(x.ids + x.item * L::W);
  U c0 = id & 0xffffffffull;
  U c1 = ((id >> 32) & 0xffull) | (U{} + (u64)((direction << 8) | (trial << 16)));
  U c2 = id >> 40;
  U c3 = U{} + (u64)key.event;
  u32 k0 = key.seed, k1 = key.stream;
  UNROLL for (int round = 0; round < 10; round++) {
    U p0 = low_product(c0, U{} + (u64)0xD2511F53u), p1 = low_product(c2, U{} + (u64)0xCD9E8D57u);
    c0 = (p1 >> 32) ^ c1 ^ (U{} + (u64)k0);
    c2 = (p0 >> 32) ^ c3 ^ (U{} + (u64)k1);
    c1 = p1 & 0xffffffffull;
    c3 = p0 & 0xffffffffull;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  first = (c0 << 32) | c1;
  second = (c2 << 32) | c3;
}
// A uniform double in the open interval (0, 1): (52 random bits + 1/2) 2^-52; the lowest 12 bits of the word are not used
template <class U> FN auto uniform(U word) {
  auto bits = to_double(word >> 12);
  typedef decltype(bits) D;
  return madd(bits, constant<D>(2.2204460492503131e-16), constant<D>(1.1102230246251565e-16));
}
template <class L> FN void uniform_pair(const RandomKey& key, const Site<L>& x, u32 direction, u32 trial,
                                        typename L::D& first, typename L::D& second) {
  typename L::U a, b;
  philox(key, x, direction, trial, a, b);
  first = uniform(a);
  second = uniform(b);
}

// Two independent normal deviates (Box and Muller)
template <class L> FN void normal_pair(const RandomKey& key, const Site<L>& x, u32 direction, u32 trial,
                                       typename L::D& first, typename L::D& second) {
  typedef typename L::D D;
  D u, v, sine, cosine;
  uniform_pair(key, x, direction, trial, u, v);
  D radius = root(constant<D>(-2) * logarithm(u));
  sincos_turns(v, sine, cosine);
  first = radius * cosine;
  second = radius * sine;
}
