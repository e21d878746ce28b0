// Wilson operators: out = own_term own + after_term (hopping H psi),
//   H psi(x) = sum_mu [(1 - gamma_mu) U_mu(x) psi(x+mu) + (1 + gamma_mu) U_mu(x-mu)^dag psi(x-mu)];
// DAGGER: the signs of the gammas are exchanged, which gives H^dag. GAMMA5: the result is multiplied by gamma5.
#pragma once
#include "finish.h"
#include "hop.h"
#include "site_term.h"

// The half-spinor of the hop D, as it lies at its neighbour: component i of (1 -+ gamma) psi
template <int D, int ND, int N, int DAGGER> struct wilson_hop {
  static constexpr int mu = D % ND, sign = (D < ND) != (DAGGER != 0) ? -1 : 1, half = spins<ND>::half;
  template <class L> static FN_MEMBER void project(cx<typename L::T> (&h)[N], const typename L::R* psi, int i) {
    int j = half + partner<ND>(mu, i);
    UNROLL for (int c = 0; c < N; c++) {
      cx<typename L::T> up = {number_at<L>(psi, 2 * (i * N + c)), number_at<L>(psi, 2 * (i * N + c) + 1)};
      cx<typename L::T> down = {number_at<L>(psi, 2 * (j * N + c)), number_at<L>(psi, 2 * (j * N + c) + 1)};
      h[c] = add_turned(projection_power<ND>(mu, i, sign), up, down);
    }
  }
  template <class T> static FN_MEMBER void reconstruct(vector<T, 2 * half * N>& r, const cx<T> (&g)[N], int i) {
    int j = half + partner<ND>(mu, i);
    UNROLL for (int c = 0; c < N; c++) {
      r.e[i * N + c] = r.e[i * N + c] + g[c];
      r.e[j * N + c] = add_turned(reconstruction_power<ND>(mu, i, sign), r.e[j * N + c], g[c]);
    }
  }
};
// Half-spinors that other ranks need: what hop NUMBER reads at x, sent in the place of psi
template <class L, int NUMBER, int N, int ND, int C, int DAGGER, class A> FN void project_half_spinor(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  constexpr int half = spins<ND>::half;
  ROLLED for (int copy = 0; copy < C; copy++) {
    const typename L::R* psi = address_of_copy<4 * half * N, C>(a.full, x.item, copy);
    typename L::R* part = address<2 * half * N * C>(a.part, NUMBER, x.item) + copy * (2 * half * N * L::G);
    UNROLL for (int i = 0; i < half; i++) {
      cx<T> h[N];
      wilson_hop<NUMBER, ND, N, DAGGER>::template project<L>(h, psi, i);
      UNROLL for (int c = 0; c < N; c++) {
        store_number<L>(part, 2 * (i * N + c), x, h[c].re);
        store_number<L>(part, 2 * (i * N + c) + 1, x, h[c].im);
      }
    }
  }
}
// r += the hops D .. LAST - 1 of a copy
template <int D, int LAST, int N, int ND, int C, int DAGGER, class L, class A, class U>
FN void add_hops(vector<typename L::T, spins<ND>::count * N>& r, const Site<L>& x, const A& a, const U& links, int copy) {
  typedef wilson_hop<D, ND, N, DAGGER> hop;
  constexpr int half = spins<ND>::half;
  typename L::T buffer[2 * U::rows * N];
  auto u = links.template get<D>(buffer, copy);
  i64 item = at(x, D).item;
  bool ghost = item >= x.first_ghost;
  const typename L::R* psi = address_of_copy<4 * half * N, C>(a.psi, item, copy);
  const typename L::R* sent = address<2 * half * N * C>(a.psi_halo, D, item) + copy * (2 * half * N * L::G);
  links.template ask_for_vector<D, 4 * half * N>(a.psi, copy);
  UNROLL for (int i = 0; i < half; i++) {
    cx<typename L::T> h[N], g[N];
    if (UNLIKELY(ghost)) {
      UNROLL for (int c = 0; c < N; c++) h[c] = {number_at<L>(sent, 2 * (i * N + c)), number_at<L>(sent, 2 * (i * N + c) + 1)};
    } else hop::template project<L>(h, psi, i);
    arrive<N>(h, x, D, a.phases);
    transport<D, ND>(g, u, h);
    hop::reconstruct(r, g, i);
  }
  if constexpr (D + 1 < LAST) add_hops<D + 1, LAST, N, ND, C, DAGGER>(r, x, a, links, copy);
}

template <class L, int N, int ND, int ROWS, int STORED, int C, int DAGGER, int OWN, int AFTER, int GAMMA5, int FINISH, class A, class... S>
FN void wilson(const Site<L>& x, const A& a, S&... sum) {
  typedef typename L::T T;
  constexpr int K = spins<ND>::count * N;
  links_around<L, N, ROWS, STORED, ND, C> links = {a.links, x, a.far != 0};
  ROLLED for (int copy = 0; copy < C; copy++) {
    vector<T, K> r = zero_vector<T, K>();
    add_hops<0, 2 * ND, N, ND, C, DAGGER>(r, x, a, links, copy);
    T h = constant<T>(a.hopping);
    UNROLL for (int k = 0; k < K; k++) r.e[k] = scale(h, r.e[k]);
    if constexpr (AFTER >= PACKED) r = site_term<AFTER, L, K>(r, 1, 0, blocks_at<AFTER, K>(a.after_blocks, x));
    else if constexpr (AFTER != NOTHING) r = site_term<AFTER, L, K>(r, a.after_mass, a.after_twist, nullptr);
    if constexpr (OWN != NOTHING) {
      const typename L::R* blocks = nullptr;
      if constexpr (OWN >= PACKED) blocks = blocks_at<OWN, K>(a.own_blocks, x);
      vector<T, K> o = site_term<OWN, L, K>(load_vector<K, C>(a.own, x, copy), a.own_mass, a.own_twist, blocks);
      UNROLL for (int k = 0; k < K; k++) r.e[k] = r.e[k] + o.e[k];
    }
    if constexpr (GAMMA5 != 0) apply_gamma5(r);
    finish<FINISH, C>(x, a, copy, r, sum...);
  }
}
// out = hopping times the hop +MU alone
template <class L, int N, int ND, int ROWS, int STORED, int C, int MU, class A> FN void forward_hop(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  constexpr int K = spins<ND>::count * N;
  links_around<L, N, ROWS, STORED, ND, C> links = {a.links, x, false};
  ROLLED for (int copy = 0; copy < C; copy++) {
    vector<T, K> r = zero_vector<T, K>();
    add_hops<MU, MU + 1, N, ND, C, 0>(r, x, a, links, copy);
    T h = constant<T>(a.hopping);
    UNROLL for (int k = 0; k < K; k++) r.e[k] = scale(h, r.e[k]);
    store_vector<C>(a.out, x, copy, r);
  }
}
// out = term psi on the sites themselves
template <class L, int N, int ND, int C, int TERM, int GAMMA5, int FINISH, class A, class... S> FN void apply_site_term(const Site<L>& x, const A& a, S&... sum) {
  typedef typename L::T T;
  constexpr int K = spins<ND>::count * N;
  const typename L::R* blocks = nullptr;
  if constexpr (TERM >= PACKED) blocks = blocks_at<TERM, K>(a.own_blocks, x);
  ROLLED for (int copy = 0; copy < C; copy++) {
    vector<T, K> r = site_term<TERM, L, K>(load_vector<K, C>(a.psi, x, copy), a.own_mass, a.own_twist, blocks);
    if constexpr (GAMMA5 != 0) apply_gamma5(r);
    finish<FINISH, C>(x, a, copy, r, sum...);
  }
}
