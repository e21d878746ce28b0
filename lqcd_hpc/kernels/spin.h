// Spinors and gamma matrices in a chiral basis: DeGrand-Rossi in 4 dimensions; sigma_1, sigma_2 in 2, gamma5 = sigma_3.
//   gamma_mu = ( 0  B_mu ; B_mu^dag  0 ),  (B_mu)_{i j} = i^phase(mu, i) for j = partner(mu, i), else 0
#pragma once
#include "su.h"

template <int ND> struct spins { static constexpr int count = ND == 4 ? 4 : 2, half = count / 2; };

template <int ND> FN constexpr int partner(int mu, int i) { return ND == 4 ? (mu < 2 ? 1 - i : i) : 0; }
template <int ND> FN constexpr int phase(int mu, int i) {
  return ND == 4 ? (mu == 0 ? 1 : mu == 1 ? (i == 0 ? 2 : 0) : mu == 2 ? (i == 0 ? 1 : 3) : 0) : (mu == 0 ? 0 : 3);
}
// (1 + sign gamma_mu) psi has the upper components h_i = psi_i + i^p psi_j, and the lower ones i^q h_i in place j
template <int ND> FN constexpr int projection_power(int mu, int i, int sign) { return (phase<ND>(mu, i) + (sign < 0 ? 2 : 0)) & 3; }
template <int ND> FN constexpr int reconstruction_power(int mu, int i, int sign) { return (4 - phase<ND>(mu, i) + (sign < 0 ? 2 : 0)) & 3; }

// r + i^power z
template <class T> FN cx<T> add_turned(int power, cx<T> r, cx<T> z) {
  return power == 0   ? cx<T>{r.re + z.re, r.im + z.im}
         : power == 1 ? cx<T>{r.re - z.im, r.im + z.re}
         : power == 2 ? cx<T>{r.re - z.re, r.im - z.im}
                      : cx<T>{r.re + z.im, r.im - z.re};
}

// K complex numbers: K = spins x colours of a spinor
template <class T, int K> struct vector { cx<T> e[K]; };
template <class T, int K> FN vector<T, K> zero_vector() {
  vector<T, K> r;
  UNROLL for (int k = 0; k < K; k++) r.e[k] = {T{}, T{}};
  return r;
}
template <int K, int C, class L> FN vector<typename L::T, K> load_vector(const View<L>& f, const Site<L>& x, int copy) {
  const typename L::R* p = address_of_copy<2 * K, C>(f, x.item, copy);
  vector<typename L::T, K> r;
  UNROLL for (int k = 0; k < K; k++) r.e[k] = {number_at<L>(p, 2 * k), number_at<L>(p, 2 * k + 1)};
  return r;
}
template <int C, class L, int K> FN void store_vector(const View<L>& f, const Site<L>& x, int copy, const vector<typename L::T, K>& v) {
  typename L::R* p = address_of_copy<2 * K, C>(f, x.item, copy);
  UNROLL for (int k = 0; k < K; k++) {
    store_number<L>(p, 2 * k, x, v.e[k].re);
    store_number<L>(p, 2 * k + 1, x, v.e[k].im);
  }
}
template <class T, int K> FN T norm2(const vector<T, K>& v) {
  T s = norm2(v.e[0]);
  UNROLL for (int k = 1; k < K; k++) s = madd(v.e[k].im, v.e[k].im, madd(v.e[k].re, v.e[k].re, s));
  return s;
}
// sum of conj(a) b
template <class T, int K> FN cx<T> inner(const vector<T, K>& a, const vector<T, K>& b) {
  cx<T> z = mul_conj(b.e[0], a.e[0]);
  UNROLL for (int k = 1; k < K; k++) mac_conj(z, b.e[k], a.e[k]);
  return z;
}
// r += s a, r += z a
template <class T, int K> FN void add_scaled(vector<T, K>& r, T s, const vector<T, K>& a) {
  UNROLL for (int k = 0; k < K; k++) r.e[k] = {madd(s, a.e[k].re, r.e[k].re), madd(s, a.e[k].im, r.e[k].im)};
}
template <class T, int K> FN void add_scaled(vector<T, K>& r, cx<T> z, const vector<T, K>& a) {
  UNROLL for (int k = 0; k < K; k++) mac(r.e[k], z, a.e[k]);
}
// r += i s gamma5 a
template <class T, int K> FN void add_twisted(vector<T, K>& r, T s, const vector<T, K>& a) {
  UNROLL for (int k = 0; k < K; k++) {
    T t = k < K / 2 ? s : -s;
    r.e[k] = {nmadd(t, a.e[k].im, r.e[k].re), madd(t, a.e[k].re, r.e[k].im)};
  }
}
template <class T, int K> FN void apply_gamma5(vector<T, K>& r) {
  UNROLL for (int k = K / 2; k < K; k++) r.e[k] = {-r.e[k].re, -r.e[k].im};
}
