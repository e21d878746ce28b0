// What becomes of the vector q that a kernel has made at a site: stored, summed, or subtracted from a residual at once.
#pragma once
#include "exact_sum.h"
#include "spin.h"

// Bits of FINISH
static constexpr int NORM = 1;      // sum |q|^2
static constexpr int DOT = 2;       // sums Re, Im of <left, q>
static constexpr int SUBTRACT = 4;  // r <- r - alpha (q + shift left), sum |r|^2, instead of storing q
static constexpr int SHIFT = 8;     // q <- q + shift left, before all else

// Number `name` of the solver for this copy and every lane's replica: numbers[name][copy][replica]
template <class L, int C, class A> FN typename L::T solver_number(const A& a, const Site<L>& x, int name, int copy) {
  const double* p = a.numbers + ((i64)name * C + copy) * a.replicas;
  if (a.replicas == 1) return constant<typename L::T>(*p);
  i64 first = a.replica_of_item[x.item];
  if constexpr (L::W == 1) return (typename L::T)p[first + a.replica_of_lane[0]];
#ifndef __CUDACC__
  else {
    typename L::T r;
    for (int l = 0; l < L::W; l++) r[l] = (typename L::R)p[first + a.replica_of_lane[l]];
    return r;
  }
#endif
}
template <int C, class L, class T, class S> FN void add_sum(const Site<L>& x, S& sum, int name, int copy, T term) {
  sum.add(x, name * C + copy, term);
}

template <int FINISH, int C, class L, class A, int K, class... S>
FN void finish(const Site<L>& x, const A& a, int copy, vector<typename L::T, K>& q, S&... sum) {
  typedef typename L::T T;
  vector<T, K> w;
  if constexpr (FINISH & (DOT | SHIFT)) w = load_vector<K, C>(a.left, x, copy);
  if constexpr (FINISH & SHIFT) add_scaled(q, constant<T>(a.shift), w);
  if constexpr (FINISH & SUBTRACT) {
    vector<T, K> r = load_vector<K, C>(a.r, x, copy);
    add_scaled(r, -solver_number<L, C>(a, x, 0, copy), q);
    store_vector<C>(a.r, x, copy, r);
    (add_sum<C>(x, sum, 0, copy, norm2(r)), ...);
  } else {
    store_vector<C>(a.out, x, copy, q);
    if constexpr (FINISH & NORM) (add_sum<C>(x, sum, 0, copy, norm2(q)), ...);
    if constexpr (FINISH & DOT) {
      cx<T> z = inner(w, q);
      constexpr int first = FINISH & NORM ? 1 : 0;
      (add_sum<C>(x, sum, first, copy, z.re), ...);
      (add_sum<C>(x, sum, first + 1, copy, z.im), ...);
    }
  }
}
