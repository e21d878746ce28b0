// Complex numbers, Nc x Nc matrices, the algebra of SU(N) and U(1) (N = 1).
#pragma once
#include "site.h"

template <class T> struct cx { T re, im; };
template <class T> FN cx<T> operator+(cx<T> a, cx<T> b) { return {a.re + b.re, a.im + b.im}; }
template <class T> FN cx<T> operator-(cx<T> a, cx<T> b) { return {a.re - b.re, a.im - b.im}; }
template <class T> FN cx<T> conj(cx<T> a) { return {a.re, -a.im}; }
template <class T> FN cx<T> scale(T s, cx<T> a) { return {s * a.re, s * a.im}; }
template <class T> FN T norm2(cx<T> a) { return madd(a.im, a.im, a.re * a.re); }
template <class T> FN cx<T> mul(cx<T> a, cx<T> b) { return {nmadd(a.im, b.im, a.re * b.re), madd(a.im, b.re, a.re * b.im)}; }
template <class T> FN cx<T> mul_conj(cx<T> a, cx<T> b) { return {madd(a.im, b.im, a.re * b.re), nmadd(a.re, b.im, a.im * b.re)}; }
// r += a b,  r += a conj(b),  r += conj(a) b
template <class T> FN void mac(cx<T>& r, cx<T> a, cx<T> b) {
  r.re = madd(a.re, b.re, r.re); r.im = madd(a.re, b.im, r.im);
  r.re = nmadd(a.im, b.im, r.re); r.im = madd(a.im, b.re, r.im);
}
template <class T> FN void mac_conj(cx<T>& r, cx<T> a, cx<T> b) {
  r.re = madd(a.re, b.re, r.re); r.im = nmadd(a.re, b.im, r.im);
  r.re = madd(a.im, b.im, r.re); r.im = madd(a.im, b.re, r.im);
}
template <class T> FN void conj_mac(cx<T>& r, cx<T> a, cx<T> b) { mac_conj(r, b, a); }

template <class T, int N> struct matrix { cx<T> e[N][N]; };

template <int N, class L> FN matrix<typename L::T, N> load_matrix(const View<L>& f, int buffer, const Site<L>& x, Ref r) {
  typename L::T v[2 * N * N];
  load(v, f, buffer, x, r);
  matrix<typename L::T, N> m;
  UNROLL for (int i = 0; i < N; i++) UNROLL for (int j = 0; j < N; j++) m.e[i][j] = {v[2 * (i * N + j)], v[2 * (i * N + j) + 1]};
  return m;
}
template <int N, class L> FN void store_matrix(const View<L>& f, int buffer, const Site<L>& x, const matrix<typename L::T, N>& m) {
  typename L::T v[2 * N * N];
  UNROLL for (int i = 0; i < N; i++) UNROLL for (int j = 0; j < N; j++) {
    v[2 * (i * N + j)] = m.e[i][j].re;
    v[2 * (i * N + j) + 1] = m.e[i][j].im;
  }
  store(f, buffer, x, v);
}

// A matrix that stays in memory and is read where it is used; lanes are permuted into `buffer` where a virtual node ends.
template <class L, int N> struct matrix_view {
  const typename L::T* p;
  FN_MEMBER cx<typename L::T> operator()(int i, int j) const {
    constexpr int stride = L::G / L::W;
    return {p[(2 * (i * N + j)) * stride], p[(2 * (i * N + j) + 1) * stride]};
  }
};
template <int N, class L> FN matrix_view<L, N> view_matrix(typename L::T (&buffer)[2 * N * N], const View<L>& f, int b, const Site<L>& x, Ref r) {
  const typename L::T* p = (const typename L::T*)address<2 * N * N>(f, b, r.item);
  if constexpr (L::W > 1) {
    if (UNLIKELY(r.permutation)) {
      typename L::S index = x.permutations[r.permutation];
      UNROLL for (int k = 0; k < 2 * N * N; k++) buffer[k] = shuffle(p[k], index);
      p = buffer;
    }
  }
  return {p};
}

template <class T, int N> FN matrix<T, N> zero_matrix() {
  matrix<T, N> r;
  UNROLL for (int i = 0; i < N; i++) UNROLL for (int j = 0; j < N; j++) r.e[i][j] = {T{}, T{}};
  return r;
}
template <class T, int N> FN matrix<T, N> unit_matrix() {
  matrix<T, N> r = zero_matrix<T, N>();
  UNROLL for (int i = 0; i < N; i++) r.e[i][i].re = constant<T>(1);
  return r;
}
template <class T, int N> FN matrix<T, N> adjoint(const matrix<T, N>& a) {
  matrix<T, N> r;
  UNROLL for (int i = 0; i < N; i++) UNROLL for (int j = 0; j < N; j++) r.e[i][j] = conj(a.e[j][i]);
  return r;
}
// Products a b, a b^dag, a^dag b
template <class T, int N> FN matrix<T, N> mul(const matrix<T, N>& a, const matrix<T, N>& b) {
  matrix<T, N> r;
  UNROLL for (int i = 0; i < N; i++) UNROLL for (int j = 0; j < N; j++) {
    cx<T> z = mul(a.e[i][0], b.e[0][j]);
    UNROLL for (int k = 1; k < N; k++) mac(z, a.e[i][k], b.e[k][j]);
    r.e[i][j] = z;
  }
  return r;
}
template <class T, int N> FN matrix<T, N> mul_adjoint(const matrix<T, N>& a, const matrix<T, N>& b) {
  matrix<T, N> r;
  UNROLL for (int i = 0; i < N; i++) UNROLL for (int j = 0; j < N; j++) {
    cx<T> z = mul_conj(a.e[i][0], b.e[j][0]);
    UNROLL for (int k = 1; k < N; k++) mac_conj(z, a.e[i][k], b.e[j][k]);
    r.e[i][j] = z;
  }
  return r;
}
template <class T, int N> FN matrix<T, N> adjoint_mul(const matrix<T, N>& a, const matrix<T, N>& b) {
  matrix<T, N> r;
  UNROLL for (int i = 0; i < N; i++) UNROLL for (int j = 0; j < N; j++) {
    cx<T> z = mul_conj(b.e[0][j], a.e[0][i]);
    UNROLL for (int k = 1; k < N; k++) conj_mac(z, a.e[k][i], b.e[k][j]);
    r.e[i][j] = z;
  }
  return r;
}
template <class T, int N> FN void add(matrix<T, N>& r, const matrix<T, N>& a) {
  UNROLL for (int i = 0; i < N; i++) UNROLL for (int j = 0; j < N; j++) r.e[i][j] = r.e[i][j] + a.e[i][j];
}
template <class T, int N> FN void add_scaled(matrix<T, N>& r, T s, const matrix<T, N>& a) {
  UNROLL for (int i = 0; i < N; i++) UNROLL for (int j = 0; j < N; j++) {
    r.e[i][j].re = madd(s, a.e[i][j].re, r.e[i][j].re);
    r.e[i][j].im = madd(s, a.e[i][j].im, r.e[i][j].im);
  }
}
template <class T, int N> FN cx<T> trace(const matrix<T, N>& a) {
  cx<T> z = a.e[0][0];
  UNROLL for (int i = 1; i < N; i++) z = z + a.e[i][i];
  return z;
}
// tr(a b^dag) and Re tr(a b^dag)
template <class T, int N> FN cx<T> trace_adjoint(const matrix<T, N>& a, const matrix<T, N>& b) {
  cx<T> z = {T{}, T{}};
  UNROLL for (int i = 0; i < N; i++) UNROLL for (int j = 0; j < N; j++) mac_conj(z, a.e[i][j], b.e[i][j]);
  return z;
}
template <class T, int N> FN T re_trace_adjoint(const matrix<T, N>& a, const matrix<T, N>& b) {
  T z = T{};
  UNROLL for (int i = 0; i < N; i++) UNROLL for (int j = 0; j < N; j++) {
    z = madd(a.e[i][j].re, b.e[i][j].re, z);
    z = madd(a.e[i][j].im, b.e[i][j].im, z);
  }
  return z;
}

// The algebra: H = p^a T^a, tr T^a T^b = delta^{ab}/2. Order: for i < j (E_ij + E_ji)/2, (-i E_ij + i E_ji)/2; then
// diag(1, .., 1, -k, 0, ..)/sqrt(2k(k+1)) for k = 1 .. N-1. U(1): T = 1.
template <int N> struct generators { static constexpr int count = N == 1 ? 1 : N * N - 1; };
// 1/sqrt(2k(k+1)), k = 1 .. 9
FN double diagonal_norm(int k) {
  constexpr double norm[10] = {0, 0.5, 0.28867513459481287, 0.20412414523193148, 0.15811388300841897, 0.12909944487358055,
                               0.10910894511799618, 0.094491118252306799, 0.083333333333333329, 0.074535599249992979};
  return norm[k];
}

template <class T, int N> FN matrix<T, N> algebra_matrix(const T (&p)[generators<N>::count]) {
  matrix<T, N> h = zero_matrix<T, N>();
  if constexpr (N == 1) h.e[0][0].re = p[0];
  else {
    int a = 0;
    UNROLL for (int i = 0; i < N; i++) UNROLL for (int j = i + 1; j < N; j++) {
      T half = constant<T>(0.5), re = p[a] * half, im = p[a + 1] * half;
      h.e[i][j] = {re, -im};
      h.e[j][i] = {re, im};
      a += 2;
    }
    UNROLL for (int k = 1; k < N; k++) {
      T d = p[a++] * constant<T>(diagonal_norm(k));
      UNROLL for (int i = 0; i < k; i++) h.e[i][i].re = h.e[i][i].re + d;
      h.e[k][k].re = nmadd(constant<T>(k), d, h.e[k][k].re);
    }
  }
  return h;
}
// The coefficients of the projection of W on the algebra: p^a T^a = TA(W)/i, TA(W) = traceless (W - W^dag)/2;
// p^a = 2 tr(T^a TA(W)/i) = 2 Im tr(T^a W). U(1): p = Im W.
template <class T, int N> FN void project_algebra(T (&p)[generators<N>::count], const matrix<T, N>& w) {
  if constexpr (N == 1) p[0] = w.e[0][0].im;
  else {
    int a = 0;
    UNROLL for (int i = 0; i < N; i++) UNROLL for (int j = i + 1; j < N; j++) {
      p[a++] = w.e[i][j].im + w.e[j][i].im;
      p[a++] = w.e[i][j].re - w.e[j][i].re;
    }
    T sum = w.e[0][0].im;
    UNROLL for (int k = 1; k < N; k++) {
      p[a++] = nmadd(constant<T>(k), w.e[k][k].im, sum) * constant<T>(2 * diagonal_norm(k));
      sum = sum + w.e[k][k].im;
    }
  }
}
