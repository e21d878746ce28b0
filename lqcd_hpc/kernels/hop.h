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

// The 2 ND links around a site, and what is asked for ahead where fields are `far` (in memory rather than a cache of the core):
// with the first copy the links of a later item; with every one of several copies the vector that is needed two hops later.
template <class L, int N, int ROWS, int STORED, int ND, int C> struct links_around {
  typedef typename L::T T;
  static constexpr int rows = ROWS;
  const View<L>& links;
  const Site<L>& x;
  bool far;
  template <int D> FN_MEMBER stored_link<T, N, ROWS, memory_stride<L>::value> get(T (&buffer)[2 * ROWS * N], int copy) const {
    if (far && copy == 0 && D < STORED) ask_for<2 * STORED * ROWS * N, 2 * ROWS * N>(links, x.item_ahead, D);
    return link_of<D, N, ROWS, STORED, ND>(buffer, links, x);
  }
  template <int D, int REALS> FN_MEMBER void ask_for_vector(const View<L>& psi, int copy) const {
    if (C == 1 || !far) return;
    int next = D + 2 < 2 * ND || copy + 1 == C ? copy : copy + 1;
    ask_for<REALS * C, REALS>(psi, at(x, (D + 2) % (2 * ND)).item, next);
  }
  // Part `number`, of SIZE reals, of the REALS of an item
  template <int REALS, int SIZE> FN_MEMBER void ask_for(const View<L>& f, i64 item, int number) const {
#ifndef __CUDACC__
    const char* p = (const char*)(address<REALS>(f, 0, item) + number * (SIZE * L::G));
    UNROLL for (int k = 0; k < SIZE * L::G * (int)sizeof(typename L::R); k += 64) __builtin_prefetch(p + k, 0, 2);
#endif
  }
};
