// Field strength, energy density and topological charge. Displacements: +mu, -mu, +mu-nu (nd^2), -mu-nu (nd^2).
#pragma once
#include "gauge.h"
#include "math.h"

template <int ND> FN constexpr int lower_corner(int mu, int nu) { return 2 * ND + ND * ND + mu * ND + nu; }

// Leaves of the clover around x in the plane mu nu, or the plaquette alone
template <int N, int ND, bool CLOVER, class L> FN matrix<typename L::T, N> leaves(const Site<L>& x, const View<L>& u, int mu, int nu) {
  typedef matrix<typename L::T, N> M;
  M q = zero_matrix<typename L::T, N>();
  Ref o = here(x), fm = at(x, forward<ND>(mu)), fn = at(x, forward<ND>(nu));
  M um = load_matrix<N>(u, mu, x, o), un = load_matrix<N>(u, nu, x, o);
  add(q, mul_adjoint(mul(um, load_matrix<N>(u, nu, x, fm)), mul(un, load_matrix<N>(u, mu, x, fn))));
  if constexpr (CLOVER) {
    Ref bm = at(x, backward<ND>(mu)), bn = at(x, backward<ND>(nu)), low = at(x, lower_corner<ND>(mu, nu));
    M vm = load_matrix<N>(u, mu, x, bm), vn = load_matrix<N>(u, nu, x, bn);
    // U_nu(x) U_mu(x-mu+nu)^dag U_nu(x-mu)^dag U_mu(x-mu)
    M left = mul(load_matrix<N>(u, nu, x, bm), load_matrix<N>(u, mu, x, at(x, corner<ND>(nu, mu))));
    add(q, mul(mul_adjoint(un, left), vm));
    // U_mu(x-mu)^dag U_nu(x-mu-nu)^dag U_mu(x-mu-nu) U_nu(x-nu)
    add(q, adjoint_mul(mul(load_matrix<N>(u, nu, x, low), vm), mul(load_matrix<N>(u, mu, x, low), vn)));
    // U_nu(x-nu)^dag U_mu(x-nu) U_nu(x-nu+mu) U_mu(x)^dag
    M right = mul(load_matrix<N>(u, mu, x, bn), load_matrix<N>(u, nu, x, at(x, corner<ND>(mu, nu))));
    add(q, mul_adjoint(adjoint_mul(vn, right), um));
  }
  return q;
}
template <class T, int NG> FN T dot(const T (&a)[NG], const T (&b)[NG]) {
  T s = a[0] * b[0];
  UNROLL for (int k = 1; k < NG; k++) s = madd(a[k], b[k], s);
  return s;
}

// Sums: tr F^2 over planes with the last direction, over the others, and eps tr F F/(32 pi^2) (4 dimensions; 0 otherwise).
// F_mu_nu = -(i/8)(Q - Q^dag) traceless, Q the sum of the leaves (4 of them, or 4 times the one plaquette).
template <class L, int N, int ND, int CLOVER, class A, class S> FN void field_strength(const Site<L>& x, const A& a, S& sum) {
  typedef typename L::T T;
  constexpr int NG = generators<N>::count, PLANES = ND * (ND - 1) / 2;
  T f[PLANES][NG], scale = constant<T>(CLOVER ? 0.25 : 1);
  int plane = 0;
  ROLLED for (int nu = 1; nu < ND; nu++)  // 01 02 12 03 13 23
    ROLLED for (int mu = 0; mu < nu; mu++, plane++) {
      project_algebra<T, N>(f[plane], leaves<N, ND, CLOVER>(x, a.U, mu, nu));
      UNROLL for (int k = 0; k < NG; k++) f[plane][k] = f[plane][k] * scale;
    }
  T norm = constant<T>(N == 1 ? 1 : 0.5), time = T{}, space = T{};  // tr T^a T^b
  for (int p = 0; p < PLANES; p++) {
    if (p >= PLANES - (ND - 1)) time = madd(norm, dot(f[p], f[p]), time);
    else space = madd(norm, dot(f[p], f[p]), space);
  }
  sum.add(x, 0, time);
  sum.add(x, 1, space);
  T charge = T{};
  if constexpr (ND == 4) charge = (dot(f[0], f[5]) - dot(f[1], f[4]) + dot(f[3], f[2])) * norm * constant<T>(0.025330295910584444);
  sum.add(x, 2, charge);
}

// Two dimensions, U(1): the sum of plaquette angles in (-pi, pi], over 2 pi
template <class L, int N, int ND, class A, class S> FN void plaquette_angle(const Site<L>& x, const A& a, S& sum) {
  typedef typename L::T T;
  matrix<T, N> up = mul(load_matrix<N>(a.U, 0, x, here(x)), load_matrix<N>(a.U, 1, x, at(x, forward<ND>(0))));
  matrix<T, N> right = mul(load_matrix<N>(a.U, 1, x, here(x)), load_matrix<N>(a.U, 0, x, at(x, forward<ND>(1))));
  cx<T> z = trace_adjoint(up, right);
  T angle;
  from_double(angle, arctan2(to_double(z.im), to_double(z.re)) * 0.15915494309189535);
  sum.add(x, 0, angle);
}
