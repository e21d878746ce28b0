// Products of links along paths that are given at run time. A program is a list of int words, for every path
//   group, length, slices, then `length` steps: displacement << 4 | direction << 1 | dagger
// The link of a step is U_direction(x + displacement), daggered where it is walked backwards. `slices` is a bit mask of open
// directions in which the path does not extend: on the first and last slice such a path is multiplied by the slice weight.
#pragma once
#include "su.h"

template <int N, class L> FN matrix<typename L::T, N> walk(const Site<L>& x, const View<L>& u, const int* steps, int length) {
  typedef typename L::T T;
  matrix<T, N> m = load_matrix<N>(u, (steps[0] >> 1) & 7, x, at(x, steps[0] >> 4));
  if (steps[0] & 1) m = adjoint(m);
  ROLLED for (int k = 1; k < length; k++) {
    matrix<T, N> v = load_matrix<N>(u, (steps[k] >> 1) & 7, x, at(x, steps[k] >> 4));
    m = steps[k] & 1 ? mul_adjoint(m, v) : mul(m, v);
  }
  return m;
}
template <int WEIGHTED, class L, class A> FN typename L::T path_weight(const Site<L>& x, const A& a, int slices, double coefficient) {
  typedef typename L::T T;
  T c = constant<T>(coefficient);
  if constexpr (WEIGHTED) {
    for (int mu = 0; mu < 4; mu++) {
      if (!(slices >> mu & 1)) continue;
      T w[1];
      load<1>(w, a.weights, mu, x, here(x));
      c = c * w[0];
    }
  }
  return c;
}

// staple_g(x) = sum of coefficient * path over the paths of group g
template <class L, int N, int WEIGHTED, class A> FN void path_sum(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  const int* p = a.program;
  i64 path = 0;
  ROLLED for (int group = 0; group < a.groups; group++) {
    matrix<T, N> s = zero_matrix<T, N>();
    ROLLED for (; path < a.paths && p[0] == group; path++, p += 3 + p[1])
      add_scaled(s, path_weight<WEIGHTED>(x, a, p[2], a.coefficients[path]), walk<N>(x, a.U, p + 3, p[1]));
    store_matrix<N>(a.staple, group, x, s);
  }
}
// Sums of Re and Im of tr(path): 2 g and 2 g + 1 for group g
template <class L, int N, int WEIGHTED, class A, class S> FN void path_trace(const Site<L>& x, const A& a, S& sum) {
  typedef typename L::T T;
  const int* p = a.program;
  i64 path = 0;
  ROLLED for (int group = 0; group < a.groups; group++) {
    cx<T> s = {T{}, T{}};
    ROLLED for (; path < a.paths && p[0] == group; path++, p += 3 + p[1]) {
      T c = path_weight<WEIGHTED>(x, a, p[2], a.coefficients[path]);
      cx<T> z = trace(walk<N>(x, a.U, p + 3, p[1]));
      s.re = madd(c, z.re, s.re);
      s.im = madd(c, z.im, s.im);
    }
    sum.add(x, 2 * group, s.re);
    sum.add(x, 2 * group + 1, s.im);
  }
}
// P_mu <- keep P_mu + weight (TA(U_mu staple_mu)/i as algebra coefficients)
template <class L, int N, int ND, class A> FN void staple_force(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  constexpr int NG = generators<N>::count;
  ROLLED for (int mu = 0; mu < ND; mu++) {
    T f[NG], p[NG];
    project_algebra<T, N>(f, mul(load_matrix<N>(a.U, mu, x, here(x)), load_matrix<N>(a.staple, mu, x, here(x))));
    load<NG>(p, a.P, mu, x, here(x));
    UNROLL for (int k = 0; k < NG; k++) p[k] = madd(constant<T>(a.weight), f[k], constant<T>(a.keep) * p[k]);
    store<NG>(a.P, mu, x, p);
  }
}
// out(x) = U_mu(x) in(x + mu): displacement 0 is +mu
template <class L, int N, int MU, class A> FN void transport(const Site<L>& x, const A& a) {
  store_matrix<N>(a.out, 0, x, mul(load_matrix<N>(a.U, MU, x, here(x)), load_matrix<N>(a.in, 0, x, at(x, 0))));
}
// Sums of Re tr and Im tr of a matrix field
template <class L, int N, class A, class S> FN void matrix_trace(const Site<L>& x, const A& a, S& sum) {
  cx<typename L::T> z = trace(load_matrix<N>(a.M, 0, x, here(x)));
  sum.add(x, 0, z.re);
  sum.add(x, 1, z.im);
}
// out(x) = U_mu(x)
template <class L, int N, int MU, class A> FN void one_link(const Site<L>& x, const A& a) {
  store_matrix<N>(a.out, 0, x, load_matrix<N>(a.U, MU, x, here(x)));
}
