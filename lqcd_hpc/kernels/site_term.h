// Terms of a Dirac operator that act on a site alone: masses, twisted masses, clover blocks.
#pragma once
#include "spin.h"

enum SiteTerm {
  NOTHING = 0,
  MASS = 1,            // a
  TWISTED = 2,         // a + i b gamma5
  PACKED = 3,          // a Hermitian block for either chirality
  PACKED_TWISTED = 4,  // the same + i b gamma5
  FULL = 5,            // a general block for either chirality
};
// Reals of the two blocks of a site
template <int B> FN constexpr int packed_reals() { return 2 * B * B; }
template <int B> FN constexpr int full_reals() { return 4 * B * B; }

// A Hermitian B x B block: B diagonal numbers, then the complex h_ij for i > j, row by row
template <int B> FN constexpr int below_diagonal(int i, int j) { return B + 2 * (i * (i - 1) / 2 + j); }

// y = H x for both chiralities; p: the blocks, numbers STRIDE apart
template <int B, class L> FN vector<typename L::T, 2 * B> apply_packed(const typename L::R* p, const vector<typename L::T, 2 * B>& v) {
  typedef typename L::T T;
  vector<T, 2 * B> y;
  UNROLL for (int chi = 0; chi < 2; chi++) {
    const typename L::R* h = p + chi * (B * B * L::G);
    cx<T> out[B];
    UNROLL for (int i = 0; i < B; i++) out[i] = scale(number_at<L>(h, i), v.e[chi * B + i]);
    UNROLL for (int i = 1; i < B; i++) UNROLL for (int j = 0; j < i; j++) {
      cx<T> z = {number_at<L>(h, below_diagonal<B>(i, j)), number_at<L>(h, below_diagonal<B>(i, j) + 1)};
      mac(out[i], z, v.e[chi * B + j]);
      conj_mac(out[j], z, v.e[chi * B + i]);
    }
    UNROLL for (int i = 0; i < B; i++) y.e[chi * B + i] = out[i];
  }
  return y;
}
template <int B, class L> FN vector<typename L::T, 2 * B> apply_full(const typename L::R* p, const vector<typename L::T, 2 * B>& v) {
  typedef typename L::T T;
  vector<T, 2 * B> y = zero_vector<T, 2 * B>();
  UNROLL for (int chi = 0; chi < 2; chi++) UNROLL for (int j = 0; j < B; j++) UNROLL for (int i = 0; i < B; i++) {
    int k = 2 * ((chi * B + i) * B + j);
    mac(y.e[chi * B + i], cx<T>{number_at<L>(p, k), number_at<L>(p, k + 1)}, v.e[chi * B + j]);
  }
  return y;
}
// The term applied to v. mass, twist: numbers a, b; blocks: of this site
template <int TERM, class L, int K>
FN vector<typename L::T, K> site_term(const vector<typename L::T, K>& v, double mass, double twist, const typename L::R* blocks) {
  typedef typename L::T T;
  vector<T, K> y = v;
  if constexpr (TERM == MASS || TERM == TWISTED) {
    T m = constant<T>(mass);
    UNROLL for (int k = 0; k < K; k++) y.e[k] = scale(m, v.e[k]);
  }
  if constexpr (TERM == PACKED || TERM == PACKED_TWISTED) y = apply_packed<K / 2, L>(blocks, v);
  if constexpr (TERM == FULL) y = apply_full<K / 2, L>(blocks, v);
  if constexpr (TERM == TWISTED || TERM == PACKED_TWISTED) add_twisted(y, constant<T>(twist), v);
  return y;
}
template <int TERM, int K, class L> FN const typename L::R* blocks_at(const View<L>& f, const Site<L>& x) {
  if constexpr (TERM == FULL) return address<full_reals<K / 2>()>(f, 0, x.item);
  return address<packed_reals<K / 2>()>(f, 0, x.item);
}
