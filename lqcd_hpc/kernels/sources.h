// Sources of quark propagators, one spin and colour per copy, and Z2 noise.
#pragma once
#include "random.h"
#include "spin.h"

// Direction in the counter of kernels/random.h that noise has for itself: the same seed never gives a link's numbers
static constexpr u32 NOISE = 254;

// Copy k is 1 in component k, at the sites whose global number lies in first .. last - 1, and 0 elsewhere.
template <class L, int K, class A> FN void unit_columns(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  typedef typename L::D D;
  typename L::U id = *(const typename L::U*)(x.ids + x.item * L::W);
  D number = to_double(id & 0xffffffffffull);
  D inside = select(both(number >= constant<D>((double)a.first), number < constant<D>((double)a.last)), constant<D>(1), D{});
  T value;
  from_double(value, inside);
  ROLLED for (int copy = 0; copy < K; copy++) {
    vector<T, K> v;
    UNROLL for (int k = 0; k < K; k++) v.e[k] = {k == copy ? value : T{}, T{}};
    store_vector<K>(a.out, x, copy, v);
  }
}
// Independent signs in every component: copy c is noise number first + c of the event
template <class L, int K, int C, class A> FN void z2_noise(const Site<L>& x, const A& a) {
  static_assert(K <= 128, "one draw has 128 bits");
  typedef typename L::T T;
  typedef typename L::D D;
  ROLLED for (int copy = 0; copy < C; copy++) {
    typename L::U low, high;
    philox(a.key, x, NOISE, (u32)(a.first + copy), low, high);
    vector<T, K> v;
    UNROLL for (int k = 0; k < K; k++) {
      D bit = to_double(((k < 64 ? low : high) >> (k & 63)) & 1ull);
      from_double(v.e[k].re, constant<D>(1) - bit - bit);
      v.e[k].im = T{};
    }
    store_vector<C>(a.out, x, copy, v);
  }
}
