// Plaquettes and their staples. Displacements of these kernels, in order: +mu, -mu, and +mu-nu (nd * nd of them).
#pragma once
#include "su.h"

template <int ND> FN constexpr int forward(int mu) { return mu; }
template <int ND> FN constexpr int backward(int mu) { return ND + mu; }
template <int ND> FN constexpr int corner(int mu, int nu) { return 2 * ND + mu * ND + nu; }

// Rows of a product of SU(2) or SU(3) links that must be computed; the last row follows from them.
template <int N> FN constexpr int independent_rows() { return N == 2 || N == 3 ? N - 1 : N; }

// r += p, given the independent rows of p: the last row is (-p01*, p00*) for SU(2), the conjugate cross product for SU(3)
template <class T, int N> FN void add_special_unitary(matrix<T, N>& r, const cx<T> (&p)[N][N]) {
  UNROLL for (int i = 0; i < independent_rows<N>(); i++) UNROLL for (int j = 0; j < N; j++) r.e[i][j] = r.e[i][j] + p[i][j];
  if constexpr (N == 2) {
    r.e[1][0] = r.e[1][0] - conj(p[0][1]);
    r.e[1][1] = r.e[1][1] + conj(p[0][0]);
  }
  if constexpr (N == 3) {
    UNROLL for (int j = 0; j < 3; j++) {
      int k = (j + 1) % 3, l = (j + 2) % 3;
      cx<T> z = r.e[2][j];
      z.re = madd(p[0][k].re, p[1][l].re, z.re); z.im = nmadd(p[0][k].re, p[1][l].im, z.im);
      z.re = nmadd(p[0][k].im, p[1][l].im, z.re); z.im = nmadd(p[0][k].im, p[1][l].re, z.im);
      z.re = nmadd(p[0][l].re, p[1][k].re, z.re); z.im = madd(p[0][l].re, p[1][k].im, z.im);
      z.re = madd(p[0][l].im, p[1][k].im, z.re); z.im = madd(p[0][l].im, p[1][k].re, z.im);
      r.e[2][j] = z;
    }
  }
}
// Products of a row with a matrix in memory: out = row b^dag, out = row b
template <class L, int N> FN void row_adjoint(cx<typename L::T> (&out)[N], const cx<typename L::T> (&row)[N], matrix_view<L, N> b) {
  UNROLL for (int k = 0; k < N; k++) UNROLL for (int j = 0; j < N; j++) {
    if (k == 0) out[j] = mul_conj(row[k], b(j, k));
    else mac_conj(out[j], row[k], b(j, k));
  }
  REREAD;
}
template <class L, int N> FN void row_times(cx<typename L::T> (&out)[N], const cx<typename L::T> (&row)[N], matrix_view<L, N> b) {
  UNROLL for (int k = 0; k < N; k++) UNROLL for (int j = 0; j < N; j++) {
    if (k == 0) out[j] = mul(row[k], b(k, j));
    else mac(out[j], row[k], b(k, j));
  }
  REREAD;
}
template <class L, int N> FN void row_of(cx<typename L::T> (&out)[N], matrix_view<L, N> a, int i) {
  UNROLL for (int k = 0; k < N; k++) out[k] = a(i, k);
}
// row i of a^dag
template <class L, int N> FN void row_of_adjoint(cx<typename L::T> (&out)[N], matrix_view<L, N> a, int i) {
  UNROLL for (int k = 0; k < N; k++) out[k] = conj(a(k, i));
}

// Staples are summed one row at a time, so that little is alive: r += a b^dag c^dag for links a, b, c
template <class L, int N> FN void add_upper(matrix<typename L::T, N>& r, matrix_view<L, N> a, matrix_view<L, N> b, matrix_view<L, N> c) {
  cx<typename L::T> p[N][N], row[N], next[N];
  UNROLL for (int i = 0; i < independent_rows<N>(); i++) {
    row_of<L, N>(row, a, i);
    row_adjoint<L, N>(next, row, b);
    row_adjoint<L, N>(p[i], next, c);
  }
  add_special_unitary<typename L::T, N>(r, p);
}
// r += a^dag b^dag c for links a, b, c
template <class L, int N> FN void add_lower(matrix<typename L::T, N>& r, matrix_view<L, N> a, matrix_view<L, N> b, matrix_view<L, N> c) {
  cx<typename L::T> p[N][N], row[N], next[N];
  UNROLL for (int i = 0; i < independent_rows<N>(); i++) {
    row_of_adjoint<L, N>(row, a, i);
    row_adjoint<L, N>(next, row, b);
    row_times<L, N>(p[i], next, c);
  }
  add_special_unitary<typename L::T, N>(r, p);
}
// The staple below: U_nu(x+mu-nu)^dag U_mu(x-nu)^dag U_nu(x-nu)
template <int N, int ND, class L> FN void add_staple_below(matrix<typename L::T, N>& s, const Site<L>& x, const View<L>& u, int mu, int nu) {
  typename L::T one[2 * N * N], two[2 * N * N], three[2 * N * N];
  Ref down = at(x, backward<ND>(nu));
  add_lower<L, N>(s, view_matrix<N>(one, u, nu, x, at(x, corner<ND>(mu, nu))), view_matrix<N>(two, u, mu, x, down),
                  view_matrix<N>(three, u, nu, x, down));
}
// The staple above: U_nu(x+mu) U_mu(x+nu)^dag U_nu(x)^dag
template <int N, int ND, class L> FN void add_staple_above(matrix<typename L::T, N>& s, const Site<L>& x, const View<L>& u, int mu, int nu) {
  typename L::T one[2 * N * N], two[2 * N * N], three[2 * N * N];
  add_upper<L, N>(s, view_matrix<N>(one, u, nu, x, at(x, forward<ND>(mu))), view_matrix<N>(two, u, mu, x, at(x, forward<ND>(nu))),
                  view_matrix<N>(three, u, nu, x, here(x)));
}

// S_mu(x) = sum_{nu != mu} of the staples above and below, so that the plaquettes through U_mu(x) sum to Re tr U_mu(x) S_mu(x)
template <int N, int ND, class L> FN void plaquette_staple(matrix<typename L::T, N>& s, const Site<L>& x, const View<L>& u, int mu) {
  s = zero_matrix<typename L::T, N>();
  ROLLED for (int nu = 0; nu < ND; nu++) {
    if (nu == mu) continue;
    add_staple_above<N, ND>(s, x, u, mu, nu);
    add_staple_below<N, ND>(s, x, u, mu, nu);
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

// Algebra coefficients of TA(U_{mu nu}(x))/i, U_{mu nu} = U_mu(x) U_nu(x+mu) U_mu(x+nu)^dag U_nu(x)^dag
template <int N, int ND, class L, int NG> FN void plaquette_algebra(typename L::T (&t)[NG], const Site<L>& x, const View<L>& u, int mu, int nu) {
  typename L::T two[2 * N * N], three[2 * N * N], none[2 * N * N];
  auto a = view_matrix<N>(none, u, mu, x, here(x)), b = view_matrix<N>(two, u, nu, x, at(x, forward<ND>(mu)));
  auto c = view_matrix<N>(three, u, mu, x, at(x, forward<ND>(nu))), d = view_matrix<N>(none, u, nu, x, here(x));
  cx<typename L::T> p[N][N], row[N], next[N];
  UNROLL for (int i = 0; i < independent_rows<N>(); i++) {
    row_of<L, N>(row, a, i);
    row_times<L, N>(next, row, b);
    row_adjoint<L, N>(row, next, c);
    row_adjoint<L, N>(p[i], row, d);
  }
  matrix<typename L::T, N> w = zero_matrix<typename L::T, N>();
  add_special_unitary<typename L::T, N>(w, p);
  project_algebra<typename L::T, N>(t, w);
}

// P_mu <- keep P_mu + weight (TA(U_mu S_mu)/i as algebra coefficients). The plaquette above a site serves both of its links
// there, with opposite signs.
template <class L, int N, int ND, class A> FN void plaquette_force(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  constexpr int NG = generators<N>::count;
  T keep = constant<T>(a.keep), weight = constant<T>(a.weight), f[ND][NG], t[NG];
  for (int mu = 0; mu < ND; mu++) for (int k = 0; k < NG; k++) f[mu][k] = T{};
  ROLLED for (int nu = 1; nu < ND; nu++) ROLLED for (int mu = 0; mu < nu; mu++) {
    plaquette_algebra<N, ND>(t, x, a.U, mu, nu);
    UNROLL for (int k = 0; k < NG; k++) {
      f[mu][k] = f[mu][k] + t[k];
      f[nu][k] = f[nu][k] - t[k];
    }
  }
  ROLLED for (int mu = 0; mu < ND; mu++) {
    matrix<T, N> s = zero_matrix<T, N>();
    ROLLED for (int nu = 0; nu < ND; nu++) if (nu != mu) add_staple_below<N, ND>(s, x, a.U, mu, nu);
    prefetch<2 * N * N>(a.U, mu, item_ahead(x, forward<ND>(ND - 1)));
    prefetch<NG>(a.P, mu, x.item_ahead);
    T p[NG];
    project_algebra<T, N>(t, mul(load_matrix<N>(a.U, mu, x, here(x)), s));
    load<NG>(p, a.P, mu, x, here(x));
    UNROLL for (int k = 0; k < NG; k++) p[k] = madd(weight, f[mu][k] + t[k], keep * p[k]);
    store<NG>(a.P, mu, x, p);
  }
}
