// Sites and memory. Only this file and fields/layout.py know where a number lies:
//   field[buffer][block][real component][lane]
// A loop item is a block of W lanes (CPU) or one site (GPU). A neighbour is an item and a permutation of lanes, which is
// the identity except where a virtual node ends.
#pragma once
#include "number.h"

template <class L> struct View {  // one field: its memory and the distance between buffers (link directions)
  typename L::R* data;
  i64 stride;
};

template <class L> struct Site {  // the item at work
  i64 item;
  const u32* neighbours;                    // one packed word per displacement
  const u32* ahead;                         // those of an item that comes soon, to prefetch for; itself at `item_ahead`
  i64 item_ahead;
  const typename L::S* permutations;
  i64 first_ghost;                          // items from here on are ghosts
  const u64* ids;                           // global site | replica << 40, per item and lane
  typename lanes_of<typename L::I, L::W>::type mask;
};

struct Ref {  // an item seen through a permutation of lanes
  i64 item;
  u32 permutation;
};

template <class L> FN Ref at(const Site<L>& x, int displacement) {
  u32 word = x.neighbours[displacement];
  return {(i64)(word & 0x7ffffffu), (word >> 27) & 15};
}
// Whether the way to a neighbour leaves the lattice in some lane and comes back at the other end
template <class L> FN bool wraps(const Site<L>& x, int displacement) { return x.neighbours[displacement] >> 31; }

template <class L> FN Ref here(const Site<L>& x) { return {x.item, 0}; }

template <int N, class L> FN typename L::R* address(const View<L>& f, int buffer, i64 item) {
  if constexpr (L::W == L::G) return f.data + buffer * f.stride + item * (N * L::W);
  return f.data + buffer * f.stride + (item / L::G) * (N * L::G) + item % L::G;
}
// Copy `copy` of C, each of N reals
template <int N, int C, class L> FN typename L::R* address_of_copy(const View<L>& f, i64 item, int copy) {
  return address<N * C>(f, 0, item) + copy * (N * L::G);
}
template <class L> FN typename L::T number_at(const typename L::R* p, int k) { return *(const typename L::T*)(p + k * L::G); }

// Ask for N reals of an item that is needed soon.
template <int N, class L> FN void prefetch(const View<L>& f, int buffer, i64 item) {
#ifndef __CUDACC__
  const char* p = (const char*)address<N>(f, buffer, item);
  UNROLL for (int k = 0; k < N * L::G * (int)sizeof(typename L::R); k += 64) __builtin_prefetch(p + k);
#endif
}
template <class L> FN i64 item_ahead(const Site<L>& x, int displacement) { return x.ahead[displacement] & 0x7ffffffu; }

// N reals of a field. A displaced item must come from `at`.
template <int N, class L> FN void load(typename L::T (&out)[N], const View<L>& f, int buffer, const Site<L>& x, Ref r) {
  const typename L::R* p = address<N>(f, buffer, r.item);
  UNROLL for (int k = 0; k < N; k++) out[k] = *(const typename L::T*)(p + k * L::G);
  if constexpr (L::W > 1) {
    if (UNLIKELY(r.permutation)) {
      typename L::S index = x.permutations[r.permutation];
      UNROLL for (int k = 0; k < N; k++) out[k] = shuffle(out[k], index);
    }
  }
}
// M reals that `project(out, in)` makes of the N reals of a displaced site. Where the site is a ghost, its owner has projected and
// sent them: they lie in buffer `number` of `halo`, `number` counting the displacements of the argument's reach.
template <int N, int M, class L, class F>
FN void load_projected(typename L::T (&out)[M], const View<L>& f, const View<L>& halo, int number, const Site<L>& x, Ref r, F project) {
  if (UNLIKELY(r.item >= x.first_ghost)) load<M>(out, halo, number, x, r);
  else {
    typename L::T in[N];
    load<N>(in, f, 0, x, r);
    project(out, in);
  }
}
template <int N, class L> FN void store(const View<L>& f, int buffer, const Site<L>& x, const typename L::T (&in)[N]) {
  typename L::R* p = address<N>(f, buffer, x.item);
  UNROLL for (int k = 0; k < N; k++) {
    typename L::T* q = (typename L::T*)(p + k * L::G);
    if constexpr (L::masked) *q = select(x.mask != 0, in[k], *q);
    else *q = in[k];
  }
}
// One number of the item at work; p: its first
template <class L> FN void store_number(typename L::R* p, int k, const Site<L>& x, typename L::T value) {
  typename L::T* q = (typename L::T*)(p + k * L::G);
  if constexpr (L::masked) *q = select(x.mask != 0, value, *q);
  else *q = value;
}
