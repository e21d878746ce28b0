// Operators on blocks: a matrix of N x N complex numbers for the site itself (term 0) and for each hop (terms 1 .. 2 ND: +mu, then -mu),
//   out(x) = sum_term A_term(x) psi(x + d_term),   and its adjoint   out(x) = A_0(x)^dag psi(x) + sum_d A_{-d}(x + d)^dag psi(x + d).
#pragma once
#include "finish.h"

template <int N, class L> FN cx<typename L::T> entry(const typename L::R* m, int row, int column) {
  return {number_at<L>(m, 2 * (row * N + column)), number_at<L>(m, 2 * (row * N + column) + 1)};
}
template <class L> FN cx<typename L::T> permuted(cx<typename L::T> z, const Site<L>& x, u32 permutation) {
  if constexpr (L::W > 1) {
    if (permutation) return {shuffle(z.re, x.permutations[permutation]), shuffle(z.im, x.permutations[permutation])};
  }
  return z;
}
// Rows and copies that are computed together: as many products at once as registers hold
template <int N, int C> struct coarse_tile {
  static constexpr int copies = C % 12 == 0 ? 12 : C % 8 == 0 ? 8 : C % 6 == 0 ? 6 : C % 4 == 0 ? 4 : C % 3 == 0 ? 3 : C % 2 == 0 ? 2 : 1;
  static constexpr int rows = copies > 6 ? 1 : copies > 3 ? (N % 2 ? 1 : 2) : (N % 4 ? 2 : 4);
};
// The terms a.first .. a.last - 1
template <class L, int N, int ND, int C, int DAGGER, int FINISH, class A, class... S> FN void coarse(const Site<L>& x, const A& a, S&... sum) {
  typedef typename L::T T;
  typedef coarse_tile<N, C> tile;
  vector<T, N> r[C];
  cx<T> h[C][N];
  ROLLED for (int copy = 0; copy < C; copy++) ROLLED for (int k = 0; k < N; k++) r[copy].e[k] = {T{}, T{}};
  ROLLED for (i64 term = a.first; term < a.last; term++) {
    Ref from = term ? at(x, (int)term - 1) : here(x);
    ROLLED for (int copy = 0; copy < C; copy++) {
      const typename L::R* p = address_of_copy<2 * N, C>(a.psi, from.item, copy);
      ROLLED for (int k = 0; k < N; k++) h[copy][k] = permuted<L>(cx<T>{number_at<L>(p, 2 * k), number_at<L>(p, 2 * k + 1)}, x, from.permutation);
    }
    int opposite = term == 0 ? 0 : term <= ND ? (int)term + ND : (int)term - ND;
    const typename L::R* m = address<2 * N * N>(a.matrices, DAGGER ? opposite : (int)term, DAGGER ? from.item : x.item);
    ROLLED for (int first = 0; first < C; first += tile::copies) ROLLED for (int row = 0; row < N; row += tile::rows) {
      cx<T> q[tile::rows][tile::copies];
      UNROLL for (int i = 0; i < tile::rows; i++) UNROLL for (int c = 0; c < tile::copies; c++) q[i][c] = r[first + c].e[row + i];
      ROLLED for (int column = 0; column < N; column++) {
        UNROLL for (int i = 0; i < tile::rows; i++) {
          cx<T> z = DAGGER ? conj(permuted<L>(entry<N, L>(m, column, row + i), x, from.permutation)) : entry<N, L>(m, row + i, column);
          UNROLL for (int c = 0; c < tile::copies; c++) mac(q[i][c], z, h[first + c][column]);
        }
      }
      UNROLL for (int i = 0; i < tile::rows; i++) UNROLL for (int c = 0; c < tile::copies; c++) r[first + c].e[row + i] = q[i][c];
    }
  }
  ROLLED for (int copy = 0; copy < C; copy++) finish<FINISH, C>(x, a, copy, r[copy], sum...);
}
// The gradient with respect to A_term of a real function with the gradient `slope` with respect to out:
//   G_term(x) = sum over right-hand sides of slope(x) psi(x + d_term)^dag
template <class L, int N, int ND, int C, class A> FN void coarse_gradient(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  cx<T> h[C][N], s[C][N];
  ROLLED for (int copy = 0; copy < C; copy++) {
    const typename L::R* p = address_of_copy<2 * N, C>(a.slope, x.item, copy);
    ROLLED for (int k = 0; k < N; k++) s[copy][k] = {number_at<L>(p, 2 * k), number_at<L>(p, 2 * k + 1)};
  }
  ROLLED for (int term = 0; term <= 2 * ND; term++) {
    Ref from = term ? at(x, term - 1) : here(x);
    ROLLED for (int copy = 0; copy < C; copy++) {
      const typename L::R* p = address_of_copy<2 * N, C>(a.psi, from.item, copy);
      ROLLED for (int k = 0; k < N; k++) h[copy][k] = permuted<L>(cx<T>{number_at<L>(p, 2 * k), number_at<L>(p, 2 * k + 1)}, x, from.permutation);
    }
    typename L::R* g = address<2 * N * N>(a.gradient, term, x.item);
    ROLLED for (int row = 0; row < N; row++) ROLLED for (int column = 0; column < N; column++) {
      cx<T> z = {T{}, T{}};
      ROLLED for (int copy = 0; copy < C; copy++) mac_conj(z, s[copy][row], h[copy][column]);
      store_number<L>(g, 2 * (row * N + column), x, z.re);
      store_number<L>(g, 2 * (row * N + column) + 1, x, z.im);
    }
  }
}
// For hops with A_{-mu}(x) = g5 A_mu(x - mu)^dag g5, g5 = 1 and -1 on the two halves of the components: the terms -mu from those of
// +mu, and term 0 from the part on sites and the hops +mu within a block:  A_0 = site + inner + g5 inner^dag g5
template <class L, int N, int ND, class A> FN void complete_hops(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  ROLLED for (int mu = 0; mu < ND; mu++) {
    Ref from = at(x, ND + mu);
    const typename L::R* m = address<2 * N * N>(a.matrices, 1 + mu, from.item);
    typename L::R* q = address<2 * N * N>(a.matrices, 1 + ND + mu, x.item);
    ROLLED for (int row = 0; row < N; row++) ROLLED for (int column = 0; column < N; column++) {
      cx<T> z = conj(permuted<L>(entry<N, L>(m, column, row), x, from.permutation));
      bool flip = (row < N / 2) != (column < N / 2);
      store_number<L>(q, 2 * (row * N + column), x, flip ? -z.re : z.re);
      store_number<L>(q, 2 * (row * N + column) + 1, x, flip ? -z.im : z.im);
    }
  }
  const typename L::R* m = address<2 * N * N>(a.inner, 0, x.item);
  typename L::R* q = address<2 * N * N>(a.matrices, 0, x.item);
  ROLLED for (int row = 0; row < N; row++) ROLLED for (int column = 0; column < N; column++) {
    cx<T> z = conj(entry<N, L>(m, column, row)), w = entry<N, L>(m, row, column);
    cx<T> o = entry<N, L>(address<2 * N * N>(a.site, 0, x.item), row, column);
    bool flip = (row < N / 2) != (column < N / 2);
    z = flip ? cx<T>{w.re - z.re, w.im - z.im} : cx<T>{w.re + z.re, w.im + z.im};
    store_number<L>(q, 2 * (row * N + column), x, o.re + z.re);
    store_number<L>(q, 2 * (row * N + column) + 1, x, o.im + z.im);
  }
}
