// Staggered operator: out = own_mass own + hopping sum_mu eta_mu(x) [U_mu(x) psi(x+mu) - U_mu(x-mu)^dag psi(x-mu)],
// eta_mu(x) = (-1)^(x_0 + .. + x_{mu-1}): bit mu of signs[item] is set where it is -1 (the same in all lanes).
#pragma once
#include "finish.h"
#include "hop.h"

template <int D, int N, int ND, int C, class L, class A, class U>
FN void add_staggered_hops(vector<typename L::T, N>& r, const Site<L>& x, const A& a, const U& links, int copy) {
  typedef typename L::T T;
  T buffer[2 * U::rows * N];
  auto u = links.template get<D>(buffer, copy);
  const typename L::R* psi = address_of_copy<2 * N, C>(a.psi, at(x, D).item, copy);
  links.template ask_for_vector<D, 2 * N>(a.psi, copy);
  cx<T> h[N], g[N];
  UNROLL for (int c = 0; c < N; c++) h[c] = {number_at<L>(psi, 2 * c), number_at<L>(psi, 2 * c + 1)};
  arrive<N>(h, x, D, a.phases);
  transport<D, ND>(g, u, h);
  T sign = constant<T>((a.signs[x.item] >> (D % ND) & 1) != (D >= ND) ? -1 : 1);
  UNROLL for (int c = 0; c < N; c++) r.e[c] = {madd(sign, g[c].re, r.e[c].re), madd(sign, g[c].im, r.e[c].im)};
  if constexpr (D + 1 < 2 * ND) add_staggered_hops<D + 1, N, ND, C>(r, x, a, links, copy);
}
template <class L, int N, int ND, int ROWS, int STORED, int C, int OWN, int FINISH, class A, class... S> FN void staggered(const Site<L>& x, const A& a, S&... sum) {
  typedef typename L::T T;
  links_around<L, N, ROWS, STORED, ND, C> links = {a.links, x, a.far != 0};
  ROLLED for (int copy = 0; copy < C; copy++) {
    vector<T, N> r = zero_vector<T, N>();
    add_staggered_hops<0, N, ND, C>(r, x, a, links, copy);
    T h = constant<T>(a.hopping);
    UNROLL for (int k = 0; k < N; k++) r.e[k] = scale(h, r.e[k]);
    if constexpr (OWN != 0) add_scaled(r, constant<T>(a.own_mass), load_vector<N, C>(a.own, x, copy));
    finish<FINISH, C>(x, a, copy, r, sum...);
  }
}
// out = mass psi
template <class L, int N, int C, int FINISH, class A, class... S> FN void scaled(const Site<L>& x, const A& a, S&... sum) {
  typedef typename L::T T;
  ROLLED for (int copy = 0; copy < C; copy++) {
    vector<T, N> r = zero_vector<T, N>();
    add_scaled(r, constant<T>(a.own_mass), load_vector<N, C>(a.psi, x, copy));
    finish<FINISH, C>(x, a, copy, r, sum...);
  }
}
