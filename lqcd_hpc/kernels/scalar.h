// Scalar fields of N real components with the action
//   S = sum_x [ -coupling sum_mu phi(x).phi(x+mu) + square r + quartic r^2 ],  r = phi(x).phi(x),
// and spins (UNIT: |phi| = 1, momenta tangential, motion along great circles). Displacements: +mu for every mu, then -mu.
// OPEN: neighbours count as `bonds` says, 1 or 0 for each displacement.
#pragma once
#include "random.h"

template <class T, int N> FN T dot(const T (&a)[N], const T (&b)[N]) {
  T s = a[0] * b[0];
  UNROLL for (int k = 1; k < N; k++) s = madd(a[k], b[k], s);
  return s;
}
// The sum of phi over the first COUNT displacements: ND forward neighbours, or all 2 ND
template <int N, int ND, int OPEN, int COUNT, class L, class A> FN void neighbours(typename L::T (&sum)[N], const Site<L>& x, const A& a) {
  typedef typename L::T T;
  T bonds[2 * ND], phi[N];
  if constexpr (OPEN) load<2 * ND>(bonds, a.bonds, 0, x, here(x));
  UNROLL for (int k = 0; k < N; k++) sum[k] = T{};
  UNROLL for (int d = 0; d < COUNT; d++) {
    load<N>(phi, a.phi, 0, x, at(x, d));
    UNROLL for (int k = 0; k < N; k++) {
      if constexpr (OPEN) sum[k] = madd(bonds[d], phi[k], sum[k]);
      else sum[k] = sum[k] + phi[k];
    }
  }
}
template <class T, int N> FN void normalise_vector(T (&s)[N]) {
  T r = dot(s, s), f = constant<T>(1) / root(select(r > T{}, r, constant<T>(1)));
  UNROLL for (int k = 0; k < N; k++) s[k] = f * s[k];
}
// Independent normal numbers, from `trial` on
template <int N, class L> FN void normal_numbers(typename L::D (&g)[N], const RandomKey& key, const Site<L>& x, u32 trial) {
  ROLLED for (int k = 0; k < N; k += 2) {
    typename L::D first, second;
    normal_pair(key, x, 0, trial + k / 2, first, second);
    g[k] = first;
    if (k + 1 < N) g[k + 1] = second;
  }
}
template <int N, class L> FN void to_doubles(typename L::D (&out)[N], const typename L::T (&in)[N]) {
  UNROLL for (int k = 0; k < N; k++) out[k] = to_double(in[k]);
}
template <int N, class L> FN void store_doubles(const View<L>& f, const Site<L>& x, const typename L::D (&in)[N]) {
  typename L::T out[N];
  UNROLL for (int k = 0; k < N; k++) from_double(out[k], in[k]);
  store<N>(f, 0, x, out);
}

// Sums of phi(x).phi(x+mu), r, r^2 and of every component
template <class L, int N, int ND, int OPEN, class A, class S> FN void scalar_sums(const Site<L>& x, const A& a, S& sum) {
  typedef typename L::T T;
  T phi[N], forward[N];
  neighbours<N, ND, OPEN, ND>(forward, x, a);
  load<N>(phi, a.phi, 0, x, here(x));
  T r = dot(phi, phi);
  sum.add(x, 0, dot(phi, forward));
  sum.add(x, 1, r);
  sum.add(x, 2, r * r);
  UNROLL for (int k = 0; k < N; k++) sum.add(x, 3 + k, phi[k]);
}
// P <- keep P - weight dS/dphi, dS/dphi = -coupling (sum of neighbours) + (2 square + 4 quartic r) phi; tangential for spins
template <class L, int N, int ND, int OPEN, int UNIT, class A> FN void scalar_force(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  T phi[N], near[N], p[N], weight = constant<T>(a.weight), keep = constant<T>(a.keep), coupling = constant<T>(a.coupling);
  neighbours<N, ND, OPEN, 2 * ND>(near, x, a);
  load<N>(phi, a.phi, 0, x, here(x));
  load<N>(p, a.P, 0, x, here(x));
  T own = UNIT ? coupling * dot(phi, near) : madd(constant<T>(4 * a.quartic), dot(phi, phi), constant<T>(2 * a.square));
  UNROLL for (int k = 0; k < N; k++) p[k] = madd(weight, nmadd(own, phi[k], coupling * near[k]), keep * p[k]);
  store<N>(a.P, 0, x, p);
}

// Normal numbers in every component; for spins, points that are uniform on the sphere
template <class L, int N, int UNIT, class A> FN void scalar_hot(const Site<L>& x, const A& a) {
  typename L::D g[N];
  normal_numbers<N>(g, a.key, x, 0);
  if constexpr (UNIT) normalise_vector(g);
  store_doubles<N>(a.phi, x, g);
}
// Momenta with density exp(-p.p/2), orthogonal to phi for spins
template <class L, int N, int UNIT, class A> FN void scalar_momenta(const Site<L>& x, const A& a) {
  typedef typename L::D D;
  D g[N];
  normal_numbers<N>(g, a.key, x, 0);
  if constexpr (UNIT) {
    typename L::T phi[N];
    D s[N];
    load<N>(phi, a.phi, 0, x, here(x));
    to_doubles<N, L>(s, phi);
    D along = dot(s, g);
    UNROLL for (int k = 0; k < N; k++) g[k] = nmadd(along, s[k], g[k]);
  }
  store_doubles<N>(a.P, x, g);
}
// Sum of p.p/2
template <class L, int N, class A, class S> FN void scalar_kinetic(const Site<L>& x, const A& a, S& sum) {
  typename L::T p[N];
  load<N>(p, a.P, 0, x, here(x));
  sum.add(x, 0, dot(p, p) * constant<typename L::T>(0.5));
}
// phi <- phi + eps P; spins turn by the angle eps |P| towards P, and P with them
template <class L, int N, int UNIT, class A> FN void scalar_drift(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  typedef typename L::D D;
  T phi[N], p[N];
  load<N>(phi, a.phi, 0, x, here(x));
  load<N>(p, a.P, 0, x, here(x));
  if constexpr (UNIT) {
    D s[N], q[N], sine, cosine, eps = constant<D>(a.eps);
    to_doubles<N, L>(s, phi);
    to_doubles<N, L>(q, p);
    D r = dot(q, q), size = root(r);
    sincos(eps * size, sine, cosine);
    auto small = r < constant<D>(1e-200);  // sin(eps |p|)/|p| -> eps
    D ratio = select(small, eps, sine / select(small, constant<D>(1), size)), back = size * sine;
    UNROLL for (int k = 0; k < N; k++) {
      D turned = madd(ratio, q[k], cosine * s[k]);
      q[k] = nmadd(back, s[k], cosine * q[k]);
      s[k] = turned;
    }
    store_doubles<N>(a.phi, x, s);
    store_doubles<N>(a.P, x, q);
  } else {
    UNROLL for (int k = 0; k < N; k++) phi[k] = madd(constant<T>(a.eps), p[k], phi[k]);
    store<N>(a.phi, 0, x, phi);
  }
}
// Spins back to |phi| = 1; sums |phi - phi'|^2
template <class L, int N, class A, class S> FN void normalise(const Site<L>& x, const A& a, S& sum) {
  typedef typename L::T T;
  T phi[N], unit[N], drift = T{};
  load<N>(phi, a.phi, 0, x, here(x));
  load<N>(unit, a.phi, 0, x, here(x));
  normalise_vector(unit);
  UNROLL for (int k = 0; k < N; k++) drift = madd(phi[k] - unit[k], phi[k] - unit[k], drift);
  store<N>(a.phi, 0, x, unit);
  sum.add(x, 0, drift);
}
// Spins reflected about the sum h of their neighbours, s -> 2 (s.h) h/h^2 - s: the action stays
template <class L, int N, int ND, int OPEN, class A> FN void spin_overrelaxation(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  T s[N], h[N];
  neighbours<N, ND, OPEN, 2 * ND>(h, x, a);
  load<N>(s, a.phi, 0, x, here(x));
  T r = dot(h, h), f = dot(s, h) / select(r > T{}, r, constant<T>(1));
  UNROLL for (int k = 0; k < N; k++) s[k] = select(r > T{}, madd(f + f, h[k], -s[k]), s[k]);
  store<N>(a.phi, 0, x, s);
}
