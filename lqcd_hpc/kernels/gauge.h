// Plaquettes and their staples. Displacements of these kernels, in order: +mu, -mu, and +mu-nu (nd * nd of them).
#pragma once
#include "su.h"

template <int ND> FN constexpr int forward(int mu) { return mu; }
template <int ND> FN constexpr int backward(int mu) { return ND + mu; }
template <int ND> FN constexpr int corner(int mu, int nu) { return 2 * ND + mu * ND + nu; }

// r += a b^dag c^dag, one row at a time so that little is alive
template <class T, int N> FN void add_upper(matrix<T, N>& r, const matrix<T, N>& a, const matrix<T, N>& b, const matrix<T, N>& c) {
  UNROLL for (int i = 0; i < N; i++) {
    cx<T> row[N];
    UNROLL for (int j = 0; j < N; j++) {
      row[j] = mul_conj(a.e[i][0], b.e[j][0]);
      UNROLL for (int k = 1; k < N; k++) mac_conj(row[j], a.e[i][k], b.e[j][k]);
    }
    UNROLL for (int j = 0; j < N; j++) UNROLL for (int k = 0; k < N; k++) mac_conj(r.e[i][j], row[k], c.e[j][k]);
  }
}
// r += a^dag b^dag c
template <class T, int N> FN void add_lower(matrix<T, N>& r, const matrix<T, N>& a, const matrix<T, N>& b, const matrix<T, N>& c) {
  UNROLL for (int i = 0; i < N; i++) {
    cx<T> row[N];
    UNROLL for (int j = 0; j < N; j++) {  // conj of (b a)_{ji}
      cx<T> z = mul(b.e[j][0], a.e[0][i]);
      UNROLL for (int k = 1; k < N; k++) mac(z, b.e[j][k], a.e[k][i]);
      row[j] = conj(z);
    }
    UNROLL for (int j = 0; j < N; j++) UNROLL for (int k = 0; k < N; k++) mac(r.e[i][j], row[k], c.e[k][j]);
  }
}

// S_mu(x) = sum_{nu != mu} U_nu(x+mu) U_mu(x+nu)^dag U_nu(x)^dag + U_nu(x+mu-nu)^dag U_mu(x-nu)^dag U_nu(x-nu),
// so that the plaquettes through U_mu(x) sum to Re tr U_mu(x) S_mu(x)
template <int N, int ND, class L> FN void plaquette_staple(matrix<typename L::T, N>& s, const Site<L>& x, const View<L>& u, int mu) {
  s = zero_matrix<typename L::T, N>();
  UNROLL for (int nu = 0; nu < ND; nu++) {
    if (nu == mu) continue;
    add_upper(s, load_matrix<N>(u, nu, x, at(x, forward<ND>(mu))), load_matrix<N>(u, mu, x, at(x, forward<ND>(nu))),
              load_matrix<N>(u, nu, x, here(x)));
    Ref down = at(x, backward<ND>(nu));
    add_lower(s, load_matrix<N>(u, nu, x, at(x, corner<ND>(mu, nu))), load_matrix<N>(u, mu, x, down), load_matrix<N>(u, nu, x, down));
  }
}

// Sums of Re tr U_{mu nu}(x) for every plane mu < nu, in the order 01 02 12 03 13 23
template <class L, int N, int ND, class A, class S> FN void plaquette(const Site<L>& x, const A& a, S& sum) {
  typedef typename L::T T;
  UNROLL for (int nu = 1; nu < ND; nu++) UNROLL for (int mu = 0; mu < nu; mu++) {
    matrix<T, N> up = mul(load_matrix<N>(a.U, mu, x, here(x)), load_matrix<N>(a.U, nu, x, at(x, forward<ND>(mu))));
    matrix<T, N> right = mul(load_matrix<N>(a.U, nu, x, here(x)), load_matrix<N>(a.U, mu, x, at(x, forward<ND>(nu))));
    sum.add(x, nu * (nu - 1) / 2 + mu, re_trace_adjoint(up, right));
  }
}

// P_mu <- keep P_mu + weight (TA(U_mu S_mu)/i as algebra coefficients)
template <class L, int N, int ND, class A> FN void plaquette_force(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  constexpr int NG = generators<N>::count;
  T keep = constant<T>(a.keep), weight = constant<T>(a.weight);
  ROLLED for (int mu = 0; mu < ND; mu++) {
    matrix<T, N> s;
    plaquette_staple<N, ND>(s, x, a.U, mu);
    T f[NG], p[NG];
    project_algebra<T, N>(f, mul(load_matrix<N>(a.U, mu, x, here(x)), s));
    load<NG>(p, a.P, mu, x, here(x));
    UNROLL for (int k = 0; k < NG; k++) p[k] = madd(weight, f[k], keep * p[k]);
    store<NG>(a.P, mu, x, p);
  }
}
