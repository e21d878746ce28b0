// Blocks of sites (aggregates) and the vectors that span a coarse space on them. A vector of K components per site has two halves, the
// chiralities; basis vector i of the NV copies of `basis` gives two per block, one of each half, orthonormal on the block.
// Coarse component s NV + i belongs to half s of vector i. The sites of a coarse item, block by block in the same lanes, are the items
// members[item * sites .. + sites - 1] of the fine lattice.
#pragma once
#include "finish.h"

template <int H, class T, int K> FN cx<T> inner_of_half(int s, const vector<T, K>& a, const vector<T, K>& b) {
  cx<T> z = mul_conj(b.e[s * H], a.e[s * H]);
  UNROLL for (int k = 1; k < H; k++) mac_conj(z, b.e[s * H + k], a.e[s * H + k]);
  return z;
}
template <int K, int C, class L> FN vector<typename L::T, K> load_at(const View<L>& f, i64 item, int copy) {
  const typename L::R* p = address_of_copy<2 * K, C>(f, item, copy);
  vector<typename L::T, K> r;
  UNROLL for (int k = 0; k < K; k++) r.e[k] = {number_at<L>(p, 2 * k), number_at<L>(p, 2 * k + 1)};
  return r;
}
template <int C, class L, int K> FN void store_at(const View<L>& f, i64 item, int copy, const vector<typename L::T, K>& v) {
  typename L::R* p = address_of_copy<2 * K, C>(f, item, copy);
  UNROLL for (int k = 0; k < K; k++) {
    *(typename L::T*)(p + (2 * k) * L::G) = v.e[k].re;
    *(typename L::T*)(p + (2 * k + 1) * L::G) = v.e[k].im;
  }
}

// coarse = P^dag fine: the products of the basis of a block with the vector on it
template <class L, int K, int NV, int C, class A> FN void restrict_vectors(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  cx<T> r[C][2 * NV];
  ROLLED for (int copy = 0; copy < C; copy++) ROLLED for (int k = 0; k < 2 * NV; k++) r[copy][k] = {T{}, T{}};
  const i64* members = a.members + x.item * a.sites;
  ROLLED for (i64 site = 0; site < a.sites; site++) {
    ROLLED for (int i = 0; i < NV; i++) {
      vector<T, K> p = load_at<K, NV>(a.basis, members[site], i);
      ROLLED for (int copy = 0; copy < C; copy++) {
        vector<T, K> v = load_at<K, C>(a.fine, members[site], copy);
        UNROLL for (int s = 0; s < 2; s++) r[copy][s * NV + i] = r[copy][s * NV + i] + inner_of_half<K / 2>(s, p, v);
      }
    }
  }
  ROLLED for (int copy = 0; copy < C; copy++) {
    typename L::R* q = address_of_copy<4 * NV, C>(a.coarse, x.item, copy);
    ROLLED for (int k = 0; k < 2 * NV; k++) {
      store_number<L>(q, 2 * k, x, r[copy][k].re);
      store_number<L>(q, 2 * k + 1, x, r[copy][k].im);
    }
  }
}
// fine = P coarse on the sites of a fine lattice; with ADD fine += P coarse. owners: the coarse item of every item
template <class L, int K, int NV, int C, int ADD, class A> FN void prolong_vectors(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  i64 owner = a.owners[x.item];
  ROLLED for (int copy = 0; copy < C; copy++) {
    const typename L::R* c = address_of_copy<4 * NV, C>(a.coarse, owner, copy);
    vector<T, K> r = zero_vector<T, K>();
    if constexpr (ADD != 0) r = load_vector<K, C>(a.fine, x, copy);
    ROLLED for (int i = 0; i < NV; i++) {
      vector<T, K> p = load_at<K, NV>(a.basis, x.item, i);
      UNROLL for (int s = 0; s < 2; s++) {
        cx<T> z = {number_at<L>(c, 2 * (s * NV + i)), number_at<L>(c, 2 * (s * NV + i) + 1)};
        UNROLL for (int k = s * (K / 2); k < (s + 1) * (K / 2); k++) mac(r.e[k], z, p.e[k]);
      }
    }
    store_vector<C>(a.fine, x, copy, r);
  }
}

// Gram-Schmidt of both halves of the basis on every block, twice for the sake of rounding. Sum: blocks in which a vector is nothing
// but a combination of those before it
template <class L, int K, int NV, class A, class S> FN void orthonormalise(const Site<L>& x, const A& a, S& sum) {
  typedef typename L::T T;
  const i64* members = a.members + x.item * a.sites;
  T degenerate = T{};
  ROLLED for (int i = 0; i < NV; i++) {
    T before[2] = {T{}, T{}}, norm[2];
    ROLLED for (int pass = 0; pass < 3; pass++) {
      cx<T> z[2][NV];
      ROLLED for (int k = 0; k < NV; k++) z[0][k] = z[1][k] = {T{}, T{}};
      norm[0] = norm[1] = T{};
      ROLLED for (i64 site = 0; site < a.sites; site++) {
        vector<T, K> v = load_at<K, NV>(a.basis, members[site], i);
        UNROLL for (int s = 0; s < 2; s++) norm[s] = norm[s] + inner_of_half<K / 2>(s, v, v).re;
        if (pass < 2) ROLLED for (int k = 0; k < i; k++) {
          vector<T, K> p = load_at<K, NV>(a.basis, members[site], k);
          UNROLL for (int s = 0; s < 2; s++) z[s][k] = z[s][k] + inner_of_half<K / 2>(s, p, v);
        }
      }
      if (pass == 0) before[0] = norm[0], before[1] = norm[1];
      T scale[2];
      UNROLL for (int s = 0; s < 2; s++) {
        auto empty = norm[s] <= constant<T>(1e-10) * before[s];
        if (pass == 2) degenerate = degenerate + select(empty, constant<T>(1), T{});
        scale[s] = pass < 2 ? constant<T>(1) : constant<T>(1) / root(select(empty, constant<T>(1), norm[s]));
      }
      ROLLED for (i64 site = 0; site < a.sites; site++) {
        vector<T, K> v = load_at<K, NV>(a.basis, members[site], i);
        if (pass < 2) ROLLED for (int k = 0; k < i; k++) {
          vector<T, K> p = load_at<K, NV>(a.basis, members[site], k);
          UNROLL for (int c = 0; c < K; c++) mac(v.e[c], cx<T>{-z[c / (K / 2)][k].re, -z[c / (K / 2)][k].im}, p.e[c]);
        }
        UNROLL for (int c = 0; c < K; c++) v.e[c] = ::scale(scale[c / (K / 2)], v.e[c]);
        store_at<NV>(a.basis, members[site], i, v);
      }
    }
  }
  sum.add(x, 0, degenerate);
}

// One half of the components, zero in the place of the other
template <class L, int K, int C, int HALF, class A> FN void keep_half(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  ROLLED for (int copy = 0; copy < C; copy++) {
    vector<T, K> v = load_vector<K, C>(a.in, x, copy);
    UNROLL for (int k = 0; k < K; k++) if (k / (K / 2) != HALF) v.e[k] = {T{}, T{}};
    store_vector<C>(a.out, x, copy, v);
  }
}
// P^dag t for the images t of one half of every basis vector under a part of an operator: columns half NV + j of the Galerkin product.
// It is added to `inner` at sites from which the part does not lead out of the block (bit mu of `crossing` is not set; all sites if
// mu < 0), else to buffer `term` of `outer`.
template <class L, int K, int NV, class A> FN void galerkin(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  constexpr int N = 2 * NV;
  const i64* members = a.members + x.item * a.sites;
  ROLLED for (i64 site = 0; site < a.sites; site++) {
    bool inside = a.mu < 0 || !(a.crossing[site] >> a.mu & 1);
    typename L::R* m = inside ? address<2 * N * N>(a.inner, 0, x.item) : address<2 * N * N>(a.outer, (int)a.term, x.item);
    ROLLED for (int j = 0; j < NV; j++) {
      vector<T, K> t = load_at<K, NV>(a.images, members[site], j);
      ROLLED for (int i = 0; i < NV; i++) {
        vector<T, K> p = load_at<K, NV>(a.basis, members[site], i);
        UNROLL for (int s = 0; s < 2; s++) {
          i64 place = 2 * ((s * NV + i) * N + a.half * NV + j);
          cx<T> z = inner_of_half<K / 2>(s, p, t);
          store_number<L>(m, place, x, number_at<L>(m, place) + z.re);
          store_number<L>(m, place + 1, x, number_at<L>(m, place + 1) + z.im);
        }
      }
    }
  }
}
