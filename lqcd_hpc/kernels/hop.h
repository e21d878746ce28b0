// Hops of colour vectors along links: U_mu(x) h(x+mu) and U_mu(x-mu)^dag h(x-mu). Displacements: +mu, then -mu.
//
// Links of operators lie in one buffer, those of a site together: U_mu(x) for every mu, and with STORED = 2 ND also U_mu(x-mu).
// Of SU(2) and SU(3) links ROWS = N - 1 rows may be stored; the last row follows from them.
#pragma once
#include "spin.h"

// A link whose stored rows stay in memory, numbers STRIDE apart
template <class T, int N, int ROWS, int STRIDE> struct stored_link {
  const T* p;
  cx<T> last[N];
  FN_MEMBER cx<T> operator()(int i, int j) const {
    if (i >= ROWS) return last[j];
    return {p[(2 * (i * N + j)) * STRIDE], p[(2 * (i * N + j) + 1) * STRIDE]};
  }
  // The last row: (-u01*, u00*) for SU(2), the conjugate cross product of the others for SU(3)
  FN_MEMBER void complete() {
    if constexpr (ROWS < N && N == 2) {
      cx<T> a = (*this)(0, 1), b = (*this)(0, 0);
      last[0] = {-a.re, a.im};
      last[1] = conj(b);
    }
    if constexpr (ROWS < N && N == 3) {
      UNROLL for (int j = 0; j < 3; j++) {
        int k = (j + 1) % 3, l = (j + 2) % 3;
        cx<T> a = (*this)(0, k), b = (*this)(1, l), c = (*this)(0, l), d = (*this)(1, k), z;
        z.re = nmadd(a.im, b.im, a.re * b.re); z.im = nmadd(a.im, b.re, c.re * d.im);
        z.re = nmadd(c.re, d.re, z.re); z.im = nmadd(a.re, b.im, z.im);
        z.re = madd(c.im, d.im, z.re); z.im = madd(c.im, d.re, z.im);
        last[j] = z;
      }
    }
  }
};
template <class L> struct memory_stride { static constexpr int value = L::G / L::W; };

// Link `number` of the site r
template <int N, int ROWS, int STORED, class L, class T = typename L::T>
FN stored_link<T, N, ROWS, memory_stride<L>::value> view_link(T (&buffer)[2 * ROWS * N], const View<L>& links, int number, const Site<L>& x, Ref r) {
  stored_link<T, N, ROWS, memory_stride<L>::value> u;
  u.p = (const T*)(address<2 * STORED * ROWS * N>(links, 0, r.item) + number * (2 * ROWS * N * L::G));
  if constexpr (L::W > 1) {
    if (UNLIKELY(r.permutation)) {
      typename L::S index = x.permutations[r.permutation];
      UNROLL for (int k = 0; k < 2 * ROWS * N; k++) buffer[k] = shuffle(u.p[k], index);
      u.p = buffer;
    }
  }
  u.complete();
  return u;
}
// The link of displacement D, to be used as it is (D < ND) or as its adjoint
template <int D, int N, int ROWS, int STORED, int ND, class L, class T = typename L::T>
FN stored_link<T, N, ROWS, memory_stride<L>::value> link_of(T (&buffer)[2 * ROWS * N], const View<L>& links, const Site<L>& x) {
  if constexpr (D < ND) return view_link<N, ROWS, STORED>(buffer, links, D, x, here(x));
  else if constexpr (STORED == 2 * ND) return view_link<N, ROWS, STORED>(buffer, links, D, x, here(x));
  else return view_link<N, ROWS, STORED>(buffer, links, D - ND, x, at(x, D));
}

// g = U h, or U^dag h
template <int D, int ND, int N, class T, class U> FN void transport(cx<T> (&g)[N], const U& u, const cx<T> (&h)[N]) {
  UNROLL for (int j = 0; j < N; j++) UNROLL for (int i = 0; i < N; i++) {
    if constexpr (D < ND) {
      if (j == 0) g[i] = mul(u(i, j), h[j]);
      else mac(g[i], u(i, j), h[j]);
    } else {
      if (j == 0) g[i] = mul_conj(h[j], u(j, i));
      else mac_conj(g[i], h[j], u(j, i));
    }
  }
}
// What a vector that was read at displacement d undergoes: lanes permuted, the boundary phase where the way leaves the lattice,
// phases[d][re, im][lane]
template <int N, class L> FN void arrive(cx<typename L::T> (&h)[N], const Site<L>& x, int d, const typename L::R* phases) {
  if constexpr (L::W > 1) {
    if (u32 permutation = at(x, d).permutation; UNLIKELY(permutation)) {
      typename L::S index = x.permutations[permutation];
      UNROLL for (int c = 0; c < N; c++) h[c] = {shuffle(h[c].re, index), shuffle(h[c].im, index)};
    }
  }
  if (UNLIKELY(wraps(x, d))) {
    const typename L::T* p = (const typename L::T*)(phases + 2 * d * L::W);
    cx<typename L::T> z = {p[0], p[1]};
    UNROLL for (int c = 0; c < N; c++) h[c] = mul(z, h[c]);
  }
}

// The 2 ND links around a site for several copies: read where they lie for one copy; permuted and completed once for many.
template <class L, int N, int ROWS, int STORED, int ND, bool KEEP> struct links_around {
  typedef typename L::T T;
  static constexpr int rows = ROWS;
  const View<L>& links;
  const Site<L>& x;
  T kept[KEEP ? 2 * ND : 1][2 * N * N];
  FN_MEMBER links_around(const View<L>& links_, const Site<L>& x_) : links(links_), x(x_) {
    if constexpr (KEEP) keep<0>();
  }
  template <int D> FN_MEMBER void keep() {
    T buffer[2 * ROWS * N];
    auto u = link_of<D, N, ROWS, STORED, ND>(buffer, links, x);
    UNROLL for (int i = 0; i < N; i++) UNROLL for (int j = 0; j < N; j++) {
      kept[D][2 * (i * N + j)] = u(i, j).re;
      kept[D][2 * (i * N + j) + 1] = u(i, j).im;
    }
    if constexpr (D + 1 < 2 * ND) keep<D + 1>();
  }
  template <int D> FN_MEMBER auto get(T (&buffer)[2 * ROWS * N]) const {
    if constexpr (KEEP) return stored_link<T, N, N, 1>{kept[D], {}};
    else return link_of<D, N, ROWS, STORED, ND>(buffer, links, x);
  }
};
