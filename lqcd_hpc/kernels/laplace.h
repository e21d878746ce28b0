// Covariant Laplacian of M colour vectors: out = own_mass psi + hopping sum_mu [U_mu(x) psi(x+mu) + U_mu(x-mu)^dag psi(x-mu)],
// over the directions mu whose bit is set in DIRECTIONS.
#pragma once
#include "finish.h"
#include "hop.h"

template <int D, int DIRECTIONS, int N, int ND, int M, int C, class L, class A, class U>
FN void add_plain_hops(vector<typename L::T, M * N>& r, const Site<L>& x, const A& a, const U& links, int copy) {
  typedef typename L::T T;
  if constexpr (DIRECTIONS >> (D % ND) & 1) {
    T buffer[2 * U::rows * N];
    auto u = links.template get<D>(buffer, copy);
    const typename L::R* psi = address_of_copy<2 * M * N, C>(a.psi, at(x, D).item, copy);
    UNROLL for (int m = 0; m < M; m++) {
      cx<T> h[N], g[N];
      UNROLL for (int c = 0; c < N; c++) h[c] = {number_at<L>(psi, 2 * (m * N + c)), number_at<L>(psi, 2 * (m * N + c) + 1)};
      arrive<N>(h, x, D, a.phases);
      transport<D, ND>(g, u, h);
      UNROLL for (int c = 0; c < N; c++) r.e[m * N + c] = r.e[m * N + c] + g[c];
    }
  }
  if constexpr (D + 1 < 2 * ND) add_plain_hops<D + 1, DIRECTIONS, N, ND, M, C>(r, x, a, links, copy);
}
template <class L, int N, int ND, int ROWS, int STORED, int C, int M, int DIRECTIONS, int FINISH, class A, class... S>
FN void laplace(const Site<L>& x, const A& a, S&... sum) {
  typedef typename L::T T;
  links_around<L, N, ROWS, STORED, ND, C> links = {a.links, x, a.far != 0};
  ROLLED for (int copy = 0; copy < C; copy++) {
    vector<T, M * N> r = zero_vector<T, M * N>();
    add_plain_hops<0, DIRECTIONS, N, ND, M, C>(r, x, a, links, copy);
    T h = constant<T>(a.hopping);
    UNROLL for (int k = 0; k < M * N; k++) r.e[k] = scale(h, r.e[k]);
    add_scaled(r, constant<T>(a.own_mass), load_vector<M * N, C>(a.psi, x, copy));
    finish<FINISH, C>(x, a, copy, r, sum...);
  }
}
