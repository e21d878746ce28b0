// Random links and momenta, gauge transformations, sums over algebra fields.
#pragma once
#include "exponential.h"
#include "random.h"

template <int N, class L> FN matrix<typename L::T, N> random_matrix(const RandomKey& key, const Site<L>& x, int direction) {
  typedef typename L::D D;
  matrix<typename L::T, N> m;
  for (int i = 0; i < N; i++) for (int j = 0; j < N; j++) {
    D re, im;
    normal_pair(key, x, direction, i * N + j, re, im);
    from_double(m.e[i][j].re, re);
    from_double(m.e[i][j].im, im);
  }
  gram_schmidt(m);  // Gaussian matrices give the Haar measure; once more for orthogonality to rounding
  gram_schmidt(m);
  return m;
}
template <class L, int N, int BUFFERS, class A> FN void random_group(const Site<L>& x, const A& a) {
  ROLLED for (int b = 0; b < BUFFERS; b++) store_matrix<N>(a.out, b, x, random_matrix<N>(a.key, x, b));
}
// Momenta with density exp(-p^2/2) in every coefficient; zero for links beyond an open end
template <class L, int N, int ND, class A> FN void gaussian_momenta(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  typedef typename L::D D;
  constexpr int NG = generators<N>::count;
  ROLLED for (int mu = 0; mu < ND; mu++) {
    matrix<T, N> u = load_matrix<N>(a.U, mu, x, here(x));
    T size = T{}, p[NG + 1];
    for (int j = 0; j < N; j++) size = size + norm2(u.e[0][j]);
    auto present = size > T{};
    ROLLED for (int k = 0; k < NG; k += 2) {
      D first, second;
      normal_pair(a.key, x, mu, k / 2, first, second);
      T r, s;
      from_double(r, first);
      from_double(s, second);
      p[k] = select(present, r, T{});
      p[k + 1] = select(present, s, T{});
    }
    T q[NG];
    UNROLL for (int k = 0; k < NG; k++) q[k] = p[k];
    store<NG>(a.P, mu, x, q);
  }
}
// U_mu(x) <- g(x) U_mu(x) g(x+mu)^dag
template <class L, int N, int ND, class A> FN void gauge_transform(const Site<L>& x, const A& a) {
  ROLLED for (int mu = 0; mu < ND; mu++) {
    auto m = mul(load_matrix<N>(a.g, 0, x, here(x)), load_matrix<N>(a.U, mu, x, here(x)));
    store_matrix<N>(a.U, mu, x, mul_adjoint(m, load_matrix<N>(a.g, 0, x, at(x, mu))));
  }
}
// Sum of p^a p^a/2 = tr P^2 over the buffers (U(1): p^2/2)
template <class L, int N, int ND, class A, class S> FN void kinetic_energy(const Site<L>& x, const A& a, S& sum) {
  typedef typename L::T T;
  constexpr int NG = generators<N>::count;
  T s = T{};
  ROLLED for (int mu = 0; mu < ND; mu++) {
    T p[NG];
    load<NG>(p, a.P, mu, x, here(x));
    s = s + half_square(p);
  }
  sum.add(x, 0, s);
}
// Sums of Re tr and Im tr of all links
template <class L, int N, int ND, class A, class S> FN void link_trace(const Site<L>& x, const A& a, S& sum) {
  typedef typename L::T T;
  cx<T> z = {T{}, T{}};
  ROLLED for (int mu = 0; mu < ND; mu++) z = z + trace(load_matrix<N>(a.U, mu, x, here(x)));
  sum.add(x, 0, z.re);
  sum.add(x, 1, z.im);
}
// target <- source, REALS per site and buffer
template <class L, int REALS, int BUFFERS, class A> FN void copy(const Site<L>& x, const A& a) {
  ROLLED for (int b = 0; b < BUFFERS; b++) {
    typename L::T v[REALS];
    load<REALS>(v, a.source, b, x, here(x));
    store<REALS>(a.target, b, x, v);
  }
}
