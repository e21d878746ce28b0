// Metropolis et al. (1953) for one link or one site: `hits` proposals of size `width`, each accepted with probability min(1, exp(-dS)).
// Proposals are as likely as their inverses: links R U with R = exp(i width g^a T^a), scalars phi + width g, spins s + width g
// put back on the sphere; g are normal numbers. The sum is the number of accepted proposals.
#pragma once
#include "gauge.h"
#include "exponential.h"
#include "scalar.h"

// Whether a proposal is accepted, in the draws from `trial` on
template <class L> FN auto accepted(typename L::D delta, const RandomKey& key, const Site<L>& x, int direction, u32 trial) {
  typename L::D u, v;
  uniform_pair(key, x, direction, trial, u, v);
  return logarithm(u) < -delta;
}

// A link with the weight exp(beta/N Re tr U S); the number of accepted proposals (none for a link that is absent)
template <class L, int N, class A>
FN typename L::T metropolis_link(matrix<typename L::T, N>& u, const matrix<typename L::T, N>& s, const Site<L>& x, const A& a, int mu) {
  typedef typename L::T T;
  typedef typename L::D D;
  constexpr int NG = generators<N>::count, DRAWS = (NG + 1) / 2 + 1;
  T size = T{}, count = T{};
  for (int j = 0; j < N; j++) size = size + norm2(u.e[0][j]);
  ROLLED for (i64 hit = 0; hit < a.hits; hit++) {
    T p[NG + 1], yes;
    ROLLED for (int k = 0; k < NG; k += 2) {
      D first, second;
      normal_pair(a.key, x, mu, hit * DRAWS + k / 2, first, second);
      from_double(p[k], constant<D>(a.width) * first);
      from_double(p[k + 1], constant<D>(a.width) * second);
    }
    T q[NG];
    UNROLL for (int k = 0; k < NG; k++) q[k] = p[k];
    matrix<T, N> e;
    exp_algebra(e, q);
    matrix<T, N> v = mul(e, u), change = v;
    UNROLL for (int i = 0; i < N; i++) UNROLL for (int j = 0; j < N; j++) change.e[i][j] = v.e[i][j] - u.e[i][j];
    D delta = to_double(trace(mul(change, s)).re) * constant<D>(-a.beta / N);
    auto good = accepted<L>(delta, a.key, x, mu, hit * DRAWS + DRAWS - 1);
    from_double(yes, select(good, constant<D>(1), D{}));
    auto take = both(yes > T{}, size > T{});
    UNROLL for (int i = 0; i < N; i++) UNROLL for (int j = 0; j < N; j++)
      u.e[i][j] = {select(take, v.e[i][j].re, u.e[i][j].re), select(take, v.e[i][j].im, u.e[i][j].im)};
    count = count + select(take, constant<T>(1), T{});
  }
  return count;
}
template <class L, int N, int ND, int MU, class A, class S> FN void plaquette_metropolis(const Site<L>& x, const A& a, S& sum) {
  matrix<typename L::T, N> s;
  plaquette_staple<N, ND>(s, x, a.U, MU);
  matrix<typename L::T, N> u = load_matrix<N>(a.U, MU, x, here(x));
  sum.add(x, 0, metropolis_link<L, N>(u, s, x, a, MU));
  store_matrix<N>(a.U, MU, x, u);
}
template <class L, int N, int ND, int MU, class A, class S> FN void staple_metropolis(const Site<L>& x, const A& a, S& sum) {
  matrix<typename L::T, N> u = load_matrix<N>(a.U, MU, x, here(x));
  sum.add(x, 0, metropolis_link<L, N>(u, load_matrix<N>(a.staple, 0, x, here(x)), x, a, MU));
  store_matrix<N>(a.U, MU, x, u);
}

// A site of a scalar field or of spins, with the action of scalar.h
template <class L, int N, int ND, int OPEN, int UNIT, class A, class S> FN void site_metropolis(const Site<L>& x, const A& a, S& sum) {
  typedef typename L::T T;
  typedef typename L::D D;
  constexpr int DRAWS = (N + 1) / 2 + 1;
  T near[N], value[N], told;
  neighbours<N, ND, OPEN, 2 * ND>(near, x, a);
  load<N>(value, a.phi, 0, x, here(x));
  D h[N], phi[N], next[N], count = D{}, coupling = constant<D>(a.coupling), square = constant<D>(a.square), quartic = constant<D>(a.quartic);
  to_doubles<N, L>(h, near);
  to_doubles<N, L>(phi, value);
  ROLLED for (i64 hit = 0; hit < a.hits; hit++) {
    normal_numbers<N>(next, a.key, x, hit * DRAWS);
    UNROLL for (int k = 0; k < N; k++) next[k] = madd(constant<D>(a.width), next[k], phi[k]);
    if constexpr (UNIT) normalise_vector(next);
    D before = dot(phi, phi), after = dot(next, next), delta = coupling * (dot(phi, h) - dot(next, h));
    if constexpr (!UNIT) delta = delta + (after - before) * madd(quartic, after + before, square);
    auto good = accepted<L>(delta, a.key, x, 0, hit * DRAWS + DRAWS - 1);
    UNROLL for (int k = 0; k < N; k++) phi[k] = select(good, next[k], phi[k]);
    count = count + select(good, constant<D>(1), D{});
  }
  store_doubles<N>(a.phi, x, phi);
  from_double(told, count);
  sum.add(x, 0, told);
}
