// The clover term -(1/2) sum_{mu<nu} c_{mu nu} sigma_{mu nu} F_{mu nu} as Hermitian blocks, one per chirality, and functions of them.
// sigma_{mu nu} = (i/2) [gamma_mu, gamma_nu] is diagonal in chirality; block row = spin * N + colour.
#pragma once
#include "field_strength.h"
#include "site_term.h"

template <class T, int B> struct block { cx<T> e[B][B]; };

template <class T, int B> FN block<T, B> multiply(const block<T, B>& a, const block<T, B>& b) {
  block<T, B> r;
  ROLLED for (int i = 0; i < B; i++) ROLLED for (int j = 0; j < B; j++) {
    cx<T> z = mul(a.e[i][0], b.e[0][j]);
    ROLLED for (int k = 1; k < B; k++) mac(z, a.e[i][k], b.e[k][j]);
    r.e[i][j] = z;
  }
  return r;
}
template <int B, class L> FN block<typename L::T, B> load_packed(const typename L::R* h) {
  block<typename L::T, B> r;
  ROLLED for (int i = 0; i < B; i++) {
    r.e[i][i] = {number_at<L>(h, i), typename L::T{}};
    ROLLED for (int j = 0; j < i; j++) {
      r.e[i][j] = {number_at<L>(h, below_diagonal<B>(i, j)), number_at<L>(h, below_diagonal<B>(i, j) + 1)};
      r.e[j][i] = conj(r.e[i][j]);
    }
  }
  return r;
}
template <int B, class L> FN void store_packed(typename L::R* h, const Site<L>& x, const block<typename L::T, B>& b) {
  ROLLED for (int i = 0; i < B; i++) {
    store_number<L>(h, i, x, b.e[i][i].re);
    ROLLED for (int j = 0; j < i; j++) {
      store_number<L>(h, below_diagonal<B>(i, j), x, b.e[i][j].re);
      store_number<L>(h, below_diagonal<B>(i, j) + 1, x, b.e[i][j].im);
    }
  }
}
template <int B, class L> FN void store_full(typename L::R* h, const Site<L>& x, const block<typename L::T, B>& b) {
  ROLLED for (int i = 0; i < B; i++) ROLLED for (int j = 0; j < B; j++) {
    store_number<L>(h, 2 * (i * B + j), x, b.e[i][j].re);
    store_number<L>(h, 2 * (i * B + j) + 1, x, b.e[i][j].im);
  }
}
// sigma_{mu nu} = i gamma_mu gamma_nu for mu != nu, upper (chirality 0) or lower block: row i has i^power in one column.
// Upper: i B_mu B_nu^dag; lower: i B_mu^dag B_nu.
template <int ND> FN int sigma_column(int chirality, int mu, int nu, int i) { return partner<ND>(nu, partner<ND>(mu, i)); }
template <int ND> FN int sigma_power(int chirality, int mu, int nu, int i) {
  int j = partner<ND>(mu, i);
  if (chirality == 0) return (1 + phase<ND>(mu, i) + 4 - phase<ND>(nu, sigma_column<ND>(0, mu, nu, i))) & 3;
  return (1 + 4 - phase<ND>(mu, j) + phase<ND>(nu, j)) & 3;
}
// F_mu_nu = -(i/8)(Q - Q^dag) traceless, from its algebra coefficients
template <int N, int ND, class L> FN matrix<typename L::T, N> clover_field_strength(const Site<L>& x, const View<L>& u, int mu, int nu) {
  typedef typename L::T T;
  T f[generators<N>::count];
  project_algebra<T, N>(f, leaves<N, ND, true>(x, u, mu, nu));
  UNROLL for (int k = 0; k < generators<N>::count; k++) f[k] = f[k] * constant<T>(0.25);
  return algebra_matrix<T, N>(f);
}
// blocks <- mass + clover term; csw_r for planes of the first directions, csw_t for those with the last
template <class L, int N, int ND, class A> FN void clover_blocks(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  constexpr int H = spins<ND>::half, B = H * N;
  block<T, B> b[2];
  ROLLED for (int chi = 0; chi < 2; chi++) ROLLED for (int i = 0; i < B; i++) ROLLED for (int j = 0; j < B; j++)
    b[chi].e[i][j] = {constant<T>(i == j ? a.mass : 0), T{}};
  ROLLED for (int nu = 1; nu < ND; nu++) ROLLED for (int mu = 0; mu < nu; mu++) {
    matrix<T, N> f = clover_field_strength<N, ND>(x, a.U, mu, nu);
    T c = constant<T>(-0.5 * (nu == ND - 1 ? a.csw_t : a.csw_r));
    ROLLED for (int chi = 0; chi < 2; chi++) ROLLED for (int s = 0; s < H; s++) {
      int t = sigma_column<ND>(chi, mu, nu, s), power = sigma_power<ND>(chi, mu, nu, s);
      ROLLED for (int i = 0; i < N; i++) ROLLED for (int j = 0; j < N; j++) {
        cx<T>& z = b[chi].e[s * N + i][t * N + j];
        z = add_turned(power, z, scale(c, f.e[i][j]));
      }
    }
  }
  typename L::R* p = address<packed_reals<B>()>(a.blocks, 0, x.item);
  ROLLED for (int chi = 0; chi < 2; chi++) store_packed<B>(p + chi * (B * B * L::G), x, b[chi]);
}
// The inverse of a Hermitian block by Gauss-Jordan elimination; also the smallest |pivot| (zero: the block is singular)
template <class T, int B> FN T invert(block<T, B>& b) {
  T smallest = constant<T>(1e300);
  ROLLED for (int k = 0; k < B; k++) {
    T n = norm2(b.e[k][k]);
    smallest = select(n < smallest, n, smallest);
    cx<T> pivot = {b.e[k][k].re / n, -b.e[k][k].im / n};
    b.e[k][k] = {constant<T>(1), T{}};
    ROLLED for (int j = 0; j < B; j++) b.e[k][j] = mul(pivot, b.e[k][j]);
    ROLLED for (int i = 0; i < B; i++) {
      if (i == k) continue;
      cx<T> factor = b.e[i][k];
      b.e[i][k] = {T{}, T{}};
      ROLLED for (int j = 0; j < B; j++) {
        cx<T> z = mul(factor, b.e[k][j]);
        b.e[i][j] = b.e[i][j] - z;
      }
    }
  }
  return smallest;
}
// out <- (blocks + i twist gamma5)^-1: packed where twist = 0 (TWIST 0), full blocks else. Sum: sites with a singular block.
//   (A + i t)^-1 = (A - i t) (A^2 + t^2)^-1
template <class L, int N, int ND, int TWIST, class A, class S> FN void invert_blocks(const Site<L>& x, const A& a, S& sum) {
  typedef typename L::T T;
  constexpr int B = spins<ND>::half * N;
  const typename L::R* p = address<packed_reals<B>()>(a.blocks, 0, x.item);
  T bad = T{};
  ROLLED for (int chi = 0; chi < 2; chi++) {
    block<T, B> b = load_packed<B, L>(p + chi * (B * B * L::G));
    T t = constant<T>(chi == 0 ? a.twist : -a.twist), size = T{};
    ROLLED for (int i = 0; i < B; i++) size = largest(size, absolute(b.e[i][i].re));
    size = largest(size * size, t * t);
    if constexpr (TWIST != 0) ROLLED for (int i = 0; i < B; i++) b.e[i][i].im = b.e[i][i].im + t;
    T smallest = invert(b);
    bad = select(smallest > constant<T>(1e-24) * size, bad, constant<T>(1));
    if constexpr (TWIST != 0) store_full<B>(address<full_reals<B>()>(a.out, 0, x.item) + chi * (2 * B * B * L::G), x, b);
    else store_packed<B>(address<packed_reals<B>()>(a.out, 0, x.item) + chi * (B * B * L::G), x, b);
  }
  sum.add(x, 0, bad);
}
// out <- mass exp(sign (blocks - mass)/mass): the exponential clover term and, divided by mass^2, its inverse (arXiv:1911.04533).
// exp by its series after division by 2^SQUARINGS, then squarings
template <class L, int N, int ND, class A> FN void exponentiate_blocks(const Site<L>& x, const A& a) {
  typedef typename L::T T;
  constexpr int B = spins<ND>::half * N, TERMS = 18, SQUARINGS = 3;
  const typename L::R* p = address<packed_reals<B>()>(a.blocks, 0, x.item);
  ROLLED for (int chi = 0; chi < 2; chi++) {
    block<T, B> b = load_packed<B, L>(p + chi * (B * B * L::G)), r;
    T s = constant<T>(a.sign / a.mass / (1 << SQUARINGS));
    ROLLED for (int i = 0; i < B; i++) b.e[i][i].re = b.e[i][i].re - constant<T>(a.mass);
    ROLLED for (int i = 0; i < B; i++) ROLLED for (int j = 0; j < B; j++) {
      b.e[i][j] = scale(s, b.e[i][j]);
      r.e[i][j] = {constant<T>(i == j ? 1 : 0), T{}};
    }
    ROLLED for (int n = TERMS; n > 0; n--) {  // Horner: r <- 1 + b r/n
      r = multiply(b, r);
      T inverse = constant<T>(1.0 / n);
      ROLLED for (int i = 0; i < B; i++) {
        ROLLED for (int j = 0; j < B; j++) r.e[i][j] = scale(inverse, r.e[i][j]);
        r.e[i][i].re = r.e[i][i].re + constant<T>(1);
      }
    }
    ROLLED for (int k = 0; k < SQUARINGS; k++) r = multiply(r, r);
    T m = constant<T>(a.prefactor);
    ROLLED for (int i = 0; i < B; i++) ROLLED for (int j = 0; j < B; j++) r.e[i][j] = scale(m, r.e[i][j]);
    store_packed<B>(address<packed_reals<B>()>(a.out, 0, x.item) + chi * (B * B * L::G), x, r);
  }
}
